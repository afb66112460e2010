from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.builders import listed, peak_bytes, qis

from ionbox.backends.noise import NOISE_MODELS, Flips, NoiseModel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, ROW_BY_NAME
from ionbox.circuits.program import OUTPUT_ALL, Program, ProgramBuilder, program_of
from ionbox.engines.branches import BranchEngine
from ionbox.engines.engine import Estimate, Refusal, Workload
from ionbox.engines.planner import plan
from ionbox.engines.stabilizer import StabilizerEngine
from ionbox.engines.trajectories import TrajectoryEngine
from ionbox.formats.results import Exact, Sampled, Shots, integers

pytest.importorskip("stim", reason="there is no wheel of it for this machine")

ENGINE = StabilizerEngine(0)
NOISY = NoiseModel("noisy", 60, 0.08, 0.15, "this test")
GIB = 1 << 30

H, S, X = (ROW_BY_NAME["qis", name] for name in ("h", "s", "x"))
CNOT, SWAP, XX = (ROW_BY_NAME["qis", name] for name in ("cnot", "swap", "xx"))
PAULIEXP = ROW_BY_NAME["qis", "pauliexp"]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw Clifford operations, measurements and resets on three qubits, and three bits."""
    builder = ProgramBuilder(3, "qis")
    builder.add_register("c", 2)
    builder.add_register("d", 1)
    for _ in range(draw(st.integers(0, 14))):
        one, two, three = draw(st.permutations(range(3)))
        match draw(st.integers(0, 8)):
            case 0 | 1:
                builder.add_operation(H, (one,))
            case 2:
                builder.add_operation(S, (one,))
            case 3:
                builder.add_operation(XX, (one, two), (), (pi / 2,))
            case 4 | 5:
                builder.add_operation(CNOT, (one,), (two,))
            case 6:
                word = "".join(draw(st.permutations("XYZ")))
                turns = draw(st.integers(0, 3))
                params = (turns * pi / 4, 1.0)
                builder.add_operation(PAULIEXP, (one, two, three), (), params, (word,))
            case 7:
                builder.measure(one, draw(st.sampled_from([0, 1, 2, None])))
            case 8:
                builder.reset(one)
    return builder.build()


@given(programs())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_programs_that_measure_midway_have_the_probabilities_of_all_branches(
    program: Program,
) -> None:
    assume(program.circuit is None)
    workload = Workload(program, shots=10, seed=7)

    found, expected = (engine.run(workload).result for engine in (ENGINE, BranchEngine()))

    assert isinstance(found, Exact)
    assert isinstance(expected, Exact)
    assert list(found.registers) == [OUTPUT_ALL, "c", "d"]
    for name, register in expected.registers.items():
        assert listed(found.registers[name]) == pytest.approx(listed(register))


def counts(shots: Shots) -> NDArray[np.int64]:
    return np.bincount(integers(shots.rows), minlength=1 << shots.num_bits)


@given(programs())
@settings(derandomize=True, deadline=None, max_examples=12)
def test_noisy_shots_are_distributed_as_those_of_trajectories(program: Program) -> None:
    """Of 8 outcomes, two samples of 5000 are 0.023 apart at most on average, sigma below 0.006."""
    reading = replace(NOISY, flips=Flips(0.05, 0.2))
    workload = Workload(program, shots=5000, seed=7, noise=reading)

    found, expected = (engine.run(workload).result for engine in (ENGINE, TrajectoryEngine()))

    assert isinstance(found, Sampled)
    assert isinstance(expected, Sampled)
    for name, register in expected.registers.items():
        difference = counts(found.registers[name]) - counts(register)
        assert np.abs(difference).sum() / 2 / 5000 < 0.05


def ghz(num_qubits: int) -> Circuit:
    chain = [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)]
    return Circuit.from_operations(num_qubits, "qis", [qis("h", (0,)), *chain])


def noisy(circuit: Circuit, **options: Any) -> Workload:  # noqa: ANN401
    values = {"shots": 1000, "seed": 7, "noise": NOISY, **options}
    return Workload(program_of(circuit, {"c": [0, circuit.num_qubits - 1]}), **values)


def rows(workload: Workload, register: str = OUTPUT_ALL) -> NDArray[np.uint8]:
    result = ENGINE.run(workload).result
    assert isinstance(result, Sampled)
    return result.registers[register].rows


def test_the_first_shots_do_not_depend_on_how_many_there_are() -> None:
    few, many = rows(noisy(ghz(5), shots=100)), rows(noisy(ghz(5), shots=1000))

    assert np.array_equal(few, many[:100])


def test_the_seed_decides() -> None:
    assert np.array_equal(rows(noisy(ghz(5))), rows(noisy(ghz(5))))
    assert not np.array_equal(rows(noisy(ghz(5))), rows(noisy(ghz(5), seed=8)))


def test_without_errors_a_ghz_state_has_two_outcomes_as_often() -> None:
    silent = NoiseModel("silent", 60, 0.0, 0.0, "this test")
    found = integers(rows(noisy(ghz(50), noise=silent, shots=10_000)))

    assert set(found) == {0, 2**50 - 1}
    assert abs(found.count(0) - 5000) < 5 * 50


def test_a_register_holds_what_was_measured_of_each_shot() -> None:
    workload = noisy(ghz(50))
    whole, part = integers(rows(workload)), integers(rows(workload, "c"))

    assert part == [state & 1 | (state >> 49) << 1 for state in whole]


def test_a_register_at_the_end_is_misread_as_all_qubits_are() -> None:
    workload = noisy(ghz(50), noise=replace(NOISY, flips=Flips(0.3, 0.4)))
    whole, part = integers(rows(workload)), integers(rows(workload, "c"))

    assert part == [state & 1 | (state >> 49) << 1 for state in whole]
    assert len(set(whole)) > 900


def test_the_share_of_shots_with_an_error_is_that_of_the_channel() -> None:
    """X or Y on the target or the control: 4/5 of 15 Paulis flip what is measured."""
    circuit = Circuit.from_operations(2, "qis", [qis("swap", (0, 1))])
    found = rows(noisy(circuit, shots=100_000))

    chance = 0.15 * 15 / 16 * 12 / 15
    sigma = np.sqrt(100_000 * chance * (1 - chance))
    assert abs(np.count_nonzero(found) - 100_000 * chance) < 5 * sigma


def test_programs_with_feed_forward_are_left_to_others() -> None:
    builder = ProgramBuilder(2, "qis")
    builder.add_operation(H, (0,))
    builder.measure(0, builder.add_register("c", 1).start)
    builder.jump()
    answer = ENGINE.assess(Workload(builder.build(), shots=10, seed=7))

    assert isinstance(answer, Refusal)
    assert answer.is_moot


def test_a_wide_program_that_measures_midway_is_exact() -> None:
    builder = ProgramBuilder(200, "qis")
    builder.add_register("c", 100)
    builder.add_circuit(ghz(200))
    for qubit in range(100):
        builder.measure(qubit, qubit)
        builder.reset(qubit)
    builder.add_operation(X, (0,))
    workload = Workload(builder.build(), shots=100, seed=7)
    chosen = plan(workload, memory_bytes=GIB).chosen
    assert chosen is not None

    outcome = ENGINE.run(workload)

    assert (chosen.engine, chosen.is_exact) == ("stabilizer", True)
    assert outcome.warnings == ()
    assert isinstance(outcome.result, Exact)
    high = 2**200 - 2**100
    assert listed(outcome.result.registers[OUTPUT_ALL]) == {1: 0.5, high + 1: 0.5}
    assert listed(outcome.result.registers["c"]) == {0: 0.5, 2**100 - 1: 0.5}


def many_choices() -> Program:
    builder = ProgramBuilder(2, "qis")
    builder.add_register("c", 1)
    for _ in range(3000):
        builder.add_operation(H, (0,))
        builder.measure(0, 0)
    builder.add_operation(CNOT, (1,), (0,))
    return builder.build()


def test_many_random_choices_take_no_more_memory_than_was_estimated() -> None:
    workload = Workload(many_choices(), shots=100, seed=7)
    estimate = ENGINE.assess(workload)
    assert isinstance(estimate, Estimate)

    assert peak_bytes(lambda: ENGINE.run(workload)) <= estimate.memory_bytes


def test_random_choices_make_no_more_outcomes_than_bits_can_hold() -> None:
    estimate = ENGINE.assess(Workload(many_choices(), shots=100, seed=7, max_outcomes=8))

    assert isinstance(estimate, Estimate)
    assert estimate.is_exact


def test_a_clifford_circuit_with_the_noise_of_a_machine_is_planned_here() -> None:
    workload = noisy(ghz(25), noise=NOISE_MODELS["aria-1"])
    chosen = plan(workload, memory_bytes=GIB).chosen

    assert isinstance(chosen, Estimate)
    assert chosen.engine == "stabilizer"
    assert peak_bytes(lambda: ENGINE.run(workload)) <= chosen.memory_bytes


def test_an_operation_that_is_not_clifford_is_left_to_others() -> None:
    circuit = Circuit.from_operations(
        2, "qis", [Operation(GATE_BY_NAME["qis", "t"], (0,)), *ghz(2).operations()]
    )
    chosen = plan(noisy(circuit), memory_bytes=GIB).chosen

    assert chosen is not None
    assert chosen.engine != "stabilizer"
