"""Seeded sampling shared by the engines: inverse CDF in float64, the same for any thread count.

Weights are walked in chunks, so that a float32 vector never gets a float64 copy of its size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ionbox.formats.results import FloatArray

_CHUNK = 1 << 16


def sample(
    weights: FloatArray, shots: int, seed: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Draw basis states with probabilities proportional to their weights.

    Args:
        weights: One number >= 0 for each basis state; they need not sum to 1.
        shots: How many are drawn.
        seed: Not negative; the same seed draws the same, neighbouring seeds are independent.

    Returns:
        The basis states that were drawn, ascending, and how often each was.
    """
    drawn = _locate(weights, _sorted_uniforms(shots, seed))
    basis_states, counts = np.unique(drawn, return_counts=True)
    return basis_states, counts.astype(np.int64, copy=False)


def draw(weights: FloatArray, uniforms: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the basis state that each uniform in [0, 1) stands for, in their order.

    The same uniform stands for the same basis state, whatever else is drawn with it.
    """
    order = np.argsort(uniforms, kind="stable")
    drawn = np.empty(uniforms.size, np.uint64)
    drawn[order] = _locate(weights, uniforms[order])
    return drawn


def _locate(weights: FloatArray, uniforms: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the basis states of ascending uniforms."""
    chunks = [weights[start : start + _CHUNK] for start in range(0, weights.size, _CHUNK)]
    ends = np.cumsum([chunk.sum(dtype=np.float64) for chunk in chunks])
    points = uniforms * ends[-1]
    owners = _invert(ends, points)
    drawn = np.empty(uniforms.size, np.uint64)
    # The points are sorted, so those of one chunk lie next to each other.
    borders = np.flatnonzero(np.diff(owners, prepend=-1, append=len(chunks)))
    for first, last in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        chunk = int(owners[first])
        below = ends[chunk - 1] if chunk else 0.0
        cdf = np.cumsum(chunks[chunk], dtype=np.float64)
        drawn[first:last] = _invert(cdf, points[first:last] - below) + chunk * _CHUNK
    return drawn


def _sorted_uniforms(shots: int, seed: int) -> NDArray[np.float64]:
    """Return uniforms in [0, 1).

    SeedSequence hashes the seed, so that jobs with seeds 7 and 8 share nothing (seed + shot, as
    some simulators have it, gives them nearly the same sample). Philox is a counter: another
    thread, or a kernel in C++, can start at any shot without drawing those before it.
    """
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    return np.sort(generator.random(shots))


def _invert(cdf: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the place of each point in a CDF, never one with weight zero."""
    places = cdf.searchsorted(points, side="right")
    # Rounding may put a point at or past the end: it belongs to the last place with weight.
    last = cdf.searchsorted(cdf[-1], side="left")
    inside: NDArray[np.intp] = np.minimum(places, last)
    return inside
