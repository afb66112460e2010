from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import qis

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import state_vector
from ionbox.engines.structure import kind_of, kinds, most_amplitudes, spread


def ghz(num_qubits: int) -> list[Operation]:
    chain = [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)]
    return [qis("h", (0,)), *chain]


def pauliexp(targets: tuple[int, ...], *terms: str) -> Operation:
    params = (*([0.3] * len(terms)), 1.0)
    return Operation(GATE_BY_NAME["qis", "pauliexp"], targets, (), params, terms)


@pytest.mark.parametrize(
    ("operation", "growth", "moved"),
    [
        (qis("x", (0,)), 0, (0,)),
        (qis("h", (0,)), 1, (0,)),
        (qis("t", (0,)), 0, ()),
        (qis("rx", (0,), pi), 0, (0,)),
        (qis("rx", (0,), 2 * pi), 0, ()),
        (qis("ry", (0,), 0.1), 1, (0,)),
        (qis("cnot", (0,), controls=(1, 2)), 0, (0,)),
        (qis("swap", (0, 1)), 0, (0, 1)),
        (qis("xx", (0, 1), 0.3), 1, (0, 1)),
        (qis("zz", (0, 1), 0.3), 0, ()),
        (pauliexp((0, 1, 2), "ZIZ", "IZI"), 0, ()),
        (pauliexp((0, 1, 2), "XIZ", "XII", "IYI"), 2, (1, 2)),
    ],
)
def test_a_kind_knows_how_far_it_spreads(
    operation: Operation, growth: float, moved: tuple[int, ...]
) -> None:
    assert spread(kind_of(operation)) == (growth, moved)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], 0),
        (ghz(30), 1),
        ([*ghz(30), *[qis("t", (qubit,)) for qubit in range(30)]], 1),
        ([qis("h", (0,)), qis("h", (0,)), qis("h", (0,))], 1),
        ([qis("h", (0,)), qis("cnot", (1,), controls=(0,)), qis("h", (0,))], 2),
        ([qis("h", (qubit,)) for qubit in range(30)], 30),
    ],
)
def test_the_bound_counts_what_mixes_and_the_qubits_it_can_reach(
    operations: list[Operation], expected: float
) -> None:
    assert most_amplitudes(Circuit.from_operations(30, "qis", operations)) == expected


GATES_OF_FEW = st.sampled_from(
    [
        *[qis(name, (qubit,)) for name in ("x", "h", "t") for qubit in range(3)],
        *[qis("cnot", (qubit,), controls=((qubit + 1) % 3,)) for qubit in range(3)],
        qis("xx", (0, 2), 0.4),
        qis("swap", (1, 2)),
        pauliexp((0, 1, 2), "XYZ", "ZZI"),
        pauliexp((0, 1, 2), "XIZ", "ZZI"),
    ]
)


@given(st.lists(GATES_OF_FEW, max_size=8))
@settings(derandomize=True, deadline=None)
def test_no_more_amplitudes_are_nonzero_than_the_bound_says(operations: list[Operation]) -> None:
    circuit = Circuit.from_operations(4, "qis", operations)

    count = np.count_nonzero(np.abs(state_vector(circuit)) > 1e-12)

    assert count <= 2 ** most_amplitudes(circuit) + 1e-9


def test_kinds_come_in_order_with_their_qubits() -> None:
    operations = [qis("cnot", (2,), controls=(0,)), pauliexp((1, 0), "XZ"), qis("rx", (1,), 0.5)]

    found = list(kinds(Circuit.from_operations(3, "qis", operations)))

    assert found == [
        (kind_of(operation), [*operation.targets, *operation.controls]) for operation in operations
    ]
