from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed
from numpy.typing import NDArray
from tests.builders import peak_bytes, qis

from ionbox.backends.noise import NOISE_MODELS
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, ROW_BY_NAME
from ionbox.circuits.observable import Observable
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL, ProgramBuilder, program_of
from ionbox.engines.engine import Estimate, Precision, Refusal, Workload
from ionbox.engines.statevector import StateVectorEngine
from ionbox.formats.results import Exact, Expectation, Probabilities

ENGINE = StateVectorEngine()

# Words over five targets; only the last two lists have pairs that do not commute.
WORDS = {
    "one": ["XYZIX"],
    "commuting": ["XXIIZ", "YYIIZ", "ZZIII"],
    "identity": ["IIIII", "ZIIIZ"],
    "not commuting": ["XXIII", "ZIIYI"],
    "ising chain": ["ZZIII", "IZZII", "IIZZI", "IIIZZ", "XIIII", "IXIII", "IIXII"],
}


def pauliexp(terms: Sequence[str], targets: Sequence[int], *, time: float = 1.3) -> Operation:
    coefficients = np.linspace(0.2, 0.9, len(terms)).tolist()
    row = GATE_BY_NAME["qis", "pauliexp"]
    return Operation(row, tuple(targets), (), (*coefficients, time), tuple(terms))


def make_workload(
    num_qubits: int, operations: Sequence[Operation], precision: Precision = "float64"
) -> Workload:
    circuit = Circuit.from_operations(num_qubits, "qis", operations)
    return Workload(program_of(circuit), shots=100, seed=7, precision=precision)


def turned(qubits: Sequence[int]) -> list[Operation]:
    return [qis("ry", (qubit,), 0.4 + 0.3 * place) for place, qubit in enumerate(qubits)]


def probabilities(workload: Workload) -> NDArray[np.float64]:
    result = ENGINE.run(workload).result
    assert isinstance(result, Exact)
    read = result.registers[OUTPUT_ALL]
    values = np.zeros(2**read.num_qubits)
    values[slice(None) if read.basis_states is None else read.basis_states] = read.values
    return values


def on_wires(operation: Operation, wires: Sequence[int]) -> Operation:
    return replace(
        operation,
        targets=tuple(wires[target] for target in operation.targets),
        controls=tuple(wires[control] for control in operation.controls),
    )


def assert_wide_equals_narrow(operations: Sequence[Operation], wires: Sequence[int]) -> None:
    """A circuit spread over a register of many tiles gives the oracle's narrow answer."""
    num_narrow = len(wires)
    mixed = [*turned(range(num_narrow)), *operations, *turned(range(num_narrow))]
    narrow = state_vector(Circuit.from_operations(num_narrow, "qis", mixed))
    wide = probabilities(make_workload(17, [on_wires(operation, wires) for operation in mixed]))
    basis_states = np.arange(2**num_narrow)
    places = sum((basis_states >> bit & 1) << wire for bit, wire in enumerate(wires))

    assert np.max(np.abs(wide[places] - np.abs(narrow) ** 2)) <= 1e-12


@pytest.mark.parametrize("wires", [(0, 1, 2, 3, 4), (16, 0, 13, 14, 7), (12, 13, 14, 15, 16)])
def test_gates_across_tiles_agree_with_the_oracle(wires: tuple[int, ...]) -> None:
    operations = [
        qis("h", (0,)),
        qis("cnot", (1,), controls=(0,)),
        qis("xx", (2, 4), 0.7),
        qis("swap", (3, 0), controls=(1,)),
        qis("z", (2,), 0.9, controls=(0, 3, 4)),
        qis("yy", (4, 1), 0.2),
        qis("v", (2,), controls=(1,)),
    ]

    assert_wide_equals_narrow(operations, wires)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("wires", [(0, 1, 2, 3, 4), (16, 0, 13, 14, 7)])
def test_pauli_words_across_tiles_agree_with_the_oracle(
    words: list[str], wires: tuple[int, ...]
) -> None:
    assert_wide_equals_narrow([pauliexp(words, range(5))], wires)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("controls", [(16,), (3,), (3, 9)])
def test_controlled_pauli_words_agree_with_the_oracle(
    words: list[str], controls: tuple[int, ...]
) -> None:
    wires = (15, 0, 14, 8, 5, *controls)
    narrow_controls = tuple(range(5, 5 + len(controls)))
    operation = replace(pauliexp(words, range(5)), controls=narrow_controls)

    assert_wide_equals_narrow([operation], wires)


def test_a_long_evolution_under_terms_that_do_not_commute_stays_exact() -> None:
    operations = [*turned(range(5)), pauliexp(WORDS["ising chain"], range(5), time=40)]
    workload = make_workload(5, operations)

    assert workload.program.circuit is not None
    expected = np.abs(state_vector(workload.program.circuit)) ** 2

    assert np.max(np.abs(probabilities(workload) - expected)) <= 1e-12


def test_a_pauli_word_over_every_qubit_of_a_wide_register_needs_no_matrix() -> None:
    word = "XYZ" * 6
    workload = make_workload(18, [pauliexp([word], range(18), time=np.pi / 0.8)])

    flipped = sum(1 << bit for bit, letter in enumerate(reversed(word)) if letter in "XY")
    expected = np.sin(np.pi / 4) ** 2  # the coefficient is 0.2
    assert probabilities(workload)[[0, flipped]] == pytest.approx([1 - expected, expected])


def test_an_endless_evolution_is_refused_with_its_place() -> None:
    operation = pauliexp(WORDS["not commuting"], range(5), time=1000)
    workload = make_workload(5, [*turned([0]), operation])

    assert ENGINE.assess(workload) == Refusal(
        "statevector",
        "circuit[1]: a pauliexp whose terms do not commute, on 5 targets with time * sum of "
        "|coefficients| = 1100; at most 1000 on more than 4 targets",
    )


def test_a_long_evolution_of_few_targets_is_one_matrix() -> None:
    operation = pauliexp(["XX", "ZI"], range(2), time=1000)
    workload = make_workload(2, [*turned([0, 1]), operation])

    assert workload.program.circuit is not None
    expected = np.abs(state_vector(workload.program.circuit)) ** 2

    assert isinstance(ENGINE.assess(workload), Estimate)
    assert np.max(np.abs(probabilities(workload) - expected)) <= 1e-12


def test_a_register_too_wide_for_any_machine_is_refused_before_anything_is_counted() -> None:
    answer = ENGINE.assess(make_workload(5000, []))

    assert answer == Refusal(
        "statevector", "5000 qubits; a state vector covers at most 48", is_too_large=True
    )


def test_many_controls_between_many_qubits_are_no_limit() -> None:
    controls = tuple(range(1, 20, 2))
    flips = [qis("x", (control,)) for control in controls]
    workload = make_workload(20, [*flips, qis("x", (0,), controls=controls)])

    basis_state = 1 + sum(1 << control for control in controls)
    assert probabilities(workload)[basis_state] == 1


@pytest.mark.parametrize("num_qubits", [16, 18, 20])
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "operations",
    [
        [qis("h", (qubit,)) for qubit in range(16)],
        [qis("h", (0,)), qis("cnot", (15,), controls=(0,)), qis("xx", (3, 9), 0.3)],
        [pauliexp(["XYZIX", "ZIIII"], (15, 0, 3, 7, 12), time=0.1)],
        [pauliexp(["XYZIX"], (15, 0, 3, 7, 12))],
        [replace(pauliexp(["XYZIX", "ZIIII"], (15, 0, 3, 7, 12), time=0.1), controls=(5,))],
    ],
    ids=["superposition", "matrices", "series", "rotation", "controlled series"],
)
def test_a_run_takes_the_memory_that_the_estimate_says(
    num_qubits: int, precision: Precision, operations: list[Operation]
) -> None:
    assert_memory_is_estimated(make_workload(num_qubits, operations, precision))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_sampling_takes_the_memory_that_the_estimate_says(precision: Precision) -> None:
    workload = make_workload(18, [qis("h", (qubit,)) for qubit in range(18)], precision)

    assert_memory_is_estimated(changed(workload, max_outcomes=1024, shots=100_000))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_registers_take_the_memory_that_the_estimate_says(precision: Precision) -> None:
    circuit = make_workload(18, [qis("h", (qubit,)) for qubit in range(18)]).program.circuit
    assert circuit is not None
    registers = {"c": list(range(17, -1, -1)), "d": [*range(1, 18), None]}
    program = program_of(circuit, registers)

    assert_memory_is_estimated(Workload(program, shots=100, seed=7, precision=precision))


def test_an_expectation_value_takes_the_memory_that_the_estimate_says() -> None:
    workload = make_workload(18, [qis("h", (qubit,)) for qubit in range(18)])

    assert_memory_is_estimated(changed(workload, observable=Observable(("Z" * 18,), (0.5,))))


def test_an_expectation_value_comes_in_float64_whatever_the_width() -> None:
    workload = make_workload(21, [qis("ry", (20,), 1.2)], "auto")

    result = ENGINE.run(changed(workload, observable=Observable(("Z" + "I" * 20,), (1.0,)))).result

    assert isinstance(result, Expectation)
    assert result.value == pytest.approx(np.cos(1.2), abs=1e-14)
    assert result.variance == pytest.approx(np.sin(1.2) ** 2, abs=1e-14)


def test_expectation_values_of_anything_but_an_ideal_circuit_are_refused() -> None:
    observable = Observable(("Z",), (1.0,))
    builder = ProgramBuilder(1, "qis")
    builder.measure(0, builder.add_register("c", 1).start)
    builder.add_operation(ROW_BY_NAME["qis", "h"], (0,))
    noisy = changed(make_workload(1, []), noise=NOISE_MODELS["aria-1"], observable=observable)
    dynamic = Workload(builder.build(), shots=100, seed=7, observable=observable)

    reasons = [ENGINE.assess(workload) for workload in (noisy, dynamic)]

    start = "expectation values are computed of ideal circuits only, not with "
    assert reasons == [
        Refusal("statevector", f"{start}noise model 'aria-1'"),
        Refusal("statevector", f"{start}measurements, resets or jumps before the end"),
    ]


def test_registers_hold_what_was_measured_into_them() -> None:
    circuit = Circuit.from_operations(3, "qis", [qis("x", (1,)), qis("h", (2,))])
    registers: dict[str, list[int | None]] = {
        "all": [0, 1, 2],
        "mixed": [2, None, 1, 1],
        "none": [None],
        "empty": [],  # which is none
    }

    result = ENGINE.run(Workload(program_of(circuit, registers), shots=100, seed=7)).result

    assert isinstance(result, Exact)
    assert {name: listed(read) for name, read in result.registers.items()} == {
        "output_all": {0b010: 0.5, 0b110: 0.5},
        "all": {0b010: 0.5, 0b110: 0.5},
        "mixed": {0b1100: 0.5, 0b1101: 0.5},
        "none": {0: 1.0},
    }


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_registers_are_marginals_of_output_all_also_when_sampled(data: st.DataObject) -> None:
    qubits = data.draw(st.lists(st.none() | st.integers(0, 4), min_size=1, max_size=7))
    circuit = Circuit.from_operations(5, "qis", [*turned(range(5)), qis("h", (3,))])
    workload = Workload(program_of(circuit, {"c": qubits}), shots=500, seed=7)

    for asked in (workload, changed(workload, max_outcomes=3)):
        result = ENGINE.run(asked).result

        assert isinstance(result, Exact)
        expected: dict[int, float] = {}
        for state, value in listed(result.registers[OUTPUT_ALL]).items():
            bits = [0 if qubit is None else state >> qubit & 1 for qubit in qubits]
            key = sum(bit << place for place, bit in enumerate(bits))
            expected[key] = expected.get(key, 0.0) + value
        assert listed(result.registers["c"]) == pytest.approx(expected, abs=1e-14)


def test_a_register_that_no_key_can_number_is_refused() -> None:
    circuit = Circuit.from_operations(1, "qis", [])

    answer = ENGINE.assess(Workload(program_of(circuit, {"c": [0] * 65}), shots=100, seed=7))

    assert answer == Refusal(
        "statevector", "register 'c' has 65 bits; probabilities are listed of at most 64"
    )


def test_a_register_of_64_bits_is_listed() -> None:
    circuit = Circuit.from_operations(1, "qis", [qis("x", (0,))])

    result = ENGINE.run(Workload(program_of(circuit, {"c": [0] * 64}), shots=100, seed=7)).result

    assert isinstance(result, Exact)
    assert listed(result.registers["c"]) == {2**64 - 1: 1.0}


def listed(read: Probabilities) -> dict[int, float]:
    states = np.arange(read.values.size) if read.basis_states is None else read.basis_states
    pairs = zip(states.tolist(), read.values.tolist(), strict=True)
    return {state: value for state, value in pairs if value}


def assert_memory_is_estimated(workload: Workload) -> None:
    estimate = ENGINE.assess(workload)
    assert isinstance(estimate, Estimate)
    peak = peak_bytes(lambda: ENGINE.run(workload))

    assert peak <= 1.05 * estimate.memory_bytes + 2**20
    assert peak >= 0.3 * estimate.memory_bytes - 2**20
