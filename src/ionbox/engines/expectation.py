"""The expectation value and the variance of an observable, in a given state vector."""

from __future__ import annotations

from typing import Final

import numpy as np

from ionbox.circuits.observable import Observable
from ionbox.engines.pauli_words import cut_into_rows, pauli_word, times_sum
from ionbox.engines.vectors import Amplitudes, num_qubits_of
from ionbox.formats.results import Expectation

EXPECTATION_VECTORS: Final = 2.0  # the amplitudes, and the observable times them


def expectation(vector: Amplitudes, observable: Observable) -> Expectation:
    """Return <H> and <H^2> - <H>^2, for a vector of nearly norm 1.

    The variance is summed as the norm of (H - <H>) |state>, which is the same, never negative,
    and exact also where it is tiny beside <H>^2.
    """
    qubits = list(range(num_qubits_of(vector)))
    words = [
        pauli_word(term, qubits, coefficient)
        for term, coefficient in zip(observable.terms, observable.coefficients, strict=True)
    ]
    rows = cut_into_rows(vector)
    product = times_sum(rows, words)
    pairs = list(zip(rows, product, strict=True))
    norm = sum(_overlap(row, row) for row in rows)
    value = sum(_overlap(row, moved) for row, moved in pairs) / norm
    variance = 0.0
    for row, moved in pairs:
        moved -= value * row  # noqa: PLW2901 - in place: the vector may be as large as the memory
        variance += _overlap(moved, moved)
    return Expectation(value, variance / norm)


def _overlap(left: Amplitudes, right: Amplitudes) -> float:
    """Return the real part of <left|right>, summed in float64."""
    products = np.multiply(left.conj(), right, dtype=np.complex128)
    return float(products.real.sum(dtype=np.float64))
