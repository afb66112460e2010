from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import qis
from tests.unit.compiler.equivalence import circuits

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import unitary
from ionbox.compiler.cancelling import cancelled

X = qis("x", (2,))
TOFFOLI = qis("x", (2,), controls=(0, 1))


@pytest.mark.parametrize(
    ("operations", "num_left"),
    [
        ([TOFFOLI, qis("x", (2,), controls=(1, 0))], 0),
        ([qis("cnot", (1,), controls=(0,)), qis("x", (1,), controls=(0,))], 0),
        ([qis("z", (0,), np.pi, controls=(1, 2)), qis("z", (0,), np.pi, controls=(1, 2))], 0),
        ([qis("s", (0,)), qis("rx", (1,), 0.3), qis("rx", (1,), -0.3), qis("si", (0,))], 0),
        ([TOFFOLI, X, X, TOFFOLI], 0),
        ([TOFFOLI, X, TOFFOLI], 3),
        ([TOFFOLI, qis("h", (0,)), TOFFOLI], 3),
        ([TOFFOLI, qis("h", (3,)), TOFFOLI], 1),
        ([qis("rx", (0,), 0.3), qis("rx", (0,), 0.3)], 2),
        ([qis("x", (0,), controls=(1,)), qis("x", (1,), controls=(0,))], 2),
    ],
)
def test_what_is_undone_at_once_is_left_out(operations: list[Operation], num_left: int) -> None:
    assert len(cancelled(operations)) == num_left


def test_a_pauliexp_is_undone_by_its_opposite() -> None:
    gate = GATE_BY_NAME["qis", "pauliexp"]
    there = Operation(gate, (0, 1), (), (0.3, 0.2, 1.0), ("XY", "ZZ"))
    back = Operation(gate, (0, 1), (), (-0.3, -0.2, 1.0), ("XY", "ZZ"))

    assert cancelled([there, back]) == []
    assert cancelled([there, there]) == [there, there]


@settings(deadline=None, max_examples=60)
@given(circuits(max_qubits=4), st.data())
def test_the_unitary_stays_the_same(circuit: Circuit, data: st.DataObject) -> None:
    operations = list(circuit.operations())
    many = [
        operations[k]
        for k in data.draw(st.lists(st.integers(0, 11), max_size=20))
        if k < len(operations)
    ]
    before = Circuit.from_operations(circuit.num_qubits, "qis", many)
    after = Circuit.from_operations(circuit.num_qubits, "qis", cancelled(many))

    np.testing.assert_allclose(unitary(after), unitary(before), atol=1e-9)
