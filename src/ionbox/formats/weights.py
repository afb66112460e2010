"""What is summed and kept of weights: by the extension in C++, or in NumPy, to the same bits.

Weights are walked in chunks of 2**16, so that no second array of their size is needed. The order
of a sum in float64 is fixed, and the same for any number of threads: the numbers of a chunk stand
in rows of 256; rows are added in pairs, their sums in pairs and so on to one row; then its halves,
and so on to one number; and the sums of chunks in the same way. So 2**k equal weights are added
without rounding, and an even superposition is printed as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox._kernel import kernel

Weights: TypeAlias = NDArray[np.float64 | np.float32]

CHUNK: Final = 1 << 16
_LANES: Final = 256


class Survey(NamedTuple):
    """What the read-out keeps: all weights that are at least `least`.

    Args:
        largest: Of all weights; NaN if one of them is.
        least: A share of the largest, in the precision of the weights.
        num_kept: How many are kept.
        total: The sum of those that are kept.
    """

    largest: float
    least: float
    num_kept: int
    total: float


def survey(weights: Weights, share: float, *, threads: int = 1) -> Survey:
    """Say which weights are kept: those that are at least this share of the largest one."""
    if kernel is not None:
        return Survey(*kernel.survey(weights, share, threads=threads))
    largest = float(weights.max())
    least = weights.dtype.type(largest * share)
    count, sums = 0, []
    for chunk in chunks(weights):
        is_kept = chunk >= least
        count += int(np.count_nonzero(is_kept))
        sums.append(add_up(chunk * is_kept))
    return Survey(largest, float(least), count, add_up(np.array(sums)))


def rescale(weights: Weights, found: Survey, *, threads: int = 1) -> None:
    """Divide the weights that are kept by their sum, in place; the others become 0."""
    if kernel is not None:
        kernel.rescale(weights, found.least, found.total, threads=threads)
        return
    for chunk in chunks(weights):
        chunk[:] = _rescaled(chunk * (chunk >= found.least), found)


def gather(
    weights: Weights, found: Survey, *, threads: int = 1
) -> tuple[NDArray[np.uint64], Weights]:
    """Return the basis states of the weights that are kept, ascending, and the rescaled weights."""
    basis_states = np.empty(found.num_kept, np.uint64)
    values: Weights = np.empty(found.num_kept, weights.dtype)
    if kernel is not None:
        kernel.gather(weights, found.least, found.total, basis_states, values, threads=threads)
        return basis_states, values
    end = 0
    for number, chunk in enumerate(chunks(weights)):
        places = np.flatnonzero(chunk >= found.least)
        start, end = end, end + places.size
        basis_states[start:end] = places + number * CHUNK
        values[start:end] = _rescaled(chunk[places], found)
    return basis_states, values


def chunks(weights: Weights) -> Iterator[Weights]:
    """Yield views of the weights, one chunk after the other."""
    return (weights[start : start + CHUNK] for start in range(0, weights.size, CHUNK))


def add_up(numbers: Weights) -> float:
    """Add the weights of a chunk, or the sums of chunks, in the fixed order."""
    num_rows = -(-numbers.size // _LANES)
    rows = np.zeros((1 << (num_rows - 1).bit_length(), _LANES))
    rows.reshape(-1)[: numbers.size] = numbers
    while len(rows) > 1:
        rows = rows[::2] + rows[1::2]
    lanes = rows[0]
    while lanes.size > 1:
        lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
    return float(lanes[0])


def _rescaled(chunk: Weights, found: Survey) -> NDArray[np.float64]:
    # The sum of 2**30 float32 numbers needs float64, and so do the quotients before rounding.
    if chunk.itemsize == 4:
        return chunk.astype(np.float64) * (1 / found.total)  # as the extension, for which it pays
    return chunk.astype(np.float64) / found.total
