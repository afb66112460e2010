"""The store on one SQLite file: many readers, one writer, durable at every commit."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import aiosql

from ionbox.errors import InvalidInputError
from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import TERMINAL, Effect, follow, sum_up
from ionbox.jobs.sessions import Session, end, join
from ionbox.service.access import Key, Project
from ionbox.service.ports import (
    BackendDocument,
    Change,
    JobQuery,
    NewJob,
    Step,
    StoredResult,
    UsageRow,
)
from ionbox.store.migrations import migrate
from ionbox.store.reserve import Reserve
from ionbox.store.rows import (
    job_of_row,
    job_to_row,
    key_of_row,
    session_of_row,
    session_to_row,
    to_json,
    to_microseconds,
)
from ionbox.store.writer import Writer

_QUERIES: Any = aiosql.from_str(
    (resources.files("ionbox.store") / "sql" / "queries.sql").read_text(),
    "sqlite3",
    mandatory_parameters=False,
)
# What every job is written with, without the two calls that the library puts around each query.
_INSERT_JOB, _INSERT_INPUT, _INSERT_PLAN, _INSERT_OUTPUT, _UPDATE_JOB, _INSERT_RESULT = (
    query.sql
    for query in (
        _QUERIES.insert_job,
        _QUERIES.insert_job_input,
        _QUERIES.insert_plan,
        _QUERIES.insert_output,
        _QUERIES.update_job,
        _QUERIES.insert_result,
    )
)
_PAGE = 1000
_AFTER_EVERY_ID = "~"  # ids are hexadecimal digits and dashes


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
        reserve = Reserve(path.with_name("reserve"))
        self._writer = Writer(self._connect(), reserve)
        reserve.keep()

    def close(self) -> None:
        """Write what is queued and close every connection."""
        self._writer.close()
        for connection in self._connections:
            connection.close()

    # --- jobs ----------------------------------------------------------------------------

    def job(self, project_id: str, job_id: str) -> Job | None:
        """Return one job of a project."""
        row = _QUERIES.job(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else job_of_row(row)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Return a page of a project's jobs, newest first."""
        reader = self._reader()
        pages = [
            find(
                reader,
                project_id=query.project_id,
                limit=query.limit,
                ids=to_json(query.ids),
                parent_id=query.parent_id,
                statuses=to_json(statuses),
                backend=query.backend,
                submitter_id=query.submitter_id,
                session_id=query.session_id,
                before=query.before or _AFTER_EVERY_ID,
            )
            for find, statuses in _lookups(query)
        ]
        # A job that changes its status between two look-ups is told once.
        rows = {row["id"]: row for page in pages for row in page}
        return [job_of_row(rows[job_id]) for job_id in sorted(rows, reverse=True)[: query.limit]]

    def unfinished_jobs(self) -> Iterator[Job]:
        """Yield every job that has not ended, oldest first."""
        after = ""
        while page := list(_QUERIES.unfinished_jobs(self._reader(), after=after, limit=_PAGE)):
            yield from map(job_of_row, page)
            after = page[-1]["id"]

    def job_and_input(self, project_id: str, job_id: str) -> tuple[Job, bytes] | None:
        """Return one job of a project and what it was submitted with."""
        row = _QUERIES.job_and_input(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else (job_of_row(row), row["data"])

    def job_and_plan(self, project_id: str, job_id: str) -> tuple[Job, str | None] | None:
        """Return one job of a project, and what the engines answered when it was planned."""
        row = _QUERIES.job_and_plan(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else (job_of_row(row), row["answers"])

    def child_ids(self, parent_id: str) -> list[str]:
        """Return the ids of a parent's children, in the order of their circuits."""
        return [row["id"] for row in _QUERIES.child_ids(self._reader(), parent_id=parent_id)]

    def insert_jobs(self, jobs: Sequence[NewJob], now: datetime) -> Future[Job]:
        """Remember new jobs and their inputs, all or none; their session takes the first."""

        def write(database: sqlite3.Connection) -> Job:
            _join_session(database, jobs[0].job, now)
            for job, data, answers in jobs:
                database.execute(_INSERT_JOB, job_to_row(job))
                database.execute(_INSERT_INPUT, {"job_id": job.id, "data": data})
                _put_plan(database, job, answers)
            return jobs[0].job

        return self._writer.submit(write)

    def put_jobs(self, changes: Sequence[Change]) -> Future[list[bool]]:
        """Write each changed job whose stored one still has the expected status and attempt."""

        def write(database: sqlite3.Connection) -> list[bool]:
            written = [_put(database, change) for change in changes]
            _have_parents_follow(database, [change.job for change in changes])
            return written

        return self._writer.submit(write)

    def change_jobs(
        self, project_id: str, job_ids: Sequence[str], step: Step, now: datetime
    ) -> Future[list[tuple[Job, tuple[Effect, ...]]]]:
        """Read, step and write each job, and its children, in one transaction."""

        def write(database: sqlite3.Connection) -> list[tuple[Job, tuple[Effect, ...]]]:
            changed = []
            for job in _with_children(database, project_id, job_ids):
                after, effects = step(job)
                if after is not job:
                    _put(database, Change(after, job))
                changed.append((after, effects))
            _sum_up_parents(database, [job for job, _ in changed])
            _have_parents_follow(database, [job for job, _ in changed], now)
            return changed

        return self._writer.submit(write)

    def delete_jobs(
        self, project_id: str, job_ids: Sequence[str], now: datetime
    ) -> Future[list[tuple[str, StoredResult | None]]]:
        """Delete jobs and their children; return the ids found and where results lie."""

        def write(database: sqlite3.Connection) -> list[tuple[str, StoredResult | None]]:
            jobs = _with_children(database, project_id, job_ids)
            deleted = [(job.id, _result(database, project_id, job.id)) for job in jobs]
            for job in jobs:
                _QUERIES.delete_job(database, id=job.id, project_id=project_id)
            _have_parents_follow(database, jobs, now)
            return deleted

        return self._writer.submit(write, frees_room=True)

    # --- results -------------------------------------------------------------------------

    def output(self, project_id: str, job_id: str) -> str | None:
        """Return what compiling and mitigation made of a project's job."""
        row = _QUERIES.job_output(self._reader(), id=job_id, project_id=project_id)
        return None if row is None else row["output"]

    def result(self, project_id: str, job_id: str) -> StoredResult | None:
        """Return where the outcome of a project's job lies."""
        return _result(self._reader(), project_id, job_id)

    def blobs(self) -> Iterator[str]:
        """Yield the name of every blob that a job refers to."""
        return (row["blob"] for row in _QUERIES.blobs(self._reader()))

    # --- sessions and usage --------------------------------------------------------------

    def session(self, project_id: str, session_id: str) -> Session | None:
        """Return one session of a project."""
        row = _QUERIES.session(self._reader(), id=session_id, project_id=project_id)
        return None if row is None else session_of_row(row)

    def sessions(self, project_id: str) -> list[Session]:
        """Return the sessions of a project, newest first."""
        rows = _QUERIES.sessions(self._reader(), project_id=project_id)
        return [session_of_row(row) for row in rows]

    def insert_session(self, session: Session) -> Future[Session]:
        """Remember a new session."""

        def write(database: sqlite3.Connection) -> Session:
            _QUERIES.insert_session(database, **session_to_row(session))
            return session

        return self._writer.submit(write)

    def end_session(
        self, project_id: str, session_id: str, ender_id: str, now: datetime
    ) -> Future[Session | None]:
        """End a session, if it has not ended; None where there is none of that id."""

        def write(database: sqlite3.Connection) -> Session | None:
            row = _QUERIES.session(database, id=session_id, project_id=project_id)
            if row is None:
                return None
            session = end(session_of_row(row), ender_id, now)
            _QUERIES.update_session(database, **session_to_row(session))
            return session

        return self._writer.submit(write)

    def usage(self, organization_id: str, start: datetime, end: datetime) -> list[UsageRow]:
        """Return what an organization's jobs took, by day, project, submitter and backend."""
        rows = _QUERIES.usage(
            self._reader(),
            organization_id=organization_id,
            start=to_microseconds(start),
            end=to_microseconds(end),
        )
        return [UsageRow(**dict(row)) for row in rows]

    # --- backends ------------------------------------------------------------------------

    def backend_documents(self) -> list[BackendDocument]:
        """Return what was brought of backends, oldest first."""
        return [BackendDocument(*row) for row in _QUERIES.backend_documents(self._reader())]

    def insert_backend_document(self, document: BackendDocument) -> Future[None]:
        """Remember what was brought of a backend."""

        def write(database: sqlite3.Connection) -> None:
            _QUERIES.insert_backend_document(database, **document._asdict())

        return self._writer.submit(write)

    def delete_backend_documents(self, backend: str) -> Future[bool]:
        """Forget what was brought of a backend; false where there was nothing."""
        return self._writer.submit(
            lambda database: bool(_QUERIES.delete_backend_documents(database, backend=backend))
        )

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

    def project(self, project_id: str) -> Project:
        """Return a project."""
        return Project(**dict(_QUERIES.project(self._reader(), id=project_id)))

    def key(self, key_hash: bytes) -> Key | None:
        """Return a key by its hash, revoked or not."""
        row = _QUERIES.key(self._reader(), hash=key_hash)
        return None if row is None else key_of_row(row)

    def keys(self) -> list[Key]:
        """Return every key, oldest first."""
        return [key_of_row(row) for row in _QUERIES.keys(self._reader())]

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
                created_at=to_microseconds(key.created_at),
            )
            return key

        return self._writer.submit(write)

    def revoke_key(self, key_id: str, now: datetime) -> Future[bool]:
        """Revoke a key; false where there was none to revoke."""
        return self._writer.submit(
            lambda database: bool(
                _QUERIES.revoke_key(database, id=key_id, now=to_microseconds(now))
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


def _lookups(query: JobQuery) -> list[tuple[Any, Sequence[str] | None]]:
    """Return the queries that together find a page, each with its statuses.

    The first filter that is narrow decides by which index. Jobs of several statuses are found by a
    query for each: SQLite would sort all that there are of them.
    """
    narrow = (
        (query.ids, _QUERIES.jobs_of_ids),
        (query.parent_id, _QUERIES.jobs_of_parent),
        (query.session_id, _QUERIES.jobs_of_session),
    )
    broad = (
        (query.backend, _QUERIES.jobs_of_backend),
        (query.submitter_id, _QUERIES.jobs_of_submitter),
        (query.project_id, _QUERIES.jobs),
    )
    find = next((find for given, find in narrow if given is not None), None)
    otherwise = next(find for given, find in broad if given is not None)
    if find is not None or query.statuses is None:
        return [(find or otherwise, query.statuses)]
    return [
        (otherwise if status == JobStatus.COMPLETED else _QUERIES.jobs_of_status, (status,))
        for status in JobStatus
        if status in query.statuses
    ]


def _put(database: sqlite3.Connection, change: Change) -> bool:
    job, expected, result, answers, output = change
    row = job_to_row(job) | {
        "expected_status": expected.status,
        "expected_attempt": expected.attempt,
    }
    if not database.execute(_UPDATE_JOB, row).rowcount:
        return False
    _put_plan(database, job, answers)
    if output is not None:
        database.execute(_INSERT_OUTPUT, {"job_id": job.id, "output": output})
    if result is not None:
        values = {"job_id": job.id, "inline": result.inline, "blob": result.blob}
        database.execute(_INSERT_RESULT, values)
    return True


def _put_plan(database: sqlite3.Connection, job: Job, answers: str | None) -> None:
    if answers is not None:
        database.execute(_INSERT_PLAN, {"job_id": job.id, "answers": answers})


def _result(database: sqlite3.Connection, project_id: str, job_id: str) -> StoredResult | None:
    row = _QUERIES.result(database, job_id=job_id, project_id=project_id)
    return None if row is None else StoredResult(*row)


def _join_session(database: sqlite3.Connection, job: Job, now: datetime) -> None:
    """Have a job's session, if it names one, take it."""
    if job.session_id is None:
        return
    row = _QUERIES.session(database, id=job.session_id, project_id=job.project_id)
    if row is None:
        raise InvalidInputError("session_id", f"there is no session '{job.session_id}'")
    session = join(session_of_row(row), job.backend, now)
    _QUERIES.update_session(database, **session_to_row(session))


def _with_children(
    database: sqlite3.Connection, project_id: str, job_ids: Sequence[str]
) -> list[Job]:
    """Return those jobs of a project that are there, each parent followed by its children."""
    jobs: dict[str, Job] = {}
    for job_id in job_ids:
        row = _QUERIES.job(database, id=job_id, project_id=project_id)
        if row is not None:
            jobs[job_id] = job = job_of_row(row)
            if job.is_parent:
                jobs |= {child.id: child for child in _children(database, job_id)}
    return list(jobs.values())


def _children(database: sqlite3.Connection, parent_id: str) -> list[Job]:
    return list(map(job_of_row, _QUERIES.children(database, parent_id=parent_id)))


def _have_parents_follow(
    database: sqlite3.Connection, children: Sequence[Job], now: datetime | None = None
) -> None:
    """Have the parents of changed jobs stand where their children do."""
    families: dict[str, list[Job]] = {}
    for child in children:
        if child.parent_id is not None:
            families.setdefault(child.parent_id, []).append(child)
    for parent_id, changed in families.items():
        row = _QUERIES.job(database, id=parent_id, project_id=changed[0].project_id)
        if row is None:
            continue
        parent = job_of_row(row)
        counts = _QUERIES.child_statuses(database, parent_id=parent_id)
        statuses = {JobStatus(row["status"]): row["number"] for row in counts}
        starts = [child.started_at for child in changed if child.started_at is not None]
        ends = [child.completed_at for child in changed if child.completed_at is not None]
        latest = now or max(ends, default=parent.submitted_at)
        after = follow(parent, statuses, latest, min(starts, default=None))
        if after is not parent and after.status in TERMINAL:
            after = sum_up(after, _children(database, parent_id))
        if after != parent:
            _put(database, Change(after, parent))


def _sum_up_parents(database: sqlite3.Connection, changed: Sequence[Job]) -> None:
    """Tell parents that were ended themselves what is known of their children."""
    for parent in changed:
        if parent.is_parent and parent.status in TERMINAL:
            after = sum_up(parent, _children(database, parent.id))
            if after != parent:
                _put(database, Change(after, parent))
