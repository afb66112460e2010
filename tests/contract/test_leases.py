"""Who works on a job holds it, and for how long."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from msgspec.structs import replace
from tests.builders import NOW, make_job
from tests.contract.house import House, endless, house_on

from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.endings import MAX_ATTEMPTS
from ionbox.service.ports import Change, NewJob
from ionbox.store.sqlite import SqliteStore

LATER = NOW + timedelta(seconds=30)


def claimed(store: SqliteStore, until: timedelta = timedelta(seconds=30)) -> Job:
    """Return a job that somebody has claimed."""
    project = store.create_project("local", "default").result()
    ready = make_job(project_id=project)
    store.insert_jobs([NewJob(ready, b"{}")], NOW).result()
    job, _ = step(ready, JobEvent.CLAIM, NOW)
    assert store.put_jobs([Change(job, ready, lease_until=NOW + until)]).result() == [True]
    return job


def leases_in(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT job_id, attempt FROM leases").fetchall()


def test_a_lease_that_ran_out_is_found_and_one_that_holds_is_not(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        job = claimed(store)

        assert store.expired_leases(LATER) == []
        assert store.expired_leases(LATER + timedelta(seconds=1)) == [job]


def test_a_renewed_lease_holds_for_longer(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        job = claimed(store)

        assert store.renew_leases([job], LATER + timedelta(seconds=30)).result() == [True]
        assert store.expired_leases(LATER + timedelta(seconds=1)) == []


def test_an_attempt_that_lost_its_lease_cannot_renew_it_and_cannot_write(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        first = claimed(store)
        waiting, _ = step(first, JobEvent.LOSE, NOW)
        store.put_jobs([Change(waiting, first)]).result()
        second, _ = step(waiting, JobEvent.CLAIM, NOW)
        store.put_jobs([Change(second, waiting, lease_until=LATER)]).result()
        late, _ = step(first, JobEvent.FINISH, NOW)

        assert (first.attempt, second.attempt) == (1, 2)
        assert store.renew_leases([first, second], LATER).result() == [False, True]
        assert store.put_jobs([Change(late, first)]).result() == [False]
        assert store.job(first.project_id, first.id) == second


def test_whatever_ends_an_attempt_ends_its_lease(tmp_path: Path) -> None:
    for event in (JobEvent.FINISH, JobEvent.LOSE, JobEvent.RELEASE, JobEvent.CANCEL):
        path = tmp_path / event
        with closing(SqliteStore(path)) as store:
            job = claimed(store)
            assert leases_in(path) == [(job.id, 1)]
            after, _ = step(job, event, NOW)
            store.put_jobs([Change(after, job)]).result()

            assert leases_in(path) == []


def test_a_deleted_job_is_held_by_nobody(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        job = claimed(store)
        store.delete_jobs(job.project_id, [job.id], NOW).result()

    assert leases_in(tmp_path / "db") == []


def stop_all_workers() -> None:
    for worker in psutil.Process().children():
        worker.send_signal(signal.SIGSTOP)


def started(house: House, attempt: int, job: Job) -> Job:
    return house.wait(job, lambda j: j.status is JobStatus.STARTED and j.attempt == attempt)


def test_a_job_whose_worker_hangs_is_taken_back_and_given_up_in_the_end(tmp_path: Path) -> None:
    with house_on(tmp_path, lease_seconds=3) as house:
        house.dispatcher.start()
        job = house.insert(endless(), predicted_seconds=100.0)
        house.dispatcher.queue(job)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            started(house, attempt, job)
            house.wait(job, lambda j: house.dispatcher.beat_of(j.id) is not None)
            stop_all_workers()
        done = house.end_of(job)

        assert (done.status, done.attempt) == (JobStatus.FAILED, MAX_ATTEMPTS)
        assert done.failure is not None
        assert done.failure.code == "InternalError"
        assert "its lease ran out, since nothing was heard of its worker" in done.failure.message


def test_a_job_that_takes_longer_than_a_lease_keeps_it(tmp_path: Path) -> None:
    with house_on(tmp_path, lease_seconds=1.5) as house:
        house.dispatcher.start()
        job = house.insert(endless(), predicted_seconds=100.0)
        house.dispatcher.queue(job)
        begun = started(house, 1, job)
        house.wait(job, lambda _: house.store.expired_leases(_after(begun, 3.0)) == [])

        assert house.stored(job).attempt == 1


def _after(job: Job, seconds: float) -> datetime:
    assert job.started_at is not None
    return job.started_at + timedelta(seconds=seconds)


def test_a_lease_that_nobody_here_knows_of_gives_its_job_back(tmp_path: Path) -> None:
    with house_on(tmp_path, lease_seconds=1) as house:
        house.dispatcher.start()
        job = house.insert()
        stranger = replace(step(job, JobEvent.CLAIM, NOW)[0])
        house.store.put_jobs([Change(stranger, job, lease_until=NOW)]).result()
        done = house.end_of(job)

        assert (done.status, done.attempt) == (JobStatus.COMPLETED, 2)


def test_short_jobs_on_a_worker_that_hangs_run_on_another(tmp_path: Path) -> None:
    with house_on(tmp_path, lease_seconds=3) as house:
        house.dispatcher.start()
        house.end_of(queued(house))  # the workers are up
        stop_all_workers()
        jobs = [queued(house) for _ in range(3)]

        assert {house.end_of(job).status for job in jobs} == {JobStatus.COMPLETED}


def queued(house: House) -> Job:
    job = house.insert(predicted_seconds=0.0001)
    house.dispatcher.queue(job)
    return job
