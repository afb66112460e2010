"""State vectors as arrays, and the views and tiles in which every engine works on them.

Every operation is a pass over tiles of the vector: small enough that a tile and its temporaries
stay in the cache, so that a run needs little more memory than the vector itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ionbox.engines.engine import ResolvedPrecision
from ionbox.formats.results import FloatArray

Amplitudes: TypeAlias = NDArray[np.complex128 | np.complex64]
AmplitudeType: TypeAlias = np.dtype[np.complex128 | np.complex64]
Array = TypeVar("Array", bound=NDArray[Any])

_MOST_QUBITS = 48  # 4 PiB; far beyond any memory, and far below where sizes overflow
TILE: Final = 1 << 14  # amplitudes; with 2**12 the calls cost more, with 2**16 the cache is missed

AMPLITUDE_TYPES: Final[Mapping[ResolvedPrecision, AmplitudeType]] = {
    "float64": np.dtype(np.complex128),
    "float32": np.dtype(np.complex64),
}


class Layout(NamedTuple):
    """How a vector is cut into axes, for `block`.

    Args:
        shape: One axis of length 2 for each named qubit; the others, neighbours merged, between.
        axes: Those of the controls, of the targets (the last target first), of the others.
        ones: Picks the controls that are 1.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    ones: tuple[Any, ...]


@lru_cache(maxsize=4096)
def layout(num_qubits: int, targets: tuple[int, ...], controls: tuple[int, ...] = ()) -> Layout:
    """Return the layout that has an axis for each target and each control."""
    shape: list[int] = []
    axis_of: dict[int, int] = {}
    top = num_qubits
    for qubit in sorted((*targets, *controls), reverse=True):
        if top - qubit > 1:
            shape.append(1 << (top - qubit - 1))
        axis_of[qubit] = len(shape)
        shape.append(2)
        top = qubit
    if top:
        shape.append(1 << top)
    named = [axis_of[qubit] for qubit in (*controls, *reversed(targets))]
    others = [axis for axis in range(len(shape)) if axis not in named]
    return Layout(tuple(shape), (*named, *others), (*(1,) * len(controls), ...))


def block(vector: Array, cut: Layout) -> Array:
    """View the entries whose controls are all 1.

    Returns:
        Axes: one for each target, the last target first (so that target k is bit k of their
        joint index), then the other qubits, neighbours merged into one axis, highest first.
    """
    view: Array = vector.reshape(cut.shape).transpose(cut.axes)[cut.ones]
    return view


def tiles(whole: Array, num_targets: int) -> Iterator[Array]:
    """Halve a block along its first long axis, never along a target, until it is a tile."""
    if whole.size <= TILE:
        yield whole
        return
    axis = next(axis for axis in range(num_targets, whole.ndim) if whole.shape[axis] > 1)
    middle = whole.shape[axis] // 2
    before = (slice(None),) * axis
    for half in (slice(None, middle), slice(middle, None)):
        yield from tiles(cast("Array", whole[(*before, half)]), num_targets)


def ground_state(num_qubits: int, amplitude_type: AmplitudeType) -> Amplitudes:
    """Return the vector with all qubits in |0>."""
    vector: Amplitudes = np.zeros(1 << num_qubits, amplitude_type)
    vector[0] = 1
    return vector


def take_weights(vector: Amplitudes) -> FloatArray:
    """Return the squared magnitudes of the amplitudes; the vector is used up."""
    parts = vector.view(vector.real.dtype)
    np.square(parts, out=parts)  # in place: the weights are the only new array
    weights: FloatArray = parts[::2] + parts[1::2]
    return weights


def too_wide(num_qubits: int) -> str:
    """Say that a state vector would be absurdly long; empty if it would not."""
    if num_qubits <= _MOST_QUBITS:
        return ""
    return f"{num_qubits} qubits; a state vector covers at most {_MOST_QUBITS}"


def num_qubits_of(vector: NDArray[Any]) -> int:
    """Return how many qubits a vector covers."""
    return vector.size.bit_length() - 1
