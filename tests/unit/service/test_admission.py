from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.service.admission import MAX_BATCH, Admission, Capacity, is_short
from ionbox.service.ready_queue import Entry

SHORT, LONG = 0.0001, 1.0
_numbers = itertools.count()


def entry(
    seconds: float = LONG, memory: int = 0, threads: int = 1, *, is_recovered: bool = False
) -> Entry:
    name = f"job-{next(_numbers)}"
    return Entry(name, "a", seconds, memory, threads, is_recovered=is_recovered)


def admission(cores: int = 2, memory: int = 100, num_workers: int = 3) -> Admission:
    return Admission(Capacity(cores, memory), num_workers)


def push(queue: Admission, *entries: Entry) -> list[int]:
    for each in entries:
        queue.push(each)
    return list(queue.assign())


def test_one_worker_is_kept_for_short_jobs() -> None:
    queue = admission(cores=4, num_workers=3)

    assert push(queue, entry(), entry(), entry()) == [1, 2]
    assert push(queue, entry(SHORT)) == [0]


def test_long_jobs_take_no_more_threads_than_there_are_cores() -> None:
    queue = admission(cores=1, num_workers=4)

    assert push(queue, entry(), entry()) == [1]


def test_a_wide_job_alone_gets_all_cores() -> None:
    queue = admission(cores=4, num_workers=3)
    push(queue, entry(threads=4))

    assert queue.threads_of(1) == 4


def test_a_job_gets_no_more_threads_than_it_can_use() -> None:
    queue = admission(cores=4, num_workers=4)
    push(queue, entry(threads=3), entry(threads=1))

    assert [queue.threads_of(worker) for worker in (1, 2)] == [2, 1]


def test_jobs_that_wait_together_share_the_cores() -> None:
    queue = admission(cores=8, num_workers=5)
    push(queue, *(entry(threads=8) for _ in range(3)))

    assert [queue.threads_of(worker) for worker in (1, 2, 3)] == [2, 3, 3]


def test_a_wide_job_starts_on_what_is_free() -> None:
    queue = admission(cores=4, num_workers=4)
    push(queue, entry(threads=3))
    push(queue, entry(threads=4))

    assert [queue.threads_of(worker) for worker in (1, 2)] == [3, 1]


def test_threads_come_back_with_their_job() -> None:
    queue = admission(cores=4, num_workers=3)
    push(queue, entry(threads=4))

    assert push(queue, entry(threads=4)) == []
    queue.release(1)
    assert list(queue.assign()) == [1]
    assert queue.threads_of(1) == 4


def test_short_jobs_run_beside_a_job_that_has_all_cores() -> None:
    queue = admission(cores=2, num_workers=3)
    push(queue, entry(threads=2))

    assert push(queue, entry(SHORT)) == [0]
    assert queue.threads_of(0) == 1


@pytest.mark.parametrize(("seconds", "workers"), [(0.002, [0]), (0.003, [])])
def test_a_job_is_short_if_it_is_so_on_one_thread(seconds: float, workers: list[int]) -> None:
    queue = admission(cores=2, num_workers=2)
    push(queue, entry(threads=2))

    assert push(queue, entry(seconds, threads=2)) == workers


def test_jobs_take_no_more_memory_together_than_there_is() -> None:
    queue = admission(memory=100)

    assert push(queue, entry(memory=60), entry(memory=50)) == [1]
    queue.release(1)
    assert list(queue.assign()) == [1]


def test_short_jobs_are_spread_over_the_idle_workers() -> None:
    queue = admission(num_workers=3)
    push(queue, *(entry(SHORT) for _ in range(7)))

    assert sorted(len(grant) for grant in queue.grants.values()) == [2, 2, 3]


def test_a_worker_gets_few_short_jobs_at_a_time() -> None:
    queue = admission(num_workers=2)
    push(queue, *(entry(SHORT) for _ in range(100)))
    together = [sum(e.predicted_seconds for e in grant) for grant in queue.grants.values()]

    assert [len(grant) for grant in queue.grants.values()] == [MAX_BATCH, MAX_BATCH]
    assert max(together) < 0.005

    other = admission(num_workers=2)
    push(other, *(entry(0.004) for _ in range(100)))
    assert [len(grant) for grant in other.grants.values()] == [2, 2]


def test_a_recovered_job_goes_alone() -> None:
    queue = admission(num_workers=2)
    push(queue, entry(SHORT), entry(SHORT, is_recovered=True), *(entry(SHORT) for _ in range(8)))

    assert [len(grant) for grant in queue.grants.values()] == [1, 1]


def test_a_long_job_is_not_starved_by_short_ones_of_another_project() -> None:
    queue = admission(cores=4, num_workers=5)
    push(queue, *(entry(SHORT) for _ in range(100)))
    long = Entry("long", "b", LONG, 0)
    queue.push(long)
    for _ in range(20):
        for worker in list(queue.grants):
            queue.release(worker)
        push(queue, *(entry(SHORT) for _ in range(100)))
        if queue.worker_of("long") is not None:
            break

    assert queue.worker_of("long") is not None


def test_what_waits_is_known_until_it_is_granted() -> None:
    queue = admission(cores=1, num_workers=2)
    first, second = entry(), entry()
    push(queue, first, second)

    assert queue.waiting == {second.job_id}


def test_the_worker_that_has_a_job_is_found() -> None:
    queue = admission()
    job = entry()
    push(queue, job)

    assert queue.worker_of(job.job_id) == 1
    assert queue.worker_of("unknown") is None
    assert queue.release(1) == (job,)
    assert queue.worker_of(job.job_id) is None


@settings(derandomize=True, deadline=None)
@given(
    jobs=st.lists(
        st.tuples(st.sampled_from([SHORT, LONG]), st.integers(0, 100), st.integers(1, 6)),
        max_size=40,
    ),
    cores=st.integers(1, 4),
    num_workers=st.integers(2, 5),
)
def test_whatever_comes_every_job_is_granted_once_and_the_limits_hold(
    jobs: list[tuple[float, int, int]], cores: int, num_workers: int
) -> None:
    queue = admission(cores, 100, num_workers)
    waiting = [entry(*job) for job in jobs]
    served: list[Entry] = []
    granted = push(queue, *waiting)
    while granted:
        held = [e for grant in queue.grants.values() for e in grant]
        assert sum(e.memory_bytes for e in held) <= 100
        is_long = {worker: not is_short(grant[0]) for worker, grant in queue.grants.items()}
        assert sum(queue.threads_of(worker) for worker in is_long if is_long[worker]) <= cores
        served += queue.release(next(iter(queue.grants)))
        granted = [*queue.grants, *queue.assign()]

    assert sorted(e.job_id for e in served) == sorted(e.job_id for e in waiting)
