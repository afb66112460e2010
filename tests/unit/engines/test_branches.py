from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from tests.builders import peak_bytes

from ionbox.backends.noise import NOISE_MODELS
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.circuits.program import (
    OUTPUT_ALL,
    Assign,
    Bits,
    Constant,
    Expression,
    Program,
    ProgramBuilder,
    program_of,
)
from ionbox.engines.branches import MOST_BRANCHES
from ionbox.engines.engine import Estimate, Refusal, Workload
from ionbox.engines.planner import engine_named
from ionbox.engines.trajectories import TrajectoryEngine
from ionbox.formats.results import Exact, Probabilities

ENGINE = engine_named("branches")


def add(builder: ProgramBuilder, name: str, *qubits: int, params: tuple[float, ...] = ()) -> None:
    *controls, target = qubits
    builder.add_operation(ROW_BY_NAME["qis", name], (target,), controls, params)


def make_workload(program: Program) -> Workload:
    return Workload(program, shots=20_000, seed=7)


def registers_of(workload: Workload) -> dict[str, dict[int, float]]:
    estimate = ENGINE.assess(workload)
    assert isinstance(estimate, Estimate), estimate
    assert estimate.is_exact
    outcome = ENGINE.run(workload)
    assert outcome.warnings == ()
    assert isinstance(outcome.result, Exact)
    return {name: listed(read) for name, read in outcome.result.registers.items()}


def listed(read: Probabilities) -> dict[int, float]:
    states = np.arange(read.values.size) if read.basis_states is None else read.basis_states
    pairs = zip(states.tolist(), read.values.tolist(), strict=True)
    return {state: value for state, value in pairs if value}


def is_one(bit: int) -> Expression:
    return Expression("==", (Bits((bit,)), Constant(1)))


def only_if(builder: ProgramBuilder, bit: int, name: str, qubit: int) -> None:
    past = builder.jump(is_one(bit))
    add(builder, name, qubit, params=(np.pi,) if name == "z" else ())
    builder.land(past)


def teleportation(rotation: float) -> Program:
    builder = ProgramBuilder(3, "qis")
    bits = builder.add_register("bits", 2).start
    out = builder.add_register("out", 1).start
    add(builder, "ry", 0, params=(rotation,))
    add(builder, "h", 1)
    add(builder, "cnot", 1, 2)
    add(builder, "cnot", 0, 1)
    add(builder, "h", 0)
    builder.measure(0, bits)
    builder.measure(1, bits + 1)
    only_if(builder, bits + 1, "x", 2)
    only_if(builder, bits, "z", 2)
    builder.measure(2, out)
    return builder.build()


def reset_of_half_a_pair() -> Program:
    builder = ProgramBuilder(2, "qis")
    add(builder, "h", 0)
    add(builder, "cnot", 0, 1)
    builder.reset(0)
    add(builder, "h", 1)
    return builder.build()


def tosses(num_tosses: int, num_bits: int = 1) -> Program:
    builder = ProgramBuilder(2, "qis")
    register = builder.add_register("c", num_bits)
    for toss in range(num_tosses):
        add(builder, "h", 0)
        builder.measure(0, register.start + toss % num_bits)
    add(builder, "cnot", 0, 1)
    return builder.build()


def counted_loop(times: int) -> Program:
    """Turn a qubit so many times in a loop, and measure another one in each round."""
    builder = ProgramBuilder(2, "qis")
    count = tuple(range(builder.add_register("count", 4).size))
    toss = builder.add_register("toss", 1).start
    again = builder.here()
    add(builder, "ry", 0, params=(0.3,))
    add(builder, "h", 1)
    builder.measure(1, toss)
    builder.assign(count, Expression("+", (Bits(count), Constant(1))))
    done = builder.jump(Expression("<", (Bits(count), Constant(times))))
    builder.jump_to(again)
    builder.land(done)
    builder.reset(1)
    return builder.build()


def endless(*, with_measurement: bool) -> Program:
    builder = ProgramBuilder(1, "qis")
    bit = builder.add_register("c", 1).start
    again = builder.here()
    if with_measurement:
        add(builder, "h", 0)
        builder.measure(0, bit)
    builder.jump_to(again)
    return builder.build()


@pytest.mark.parametrize("rotation", [0.0, 0.7, 2.1, np.pi])
def test_teleportation_is_exact(rotation: float) -> None:
    found = registers_of(make_workload(teleportation(rotation)))

    one = np.sin(rotation / 2) ** 2
    expected = {key: value for key, value in {0: 1 - one, 1: one}.items() if value > 1e-20}
    assert found["out"] == pytest.approx(expected, abs=1e-14)
    assert found["bits"] == pytest.approx(dict.fromkeys(range(4), 0.25), abs=1e-14)


def test_the_reset_of_half_a_pair_leaves_the_other_half_fully_mixed() -> None:
    found = registers_of(make_workload(reset_of_half_a_pair()))

    assert found == {OUTPUT_ALL: {0b00: 0.5, 0b10: 0.5}}


def test_bits_read_midway_agree_with_the_qubits_they_were_read_from() -> None:
    found = registers_of(make_workload(tosses(3)))

    assert found == {"output_all": {0b00: 0.5, 0b11: 0.5}, "c": {0: 0.5, 1: 0.5}}


def test_measuring_without_a_bit_only_destroys_the_superposition() -> None:
    builder = ProgramBuilder(1, "qis")
    add(builder, "h", 0)
    builder.measure(0, None)
    add(builder, "h", 0)

    assert registers_of(make_workload(builder.build())) == {OUTPUT_ALL: {0: 0.5, 1: 0.5}}


def test_a_loop_that_counts_is_followed_exactly() -> None:
    found = registers_of(make_workload(counted_loop(5)))

    one = np.sin(5 * 0.15) ** 2
    assert found[OUTPUT_ALL] == pytest.approx({0: 1 - one, 1: one}, abs=1e-14)
    assert found["count"] == pytest.approx({5: 1.0})
    assert found["toss"] == pytest.approx({0: 0.5, 1: 0.5})


def test_bits_that_are_assigned_and_measured_at_the_end_stand_in_one_register() -> None:
    builder = ProgramBuilder(2, "qis")
    builder.add_register("c", 4)
    add(builder, "h", 1)
    builder.assign((3, 0), Constant(0b01))
    builder.measure(1, 2)

    assert registers_of(make_workload(builder.build()))["c"] == {0b1000: 0.5, 0b1100: 0.5}


@pytest.mark.parametrize(
    "program",
    [teleportation(0.7), reset_of_half_a_pair(), counted_loop(4), tosses(8, 3)],
    ids=["teleportation", "reset", "loop", "tosses"],
)
def test_trajectories_agree_with_branches(program: Program) -> None:
    workload = make_workload(program)

    sampled = TrajectoryEngine().run(workload).result

    assert isinstance(sampled, Exact)
    for name, exact in registers_of(workload).items():
        counts = listed(sampled.registers[name])
        assert set(counts) <= set(exact)
        for state, probability in exact.items():
            bound = 5 * np.sqrt(probability * (1 - probability) / workload.shots) + 1e-12
            assert abs(counts.get(state, 0.0) - probability) <= bound


def test_the_digits_are_those_of_the_precision() -> None:
    workload = make_workload(teleportation(0.7))

    for precision, digits in (("float64", 15), ("float32", 7)):
        result = ENGINE.run(replace(workload, precision=precision)).result

        assert isinstance(result, Exact)
        assert {read.significant_digits for read in result.registers.values()} == {digits}
        assert listed(result.registers["out"])[1] == pytest.approx(np.sin(0.35) ** 2, rel=1e-6)


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (make_workload(tosses(13)), f"more than {MOST_BRANCHES} branches, or a loop of unknown"),
        (make_workload(endless(with_measurement=True)), f"more than {MOST_BRANCHES} branches"),
        (make_workload(endless(with_measurement=False)), "a loop did not end after 100000 jumps"),
        (replace(make_workload(tosses(2)), max_outcomes=3), "more than 3 possible outcomes"),
        (replace(make_workload(tosses(2)), noise=NOISE_MODELS["aria-1"]), "branches are for ideal"),
        (make_workload(program_of(Circuit.from_operations(1, "qis", []))), "branches are for"),
    ],
    ids=["many", "endless", "endless without a qubit", "outcomes", "noisy", "one circuit"],
)
def test_what_cannot_be_listed_is_left_to_others(workload: Workload, reason: str) -> None:
    answer = ENGINE.assess(workload)

    assert isinstance(answer, Refusal)
    assert answer.is_moot
    assert answer.reason.startswith(reason)


def test_4096_branches_are_followed() -> None:
    found = registers_of(make_workload(tosses(12, 12)))

    assert found["c"] == pytest.approx(dict.fromkeys(range(4096), 1 / 4096))


def test_assignments_alone_make_one_branch() -> None:
    builder = ProgramBuilder(1, "qis")
    bit = builder.add_register("c", 1).start
    builder.assign((bit,), Constant(1))
    program = builder.build()

    assert any(isinstance(step, Assign) for step in program.steps)
    assert registers_of(make_workload(program)) == {OUTPUT_ALL: {0: 1.0}, "c": {1: 1.0}}


def wide(num_qubits: int) -> Program:
    builder = ProgramBuilder(num_qubits, "qis")
    register = builder.add_register("c", 4)
    for bit in range(register.size):
        for qubit in range(num_qubits):
            add(builder, "ry", qubit, params=(0.4,))
        builder.measure(bit, bit)
    add(builder, "h", 0)
    return builder.build()


def test_a_run_takes_the_memory_that_the_estimate_says() -> None:
    workload = make_workload(wide(16))
    estimate = ENGINE.assess(workload)
    peak = peak_bytes(lambda: ENGINE.run(workload))

    assert isinstance(estimate, Estimate)
    assert 0.3 * estimate.memory_bytes - 2**20 <= peak <= estimate.memory_bytes + 2**20
