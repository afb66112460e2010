"""Density matrices in NumPy: operations and Pauli channels on them, one after the other.

A matrix is held as a state of twice as many qubits: qubit q is the bit q of the column, and the bit
num_qubits + q of the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from ionbox.backends.noise import Channel, NoisyCircuit
from ionbox.circuits.circuit import Operation
from ionbox.engines.operations import make_ready
from ionbox.engines.progress import Progress
from ionbox.engines.vectors import Amplitudes, block, ground_state, layout
from ionbox.formats.results import FloatArray

AMPLITUDE_TYPE: Final = np.dtype(np.complex128)


def mixed_probabilities(noisy: NoisyCircuit, progress: Progress) -> FloatArray:
    """Return the probability of each basis state, but for rounding."""
    num_qubits = noisy.circuit.num_qubits
    matrix = ground_state(2 * num_qubits, AMPLITUDE_TYPE)
    progress.expect(noisy.circuit.num_operations + len(noisy.channels))
    for step in progress.each(_steps(noisy)):
        if isinstance(step, Operation):
            _apply(step, matrix, num_qubits)
        else:
            _mix(step, matrix, num_qubits)
    return np.ascontiguousarray(matrix[:: (1 << num_qubits) + 1].real, np.float64)


def _steps(noisy: NoisyCircuit) -> Iterator[Operation | Channel]:
    """Yield the operations and the channels in the order in which they act."""
    channels = iter(noisy.channels)
    channel = next(channels, None)
    for place, operation in enumerate(noisy.circuit.operations()):
        while channel is not None and channel.after <= place:
            yield channel
            channel = next(channels, None)
        yield operation
    while channel is not None:
        yield channel
        channel = next(channels, None)


def _apply(operation: Operation, matrix: Amplitudes, num_qubits: int) -> None:
    """Replace A by U A U+, which is U (U A)+ because A is its own adjoint."""
    on_rows = replace(
        operation,
        targets=tuple(num_qubits + target for target in operation.targets),
        controls=tuple(num_qubits + control for control in operation.controls),
    )
    action = make_ready(on_rows, 2 * num_qubits)
    square = matrix.reshape(1 << num_qubits, 1 << num_qubits)
    action.apply(matrix)
    square[...] = square.T.conj()
    action.apply(matrix)


def _mix(channel: Channel, matrix: Amplitudes, num_qubits: int) -> None:
    """Apply a channel in place."""
    rows = tuple(num_qubits + qubit for qubit in channel.qubits)
    part = block(matrix, layout(2 * num_qubits, (*channel.qubits, *rows)))
    if channel.shares is not None:
        _mix_unequally(channel, part)
        return
    states = 1 << len(channel.qubits)
    rate = channel.probability * states**2 / (states**2 - 1)
    # The ellipsis keeps a single entry an array that can be written to.
    ends: list[Any] = [(*bits, *bits, ...) for bits in product((0, 1), repeat=len(channel.qubits))]
    mixed = np.sum([part[end] for end in ends], axis=0) * (rate / states)
    part *= 1 - rate
    for end in ends:
        part[end] += mixed


def _mix_unequally(channel: Channel, part: Amplitudes) -> None:
    """Apply a channel on one qubit, of which the first two axes of `part` are row and column."""
    assert channel.shares is not None  # noqa: S101 - the caller's
    x, y, z = (channel.probability * share for share in channel.shares)
    for row, keep, flip in ((0, 1 - x - y, x + y), (1, 1 - x - y - 2 * z, x - y)):
        one, other = part[row, 0, ...], part[1 - row, 1, ...]
        before = one.copy()
        one[...] = keep * before + flip * other
        other[...] = keep * other + flip * before
