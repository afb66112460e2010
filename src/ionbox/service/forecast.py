"""How long a job will wait: by what is ahead, and by when cores and memory come free. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ionbox.service.fair_queue import NOTHING, Ahead


class Run(NamedTuple):
    """A job that runs: when it is expected to end, and what comes free then."""

    end: float
    threads: int
    memory_bytes: int


class Room(NamedTuple):
    """When there is room for a job, and how much memory is left beside it then."""

    at: float
    spare_bytes: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long a job will wait from now on, and for what.

    Args:
        seconds: None where a limit keeps it waiting: that depends on what its key's jobs do.
        own: What is served before it, of its own submitter.
        others: What is served before it, of others: about.
        num_running: How many long jobs run.
        missing_bytes: How much memory it would need beyond what is free.
        limit: Whose limit of running jobs is reached: `key` or `project`.
    """

    seconds: float | None
    own: Ahead = NOTHING
    others: Ahead = NOTHING
    num_running: int = 0
    missing_bytes: int = 0
    limit: str | None = None


def wait_for_core(runs: Sequence[Run], cores: int, core_seconds: float, now: float) -> float:
    """Return after how many seconds a core is free, once so much work is done that comes before.

    Work is poured over the cores like water: each takes some from when it is free on.
    """
    busy = [max(now, run.end) for run in runs for _ in range(run.threads)][:cores]
    free_at = sorted([*busy, *[now] * (cores - len(busy))])
    level, poured = free_at[0], 0.0
    for number, following in enumerate([*free_at[1:], math.inf], start=1):
        room = (following - level) * number
        if poured + room >= core_seconds:
            return level + (core_seconds - poured) / number - now
        poured, level = poured + room, following
    raise AssertionError("infinity holds all work")


def earliest_room(runs: Sequence[Run], free_bytes: int, needed_bytes: int) -> Room:
    """Return when jobs that run have given back enough memory; never where that is not enough."""
    if needed_bytes <= free_bytes:
        return Room(-math.inf, free_bytes - needed_bytes)
    ends = [(run.end, run.memory_bytes) for run in runs]
    heapq.heapify(ends)
    while ends:
        end, memory_bytes = heapq.heappop(ends)
        free_bytes += memory_bytes
        if needed_bytes <= free_bytes:
            return Room(end, free_bytes - needed_bytes)
    return Room(math.inf, 0)
