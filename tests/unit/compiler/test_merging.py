from __future__ import annotations

from math import pi

import numpy as np
import pytest
from tests.builders import qis
from tests.unit.compiler.equivalence import MS, ZZ, compiled, state_error

from ionbox.circuits.circuit import Circuit, Operation


def cnot(control: int, target: int) -> Operation:
    return qis("cnot", (target,), controls=(control,))


def phase(one: int, other: int, rotation: float) -> Operation:
    return qis("z", (one,), rotation, controls=(other,))


# Each of four qubits has a partner, so that nothing is known of its state.
PARTNERS = [step for q in range(4) for step in (qis("rx", (q + 4,), 0.3 + q), cnot(q + 4, q))]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([cnot(0, 1), cnot(0, 1)], 0),
        ([cnot(0, 1), qis("rz", (0,), 0.3), qis("rx", (1,), 0.2), cnot(0, 1)], 0),
        ([cnot(0, 1), qis("ry", (0,), 0.3), cnot(0, 1)], 1),  # cnots of one target
        ([cnot(0, 1), qis("ry", (0,), 0.3), cnot(1, 0)], 2),
        ([cnot(0, 1), cnot(0, 2), cnot(3, 1), cnot(0, 1)], 2),
        ([phase(0, 1, 0.3), phase(1, 2, 0.2), phase(0, 1, 0.4), phase(2, 0, 0.1)], 3),
        ([qis("zz", (0, 1), 0.3), qis("zz", (1, 0), -0.3)], 0),
        ([qis("zz", (0, 1), pi)], 0),
        ([qis("zz", (0, 1), 0.3), qis("xx", (0, 1), 0.3), qis("zz", (0, 1), 0.3)], 2),
        ([qis(name, (0, 1), 0.3) for name in ("xx", "yy", "zz", "xx", "yy", "zz")], 3),
        ([cnot(0, 1), cnot(1, 0)], 1),  # names are exchanged
        ([cnot(0, 1), cnot(1, 0), cnot(0, 1)], 0),
        ([qis("swap", (0, 1)), cnot(0, 1), qis("swap", (1, 2)), cnot(0, 2)], 0),
    ],
)
def test_interactions_are_merged(operations: list[Operation], expected: int) -> None:
    circuit = Circuit.from_operations(8, "qis", [*PARTNERS, *operations])

    for target in (MS, ZZ):
        assert compiled(circuit, target, 1)[1].size().num_2q == 4 + expected
        assert state_error(circuit, target, 1) < 1e-9


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([cnot(0, 1)], 0),
        ([qis("x", (0,)), cnot(0, 1), qis("h", (2,)), cnot(1, 2)], 0),
        ([qis("h", (0,)), cnot(0, 1)], 1),
        ([qis("h", (0,)), phase(0, 1, 0.3), phase(0, 2, 0.3)], 0),
        (
            [
                qis("rx", (0,), 0.3),
                qis("ry", (1,), 0.7),
                *[qis(name, (0, 1), 0.3) for name in ("xx", "yy", "zz")],
            ],
            1,
        ),
    ],
)
def test_a_qubit_that_is_0_takes_no_interaction(operations: list[Operation], expected: int) -> None:
    circuit = Circuit.from_operations(4, "qis", operations)

    assert compiled(circuit, ZZ, 1)[1].size().num_2q == expected
    assert state_error(circuit, ZZ, 1) < 1e-9


def test_any_run_on_one_pair_takes_three_interactions() -> None:
    random = np.random.default_rng(5)
    run = [
        operation
        for _ in range(10)
        for operation in (
            *(qis(name, (q,), random.uniform(0, 6)) for name in ("rx", "rz") for q in (0, 1)),
            cnot(*random.permutation(2).tolist()),
        )
    ]
    start = [qis("ry", (0,), 1.0), qis("ry", (2,), 1.0), cnot(0, 2), qis("ry", (1,), 1.0)]
    circuit = Circuit.from_operations(3, "qis", [*start, cnot(2, 1), *run])

    assert compiled(circuit, ZZ, 1)[1].size().num_2q == 5
    assert state_error(circuit, ZZ, 1) < 1e-9


def test_long_circuits_of_what_commutes_take_no_square_of_their_length() -> None:
    star = [phase(0, 1 + k % 19, 0.1) for k in range(3000)]
    turns = [qis("h", (qubit,)) for qubit in range(20)]
    circuit = Circuit.from_operations(20, "qis", [*turns, *star])

    assert compiled(circuit, ZZ, 1)[1].size().num_2q == 19
