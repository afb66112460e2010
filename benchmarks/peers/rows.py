"""What an engine's module is given, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128]
Probabilities = NDArray[Any]  # float32 or float64; the index is the basis state, qubit 0 lowest
Run = Callable[[], Probabilities]


class Row(NamedTuple):
    """An operation: a gate of the gateset qis, or "unitary".

    Args:
        name: The gate's.
        targets: Qubits, counted from 0.
        controls: Qubits that must all be 1.
        params: Radians; of a unitary its matrix on two targets, row after row, real and imaginary
            part in turn, the first target the lowest bit.
    """

    name: str
    targets: Sequence[int]
    controls: Sequence[int]
    params: Sequence[float]

    def matrix(self) -> Matrix:
        """Return the matrix of a unitary."""
        return np.array(self.params).view(np.complex128).reshape(4, 4)


# Builds a circuit (qubits, operations, threads); calling what it returns simulates it from |0...0>.
Build = Callable[[int, Sequence[Row], int], Run]
