"""Seeded sampling shared by the engines: inverse CDF in float64, the same for any thread count.

Weights are walked in chunks, so that a float32 vector never gets a float64 copy of its size. The
sum of a chunk is that of `ionbox.formats.weights`; within it, the weights of each of its blocks are
added from the first on, beside each other, then each block is raised by the end of the one before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ionbox._kernel import kernel
from ionbox.formats.results import FloatArray
from ionbox.formats.weights import CHUNK, add_up, chunks

_BLOCK = CHUNK // 4


def sample(
    weights: FloatArray, shots: int, seed: int, *, threads: int = 1
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Draw basis states with probabilities proportional to their weights.

    Args:
        weights: One number >= 0 for each basis state; they need not sum to 1.
        shots: How many are drawn.
        seed: Not negative; the same seed draws the same, neighbouring seeds are independent.
        threads: At most so many.

    Returns:
        The basis states that were drawn, ascending, and how often each was.
    """
    drawn = _locate(weights, _sorted_uniforms(shots, seed), threads)
    basis_states, counts = np.unique(drawn, return_counts=True)
    return basis_states, counts.astype(np.int64, copy=False)


def draw(weights: FloatArray, uniforms: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the basis state that each uniform in [0, 1) stands for, in their order.

    The same uniform stands for the same basis state, whatever else is drawn with it.
    """
    order = np.argsort(uniforms, kind="stable")
    drawn = np.empty(uniforms.size, np.uint64)
    drawn[order] = _locate(weights, uniforms[order], threads=1)
    return drawn


def _locate(weights: FloatArray, uniforms: NDArray[np.float64], threads: int) -> NDArray[np.uint64]:
    """Return the basis states of ascending uniforms."""
    drawn = np.empty(uniforms.size, np.uint64)
    if kernel is not None:
        kernel.locate(np.ascontiguousarray(weights), uniforms, drawn, threads=threads)
        return drawn
    parts = list(chunks(weights))
    ends = np.cumsum(list(map(add_up, parts)))
    points = uniforms * ends[-1]
    owners = _invert(ends, points)
    # The points are sorted, so those of one chunk lie next to each other.
    borders = np.flatnonzero(np.diff(owners, prepend=-1, append=len(parts)))
    for first, last in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        chunk = int(owners[first])
        below = ends[chunk - 1] if chunk else 0.0
        cdf = _cdf(parts[chunk])
        drawn[first:last] = _invert(cdf, points[first:last] - below) + chunk * CHUNK
    return drawn


def _cdf(chunk: FloatArray) -> NDArray[np.float64]:
    """Return the sums of the weights up to each place."""
    cdf = np.empty(chunk.size)
    below = 0.0
    for start in range(0, chunk.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        np.cumsum(chunk[block], dtype=np.float64, out=cdf[block])
        cdf[block] += below
        below = cdf[block][-1]
    return cdf


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
