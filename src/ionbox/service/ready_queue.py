"""The jobs that wait for a worker, in an order that is fair between projects."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from ionbox.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Entry:
    """What the dispatcher needs to know of a waiting job.

    Args:
        is_recovered: A worker or a server died while it had this job.
        known: The job and its input as they were stored, where they are small enough to keep.
    """

    job_id: str
    project_id: str
    predicted_seconds: float
    memory_bytes: int
    is_recovered: bool = False
    known: tuple[Job, bytes] | None = None


class ReadyQueue:
    """A start-time fair queue over projects, weighted by predicted seconds.

    Each project's jobs lie on a virtual time line one after the other; the job with the earliest
    virtual start goes first, so a project that submits a thousand jobs waits for itself.

    Source:
        Goyal, Vin, Cheng, "Start-time fair queueing", SIGCOMM 1996, equations 4 and 5.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._virtual_time = 0.0
        self._project_ends: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, entry: Entry) -> None:
        """Add a job behind the others of its project."""
        start = max(self._virtual_time, self._project_ends.get(entry.project_id, 0.0))
        self._project_ends[entry.project_id] = start + entry.predicted_seconds
        heapq.heappush(self._heap, (start, next(self._order), entry))

    def pop(self, fits: Callable[[Entry], bool]) -> Entry | None:
        """Take the next job, or none where it does not fit now: nobody overtakes it."""
        if not self._heap or not fits(self._heap[0][2]):
            return None
        self._virtual_time, _, entry = heapq.heappop(self._heap)
        if not self._heap:
            self._project_ends.clear()
        return entry
