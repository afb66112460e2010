"""What every store must do. SQLite is the one there is; a temporary file is the test store."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.builders import NOW, limit_pages, make_job

from ionbox.errors import StoreError, StoreFullError
from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.access import hash_secret, new_key
from ionbox.service.ports import Change, JobQuery, StoredResult
from ionbox.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        yield store


@pytest.fixture
def project(store: SqliteStore) -> str:
    return store.create_project("local", "default").result()


def insert(store: SqliteStore, project: str, **changes: object) -> Job:
    job = make_job(project_id=project, **changes)
    return store.insert_job(job, b"input").result()


def ids(store: SqliteStore, project: str, **query: object) -> list[str]:
    page = JobQuery(**{"project_id": project, "limit": 100} | query)  # type: ignore[arg-type]
    return [job.id for job in store.jobs(page)]


def test_a_job_is_read_as_it_was_written(store: SqliteStore, project: str) -> None:
    job = insert(
        store,
        project,
        name="übung",
        metadata={"key": "a\u001e\u001fb", "": ""},
        settings={"compilation": {"opt": 1}},
        error_mitigation={},
        registers={"c": [1, None]},
        noise_model="aria-1",
        num_qubits=3,
        gate_counts=(4, 5),
        engine="statevector",
        precision="float64",
        predicted_seconds=0.25,
        memory_bytes=2**40,
        attempt=2,
        status=JobStatus.FAILED,
        started_at=NOW + timedelta(microseconds=1),
        completed_at=NOW + timedelta(microseconds=2),
        failure=Failure("SimulationError", "no"),
        warnings=("one", "two"),
    )

    assert store.job(project, job.id) == job
    assert store.job_and_input(project, job.id) == (job, b"input")


def test_a_job_without_anything_optional_is_read_as_it_was_written(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project)

    assert store.job(project, job.id) == job


def test_another_project_does_not_see_a_job(store: SqliteStore, project: str) -> None:
    job = insert(store, project)
    done = replace(job, status=JobStatus.COMPLETED)
    result = store.put_jobs([Change(done, job, StoredResult(inline=b"x"))])
    stranger = store.create_project("other", "other").result()

    assert result.result()
    assert store.job(stranger, job.id) is None
    assert store.job_and_input(stranger, job.id) is None
    assert store.result(stranger, job.id) is None
    assert ids(store, stranger) == []
    assert store.change_jobs(stranger, [job.id], lambda j: (j, ())).result() == []
    assert store.delete_jobs(stranger, [job.id]).result() == []
    assert store.job(project, job.id) is not None


def test_a_write_that_expects_another_status_or_attempt_does_nothing(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project)
    claimed, _ = step(job, JobEvent.CLAIM, NOW)
    finished, _ = step(claimed, JobEvent.FINISH, NOW)
    result = StoredResult(inline=b"outcome")

    another_attempt = replace(job, attempt=1)
    changes = [Change(finished, claimed, result), Change(finished, another_attempt, result)]
    assert store.put_jobs(changes).result() == [False, False]
    assert (store.job(project, job.id), store.result(project, job.id)) == (job, None)


def test_an_outcome_is_recorded_once(store: SqliteStore, project: str) -> None:
    job = insert(store, project)
    done = replace(job, status=JobStatus.COMPLETED, completed_at=NOW)

    first = store.put_jobs([Change(done, job, StoredResult(inline=b"first"))])
    second = store.put_jobs([Change(done, job, StoredResult(inline=b"second"))])

    assert (first.result(), second.result()) == ([True], [False])
    assert store.result(project, job.id) == StoredResult(inline=b"first")


def test_jobs_are_listed_newest_first_and_in_pages(store: SqliteStore, project: str) -> None:
    jobs = [insert(store, project).id for _ in range(5)]

    assert ids(store, project) == jobs[::-1]
    assert ids(store, project, limit=2) == [jobs[4], jobs[3]]
    assert ids(store, project, limit=2, before=jobs[3]) == [jobs[2], jobs[1]]


def test_filters_narrow_a_list(store: SqliteStore, project: str) -> None:
    ready = insert(store, project).id
    failed = insert(store, project, status=JobStatus.FAILED, submitter_id="b", backend="qpu").id

    assert ids(store, project, statuses=("ready", "started")) == [ready]
    assert ids(store, project, statuses=()) == []
    assert ids(store, project, ids=(failed, "unknown")) == [failed]
    assert ids(store, project, ids=()) == []
    assert ids(store, project, backend="qpu") == [failed]
    assert ids(store, project, submitter_id="b") == [failed]
    assert ids(store, project, submitter_id="c") == []


def test_a_deleted_job_leaves_nothing(store: SqliteStore, project: str, tmp_path: Path) -> None:
    job = insert(store, project)
    done = replace(job, status=JobStatus.COMPLETED)
    store.put_jobs([Change(done, job, StoredResult(blob="b"))]).result()

    deleted = store.delete_jobs(project, [job.id, "unknown"]).result()

    assert deleted == [(job.id, StoredResult(blob="b"))]
    assert store.job(project, job.id) is None
    with closing(sqlite3.connect(tmp_path / "ionbox.sqlite")) as database:
        for table in ("jobs", "job_inputs", "job_results"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_changes_are_made_to_the_jobs_that_are_found(store: SqliteStore, project: str) -> None:
    job = insert(store, project)

    changed = store.change_jobs(
        project, ["unknown", job.id], lambda j: step(j, JobEvent.CANCEL, NOW)
    ).result()

    assert [(after.id, after.status) for after, _ in changed] == [(job.id, JobStatus.CANCELED)]
    assert store.job(project, job.id) == changed[0][0]


def test_a_step_that_fails_harms_no_other(store: SqliteStore, project: str) -> None:
    job = make_job(project_id=project)

    def explode(_: Job) -> tuple[Job, tuple[()]]:
        raise ZeroDivisionError

    first = store.insert_job(job, b"")
    failing: list[Future[Any]] = [
        store.insert_job(job, b""),  # the same id again
        store.change_jobs(project, [job.id], explode),
        store.insert_job(make_job(project_id="no such project"), b""),
    ]
    last = store.insert_job(make_job(project_id=project), b"")

    assert [type(future.exception()) for future in failing] == [
        StoreError,
        ZeroDivisionError,
        StoreError,
    ]
    assert len(ids(store, project)) == 2
    assert first.result() == job
    assert last.exception() is None


def test_unfinished_jobs_come_oldest_first_whatever_their_number(
    store: SqliteStore, project: str
) -> None:
    statuses = list(JobStatus)
    futures = [
        store.insert_job(make_job(project_id=project, status=statuses[n % 6]), b"")
        for n in range(2100)
    ]
    expected = [job.id for job in (f.result() for f in futures) if job.status in statuses[:3]]

    assert [job.id for job in store.unfinished_jobs()] == expected
    assert len(expected) == 1050


def test_blobs_in_use_are_known(store: SqliteStore, project: str) -> None:
    job = insert(store, project)
    done = replace(job, status=JobStatus.COMPLETED)
    store.put_jobs([Change(done, job, StoredResult(blob="b-1"))]).result()

    assert list(store.blobs()) == ["b-1"]


def test_a_key_opens_its_project_until_it_is_revoked(store: SqliteStore, project: str) -> None:
    key = new_key(project, "laptop", "secret", NOW)
    store.insert_key(key, hash_secret("secret")).result()

    assert store.key(hash_secret("secret")) == key
    assert store.key(hash_secret("Secret")) is None
    assert store.keys() == [key]

    assert store.revoke_key(key.id, NOW).result()
    assert not store.revoke_key(key.id, NOW).result()
    assert store.key(hash_secret("secret")) == dataclasses.replace(key, revoked_at=NOW)
    assert store.keys() == [dataclasses.replace(key, revoked_at=NOW)]


def test_the_first_project_is_the_oldest(store: SqliteStore) -> None:
    assert store.first_project() is None

    first = store.create_project("a", "a").result()
    store.create_project("b", "b").result()

    assert store.first_project() == first


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ionbox.sqlite"
    with closing(SqliteStore(path)) as store:
        project = store.create_project("local", "default").result()
        job = insert(store, project)

    with closing(SqliteStore(path)) as store:
        assert store.job(project, job.id) == job


def test_a_full_store_says_so_loses_nothing_and_goes_on_when_there_is_room(
    store: SqliteStore, project: str
) -> None:
    before = insert(store, project)
    limit_pages(store, 0)
    refused = [store.insert_job(make_job(project_id=project), bytes(100_000)) for _ in range(3)]

    assert [type(future.exception()) for future in refused] == [StoreFullError] * 3
    assert ids(store, project) == [before.id]

    limit_pages(store, 1000)
    after = insert(store, project)
    assert ids(store, project) == [after.id, before.id]
