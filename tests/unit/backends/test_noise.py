from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.builders import PAULIS

from ionbox.backends.noise import (
    NOISE_MODELS,
    NoiseModel,
    channels,
    error_probability,
    rate_of_fidelity,
)
from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.unitaries import Matrix

MODEL = NoiseModel("model", 25, 0.01, 0.1, "this test")

every_model = pytest.mark.parametrize("model", NOISE_MODELS.values(), ids=NOISE_MODELS)


def operation(
    name: str,
    num_targets: int,
    num_controls: int = 0,
    *,
    terms: tuple[str, ...] = (),
    gateset: str = "qis",
) -> Operation:
    qubits = tuple(range(num_targets + num_controls))
    return Operation(
        GATE_BY_NAME[gateset, name], qubits[:num_targets], qubits[num_targets:], (), terms
    )


def kraus_operators(rate: float, num_qubits: int) -> list[Matrix]:
    """IonQ's, as published: sqrt(1 - 3r/4) I, sqrt(r/4) P; with 15/16 and 16 on two qubits."""
    states = 4**num_qubits
    operators = []
    for place, letters in enumerate(product(PAULIS, repeat=num_qubits)):
        weight = rate / states if place else 1 - rate * (states - 1) / states
        word = letters[0] if num_qubits == 1 else np.kron(letters[0], letters[1])
        operators.append((np.sqrt(weight) * word).astype(np.complex128))
    return operators


@every_model
def test_a_row_is_under_its_own_name_and_says_where_it_is_from(model: NoiseModel) -> None:
    assert NOISE_MODELS[model.name] is model
    assert model.source
    assert 1 <= model.num_qubits <= 29
    assert 0 < model.r1q < model.r2q < 1


@every_model
@pytest.mark.parametrize("num_qubits", [1, 2])
def test_the_kraus_operators_make_an_error_as_probable_as_the_engines_do(
    model: NoiseModel, num_qubits: int
) -> None:
    rate = model.r1q if num_qubits == 1 else model.r2q
    operators = kraus_operators(rate, num_qubits)
    size = 2**num_qubits

    whole = sum((operator.conj().T @ operator for operator in operators), np.zeros((size, size)))
    no_error = abs(np.trace(operators[0]) / size) ** 2

    assert np.allclose(whole, np.eye(size))
    assert error_probability(rate, num_qubits) == pytest.approx(1 - no_error)


@pytest.mark.parametrize("num_qubits", [1, 2])
def test_the_rate_is_the_weight_of_the_fully_mixed_state(num_qubits: int) -> None:
    size = 2**num_qubits
    rng = np.random.default_rng(7)
    vector = rng.normal(size=size) + 1j * rng.normal(size=size)
    before = np.outer(vector, vector.conj()) / np.vdot(vector, vector)

    operators = kraus_operators(0.3, num_qubits)
    after = sum((k @ before @ k.conj().T for k in operators), np.zeros((size, size)))

    assert np.allclose(after, 0.7 * before + 0.3 * np.eye(size) / size)


@pytest.mark.parametrize(
    ("name", "num_qubits", "r1q", "r2q"),
    [
        ("harmony", 11, 0.00506667, 0.052),
        ("harmony-1", 11, 0.00506667, 0.052),
        ("harmony-2", 11, 0.00506667, 0.052),
        ("aria-1", 25, 0.0005, 0.0133),
        ("aria-2", 25, 0.000657333, 0.01856),
        ("forte-1", 29, 0.000266667, 0.00494933),
        ("forte-enterprise-1", 29, 0.000266667, 0.0064),
    ],
)
def test_rates_are_the_published_ones_or_follow_from_fidelities(
    name: str, num_qubits: int, r1q: float, r2q: float
) -> None:
    model = NOISE_MODELS[name]

    assert model.num_qubits == num_qubits
    assert (model.r1q, model.r2q) == pytest.approx((r1q, r2q), rel=3e-6)


def test_the_rate_of_two_qubits_gives_back_the_average_fidelity() -> None:
    rate = rate_of_fidelity(0.9)
    entanglement_fidelity = 1 - error_probability(rate, 2)

    assert (4 * entanglement_fidelity + 1) / 5 == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("applied", "rates"),
    [
        (operation("h", 1), [0.01]),
        (operation("rz", 1), [0.01]),
        (operation("cnot", 1, 1), [0.1]),
        (operation("swap", 2), [0.1]),
        (operation("zz", 2, gateset="native"), [0.1]),
        (operation("x", 1, 2), [1 - 0.9**6]),
        (operation("x", 1, 3), [1 - 0.9**12]),
        (operation("pauliexp", 3, terms=("XYZ", "IZZ")), [1 - 0.9**6]),
        # With controls, as the same unitary written as a gate: a rotation that takes them.
        (operation("pauliexp", 1, 2, terms=("X",)), [1 - 0.9**6]),
        (operation("pauliexp", 2, 3, terms=("XX",)), [1 - 0.9**14]),
        (operation("pauliexp", 2, terms=("XY",)), [0.1]),
        (operation("pauliexp", 1, terms=("X",)), [0.01]),
        (operation("pauliexp", 2, terms=("II",)), []),
        (operation("pauliexp", 1, terms=("I",)), []),
        (operation("nop", 1, gateset="native"), []),
    ],
    ids=lambda value: value.gate.name if isinstance(value, Operation) else "",
)
def test_channels_follow_operations(applied: Operation, rates: list[float]) -> None:
    found = list(channels(MODEL, applied))

    assert [qubits for qubits, _ in found] == [(*applied.targets, *applied.controls)] * len(rates)
    assert [rate for _, rate in found] == pytest.approx(rates)


def test_a_wide_pauliexp_of_single_letters_has_a_channel_on_each_qubit_that_it_turns() -> None:
    found = list(channels(MODEL, operation("pauliexp", 3, terms=("IIX", "ZII"))))

    assert found == [((0,), 0.01), ((2,), 0.01)]
