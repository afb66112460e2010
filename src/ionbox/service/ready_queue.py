"""The jobs that wait for a worker, in an order that is fair between projects."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

import msgspec

from ionbox.jobs.job import Job


class Entry(msgspec.Struct, frozen=True):
    """What the dispatcher needs to know of a waiting job.

    Args:
        threads: How many it can make use of.
        is_recovered: A worker or a server died while it had this job.
        known: The job and its input as they were stored, where they are small enough to keep.
    """

    job_id: str
    project_id: str
    predicted_seconds: float
    memory_bytes: int
    threads: int = 1
    is_recovered: bool = False
    known: tuple[Job, bytes] | None = None

    @property
    def seconds_alone(self) -> float:
        """How long it takes at most on one thread; the prediction is for all that it can use."""
        return self.predicted_seconds * self.threads


class FairClock:
    """Virtual time: each project's jobs lie on it one after the other, by predicted seconds.

    The job with the earliest virtual start goes first, so a project that submits a thousand jobs
    waits for itself.

    Source:
        Goyal, Vin, Cheng, "Start-time fair queueing", SIGCOMM 1996, equations 4 and 5.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._project_ends: dict[str, float] = {}

    def start_of(self, entry: Entry) -> float:
        """Return the virtual start of a new job, behind the others of its project."""
        start = max(self._now, self._project_ends.get(entry.project_id, 0.0))
        self._project_ends[entry.project_id] = start + entry.predicted_seconds
        return start

    def advance(self, start: float) -> None:
        """Note that a job with this virtual start is served."""
        self._now = max(self._now, start)

    def reset(self) -> None:
        """Forget who was served before: nobody waits and nobody is served."""
        self._project_ends.clear()


class ReadyQueue:
    """Waiting jobs by their virtual start; several queues may share a clock."""

    def __init__(self, clock: FairClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_start(self) -> float:
        """The virtual start of the next job; infinite where none waits."""
        return self._heap[0][0] if self._heap else math.inf

    def push(self, entry: Entry) -> None:
        """Add a job behind the others of its project."""
        heapq.heappush(self._heap, (self._clock.start_of(entry), next(self._order), entry))

    def pop(self, fits: Callable[[Entry], bool]) -> Entry | None:
        """Take the next job, or none where it does not fit now: nobody overtakes it here."""
        if not self._heap or not fits(self._heap[0][2]):
            return None
        start, _, entry = heapq.heappop(self._heap)
        self._clock.advance(start)
        return entry
