from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders import NOW, bell_bytes, make_job

from ionbox.errors import StoreError
from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.jobs.sessions import Session, SessionSettings
from ionbox.service.ports import Change, JobQuery, NewJob
from ionbox.store.lists import lookups
from ionbox.store.sqlite import SqliteStore

BACKENDS = ("simulator", "qpu.aria-1")
SUBMITTERS = ("a" * 24, "b" * 24)
NOBODY = "nobody"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[tuple[SqliteStore, list[Job]]]:
    """Yield a store with 300 jobs of all kinds, in two projects, newest first."""
    drawn = random.Random(1)  # noqa: S311
    store = SqliteStore(tmp_path / "ionbox.sqlite")
    projects = [store.create_project(name, name).result() for name in ("first", "second")]
    session = Session("s", projects[0], SUBMITTERS[0], "simulator", NOW, SessionSettings())
    store.insert_session(session).result()
    jobs = [drawn_job(drawn, projects) for _ in range(300)]
    jobs += [make_job(project_id=projects[0], parent_id=jobs[0].id) for _ in range(5)]
    for job in jobs:
        store.insert_jobs([NewJob(job, bell_bytes())], NOW).result()
    yield store, sorted(jobs, key=lambda job: job.id, reverse=True)
    store.close()


def drawn_job(drawn: random.Random, projects: list[str]) -> Job:
    project_id = drawn.choice(projects)
    is_in_session = project_id == projects[0] and drawn.random() < 0.2
    return make_job(
        project_id=project_id,
        status=drawn.choice(list(JobStatus)),
        backend="simulator" if is_in_session else drawn.choice(BACKENDS),
        submitter_id=drawn.choice(SUBMITTERS),
        session_id="s" if is_in_session else None,
    )


def drawn_query(drawn: random.Random, jobs: list[Job]) -> JobQuery:
    statuses = drawn.sample([*JobStatus, ""], drawn.randint(0, 4))
    return JobQuery(
        project_id=jobs[0].project_id,
        limit=drawn.choice([1, 5, 1000]),
        ids=drawn.choice([None, None, None, tuple(job.id for job in drawn.sample(jobs, 20))]),
        statuses=drawn.choice([None, tuple(statuses)]),
        backend=drawn.choice([None, *BACKENDS, NOBODY]),
        submitter_id=drawn.choice([None, *SUBMITTERS, NOBODY]),
        session_id=drawn.choice([None, None, "s", NOBODY]),
        parent_id=drawn.choice([None, None, None, jobs[-1].id]),
        before=drawn.choice([None, drawn.choice(jobs).id]),
    )


def is_asked_for(job: Job, query: JobQuery) -> bool:
    is_of_family = job.parent_id == query.parent_id or (
        query.ids is not None and query.parent_id is None
    )
    return (
        job.project_id == query.project_id
        and is_of_family
        and (query.ids is None or job.id in query.ids)
        and (query.statuses is None or job.status in query.statuses)
        and query.backend in (None, job.backend)
        and query.submitter_id in (None, job.submitter_id)
        and query.session_id in (None, job.session_id)
        and (query.before is None or job.id < query.before)
    )


def test_a_list_holds_what_all_filters_let_through_whatever_index_finds_it(
    library: tuple[SqliteStore, list[Job]],
) -> None:
    store, jobs = library
    drawn = random.Random(2)  # noqa: S311

    for _ in range(1000):
        query = drawn_query(drawn, jobs)
        expected = [job.id for job in jobs if is_asked_for(job, query)][: query.limit]
        assert [job.id for job in store.jobs(query)] == expected, query


def test_a_job_that_is_handed_back_meanwhile_is_in_the_list_of_both_statuses(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "ionbox.sqlite")
    project = store.create_project("local", "default").result()
    started = make_job(project_id=project, status=JobStatus.STARTED, attempt=1)
    store.insert_jobs([NewJob(started, bell_bytes())], NOW).result()

    def hand_back(statement: str) -> None:
        if '["started"]' in statement:  # it was not found among the ready ones
            released, _ = step(started, JobEvent.RELEASE, NOW)
            store.put_jobs([Change(released, started)]).result()

    store._reader().set_trace_callback(hand_back)
    listed = store.jobs(JobQuery(project, limit=10, statuses=("ready", "started")))
    store._reader().set_trace_callback(None)

    assert [job.id for job in listed] == [started.id]
    handed_back = store.job(project, started.id)
    assert handed_back is not None
    assert handed_back.status is JobStatus.READY
    store.close()


def test_a_list_that_fails_leaves_no_transaction_open(
    library: tuple[SqliteStore, list[Job]],
) -> None:
    store, jobs = library
    query = JobQuery(jobs[0].project_id, limit=10, statuses=("ready", "started"))
    reader = store._reader()
    reader.set_progress_handler(lambda: 1, 1)
    with pytest.raises(StoreError, match="interrupted"):
        store.jobs(query)
    reader.set_progress_handler(None, 1)

    assert not reader.in_transaction
    assert len(store.jobs(query)) == 10


FILTERS: dict[str, JobQuery] = {
    "session": JobQuery("p", 25, session_id="s"),
    "status": JobQuery("p", 25, statuses=("submitted", "ready", "started", "failed", "canceled")),
    "backend": JobQuery("p", 25, backend="qpu.aria-1"),
    "submitter": JobQuery("p", 25, submitter_id=NOBODY),
}


@pytest.mark.parametrize("query", FILTERS.values(), ids=FILTERS)
def test_no_list_walks_through_a_project_to_find_few_of_its_jobs(
    library: tuple[SqliteStore, list[Job]], query: JobQuery
) -> None:
    store, _ = library
    names = ("project_id", "session_id", "statuses", "backend", "submitter_id", "before", "limit")
    values = dict.fromkeys(names, 1)

    for find, _ in lookups(query):
        rows = store._reader().execute(f"EXPLAIN QUERY PLAN {find.sql}", values).fetchall()
        steps = [row["detail"] for row in rows if isinstance(row, sqlite3.Row)]
        assert "jobs_by_project" not in steps[0], steps
        assert not any("TEMP B-TREE" in step for step in steps)
