"""What every store must do with a submission that comes again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.builders import NOW, limit_pages, make_job
from tests.contract.house import house_on
from tests.contract.test_deletion import caller, jobs_of

from ionbox.assembly import open_house
from ionbox.config import Settings
from ionbox.errors import ConflictError, GoneError, InvalidInputError, StoreError, StoreFullError
from ionbox.jobs.job import JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.jobs.sessions import Session, SessionSettings
from ionbox.service.ports import Inserted, JobQuery, NewJob, Once
from ionbox.service.submission import Overrides
from ionbox.store.once import KEPT
from ionbox.store.sqlite import SqliteStore

ONCE = Once("key-1", b"hash-1")
JUST_KEPT = NOW + KEPT - timedelta(microseconds=1)
EXPIRED = NOW + KEPT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        yield store


@pytest.fixture
def project(store: SqliteStore) -> str:
    return store.create_project("local", "default").result()


def submit(
    store: SqliteStore,
    project: str,
    once: Once | None = ONCE,
    now: datetime = NOW,
    **changes: object,
) -> Future[Inserted]:
    job = make_job(project_id=project, **changes)
    return store.insert_jobs([NewJob(job, b"input")], now, once)


def num_jobs(store: SqliteStore, project: str) -> int:
    return len(store.jobs(JobQuery(project, limit=1000)))


def kept_keys(path: Path) -> int:
    with closing(sqlite3.connect(path / "ionbox.sqlite")) as database:
        (number,) = database.execute("SELECT count(*) FROM idempotency_keys").fetchone()
    return int(number)


def test_a_submission_that_comes_again_makes_nothing(store: SqliteStore, project: str) -> None:
    first, again = submit(store, project).result(), submit(store, project).result()

    assert not first.is_repeat
    assert again == Inserted(first.job, is_repeat=True)
    assert store.repeated(project, ONCE, NOW) == first.job
    assert num_jobs(store, project) == 1


def test_a_submission_that_comes_again_is_answered_with_the_job_as_it_is_now(
    store: SqliteStore, project: str
) -> None:
    job = submit(store, project).result().job
    store.change_jobs(project, [job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW).result()

    assert submit(store, project).result().job.status is JobStatus.CANCELED


def test_submissions_without_a_key_are_all_new(
    store: SqliteStore, project: str, tmp_path: Path
) -> None:
    made = [submit(store, project, once=None).result() for _ in range(2)]

    assert [one.is_repeat for one in made] == [False, False]
    assert num_jobs(store, project) == 2
    assert kept_keys(tmp_path) == 0


def test_another_request_with_the_same_key_is_a_conflict(store: SqliteStore, project: str) -> None:
    job = submit(store, project).result().job
    other = Once(ONCE.key, b"hash-2")
    error = submit(store, project, other).exception()

    assert isinstance(error, ConflictError)
    assert str(error) == (
        f"Idempotency-Key 'key-1' came with another request, for job '{job.id}'; "
        "a new request takes a new key"
    )
    with pytest.raises(ConflictError):
        store.repeated(project, other, NOW)
    assert num_jobs(store, project) == 1


def test_a_submission_whose_job_was_deleted_is_gone(store: SqliteStore, project: str) -> None:
    job = submit(store, project).result().job
    store.delete_jobs(project, [job.id], NOW).result()
    error = submit(store, project).exception()

    assert isinstance(error, GoneError)
    assert str(error) == f"job '{job.id}' was deleted; Idempotency-Key 'key-1' made it"
    with pytest.raises(GoneError):
        store.repeated(project, ONCE, NOW)
    assert num_jobs(store, project) == 0


def test_a_key_holds_within_its_project(store: SqliteStore, project: str) -> None:
    other = store.create_project("other", "other").result()
    first, second = submit(store, project).result(), submit(store, other).result()

    assert not second.is_repeat
    assert store.repeated(other, ONCE, NOW) == second.job
    assert store.repeated(project, ONCE, NOW) == first.job


def test_a_key_is_kept_for_a_day_then_it_may_be_used_anew(store: SqliteStore, project: str) -> None:
    first = submit(store, project).result()
    other = Once(ONCE.key, b"hash-2")

    assert submit(store, project, now=JUST_KEPT).result() == Inserted(first.job, is_repeat=True)
    assert store.repeated(project, ONCE, EXPIRED) is None
    second = submit(store, project, other, EXPIRED).result()
    assert not second.is_repeat
    assert store.repeated(project, other, EXPIRED) == second.job


def test_keys_that_have_expired_are_purged_as_others_are_written(
    store: SqliteStore, project: str, tmp_path: Path
) -> None:
    for number in range(150):
        submit(store, project, Once(f"old-{number}", b"hash"))
    submit(store, project, Once("young", b"hash"), JUST_KEPT).result()
    assert kept_keys(tmp_path) == 151

    submit(store, project, Once("first", b"hash"), EXPIRED).result()
    assert kept_keys(tmp_path) == 52
    submit(store, project, Once("second", b"hash"), EXPIRED).result()
    assert kept_keys(tmp_path) == 3
    assert store.repeated(project, Once("young", b"hash"), EXPIRED) is not None


def test_a_start_purges_all_keys_that_have_expired(
    store: SqliteStore, project: str, tmp_path: Path
) -> None:
    for number in range(150):
        submit(store, project, Once(f"old-{number}", b"hash"))
    submit(store, project, Once("young", b"hash"), JUST_KEPT)

    store.purge_keys_of_submissions(EXPIRED).result()

    assert kept_keys(tmp_path) == 1


def test_a_start_goes_on_where_what_has_expired_cannot_be_purged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        submit(store, store.create_project("local", "default").result()).result()
    with closing(sqlite3.connect(tmp_path / "ionbox.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER stubborn BEFORE DELETE ON idempotency_keys"
            " BEGIN SELECT raise(ABORT, 'no'); END"
        )
        database.execute("UPDATE idempotency_keys SET created_at = 1")
        database.commit()

    with open_house(Settings(data=tmp_path, calibrate=False)):
        pass

    assert "Idempotency-Keys that have expired are kept for now: no" in caplog.text
    assert kept_keys(tmp_path) == 1


def test_purging_looks_only_at_what_has_expired(store: SqliteStore) -> None:
    plan = store._reader().execute(
        "EXPLAIN QUERY PLAN SELECT rowid FROM idempotency_keys "
        "WHERE created_at <= 1 ORDER BY created_at LIMIT 100"
    )

    assert [row["detail"] for row in plan] == [
        "SEARCH idempotency_keys USING COVERING INDEX idempotency_keys_by_age (created_at<?)"
    ]


def test_a_submission_that_fails_remembers_nothing(
    store: SqliteStore, project: str, tmp_path: Path
) -> None:
    job = submit(store, project, once=None).result().job
    limit_pages(store, 0)
    full = store.insert_jobs([NewJob(make_job(project_id=project), bytes(100_000))], NOW, ONCE)
    assert isinstance(full.exception(), StoreFullError)
    limit_pages(store, 1000)

    refused = submit(store, project, session_id="unknown")
    twice = submit(store, project, id=job.id)

    assert isinstance(refused.exception(), InvalidInputError)
    assert isinstance(twice.exception(), StoreError)
    assert kept_keys(tmp_path) == 0
    assert not submit(store, project).result().is_repeat


def test_a_session_takes_a_submission_that_comes_again_once(
    store: SqliteStore, project: str
) -> None:
    settings = SessionSettings(job_count_limit=1)
    session = Session("s-1", project, "creator", "simulator", NOW, settings)
    store.insert_session(session).result()
    made = [submit(store, project, session_id="s-1").result() for _ in range(3)]
    joined = store.session(project, "s-1")

    assert [one.is_repeat for one in made] == [False, True, True]
    assert joined is not None
    assert joined.num_jobs == 1


def test_of_submissions_at_the_same_time_one_makes_a_job(store: SqliteStore, project: str) -> None:
    futures = [submit(store, project) for _ in range(200)]
    made = [future.result() for future in futures]

    assert sum(not one.is_repeat for one in made) == 1
    assert len({one.job.id for one in made}) == 1
    assert num_jobs(store, project) == 1


def test_a_move_that_was_cut_off_before_its_end_is_completed_when_it_comes_again(
    tmp_path: Path,
) -> None:
    with house_on(tmp_path) as house:  # nobody works
        jobs, who = jobs_of(house), caller(house)
        original = house.insert()
        clone = jobs.clone(who, original.id, Overrides(), ONCE).result()
        moved = jobs.move(who, original.id, Overrides(), ONCE).result()

        assert (clone.is_repeat, moved.is_repeat) == (False, True)
        assert moved.job.id == clone.job.id
        assert house.stored(original).status is JobStatus.CANCELED
        assert house.stored(moved.job).status is JobStatus.READY


def test_what_came_is_known_after_a_restart(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        project = store.create_project("local", "default").result()
        job = submit(store, project).result().job

    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        assert submit(store, project).result() == Inserted(job, is_repeat=True)
