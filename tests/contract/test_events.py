"""What every store must tell of what became of jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.builders import NOW, limit_pages, make_job

from ionbox.errors import StoreError
from ionbox.jobs.job import MULTI_CIRCUIT, Job, JobStatus
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.ports import DELETED, Change, Event, NewJob
from ionbox.store.sqlite import SqliteStore

# So many are kept, when an event has a round number.
KEPT, ROUND = 200_000, 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ionbox.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as store:
        yield store


@pytest.fixture
def project(store: SqliteStore) -> str:
    return store.create_project("local", "default").result()


def insert(store: SqliteStore, project: str, **changes: object) -> Job:
    job = make_job(project_id=project, **changes)
    return store.insert_jobs([NewJob(job, b"input")], NOW).result().job


def family(store: SqliteStore, project: str) -> list[Job]:
    """Return a parent that was inserted, and its two children."""
    parent = make_job(project_id=project, job_type=MULTI_CIRCUIT, num_circuits=2)
    children = [make_job(project_id=project, parent_id=parent.id) for _ in range(2)]
    store.insert_jobs([NewJob(job, b"input") for job in (parent, *children)], NOW).result()
    return [parent, *children]


def stepped(store: SqliteStore, job: Job, *events: JobEvent) -> Job:
    """Write what some events make of a job, one after the other."""
    for event in events:
        after, _ = step(job, event, NOW)
        assert store.put_jobs([Change(after, job)]).result() == [True]
        job = after
    return job


def cancel(job: Job) -> tuple[Job, tuple[Effect, ...]]:
    return step(job, JobEvent.CANCEL, NOW)


def told(store: SqliteStore, project: str) -> list[tuple[str, str, int]]:
    """Return everything that the store tells of a project."""
    events = store.events(project, store.event_ids()).events
    return [(event.job_id, event.status, event.attempt) for event in events]


def fill(path: Path, *, up_to: int) -> None:
    """Have a store number its next event after this one."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO events (id, project_id, job_id, status, attempt)"
            " VALUES (?, 'another', 'x', 'ready', 0)",
            (up_to,),
        )


def settle(store: SqliteStore) -> None:
    """Wait until the last commit was told: it is, before the next."""
    store.revoke_key("nobody", NOW).result()


def test_every_status_and_attempt_of_a_job_is_told_in_order(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project)
    stepped(store, job, JobEvent.CLAIM, JobEvent.LOSE, JobEvent.CLAIM, JobEvent.FINISH)
    store.delete_jobs(project, [job.id], NOW).result()

    ids = [event.id for event in store.events(project, store.event_ids()).events]
    assert ids == list(store.event_ids())
    assert told(store, project) == [
        (job.id, "ready", 0),
        (job.id, "started", 1),
        (job.id, "ready", 1),
        (job.id, "started", 2),
        (job.id, "completed", 2),
        (job.id, DELETED, 2),
    ]


def test_a_lost_attempt_is_told_although_the_status_stays(store: SqliteStore, project: str) -> None:
    job = insert(store, project, status=JobStatus.SUBMITTED)
    stepped(store, job, JobEvent.LOSE)

    assert told(store, project) == [(job.id, "submitted", 0), (job.id, "submitted", 1)]


def test_a_write_that_leaves_status_and_attempt_tells_nothing(
    store: SqliteStore, project: str
) -> None:
    job = insert(store, project)
    store.put_jobs([Change(replace(job, num_qubits=5), job)]).result()
    store.put_jobs([Change(job, replace(job, attempt=7))]).result()
    store.change_jobs(project, [job.id], lambda job: (job, ()), NOW).result()

    assert told(store, project) == [(job.id, "ready", 0)]


def test_parents_that_follow_are_told(store: SqliteStore, project: str) -> None:
    parent, *children = family(store, project)
    for child in children:
        stepped(store, child, JobEvent.CLAIM, JobEvent.FINISH)

    events = store.events(project, store.event_ids()).events
    of_parent = [event.status for event in events if event.job_id == parent.id]
    parent_ids = {event.parent_id for event in events if event.job_id != parent.id}
    assert of_parent == ["ready", "started", "completed"]
    assert parent_ids == {parent.id}
    assert events[-1].job_id == parent.id


@pytest.mark.parametrize("status", ["canceled", DELETED])
def test_children_that_end_with_their_parent_are_told_once_each(
    store: SqliteStore, project: str, status: str
) -> None:
    jobs = family(store, project)
    if status == DELETED:
        store.delete_jobs(project, [jobs[0].id], NOW).result()
    else:
        store.change_jobs(project, [jobs[0].id], cancel, NOW).result()

    ends = [job_id for job_id, word, _ in told(store, project) if word == status]
    assert sorted(ends) == sorted(job.id for job in jobs)


def test_another_project_is_not_told(store: SqliteStore, project: str) -> None:
    stranger = store.create_project("other", "other").result()
    ours, theirs = insert(store, project), insert(store, stranger)

    assert [job_id for job_id, *_ in told(store, project)] == [ours.id]
    assert [job_id for job_id, *_ in told(store, stranger)] == [theirs.id]


def test_only_the_events_of_the_ids_are_returned(store: SqliteStore, project: str) -> None:
    jobs = [insert(store, project) for _ in range(5)]

    assert store.event_ids() == range(1, 6)
    assert [event.job_id for event in store.events(project, range(2, 4)).events] == [
        jobs[1].id,
        jobs[2].id,
    ]


def test_a_new_store_has_no_events(store: SqliteStore, project: str) -> None:
    assert len(store.events(project, store.event_ids()).events) == 0
    assert store.event_ids().stop == 1


def test_what_is_not_written_is_not_told_and_leaves_no_gap(
    store: SqliteStore, project: str
) -> None:
    heard: list[Event] = []
    store.listen(heard.extend)
    job = insert(store, project)

    def refuse(_: Job) -> tuple[Job, tuple[Effect, ...]]:
        raise ValueError

    refused = store.change_jobs(project, [job.id], refuse, NOW)
    twice = store.insert_jobs([NewJob(make_job(project_id=project), b""), NewJob(job, b"")], NOW)
    assert isinstance(refused.exception(), ValueError)
    assert isinstance(twice.exception(), StoreError)
    later = insert(store, project)
    settle(store)

    assert [(event.id, event.job_id) for event in heard] == [(1, job.id), (2, later.id)]


def test_a_full_disk_tells_nothing(store: SqliteStore, project: str) -> None:
    heard: list[Event] = []
    store.listen(heard.extend)
    limit_pages(store, 1)
    inserted = store.insert_jobs([NewJob(make_job(project_id=project), bytes(100_000))], NOW)

    assert isinstance(inserted.exception(), StoreError)
    assert heard == store.events(project, store.event_ids()).events == []


def test_old_events_go_and_ids_go_on(path: Path, store: SqliteStore, project: str) -> None:
    insert(store, project)
    fill(path, up_to=ROUND - KEPT)
    fill(path, up_to=ROUND - KEPT + 1)
    fill(path, up_to=ROUND - 2)
    jobs = [insert(store, project)]
    before = store.event_ids()
    jobs.append(insert(store, project))

    assert before == range(1, ROUND)
    assert store.event_ids() == range(ROUND - KEPT + 1, ROUND + 1)
    assert told(store, project) == [(job.id, "ready", 0) for job in jobs]


def test_ids_go_on_after_a_restart(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        project = store.create_project("local", "default").result()
        first = insert(store, project)
    with closing(SqliteStore(path)) as store:
        second = insert(store, project)

        events = store.events(project, store.event_ids()).events
    assert [(event.id, event.job_id) for event in events] == [(1, first.id), (2, second.id)]


# --- listening -------------------------------------------------------------------------------


def test_a_listener_hears_what_is_durable_once_and_in_order(
    path: Path, store: SqliteStore, project: str
) -> None:
    before = insert(store, project)
    heard: list[Event] = []
    found: list[list[str]] = []

    def listen(events: Sequence[Event]) -> None:
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT id FROM jobs").fetchall()
        found.append([row[0] for row in rows])
        heard.extend(events)

    store.listen(listen)
    jobs = [insert(store, project) for _ in range(20)]
    settle(store)

    assert [event.job_id for event in heard] == [job.id for job in jobs]
    assert [event.id for event in heard] == list(range(2, 22))
    assert before.id in found[0]
    assert jobs[0].id in found[0]
