from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from tests.builders import PAULIS, peak_bytes, qis

from ionbox._kernel import kernel
from ionbox.backends.noise import Channel, Flips, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.circuits.oracle import unitary
from ionbox.circuits.program import (
    Assign,
    Bits,
    Constant,
    Expression,
    Jump,
    Measure,
    Program,
    ProgramBuilder,
    Reset,
    Step,
    evaluate,
    program_of,
)
from ionbox.engines.apparatus import Apparatus
from ionbox.engines.engine import Workload
from ionbox.engines.histories import Histories, Record
from ionbox.engines.streams import Streams
from ionbox.errors import InvalidCircuitError

LOUD = NoiseModel("loud", 25, 0.05, 0.2, "this test")
SEED, SHOTS = 7, 300


def entangling(num_qubits: int, layers: int) -> Circuit:
    operations = []
    for layer in range(layers):
        operations += [qis("ry", (qubit,), 0.3 + qubit + layer) for qubit in range(num_qubits)]
        operations += [
            qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)
        ]
    return Circuit.from_operations(num_qubits, "qis", operations)


def add(builder: ProgramBuilder, name: str, *qubits: int, params: tuple[float, ...] = ()) -> None:
    *controls, target = qubits
    builder.add_operation(ROW_BY_NAME["qis", name], (target,), controls, params)


def measured_midway() -> Program:
    builder = ProgramBuilder(3, "qis")
    bits = builder.add_register("c", 3)
    add(builder, "ry", 0, params=(1.1,))
    add(builder, "cnot", 0, 1)
    builder.measure(0, bits.start)
    add(builder, "ry", 0, params=(0.7,))
    add(builder, "cnot", 1, 2)
    builder.reset(1)
    add(builder, "h", 2)
    builder.measure(2, bits.start + 1)
    add(builder, "cnot", 2, 1)
    builder.measure(1, bits.start + 2)
    return builder.build()


def repeated_until_success() -> Program:
    """Turn and measure qubit 0 until it is 1, counting in four bits; qubit 1 turns along."""
    builder = ProgramBuilder(2, "qis")
    flag = builder.add_register("flag", 1)
    count = tuple(range(1, 1 + builder.add_register("count", 4).size))
    again = builder.here()
    add(builder, "ry", 0, params=(1.4,))
    add(builder, "ry", 1, params=(0.4,))
    add(builder, "cnot", 0, 1)
    builder.measure(0, flag.start)
    builder.assign(count, Expression("+", (Bits(count), Constant(1))))
    done = builder.jump(Expression("==", (Bits((flag.start,)), Constant(0))))
    builder.jump_to(again)
    builder.land(done)
    builder.reset(0)
    return builder.build()


def endless() -> Program:
    builder = ProgramBuilder(1, "qis")
    again = builder.here()
    builder.jump_to(again)
    return builder.build()


PROGRAMS = {
    "one circuit": program_of(entangling(3, 2), {"c": [2, None, 0]}),
    "measured midway": measured_midway(),
    "loop": repeated_until_success(),
}


def make_workload(program: Program, noise: NoiseModel | None, shots: int = SHOTS) -> Workload:
    return Workload(program, shots=shots, seed=SEED, noise=noise)


def run(workload: Workload) -> Record:
    return Histories(workload, Streams(workload.seed, workload.shots), Apparatus(kernel)).run()


class OneShot:
    """One shot alone, from the definition, with dense matrices and the shot's own numbers."""

    def __init__(self, workload: Workload, streams: Streams, shot: int) -> None:
        self.workload, self.streams, self.shot = workload, streams, shot
        self.num_qubits = workload.program.num_qubits
        self.vector = np.zeros(2**self.num_qubits, np.complex128)
        self.vector[0] = 1
        self.bits = bytearray(workload.program.num_bits)
        self.event = 0

    def choice(self) -> float:
        self.event += 1
        return float(self.streams.choices(self.event - 1)[self.shot])

    def run(self) -> tuple[int, list[int]]:
        steps, place = self.workload.program.steps, 0
        while not all(isinstance(step, Measure) for step in steps[place:]):
            place = self.step(steps[place], place)
        cdf = np.cumsum(np.abs(self.vector) ** 2)
        state = int(cdf.searchsorted(self.choice() * cdf[-1], side="right"))
        for last in steps[place:]:
            if isinstance(last, Measure) and last.bit is not None:
                self.bits[last.bit] = state >> last.qubit & 1
        return state, list(self.bits)

    def step(self, step: Step, place: int) -> int:
        match step:
            case Circuit():
                self.run_circuit(step)
            case Measure():
                outcome = self.measure(step.qubit)
                if step.bit is not None:
                    self.bits[step.bit] = outcome
            case Reset():
                self.apply_pauli(self.measure(step.qubit), step.qubit)  # X is letter 1
            case Assign():
                value = evaluate(step.value, self.bits)
                for k, bit in enumerate(step.bits):
                    self.bits[bit] = value >> k & 1
            case Jump():
                if step.unless is None or not evaluate(step.unless, self.bits):
                    return step.to
        return place + 1

    def run_circuit(self, circuit: Circuit) -> None:
        around = noisy_circuit(self.workload.noise, circuit).channels if self.workload.noise else []
        for place, operation in enumerate(circuit.operations(), 1):
            alone = Circuit.from_operations(self.num_qubits, "qis", [operation])
            self.vector = unitary(alone) @ self.vector
            for channel in around:
                if channel.after == place:
                    self.err(channel)

    def err(self, channel: Channel) -> None:
        if self.choice() < channel.probability:
            pauli = int(self.streams.paulis(self.event - 1, channel)[self.shot])
            for place, qubit in enumerate(channel.qubits):
                self.apply_pauli(pauli >> 2 * place & 3, qubit)

    def apply_pauli(self, letter: int, qubit: int) -> None:
        axes = self.vector.reshape(-1, 2, 2**qubit)
        self.vector = np.einsum("ab,xby->xay", PAULIS[letter], axes).reshape(-1)

    def measure(self, qubit: int) -> int:
        ones = np.arange(self.vector.size) >> qubit & 1
        weights = np.abs(self.vector) ** 2
        outcome = int(self.choice() < (weights * ones).sum())
        self.vector = self.vector * (ones == outcome)
        self.vector /= np.linalg.norm(self.vector)
        return outcome


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("noise", [LOUD, None], ids=["noisy", "ideal"])
def test_shots_in_groups_are_the_shots_one_by_one(
    program: Program, noise: NoiseModel | None
) -> None:
    workload = make_workload(program, noise)

    record = run(workload)

    streams = Streams(SEED, SHOTS)
    alone = [OneShot(workload, streams, shot).run() for shot in range(SHOTS)]
    assert record.basis_states.tolist() == [state for state, _ in alone]
    assert record.bits.tolist() == [bits for _, bits in alone]
    assert len(set(record.basis_states.tolist())) > 1


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_first_shots_do_not_depend_on_how_many_follow(program: Program) -> None:
    few, many = (run(make_workload(program, LOUD, shots)) for shots in (50, 1000))

    assert np.array_equal(few.basis_states, many.basis_states[:50])
    assert np.array_equal(few.bits, many.bits[:50])


def test_the_same_seed_gives_the_same_shots_and_another_seed_others() -> None:
    workload = make_workload(PROGRAMS["one circuit"], LOUD)

    one, two, other = (run(replace(workload, seed=seed)) for seed in (7, 7, 8))

    assert np.array_equal(one.basis_states, two.basis_states)
    assert not np.array_equal(one.basis_states, other.basis_states)


def test_a_measurement_that_nobody_reads_leaves_the_qubit_as_it_was_found() -> None:
    builder = ProgramBuilder(1, "qis")
    add(builder, "h", 0)
    builder.measure(0, None)
    add(builder, "x", 0)

    ones = int(run(make_workload(builder.build(), None, 1000)).basis_states.sum())

    assert abs(ones - 500) < 5 * 16  # sigma = sqrt(1000 / 4)


def test_what_follows_a_measurement_sees_it_as_it_was_misread() -> None:
    """A qubit in |1> is noted as 0 in 3 of 10 shots, and flipped where it is noted as 1."""
    builder = ProgramBuilder(1, "qis")
    bit = builder.add_register("c", 1).start
    add(builder, "x", 0)
    builder.measure(0, bit)
    skipped = builder.jump(Bits((bit,)))
    add(builder, "x", 0)
    builder.land(skipped)
    program, shots = builder.build(), 4000
    noise = NoiseModel("reading", 1, 0.0, 0.0, qubit_flips={0: Flips(0.0, 0.3)})

    record = run(make_workload(program, noise, shots))

    is_noted, is_one = record.bits[:, 0] == 1, record.basis_states == 1
    sigma = 0.5 / np.sqrt(shots)
    assert abs(np.mean(is_noted) - 0.7) < 5 * sigma
    assert not np.any(is_noted & is_one)
    assert abs(np.mean(is_one) - 0.3 * 0.7) < 5 * sigma  # the end is misread by itself


def test_a_loop_is_left_at_once_by_the_shots_that_succeed_and_counted_by_all() -> None:
    shots = 4000
    record = run(make_workload(repeated_until_success(), None, shots))

    counts = record.bits[:, 1:] @ (1 << np.arange(4))
    first = np.sin(0.7) ** 2  # the probability of 1 after ry(1.4)
    assert np.all(record.bits[:, 0] == 1)
    assert np.all(record.basis_states % 2 == 0)
    assert abs(np.mean(counts == 1) - first) < 5 * np.sqrt(first * (1 - first) / shots)


def test_a_loop_that_does_not_end_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidCircuitError, match="input: a loop did not end after 100000 jumps"):
        run(make_workload(endless(), None))


@pytest.mark.parametrize("shots", [1, 64, 500])
def test_no_more_vectors_live_than_the_logarithm_of_the_shots(shots: int) -> None:
    num_qubits = 11
    noise = NoiseModel("chaos", 25, 0.9, 0.9, "this test")
    workload = make_workload(program_of(entangling(num_qubits, 1)), noise, shots)
    vector_bytes = 16 << num_qubits
    histories = Histories(workload, Streams(SEED, shots), Apparatus(kernel))
    peak = peak_bytes(histories.run)

    streams = 8 * shots * len(noisy_circuit(noise, entangling(num_qubits, 1)).channels)
    assert peak < (np.log2(shots) + 3) * vector_bytes + 3 * streams + 2**18
