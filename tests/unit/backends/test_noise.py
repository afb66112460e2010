from __future__ import annotations

from itertools import product
from math import pi

import numpy as np
import pytest
from msgspec.structs import replace
from tests.builders import PAULIS, qis

from ionbox.backends.noise import (
    NOISE_MODELS,
    Channel,
    Flips,
    NoiseModel,
    channels,
    error_probability,
    noisy_circuit,
    placed,
    rate_of_fidelity,
)
from ionbox.circuits.circuit import Circuit, Operation
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


# ---- models that tell more ----

DETAILED = replace(
    MODEL,
    gates={"h": 0.02, "cnot": 0.2, "x": 0.3},
    qubits={0: 0.03, 3: 0.04},
    pairs={(0, 2): 0.25, (1, 2): 0.35},
    over_rotations={0: 0.1, 3: -0.2},
    pair_over_rotations={(1, 2): 0.05},
    flips=Flips(0.01, 0.02),
    qubit_flips={0: Flips(0.05, 0.06)},
)


@pytest.mark.parametrize(
    ("applied", "rate"),
    [
        (qis("ry", (1,)), 0.01),  # what holds for all
        (qis("h", (1,)), 0.02),  # the gate
        (qis("h", (0,)), 0.03),  # the qubit, before the gate
        (qis("ry", (0,)), 0.03),
        (qis("swap", (0, 1)), 0.1),
        (qis("cnot", (1,), controls=(0,)), 0.2),
        (qis("cnot", (2,), controls=(0,)), 0.25),  # the pair, before the gate
        (qis("cnot", (1,), controls=(2,)), 0.35),  # in either order
        (qis("swap", (2, 0)), 0.25),
        (qis("x", (1,), controls=(0,)), 0.2),  # another name of cnot
        (qis("x", (0,), controls=(1, 2)), 1 - 0.9**6),  # the rate is that of x alone
        (qis("z", (0,), controls=(1, 2)), 1 - 0.9**6),
    ],
    ids=lambda value: value.gate.name if isinstance(value, Operation) else "",
)
def test_what_is_told_of_a_qubit_or_pair_counts_before_what_is_told_of_a_gate(
    applied: Operation, rate: float
) -> None:
    ((qubits, found),) = channels(DETAILED, applied)

    assert qubits == (*applied.targets, *applied.controls)
    assert found == pytest.approx(rate)


def test_a_qubit_that_nothing_is_told_of_is_read_out_as_all_are() -> None:
    assert DETAILED.readout(0) == Flips(0.05, 0.06)
    assert DETAILED.readout(1) == Flips(0.01, 0.02)
    assert DETAILED.has_readout_errors
    assert replace(MODEL, qubit_flips={2: Flips(0.0, 0.1)}).has_readout_errors
    assert not replace(MODEL, qubit_flips={2: Flips()}).has_readout_errors


def test_a_model_is_moved_to_the_qubits_of_a_circuit() -> None:
    found = placed(DETAILED, [2, 0, 5, 1])

    assert found.qubits == {1: 0.03}
    assert found.pairs == {(0, 1): 0.25, (0, 3): 0.35}
    assert found.over_rotations == {1: 0.1}
    assert found.pair_over_rotations == {(0, 3): 0.05}
    assert found.qubit_flips == {1: Flips(0.05, 0.06)}
    assert (found.gates, found.flips, found.r1q) == (DETAILED.gates, DETAILED.flips, 0.01)


def test_a_model_whose_qubits_stay_where_they_are_stays_as_it_is() -> None:
    assert placed(DETAILED, range(25)) == DETAILED


def native(name: str, targets: tuple[int, ...], *params: float) -> Operation:
    return Operation(GATE_BY_NAME["native", name], targets, (), params)


def test_channels_lie_behind_all_that_a_gate_in_truth_is() -> None:
    circuit = Circuit.from_operations(
        4,
        "native",
        [
            native("gpi2", (0,), 0.1),
            native("nop", (3,)),
            native("ms", (2, 1), 0.0, 0.3, 0.25),
            native("gpi", (3,), 0.0),
        ],
    )

    noisy = noisy_circuit(DETAILED, circuit)

    found = [(step.gate.name, step.targets, step.params) for step in noisy.circuit.operations()]
    turns = [(name, targets) for name, targets, _ in found]
    assert turns == [
        *(("rz", (0,)), ("rx", (0,)), ("rz", (0,))),
        *(("rz", (1,)), ("xx", (2, 1)), ("rz", (1,))),
        ("rx", (3,)),
    ]
    assert found[1][2] == pytest.approx((pi / 2 + 0.1,))
    assert found[4][2] == pytest.approx((pi / 2 + 0.05,))
    assert found[6][2] == pytest.approx((pi - 0.2,))
    assert [(channel.after, channel.qubits) for channel in noisy.channels] == [
        (3, (0,)),
        (6, (2, 1)),
        (7, (3,)),
    ]


def test_gates_of_the_gateset_qis_turn_as_far_as_they_say() -> None:
    word = Operation(GATE_BY_NAME["qis", "pauliexp"], (0, 1, 2), (), (0.3, 1.0), ("XYZ",))
    operations = [qis("rx", (0,), 0.3), qis("cnot", (1,), controls=(2,)), word]
    circuit = Circuit.from_operations(3, "qis", operations)

    noisy = noisy_circuit(DETAILED, circuit)

    assert list(noisy.circuit.operations()) == operations
    assert [channel.after for channel in noisy.channels] == [1, 2, 3]


def test_a_channel_carries_the_probability_of_an_error_and_not_the_rate() -> None:
    circuit = Circuit.from_operations(2, "qis", [qis("h", (0,)), qis("swap", (0, 1))])

    first, second = noisy_circuit(MODEL, circuit).channels

    assert first == Channel(1, (0,), first.probability)
    assert first.probability == pytest.approx(0.01 * 3 / 4)
    assert second == Channel(2, (0, 1), second.probability)
    assert second.probability == pytest.approx(0.1 * 15 / 16)
