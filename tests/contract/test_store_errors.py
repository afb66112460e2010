"""Reads that cannot be made raise the errors of the port, whatever SQLite raised."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.builders import NOW

from ionbox.errors import StoreError
from ionbox.service.ports import JobQuery, Once
from ionbox.store.sqlite import SqliteStore

READS: dict[str, Callable[[SqliteStore], object]] = {
    "job": lambda store: store.job("p", "a"),
    "jobs": lambda store: store.jobs(JobQuery("p", 10)),
    "jobs of two statuses": lambda store: store.jobs(
        JobQuery("p", 10, statuses=("ready", "started"))
    ),
    "unfinished_jobs": lambda store: list(store.unfinished_jobs()),
    "job_and_input": lambda store: store.job_and_input("p", "a"),
    "job_and_plan": lambda store: store.job_and_plan("p", "a"),
    "child_ids": lambda store: store.child_ids("a"),
    "repeated": lambda store: store.repeated("p", Once("key", b"hash"), NOW),
    "expired_leases": lambda store: store.expired_leases(NOW),
    "event_ids": lambda store: store.event_ids(),
    "events": lambda store: store.events("p", range(1, 10)),
    "output": lambda store: store.output("p", "a"),
    "result": lambda store: store.result("p", "a"),
    "blobs": lambda store: list(store.blobs()),
    "session": lambda store: store.session("p", "s"),
    "sessions": lambda store: store.sessions("p"),
    "usage": lambda store: store.usage("o", NOW, NOW),
    "backend_documents": lambda store: store.backend_documents(),
    "first_project": lambda store: store.first_project(),
    "project": lambda store: store.project("p"),
    "key": lambda store: store.key(b"hash"),
    "keys": lambda store: store.keys(),
}
# So that every read finds nothing to read from.
TABLES = (
    "jobs", "job_inputs", "job_plans", "job_outputs", "job_results", "leases", "events",
    "idempotency_keys", "sessions", "backend_documents", "keys", "projects",
)  # fmt: skip


@contextmanager
def no_file_left() -> Iterator[None]:
    """Have this process open no file meanwhile."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(lowest := os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def drop_all_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        for table in TABLES:
            database.execute(f"DROP TABLE {table}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        yield store


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_that_finds_no_file_descriptor_left_is_an_error_of_the_store(
    store: SqliteStore, read: Callable[[SqliteStore], object]
) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(int).result()  # it runs, and has no connection yet
        with no_file_left():
            error = thread.submit(read, store).exception()

        assert isinstance(error, StoreError), error
        assert "unable to open database file" in str(error)
        assert not isinstance(thread.submit(read, store).exception(), StoreError)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_that_sqlite_refuses_is_an_error_of_the_store(
    store: SqliteStore, tmp_path: Path, read: Callable[[SqliteStore], object]
) -> None:
    drop_all_tables(tmp_path / "ionbox.sqlite")

    with pytest.raises(StoreError, match="no such table"):
        read(store)


def test_a_read_from_a_store_that_is_closed_is_an_error_of_the_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ionbox.sqlite")
    store.first_project()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.first_project()
