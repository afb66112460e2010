from __future__ import annotations

import json
from importlib import resources
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ionbox.backends.backend import read_backend
from ionbox.backends.noise import NoiseModel, channels
from ionbox.backends.pricing import (
    FREE,
    MICROS,
    Price,
    PriceBook,
    billed_gate_counts,
    estimate,
    read_price_book,
    to_amount,
    to_micros,
)
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.errors import SettingsError

FOLDER = resources.files("ionbox.backends")
DEFAULT = (FOLDER / "prices.toml").read_text()
CATALOG = [
    read_backend(file.read_text())
    for file in (FOLDER / "catalog").iterdir()
    if file.name.endswith(".toml")
]
NAMES = [backend.name for backend in CATALOG]

SMALL = """
currency = "usd"
[backends."qpu.small"]
cost_1q_gate = 0.00022
cost_2q_gate = 0.001777
job_cost_minimum = 25.79
job_cost_minimum_error_mitigation = 168.20
"""
BOOK = read_price_book(SMALL, ["qpu.small"])


# --- the formula -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate_counts", "shots", "error_mitigation", "amount"),
    [
        ((0, 32), 5_000, False, 284.32),  # as observed of IonQ, here and in the next three rows
        ((0, 32), 10_000, False, 568.64),
        ((0, 32), 400, False, 25.79),
        ((0, 32), 400, True, 168.20),
        ((0, 32), 5_000, True, 284.32),
        ((0, 0), 1, False, 25.79),
        ((1, 0), 1_000_000, False, 220),
        ((1_000_000, 1_000_000), 1_000_000, False, 1_997_000_000),
    ],
)
def test_a_job_costs_its_gates_times_its_shots_but_at_least_the_minimum(
    gate_counts: tuple[int, int], shots: int, error_mitigation: bool, amount: float
) -> None:
    cost = estimate(
        BOOK,
        "qpu.small",
        gate_counts=gate_counts,
        shots=shots,
        error_mitigation=error_mitigation,
    )

    assert to_amount(cost.total_micros) == amount
    assert to_amount(cost.minimum_micros) == (168.20 if error_mitigation else 25.79)
    assert cost.price is BOOK.prices["qpu.small"]
    assert cost.currency == "usd"


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 10**6), st.booleans())
def test_more_gates_shots_or_mitigation_never_cost_less(
    num_1q: int, num_2q: int, shots: int, error_mitigation: bool
) -> None:
    def cost(num_1q: int, num_2q: int, shots: int, *, error_mitigation: bool) -> int:
        return estimate(
            BOOK,
            "qpu.small",
            gate_counts=(num_1q, num_2q),
            shots=shots,
            error_mitigation=error_mitigation,
        ).total_micros

    here = cost(num_1q, num_2q, shots, error_mitigation=error_mitigation)

    assert here <= cost(num_1q + 1, num_2q, shots, error_mitigation=error_mitigation)
    assert here <= cost(num_1q, num_2q + 1, shots, error_mitigation=error_mitigation)
    assert here <= cost(num_1q, num_2q, shots + 1, error_mitigation=error_mitigation)
    assert here <= cost(num_1q, num_2q, shots, error_mitigation=True)


@given(st.integers(0, 4_000_000_000 * MICROS))
def test_an_amount_on_the_wire_is_exactly_what_is_stored(micros: int) -> None:
    text = json.dumps(to_amount(micros))

    assert to_micros(json.loads(text)) == micros


# --- what is billed --------------------------------------------------------------------------


def op(
    name: str,
    num_targets: int = 1,
    num_controls: int = 0,
    *,
    gateset: str = "qis",
    terms: tuple[str, ...] = (),
) -> Operation:
    """Build an operation on the first qubits; all numbers in it are 0.1."""
    gate = GATE_BY_NAME[gateset, name]
    num_params = sum(len(terms) if param.size is None else param.size for param in gate.params)
    return Operation(
        gate,
        targets=tuple(range(num_targets)),
        controls=tuple(range(num_targets, num_targets + num_controls)),
        params=(0.1,) * num_params,
        terms=terms,
    )


CASES = [
    ([], (0, 0)),
    ([op("h"), op("rx"), op("z")], (3, 0)),
    ([op("cnot", 1, 1), op("swap", 2), op("zz", 2), op("z", 1, 1)], (0, 4)),
    ([op("x", 1, 2)], (0, 6)),
    ([op("x", 1, 5), op("h"), op("swap", 2, 1)], (1, 30)),
    ([op("pauliexp", 1, terms=("X",))], (1, 0)),
    ([op("pauliexp", 2, terms=("XX", "ZI"))], (0, 1)),
    ([op("pauliexp", 4, terms=("XXYZ", "IIZZ", "IIIX", "IIII"))], (0, 6 + 2)),
    ([op("h"), op("pauliexp", 3, terms=("XXX",)), op("x", 1, 2)], (1, 4 + 6)),
    ([op("pauliexp", 3, 1, terms=("XXX", "IIZ", "III"))], (0, 4 + 1 + 1)),
    ([op("pauliexp", 1, 3, terms=("X",))], (0, 12)),
    ([op("gpi", gateset="native"), op("nop", gateset="native")], (1, 0)),
    ([op("ms", 2, gateset="native"), op("nop", gateset="native")], (0, 1)),
    ([op("zz", 2, gateset="native"), op("gpi2", gateset="native")], (1, 1)),
]


@pytest.mark.parametrize(("operations", "billed"), CASES)
def test_wide_operations_are_billed_as_operations_on_two_qubits(
    operations: list[Operation], billed: tuple[int, int]
) -> None:
    gateset = operations[0].gate.gateset if operations else "qis"

    assert billed_gate_counts(Circuit.from_operations(8, gateset, operations)) == billed


def test_a_pauliexp_on_one_qubit_with_controls_is_billed_as_the_rotation_that_it_is() -> None:
    for num_controls in range(4):
        rotation = Circuit.from_operations(8, "qis", [op("rx", 1, num_controls)])
        word = op("pauliexp", 1, num_controls, terms=("X",))

        same = Circuit.from_operations(8, "qis", [word])

        assert billed_gate_counts(same) == billed_gate_counts(rotation)


@pytest.mark.parametrize(
    "operations", [case for case, _ in CASES if not any(o.terms and o.controls for o in case)]
)
def test_noise_and_prices_count_the_same_operations(operations: list[Operation]) -> None:
    # Rates so small that a channel's rate is its number of operations on two qubits.
    model = NoiseModel("counting", 8, 1e-30, 1e-9, "")
    gateset = operations[0].gate.gateset if operations else "qis"
    rates = [rate for operation in operations for _, rate in channels(model, operation)]

    num_1q, num_2q = billed_gate_counts(Circuit.from_operations(8, gateset, operations))

    assert sum(rate < 1e-20 for rate in rates) == num_1q
    assert round(sum(rate for rate in rates if rate > 1e-20) / 1e-9, 3) == num_2q


# --- the file --------------------------------------------------------------------------------


def test_the_default_book_prices_every_backend_and_no_simulator() -> None:
    book = read_price_book(DEFAULT, NAMES)

    assert set(book.prices) == set(NAMES)
    assert book.currency == "usd"
    for backend in CATALOG:
        price = book.prices[backend.name]
        assert price.is_free == backend.is_simulator
        if not price.is_free:
            assert 0 < price.cost_1q_gate < price.cost_2q_gate < price.job_cost_minimum
            assert price.job_cost_minimum < price.job_cost_minimum_error_mitigation


def test_prices_are_exactly_what_was_written() -> None:
    assert BOOK.prices == {"qpu.small": Price(220, 1777, 25_790_000, 168_200_000)}


def test_whole_numbers_are_amounts_too() -> None:
    book = read_price_book(SMALL.replace("25.79", "25"), ["qpu.small"])

    assert book.prices["qpu.small"].job_cost_minimum == 25 * MICROS


def test_a_free_backend_says_so() -> None:
    book = read_price_book('currency = "credit"\nbackends.simulator.free = true', ["simulator"])

    assert book.prices == {"simulator": FREE}
    assert estimate(book, "simulator", gate_counts=(9, 9), shots=9).total_micros == 0
    assert book.currency == "credit"


def test_another_text_is_another_book_and_the_same_text_the_same() -> None:
    def book_id(text: str) -> str:
        book: PriceBook = read_price_book(text, ["qpu.small"])
        return book.id

    assert str(UUID(BOOK.id)) == BOOK.id == book_id(SMALL)
    assert BOOK.id != book_id(SMALL.replace("25.79", "25.80"))


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


LIMITS = "; allowed are 0 to 1000000, with 6 decimals at most"
ROW = 'prices: backends."qpu.small"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("currency", "prices: not TOML: Expected '=' after a key"),
        ("", "prices: 'currency' is missing"),
        ('currency = "usd"', "prices: 'backends' is missing"),
        (SMALL + "[more]", "prices: 'more' is not one of: currency, backends"),
        (changed('"usd"', "3"), "prices: currency: 3; allowed are small letters, such as 'usd'"),
        (changed("usd", "USD"), "prices: currency: 'USD'; allowed are small letters"),
        ('currency = "usd"\nbackends = 1', "prices: backends: 1 is not a table"),
        (changed("qpu.small", "qpu.smal"), "prices: backends: 'qpu.smal' is not one of: qpu.small"),
        ('currency = "usd"\n[backends]', "prices: backends: 'qpu.small' is missing"),
        ('currency = "usd"\nbackends."qpu.small" = 2', f"{ROW}: 2 is not a table"),
        (changed("cost_1q_gate", "cost_3q_gate"), f"{ROW}: 'cost_3q_gate' is not one of: cost_1q"),
        (changed("cost_1q_gate = 0.00022\n", ""), f"{ROW}: 'cost_1q_gate' is missing"),
        (changed("0.00022", "-0.1"), f"{ROW}.cost_1q_gate: -0.1{LIMITS}"),
        (changed("0.00022", "0.0000001"), f"{ROW}.cost_1q_gate: 1E-7{LIMITS}"),
        (changed("0.00022", "1000001"), f"{ROW}.cost_1q_gate: 1000001{LIMITS}"),
        (changed("0.00022", "nan"), f"{ROW}.cost_1q_gate: NaN{LIMITS}"),
        (changed("0.00022", "inf"), f"{ROW}.cost_1q_gate: Infinity{LIMITS}"),
        (changed("0.00022", "1e99999"), f"{ROW}.cost_1q_gate: 1E+99999{LIMITS}"),
        (changed("0.00022", "true"), f"{ROW}.cost_1q_gate: True{LIMITS}"),
        (changed("0.00022", '"0.1"'), f"{ROW}.cost_1q_gate: '0.1'{LIMITS}"),
        (SMALL + "free = true", f"{ROW}.free: allowed is true, without other keys"),
        ('currency = "usd"\nbackends."qpu.small".free = false', f"{ROW}.free: allowed is true"),
    ],
)
def test_a_book_that_cannot_be_is_refused_by_the_name_of_the_key(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_price_book(text, ["qpu.small"])

    assert str(caught.value).startswith(message)
