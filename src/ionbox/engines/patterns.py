"""How many different patterns of errors the noisy shots of a circuit are expected to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox._kernel import Kernel
from ionbox.backends.noise import Channel, NoisyCircuit
from ionbox.engines.errors import Errors
from ionbox.engines.kernel import packed_by

_MOST_SINGLE: Final = 4000  # errors that are looked at; of more, some stand for all
_MOST_KINDS: Final = 15  # of one channel
_GRID: Final = 16  # places of a circuit at which groups are counted

Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


def columns(channels: Sequence[Channel]) -> Columns:
    """Return after how many operations channels come, their qubits, and where those start."""
    widths = [len(channel.qubits) for channel in channels]
    return (
        np.array([channel.after for channel in channels], np.int32),
        np.array([qubit for channel in channels for qubit in channel.qubits], np.int32),
        np.cumsum([0, *widths], dtype=np.int32),
    )


class Groups(NamedTuple):
    """Shots that are simulated together.

    Args:
        acts: Of which the circuit is made.
        applied: Acts, over all groups.
        patterns: Groups at the end.
    """

    acts: int
    applied: float
    patterns: float


@dataclass(frozen=True, slots=True)
class SingleErrors:
    """What each error alone changes, those that change the same as one.

    Args:
        acts: Of which the circuit is made.
        bits: That tell patterns apart.
        firsts: The first act that an error changes, ascending.
        chances: How many of them are expected in a shot.
    """

    acts: int
    bits: int
    firsts: NDArray[np.int64]
    chances: NDArray[np.float64]

    def groups(self, shots: int) -> Groups:
        """Predict the groups of so many shots."""
        places = np.unique(np.linspace(0, self.acts, min(self.acts, _GRID) + 1).astype(np.int64))
        counts = np.array([self._groups_at(int(place), shots) for place in places])
        applied = float(np.sum(np.diff(places) * (counts[1:] + counts[:-1]) / 2))
        return Groups(self.acts, applied, float(counts[-1]))

    def _groups_at(self, act: int, shots: int) -> float:
        """Predict the groups before an act.

        Shots with one error that counts have what it alone changes. Those with more are spread over
        the pairs, which are taken to be alike.
        """
        chances = self.chances[: self.firsts.searchsorted(act)]
        expected = float(chances.sum())
        none = float(np.exp(-expected))
        one = float(-np.expm1(-shots * none * chances).sum())
        more = shots * (1 - none * (1 + expected))
        pairs = max(chances.size**2 / 2, 1.0)
        different = 1 + one - pairs * float(np.expm1(-more / pairs))
        return min(different, shots, 2.0 ** min(self.bits, 63))


def single_errors(extension: Kernel, noisy: NoisyCircuit) -> SingleErrors:
    """Return what each single error of a circuit changes."""
    errors, chances = _all_errors(noisy.channels)
    packed = packed_by(extension, noisy.circuit)
    around = columns(noisy.channels)
    acts, bits, numbers, firsts = extension.patterns(packed, *around, *errors, errors.shots.size)
    total = np.bincount(numbers, chances, len(firsts)).astype(np.float64)
    first = np.array(firsts, np.int64)
    order = np.argsort(first, kind="stable")
    order = order[first[order] < acts]
    return SingleErrors(acts, bits, first[order], total[order])


def _all_errors(channels: Sequence[Channel]) -> tuple[Errors, NDArray[np.float64]]:
    """Return every single error as a shot of its own, and how often it is expected in a shot."""
    kinds = np.array([_num_kinds(channel) for channel in channels], np.int64)
    every = max(1, -(-int(kinds.sum()) // _MOST_SINGLE))
    looked_at = np.arange(0, len(channels), every)
    repeats = kinds[looked_at]
    numbers = np.repeat(looked_at, repeats)
    kind = np.arange(numbers.size) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    widths = np.array([len(channel.qubits) for channel in channels], np.int64)[numbers]
    # Of a channel on more than two qubits, errors on its first two stand for all.
    paulis = (kind + 1).astype(np.uint64)
    chance = np.array([channel.probability for channel in channels])[numbers] * every
    shares = np.array([channel.shares or (1 / 3,) * 3 for channel in channels]).reshape(-1, 3)
    part = np.where(widths == 1, shares[numbers, kind % 3], 1 / np.maximum(kinds[numbers], 1))
    return Errors(np.arange(numbers.size), numbers, paulis), chance * part


def _num_kinds(channel: Channel) -> int:
    return _MOST_KINDS if len(channel.qubits) > 1 else 3
