from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.builders import qis

from ionbox import _kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.circuits.observable import Observable
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.engines import measurement
from ionbox.engines.calibration import Machine
from ionbox.engines.engine import (
    Engine,
    Estimate,
    Precision,
    Refusal,
    ResolvedPrecision,
    Workload,
)
from ionbox.engines.kernel import KernelEngine, packed_by
from ionbox.engines.statevector import StateVectorEngine
from ionbox.engines.vectors import AMPLITUDE_TYPES, Amplitudes
from ionbox.formats.results import Exact, Expectation

if _kernel.kernel is None:
    pytest.skip("the kernel was not built, or is switched off", allow_module_level=True)

KERNEL = _kernel.kernel
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
TOLERANCES = {"float64": 1e-12, "float32": 1e-6}
ALL_ROWS = [row for row in GATES if row.num_targets is not None]

every_variant = pytest.mark.parametrize("variant", KERNEL.variants())
every_precision = pytest.mark.parametrize("precision", PRECISIONS)


def pauliexp(
    terms: Sequence[str], targets: Sequence[int], controls: Sequence[int] = ()
) -> Operation:
    params = (*np.linspace(0.2, 0.9, len(terms)).tolist(), 1.3)
    row = GATE_BY_NAME["qis", "pauliexp"]
    return Operation(row, tuple(targets), tuple(controls), params, tuple(terms))


def circuit_of(num_qubits: int, operations: Sequence[Operation]) -> Circuit:
    gateset = operations[0].gate.gateset if operations else "qis"
    return Circuit.from_operations(num_qubits, gateset, operations)


def workload_of(circuit: Circuit, precision: Precision = "float64") -> Workload:
    return Workload(program_of(circuit), shots=100, seed=7, precision=precision)


def probabilities(
    engine: Engine, circuit: Circuit, precision: Precision, threads: int = 1
) -> NDArray[np.float64]:
    workload = workload_of(circuit, precision)
    assert isinstance(engine.assess(workload), Estimate)
    result = engine.run(workload, threads=threads).result
    assert isinstance(result, Exact)
    read = result.registers[OUTPUT_ALL]
    values = np.zeros(2**read.num_qubits)
    values[slice(None) if read.basis_states is None else read.basis_states] = read.values
    return values


def random_operation(
    random: np.random.Generator, row: Gate, num_qubits: int, num_controls: int
) -> Operation:
    width = (row.num_targets or 2) + num_controls
    qubits = random.permutation(num_qubits)[:width].tolist()
    if row.num_targets is None:
        num_targets = int(random.integers(1, len(qubits) - num_controls + 1))
        words = ["".join(random.choice(list("IXYZ"), num_targets)) for _ in range(3)]
        return pauliexp(words, qubits[:num_targets], qubits[num_targets:])
    num_params = sum(param.size or 0 for param in row.params)
    return Operation(
        row,
        tuple(qubits[: row.num_targets]),
        tuple(qubits[row.num_targets :]),
        tuple(random.uniform(0, 2, num_params).tolist()),
    )


def random_circuit(seed: int, num_qubits: int, num_operations: int, gateset: str) -> Circuit:
    """Return a circuit of all rows, with up to 7 controls."""
    random = np.random.default_rng(seed)
    rows = [row for row in GATES if row.gateset == gateset]
    operations: list[Operation] = []
    for _ in range(num_operations):
        row = rows[random.integers(len(rows))]
        room = num_qubits - (row.num_targets or 1)
        most = min(7, room) if row.controllable else 0
        if room < row.min_controls:
            continue
        num_controls = int(random.integers(row.min_controls, most + 1))
        operations.append(random_operation(random, row, num_qubits, num_controls))
    return Circuit.from_operations(num_qubits, gateset, operations)


def turned(qubits: Sequence[int], gateset: str = "qis") -> list[Operation]:
    row = GATE_BY_NAME[gateset, "ry" if gateset == "qis" else "gpi2"]
    return [Operation(row, (qubit,), (), (0.3 + 0.1 * qubit,)) for qubit in qubits]


def evolved(circuit: Circuit, variant: str = "", **options: Any) -> NDArray[np.complex128]:  # noqa: ANN401
    state = np.zeros(2**circuit.num_qubits, np.complex128)
    state[0] = 1
    KERNEL.evolve(state, packed_by(KERNEL, circuit), variant=variant, **options)
    return state


@every_variant
@every_precision
@pytest.mark.parametrize("row", ALL_ROWS, ids=lambda row: f"{row.gateset}-{row.name}")
def test_every_gate_with_controls_in_any_places_agrees_with_the_oracle(
    variant: str, precision: Precision, row: Gate
) -> None:
    random = np.random.default_rng(5)
    most_controls = 3 if row.controllable else 0
    for num_controls in range(row.min_controls, most_controls + 1):
        for _ in range(4):
            tested = random_operation(random, row, 7, num_controls)
            mixed = [*turned(range(7), row.gateset), tested, *turned(range(7), row.gateset)]
            circuit = circuit_of(7, mixed)

            found = probabilities(KernelEngine(KERNEL, variant), circuit, precision)

            expected = np.abs(state_vector(circuit)) ** 2
            assert np.max(np.abs(found - expected)) <= TOLERANCES[precision]


# The oracle is slow, so it runs once for all variants, and the wider the fewer operations.
SIZES = [(width, 400) for width in range(1, 7)]
SIZES += [(7, 200), (8, 120), (9, 60), (10, 40), (11, 20), (12, 20)]


@pytest.mark.parametrize("gateset", ["qis", "native"])
@pytest.mark.parametrize(("num_qubits", "num_operations"), SIZES)
def test_random_circuits_agree_with_the_oracle(
    num_qubits: int, num_operations: int, gateset: str
) -> None:
    circuit = random_circuit(num_qubits, num_qubits, num_operations, gateset)
    expected = np.abs(state_vector(circuit)) ** 2

    for variant, precision in product(KERNEL.variants(), PRECISIONS):
        found = probabilities(KernelEngine(KERNEL, variant), circuit, precision)

        assert np.max(np.abs(found - expected)) <= TOLERANCES[precision], (variant, precision)


@every_variant
@pytest.mark.parametrize("seed", range(5))
def test_amplitudes_agree_with_the_oracle_in_phase_too(variant: str, seed: int) -> None:
    circuit = random_circuit(seed, 8, 50, "qis")

    assert np.max(np.abs(evolved(circuit, variant) - state_vector(circuit))) <= 1e-13


@every_variant
@every_precision
@pytest.mark.parametrize("num_qubits", [15, 17])
def test_circuits_over_many_tiles_agree_with_the_numpy_engine(
    variant: str, precision: Precision, num_qubits: int
) -> None:
    circuit = random_circuit(num_qubits, num_qubits, 150, "qis")

    found = probabilities(KernelEngine(KERNEL, variant), circuit, precision)

    expected = probabilities(StateVectorEngine(), circuit, "float64")
    assert np.max(np.abs(found - expected)) <= TOLERANCES[precision]


@pytest.mark.parametrize("num_qubits", [16, 18, 20])
def test_wide_circuits_agree_with_the_numpy_engine(num_qubits: int) -> None:
    circuit = random_circuit(num_qubits, num_qubits, 60, "qis")
    expected = probabilities(StateVectorEngine(), circuit, "float64")

    for precision in PRECISIONS:
        found = probabilities(KernelEngine(KERNEL), circuit, precision)

        assert np.max(np.abs(found - expected)) <= TOLERANCES[precision], precision


@pytest.mark.parametrize("wires", [(0, 1, 2, 3, 4), (16, 0, 13, 14, 7), (12, 13, 14, 15, 16)])
@pytest.mark.parametrize("controls", [(), (11,), (11, 3)])
@pytest.mark.parametrize(
    "words",
    [["XYZIX"], ["XXIIZ", "YYIIZ", "ZZIII"], ["IIIII", "ZIIIZ"], ["XI", "ZZ"]],
    ids=["one", "commuting", "identity", "not commuting"],
)
def test_pauli_words_agree_with_the_numpy_engine(
    wires: tuple[int, ...], controls: tuple[int, ...], words: list[str]
) -> None:
    if set(wires) & set(controls):
        wires = tuple({11: 10, 3: 9}.get(wire, wire) for wire in wires)
    tested = pauliexp(words, wires[: len(words[0])], controls)
    circuit = circuit_of(17, [*turned(range(17)), tested, *turned(range(17))])

    found = probabilities(KernelEngine(KERNEL), circuit, "float64")

    assert np.max(np.abs(found - probabilities(StateVectorEngine(), circuit, "float64"))) <= 1e-12


def test_a_pauliexp_that_needs_a_large_matrix_is_left_to_others() -> None:
    circuit = circuit_of(5, [pauliexp(["XXIII", "ZIIYI"], range(5))])

    answer = KernelEngine(KERNEL).assess(workload_of(circuit))

    assert isinstance(answer, Refusal)
    assert answer.is_moot


@every_variant
@every_precision
def test_any_number_of_threads_gives_the_same_bits(variant: str, precision: Precision) -> None:
    circuit = random_circuit(3, 17, 100, "qis")

    one, four = (
        probabilities(KernelEngine(KERNEL, variant), circuit, precision, threads)
        for threads in (1, 4)
    )

    assert np.array_equal(one, four)


def test_qubits_that_are_not_zero_must_be_named_as_live() -> None:
    circuit = random_circuit(4, 16, 80, "qis")
    expected = evolved(circuit)

    for live in (0, 1 << 15):
        assert np.array_equal(evolved(circuit, live=live), expected)


def test_an_expectation_value_is_that_of_the_numpy_engine() -> None:
    observable = Observable(("XYZ", "ZZI"), (0.5, -1.5))
    workload = replace(
        workload_of(circuit_of(3, [*turned(range(3)), qis("cnot", (1,), controls=(0,))])),
        observable=observable,
    )

    found, expected = (
        engine.run(workload).result for engine in (KernelEngine(KERNEL), StateVectorEngine())
    )

    assert isinstance(found, Expectation)
    assert isinstance(expected, Expectation)
    assert found.value == pytest.approx(expected.value, abs=1e-14)


@pytest.mark.parametrize(("num_qubits", "threads"), [(15, 1), (16, 4)])
def test_threads_are_for_states_that_are_worth_them(num_qubits: int, threads: int) -> None:
    workload = workload_of(circuit_of(num_qubits, turned(range(num_qubits))))

    alone, together = (KernelEngine(KERNEL).assess(workload, Machine(n)) for n in (1, 4))

    assert isinstance(alone, Estimate)
    assert isinstance(together, Estimate)
    assert (alone.threads, together.threads) == (1, threads)
    assert (together.seconds < alone.seconds) is (threads > 1)
    assert (together.memory_bytes > alone.memory_bytes) is (threads > 1)


_MEASURED_RUN = """
import re, sys
from pathlib import Path
from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import program_of
from ionbox.engines.engine import Workload
from ionbox.engines.kernel import KernelEngine

def kilobytes(name):
    return int(re.search(rf"{name}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

num_qubits = int(sys.argv[1])
ry, cnot = GATE_BY_NAME["qis", "ry"], GATE_BY_NAME["qis", "cnot"]
turns = [Operation(ry, (qubit,), (), (0.3,)) for qubit in range(num_qubits)]
up = [Operation(cnot, (qubit,), (qubit - 1,), ()) for qubit in range(1, num_qubits)]
down = [Operation(cnot, (qubit - 1,), (qubit,), ()) for qubit in range(1, num_qubits)]
circuit = Circuit.from_operations(num_qubits, "qis", 3 * [*turns, *up, *turns, *down[::-1]])
workload = Workload(program_of(circuit), 100, 7, precision=sys.argv[2])
Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
before = kilobytes("VmRSS")
KernelEngine(kernel).run(workload)
print(1024 * (kilobytes("VmHWM") - before))
print(KernelEngine(kernel).assess(workload).memory_bytes)
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets the peak of a process"
)
@every_precision
def test_a_run_takes_the_memory_that_the_estimate_says(precision: Precision) -> None:
    command = [sys.executable, "-c", _MEASURED_RUN, "22", precision]

    run = subprocess.run(command, capture_output=True, text=True, check=True)

    peak, estimate = map(int, run.stdout.split())
    assert 0.8 * estimate <= peak <= 1.05 * estimate + 2**22


def test_progress_ends_where_it_was_expected_to() -> None:
    progress = KERNEL.Progress()
    assert (progress.done, progress.total) == (0, 0)

    packed = packed_by(KERNEL, random_circuit(6, 17, 60, "qis"))
    KERNEL.simulate(packed, is_double=True, progress=progress)

    assert progress.done == progress.total > 0


def test_a_state_without_room_is_refused() -> None:
    packed = packed_by(KERNEL, circuit_of(48, turned(range(48))[::2]))

    with pytest.raises(MemoryError):
        KERNEL.simulate(packed, is_double=True)


def test_gates_and_their_inverses_on_one_qubit_leave_it_as_it_was() -> None:
    random = np.random.default_rng(9)
    forward = [
        qis("ry", (0,), float(angle)) if name == "ry" else qis(name, (0,))
        for name, angle in zip(
            random.choice(["h", "t", "v", "ry"], 100), random.uniform(0, 6, 100), strict=True
        )
    ]
    inverse = {"h": "h", "t": "ti", "v": "vi"}
    back = [
        qis("ry", (0,), -each.params[0]) if each.params else qis(inverse[each.gate.name], (0,))
        for each in reversed(forward)
    ]
    cnot = qis("cnot", (1,), controls=(0,))
    circuit = circuit_of(2, [cnot, *forward, *back, cnot])

    found = probabilities(KernelEngine(KERNEL), circuit, "float64")

    assert np.max(np.abs(found - [1, 0, 0, 0])) <= 1e-12


@every_variant
@pytest.mark.parametrize(
    ("name", "targets", "control"), [("rz", (17,), 3), ("zz", (16, 17), 3), ("rz", (3,), 17)]
)
def test_controlled_phases_whose_targets_are_far_apart(
    variant: str, name: str, targets: tuple[int, ...], control: int
) -> None:
    tested = qis(name, targets, 0.7, controls=(control,))
    circuit = circuit_of(18, [*turned(range(18)), tested, *turned(range(18))])

    found = probabilities(KernelEngine(KERNEL, variant), circuit, "float64")

    expected = probabilities(StateVectorEngine(), circuit, "float64")
    assert np.max(np.abs(found - expected)) <= 1e-14


@pytest.mark.parametrize("time", [1.0, 1e6, 1e12, 1e200])
def test_words_that_do_not_commute_keep_the_norm_for_any_time(time: float) -> None:
    row = GATE_BY_NAME["qis", "pauliexp"]
    operation = Operation(row, (0, 1), (), (0.3, 0.4, time), ("XI", "ZZ"))
    packed = packed_by(KERNEL, circuit_of(2, [*turned(range(2)), operation]))

    weights = KERNEL.simulate(packed, is_double=True)

    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_the_rows_are_those_of_the_gate_table() -> None:
    assert KERNEL.gate_rows() == [f"{row.gateset}.{row.name}" for row in GATES]


def test_qubits_that_never_meet_are_simulated_apart() -> None:
    halves = [
        operation
        for first in (0, 1)
        for operation in (
            *turned(range(first, 20, 2)),
            *(qis("cnot", (q + 2,), controls=(q,)) for q in range(first, 18, 2)),
        )
    ]
    circuit = circuit_of(21, halves)

    stages, passes, *_ = KERNEL.effort(packed_by(KERNEL, circuit), is_double=True)
    found = probabilities(KernelEngine(KERNEL), circuit, "float64")

    assert (stages, passes) == (1, 2 * 2**10 / 2**21)
    expected = probabilities(StateVectorEngine(), circuit, "float64")
    assert np.max(np.abs(found - expected)) <= 1e-14


def test_swaps_only_rename_qubits() -> None:
    ladder = [qis("cnot", (q + 1,), controls=(q,)) for q in range(17)]
    swaps = [qis("swap", (q, 17 - q)) for q in range(9)]
    circuit = circuit_of(18, [*turned(range(18)), *ladder, *swaps])

    found = probabilities(KernelEngine(KERNEL), circuit, "float64")

    expected = probabilities(StateVectorEngine(), circuit, "float64")
    assert np.max(np.abs(found - expected)) <= 1e-14


@every_precision
@pytest.mark.parametrize("qubit", [0, 3, 16])
def test_measuring_and_resetting_a_qubit_is_what_numpy_does(
    precision: ResolvedPrecision, qubit: int
) -> None:
    random = np.random.default_rng(8)
    numbers = random.normal(size=2**17) + 1j * random.normal(size=2**17)
    state: Amplitudes = numbers.astype(AMPLITUDE_TYPES[precision])
    one = measurement.probability_of_one(state, qubit)
    bound = 1e-12 if precision == "float64" else 1e-8  # NumPy squares in float32

    assert KERNEL.probability_of_one(state, qubit, threads=2) == pytest.approx(one, rel=bound)
    for outcome in (0, 1):
        for is_reset in (False, True):
            expected, found = state.copy(), state.copy()
            measurement.collapse(expected, qubit, outcome, 0.25)
            if is_reset and outcome:
                measurement.flip(expected, qubit)
            KERNEL.collapse(found, qubit, outcome, 2.0, is_reset=is_reset, threads=2)
            assert np.array_equal(found, expected)


def test_other_threads_run_meanwhile() -> None:
    circuit = random_circuit(6, 20, 300, "qis")
    runner = threading.Thread(target=evolved, args=(circuit,))

    runner.start()
    turns = 0
    while runner.is_alive():
        runner.join(0.001)
        turns += 1

    assert turns > 5


ARRAYS = (
    "gates",
    "qubits",
    "qubit_starts",
    "num_targets",
    "params",
    "param_starts",
    "paulis",
    "pauli_starts",
)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("gates", np.array([99], np.int16)),
        ("gates", np.array([-1], np.int16)),
        ("gates", np.zeros(2, np.int16)),
        ("qubits", np.array([0, 9], np.int32)),
        ("qubits", np.array([0, -1], np.int32)),
        ("qubits", np.array([1, 1], np.int32)),
        ("qubit_starts", np.array([0, 3], np.int32)),
        ("qubit_starts", np.array([0], np.int32)),
        ("qubit_starts", np.array([1, 2], np.int32)),
        ("num_targets", np.array([3], np.int32)),
        ("num_targets", np.array([0], np.int32)),
        ("num_targets", np.array([2], np.int32)),
        ("params", np.zeros(3)),
        ("param_starts", np.array([0, 3], np.int32)),
        ("pauli_starts", np.array([0, 1], np.int32)),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, array: NDArray[Any]) -> None:
    circuit = circuit_of(2, [qis("cnot", (1,), controls=(0,))])
    arrays = {name: getattr(circuit, name) for name in ARRAYS} | {name: array}

    with pytest.raises(ValueError, match=r"operation|starts"):
        KERNEL.simulate(KERNEL.pack(2, *arrays.values()), is_double=True)


@pytest.mark.parametrize(
    ("state", "options"),
    [
        (np.zeros(3, np.complex128), {}),
        (np.zeros(0, np.complex128), {}),
        (np.zeros(4, np.complex128), {"threads": 0}),
        (np.zeros(4, np.complex128), {"threads": 10**6}),
        (np.zeros(4, np.complex128), {"variant": "abacus"}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    state: NDArray[np.complex128], options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"state|threads|variant"):
        KERNEL.evolve(state, packed_by(KERNEL, circuit_of(2, [])), **options)


@pytest.mark.parametrize("dtype", [np.float64, np.int32])
def test_a_state_of_real_numbers_is_refused(dtype: type) -> None:
    with pytest.raises(TypeError):
        KERNEL.evolve(np.zeros(4, dtype), packed_by(KERNEL, circuit_of(2, [])))
