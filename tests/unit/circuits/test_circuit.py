from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from ionbox.circuits import oracle
from ionbox.circuits.circuit import MAX_OPERATION_QUBITS, MAX_QUBITS, Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, GATESETS, ROW_BY_NAME, Gate
from ionbox.errors import InvalidCircuitError
from ionbox.formats.ionq import read_circuit, write_circuit

X = GATE_BY_NAME["qis", "x"]
RX = GATE_BY_NAME["qis", "rx"]
SWAP = GATE_BY_NAME["qis", "swap"]
CNOT = GATE_BY_NAME["qis", "cnot"]
PAULIEXP = GATE_BY_NAME["qis", "pauliexp"]
GPI = GATE_BY_NAME["native", "gpi"]
MS = GATE_BY_NAME["native", "ms"]
NOP = GATE_BY_NAME["native", "nop"]


@st.composite
def operations(draw: st.DrawFn, gate: Gate, num_qubits: int) -> Operation:
    least = (gate.num_targets or 1) + gate.min_controls
    num_targets = gate.num_targets or draw(st.integers(1, num_qubits))
    most_controls = min(3, num_qubits - num_targets) if gate.controllable else 0
    num_controls = draw(st.integers(gate.min_controls, max(most_controls, gate.min_controls)))
    assert num_qubits >= least
    qubits = draw(st.permutations(range(num_qubits)))
    terms: list[str] = []
    if gate.num_targets is None:
        term = st.text("IXYZ", min_size=num_targets, max_size=num_targets)
        terms = draw(st.lists(term, min_size=1, max_size=3))
    params: list[float] = []
    for param in gate.params:
        number = st.floats(-1 if param.minimum is None else param.minimum, 1)
        size = len(terms) if param.size is None else param.size
        params += draw(st.lists(number, min_size=size, max_size=size))
    return Operation(
        gate,
        targets=tuple(qubits[:num_targets]),
        controls=tuple(qubits[num_targets : num_targets + num_controls]),
        params=tuple(params),
        terms=tuple(terms),
    )


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    num_qubits = draw(st.integers(1, 5))
    gateset = draw(st.sampled_from(GATESETS))
    fitting = [
        gate
        for gate in GATES
        if gate.gateset == gateset and (gate.num_targets or 1) + gate.min_controls <= num_qubits
    ]
    operation = st.sampled_from(fitting).flatmap(lambda gate: operations(gate, num_qubits))
    return Circuit.from_operations(num_qubits, gateset, draw(st.lists(operation, max_size=6)))


def inverse(operation: Operation) -> Operation:
    name, params = operation.gate.inverse(operation.params)
    gate = GATE_BY_NAME[operation.gate.gateset, name]
    return Operation(gate, operation.targets, operation.controls, params, operation.terms)


@given(circuit=circuits())
@settings(derandomize=True, deadline=None)
def test_every_circuit_keeps_the_norm(circuit: Circuit) -> None:
    assert np.linalg.norm(oracle.state_vector(circuit)) == pytest.approx(1, abs=1e-12)


@given(circuit=circuits())
@settings(derandomize=True, deadline=None, max_examples=50)
def test_a_circuit_and_its_inverse_do_nothing(circuit: Circuit) -> None:
    there = list(circuit.operations())
    back = [inverse(operation) for operation in reversed(there)]
    both = Circuit.from_operations(circuit.num_qubits, circuit.gateset, there + back)

    np.testing.assert_allclose(oracle.unitary(both), np.eye(2**circuit.num_qubits), atol=1e-12)


@given(circuit=circuits())
@settings(derandomize=True, deadline=None)
def test_what_is_written_is_read_back(circuit: Circuit) -> None:
    again = read_circuit(json.encode(write_circuit(circuit)))

    assert (again.num_qubits, again.gateset) == (circuit.num_qubits, circuit.gateset)
    assert list(again.operations()) == list(circuit.operations())


def test_the_arrays_hold_one_slice_an_operation() -> None:
    circuit = Circuit.from_operations(
        4,
        "qis",
        [
            Operation(RX, targets=(3,), controls=(1, 0), params=(0.5,)),
            Operation(PAULIEXP, targets=(2, 0), params=(1.0, -1.0, 0.1), terms=("XI", "ZY")),
            Operation(X, targets=(1,)),
        ],
    )

    assert circuit.num_operations == 3
    rows = [ROW_BY_NAME["qis", name] for name in ("rx", "pauliexp", "x")]
    _assert_array(circuit.gates, rows, np.int16)
    _assert_array(circuit.qubits, [3, 1, 0, 2, 0, 1], np.int32)
    _assert_array(circuit.qubit_starts, [0, 3, 5, 6], np.int32)
    _assert_array(circuit.num_targets, [1, 2, 1], np.int32)
    _assert_array(circuit.params, [0.5, 1.0, -1.0, 0.1], np.float64)
    _assert_array(circuit.param_starts, [0, 1, 4, 4], np.int32)
    _assert_array(circuit.paulis, [0, 1, 2, 3], np.uint8)
    _assert_array(circuit.pauli_starts, [0, 0, 4, 4], np.int32)


def _assert_array(array: np.ndarray, values: Sequence[float], dtype: type[np.generic]) -> None:
    assert array.tolist() == values
    assert array.dtype == dtype
    assert not array.flags.writeable


def test_a_circuit_may_be_empty() -> None:
    circuit = Circuit.from_operations(2, "native", [])

    assert circuit.num_operations == 0
    assert list(circuit.operations()) == []
    assert circuit.gate_counts() == (0, 0)
    assert circuit.qubit_starts.tolist() == circuit.pauli_starts.tolist() == [0]


def test_gates_are_counted_by_their_qubits_controls_too() -> None:
    qis = [
        Operation(X, (0,)),
        Operation(X, (0,), (1,)),
        Operation(RX, (2,), params=(0.1,)),
        Operation(SWAP, (0, 1), (2,)),
    ]
    native = [Operation(NOP, (0,)), Operation(GPI, (1,), params=(0.1,))]

    assert Circuit.from_operations(3, "qis", qis).gate_counts() == (2, 2)
    assert Circuit.from_operations(2, "native", native).gate_counts() == (1, 0)


@pytest.mark.parametrize(
    ("num_qubits", "gateset", "operation", "message"),
    [
        (0, "qis", None, "qubits: 0 qubits; a circuit has at least 1"),
        (-3, "qis", None, "qubits: -3 qubits; a circuit has at least 1"),
        (
            MAX_QUBITS + 1,
            "qis",
            None,
            f"qubits: {MAX_QUBITS + 1} qubits; a circuit has at most {MAX_QUBITS}",
        ),
        (4, "qis", Operation(X, (7,)), "circuit[1].targets[0]: qubit 7 of a 4-qubit circuit"),
        (
            4,
            "qis",
            Operation(X, (-1,)),
            "circuit[1].targets[0]: qubit -1; qubits are counted from 0",
        ),
        (
            4,
            "qis",
            Operation(X, (0,), (4,)),
            "circuit[1].controls[0]: qubit 4 of a 4-qubit circuit",
        ),
        (
            4,
            "qis",
            Operation(SWAP, (2, 2)),
            "circuit[1].targets[1]: qubit 2 is already a target of this gate",
        ),
        (
            4,
            "qis",
            Operation(X, (2,), (1, 2)),
            "circuit[1].controls[1]: qubit 2 is already a target of this gate",
        ),
        (
            4,
            "qis",
            Operation(X, (2,), (1, 1)),
            "circuit[1].controls[1]: qubit 1 is already a control of this gate",
        ),
        (4, "qis", Operation(X, (0, 1)), "circuit[1].targets: gate x acts on 1 target, not 2"),
        (
            4,
            "qis",
            Operation(CNOT, (0,)),
            "circuit[1].controls: gate cnot needs at least 1 control",
        ),
        (
            4,
            "native",
            Operation(GPI, (0,), (1,), (0.1,)),
            "circuit[1].controls: gate gpi takes no controls",
        ),
        (
            100,
            "qis",
            Operation(X, (0,), tuple(range(1, 66))),
            f"circuit[1].controls: 66 qubits in one gate; {MAX_OPERATION_QUBITS} at most",
        ),
        (4, "qis", Operation(RX, (0,)), "circuit[1].params: gate rx takes 1 number, not 0"),
        (
            4,
            "qis",
            Operation(X, (0,), (), (1.0,)),
            "circuit[1].params: gate x takes 0 numbers, not 1",
        ),
        (4, "qis", Operation(RX, (0,), (), (math.nan,)), "circuit[1].rotation: nan must be finite"),
        (
            4,
            "native",
            Operation(MS, (0, 1), (), (0.0, math.inf, 0.25)),
            "circuit[1].phases[1]: inf must be finite",
        ),
        (4, "qis", Operation(X, (0,), terms=("X",)), "circuit[1].terms: gate x takes no terms"),
        (
            4,
            "qis",
            Operation(PAULIEXP, (0,), (), (math.nan, 0.5), ("X",)),
            "circuit[1].coefficients[0]: nan must be finite",
        ),
        (
            4,
            "qis",
            Operation(GPI, (0,), (), (0.1,)),
            (
                "circuit[1].gate: gate gpi belongs to gateset native, this circuit to qis; "
                "gatesets are never mixed"
            ),
        ),
    ],
)
def test_an_impossible_circuit_is_refused_with_its_place(
    num_qubits: int,
    gateset: str,
    operation: Operation | None,
    message: str,
) -> None:
    first = Operation(X, (0,)) if gateset == "qis" else Operation(NOP, (0,))
    with pytest.raises(InvalidCircuitError) as caught:
        Circuit.from_operations(num_qubits, gateset, [first, *([operation] if operation else [])])

    assert str(caught.value) == message
