from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.builders import peak_bytes, qis

from ionbox._kernel import kernel
from ionbox.backends.noise import NOISE_MODELS, Flips, NoiseModel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, ROW_BY_NAME
from ionbox.circuits.program import OUTPUT_ALL, Program, ProgramBuilder, program_of
from ionbox.engines.apparatus import Apparatus
from ionbox.engines.engine import Engine, Estimate, Refusal, Workload
from ionbox.engines.planner import engine_named
from ionbox.engines.trajectories import TrajectoryEngine
from ionbox.formats.results import Exact, Sampled, Shots

ENGINE = engine_named("trajectories")
LOUD = NoiseModel("loud", 25, 0.06, 0.15, "this test")
ARIA = NOISE_MODELS["aria-1"]


def bell() -> Circuit:
    return Circuit.from_operations(2, "qis", [qis("h", (0,)), qis("cnot", (1,), controls=(0,))])


def shots_of(workload: Workload, register: str = OUTPUT_ALL) -> Shots:
    assert isinstance(ENGINE.assess(workload), Estimate)
    outcome = ENGINE.run(workload)
    assert isinstance(outcome.result, Sampled)
    assert outcome.warnings == ()
    return outcome.result.registers[register]


def shots_of_engine(engine: Engine, workload: Workload, threads: int) -> NDArray[Any]:
    result = engine.run(workload, threads=threads).result
    assert isinstance(result, Sampled)
    return result.registers[OUTPUT_ALL].rows


def values(shots: Shots) -> NDArray[np.int64]:
    bits = np.unpackbits(shots.rows, axis=1, bitorder="little")[:, : shots.num_bits]
    return bits @ (1 << np.arange(shots.num_bits))


def mixed_circuit() -> Circuit:
    word = GATE_BY_NAME["qis", "pauliexp"]
    return Circuit.from_operations(
        3,
        "qis",
        [
            qis("ry", (0,), 0.7),
            qis("ry", (1,), 1.1),
            qis("h", (2,)),
            qis("cnot", (2,), controls=(0,)),
            qis("x", (1,), controls=(0, 2)),
            Operation(word, (2, 0, 1), (), (0.4, 0.3, 1.1), ("XYZ", "ZIX")),
            qis("rx", (1,), 0.9),
            qis("xx", (0, 2), 0.5),
            qis("swap", (1, 2)),
            qis("t", (0,)),
            qis("ry", (0,), 0.8),
        ],
    )


@pytest.mark.parametrize(
    ("model", "flipped"), [("aria-1", 0.003325), ("aria-2", 0.00464), ("forte-1", 0.00123733)]
)
def test_the_noisy_bell_pair_has_the_published_errors(model: str, flipped: float) -> None:
    shots = 200_000
    workload = Workload(program_of(bell()), shots=shots, seed=7, noise=NOISE_MODELS[model])

    counts = np.bincount(values(shots_of(workload)), minlength=4)

    expected = np.array([0.5 - flipped, flipped, flipped, 0.5 - flipped])
    assert np.all(np.abs(counts / shots - expected) < 5 * np.sqrt(expected / shots))


def test_registers_and_output_all_agree_in_every_shot() -> None:
    registers: dict[str, list[int | None]] = {
        "c": [0, 1, 2],
        "mixed": [2, None, 0, 0],
        "wide": [1] * 70,
        "empty": [],  # which is none
    }
    workload = Workload(program_of(mixed_circuit(), registers), shots=500, seed=7, noise=LOUD)

    result = ENGINE.run(workload).result

    assert isinstance(result, Sampled)
    assert list(result.registers) == ["output_all", "c", "mixed", "wide"]
    states = values(result.registers[OUTPUT_ALL])
    assert np.array_equal(values(result.registers["c"]), states)
    zero, one, two = (states >> qubit & 1 for qubit in range(3))
    assert np.array_equal(values(result.registers["mixed"]), two + 4 * zero + 8 * zero)
    wide = np.unpackbits(result.registers["wide"].rows, axis=1, bitorder="little")
    assert result.registers["wide"].rows.shape == (500, 9)
    assert np.array_equal(wide[:, :70], np.repeat(one[:, None], 70, axis=1))
    assert not wide[:, 70:].any()


def test_output_all_of_many_qubits_has_a_byte_for_eight() -> None:
    circuit = Circuit.from_operations(9, "qis", [qis("x", (8,))])
    silent = NoiseModel("silent", 25, 0.0, 0.0, "this test")

    shots = shots_of(Workload(program_of(circuit), shots=3, seed=7, noise=silent))

    assert shots.rows.tolist() == [[0, 1]] * 3


def test_a_qubit_measured_midway_stays_as_it_was_measured() -> None:
    builder = ProgramBuilder(2, "qis")
    bits = builder.add_register("c", 2)
    builder.add_operation(ROW_BY_NAME["qis", "h"], (0,))
    builder.measure(0, bits.start)
    builder.add_operation(ROW_BY_NAME["qis", "cnot"], (1,), (0,))
    builder.measure(0, bits.start + 1)
    silent = NoiseModel("silent", 25, 0.0, 0.0, "this test")

    result = ENGINE.run(Workload(builder.build(), shots=200, seed=7, noise=silent)).result

    assert isinstance(result, Sampled)
    register, states = (values(result.registers[name]) for name in ("c", OUTPUT_ALL))
    assert np.array_equal(register, states)
    assert set(states.tolist()) == {0b00, 0b11}


def many_ways(num_measurements: int) -> Program:
    builder = ProgramBuilder(2, "qis")
    register = builder.add_register("c", num_measurements)
    for bit in range(register.size):
        builder.add_operation(ROW_BY_NAME["qis", "h"], (0,))
        builder.measure(0, bit)
    builder.add_operation(ROW_BY_NAME["qis", "cnot"], (1,), (0,))
    return builder.build()


def test_an_ideal_program_gives_frequencies_and_says_so() -> None:
    workload = Workload(many_ways(20), shots=400, seed=7)

    outcome = ENGINE.run(workload)

    assert outcome.warnings == (
        (
            "sampled with 400 shots: the program measures, resets or jumps before its end in "
            "more ways than can be followed"
        ),
    )
    assert isinstance(outcome.result, Exact)
    register = outcome.result.registers["c"]
    assert register.num_qubits == 20
    assert register.basis_states is not None
    assert np.all(np.diff(register.basis_states.astype(np.int64)) > 0)
    assert np.allclose(register.values * 400, np.rint(register.values * 400))
    assert register.values.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("workload", "refusal"),
    [
        (
            Workload(
                program_of(Circuit.from_operations(12, "qis", [])),
                shots=1,
                seed=1,
                noise=NOISE_MODELS["harmony"],
            ),
            Refusal("trajectories", "12 qubits; noise model 'harmony' has 11", is_too_large=True),
        ),
        (
            Workload(many_ways(65), shots=1, seed=1),
            Refusal(
                "trajectories",
                "register 'c' has 65 bits; probabilities are listed of at most 64",
            ),
        ),
    ],
    ids=["wider than the device", "wider than a key"],
)
def test_a_refusal_says_what_is_allowed(workload: Workload, refusal: Refusal) -> None:
    assert ENGINE.assess(workload) == refusal


def ladder(num_qubits: int, num_operations: int) -> Circuit:
    operations = []
    for place in range(num_operations // 2):
        low, high = place % num_qubits, (place + 1) % num_qubits
        operations += [qis("ry", (low,), 0.3 + place), qis("cnot", (high,), controls=(low,))]
    return Circuit.from_operations(num_qubits, "qis", operations)


def test_a_noisy_job_of_ordinary_size_is_not_predicted_to_be_short() -> None:
    workload = Workload(program_of(ladder(14, 400)), shots=1000, seed=7, noise=ARIA)

    estimate = ENGINE.assess(workload)

    assert isinstance(estimate, Estimate)
    assert 0.2 < estimate.seconds < 20


def test_an_estimate_grows_with_shots_noise_and_length() -> None:
    def seconds(num_operations: int, shots: int, noise: NoiseModel) -> float:
        program = program_of(ladder(8, num_operations))
        estimate = ENGINE.assess(Workload(program, shots=shots, seed=7, noise=noise))
        assert isinstance(estimate, Estimate)
        return estimate.seconds

    plain = seconds(50, 1000, ARIA)

    assert plain < seconds(100, 1000, ARIA)
    assert plain < seconds(50, 2000, ARIA)
    assert plain < seconds(50, 1000, LOUD)


@pytest.mark.parametrize("shots", [1, 30])
def test_a_run_takes_no_more_memory_than_the_estimate_says(shots: int) -> None:
    workload = Workload(program_of(ladder(16, 30)), shots=shots, seed=7, noise=LOUD)
    estimate = ENGINE.assess(workload)
    peak = peak_bytes(lambda: ENGINE.run(workload))

    assert isinstance(estimate, Estimate)
    assert peak < estimate.memory_bytes


@pytest.mark.parametrize("circuit", [mixed_circuit(), ladder(6, 60)], ids=["mixed", "ladder"])
def test_without_the_kernel_the_shots_are_the_same(circuit: Circuit) -> None:
    reading = replace(LOUD, flips=Flips(0.1, 0.2))
    program = program_of(circuit, {"c": [1, 0]})
    workload = Workload(program, shots=2000, seed=7, noise=reading)

    result = TrajectoryEngine(Apparatus(None)).run(workload).result

    assert isinstance(result, Sampled)
    for name, shots in result.registers.items():
        assert np.array_equal(shots.rows, shots_of(workload, name).rows)


@pytest.mark.parametrize("num_qubits", [5, 13, 15])
def test_any_number_of_threads_gives_the_same_shots(num_qubits: int) -> None:
    workload = Workload(program_of(ladder(num_qubits, 60)), shots=300, seed=7, noise=LOUD)

    one, many = (ENGINE.run(workload, threads=threads).result for threads in (1, 3))

    assert isinstance(one, Sampled)
    assert isinstance(many, Sampled)
    assert np.array_equal(one.registers[OUTPUT_ALL].rows, many.registers[OUTPUT_ALL].rows)


def test_the_first_shots_do_not_depend_on_how_many_there_are() -> None:
    few, many = (
        shots_of(Workload(program_of(ladder(5, 60)), shots=shots, seed=7, noise=LOUD)).rows
        for shots in (100, 1000)
    )

    assert np.array_equal(few, many[:100])


@pytest.mark.skipif(kernel is None, reason="compares the kernel with NumPy")
@pytest.mark.parametrize(("num_qubits", "num_operations"), [(15, 40), (21, 24)])
def test_shots_of_states_that_fill_no_cache_are_those_of_numpy(
    num_qubits: int, num_operations: int
) -> None:
    workload = Workload(
        program_of(ladder(num_qubits, num_operations)),
        shots=12,
        seed=7,
        noise=LOUD,
        precision="float64",
    )

    one, many, plain = (
        shots_of_engine(engine, workload, threads)
        for engine, threads in ((ENGINE, 1), (ENGINE, 3), (TrajectoryEngine(Apparatus(None)), 1))
    )

    assert np.array_equal(one, many)
    assert np.array_equal(one, plain)
