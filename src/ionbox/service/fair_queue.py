"""The jobs that wait for a worker: projects take turns, and within a project its submitters.

A turn is worth core-seconds, as the plans predict them, so a project that submits a thousand jobs,
or long ones, waits for itself. Only the order of a submitter's own jobs follows their urgency.

Source:
    Shreedhar, Varghese, "Efficient fair queueing using deficit round robin", SIGCOMM 1995,
    section 3; two levels of it.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from ionbox.jobs.job import URGENCY, Job

# What a turn is worth, in core-seconds: a few short jobs. A longer job waits for many turns.
QUANTUM: Final = 0.005


class Entry(msgspec.Struct, frozen=True):
    """What the dispatcher needs to know of a waiting job.

    Args:
        threads: How many it can make use of.
        urgency: Which of a submitter's own jobs goes first; see `Job`.
        is_reading: Its input is not read yet: it is read first, and then waits as what it is.
        is_recovered: A worker or a server died while it had this job.
        known: The job and its input as they were stored, where they are small enough to keep.
    """

    job_id: str
    project_id: str
    predicted_seconds: float
    memory_bytes: int
    threads: int = 1
    submitter_id: str = ""
    urgency: int = URGENCY
    is_reading: bool = False
    is_recovered: bool = False
    known: tuple[Job, bytes] | None = None

    @property
    def core_seconds(self) -> float:
        """How long it takes at most on one thread; the prediction is for all that it can use."""
        return self.predicted_seconds * self.threads


MayStart = Callable[[Entry], bool]


class Ahead(msgspec.Struct, frozen=True):
    """What is served before something else: how many jobs, and how long they take one core."""

    num_jobs: int = 0
    core_seconds: float = 0.0

    def __add__(self, other: Ahead) -> Ahead:
        """Return both together."""
        return Ahead(self.num_jobs + other.num_jobs, self.core_seconds + other.core_seconds)

    def up_to(self, core_seconds: float) -> Ahead:
        """Return about the part of it that is served within so much time."""
        if self.core_seconds <= core_seconds:
            return self
        return Ahead(math.ceil(self.num_jobs * core_seconds / self.core_seconds), core_seconds)


NOTHING: Final = Ahead()


class _Waiting(Protocol):
    """Jobs that wait, in some order."""

    total: Ahead

    def head(self, may_start: MayStart) -> Entry | None: ...
    def push(self, entry: Entry) -> None: ...
    def remove(self, entry: Entry) -> None: ...
    def __iter__(self) -> Iterator[Entry]: ...


class _Line:
    """The jobs of one submitter: the most urgent first, then the oldest."""

    def __init__(self) -> None:
        self.total = NOTHING
        self._levels: dict[int, OrderedDict[str, Entry]] = {}
        self._totals: dict[int, Ahead] = {}

    def head(self, may_start: MayStart) -> Entry | None:
        """Return the next job, if it may start."""
        entry = next(iter(self), None)
        return entry if entry is not None and may_start(entry) else None

    def push(self, entry: Entry) -> None:
        """Add a job behind those of its urgency."""
        self._levels.setdefault(entry.urgency, OrderedDict())[entry.job_id] = entry
        self._count(entry.urgency, Ahead(1, entry.core_seconds))

    def remove(self, entry: Entry) -> None:
        """Take a job out, wherever it stands."""
        level = self._levels[entry.urgency]
        del level[entry.job_id]
        self._count(entry.urgency, Ahead(-1, -entry.core_seconds))
        if not level:
            del self._levels[entry.urgency], self._totals[entry.urgency]

    def __iter__(self) -> Iterator[Entry]:
        """Yield the jobs in their order."""
        for urgency in sorted(self._levels):
            yield from self._levels[urgency].values()

    def ahead_of(self, entry: Entry) -> Ahead:
        """Return what is before an entry, which need not stand here yet."""
        levels = [total for urgency, total in self._totals.items() if urgency < entry.urgency]
        level = self._levels.get(entry.urgency, OrderedDict())
        if entry.job_id not in level:
            levels.append(self._totals.get(entry.urgency, NOTHING))
            return sum(levels, NOTHING)
        before = itertools.takewhile(lambda other: other.job_id != entry.job_id, level.values())
        return sum((Ahead(1, other.core_seconds) for other in before), sum(levels, NOTHING))

    def _count(self, urgency: int, more: Ahead) -> None:
        self._totals[urgency] = self._totals.get(urgency, NOTHING) + more
        self.total += more


class _Turn:
    """Whose turn comes and goes, and what is left of it in core-seconds: its deficit."""

    def __init__(self, waiting: _Waiting) -> None:
        self.waiting = waiting
        self.deficit = 0.0


class _Ring:
    """Some who wait take turns; an entry's name is that of whom it belongs to."""

    def __init__(self, name_of: Callable[[Entry], str], make: Callable[[], _Waiting]) -> None:
        self.total = NOTHING
        self._name_of = name_of
        self._make = make
        self._turns: dict[str, _Turn] = {}
        self._order: deque[str] = deque()

    def head(self, may_start: MayStart) -> Entry | None:
        """Return the job whose turn it is, of those that may start."""
        while self._turns:
            short_of = []
            for _ in range(len(self._order)):
                turn = self._turns[self._order[0]]
                entry = turn.waiting.head(may_start)
                if entry is not None:
                    if entry.core_seconds <= turn.deficit:
                        return entry
                    turn.deficit += QUANTUM
                    short_of.append((turn, entry.core_seconds))
                self._order.rotate(-1)
            if not short_of:
                break
            _skip_rounds(short_of)
        return None

    def push(self, entry: Entry) -> None:
        """Add a job; who had none waits for a first turn."""
        name = self._name_of(entry)
        if name not in self._turns:
            self._turns[name] = _Turn(self._make())
            self._order.append(name)
        self._turns[name].waiting.push(entry)
        self.total += Ahead(1, entry.core_seconds)

    def remove(self, entry: Entry, *, cost: float = 0.0) -> None:
        """Take a job out, at a cost of core-seconds; who has none left gives up the turn."""
        name = self._name_of(entry)
        turn = self._turns[name]
        turn.deficit -= cost
        if isinstance(turn.waiting, _Ring):
            turn.waiting.remove(entry, cost=cost)
        else:
            turn.waiting.remove(entry)
        self.total += Ahead(-1, -entry.core_seconds)
        if not turn.waiting.total.num_jobs:
            del self._turns[name]
            self._order.remove(name)

    def __iter__(self) -> Iterator[Entry]:
        """Yield every job, those of whose turn it is first."""
        for name in tuple(self._order):
            yield from self._turns[name].waiting

    def of(self, name: str) -> _Waiting | None:
        """Return what waits of one."""
        turn = self._turns.get(name)
        return None if turn is None else turn.waiting

    def others_ahead(self, name: str, own: Ahead, core_seconds: float) -> Ahead:
        """Return about what others have served until one has had what is its own, and a job."""
        bound = own.core_seconds + core_seconds
        parts = (
            turn.waiting.total.up_to(bound) for other, turn in self._turns.items() if other != name
        )
        return sum(parts, NOTHING)


def _skip_rounds(short_of: list[tuple[_Turn, float]]) -> None:
    """Give everybody at once the turns that would pass without any job being served."""
    rounds = min(math.ceil((cost - turn.deficit) / QUANTUM) for turn, cost in short_of)
    for turn, _ in short_of:
        turn.deficit += max(0, rounds) * QUANTUM


class FairQueue:
    """Waiting jobs in an order that is fair between projects, and between their submitters."""

    def __init__(self) -> None:
        self._ring = _Ring(lambda entry: entry.project_id, _submitters)

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return self._ring.total.num_jobs

    def head(self, may_start: MayStart) -> Entry | None:
        """Return the job whose turn it is, of those that may start."""
        return self._ring.head(may_start)

    def push(self, entry: Entry) -> None:
        """Have a job wait."""
        self._ring.push(entry)

    def take(self, entry: Entry) -> None:
        """Take a job out to be run: it costs its project and its submitter their turns."""
        self._ring.remove(entry, cost=entry.core_seconds)

    def drop(self, entry: Entry) -> None:
        """Take a job out that is not wanted any more."""
        self._ring.remove(entry)

    def __iter__(self) -> Iterator[Entry]:
        """Yield every waiting job, in no order that is promised."""
        return iter(self._ring)

    def ahead_of(self, entry: Entry) -> tuple[Ahead, Ahead]:
        """Return about what is served before a waiting job, or one that would be pushed now.

        Returns:
            What is of its own submitter, and what is of others.
        """
        submitters = self._ring.of(entry.project_id)
        own, beside = NOTHING, NOTHING
        if isinstance(submitters, _Ring):
            line = submitters.of(entry.submitter_id)
            own = line.ahead_of(entry) if isinstance(line, _Line) else own
            beside = submitters.others_ahead(entry.submitter_id, own, entry.core_seconds)
        others = self._ring.others_ahead(entry.project_id, own + beside, entry.core_seconds)
        return own, beside + others


def _submitters() -> _Ring:
    return _Ring(lambda entry: entry.submitter_id, _Line)
