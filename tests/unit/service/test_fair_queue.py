from __future__ import annotations

import itertools
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.service.fair_queue import QUANTUM, Ahead, Entry, FairQueue

_numbers = itertools.count()


def entry(
    project_id: str = "a",
    seconds: float = 1.0,
    *,
    submitter_id: str = "key",
    urgency: int = 3,
    job_id: str = "",
) -> Entry:
    name = job_id or f"{project_id}-{next(_numbers)}"
    return Entry(name, project_id, seconds, 0, submitter_id=submitter_id, urgency=urgency)


def queue_of(*entries: Entry) -> FairQueue:
    queue = FairQueue()
    for each in entries:
        queue.push(each)
    return queue


def drain(queue: FairQueue, most: int = 10**9) -> list[Entry]:
    taken: list[Entry] = []
    while len(taken) < most and (head := queue.head(lambda _: True)) is not None:
        queue.take(head)
        taken.append(head)
    return taken


def test_one_submitter_is_served_in_the_order_of_submission() -> None:
    jobs = [entry() for _ in range(5)]

    assert drain(queue_of(*jobs)) == jobs


def test_a_project_that_submits_a_thousand_jobs_does_not_hold_up_another() -> None:
    queue = queue_of(*(entry("a") for _ in range(1000)), entry("b", job_id="b"))

    assert "b" in [job.job_id for job in drain(queue, 2)]


def test_so_it_is_between_the_submitters_of_one_project() -> None:
    greedy = (entry(submitter_id="greedy") for _ in range(1000))
    queue = queue_of(*greedy, entry(submitter_id="modest", job_id="m"))

    assert "m" in [job.job_id for job in drain(queue, 2)]


def test_projects_share_time_and_not_jobs() -> None:
    long, short = ([entry(p, s) for _ in range(30)] for p, s in (("long", 3.0), ("short", 1.0)))
    order = drain(queue_of(*long, *short), 20)

    assert sum(job.project_id == "short" for job in order) == 15


def test_threads_count_as_time_does() -> None:
    wide = [Entry(f"wide-{n}", "wide", 1.0, 0, threads=3) for n in range(30)]
    narrow = [entry("narrow", 1.0) for _ in range(30)]
    order = drain(queue_of(*wide, *narrow), 20)

    assert sum(job.project_id == "narrow" for job in order) == 15


def test_a_project_of_many_submitters_gets_no_more_than_one_of_few() -> None:
    many = [entry("many", submitter_id=f"key {n}") for n in range(50)]
    few = [entry("few") for _ in range(50)]

    order = drain(queue_of(*many, *few), 40)
    assert sum(job.project_id == "few" for job in order) == pytest.approx(20, abs=1)


def test_a_newcomer_gets_no_credit_for_the_time_before() -> None:
    queue = queue_of(*(entry("a") for _ in range(10)))
    drain(queue, 5)
    for _ in range(5):
        queue.push(entry("b"))

    assert sum(job.project_id == "a" for job in drain(queue, 4)) == 2


def test_what_is_urgent_overtakes_its_submitters_own_jobs_alone() -> None:
    calm = entry(submitter_id="mine")
    other = entry(submitter_id="theirs")
    urgent = entry(submitter_id="mine", urgency=0)
    order = drain(queue_of(calm, other, urgent))

    assert order.index(urgent) < order.index(calm)
    assert order.index(other) < 2


def test_what_may_not_start_is_passed_over_and_gains_nothing_meanwhile() -> None:
    queue = queue_of(*(entry("held") for _ in range(4)), *(entry("free") for _ in range(8)))
    for _ in range(4):
        head = queue.head(lambda job: job.project_id != "held")
        assert head is not None
        queue.take(head)

    assert sum(job.project_id == "held" for job in drain(queue, 4)) == pytest.approx(2, abs=1)


def test_the_head_stays_until_it_is_taken() -> None:
    queue = queue_of(*(entry(project, seconds) for project in "abc" for seconds in (3.0, 0.1)))
    heads = {queue.head(lambda _: True) for _ in range(10)}

    assert len(heads) == 1


def test_a_dropped_job_costs_nobody_a_turn() -> None:
    jobs = [entry("a", 100.0) for _ in range(3)]
    queue = queue_of(*jobs, entry("a"), entry("b"))
    for job in jobs:
        queue.drop(job)

    assert [job.project_id for job in drain(queue)] == ["a", "b"]
    assert len(queue) == 0


def test_what_is_ahead_is_told_of_the_submitter_and_of_others() -> None:
    mine = [entry("a", 2.0) for _ in range(3)]
    queue = queue_of(*mine, *(entry("b", 1.0) for _ in range(2)), *(entry("c") for _ in range(99)))
    own, others = queue.ahead_of(mine[2])

    assert own == Ahead(2, 4.0)
    assert others == Ahead(2 + 6, 2.0 + 6.0)
    assert queue.ahead_of(entry("a", 2.0))[0] == Ahead(3, 6.0)
    assert queue.ahead_of(entry("a", 2.0, urgency=2))[0] == Ahead()


def test_what_is_said_to_be_ahead_is_about_what_is_served_before() -> None:
    rng = random.Random(5)  # noqa: S311 - a fixed seed
    jobs = [
        entry(rng.choice("abcdef"), rng.choice((0.5, 1.0, 2.0)), submitter_id=rng.choice("xyz"))
        for _ in range(400)
    ]
    queue = queue_of(*jobs)
    told = {job.job_id: queue.ahead_of(job) for job in jobs}
    served = 0.0
    for job in drain(queue):
        own, others = told[job.job_id]
        assert served == pytest.approx((own + others).core_seconds, rel=0.1, abs=45)
        served += job.core_seconds


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.floats(1e-5, 10)), max_size=60
    )
)
def test_while_all_wait_no_project_is_ahead_of_another_by_more_than_its_largest_job(
    jobs: list[tuple[str, str, float]],
) -> None:
    waiting = [entry(project, seconds, submitter_id=key) for project, key, seconds in jobs]
    queue, largest = queue_of(*waiting), max((job.core_seconds for job in waiting), default=0)
    left = {project: sum(job.project_id == project for job in waiting) for project in "abc"}
    served: dict[str, float] = defaultdict(float)
    for job in drain(queue):
        served[job.project_id] += job.core_seconds
        left[job.project_id] -= 1
        rivals = [served[project] for project in "abc" if left[project]]
        if left[job.project_id]:
            assert max(rivals) - min(rivals) <= 2 * (largest + QUANTUM)

    assert not any(left.values())
