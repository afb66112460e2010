from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.circuits.observable import Observable
from ionbox.engines.expectation import expectation

Matrix = NDArray[np.complex128]
PAULIS: dict[str, Matrix] = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.array([[0, 1], [1, 0]], np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], np.complex128),
    "Z": np.diag([1, -1]).astype(np.complex128),
}
WORDS = st.text("IXYZ", min_size=4, max_size=4)
TERMS = st.lists(st.tuples(WORDS, st.floats(-2, 2)), min_size=1, max_size=5)


def matrix_of(observable: Observable) -> Matrix:
    """Kronecker products in the order of the letters: the rightmost one is qubit 0."""
    total = np.zeros((2 ** len(observable.terms[0]),) * 2, np.complex128)
    for term, coefficient in zip(observable.terms, observable.coefficients, strict=True):
        word: Matrix = PAULIS["I"][:1, :1]
        for letter in term:
            word = np.kron(word, PAULIS[letter]).astype(np.complex128)
        total = total + coefficient * word
    return total


def random_vector(num_qubits: int, seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=2**num_qubits) + 1j * rng.normal(size=2**num_qubits)
    vector /= np.linalg.norm(vector)
    return np.asarray(vector, np.complex128)


@given(terms=TERMS, seed=st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_value_and_variance_are_those_of_the_matrix(
    terms: list[tuple[str, float]], seed: int
) -> None:
    observable = Observable(
        tuple(term for term, _ in terms), tuple(coefficient for _, coefficient in terms)
    )
    vector = random_vector(4, seed)
    matrix = matrix_of(observable)
    value = np.vdot(vector, matrix @ vector).real
    square = np.vdot(matrix @ vector, matrix @ vector).real

    found = expectation(vector, observable)

    assert found.value == pytest.approx(value, abs=1e-13)
    assert found.variance == pytest.approx(square - value**2, abs=1e-12)
    assert found.variance >= 0


def test_the_rightmost_letter_is_qubit_0() -> None:
    vector = np.array([0, 1, 0, 0], np.complex128)  # qubit 0 is 1

    assert expectation(vector, Observable(("IZ",), (1.0,))).value == -1
    assert expectation(vector, Observable(("ZI",), (1.0,))).value == 1


def test_an_eigenstate_has_no_variance_however_large_its_value_is() -> None:
    vector = np.full(4, 0.5, np.complex128)
    observable = Observable(("XI", "IX", "II"), (1e8, 1e8, 1e8))

    found = expectation(vector, observable)

    assert found.value == pytest.approx(3e8)
    assert found.variance < 1e-6


def test_a_constant_is_its_own_value() -> None:
    found = expectation(random_vector(3, 7), Observable(("III",), (-1.25,)))

    assert found.value == pytest.approx(-1.25)
    assert found.variance == pytest.approx(0, abs=1e-25)


def test_vectors_of_many_tiles_are_summed_in_float64() -> None:
    num_qubits = 17
    vector = np.full(2**num_qubits, 2 ** (-num_qubits / 2), np.complex64)
    vector[1::2] *= -1
    observable = Observable(("X" * num_qubits, "Z" * num_qubits), (0.5, 2.0))

    found = expectation(vector, observable)

    assert found.value == pytest.approx(-0.5, abs=1e-6)
    assert found.variance == pytest.approx(4, abs=1e-5)
