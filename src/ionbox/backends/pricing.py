"""What a job costs: a book of prices, and the formula.

Money is counted in whole millionths of the currency ("micros"). Every number of a book is a whole
number of them, so that products and sums are exact: nothing is rounded, a database adds and
compares plain integers, and many jobs at once cannot overrun a budget by a rounding error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np

from ionbox.backends.decomposition import gates_of_terms
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.errors import SettingsError

MICROS: Final = 1_000_000
# Of the currency: a larger number in a book is a slip.
MAX_AMOUNT: Final = 1_000_000

# Any constant will do, as long as it stays.
_NAMESPACE: Final = UUID("0d6c2b34-83a5-5e47-8a59-4c1f7d1e2a60")
_CURRENCY: Final = re.compile("[a-z]+")
_NOP: Final = ROW_BY_NAME["native", "nop"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a backend costs, in millionths of the currency.

    Args:
        cost_1q_gate: For each operation on one qubit, in each shot.
        cost_2q_gate: For each operation on two, in each shot.
        job_cost_minimum: The least that a job costs.
        job_cost_minimum_error_mitigation: The same, with error mitigation.
    """

    cost_1q_gate: int = 0
    cost_2q_gate: int = 0
    job_cost_minimum: int = 0
    job_cost_minimum_error_mitigation: int = 0

    @property
    def is_free(self) -> bool:
        """Whether no job costs anything."""
        return self == FREE


FREE: Final = Price()
_KEYS: Final = tuple(field.name for field in fields(Price))


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices of all backends; made by `read_price_book`.

    Args:
        id: A UUID that follows from the text of the book: another text is another book.
        currency: As on the wire, such as `usd` or `credit`.
        prices: Backend → price.
    """

    id: str
    currency: str
    prices: Mapping[str, Price]

    def price(self, backend: str) -> Price:
        """Return what a backend costs; those that an operator has loaded are free."""
        return self.prices.get(backend, FREE)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job costs, and how that follows.

    Args:
        total_micros: In millionths of the currency.
        currency: Of all amounts.
        price: What it was computed with.
        minimum_micros: The minimum that held, in millionths of the currency.
    """

    total_micros: int
    currency: str
    price: Price
    minimum_micros: int


def estimate(
    book: PriceBook,
    backend: str,
    *,
    gate_counts: tuple[int, int],
    shots: int,
    error_mitigation: bool = False,
) -> Estimate:
    """Return what a job costs: its gates times its shots, but at least the minimum.

    total = max(minimum, shots (N1 cost_1q_gate + N2 cost_2q_gate))

    One published price list adds the minimum to the gates instead. Live estimates are in
    proportion to the shots (5,000 cost 284.32 and 10,000 cost 568.64), which a sum cannot be.

    Args:
        backend: One of the book.
        gate_counts: N1 and N2, as `billed_gate_counts` returns them.
        error_mitigation: It raises the minimum, and nothing else.
    """
    price = book.price(backend)
    minimum = (
        price.job_cost_minimum_error_mitigation if error_mitigation else price.job_cost_minimum
    )
    num_1q, num_2q = gate_counts
    gates = shots * (num_1q * price.cost_1q_gate + num_2q * price.cost_2q_gate)
    return Estimate(max(minimum, gates), book.currency, price, minimum)


def to_amount(micros: int) -> float:
    """Return an amount as a JSON number, which shows it exactly below 4 billion.

    >>> to_amount(284_320_000), to_amount(975)
    (284.32, 0.000975)
    """
    return micros / MICROS


def to_micros(amount: float) -> int:
    """Return the whole number of millionths nearest to a JSON number, such as a cost limit.

    >>> to_micros(284.32)
    284320000
    """
    return round(amount * MICROS)


# --- what is billed --------------------------------------------------------------------------


def billed_gate_counts(circuit: Circuit) -> tuple[int, int]:
    """Return how many operations on one qubit and on two are billed.

    An operation on one qubit, or on two, is one of its kind; one on N > 2 qubits is 6 (N - 2) on
    two; a pauliexp on more than two is, for each term, a ladder of 2 (weight - 1) around a
    rotation that takes the controls, if there are any. nop is free.
    """
    widths = np.where(circuit.gates == _NOP, 0, np.diff(circuit.qubit_starts))
    is_wide, has_terms = widths > 2, np.diff(circuit.pauli_starts) > 0
    num_1q, num_2q = np.count_nonzero(widths == 1), np.count_nonzero(widths == 2)
    by_width = 6 * np.sum(widths[is_wide & ~has_terms] - 2)
    by_terms = sum(_by_terms(circuit, row) for row in np.flatnonzero(is_wide & has_terms).tolist())
    return int(num_1q), int(num_2q + by_width) + by_terms


def _by_terms(circuit: Circuit, row: int) -> int:
    """Return the operations on two qubits that a pauliexp on more than two is billed as."""
    first, last = circuit.pauli_starts[row : row + 2]
    num_targets = int(circuit.num_targets[row])
    num_qubits = int(circuit.qubit_starts[row + 1] - circuit.qubit_starts[row])
    letters = circuit.paulis[first:last].reshape(-1, num_targets)
    weights: list[int] = np.count_nonzero(letters, axis=1).tolist()
    return gates_of_terms(weights, num_qubits - num_targets)


# --- the file --------------------------------------------------------------------------------


def read_price_book(text: str, backends: Iterable[str]) -> PriceBook:
    """Read a book of prices from TOML.

    Args:
        backends: The names that must have a price, and the only ones that may.

    Raises:
        SettingsError: If the text is not TOML, or a key cannot be; it names the key.
    """
    try:
        # As Decimal, so that a price is exactly what was written.
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise _refusal("", f"not TOML: {error}") from error
    _check_keys(table, "", ("currency", "backends"))
    currency, rows = table["currency"], _table(table["backends"], "backends")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise _refusal("currency", f"{currency!r}; allowed are small letters, such as 'usd'")
    _check_keys(rows, "backends", tuple(backends))
    prices = {name: _price(row, f'backends."{name}"') for name, row in rows.items()}
    return PriceBook(str(uuid5(_NAMESPACE, text)), currency, MappingProxyType(prices))


def _price(value: object, path: str) -> Price:
    row = _table(value, path)
    if "free" in row:
        if row["free"] is not True or len(row) > 1:
            raise _refusal(f"{path}.free", "allowed is true, without other keys")
        return FREE
    _check_keys(row, path, _KEYS)
    return Price(**{key: _micros(number, f"{path}.{key}") for key, number in row.items()})


def _micros(number: object, path: str) -> int:
    if isinstance(number, int | Decimal) and not isinstance(number, bool):
        exact = Decimal(number)
        if exact.is_finite() and 0 <= exact <= MAX_AMOUNT and exact * MICROS % 1 == 0:
            return int(exact * MICROS)
    shown = number if isinstance(number, Decimal) else repr(number)
    raise _refusal(path, f"{shown}; allowed are 0 to {MAX_AMOUNT}, with 6 decimals at most")


def _table(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refusal(path, f"{value!r} is not a table")
    return value


def _check_keys(table: Mapping[str, object], path: str, allowed: tuple[str, ...]) -> None:
    """Refuse keys that are not allowed, and that one is missing."""
    for key in table:
        if key not in allowed:
            raise _refusal(path, f"'{key}' is not one of: {', '.join(allowed)}")
    for key in allowed:
        if key not in table:
            raise _refusal(path, f"'{key}' is missing")


def _refusal(path: str, message: str) -> SettingsError:
    return SettingsError(f"prices: {path}: {message}" if path else f"prices: {message}")
