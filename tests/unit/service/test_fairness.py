"""Two hundred keys at once, in virtual time: nobody waits much longer than anybody else."""

from __future__ import annotations

import heapq
import itertools
import random
import statistics
from collections import defaultdict
from collections.abc import Callable

import pytest

from ionbox.service.admission import Admission, Capacity
from ionbox.service.fair_queue import Entry

KEYS, JOBS, MINUTE = 200, 20, 60.0
SECONDS = 0.1  # a job of 20 qubits
Arrivals = list[tuple[float, str]]


def spread(rng: random.Random) -> Arrivals:
    """Each key submits now and then, all through the minute."""
    return [(rng.uniform(0, MINUTE), f"key {n}") for n in range(KEYS) for _ in range(JOBS)]


def in_bursts(rng: random.Random) -> Arrivals:
    """Each key submits all its jobs at once, all of them within a second."""
    starts = {f"key {n}": rng.uniform(0, 1) for n in range(KEYS)}
    return [(start, key) for key, start in starts.items() for _ in range(JOBS)]


def beside_a_greedy_one(rng: random.Random) -> Arrivals:
    """One key has submitted a thousand jobs before the minute begins."""
    return [*spread(rng), *[(0.0, "greedy")] * 1000]


def median_waits(arrivals: Arrivals, *, projects: bool) -> dict[str, float]:
    """Return each key's median wait, where all jobs take as long as planned on two cores."""
    admission = Admission(Capacity(2, 1 << 30), num_workers=4)
    ids = itertools.count()
    coming = [(at, f"{next(ids)}", key) for at, key in sorted(arrivals)]
    arrived = {job_id: at for at, job_id, _ in coming}
    waits: dict[str, list[float]] = defaultdict(list)
    ends: list[tuple[float, int]] = []
    while coming or ends:
        if coming and (not ends or coming[0][0] <= ends[0][0]):
            now, job_id, key = coming.pop(0)
            project = key if projects else "shared"
            admission.push(Entry(job_id, project, SECONDS, 1, submitter_id=key))
        else:
            now, worker = heapq.heappop(ends)
            admission.release(worker)
        for worker in admission.assign(now):
            (entry,) = admission.grants[worker].entries
            waits[entry.submitter_id].append(now - arrived[entry.job_id])
            heapq.heappush(ends, (now + SECONDS, worker))
    return {key: statistics.median(each) for key, each in waits.items()}


@pytest.mark.parametrize("projects", [False, True], ids=["one project", "a project each"])
@pytest.mark.parametrize("arrivals", [spread, in_bursts, beside_a_greedy_one])
def test_no_ones_median_wait_is_over_twice_anothers(
    arrivals: Callable[[random.Random], Arrivals], *, projects: bool
) -> None:
    waits = median_waits(arrivals(random.Random(7)), projects=projects)  # noqa: S311 - seeded
    greedy = waits.pop("greedy", None)

    assert len(waits) == KEYS
    assert max(waits.values()) <= 2 * min(waits.values()), (
        min(waits.values()),
        max(waits.values()),
    )
    assert greedy is None or greedy > max(waits.values())
