from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.equivalence import (
    MS,
    TARGETS,
    ZZ,
    circuits,
    compiled,
    state_error,
    unitary_error,
)

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.compiler.compilation import Target

EXACT = 1e-9
QIS = [gate for gate in GATES if gate.gateset == "qis"]


def example(gate: Gate, num_controls: int) -> Circuit:
    """Return a circuit of one gate, every parameter different."""
    terms = ("XZY",) if gate.num_targets is None else ()
    num_targets = gate.num_targets or 3
    num_params = sum(param.size or 1 for param in gate.params)
    operation = Operation(
        gate,
        tuple(range(num_targets)),
        tuple(range(num_targets, num_targets + num_controls)),
        tuple(0.7 + 1.1 * k for k in range(num_params)),
        terms,
    )
    return Circuit.from_operations(num_targets + num_controls, "qis", [operation])


@pytest.mark.parametrize("target", TARGETS, ids=["ms", "zz"])
@pytest.mark.parametrize("num_controls", range(4))
@pytest.mark.parametrize("gate", QIS, ids=lambda gate: gate.name)
def test_every_gate_is_compiled_with_any_controls(
    gate: Gate, num_controls: int, target: Target
) -> None:
    circuit = example(gate, max(num_controls, gate.min_controls))

    assert unitary_error(circuit, target) < EXACT
    assert state_error(circuit, target, 1) < EXACT


@pytest.mark.parametrize("name", ["x", "ry", "z"])
def test_a_gate_may_have_seven_controls(name: str) -> None:
    assert unitary_error(example(GATE_BY_NAME["qis", name], 7), ZZ) < EXACT


@pytest.mark.parametrize(
    ("name", "num_controls", "expected"),
    [
        ("x", 1, 1),
        ("x", 2, 5),
        ("x", 3, 13),
        ("x", 4, 27),
        ("rz", 1, 1),
        ("rz", 2, 4),
        ("rz", 3, 8),
    ],
)
def test_controls_take_few_interactions(name: str, num_controls: int, expected: int) -> None:
    _, native = compiled(example(GATE_BY_NAME["qis", name], num_controls), MS, 0)

    assert native.size().num_2q == expected


@settings(deadline=None, max_examples=60)
@given(circuits(), st.sampled_from(TARGETS), st.integers(0, 7))
def test_gate_by_gate_the_unitary_is_the_same(
    circuit: Circuit, target: Target, variant: int
) -> None:
    assert unitary_error(circuit, target, variant) < EXACT


@settings(deadline=None, max_examples=60)
@given(circuits(), st.sampled_from(TARGETS), st.integers(0, 7))
def test_as_a_whole_the_final_state_is_the_same(
    circuit: Circuit, target: Target, variant: int
) -> None:
    assert state_error(circuit, target, 1, variant) < EXACT
