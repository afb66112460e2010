from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
import pytest
from msgspec.structs import replace
from tests.builders import PAULIS, qis

from ionbox.backends.idling import Idling, Waits
from ionbox.backends.noise import Channel, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.unitaries import Matrix
from ionbox.errors import SettingsError

IDLING = Idling(t1=10.0, t2=4.0, gate_1q=1.0, gate_2q=3.0)
SILENT = NoiseModel("silent", 25, 0.0, 0.0, "this test")

Waited = list[tuple[int, tuple[float, float, float]]]


def waits_of(idling: Idling, num_qubits: int, operations: Sequence[Operation]) -> list[Waited]:
    """Return what happens before each operation, and at the end."""
    waits = Waits(idling, num_qubits)
    return [*(waits.before(operation) for operation in operations), waits.at_the_end()]


def for_seconds(idling: Idling, **seconds: float) -> Waited:
    return [(int(name[1:]), idling.errors(time)) for name, time in seconds.items()]


def h(qubit: int) -> Operation:
    return qis("h", (qubit,))


def cnot(control: int, target: int) -> Operation:
    return qis("cnot", (target,), controls=(control,))


# ---- physics ----


@pytest.mark.parametrize("seconds", [1e-9, 0.3, 4.0, 1000.0])
def test_what_is_left_of_energy_and_phase_decays_as_t1_and_t2_say(seconds: float) -> None:
    """What a Pauli channel leaves of <Z> is 1 - 2 (x + y), of <X> 1 - 2 (y + z)."""
    x, y, z = IDLING.errors(seconds)

    assert 1 - 2 * (x + y) == pytest.approx(exp(-seconds / 10), abs=1e-12)
    assert 1 - 2 * (y + z) == pytest.approx(exp(-seconds / 4), abs=1e-12)
    assert 1 - 2 * (x + z) == pytest.approx(exp(-seconds / 4), abs=1e-12)
    assert min(x, y, z) >= 0
    assert x + y + z <= 0.75


def test_two_waits_are_one_as_long_as_both() -> None:
    def left(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        x, y, z = IDLING.errors(seconds)
        return np.array([1 - 2 * (y + z), 1 - 2 * (x + z), 1 - 2 * (x + y)])

    assert np.allclose(left(0.7) * left(1.6), left(2.3), rtol=0, atol=1e-14)


@pytest.mark.parametrize("t2", [20.0, 19.999])
def test_the_longest_phase_that_energy_allows_has_no_errors_below_zero(t2: float) -> None:
    idling = replace(IDLING, t2=t2)

    for seconds in (1e-12, 1e-6, 1e-3, 0.1, 1.0, 30.0, 1e4):
        assert min(idling.errors(seconds)) >= 0


def test_a_phase_that_outlives_what_energy_allows_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"t2: 20\.1 s; at most twice t1, which is 10 s"):
        Idling(t1=10.0, t2=20.1, gate_1q=1.0, gate_2q=1.0)


# ---- time ----


def test_one_operation_after_another_lets_all_other_qubits_wait() -> None:
    found = waits_of(IDLING, 2, [h(0), h(1), cnot(0, 1)])

    assert found == [
        [],
        for_seconds(IDLING, q1=1.0),
        for_seconds(IDLING, q0=1.0),
        [],
    ]


def test_operations_on_other_qubits_run_at_the_same_time_where_they_may() -> None:
    idling = replace(IDLING, is_parallel=True)

    found = waits_of(idling, 3, [h(0), h(1), cnot(0, 1), h(2)])

    assert found == [[], [], [], [], for_seconds(idling, q2=3.0)]


def test_an_operation_on_two_qubits_waits_for_both() -> None:
    idling = replace(IDLING, is_parallel=True)

    found = waits_of(idling, 2, [h(0), h(0), cnot(0, 1), h(1)])

    assert found == [[], [], for_seconds(idling, q1=2.0), [], for_seconds(idling, q0=1.0)]


@pytest.mark.parametrize("is_parallel", [False, True])
def test_waiting_between_two_gates_is_one_channel(*, is_parallel: bool) -> None:
    idling = replace(IDLING, is_parallel=is_parallel)
    others = [cnot(1, 2), h(1), h(2)]

    found = waits_of(idling, 3, [h(0), *others, cnot(0, 1)])

    waited = [seconds for qubit, seconds in found[4] if qubit == 0]
    # One after another: 3 + 1 + 1; at the same time: until qubit 1 is free, after 3 + 1.
    assert waited == [idling.errors(3.0 if is_parallel else 5.0)]
    assert all(qubit != 0 for step in found[:4] for qubit, _ in step)


def test_a_wide_operation_takes_as_long_as_the_gates_that_it_stands_for() -> None:
    controlled = qis("x", (0,), controls=(1, 2))  # 6 gates
    word = GATE_BY_NAME["qis", "pauliexp"]
    ladder = Operation(word, (0, 1, 2), (), (1.0, 1.0), ("XYZ",))  # 2 (3 - 1)
    letters = Operation(word, (0, 1, 2), (), (1.0, 1.0, 1.0), ("XII", "IIZ"))
    nop = Operation(GATE_BY_NAME["native", "nop"], (0,))

    assert IDLING.duration(controlled) == 18.0
    assert IDLING.duration(ladder) == 12.0
    assert IDLING.duration(letters) == 1.0
    assert IDLING.duration(nop) == 0.0


def test_what_takes_no_time_lets_nobody_wait() -> None:
    idling = replace(IDLING, gate_1q=0.0)

    assert waits_of(idling, 2, [h(0), h(1), h(0)]) == [[], [], [], []]


# ---- in a circuit ----


def test_waiting_stands_before_the_operation_that_ends_it() -> None:
    noise = replace(SILENT, idling=IDLING)
    circuit = Circuit.from_operations(2, "qis", [h(0), cnot(0, 1), h(0)])

    noisy = noisy_circuit(noise, circuit)

    idle = [channel for channel in noisy.channels if channel.shares is not None]
    assert [(channel.after, channel.qubits) for channel in idle] == [(1, (1,)), (3, (1,))]
    for channel in idle:
        assert channel.probability == pytest.approx(sum(IDLING.errors(1.0)))
        assert channel.shares is not None
        assert sum(channel.shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("prepared", "decay"), [([], 10.0), (["x"], 10.0), (["h"], 4.0), (["h", "s"], 4.0)]
)
def test_a_state_that_waits_relaxes_to_the_fully_mixed_one(
    prepared: list[str], decay: float
) -> None:
    """By the Kraus operators: |0> and |1> after exp(-t / T1), |+> and |i> after exp(-t / T2)."""
    noise = replace(SILENT, idling=IDLING)
    operations = [qis(name, (0,)) for name in prepared]
    busy = [h(1)] * 5  # seconds
    circuit = Circuit.from_operations(2, "qis", [*operations, *busy])

    waited = [each for each in noisy_circuit(noise, circuit).channels if each.qubits == (0,)]

    before = np.array([1, 0], np.complex128)
    for operation in operations:
        before = operation.unitary() @ before
    pure = np.outer(before, before.conj())
    expected = exp(-5 / decay) * pure + (1 - exp(-5 / decay)) * np.eye(2) / 2
    assert [channel.after for channel in waited if channel.shares is not None] == [
        circuit.num_operations
    ]
    assert np.allclose(after(pure, waited[-1]), expected, atol=1e-12)


def after(state: Matrix, channel: Channel) -> Matrix:
    assert channel.shares is not None
    total: Matrix = (1 - channel.probability) * state
    for letter, share in zip(PAULIS[1:], channel.shares, strict=True):
        total = total + channel.probability * share * (letter @ state @ letter)
    return total
