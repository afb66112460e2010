"""The random numbers of a run: one stream for each random event, one number in it for each shot.

A shot's numbers depend on the seed, on how many random events lie behind it and on its own
number alone; so its outcome does not depend on which shots it was simulated together with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel
from ionbox.engines.errors import Errors, Role, draw_errors, generator

_CHOICES, _PAULIS, _READOUTS = 0, 1, 2  # an event's streams
_CACHE_BYTES: Final = 1 << 26


class Randomness(Protocol):
    """What decides the random events on the way of every shot."""

    def choices(self, event: int) -> NDArray[np.float64]:
        """Return the uniforms in [0, 1) that decide an event, shape (shots,)."""

    def readouts(self, event: int) -> NDArray[np.float64]:
        """Return those that decide whether what was measured is misread."""

    def errors(self, event: int, channels: Sequence[Channel], shots: NDArray[np.intp]) -> Errors:
        """Return the errors of a circuit in some shots, ascending by channel, then by shot.

        Args:
            event: That of the first channel; each has one.
            channels: Of the circuit.
            shots: Ascending.
        """


class Ahead:
    """All that is random in the shots of one circuit, drawn before anything is simulated.

    Args:
        channels: Of the circuit.
        shots: How many.
        seed: Not negative.
    """

    def __init__(self, channels: Sequence[Channel], shots: int, seed: int) -> None:
        self.drawn = draw_errors(channels, shots, seed)
        self.outcomes = generator(seed, Role.OUTCOMES).random(shots)

    def choices(self, event: int) -> NDArray[np.float64]:  # noqa: ARG002 - there is one
        return self.outcomes

    readouts = choices  # nothing is measured midway

    def errors(
        self,
        event: int,  # noqa: ARG002 - there is one circuit
        channels: Sequence[Channel],  # noqa: ARG002
        shots: NDArray[np.intp],  # noqa: ARG002
    ) -> Errors:
        return self.drawn.by_channel()


class Streams:
    """Philox, a function from key and counter to numbers: the seed is the key, hashed first.

    The counter's second word is the event, its third the stream; the lowest one counts shots.

    Args:
        seed: Not negative.
        shots: How many numbers a stream has; the first ones do not depend on it.
    """

    def __init__(self, seed: int, shots: int) -> None:
        words = np.random.SeedSequence(seed).generate_state(2, np.uint64)
        self._key: NDArray[np.uint64] = words.astype(np.uint64, copy=False)
        self._shots = shots
        # Groups of shots come to the same events one after the other.
        rows = max(1, _CACHE_BYTES // (8 * max(shots, 1)))
        choices = partial(_draw_choices, self._key, shots)
        self._choices: Callable[[int], NDArray[np.float64]] = lru_cache(rows)(choices)

    def choices(self, event: int) -> NDArray[np.float64]:
        """Return the uniforms in [0, 1) that decide an event, shape (shots,)."""
        return self._choices(event)

    def paulis(self, event: int, channel: Channel) -> NDArray[np.uint64]:
        """Return which Pauli error is made, 1 to 4**num_qubits - 1, if one is; shape (shots,).

        Its two bits from 2k on are the letter on qubit k: 0 I, 1 X, 2 Y, 3 Z.
        """
        bits = _philox(self._key, event, _PAULIS)
        if channel.shares is None:
            words = bits.random_raw(self._shots)
            return words % np.uint64(4 ** len(channel.qubits) - 1) + np.uint64(1)
        ends = np.cumsum(channel.shares[:2])
        places = ends.searchsorted(np.random.Generator(bits).random(self._shots), side="right")
        return places.astype(np.uint64) + np.uint64(1)

    def readouts(self, event: int) -> NDArray[np.float64]:
        return np.random.Generator(_philox(self._key, event, _READOUTS)).random(self._shots)

    def errors(self, event: int, channels: Sequence[Channel], shots: NDArray[np.intp]) -> Errors:
        found = [Errors(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64))]
        for number, channel in enumerate(channels):
            hits = shots[self.choices(event + number)[shots] < channel.probability]
            if hits.size:
                paulis = self.paulis(event + number, channel)[hits]
                found.append(Errors(hits, np.full(hits.size, number), paulis))
        return Errors(*map(np.concatenate, zip(*found, strict=True)))


def _draw_choices(key: NDArray[np.uint64], shots: int, event: int) -> NDArray[np.float64]:
    return np.random.Generator(_philox(key, event, _CHOICES)).random(shots)


def _philox(key: NDArray[np.uint64], event: int, stream: int) -> np.random.Philox:
    return np.random.Philox(key=key, counter=np.array([0, event, stream, 0], np.uint64))


def cache_bytes(shots: int, events: float) -> int:
    """Return the memory that the streams of so many shots and events take."""
    return int(max(min(_CACHE_BYTES, 8.0 * shots * events), 8 * shots))
