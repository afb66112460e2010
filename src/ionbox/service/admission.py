"""Which waiting job gets which idle worker: order, threads and memory. Pure; the caller locks."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ionbox.service.fair_queue import Entry, FairQueue
from ionbox.service.forecast import Forecast, Run, earliest_room, wait_for_core

# A job below this runs on any worker, also on the one kept free for such jobs.
SHORT_SECONDS = 0.005
# Under load a worker gets a few short jobs at a time: a hop between processes costs as much as one.
MAX_BATCH = 16
EXPRESS_WORKER = 0
# What an earlier job still counts, with each that follows, in how long jobs take.
_MEMORY = 0.95
# A plan that is wrong by more than this tells nothing: the machine slept, say.
_FARTHEST_OFF = 100.0
# So many jobs are looked at for one that runs while another waits for memory.
MOST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Capacity:
    """What jobs may take together."""

    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs of one key, and of one project, run or wait at once; None for any number."""

    key_running: int | None = None
    project_running: int | None = None
    key_waiting: int | None = None
    project_waiting: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a busy worker holds: one long job, or a few short ones.

    Args:
        since: When it was granted, in seconds of the caller's clock.
        memory_bytes: What its jobs may take together, of what all have.
    """

    entries: tuple[Entry, ...]
    threads: int
    since: float
    memory_bytes: int

    @property
    def seconds(self) -> float:
        """How long it is predicted to take."""
        return sum(entry.core_seconds for entry in self.entries) / self.threads


@dataclass(slots=True)
class _Tally:
    """How many jobs each project, and each submitter, has somewhere."""

    of_project: Counter[str] = field(default_factory=Counter)
    of_key: Counter[str] = field(default_factory=Counter)

    def copy(self) -> _Tally:
        return _Tally(self.of_project.copy(), self.of_key.copy())

    def count(self, entry: Entry, more: int) -> None:
        self.add(entry.project_id, entry.submitter_id, more)

    def add(self, project_id: str, submitter_id: str, more: int) -> None:
        for counter, name in ((self.of_project, project_id), (self.of_key, submitter_id)):
            counter[name] += more
            if not counter[name]:
                del counter[name]


@dataclass(slots=True)
class _Pace:
    """How much longer jobs take than predicted; the last few dozen count most."""

    predicted: float = 1e-3
    actual: float = 1e-3

    @property
    def ratio(self) -> float:
        return min(max(self.actual / self.predicted, 1 / _FARTHEST_OFF), _FARTHEST_OFF)

    def learn(self, predicted: float, actual: float) -> None:
        self.predicted = _MEMORY * self.predicted + predicted
        self.actual = _MEMORY * self.actual + actual


class Admission:
    """Holds the waiting jobs, and what each busy worker was granted.

    A grant is one long job, or an input to be read, or a few short jobs that are together still
    short, on one thread. One worker is kept for short jobs, and another one, where there are three,
    for inputs, with memory of its own: neither waits for long jobs, which may run for hours. Long
    jobs never take more threads than there are cores, and no jobs more memory than the capacity
    has. A long job starts as soon as one core is free. It is granted its share of the free cores:
    all of them if no other long job may start. It keeps them to its end, and gets no more.

    A long job whose turn it is and that waits for memory is overtaken only by what does not hold it
    up: what ends before there is room for it, or fits beside it then.

    Source:
        Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995: back-filling behind one reservation.
    """

    def __init__(self, capacity: Capacity, num_workers: int, *, limits: Limits = NO_LIMITS) -> None:
        self._capacity = capacity
        self._num_workers = num_workers
        self._reading_worker = num_workers - 1 if num_workers > 2 else None
        self.limits = limits
        self._has_limits = limits != NO_LIMITS
        self._short = FairQueue()
        self._reading = FairQueue()
        self._long = FairQueue()
        self._waiting: dict[str, Entry] = {}
        self._grants: dict[int, Grant] = {}
        self._running = _Tally()
        self._queued = _Tally()  # with those that are about to be
        self._pace = _Pace()
        self._reserved: Entry | None = None  # the long job that waits for memory

    @property
    def grants(self) -> Mapping[int, Grant]:
        """What each busy worker holds."""
        return self._grants

    @property
    def waiting(self) -> Mapping[str, Entry]:
        """The jobs that wait, by id."""
        return self._waiting

    @property
    def free_memory_bytes(self) -> int:
        """What no job was granted."""
        held = sum(grant.memory_bytes for grant in self._grants.values())
        return self._capacity.memory_bytes - held

    def push(self, entry: Entry) -> None:
        """Have a job wait."""
        self._queue_of(entry).push(entry)
        self._waiting[entry.job_id] = entry
        self._queued.count(entry, 1)

    def drop(self, job_id: str) -> bool:
        """Forget a job that waits; false where it does not."""
        entry = self._waiting.pop(job_id, None)
        if entry is None:
            return False
        self._queue_of(entry).drop(entry)
        self._queued.count(entry, -1)
        if entry is self._reserved:
            self._reserved = None
        return True

    def assign(self, now: float) -> Iterator[int]:
        """Give idle workers what fits; yield each that got something."""
        idle = [worker for worker in range(self._num_workers) if worker not in self._grants]
        # The one that is kept for reading reads first; it takes no short jobs.
        idle.sort(key=lambda worker: worker != self._reading_worker)
        for position, worker in enumerate(idle):
            grant = self._take(worker, len(idle) - position, now)
            if grant is not None:
                self._grants[worker] = grant
                yield worker

    def learn(self, worker: int, now: float) -> None:
        """Note how long a worker took for what it was granted: it has just done all of it."""
        grant = self._grants[worker]
        if is_long(grant.entries[0]):  # of a short job it is the way there and back
            self._pace.learn(grant.seconds, now - grant.since)

    def release(self, worker: int) -> tuple[Entry, ...]:
        """Take back what a worker held, and return it."""
        entries = self._grants.pop(worker).entries
        for entry in entries:
            if not entry.is_reading:
                self._running.count(entry, -1)
        return entries

    def worker_of(self, job_id: str) -> int | None:
        """Return which worker has a job."""
        for worker, grant in self._grants.items():
            if any(entry.job_id == job_id for entry in grant.entries):
                return worker
        return None

    def expect(self, project_id: str, submitter_id: str, num_jobs: int) -> None:
        """Count jobs that are about to wait; a negative number takes them off again."""
        self._queued.add(project_id, submitter_id, num_jobs)

    def num_waiting(self, project_id: str, submitter_id: str) -> tuple[int, int]:
        """Return how many jobs of a project, and of one of its submitters, wait."""
        return self._queued.of_project[project_id], self._queued.of_key[submitter_id]

    def at_limit(self, entry: Entry) -> str | None:
        """Return whose limit of running jobs keeps a job waiting: `key` or `project`."""
        return self._at_limit(entry, self._running)

    def _at_limit(self, entry: Entry, running: _Tally) -> str | None:
        if not self._has_limits or entry.is_reading:
            return None
        limits = self.limits
        rows = (
            ("key", limits.key_running, running.of_key[entry.submitter_id]),
            ("project", limits.project_running, running.of_project[entry.project_id]),
        )
        return next((who for who, most, has in rows if most is not None and has >= most), None)

    def forecast(self, entry: Entry, now: float) -> Forecast:
        """Return how long a job will wait that waits, or would be pushed now, and for what."""
        queue = self._queue_of(entry)
        own, others = queue.ahead_of(entry)
        limit, long = self.at_limit(entry), self._runs(self._long_grants(), now)
        missing_bytes = 0 if self._is_set_apart(entry) else self._missing_bytes(entry)
        ahead = (own + others).core_seconds
        if queue is self._long:
            wait = wait_for_core(long, self._capacity.cores, ahead * self._pace.ratio, now)
        else:
            wait = ahead / max(1, self._num_workers - len(long))
        if missing_bytes:
            runs = self._runs(self._grants.values(), now)
            room = earliest_room(runs, self.free_memory_bytes, entry.memory_bytes)
            wait = max(wait, room.at - now)
        return Forecast(
            wait if limit is None else None,
            own,
            others,
            num_running=len(long) if queue is self._long else 0,
            missing_bytes=missing_bytes,
            limit=limit,
        )

    def _is_set_apart(self, entry: Entry) -> bool:
        has_reader = self._reading_worker is not None
        return entry.is_reading and has_reader and not is_short(entry)

    def _missing_bytes(self, entry: Entry) -> int:
        return max(0, entry.memory_bytes - self.free_memory_bytes)

    def _take(self, worker: int, num_idle: int, now: float) -> Grant | None:
        """Take what is next for a worker, of what it is for."""
        if worker == EXPRESS_WORKER:
            return self._take_short(num_idle, now)
        if worker == self._reading_worker:
            return self._take_reading(now, is_set_apart=True)
        grant = self._take_long(now) or self._take_reading(now, is_set_apart=False)
        return grant or self._take_short(num_idle, now)

    def _take_reading(self, now: float, *, is_set_apart: bool) -> Grant | None:
        """Take the next input to be read: it needs no core of its own, and is soon done."""
        entry = self._reading.head(self._may_start)
        if entry is None or not (is_set_apart or self._has_room(entry, now)):
            return None
        self._begin(self._reading, entry)
        return Grant((entry,), 1, now, 0 if is_set_apart else entry.memory_bytes)

    def _take_short(self, num_idle: int, now: float) -> Grant | None:
        """Take an idle worker's share of the short jobs."""
        taken: list[Entry] = []
        taken_bytes = 0
        most = min(MAX_BATCH, -(-len(self._short) // num_idle))
        while len(taken) < most and sum(entry.core_seconds for entry in taken) < SHORT_SECONDS:
            entry = self._short.head(self._may_start)
            if entry is None or not _may_join(entry, taken):
                break
            if not self._has_room(entry, now, taken_bytes):
                break
            self._begin(self._short, entry)
            taken.append(entry)
            taken_bytes += entry.memory_bytes
        return Grant(tuple(taken), 1, now, taken_bytes) if taken else None

    def _take_long(self, now: float) -> Grant | None:
        """Take the next long job, and its share of the cores that no other long job has."""
        free = self._capacity.cores - sum(grant.threads for grant in self._long_grants())
        if free <= 0 or not len(self._long):
            return None
        entry = self._reservation() or self._long.head(self._may_start)
        if entry is not None and self._missing_bytes(entry):
            self._reserved = entry
            entry = self._beside(now)
        if entry is None:
            return None
        self._begin(self._long, entry)
        share = max(1, free // (1 + self._num_startable(free)))
        return Grant((entry,), min(entry.threads, share), now, entry.memory_bytes)

    def _num_startable(self, most: int) -> int:
        """Return how many more long jobs may start now, as far as it matters."""
        if not self._has_limits:
            return len(self._long)
        number, running = 0, self._running.copy()
        for entry in itertools.islice(self._long, MOST_LOOKED_AT):
            if number < most and self._at_limit(entry, running) is None:
                running.count(entry, 1)
                number += 1
        return number

    def _reservation(self) -> Entry | None:
        """Return the long job that waits for memory, unless its own limit keeps it waiting, too."""
        if self._reserved is not None and not self._may_start(self._reserved):
            self._reserved = None
        return self._reserved

    def _has_room(self, entry: Entry, now: float, taken_bytes: int = 0) -> bool:
        """Return whether there is memory for a job, and nobody held up who waits for some."""
        needed, free = entry.memory_bytes + taken_bytes, self.free_memory_bytes
        reserved = self._reservation()
        if needed > free or reserved is None:
            return needed <= free
        room = earliest_room(self._runs(self._grants.values(), now), free, reserved.memory_bytes)
        starts_at = max(room.at, self._core_at(now))
        ends_before = now + entry.core_seconds * self._pace.ratio <= starts_at
        return ends_before or needed <= room.spare_bytes

    def _core_at(self, now: float) -> float:
        """Return when a core is expected to be free."""
        long = self._runs(self._long_grants(), now)
        if sum(run.threads for run in long) < self._capacity.cores:
            return now
        return min(run.end for run in long)

    def _beside(self, now: float) -> Entry | None:
        """Return a long job that runs while another waits for memory, and does not hold it up."""
        others = (
            entry
            for entry in itertools.islice(self._long, MOST_LOOKED_AT)
            if entry is not self._reserved and self._may_start(entry)
        )
        return next((entry for entry in others if self._has_room(entry, now)), None)

    def _begin(self, queue: FairQueue, entry: Entry) -> None:
        queue.take(entry)
        del self._waiting[entry.job_id]
        self._queued.count(entry, -1)
        if not entry.is_reading:
            self._running.count(entry, 1)
        if entry is self._reserved:
            self._reserved = None

    def _may_start(self, entry: Entry) -> bool:
        return self.at_limit(entry) is None

    def _runs(self, grants: Iterable[Grant], now: float) -> list[Run]:
        """Return when what runs is expected to end."""
        return [
            Run(self._end_of(grant, now), grant.threads, grant.memory_bytes) for grant in grants
        ]

    def _end_of(self, grant: Grant, now: float) -> float:
        """A long job that is late is taken to last as long again as it is late by now."""
        planned = grant.since + grant.seconds * self._pace.ratio
        late = max(0.0, now - planned)
        return max(now, planned) + (late if is_long(grant.entries[0]) else 0.0)

    def _long_grants(self) -> list[Grant]:
        return [grant for grant in self._grants.values() if is_long(grant.entries[0])]

    def _queue_of(self, entry: Entry) -> FairQueue:
        if is_short(entry):
            return self._short
        return self._long if is_long(entry) else self._reading


def _may_join(entry: Entry, others: list[Entry]) -> bool:
    """A recovered job may be what killed the last worker, so it goes alone."""
    return not others or not (entry.is_recovered or others[0].is_recovered)


def is_short(entry: Entry) -> bool:
    """Return whether a job goes by the express worker too, where it gets one thread."""
    return entry.core_seconds < SHORT_SECONDS


def is_long(entry: Entry) -> bool:
    """Return whether a job is counted in cores."""
    return not is_short(entry) and not entry.is_reading
