from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import PAULIS

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.unitaries import Matrix
from ionbox.compiler.evolution import Word, steps, words_of
from ionbox.errors import InvalidCircuitError

NUM_QUBITS = 4


def evolution(time: float, **coefficients: float) -> Operation:
    return Operation(
        GATE_BY_NAME["qis", "pauliexp"],
        tuple(range(len(next(iter(coefficients))))),
        (),
        (*coefficients.values(), time),
        tuple(coefficients),
    )


def rotation(word: Word, num_qubits: int) -> Matrix:
    letters = dict(word.letters)
    factors = [PAULIS["IXYZ".index(letters.get(q, "I"))] for q in reversed(range(num_qubits))]
    product = np.ones((1, 1), np.complex128)
    for factor in factors:
        product = np.kron(product, factor).astype(np.complex128)
    half = word.rotation / 2
    found: Matrix = np.cos(half) * np.eye(1 << num_qubits) - 1j * np.sin(half) * product
    return found


def error(operation: Operation, precision: float) -> tuple[float, int]:
    """Return the operator norm of the error, and how many rotations there are."""
    num_qubits = len(operation.targets)
    words = [word for group in steps(words_of(operation), precision) for word in group]
    product = np.eye(1 << num_qubits, dtype=np.complex128)
    for word in words:
        product = rotation(word, num_qubits) @ product
    return float(np.linalg.norm(product - operation.unitary(), 2)), len(words)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.text("IXYZ", min_size=NUM_QUBITS, max_size=NUM_QUBITS),
        st.floats(-1, 1),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([0.1, 0.5]),
    st.sampled_from([1e-1, 1e-2]),
)
def test_an_evolution_is_as_precise_as_asked(
    coefficients: dict[str, float], time: float, precision: float
) -> None:
    off, _ = error(evolution(time, **coefficients), precision)

    assert off <= precision + 1e-12


def test_words_that_commute_are_exact() -> None:
    off, num_rotations = error(evolution(2.0, XXXX=0.3, YYII=0.2, IIZZ=0.7, ZZZZ=-0.4), 1.0)

    assert off < 1e-12
    assert num_rotations == 4


@pytest.mark.parametrize(("precision", "least"), [(1e-2, 10), (1e-4, 40)])
def test_more_precision_takes_more_steps_of_second_order(precision: float, least: int) -> None:
    chain = {"XII": 0.5, "IXI": 0.5, "IIX": 0.5, "ZZI": 1.0, "IZZ": 1.0}
    off, num_rotations = error(evolution(0.5, **chain), precision)

    assert off <= precision
    assert least < num_rotations < 30 * least


def test_equal_words_are_added_up_and_opposite_ones_are_gone() -> None:
    operation = Operation(
        GATE_BY_NAME["qis", "pauliexp"], (3, 1), (), (0.5, 0.25, -0.5, 1.0), ("XZ", "ZI", "XZ")
    )

    assert words_of(operation) == [Word(((1, "Z"),), 0.5)]


@pytest.mark.parametrize("time", [1e6, 1e300])
def test_an_evolution_that_would_take_too_many_steps_is_refused(time: float) -> None:
    words = words_of(evolution(time, XXI=0.3, IZZ=0.2))

    message = "circuit: a pauliexp takes over 100000 rotations at the precision 0.001"
    with pytest.raises(InvalidCircuitError, match=message):
        list(steps(words, 1e-3))
