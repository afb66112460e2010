"""The store on one SQLite file: many readers, one writer, durable at every commit."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import aiosql
import msgspec

from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.lifecycle import Effect
from ionbox.service.access import Key
from ionbox.service.ports import Change, JobQuery, Step, StoredResult
from ionbox.store.migrations import migrate
from ionbox.store.writer import Writer

_QUERIES: Any = aiosql.from_str(
    (resources.files("ionbox.store") / "sql" / "queries.sql").read_text(),
    "sqlite3",
    mandatory_parameters=False,
)
_PAGE = 1000
_AFTER_EVERY_ID = "~"  # ids are hexadecimal digits and dashes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What the caller sent and only wants back: fields of `Job` kept together in one column.
_ECHO = ("metadata", "settings", "error_mitigation", "registers")


class SqliteStore:
    """The port `Store` on SQLite in WAL mode with `synchronous=FULL`.

    Args:
        path: The database file; made, or brought to the newest schema, when it is opened.
    """

    def __init__(self, path: Path) -> None:
        migrate(path)
        self._path = path
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer = Writer(self._connect())

    def close(self) -> None:
        """Write what is queued and close every connection."""
        self._writer.close()
        for connection in self._connections:
            connection.close()

    # --- jobs ----------------------------------------------------------------------------

    def job(self, project_id: str, job_id: str) -> Job | None:
        """Return one job of a project."""
        row = _QUERIES.job(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else _job(row)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Return a page of a project's jobs, newest first."""
        find = _QUERIES.jobs if query.ids is None else _QUERIES.jobs_of_ids
        rows = find(
            self._reader(),
            project_id=query.project_id,
            limit=query.limit,
            ids=_json(query.ids),
            statuses=_json(query.statuses),
            backend=query.backend,
            submitter_id=query.submitter_id,
            before=query.before or _AFTER_EVERY_ID,
        )
        return [_job(row) for row in rows]

    def unfinished_jobs(self) -> Iterator[Job]:
        """Yield every job that has not ended, oldest first."""
        after = ""
        while page := list(_QUERIES.unfinished_jobs(self._reader(), after=after, limit=_PAGE)):
            yield from map(_job, page)
            after = page[-1]["id"]

    def job_and_input(self, project_id: str, job_id: str) -> tuple[Job, bytes] | None:
        """Return one job of a project and what it was submitted with."""
        row = _QUERIES.job_and_input(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else (_job(row), row["data"])

    def insert_job(self, job: Job, data: bytes) -> Future[Job]:
        """Remember a new job and its input."""

        def write(database: sqlite3.Connection) -> Job:
            _QUERIES.insert_job(database, **_row(job))
            _QUERIES.insert_job_input(database, job_id=job.id, data=data)
            return job

        return self._writer.submit(write)

    def put_jobs(self, changes: Sequence[Change]) -> Future[list[bool]]:
        """Write each changed job whose stored one still has the expected status and attempt."""
        return self._writer.submit(lambda database: [_put(database, row) for row in changes])

    def change_jobs(
        self, project_id: str, job_ids: Sequence[str], step: Step
    ) -> Future[list[tuple[Job, tuple[Effect, ...]]]]:
        """Read, step and write each job in one transaction; unknown ids are passed over."""

        def write(database: sqlite3.Connection) -> list[tuple[Job, tuple[Effect, ...]]]:
            changed = []
            for job_id in job_ids:
                row = _QUERIES.job(database, id=job_id, project_id=project_id)
                if row is not None:
                    job = _job(row)
                    after, effects = step(job)
                    if after is not job:
                        _put(database, Change(after, job))
                    changed.append((after, effects))
            return changed

        return self._writer.submit(write)

    def delete_jobs(
        self, project_id: str, job_ids: Sequence[str]
    ) -> Future[list[tuple[str, StoredResult | None]]]:
        """Delete jobs with their inputs and results; return the ids found and where results lie."""

        def write(database: sqlite3.Connection) -> list[tuple[str, StoredResult | None]]:
            deleted = []
            for job_id in job_ids:
                result = _result(database, project_id, job_id)
                if _QUERIES.delete_job(database, id=job_id, project_id=project_id):
                    deleted.append((job_id, result))
            return deleted

        return self._writer.submit(write)

    # --- results -------------------------------------------------------------------------

    def result(self, project_id: str, job_id: str) -> StoredResult | None:
        """Return where the outcome of a project's job lies."""
        return _result(self._reader(), project_id, job_id)

    def blobs(self) -> Iterator[str]:
        """Yield the name of every blob that a job refers to."""
        return (row["blob"] for row in _QUERIES.blobs(self._reader()))

    # --- projects and keys ---------------------------------------------------------------

    def first_project(self) -> str | None:
        """Return the id of the oldest project, or None before the first start."""
        row = _QUERIES.first_project(self._reader())
        return None if row is None else row["id"]

    def create_project(self, organization: str, project: str) -> Future[str]:
        """Make an organization with one project in it; return the project's id."""
        organization_id, project_id = f"org.{organization}", str(uuid.uuid4())

        def write(database: sqlite3.Connection) -> str:
            _QUERIES.insert_organization(database, id=organization_id, name=organization)
            _QUERIES.insert_project(
                database, id=project_id, organization_id=organization_id, name=project
            )
            return project_id

        return self._writer.submit(write)

    def key(self, key_hash: bytes) -> Key | None:
        """Return a key by its hash, revoked or not."""
        row = _QUERIES.key(self._reader(), hash=key_hash)
        return None if row is None else _key(row)

    def keys(self) -> list[Key]:
        """Return every key, oldest first."""
        return [_key(row) for row in _QUERIES.keys(self._reader())]

    def insert_key(self, key: Key, key_hash: bytes) -> Future[Key]:
        """Remember a new key by its hash."""

        def write(database: sqlite3.Connection) -> Key:
            _QUERIES.insert_key(
                database,
                hash=key_hash,
                id=key.id,
                project_id=key.project_id,
                submitter_id=key.submitter_id,
                name=key.name,
                prefix=key.prefix,
                created_at=_to_microseconds(key.created_at),
            )
            return key

        return self._writer.submit(write)

    def revoke_key(self, key_id: str, now: datetime) -> Future[bool]:
        """Revoke a key; false where there was none to revoke."""
        return self._writer.submit(
            lambda database: bool(
                _QUERIES.revoke_key(database, id=key_id, now=_to_microseconds(now))
            )
        )

    # --- connections ---------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        # Connections are closed by another thread than the one that uses them.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 10000")
        self._connections.append(connection)
        return connection

    def _reader(self) -> sqlite3.Connection:
        """Return this thread's own connection."""
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = self._connect()
        return reader


def _put(database: sqlite3.Connection, change: Change) -> bool:
    job, expected, result = change
    row = _row(job) | {"expected_status": expected.status, "expected_attempt": expected.attempt}
    if not _QUERIES.update_job(database, **row):
        return False
    if result is not None:
        _QUERIES.insert_result(database, job_id=job.id, inline=result.inline, blob=result.blob)
    return True


def _result(database: sqlite3.Connection, project_id: str, job_id: str) -> StoredResult | None:
    row = _QUERIES.result(database, job_id=job_id, project_id=project_id)
    return None if row is None else StoredResult(*row)


def _row(job: Job) -> dict[str, Any]:
    echo = {name: value for name in _ECHO if (value := getattr(job, name)) is not None}
    return {
        "id": job.id,
        "project_id": job.project_id,
        "submitter_id": job.submitter_id,
        "status": job.status,
        "attempt": job.attempt,
        "backend": job.backend,
        "job_type": job.job_type,
        "shots": job.shots,
        "seed": job.seed,
        "noise_model": job.noise_model,
        "name": job.name,
        "num_qubits": job.num_qubits,
        "gates_1q": job.gate_counts[0],
        "gates_2q": job.gate_counts[1],
        "engine": job.engine,
        "precision": job.precision,
        "predicted_seconds": job.predicted_seconds,
        "memory_bytes": job.memory_bytes,
        "submitted_at": _to_microseconds(job.submitted_at),
        "started_at": job.started_at and _to_microseconds(job.started_at),
        "completed_at": job.completed_at and _to_microseconds(job.completed_at),
        "failure_code": job.failure and job.failure.code,
        "failure_message": job.failure and job.failure.message,
        "warnings": _json(job.warnings or None),
        "echo": _json(echo or None),
    }


def _job(row: sqlite3.Row) -> Job:
    echo = msgspec.json.decode(row["echo"]) if row["echo"] else {}
    code = row["failure_code"]
    return Job(
        id=row["id"],
        project_id=row["project_id"],
        submitter_id=row["submitter_id"],
        status=JobStatus(row["status"]),
        attempt=row["attempt"],
        backend=row["backend"],
        job_type=row["job_type"],
        shots=row["shots"],
        seed=row["seed"],
        noise_model=row["noise_model"],
        name=row["name"],
        num_qubits=row["num_qubits"],
        gate_counts=(row["gates_1q"], row["gates_2q"]),
        engine=row["engine"],
        precision=row["precision"],
        predicted_seconds=row["predicted_seconds"],
        memory_bytes=row["memory_bytes"],
        submitted_at=_from_microseconds(row["submitted_at"]),
        started_at=row["started_at"] and _from_microseconds(row["started_at"]),
        completed_at=row["completed_at"] and _from_microseconds(row["completed_at"]),
        failure=None if code is None else Failure(code, row["failure_message"]),
        warnings=tuple(msgspec.json.decode(row["warnings"])) if row["warnings"] else (),
        **echo,
    )


def _key(row: sqlite3.Row) -> Key:
    revoked_at = row["revoked_at"]
    return Key(
        id=row["id"],
        project_id=row["project_id"],
        submitter_id=row["submitter_id"],
        name=row["name"],
        prefix=row["prefix"],
        created_at=_from_microseconds(row["created_at"]),
        revoked_at=None if revoked_at is None else _from_microseconds(revoked_at),
    )


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _to_microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _from_microseconds(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
