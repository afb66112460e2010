"""Every schema that ever landed can be brought to the newest, with its data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ionbox.errors import DataDirectoryError
from ionbox.jobs.job import JobStatus
from ionbox.service.access import hash_secret
from ionbox.service.ports import JobQuery, StoredResult
from ionbox.store.migrations import migrate, migrations
from ionbox.store.sqlite import SqliteStore

# One SQL dump for each schema that landed; see the README beside them.
DUMPS = sorted((Path(__file__).parents[1] / "data" / "schemas").glob("*.sql"))
PROJECT = "0c2ac5b4-0000-4000-8000-000000000001"


def restored(dump: Path, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(dump.read_text())
    return path


def version_and_results(path: Path) -> tuple[int, bool]:
    with closing(sqlite3.connect(path)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        named = "SELECT 1 FROM sqlite_master WHERE name = 'job_results'"
        return version, database.execute(named).fetchone() is not None


def test_every_schema_has_a_dump() -> None:
    assert [int(dump.stem) for dump in DUMPS] == [number for number, _ in migrations()]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_database_of_every_schema_is_upgraded_with_its_data(dump: Path, tmp_path: Path) -> None:
    path = restored(dump, tmp_path / "ionbox.sqlite")

    with closing(SqliteStore(path)) as store:
        jobs = store.jobs(JobQuery(PROJECT, limit=10))
        key = store.key(hash_secret("the key of the dump"))
        results = [store.result(PROJECT, job.id) for job in jobs]
        inputs = [store.job_and_input(PROJECT, job.id) for job in jobs]

    assert [job.status for job in jobs] == [JobStatus.READY, JobStatus.COMPLETED]
    assert (jobs[1].name, jobs[1].metadata) == ("Bell pair", {"who": "the dump"})
    assert key is not None
    assert key.project_id == PROJECT
    assert results == [None, StoredResult(inline=b"outcome")]
    assert inputs == [(job, b"{}") for job in jobs]
    assert (jobs[0].threads, jobs[0].run_seconds) == (1, None)


def test_a_database_is_copied_before_it_is_upgraded(tmp_path: Path) -> None:
    path = restored(DUMPS[-1], tmp_path / "ionbox.sqlite")
    newest = migrations()[-1][0]

    migrate(path, [*migrations(), (newest + 1, "DROP TABLE job_results")])

    assert version_and_results(path) == (newest + 1, False)
    assert version_and_results(tmp_path / f"ionbox.sqlite.schema-{newest}") == (newest, True)


def test_an_upgrade_that_fails_leaves_the_old_schema_whole(tmp_path: Path) -> None:
    path = restored(DUMPS[-1], tmp_path / "ionbox.sqlite")
    newest = migrations()[-1][0]

    with pytest.raises(DataDirectoryError, match="cannot be used: no such table: missing"):
        migrate(path, [*migrations(), (newest + 1, "DROP TABLE job_results; DROP TABLE missing")])

    assert version_and_results(path) == (newest, True)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ionbox.sqlite"
    newest = migrations()[-1][0]
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {newest + 1}")

    with pytest.raises(DataDirectoryError, match=f"schema {newest + 1}, written by a newer"):
        migrate(path)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ionbox.sqlite"
    migrate(path)
    migrate(path)

    assert list(tmp_path.glob("*.schema-*")) == []
