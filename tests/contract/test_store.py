"""What every store must do. SQLite is the one there is; a temporary file is the test store."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.builders import NOW, limit_pages, make_job

from ionbox.errors import InvalidInputError, StoreError, StoreFullError
from ionbox.jobs.job import MULTI_CIRCUIT, Failure, Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.jobs.sessions import CostLimit, Session, SessionSettings
from ionbox.service.access import hash_secret, new_key
from ionbox.service.ports import (
    BackendDocument,
    Change,
    Inserted,
    JobQuery,
    NewJob,
    StoredResult,
    UsageRow,
)
from ionbox.store.queries import QUERIES as _QUERIES
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
    return inserted(store, job).result().job


def inserted(store: SqliteStore, *jobs: Job, data: bytes = b"input") -> Future[Inserted]:
    return store.insert_jobs([NewJob(job, data) for job in jobs], NOW)


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
        threads=3,
        run_threads=2,
        run_seconds=0.5,
        is_dry_run=True,
        num_circuits=7,
        cost_micros=2**40,
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
    assert store.change_jobs(stranger, [job.id], lambda j: (j, ()), NOW).result() == []
    assert store.delete_jobs(stranger, [job.id], NOW).result() == []
    assert store.job(project, job.id) is not None


def test_what_the_engines_answered_is_kept_with_a_job(store: SqliteStore, project: str) -> None:
    job = make_job(project_id=project)
    store.insert_jobs([NewJob(job, b"input", "[1]")], NOW).result()
    stranger = store.create_project("other", "other").result()

    assert store.job_and_plan(project, job.id) == (job, "[1]")
    assert store.job_and_plan(stranger, job.id) is None
    assert store.job_and_plan(project, "unknown") is None


def test_a_job_may_be_planned_later_and_again(store: SqliteStore, project: str) -> None:
    job = insert(store, project, status=JobStatus.SUBMITTED)
    ready = replace(job, status=JobStatus.READY)

    assert store.job_and_plan(project, job.id) == (job, None)
    for answers in ("[1]", "[2]"):
        store.put_jobs([Change(ready, job, answers=answers)]).result()
        job = ready
        assert store.job_and_plan(project, job.id) == (ready, answers)


def test_a_plan_of_a_change_that_came_too_late_is_not_kept(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project)
    other = replace(job, attempt=5)

    assert store.put_jobs([Change(job, other, answers="[1]")]).result() == [False]
    assert store.job_and_plan(project, job.id) == (job, None)


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

    deleted = store.delete_jobs(project, [job.id, "unknown"], NOW).result()

    assert deleted == [(job.id, StoredResult(blob="b"))]
    assert store.job(project, job.id) is None
    with closing(sqlite3.connect(tmp_path / "ionbox.sqlite")) as database:
        for table in ("jobs", "job_inputs", "job_results"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_changes_are_made_to_the_jobs_that_are_found(store: SqliteStore, project: str) -> None:
    job = insert(store, project)

    changed = store.change_jobs(
        project, ["unknown", job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW
    ).result()

    assert [(after.id, after.status) for after, _ in changed] == [(job.id, JobStatus.CANCELED)]
    assert store.job(project, job.id) == changed[0][0]


def test_a_step_that_fails_harms_no_other(store: SqliteStore, project: str) -> None:
    job = make_job(project_id=project)

    def explode(_: Job) -> tuple[Job, tuple[()]]:
        raise ZeroDivisionError

    first = inserted(store, job)
    failing: list[Future[Any]] = [
        inserted(store, job),  # the same id again
        store.change_jobs(project, [job.id], explode, NOW),
        inserted(store, make_job(project_id="no such project")),
    ]
    last = inserted(store, make_job(project_id=project))

    assert [type(future.exception()) for future in failing] == [
        StoreError,
        ZeroDivisionError,
        StoreError,
    ]
    assert len(ids(store, project)) == 2
    assert first.result().job == job
    assert last.exception() is None


def test_unfinished_jobs_come_oldest_first_whatever_their_number(
    store: SqliteStore, project: str
) -> None:
    statuses = list(JobStatus)
    futures = [
        inserted(store, make_job(project_id=project, status=statuses[n % 6])) for n in range(2100)
    ]
    expected = [job.id for job in (f.result().job for f in futures) if job.status in statuses[:3]]

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
    refused = [inserted(store, make_job(project_id=project), data=bytes(100_000)) for _ in range(3)]

    assert [type(future.exception()) for future in refused] == [StoreFullError] * 3
    assert ids(store, project) == [before.id]

    limit_pages(store, 1000)
    after = insert(store, project)
    assert ids(store, project) == [after.id, before.id]


# --- parents and children --------------------------------------------------------------------


def family(store: SqliteStore, project: str, num_children: int = 3) -> tuple[Job, list[Job]]:
    """Insert a parent and its children, all ready."""
    parent = make_job(project_id=project, job_type=MULTI_CIRCUIT, num_circuits=num_children)
    children = [
        make_job(project_id=project, parent_id=parent.id, num_qubits=n + 1, gate_counts=(n, 1))
        for n in range(num_children)
    ]
    return inserted(store, parent, *children).result().job, children


def end(store: SqliteStore, child: Job, status: JobStatus) -> None:
    failure = Failure("SimulationError", "no") if status is JobStatus.FAILED else None
    after = replace(child, status=status, completed_at=NOW, failure=failure)
    assert store.put_jobs([Change(after, child)]).result() == [True]


def stored(store: SqliteStore, job: Job) -> Job:
    found = store.job(job.project_id, job.id)
    assert found is not None
    return found


def test_a_parent_and_its_children_are_remembered_all_or_none(
    store: SqliteStore, project: str
) -> None:
    parent = make_job(project_id=project, job_type=MULTI_CIRCUIT)
    child = make_job(project_id=project, parent_id=parent.id)

    assert isinstance(inserted(store, parent, child, child).exception(), StoreError)
    assert ids(store, project) == []
    assert store.job(project, child.id) is None


def test_a_parent_is_completed_with_its_last_child(store: SqliteStore, project: str) -> None:
    parent, (first, second, third) = family(store, project)

    end(store, second, JobStatus.COMPLETED)
    assert stored(store, parent).status is JobStatus.STARTED
    end(store, first, JobStatus.COMPLETED)
    end(store, third, JobStatus.COMPLETED)

    done = stored(store, parent)
    assert (done.status, done.completed_at) == (JobStatus.COMPLETED, NOW)
    assert (done.num_qubits, done.gate_counts) == (3, (3, 3))


def test_a_parent_fails_with_a_child_once_all_have_ended(store: SqliteStore, project: str) -> None:
    parent, (first, second, third) = family(store, project)

    end(store, second, JobStatus.FAILED)
    end(store, first, JobStatus.CANCELED)
    assert stored(store, parent).status is JobStatus.STARTED
    end(store, third, JobStatus.COMPLETED)

    failed = stored(store, parent)
    assert failed.status is JobStatus.FAILED
    assert failed.failure == Failure(
        "SimulationError", f"1 of 3 circuits failed; the first, job {second.id}: no"
    )


def test_a_change_of_a_parent_is_one_of_its_children_too(store: SqliteStore, project: str) -> None:
    parent, (first, second, _) = family(store, project)
    end(store, first, JobStatus.COMPLETED)

    store.change_jobs(project, [parent.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW).result()

    assert stored(store, parent).status is JobStatus.CANCELED
    assert stored(store, first).status is JobStatus.COMPLETED
    assert stored(store, second).status is JobStatus.CANCELED


def test_a_child_canceled_alone_leaves_its_parent_to_the_others(
    store: SqliteStore, project: str
) -> None:
    parent, (first, second, third) = family(store, project)

    store.change_jobs(project, [second.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW).result()
    assert stored(store, parent).status is JobStatus.STARTED
    end(store, first, JobStatus.COMPLETED)
    end(store, third, JobStatus.COMPLETED)

    assert stored(store, parent).status is JobStatus.CANCELED


def test_the_end_of_a_child_that_comes_too_late_is_nothing_to_its_parent(
    store: SqliteStore, project: str
) -> None:
    parent, (first, _, _) = family(store, project)
    store.change_jobs(project, [first.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW).result()
    before = stored(store, parent)
    claimed, _ = step(first, JobEvent.CLAIM, NOW)
    finished, _ = step(claimed, JobEvent.FINISH, NOW)

    assert store.put_jobs([Change(finished, claimed)]).result() == [False]
    assert stored(store, parent) == before
    assert before.started_at is None


def test_a_deleted_parent_takes_its_children_along(store: SqliteStore, project: str) -> None:
    parent, children = family(store, project)
    done = replace(children[1], status=JobStatus.COMPLETED)
    store.put_jobs([Change(done, children[1], StoredResult(blob="b"))]).result()

    deleted = store.delete_jobs(project, [parent.id], NOW).result()

    assert dict(deleted) == {
        parent.id: None,
        children[0].id: None,
        children[1].id: StoredResult(blob="b"),
        children[2].id: None,
    }
    assert list(store.blobs()) == []
    assert store.child_ids(parent.id) == []
    assert store.job(project, children[0].id) is None


def test_a_parent_does_not_wait_for_a_deleted_child(store: SqliteStore, project: str) -> None:
    parent, (first, second) = family(store, project, 2)
    end(store, first, JobStatus.COMPLETED)

    store.delete_jobs(project, [second.id], NOW).result()

    assert stored(store, parent).status is JobStatus.COMPLETED
    assert store.child_ids(parent.id) == [first.id]


def test_a_parent_whose_children_are_all_deleted_is_canceled(
    store: SqliteStore, project: str
) -> None:
    parent, children = family(store, project, 2)

    store.delete_jobs(project, [child.id for child in children], NOW).result()

    assert stored(store, parent).status is JobStatus.CANCELED


def test_children_are_listed_where_they_are_asked_for(store: SqliteStore, project: str) -> None:
    single = insert(store, project)
    parent, children = family(store, project)
    child_ids = [child.id for child in children]

    assert ids(store, project) == [parent.id, single.id]
    assert ids(store, project, parent_id=parent.id) == child_ids[::-1]
    assert ids(store, project, parent_id=parent.id, limit=1, before=child_ids[2]) == [child_ids[1]]
    assert ids(store, project, ids=tuple(child_ids)) == child_ids[::-1]
    assert ids(store, project, ids=(single.id, child_ids[0]), parent_id=parent.id) == child_ids[:1]
    assert store.child_ids(parent.id) == child_ids
    stranger = store.create_project("other", "other").result()
    assert ids(store, stranger, parent_id=parent.id) == []


# --- sessions --------------------------------------------------------------------------------


def make_session(store: SqliteStore, project: str, **settings: Any) -> Session:  # noqa: ANN401
    session = Session(
        id=make_job().id,
        project_id=project,
        creator_id="0123456789abcdef01234567",
        backend="simulator",
        created_at=NOW,
        settings=SessionSettings(**settings),
    )
    return store.insert_session(session).result()


def test_a_session_is_read_as_it_was_written(store: SqliteStore, project: str) -> None:
    session = make_session(store, project, job_count_limit=3, duration_limit_min=5)
    another = make_session(store, project)
    stranger = store.create_project("other", "other").result()

    assert store.session(project, session.id) == session
    assert store.session(stranger, session.id) is None
    assert store.sessions(project) == [another, session]
    assert store.sessions(stranger) == []


def test_a_session_starts_with_its_first_job_and_takes_no_more_than_its_limit(
    store: SqliteStore, project: str
) -> None:
    session = make_session(store, project, job_count_limit=2)
    jobs = [make_job(project_id=project, session_id=session.id) for _ in range(3)]
    futures = [inserted(store, job) for job in jobs]

    assert [future.exception() is None for future in futures] == [True, True, False]
    assert isinstance(futures[2].exception(), InvalidInputError)
    assert ids(store, project, session_id=session.id) == [jobs[1].id, jobs[0].id]
    found = store.session(project, session.id)
    assert found is not None
    assert found.started_at == NOW


def test_a_session_that_is_not_there_takes_no_job(store: SqliteStore, project: str) -> None:
    stranger = store.create_project("other", "other").result()
    session = make_session(store, stranger)
    future = inserted(store, make_job(project_id=project, session_id=session.id))

    assert isinstance(future.exception(), InvalidInputError)
    assert ids(store, project) == []


def test_a_session_is_ended_once(store: SqliteStore, project: str) -> None:
    session = make_session(store, project)
    ended = store.end_session(project, session.id, "somebody", NOW).result()
    again = store.end_session(project, session.id, "another", NOW + timedelta(1)).result()
    job = make_job(project_id=project, session_id=session.id)

    assert ended == replace(session, ended_at=NOW, ender_id="somebody")
    assert again == ended == store.session(project, session.id)
    assert isinstance(inserted(store, job).exception(), InvalidInputError)
    assert store.end_session(project, "unknown", "somebody", NOW).result() is None


def cost_limited(store: SqliteStore, project: str, limit: float = 1.0) -> Session:
    return make_session(store, project, cost_limit=CostLimit(limit))


def accept(store: SqliteStore, job: Job, cost: float, status: JobStatus = JobStatus.READY) -> bool:
    """Write what reading made of a job; with a result where it ran as it was read."""
    result = StoredResult(blob=f"{job.id}-0") if status is JobStatus.COMPLETED else None
    after = replace(job, status=status, cost_micros=round(cost * 1e6), num_qubits=2)
    (is_written,) = store.put_jobs([Change(after, job, result, "[1]")], NOW).result()
    return is_written


def test_a_session_takes_no_job_that_it_cannot_afford(store: SqliteStore, project: str) -> None:
    session = cost_limited(store, project)
    jobs = [
        make_job(project_id=project, session_id=session.id, cost_micros=cost)
        for cost in (600_000, 500_000, 400_000, 0)
    ]
    errors = [inserted(store, job).exception() for job in jobs]

    assert [error is None for error in errors] == [True, False, True, False]
    assert isinstance(errors[1], InvalidInputError)
    assert ids(store, project, session_id=session.id) == [jobs[2].id, jobs[0].id]


def test_a_job_that_its_session_cannot_afford_fails_when_it_was_read(
    store: SqliteStore, project: str
) -> None:
    session = cost_limited(store, project)
    waiting = {"session_id": session.id, "status": JobStatus.SUBMITTED}
    first, second, third = (insert(store, project, **waiting) for _ in range(3))

    assert accept(store, first, 0.6)
    assert not accept(store, second, 0.5)
    assert not accept(store, third, 0.5, JobStatus.COMPLETED)
    for job in (second, third):
        failed = stored(store, job)
        assert (failed.status, failed.completed_at) == (JobStatus.FAILED, NOW)
        assert failed.num_qubits == 2
        assert failed.failure == Failure(
            "QuotaExhaustedError",
            f"session '{session.id}' may cost 1.0 usd; its jobs cost 0.6 so far, "
            "and this job costs 0.5",
        )
        assert store.result(project, job.id) is None
        assert store.job_and_plan(project, job.id) == (failed, "[1]")


def test_what_failed_or_was_canceled_costs_a_session_nothing(
    store: SqliteStore, project: str
) -> None:
    session = cost_limited(store, project)
    insert(store, project, session_id=session.id, cost_micros=900_000, status=JobStatus.FAILED)
    insert(store, project, session_id=session.id, cost_micros=900_000, is_dry_run=True)
    job = insert(store, project, session_id=session.id, cost_micros=900_000)
    store.change_jobs(project, [job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW).result()

    waiting = insert(store, project, session_id=session.id, status=JobStatus.SUBMITTED)
    assert accept(store, waiting, 1.0)


def test_a_completed_job_costs_its_session_still_when_it_is_deleted(
    store: SqliteStore, project: str
) -> None:
    session = cost_limited(store, project)
    for status in (JobStatus.COMPLETED, JobStatus.STARTED):
        cost = {"cost_micros": 500_000, "status": status}
        job = insert(store, project, session_id=session.id, **cost)
        store.delete_jobs(project, [job.id], NOW).result()

    waiting = [
        insert(store, project, session_id=session.id, status=JobStatus.SUBMITTED) for _ in range(2)
    ]
    assert [accept(store, job, 0.5) for job in waiting] == [True, False]


def test_circuits_of_a_job_that_its_session_cannot_afford_fail_alone(
    store: SqliteStore, project: str
) -> None:
    session = cost_limited(store, project)
    common = {"project_id": project, "session_id": session.id, "status": JobStatus.SUBMITTED}
    parent = make_job(job_type=MULTI_CIRCUIT, num_circuits=3, **common)
    children = [make_job(parent_id=parent.id, **common) for _ in range(3)]
    inserted(store, parent, *children).result()

    written = [accept(store, child, 0.4, JobStatus.COMPLETED) for child in children]

    assert written == [True, True, False]
    failed = stored(store, parent)
    assert (failed.status, failed.completed_at) == (JobStatus.FAILED, NOW)
    assert failed.failure is not None
    assert failed.failure.code == "QuotaExhaustedError"


def test_what_a_session_costs_is_summed_within_an_index(store: SqliteStore) -> None:
    plan = store._reader().execute(f"EXPLAIN QUERY PLAN {_QUERIES.session_cost.sql}", ("", ""))

    assert any("COVERING INDEX jobs_by_session" in row["detail"] for row in plan)


# --- usage -----------------------------------------------------------------------------------


def test_usage_counts_what_was_completed_by_day_submitter_and_backend(
    store: SqliteStore, project: str
) -> None:
    done: dict[str, object] = {
        "status": JobStatus.COMPLETED,
        "cost_micros": 10,
        "started_at": NOW,
        "completed_at": NOW + timedelta(microseconds=5),
    }
    insert(store, project, **done)
    insert(store, project, **done)
    insert(store, project, **done | {"is_dry_run": True})
    insert(store, project, **done | {"status": JobStatus.FAILED, "submitter_id": "other"})
    insert(store, project, **done | {"submitted_at": NOW + timedelta(days=1)})
    insert(store, project, **done | {"submitted_at": NOW + timedelta(days=2)})
    child = {"parent_id": store.jobs(JobQuery(project, limit=1))[0].id}
    insert(store, project, **done | child)

    rows = store.usage("org.local", NOW, NOW + timedelta(days=2))

    day = (NOW.date() - date(1970, 1, 1)).days
    common = (project, "default")
    assert rows == [
        UsageRow(day, *common, "0123456789abcdef01234567", "simulator", 3, 20, 15),
        UsageRow(day, *common, "other", "simulator", 1, 0, 5),
        UsageRow(day + 1, *common, "0123456789abcdef01234567", "simulator", 1, 10, 5),
    ]
    assert store.usage("org.other", NOW, NOW + timedelta(days=2)) == []


def test_what_compiling_made_of_a_job_is_kept_and_made_anew(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project, status=JobStatus.SUBMITTED)
    stranger = store.create_project("other", "other").result()

    assert store.output(project, job.id) is None
    for output in ("{1}", "{2}"):
        store.put_jobs([Change(job, job, output=output)]).result()
        assert store.output(project, job.id) == output
    assert store.output(stranger, job.id) is None
    store.delete_jobs(project, [job.id], NOW).result()
    assert store.output(project, job.id) is None


def test_documents_of_backends_are_kept_in_their_order_and_forgotten(store: SqliteStore) -> None:
    one, two, other = (
        BackendDocument(name, document, "x = 1")
        for name, document in (("qpu.a", b"1"), ("qpu.a", b"2"), ("qpu.b", b"3"))
    )
    for document in (one, other, two):
        store.insert_backend_document(document).result()

    assert store.backend_documents() == [one, other, two]
    assert store.delete_backend_documents("qpu.a").result()
    assert not store.delete_backend_documents("qpu.a").result()
    assert store.backend_documents() == [other]
