"""Measuring one qubit of a state vector, and what the outcome leaves of it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from ionbox.engines.vectors import Amplitudes, block, layout, num_qubits_of, tiles


def probability_of_one(vector: Amplitudes, qubit: int) -> float:
    """Return the probability that a qubit is found in |1>; the norm need not be exactly 1."""
    zero, one = _halves(vector, qubit)
    weight = _weight(one)
    return weight / (weight + _weight(zero))


def _halves(vector: Amplitudes, qubit: int) -> tuple[Amplitudes, Amplitudes]:
    """View the amplitudes in which a qubit is 0, and those in which it is 1."""
    both = block(vector, layout(num_qubits_of(vector), (qubit,)))
    return both[0, ...], both[1, ...]  # the ellipsis keeps a single amplitude an array


def _weight(half: Amplitudes) -> float:
    """Return the squared norm, summed in float64 in an order that depends on the shape alone."""
    return sum(
        float((np.square(tile.real) + np.square(tile.imag)).sum(dtype=np.float64))
        for tile in tiles(half, 0)
    )


def collapse(vector: Amplitudes, qubit: int, outcome: int, probability: float) -> None:
    """Leave what a measurement with that outcome leaves, in place.

    Args:
        probability: Of the outcome, positive.
    """
    halves = _halves(vector, qubit)
    kept, lost = halves[outcome], halves[1 - outcome]
    kept *= 1 / sqrt(probability)
    lost[...] = 0


def flip(vector: Amplitudes, qubit: int) -> None:
    """Take a qubit that is surely |1> to |0>, in place."""
    zero, one = _halves(vector, qubit)
    zero[...] = one
    one[...] = 0
