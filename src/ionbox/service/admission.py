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
    """

    entries: tuple[Entry, ...]
    threads: int
    since: float

    @property
    def memory_bytes(self) -> int:
        """What its jobs may take together."""
        return sum(entry.memory_bytes for entry in self.entries)

    @property
    def seconds(self) -> float:
        """How long it is predicted to take."""
        return sum(entry.core_seconds for entry in self.entries) / self.threads


@dataclass(slots=True)
class _Tally:
    """How many jobs each project, and each submitter, has somewhere."""

    of_project: Counter[str] = field(default_factory=Counter)
    of_key: Counter[str] = field(default_factory=Counter)

    def count(self, entry: Entry, more: int) -> None:
        for counter, name in (
            (self.of_project, entry.project_id),
            (self.of_key, entry.submitter_id),
        ):
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
        return self.actual / self.predicted

    def learn(self, predicted: float, actual: float) -> None:
        self.predicted = _MEMORY * self.predicted + predicted
        self.actual = _MEMORY * self.actual + actual


class Admission:
    """Holds the waiting jobs, and what each busy worker was granted.

    A grant is one long job, or an input to be read, or a few short jobs that are together still
    short, on one thread. One worker is kept for short jobs, and another one, where there are three,
    for inputs: neither waits for long jobs, which may run for hours. Long
    jobs never take more threads than there are cores, and no jobs more memory than the capacity
    has. A long job starts as soon as one core is free. It is granted its share of the free cores:
    all of them if no other long job waits. It keeps them to its end, and gets no more.

    A long job that waits for memory is overtaken only by what would not hold it up: by jobs that
    end before there is room for it, or fit beside it then.

    Source:
        Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995: back-filling behind one reservation.
    """

    def __init__(self, capacity: Capacity, num_workers: int, *, limits: Limits = NO_LIMITS) -> None:
        self._capacity = capacity
        self._num_workers = num_workers
        self._reading_worker = num_workers - 1 if num_workers > 2 else None
        self.limits = limits
        self._short = FairQueue()
        self._reading = FairQueue()
        self._long = FairQueue()
        self._waiting: dict[str, Entry] = {}
        self._grants: dict[int, Grant] = {}
        self._running = _Tally()
        self._queued = _Tally()
        self._pace = _Pace()

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
        return True

    def assign(self, now: float) -> Iterator[int]:
        """Give idle workers what fits; yield each that got something."""
        idle = [worker for worker in range(self._num_workers) if worker not in self._grants]
        for position, worker in enumerate(idle):
            # The last one takes no short jobs, unless it is one of two.
            num_idle = len(idle) - position - (self._reading_worker == idle[-1])
            grant = self._take(worker, num_idle, now)
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
            self._running.count(entry, -1)
        return entries

    def worker_of(self, job_id: str) -> int | None:
        """Return which worker has a job."""
        for worker, grant in self._grants.items():
            if any(entry.job_id == job_id for entry in grant.entries):
                return worker
        return None

    def num_waiting(self, project_id: str, submitter_id: str) -> tuple[int, int]:
        """Return how many jobs of a project, and of one of its submitters, wait."""
        return self._queued.of_project[project_id], self._queued.of_key[submitter_id]

    def at_limit(self, entry: Entry) -> str | None:
        """Return whose limit of running jobs keeps a job waiting: `key` or `project`."""
        limits, running = self.limits, self._running
        rows = (
            ("key", limits.key_running, running.of_key[entry.submitter_id]),
            ("project", limits.project_running, running.of_project[entry.project_id]),
        )
        return next((who for who, most, has in rows if most is not None and has >= most), None)

    def forecast(self, entry: Entry, now: float) -> Forecast:
        """Return how long a job will wait that waits, or would be pushed now, and for what."""
        queue = self._queue_of(entry)
        own, others = queue.ahead_of(entry)
        if queue is not self._long:
            workers = max(1, self._num_workers - len(self._long_grants()))
            return Forecast((own + others).core_seconds / workers, own, others)
        long = self._runs(self._long_grants())
        ahead = (own + others).core_seconds * self._pace.ratio
        room = earliest_room(
            self._runs(self._grants.values()), self.free_memory_bytes, entry.memory_bytes
        )
        return Forecast(
            max(wait_for_core(long, self._capacity.cores, ahead, now), room.at - now, 0.0),
            own,
            others,
            num_running=len(long),
            missing_bytes=max(0, entry.memory_bytes - self.free_memory_bytes),
            limit=self.at_limit(entry),
        )

    def _take(self, worker: int, num_idle: int, now: float) -> Grant | None:
        """Take what is next for a worker, of what it is for."""
        if worker == EXPRESS_WORKER:
            return self._take_short(num_idle, now)
        if worker == self._reading_worker:
            return self._take_reading(now)
        grant = self._take_long(now) or self._take_reading(now)
        return grant or self._take_short(num_idle, now)

    def _take_reading(self, now: float) -> Grant | None:
        """Take the next input to be read: it needs no core of its own, and is soon done."""
        entry = self._reading.head(self._may_start)
        if entry is None or entry.memory_bytes > self.free_memory_bytes:
            return None
        self._begin(self._reading, entry)
        return Grant((entry,), 1, now)

    def _take_short(self, num_idle: int, now: float) -> Grant | None:
        """Take an idle worker's share of the short jobs."""
        taken: list[Entry] = []
        most = min(MAX_BATCH, -(-len(self._short) // num_idle))
        while len(taken) < most and sum(entry.core_seconds for entry in taken) < SHORT_SECONDS:
            entry = self._short.head(self._may_start)
            if entry is None or not self._may_join(entry, taken):
                break
            self._begin(self._short, entry)
            taken.append(entry)
        return Grant(tuple(taken), 1, now) if taken else None

    def _may_join(self, entry: Entry, others: list[Entry]) -> bool:
        """A recovered job may be what killed the last worker, so it goes alone."""
        if others and (entry.is_recovered or others[0].is_recovered):
            return False
        taken = sum(other.memory_bytes for other in others)
        return taken + entry.memory_bytes <= self.free_memory_bytes

    def _take_long(self, now: float) -> Grant | None:
        """Take the next long job, and its share of the cores that no other long job has."""
        free = self._capacity.cores - sum(grant.threads for grant in self._long_grants())
        entry = self._long.head(self._may_start) if free > 0 and len(self._long) else None
        if entry is not None and entry.memory_bytes > self.free_memory_bytes:
            entry = self._beside(entry, now)
        if entry is None:
            return None
        share = max(1, free // len(self._long))
        self._begin(self._long, entry)
        return Grant((entry,), min(entry.threads, share), now)

    def _beside(self, reserved: Entry, now: float) -> Entry | None:
        """Return a job that runs while another waits for memory, and does not hold it up."""
        free = self.free_memory_bytes
        room = earliest_room(self._runs(self._grants.values()), free, reserved.memory_bytes)
        for entry in itertools.islice(self._long, MOST_LOOKED_AT):
            ends_before = now + entry.core_seconds * self._pace.ratio <= room.at
            fits_beside = entry.memory_bytes <= room.spare_bytes
            fits = entry.memory_bytes <= free and (ends_before or fits_beside)
            if fits and entry is not reserved and self._may_start(entry):
                return entry
        return None

    def _begin(self, queue: FairQueue, entry: Entry) -> None:
        queue.take(entry)
        del self._waiting[entry.job_id]
        self._queued.count(entry, -1)
        self._running.count(entry, 1)

    def _may_start(self, entry: Entry) -> bool:
        return self.at_limit(entry) is None

    def _runs(self, grants: Iterable[Grant]) -> list[Run]:
        return [
            Run(grant.since + grant.seconds * self._pace.ratio, grant.threads, grant.memory_bytes)
            for grant in grants
        ]

    def _long_grants(self) -> list[Grant]:
        return [grant for grant in self._grants.values() if is_long(grant.entries[0])]

    def _queue_of(self, entry: Entry) -> FairQueue:
        if is_short(entry):
            return self._short
        return self._long if is_long(entry) else self._reading


def is_short(entry: Entry) -> bool:
    """Return whether a job goes by the express worker too, where it gets one thread."""
    return entry.core_seconds < SHORT_SECONDS


def is_long(entry: Entry) -> bool:
    """Return whether a job is counted in cores."""
    return not is_short(entry) and not entry.is_reading
