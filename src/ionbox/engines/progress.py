"""How far a run is: an engine counts in its own thread, any other thread may look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Counter(Protocol):
    """Steps done, of how many; the kernel's progress is one."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


class Progress:
    """The share of a run that is done.

    An engine that can tell says how many steps there are, of whatever takes about the same time
    each, and counts them; or has a counter followed that the kernel counts. Others say nothing.
    A run of several parts is one engine's run after the other.
    """

    def __init__(self) -> None:
        self._num_parts, self._ended_parts = 1, 0
        self._done = self._total = 0.0
        self._counter: Counter | None = None
        self._seen = 0.0

    def expect(self, total: float) -> None:
        """Say how many steps there are."""
        self._total = total

    def advance(self, steps: float = 1) -> None:
        """Count steps that are done."""
        self._done += steps

    def each(self, steps: Iterable[T]) -> Iterator[T]:
        """Yield what is given, and count each once it was dealt with."""
        for step in steps:
            yield step
            self._done += 1

    def follow(self, counter: Counter) -> None:
        """Have a counter say how far this part is."""
        self._counter = counter

    def parts(self, parts: Sequence[T]) -> Iterator[T]:
        """Yield the parts, each of which begins to count anew."""
        self._num_parts = len(parts)
        for part in parts:
            yield part
            self._done, self._total, self._counter = 0.0, 0.0, None
            self._ended_parts += 1

    @property
    def share(self) -> float | None:
        """Return how much is done, 0 to 1, never less than before; None if nothing tells."""
        part = self._share_of_part()
        if part is None and not self._ended_parts:
            return None
        share = (self._ended_parts + (part or 0)) / self._num_parts
        self._seen = max(self._seen, min(share, 1.0))
        return self._seen

    def _share_of_part(self) -> float | None:
        if self._counter is not None:
            done, total = float(self._counter.done), float(self._counter.total)
        else:
            done, total = self._done, self._total
        return done / total if total else None
