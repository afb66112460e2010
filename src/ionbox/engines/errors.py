"""What goes wrong in the shots of a noisy run: all of it is drawn before anything is simulated.

Shots come one after the other, so what happens in a shot does not depend on how many follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import frexp
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel, NoiseModel

_BLOCK: Final = 4096  # gaps that are drawn at once


class Role(IntEnum):
    """What random numbers are for; each role has a stream of its own."""

    GAPS = 0
    KEEPS = 1
    PAULIS = 2
    OUTCOMES = 3
    READOUT = 4
    ORDER = 5


class Errors(NamedTuple):
    """Pauli errors, an entry each; as they are drawn, ascending by shot, then by channel.

    Args:
        shots: In which shot.
        channels: The number of the channel.
        paulis: Which, 1 to 4**k - 1: the two bits from 2 j on are the letter on the channel's
            qubits[j], 0 I, 1 X, 2 Y, 3 Z.
    """

    shots: NDArray[np.int64]
    channels: NDArray[np.int64]
    paulis: NDArray[np.uint64]

    def picked(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Errors:
        """Return some of the errors."""
        return Errors(self.shots[which], self.channels[which], self.paulis[which])

    def by_channel(self) -> Errors:
        """Return all of them, ascending by channel, then by shot."""
        return self.picked(np.argsort(self.channels, kind="stable"))


def generator(seed: int, role: Role, part: int = 0) -> np.random.Generator:
    """Return the random numbers of a run for one role, or one part of it.

    Args:
        seed: Not negative; it is hashed, so that neighbouring seeds are independent.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(role, part))
    return np.random.Generator(np.random.Philox(sequence))


def draw_errors(channels: Sequence[Channel], shots: int, seed: int) -> Errors:
    """Draw which errors happen in which shot.

    Channels that are about as likely are drawn together: they are met at the rate of the likeliest
    of them, and each keeps its share of what is met. So a few times as many random numbers are
    drawn as there are errors, and not as many as there are chances of one.
    """
    classes: dict[int, list[int]] = {}
    for number, channel in enumerate(channels):
        if channel.probability > 0:
            exponent = frexp(channel.probability)[1]
            classes.setdefault((1 - exponent) // 2, []).append(number)
    drawn = [
        _of_class([channels[number] for number in numbers], shots, (seed, part))
        for part, numbers in classes.items()
    ]
    if not drawn:
        nothing = np.zeros(0, np.int64)
        return Errors(nothing, nothing, np.zeros(0, np.uint64))
    numbers_of = [np.array(numbers, np.int64) for numbers in classes.values()]
    found = Errors(
        np.concatenate([errors.shots for errors in drawn]),
        np.concatenate(
            [numbers[errors.channels] for numbers, errors in zip(numbers_of, drawn, strict=True)]
        ),
        np.concatenate([errors.paulis for errors in drawn]),
    )
    return found.picked(np.argsort(found.shots * len(channels) + found.channels, kind="stable"))


def _of_class(channels: Sequence[Channel], shots: int, seed: tuple[int, int]) -> Errors:
    """Draw the errors of channels that are about as likely.

    Args:
        seed: And the number of the class, whose random numbers are its own.
    """
    probabilities = np.array([channel.probability for channel in channels])
    most = float(probabilities.max())
    places = _met(most, shots * len(channels), generator(seed[0], Role.GAPS, seed[1]))
    met = generator(seed[0], Role.KEEPS, seed[1]).random(places.size) * most
    kept = met < probabilities[places % len(channels)]
    words = generator(seed[0], Role.PAULIS, seed[1]).integers(0, 2**64, places.size, np.uint64)
    shot, number = np.divmod(places[kept], len(channels))
    return Errors(shot, number, _paulis(channels, number, words[kept]))


def _met(probability: float, size: int, gaps: np.random.Generator) -> NDArray[np.int64]:
    """Return which of so many places are met, each with that probability."""
    last, found = -1, [np.zeros(0, np.int64)]
    while last < size:
        # Longer gaps than there are places are all alike, and must not overflow.
        block = np.minimum(gaps.geometric(probability, _BLOCK), size + 1)
        found.append(last + np.cumsum(block))
        last = int(found[-1][-1])
    places = np.concatenate(found)
    return places[places < size]


def _paulis(
    channels: Sequence[Channel], numbers: NDArray[np.int64], words: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Return the error that each random word stands for in its channel."""
    kinds = np.array([4 ** len(channel.qubits) - 1 for channel in channels], np.uint64)
    paulis = words % kinds[numbers] + np.uint64(1)
    is_unequal = np.array([channel.shares is not None for channel in channels])
    if is_unequal.any():
        ends = np.array([np.cumsum(channel.shares or (1, 1, 1))[:2] for channel in channels])
        which = is_unequal[numbers]
        shares = words[which] / 2.0**64
        later = shares[:, np.newaxis] >= ends[numbers[which]]
        paulis[which] = later.sum(axis=1).astype(np.uint64) + np.uint64(1)
    return paulis


def misread(
    bits: NDArray[np.uint8], noise: NoiseModel, seed: int, qubits: Sequence[int] | None = None
) -> NDArray[np.uint8]:
    """Return what is read out where qubits are in these states.

    Args:
        bits: 0 or 1, shape (shots, columns).
        noise: With which errors.
        seed: Not negative.
        qubits: Whose state a column holds; None for all qubits in order.
    """
    if not noise.has_readout_errors:
        return bits
    flips = [noise.readout(qubit) for qubit in qubits or range(bits.shape[1])]
    of_zero = np.array([flip.of_zero for flip in flips])
    of_one = np.array([flip.of_one for flip in flips])
    uniforms = generator(seed, Role.READOUT).random(bits.shape)
    return bits ^ (uniforms < np.where(bits, of_one, of_zero))


def misread_states(
    basis_states: NDArray[np.uint64], num_qubits: int, noise: NoiseModel, seed: int
) -> NDArray[np.uint64]:
    """Return what is read out where all qubits are in these basis states, as `misread`."""
    if not noise.has_readout_errors:
        return basis_states
    places = np.arange(num_qubits, dtype=np.uint64)
    bits = (basis_states[:, np.newaxis] >> places & np.uint64(1)).astype(np.uint8)
    read = misread(bits, noise, seed).astype(np.uint64) << places
    return np.asarray(read.sum(axis=1, dtype=np.uint64))
