"""|amplitude|^2 as fast as NumPy can, for engines that return amplitudes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 17  # numbers that stay in the cache between the two steps


def squared_magnitudes(parts: NDArray[Any], threads: int) -> NDArray[Any]:
    """Return the probabilities; the amplitudes are used up.

    Args:
        parts: Real and imaginary part in turn.
        threads: At most so many.
    """
    probabilities = np.empty(parts.size // 2, parts.dtype)

    def square(start: int) -> None:
        block = parts[start : start + _BLOCK]
        np.multiply(block, block, out=block)
        np.add(block[::2], block[1::2], out=probabilities[start // 2 : (start + _BLOCK) // 2])

    if parts.size <= _BLOCK:
        square(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(square, range(0, parts.size, _BLOCK)))
    return probabilities
