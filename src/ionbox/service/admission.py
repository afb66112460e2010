"""Which waiting job gets which idle worker: order, threads and memory. Pure; the caller locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ionbox.service.ready_queue import Entry, FairClock, ReadyQueue

# A job below this runs on any worker, also on the one kept free for such jobs.
SHORT_SECONDS = 0.005
# Under load a worker gets a few short jobs at a time: a hop between processes costs as much as one.
MAX_BATCH = 16
EXPRESS_WORKER = 0


@dataclass(frozen=True, slots=True)
class Capacity:
    """What jobs may take together."""

    cores: int
    memory_bytes: int


Grant = tuple[Entry, ...]


class Admission:
    """Holds the waiting jobs, and what each busy worker was granted.

    A grant is one long job, or a few short ones that are together still short, on one thread. Long
    jobs never take more threads than there are cores, and no jobs more memory than the capacity
    has. A long job starts as soon as one core is free. It is granted its share of the free cores:
    all of them if no other long job waits. It keeps them to its end, and gets no more.
    """

    def __init__(self, capacity: Capacity, num_workers: int) -> None:
        self._capacity = capacity
        self._num_workers = num_workers
        self._clock = FairClock()
        self._short = ReadyQueue(self._clock)
        self._long = ReadyQueue(self._clock)
        self._waiting: set[str] = set()
        self._grants: dict[int, Grant] = {}
        self._threads: dict[int, int] = {}  # of those workers that have a long job

    @property
    def grants(self) -> Mapping[int, Grant]:
        """What each busy worker holds."""
        return self._grants

    @property
    def waiting(self) -> frozenset[str] | set[str]:
        """The ids of the jobs that wait."""
        return self._waiting

    def threads_of(self, worker: int) -> int:
        """Return how many threads a busy worker was granted."""
        return self._threads.get(worker, 1)

    def push(self, entry: Entry) -> None:
        """Have a job wait."""
        (self._short if is_short(entry) else self._long).push(entry)
        self._waiting.add(entry.job_id)

    def assign(self) -> Iterator[int]:
        """Give idle workers what fits; yield each that got something."""
        idle = [w for w in range(self._num_workers) if w not in self._grants]
        for position, worker in enumerate(idle):
            grant = self._take(worker, len(idle) - position)
            if grant:
                self._grants[worker] = grant
                self._waiting.difference_update(entry.job_id for entry in grant)
                yield worker

    def release(self, worker: int) -> Grant:
        """Take back what a worker held, and return it."""
        grant = self._grants.pop(worker)
        self._threads.pop(worker, None)
        if not self._grants and not self._waiting:
            self._clock.reset()
        return grant

    def worker_of(self, job_id: str) -> int | None:
        """Return which worker has a job."""
        for worker, grant in self._grants.items():
            if any(entry.job_id == job_id for entry in grant):
                return worker
        return None

    def _take(self, worker: int, num_idle: int) -> Grant:
        """Take what is next for a worker; one is kept for short jobs."""
        if worker == EXPRESS_WORKER:
            return self._take_short(num_idle)
        if self._long.next_start <= self._short.next_start:
            return self._take_long(worker) or self._take_short(num_idle)
        return self._take_short(num_idle) or self._take_long(worker)

    def _take_short(self, num_idle: int) -> Grant:
        """Take an idle worker's share of the short jobs."""
        taken: list[Entry] = []
        most = min(MAX_BATCH, -(-len(self._short) // num_idle))
        while len(taken) < most and sum(entry.seconds_alone for entry in taken) < SHORT_SECONDS:
            entry = self._short.pop(lambda entry: self._may_join(entry, taken))
            if entry is None:
                break
            taken.append(entry)
        return tuple(taken)

    def _may_join(self, entry: Entry, others: list[Entry]) -> bool:
        """A recovered job may be what killed the last worker, so it goes alone."""
        if others and (entry.is_recovered or others[0].is_recovered):
            return False
        return self._has_memory(entry, others)

    def _take_long(self, worker: int) -> Grant:
        """Take the next long job, and its share of the cores that no other long job has."""
        free = self._capacity.cores - sum(self._threads.values())
        share = max(1, free // max(1, len(self._long)))
        entry = self._long.pop(lambda entry: self._has_memory(entry, [])) if free else None
        if entry is None:
            return ()
        self._threads[worker] = min(entry.threads, share)
        return (entry,)

    def _has_memory(self, entry: Entry, others: list[Entry]) -> bool:
        held = [e.memory_bytes for grant in (*self._grants.values(), others) for e in grant]
        return sum(held) + entry.memory_bytes <= self._capacity.memory_bytes


def is_short(entry: Entry) -> bool:
    """Return whether a job goes by the express worker too, where it gets one thread."""
    return entry.seconds_alone < SHORT_SECONDS
