"""What the core asks of the world: a store, a place for results, an executor.

Reads return values. Every write returns a future that is resolved once the change is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from ionbox.jobs.job import Job
from ionbox.jobs.lifecycle import Effect
from ionbox.jobs.sessions import Session
from ionbox.service.access import Key, Project
from ionbox.service.work import Beat, Reply, Task

Step = Callable[[Job], tuple[Job, tuple[Effect, ...]]]


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which of a project's jobs to list, newest first.

    Args:
        statuses: None for any; empty for none at all.
        ids: None for any.
        parent_id: Whose children; without it, and without ids, children are left out.
        before: The id of the last job of the page before.
    """

    project_id: str
    limit: int
    ids: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    backend: str | None = None
    submitter_id: str | None = None
    parent_id: str | None = None
    session_id: str | None = None
    before: str | None = None


class StoredResult(msgspec.Struct, frozen=True):
    """Where a job's outcome lies: in the row itself (small), or in a blob of that name."""

    inline: bytes | None = None
    blob: str | None = None


class NewJob(NamedTuple):
    """A job to remember, its input, and what the engines answered where it is planned already."""

    job: Job
    data: bytes
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a submission count once, however often it comes within a day.

    Args:
        key: The caller's, within their project.
        request_hash: Of all that was sent: another request with the same key is refused.
    """

    key: str
    request_hash: bytes


class Inserted(NamedTuple):
    """What a submission made: just now, or when it came before."""

    job: Job
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What the jobs of one day, project, submitter and backend took.

    Args:
        day: Days since 1970-01-01.
        cost_micros: In millionths of the price book's currency.
        time_us: How long they ran, in microseconds.
    """

    day: int
    project_id: str
    project_name: str
    submitter_id: str
    backend: str
    num_jobs: int
    cost_micros: int
    time_us: int


class BackendDocument(NamedTuple):
    """What an operator brought of a backend; see `ionbox.backends.documents`."""

    backend: str
    document: bytes
    additions: str


class Change(NamedTuple):
    """A job as it is now, and the one that the store should have.

    Args:
        result: The outcome, if there is one.
        answers: What the engines answered, if it was planned just now.
        output: What compiling made of it, if it was compiled just now.
        lease_until: Until when who starts it now is believed to be at it.
    """

    job: Job
    expected: Job
    result: StoredResult | None = None
    answers: str | None = None
    output: str | None = None
    lease_until: datetime | None = None


DELETED = "deleted"


class Event(NamedTuple):
    """What became of a job.

    Args:
        id: Counts all events of a store, without gaps.
        status: That it has now, or `DELETED`.
    """

    id: int
    project_id: str
    job_id: str
    parent_id: str | None
    status: str
    attempt: int


class EventPage(NamedTuple):
    """Events of a project, and the ids of those of all projects that were kept at that time."""

    events: list[Event]
    kept: range


class Store(Protocol):
    """What is remembered. Every read and write of a job is within one project.

    A read or a write that cannot be made is a `StoreError`.
    """

    def job(self, project_id: str, job_id: str) -> Job | None: ...
    def jobs(self, query: JobQuery) -> list[Job]: ...
    def job_and_input(self, project_id: str, job_id: str) -> tuple[Job, bytes] | None: ...
    def job_and_plan(self, project_id: str, job_id: str) -> tuple[Job, str | None] | None:
        """Return a job, and what the engines answered when it was planned."""
        ...

    def output(self, project_id: str, job_id: str) -> str | None:
        """Return what compiling and mitigation made of a job, if it was compiled."""
        ...

    def result(self, project_id: str, job_id: str) -> StoredResult | None: ...
    def unfinished_jobs(self) -> Iterator[Job]:
        """Yield every job that has not ended, oldest first."""
        ...

    def blobs(self) -> Iterator[str]:
        """Yield the name of every blob that a job refers to."""
        ...

    def child_ids(self, parent_id: str) -> list[str]:
        """Return the ids of a parent's children, in the order of their circuits."""
        ...

    def insert_jobs(
        self, jobs: Sequence[NewJob], now: datetime, once: Once | None = None
    ) -> Future[Inserted]:
        """Remember new jobs, all or none: one, or a parent and its children; return the first.

        A submission that came before makes nothing: the job that it made then is returned, or the
        future raises as `repeated` does.

        The session that the first one names takes it in the same transaction; the future raises
        an InvalidInputError where there is none, or it takes no more.
        """
        ...

    def repeated(self, project_id: str, once: Once, now: datetime) -> Job | None:
        """Return the job that a submission made when it came before; None if it did not.

        Raises:
            ConflictError: If another submission came with its key.
            GoneError: If the job was deleted.
        """
        ...

    def purge_keys_of_submissions(self, now: datetime) -> Future[None]:
        """Forget which submissions came, where that has expired."""
        ...

    def put_jobs(
        self, changes: Sequence[Change], now: datetime | None = None
    ) -> Future[list[bool]]:
        """Write each changed job whose stored one still has the expected status and attempt.

        A job that was read, and that its session cannot afford, fails instead: its change is
        not written.

        In the same transaction, the parent of a changed job follows its children.
        """
        ...

    def renew_leases(self, held: Sequence[Job], until: datetime) -> Future[list[bool]]:
        """Hold started jobs for longer; false for each that its attempt holds no more."""
        ...

    def expired_leases(self, now: datetime) -> list[Job]:
        """Return started jobs whose lease ran out, some of them if they are many."""
        ...

    def change_jobs(
        self, project_id: str, job_ids: Sequence[str], step: Step, now: datetime
    ) -> Future[list[tuple[Job, tuple[Effect, ...]]]]:
        """Read, step and write each job, and its children, in one transaction.

        Unknown ids are passed over. The parent of a changed job follows.
        """
        ...

    def delete_jobs(
        self, project_id: str, job_ids: Sequence[str], now: datetime
    ) -> Future[list[tuple[str, StoredResult | None]]]:
        """Delete jobs and their children with inputs and results; return ids and where results lie.

        Unknown ids are passed over. The parent of a deleted job follows.
        """
        ...

    def event_ids(self) -> range:
        """Return the ids of the events that are kept: the newest ones of all projects."""
        ...

    def events(self, project_id: str, ids: range) -> EventPage:
        """Return what became of a project's jobs, in order: those of these ids that are kept.

        Every write that changes a job's status or attempt, or deletes it, makes one.
        """
        ...

    def listen(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Have the events from now on, of all projects, told once they are durable.

        The listener is called by the thread that writes, so it must be quick and raise nothing.
        """
        ...

    def session(self, project_id: str, session_id: str) -> Session | None: ...
    def sessions(self, project_id: str) -> list[Session]:
        """Return the sessions of a project, newest first."""
        ...

    def insert_session(self, session: Session) -> Future[Session]: ...
    def end_session(
        self, project_id: str, session_id: str, ender_id: str, now: datetime
    ) -> Future[Session | None]:
        """End a session, if it has not ended; None where there is none of that id."""
        ...

    def usage(self, organization_id: str, start: datetime, end: datetime) -> list[UsageRow]:
        """Return what jobs took by day, project, submitter and backend, oldest day first."""
        ...

    def backend_documents(self) -> list[BackendDocument]:
        """Return what was brought of backends, oldest first."""
        ...

    def insert_backend_document(self, document: BackendDocument) -> Future[None]: ...
    def delete_backend_documents(self, backend: str) -> Future[bool]:
        """Forget what was brought of a backend; false where there was nothing."""
        ...

    def project(self, project_id: str) -> Project: ...

    def first_project(self) -> str | None:
        """Return the id of the oldest project, or None before the first start."""
        ...

    def create_project(self, organization: str, project: str) -> Future[str]: ...
    def key(self, key_hash: bytes) -> Key | None:
        """Return a key by its hash, revoked or not."""
        ...

    def keys(self) -> list[Key]: ...
    def insert_key(self, key: Key, key_hash: bytes) -> Future[Key]: ...
    def revoke_key(self, key_id: str, now: datetime) -> Future[bool]: ...
    def close(self) -> None: ...


class ResultStore(Protocol):
    """Where outcomes too large for a row lie."""

    def draft(self, job_id: str, attempt: int) -> Path:
        """Return the path at which a worker may write an outcome."""
        ...

    def keep(self, draft: Path) -> str:
        """Make a written draft durable under its final name, and return that name."""
        ...

    def discard(self, draft: Path) -> None:
        """Delete what a worker may have left at a draft's path."""
        ...

    def open(self, blob: str) -> memoryview | None:
        """Return the bytes of a blob, mapped and not copied; None if it is gone."""
        ...

    def drop(self, blob: str) -> None: ...
    def sweep(self, known: set[str]) -> int:
        """Delete drafts, and blobs that are not known; return how many."""
        ...


class Executor(Protocol):
    """Where work runs: a fixed number of workers, each with one load of tasks at a time."""

    @property
    def num_workers(self) -> int: ...
    def start(
        self,
        load: Callable[[int], list[Task]],
        done: Callable[[int, list[Reply]], None],
        beat: Callable[[int, Beat], None],
    ) -> None:
        """Start the workers.

        All three are called in the thread of the worker, and must not raise.

        Args:
            load: Called once `execute` named the worker; returns its tasks.
            done: Called with the worker and one reply for each task.
            beat: Called with the worker and what it says of the task it is at, about once a
                second and not in the first one; between `load` and `done`.
        """
        ...

    def execute(self, worker: int) -> None:
        """Have an idle worker load and run its tasks; returns at once."""
        ...

    def kill(self, worker: int) -> None:
        """End what a worker does, at once; its replies are `Lost`, and it serves again."""
        ...

    def is_working(self, worker: int) -> bool:
        """Return whether a worker has used a processor since this was last asked."""
        ...

    def stop(self) -> None:
        """End every worker and return when none is left."""
        ...
