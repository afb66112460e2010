from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.service.admission import MAX_BATCH, Admission, Capacity, Limits, is_short
from ionbox.service.fair_queue import Entry

SHORT, LONG = 0.0001, 1.0
_numbers = itertools.count()


def entry(
    seconds: float = LONG,
    memory: int = 0,
    threads: int = 1,
    *,
    project: str = "a",
    key: str = "key",
    is_recovered: bool = False,
) -> Entry:
    name = f"job-{next(_numbers)}"
    return Entry(name, project, seconds, memory, threads, key, is_recovered=is_recovered)


def admission(
    cores: int = 2, memory: int = 100, num_workers: int = 4, *, limits: Limits | None = None
) -> Admission:
    return Admission(Capacity(cores, memory), num_workers, limits=limits or Limits())


def push(queue: Admission, *entries: Entry) -> list[int]:
    for each in entries:
        queue.push(each)
    return list(queue.assign(0.0))


def test_one_worker_is_kept_for_short_jobs() -> None:
    queue = admission(cores=4, num_workers=4)

    assert push(queue, entry(), entry(), entry()) == [1, 2]
    assert push(queue, entry(SHORT)) == [0]


def test_long_jobs_take_no_more_threads_than_there_are_cores() -> None:
    queue = admission(cores=1, num_workers=5)

    assert push(queue, entry(), entry()) == [1]


def test_a_wide_job_alone_gets_all_cores() -> None:
    queue = admission(cores=4, num_workers=4)
    push(queue, entry(threads=4))

    assert queue.grants[1].threads == 4


def test_a_job_gets_no_more_threads_than_it_can_use() -> None:
    queue = admission(cores=4, num_workers=5)
    push(queue, entry(threads=3), entry(threads=1))

    assert [queue.grants[worker].threads for worker in (1, 2)] == [2, 1]


def test_jobs_that_wait_together_share_the_cores() -> None:
    queue = admission(cores=8, num_workers=6)
    push(queue, *(entry(threads=8) for _ in range(3)))

    assert [queue.grants[worker].threads for worker in (1, 2, 3)] == [2, 3, 3]


def test_a_wide_job_starts_on_what_is_free() -> None:
    queue = admission(cores=4, num_workers=5)
    push(queue, entry(threads=3))
    push(queue, entry(threads=4))

    assert [queue.grants[worker].threads for worker in (1, 2)] == [3, 1]


def test_threads_come_back_with_their_job() -> None:
    queue = admission(cores=4, num_workers=4)
    push(queue, entry(threads=4))

    assert push(queue, entry(threads=4)) == []
    queue.release(1)
    assert list(queue.assign(0.0)) == [1]
    assert queue.grants[1].threads == 4


def test_short_jobs_run_beside_a_job_that_has_all_cores() -> None:
    queue = admission(cores=2, num_workers=4)
    push(queue, entry(threads=2))

    assert push(queue, entry(SHORT)) == [0]
    assert queue.grants[0].threads == 1


@pytest.mark.parametrize(("seconds", "workers"), [(0.002, [0]), (0.003, [])])
def test_a_job_is_short_if_it_is_so_on_one_thread(seconds: float, workers: list[int]) -> None:
    queue = admission(cores=2, num_workers=2)
    push(queue, entry(threads=2))

    assert push(queue, entry(seconds, threads=2)) == workers


def test_jobs_take_no_more_memory_together_than_there_is() -> None:
    queue = admission(memory=100)

    assert push(queue, entry(memory=60), entry(memory=50)) == [1]
    queue.release(1)
    assert list(queue.assign(0.0)) == [1]


def test_short_jobs_are_spread_over_the_idle_workers() -> None:
    queue = admission(num_workers=4)
    push(queue, *(entry(SHORT) for _ in range(7)))

    assert sorted(len(grant.entries) for grant in queue.grants.values()) == [2, 2, 3]


def test_a_worker_gets_few_short_jobs_at_a_time() -> None:
    queue = admission(num_workers=2)
    push(queue, *(entry(SHORT) for _ in range(100)))
    together = [sum(e.predicted_seconds for e in grant.entries) for grant in queue.grants.values()]

    assert [len(grant.entries) for grant in queue.grants.values()] == [MAX_BATCH, MAX_BATCH]
    assert max(together) < 0.005

    other = admission(num_workers=2)
    push(other, *(entry(0.004) for _ in range(100)))
    assert [len(grant.entries) for grant in other.grants.values()] == [2, 2]


def test_a_recovered_job_goes_alone() -> None:
    queue = admission(num_workers=2)
    push(queue, entry(SHORT), entry(SHORT, is_recovered=True), *(entry(SHORT) for _ in range(8)))

    assert [len(grant.entries) for grant in queue.grants.values()] == [1, 1]


def test_a_long_job_is_not_starved_by_short_ones_of_another_project() -> None:
    queue = admission(cores=4, num_workers=6)
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

    assert set(queue.waiting) == {second.job_id}


def test_the_worker_that_has_a_job_is_found() -> None:
    queue = admission()
    job = entry()
    push(queue, job)

    assert queue.worker_of(job.job_id) == 1
    assert queue.worker_of("unknown") is None
    assert queue.release(1) == (job,)
    assert queue.worker_of(job.job_id) is None


def test_a_job_that_waits_for_memory_is_overtaken_by_one_that_ends_before_there_is_room() -> None:
    queue = admission(cores=3, memory=100, num_workers=5)
    runs, waits = entry(10.0, memory=80), entry(1.0, memory=90)
    long, short = entry(20.0, memory=20), entry(5.0, memory=20)

    assert push(queue, runs, waits, long, short) == [1, 2]
    assert queue.grants[2].entries == (short,)


def test_a_job_that_waits_for_memory_is_overtaken_by_one_that_fits_beside_it() -> None:
    queue = admission(cores=3, memory=100, num_workers=5)
    small = entry(100.0, memory=20)
    push(queue, entry(10.0, memory=80), entry(1.0, memory=60), entry(100.0, memory=50), small)

    assert queue.worker_of(small.job_id) == 2


def test_a_job_that_waits_for_memory_is_held_up_by_nobody() -> None:
    queue = admission(cores=2, memory=100, num_workers=4)
    first, large = entry(10.0, memory=60), entry(1.0, memory=100)
    push(queue, first, large)
    for _ in range(20):
        push(queue, entry(50.0, memory=30))

    assert queue.worker_of(first.job_id) == 1
    queue.release(1)
    assert list(queue.assign(10.0)) == [1]
    assert queue.worker_of(large.job_id) == 1


def test_an_input_is_read_beside_jobs_that_have_all_cores_and_workers() -> None:
    queue = admission(cores=2, num_workers=4)
    push(queue, entry(3600.0), entry(3600.0))
    text = Entry("text", "a", 0.01, 0, is_reading=True)

    assert push(queue, text) == [3]
    assert push(queue, entry(SHORT)) == [0]


def test_an_input_waits_for_none_of_the_cores() -> None:
    queue = admission(cores=1, num_workers=4)
    push(queue, entry(3600.0, threads=1))

    assert push(queue, *(Entry(f"{n}", "a", 0.01, 0, is_reading=True) for n in "ab")) == [3, 2]


@pytest.mark.parametrize(
    ("limits", "keys", "num_running"),
    [
        (Limits(key_running=1), ("x", "x", "x"), 1),
        (Limits(key_running=1), ("x", "y", "x"), 2),
        (Limits(project_running=2), ("x", "y", "z"), 2),
        (Limits(), ("x", "x", "x"), 3),
    ],
)
def test_no_more_jobs_of_a_key_or_project_run_than_their_limit(
    limits: Limits, keys: tuple[str, ...], num_running: int
) -> None:
    queue = admission(cores=4, num_workers=6, limits=limits)

    assert len(push(queue, *(entry(key=key) for key in keys))) == num_running


def test_a_job_at_its_limit_starts_when_another_of_its_key_ends() -> None:
    queue = admission(cores=4, num_workers=6, limits=Limits(key_running=1))
    first, second = entry(), entry()
    push(queue, first, second)

    assert queue.forecast(second, 0.0).limit == "key"
    queue.release(1)
    assert list(queue.assign(0.0)) == [1]
    assert queue.worker_of(second.job_id) == 1


def test_what_waits_is_counted_by_project_and_by_key() -> None:
    queue = admission(cores=1, num_workers=2)
    dropped = entry(key="y")
    push(queue, entry(key="x"), entry(key="x"), entry(key="y"), dropped)

    assert queue.num_waiting("a", "y") == (3, 2)
    assert queue.drop(dropped.job_id)
    assert not queue.drop(dropped.job_id)
    assert queue.num_waiting("a", "y") == (2, 1)
    assert queue.num_waiting("b", "z") == (0, 0)


def test_readings_and_short_jobs_do_not_hold_up_who_waits_for_memory() -> None:
    queue = admission(cores=2, memory=100, num_workers=4)
    large = entry(1.0, memory=100)
    reading = Entry("first", "a", 0.01, 30, is_reading=True)
    push(queue, entry(10.0, memory=50), large, reading, entry(SHORT, memory=20))
    now = 0.0
    for number in range(200):  # they come without end, each before the last one is done
        now += 0.1
        push(
            queue, Entry(f"text-{number}", "b", 0.01, 30, is_reading=True), entry(SHORT, memory=20)
        )
        for worker in [w for w, grant in queue.grants.items() if w != 1 or now > 10]:
            queue.release(worker)
            list(queue.assign(now))

    assert large.job_id not in queue.waiting


def test_who_waits_for_memory_keeps_its_turn_though_others_of_its_project_run_beside() -> None:
    queue = admission(cores=3, memory=8, num_workers=5)
    large = entry(10.0, memory=7, key="one")
    push(queue, entry(100.0, memory=4, key="one"), large)
    for number in range(30):  # of another key of its project, and of another project
        push(queue, entry(60.0, memory=1, key="two"), entry(50.0, memory=3, project=f"p{number}"))
    now = 0.0
    while large.job_id in queue.waiting and now < 2000:
        ends = {w: g.since + g.seconds for w, g in queue.grants.items()}
        worker = min(ends, key=lambda each: ends[each])
        now = max(now, ends[worker])
        queue.release(worker)
        list(queue.assign(now))

    assert now <= 101


def test_an_input_is_read_though_jobs_have_all_memory() -> None:
    queue = admission(cores=2, memory=100, num_workers=4)
    push(queue, entry(3600.0, memory=100))

    assert push(queue, Entry("text", "a", 0.01, 60, is_reading=True)) == [3]


def test_jobs_that_may_not_start_take_no_share_of_the_cores() -> None:
    queue = admission(cores=8, num_workers=10, limits=Limits(key_running=1))
    push(queue, *(entry(threads=8) for _ in range(20)))

    assert [grant.threads for grant in queue.grants.values()] == [8]


def test_a_limit_is_one_of_runs_and_not_of_inputs_that_are_read() -> None:
    queue = admission(cores=4, num_workers=6, limits=Limits(key_running=1))
    push(queue, entry())

    assert len(push(queue, Entry("text", "a", 0.01, 0, submitter_id="key", is_reading=True))) == 1


@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_how_long_a_limit_keeps_a_job_waiting_nobody_knows(seconds: float) -> None:
    queue = admission(cores=4, num_workers=6, limits=Limits(key_running=1))
    push(queue, entry())
    told = queue.forecast(entry(seconds), 0.0)

    assert (told.limit, told.seconds) == ("key", None)


def test_a_long_job_that_is_late_is_taken_to_last_as_long_again() -> None:
    queue = admission(cores=1, memory=100, num_workers=3)
    push(queue, entry(1.0, memory=80))

    assert queue.forecast(entry(1.0, memory=60), 51.0).seconds == 50


def test_short_jobs_go_on_beside_one_that_is_late_while_another_waits_for_all_memory() -> None:
    queue = admission(cores=8, memory=100, num_workers=4)
    push(queue, entry(10.0, memory=50), entry(10.0, memory=100))
    queue.push(entry(SHORT, memory=1))

    assert list(queue.assign(11.0)) == [0]


def test_short_jobs_go_on_while_one_that_has_its_memory_waits_for_a_core() -> None:
    queue = admission(cores=1, memory=100, num_workers=5)
    texts = [Entry(name, "a", 0.01, 60, is_reading=True) for name in ("one", "two")]
    push(queue, *texts)
    push(queue, entry(10.0, memory=100))
    push(queue, entry(100.0))
    for worker in [w for w, grant in queue.grants.items() if grant.entries[0].is_reading]:
        queue.release(worker)
    queue.push(entry(SHORT, memory=1))

    assert list(queue.assign(1.0)) == [0]


def test_a_machine_that_slept_is_not_taken_for_a_slow_one() -> None:
    queue = admission(cores=1, num_workers=3)
    push(queue, entry(1.0))
    queue.learn(1, 8 * 3600.0)
    queue.release(1)
    list(queue.assign(0.0))
    push(queue, entry(1.0))

    assert (queue.forecast(entry(1.0), 0.0).seconds or 0) <= 100


def test_a_wait_is_foretold_from_what_runs_and_what_is_ahead() -> None:
    queue = admission(cores=2, num_workers=4)
    push(queue, entry(10.0), entry(4.0))
    first, second = entry(3.0, key="x"), entry(1.0, key="y")

    assert queue.forecast(first, 0.0).seconds == pytest.approx(4.0)
    push(queue, first)
    told = queue.forecast(second, 1.0)
    assert told.seconds == pytest.approx(4.0)
    assert (told.own.num_jobs, told.others.num_jobs, told.num_running) == (0, 1, 2)


def test_nobody_waits_where_a_core_is_free() -> None:
    queue = admission(cores=2, num_workers=4)
    push(queue, entry(10.0))

    assert queue.forecast(entry(), 0.0).seconds == 0


def test_who_waits_for_memory_waits_until_there_is_room() -> None:
    queue = admission(cores=4, memory=100, num_workers=6)
    push(queue, entry(10.0, memory=50), entry(30.0, memory=50))
    told = queue.forecast(entry(1.0, memory=60), 4.0)

    assert told.seconds == pytest.approx(26.0)
    assert told.missing_bytes == 60


def test_a_forecast_follows_how_much_longer_jobs_have_taken_than_planned() -> None:
    queue = admission(cores=1, num_workers=2)
    push(queue, entry(1.0))
    queue.learn(1, 3.0)
    queue.release(1)
    list(queue.assign(3.0))
    push(queue, entry(1.0))

    assert queue.forecast(entry(1.0), 0.0).seconds == pytest.approx(3.0, rel=0.01)


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
        held = [e for grant in queue.grants.values() for e in grant.entries]
        assert sum(e.memory_bytes for e in held) <= 100
        is_long = {worker: not is_short(grant.entries[0]) for worker, grant in queue.grants.items()}
        assert sum(queue.grants[worker].threads for worker in is_long if is_long[worker]) <= cores
        served += queue.release(next(iter(queue.grants)))
        granted = [*queue.grants, *queue.assign(0.0)]

    assert sorted(e.job_id for e in served) == sorted(e.job_id for e in waiting)
