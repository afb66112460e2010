"""What an engine's module is given, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128]
Probabilities = NDArray[Any]  # float32 or float64; the index is the basis state, qubit 0 lowest
Samples = NDArray[np.uint64]  # the basis state of each shot of a noisy circuit
Run = Callable[[], Probabilities | Samples]

NOISE = "depolarize"  # the name of a row that is a channel
SHOTS = (1_000, 10_000)


class Row(NamedTuple):
    """An operation: a gate of the gateset qis, "unitary", or a depolarizing channel.

    Args:
        name: The gate's, or NOISE.
        targets: Qubits, counted from 0.
        controls: Qubits that must all be 1.
        params: Radians; of a channel its rate, the weight of the fully mixed state; of a unitary
            its matrix on two targets, row after row, real and imaginary part in turn, the first
            target the lowest bit.
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


def error_probability(channel: Row) -> float:
    """Return how likely some Pauli error is, all of them alike."""
    (rate,) = channel.params
    words: int = 4 ** len(channel.targets)
    return rate * (words - 1) / words


def rates(rows: Sequence[Row]) -> Mapping[int, float]:
    """Return the rate of the channels on so many qubits, which all have the same."""
    return {len(row.targets): row.params[0] for row in rows if row.name == NOISE}


def sampling(method: str, shots: int) -> str:
    """Name the variant that samples so many shots by a method."""
    return f"{method} {shots}".strip()
