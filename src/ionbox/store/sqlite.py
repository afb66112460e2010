"""The store on one SQLite file: many readers, one writer, durable at every commit."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from operator import itemgetter
from pathlib import Path

from ionbox.jobs.job import Job
from ionbox.jobs.lifecycle import Effect
from ionbox.jobs.sessions import Session, end
from ionbox.service.access import Key, Project
from ionbox.service.ports import (
    BackendDocument,
    Change,
    Event,
    EventPage,
    Inserted,
    JobQuery,
    NewJob,
    Once,
    Step,
    StoredResult,
    UsageRow,
)
from ionbox.store.audience import Audience
from ionbox.store.changes import insert, put
from ionbox.store.connections import Reader, connect, open_reader, snapshot
from ionbox.store.families import have_parents_follow, sum_up_parents, with_children
from ionbox.store.lists import lookups
from ionbox.store.migrations import migrate
from ionbox.store.once import purge, remember, repeated
from ionbox.store.queries import QUERIES as _QUERIES
from ionbox.store.reserve import Reserve
from ionbox.store.rows import (
    Row,
    job_of_row,
    key_of_row,
    session_of_row,
    session_to_row,
    to_json,
    to_microseconds,
)
from ionbox.store.sessions import affordable, have_session_take, keep_costs
from ionbox.store.writer import Writer

# What is read all the time, without the calls that the library puts around each query.
_JOB = _QUERIES.job.sql
_PAGE = 1000
_AFTER_EVERY_ID = "~"  # ids are hexadecimal digits and dashes
_id_of = itemgetter("id")


class SqliteStore:
    """The port `Store` on SQLite in WAL mode with `synchronous=FULL`.

    Args:
        path: The database file; made, or brought to the newest schema, when it is opened.
    """

    def __init__(self, path: Path) -> None:
        reserve = Reserve(path.with_name("reserve"))
        # On a full disk there is no other room for what SQLite needs to open a database.
        reserve.release()
        migrate(path)
        self._path = path
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._audience: Audience | None = None
        self._connections.append(writing := connect(path, sqlite3.Connection))
        self._writer = Writer(writing, reserve, self._tell)
        reserve.keep()

    def close(self) -> None:
        """Write what is queued and close every connection."""
        self._writer.close()
        for connection in self._connections:
            connection.close()

    # --- jobs ----------------------------------------------------------------------------

    def job(self, project_id: str, job_id: str) -> Job | None:
        """Return one job of a project."""
        values = {"id": job_id, "project_id": project_id}
        row = self._reader().first(_JOB, values)
        return None if row is None else job_of_row(row)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Return a page of a project's jobs, newest first."""
        reader, found = self._reader(), lookups(query)
        # A job that changes its status between two look-ups must be told, and only once.
        with snapshot(reader) if len(found) > 1 else contextlib.nullcontext():
            rows = [row for find, statuses in found for row in _page(reader, find, query, statuses)]
        rows.sort(key=_id_of, reverse=True)
        return [job_of_row(row) for row in rows[: query.limit]]

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

    def insert_jobs(
        self, jobs: Sequence[NewJob], now: datetime, once: Once | None = None
    ) -> Future[Inserted]:
        """Remember new jobs and their inputs, all or none; their session takes the first."""
        first = jobs[0].job

        def write(database: sqlite3.Connection) -> Inserted:
            if once is not None:
                known = repeated(database, first.project_id, once, now)
                if known is not None:
                    return Inserted(known, is_repeat=True)
                remember(database, first, once, now)
            have_session_take(database, [new.job for new in jobs], now)
            for new in jobs:
                insert(database, new)
            return Inserted(first)

        return self._writer.submit(write)

    def repeated(self, project_id: str, once: Once, now: datetime) -> Job | None:
        """Return the job that a submission made when it came before; None if it did not."""
        return repeated(self._reader(), project_id, once, now)

    def purge_keys_of_submissions(self, now: datetime) -> Future[None]:
        """Forget which submissions came, where that has expired."""
        return self._writer.submit(lambda database: purge(database, now), frees_room=True)

    def put_jobs(
        self, changes: Sequence[Change], now: datetime | None = None
    ) -> Future[list[bool]]:
        """Write each changed job whose stored one still has the expected status and attempt."""

        def write(database: sqlite3.Connection) -> list[bool]:
            written, jobs = [], []
            for change in changes:
                kept = affordable(database, change, now)
                is_written = put(database, kept)
                written.append(is_written and kept is change)
                if is_written:
                    jobs.append(kept.job)
            have_parents_follow(database, jobs)
            return written

        return self._writer.submit(write)

    def renew_leases(self, held: Sequence[Job], until: datetime) -> Future[list[bool]]:
        """Hold started jobs for longer; false for each that its attempt holds no more."""
        expires_at = to_microseconds(until)

        def write(database: sqlite3.Connection) -> list[bool]:
            return [
                bool(
                    _QUERIES.renew_lease(
                        database, job_id=job.id, attempt=job.attempt, expires_at=expires_at
                    )
                )
                for job in held
            ]

        return self._writer.submit(write)

    def expired_leases(self, now: datetime) -> list[Job]:
        """Return started jobs whose lease ran out, a page of them."""
        rows = _QUERIES.expired_leases(self._reader(), now=to_microseconds(now), limit=_PAGE)
        return [job_of_row(row) for row in rows]

    def change_jobs(
        self, project_id: str, job_ids: Sequence[str], step: Step, now: datetime
    ) -> Future[list[tuple[Job, tuple[Effect, ...]]]]:
        """Read, step and write each job, and its children, in one transaction."""

        def write(database: sqlite3.Connection) -> list[tuple[Job, tuple[Effect, ...]]]:
            changed = []
            for job in with_children(database, project_id, job_ids):
                after, effects = step(job)
                if after is not job:
                    put(database, Change(after, job))
                changed.append((after, effects))
            sum_up_parents(database, [job for job, _ in changed])
            have_parents_follow(database, [job for job, _ in changed], now)
            return changed

        return self._writer.submit(write)

    def delete_jobs(
        self, project_id: str, job_ids: Sequence[str], now: datetime
    ) -> Future[list[tuple[str, StoredResult | None]]]:
        """Delete jobs and their children; return the ids found and where results lie."""

        def write(database: sqlite3.Connection) -> list[tuple[str, StoredResult | None]]:
            jobs = with_children(database, project_id, job_ids)
            deleted = [(job.id, _result(database, project_id, job.id)) for job in jobs]
            keep_costs(database, jobs)
            for job in jobs:
                _QUERIES.delete_job(database, id=job.id, project_id=project_id)
            have_parents_follow(database, jobs, now)
            return deleted

        return self._writer.submit(write, frees_room=True)

    # --- events --------------------------------------------------------------------------

    def event_ids(self) -> range:
        """Return the ids of the events that are kept."""
        row = _QUERIES.event_ids(self._reader())
        return range(1) if row["newest"] is None else range(row["oldest"], row["newest"] + 1)

    def events(self, project_id: str, ids: range) -> EventPage:
        """Return what became of a project's jobs, in order: those of these ids that are kept."""
        reader = self._reader()
        with snapshot(reader):
            kept = self.event_ids()
            start, stop = max(ids.start, kept.start), min(ids.stop, kept.stop)
            if start >= stop:
                return EventPage([], kept)
            rows = _QUERIES.events(reader, project_id=project_id, start=start, stop=stop)
            return EventPage([Event(*row) for row in rows], kept)

    def listen(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Have the events from now on told once they are durable."""
        newest = self.event_ids().stop - 1
        self._audience = Audience(listener, newest)

    def _tell(self, database: sqlite3.Connection) -> None:
        """Tell what a commit brought to who listens; the writer's thread calls it after each."""
        audience = self._audience
        if audience is not None:
            audience.hear(database)

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

    def _reader(self) -> Reader:
        """Return this thread's own connection, whose errors are ours."""
        reader: Reader | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = open_reader(self._path)
            self._connections.append(reader)
        return reader


def _page(
    reader: Reader, find: Callable[..., Iterable[Row]], query: JobQuery, statuses: object
) -> Iterable[Row]:
    """Return what one look-up finds of a page."""
    return find(
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


def _result(database: sqlite3.Connection, project_id: str, job_id: str) -> StoredResult | None:
    row = _QUERIES.result(database, job_id=job_id, project_id=project_id)
    return None if row is None else StoredResult(*row)
