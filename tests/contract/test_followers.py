"""What the core tells who follows jobs, over a real store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.builders import NOW, make_job

from ionbox.jobs.job import Job
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.events import PAGE, Events, Progress
from ionbox.service.ports import Change, NewJob
from ionbox.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        yield store


@pytest.fixture
def project(store: SqliteStore) -> str:
    return store.create_project("local", "default").result()


@pytest.fixture
def events(store: SqliteStore) -> Events:
    return Events(store)


class Rung:
    """How often it rang."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def insert(store: SqliteStore, project: str, number: int = 1) -> Job:
    jobs = [make_job(project_id=project) for _ in range(number)]
    first = store.insert_jobs([NewJob(job, b"input") for job in jobs], NOW).result().job
    settle(store)
    return first


def put(store: SqliteStore, job: Job, event: JobEvent) -> Job:
    after, _ = step(job, event, NOW)
    store.put_jobs([Change(after, job)]).result()
    settle(store)
    return after


def settle(store: SqliteStore) -> None:
    """Wait until the last commit was told: it is, before the next."""
    store.revoke_key("nobody", NOW).result()


def test_a_follower_is_rung_for_its_own_project_alone(
    store: SqliteStore, project: str, events: Events
) -> None:
    stranger = store.create_project("other", "other").result()
    ring = Rung()
    with events.following(project, ring):
        insert(store, stranger)
        before = ring.times
        insert(store, project, 5)
        during = ring.times
    insert(store, project)

    assert (before, during, ring.times) == (0, 1, 1)


def test_who_awaits_a_job_is_rung_when_it_ends_and_no_sooner(
    store: SqliteStore, project: str, events: Events
) -> None:
    job, ring, other = insert(store, project), Rung(), Rung()
    with events.awaiting(job.id, ring), events.awaiting(insert(store, project).id, other):
        job = put(store, job, JobEvent.CLAIM)
        before = ring.times
        put(store, job, JobEvent.FINISH)

        assert (before, ring.times, other.times) == (0, 1, 0)


def test_who_awaits_a_job_is_rung_when_it_is_deleted(
    store: SqliteStore, project: str, events: Events
) -> None:
    job, ring = insert(store, project), Rung()
    with events.awaiting(job.id, ring):
        store.delete_jobs(project, [job.id], NOW).result()
        settle(store)

        assert ring.times == 1


def test_news_are_read_in_pages_without_a_gap(
    store: SqliteStore, project: str, events: Events
) -> None:
    stranger = store.create_project("other", "other").result()
    insert(store, project, PAGE - 10)
    insert(store, stranger, 20)
    insert(store, project, 10)
    first = events.news(project, 0)
    second = events.news(project, first.at)
    third = events.news(project, second.at)

    assert [len(news.events) for news in (first, second, third)] == [PAGE - 10, 10, 0]
    assert [news.is_all for news in (first, second, third)] == [False, True, True]
    assert [news.at for news in (second, third)] == [PAGE + 20, PAGE + 20]
    assert not any(news.is_gap for news in (first, second, third))
    assert events.newest() == PAGE + 20


@pytest.mark.parametrize(("after", "is_gap"), [(0, True), (6, True), (7, False), (10, False)])
def test_news_after_what_is_no_longer_kept_are_a_gap(
    tmp_path: Path, store: SqliteStore, project: str, events: Events, after: int, *, is_gap: bool
) -> None:
    insert(store, project, 10)
    with closing(sqlite3.connect(tmp_path / "ionbox.sqlite")) as database, database:
        database.execute("DELETE FROM events WHERE id < 8")
    news = events.news(project, after)

    assert news.is_gap == is_gap
    assert news.at == 10
    assert len(news.events) == (0 if is_gap else 10 - after)


def test_events_that_are_purged_while_they_are_read_are_told_or_a_gap(
    tmp_path: Path, store: SqliteStore, project: str, events: Events
) -> None:
    insert(store, project, 10)

    def purge(statement: str) -> None:
        if "FROM events" in statement and "WHERE id >=" in statement:
            with closing(sqlite3.connect(tmp_path / "ionbox.sqlite")) as database, database:
                database.execute("DELETE FROM events WHERE id < 8")

    store._reader().set_trace_callback(purge)
    first = events.news(project, 0)
    store._reader().set_trace_callback(None)

    assert [event.id for event in first.events] == list(range(1, 11))
    assert events.news(project, 0).is_gap


def test_news_after_what_is_yet_to_come_are_a_gap(
    store: SqliteStore, project: str, events: Events
) -> None:
    insert(store, project)

    assert events.news(project, 2).is_gap
    assert events.news(project, 2).at == 1


def test_a_new_store_has_no_news(project: str, events: Events) -> None:
    news = events.news(project, events.newest())

    assert (news.events, news.at, news.is_gap, news.is_all) == ([], 0, False, True)


def test_of_progress_a_follower_hears_the_last_word_of_each_job_once(
    project: str, events: Events
) -> None:
    ring, other = Rung(), Rung()
    with events.following(project, ring) as follower, events.following("other", other):
        for fraction in (0.25, 0.5):
            events.progress(project, "one", fraction, 2.0)
        events.progress(project, "two", 0.125)
        heard = follower.progress()

        assert heard == [Progress("one", 0.5, 2.0), Progress("two", 0.125, None)]
        assert follower.progress() == []
        assert ring.times > 0
        assert other.times == 0


def test_everybody_is_rung_when_the_server_stops(project: str, events: Events) -> None:
    rings = [Rung(), Rung()]
    with events.following(project, rings[0]), events.awaiting("job", rings[1]):
        events.close()

    assert [ring.times for ring in rings] == [1, 1]
    assert events.is_closed


def test_no_end_is_missed_by_who_looks_after_asking_to_be_rung(
    store: SqliteStore, project: str, events: Events
) -> None:
    """The protocol of every waiter: ask, look, wait. Here the job ends at any of these moments."""
    for _ in range(200):
        job, rung = insert(store, project), threading.Event()
        after, _ = step(job, JobEvent.CLAIM, NOW)
        done, _ = step(after, JobEvent.FINISH, NOW)
        writing = store.put_jobs([Change(done, job)])
        with events.awaiting(job.id, rung.set):
            found = store.job(project, job.id)

            assert found == done or rung.wait(10)
        writing.result()
