from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.equivalence import TARGETS, ZZ, compiled, state_error

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.compiler.compilation import Target

HOP_OF_TWO = ("XXXY", "XXYX", "XYXX", "YXXX", "YYYX", "YYXY", "YXYY", "XYYY")


def pauliexp(num_qubits: int, coefficient: float, *terms: str) -> Operation:
    return Operation(
        GATE_BY_NAME["qis", "pauliexp"],
        tuple(range(num_qubits)),
        (),
        (*([coefficient] * len(terms)), 1.0),
        terms,
    )


def circuit(*operations: Operation) -> Circuit:
    return Circuit.from_operations(len(operations[0].targets), "qis", operations)


def num_2q(given_circuit: Circuit, opt: int) -> int:
    return compiled(given_circuit, ZZ, opt)[1].size().num_2q


@st.composite
def evolutions(draw: st.DrawFn) -> Circuit:
    """Draw a circuit of pauliexp, each of one word."""
    num_qubits = draw(st.integers(1, 5))
    words = st.text("IXYZ", min_size=num_qubits, max_size=num_qubits)
    factors = st.sampled_from([0.3, -0.4, np.pi / 4])
    drawn = draw(st.lists(st.tuples(factors, words), min_size=1, max_size=10))
    return circuit(*(pauliexp(num_qubits, factor, word) for factor, word in drawn))


@settings(deadline=None, max_examples=30)
@given(evolutions(), st.sampled_from(TARGETS))
def test_shared_interactions_do_the_same(drawn: Circuit, target: Target) -> None:
    assert state_error(drawn, target, 2) < 1e-9
    assert num_2q(drawn, 2) <= num_2q(drawn, 1)


@pytest.mark.parametrize("opt", [1, 2])
def test_many_words_take_little_more_than_one(opt: int) -> None:
    hop = circuit(pauliexp(4, 0.3, *HOP_OF_TWO))

    assert num_2q(hop, 0) == 40
    assert num_2q(hop, opt) <= 14
    assert state_error(hop, ZZ, opt) < 1e-9


def test_the_steps_of_an_evolution_are_alike() -> None:
    chain = circuit(pauliexp(5, 0.5, "XXIII", "IXXII", "IIXXI", "IIIXX", "ZZZZZ", "IZIZI"))

    assert state_error(chain, ZZ, 1, precision=1e-2) < 1e-2
    assert num_2q(chain, 1) < num_2q(chain, 0)
