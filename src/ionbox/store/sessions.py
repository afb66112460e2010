"""What a session holds its jobs to, in the transaction that writes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from ionbox.errors import InvalidInputError
from ionbox.jobs.job import MULTI_CIRCUIT, Failure, FailureCode, Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.jobs.sessions import Session, join, over_budget
from ionbox.service.ports import Change
from ionbox.store.queries import QUERIES
from ionbox.store.rows import session_of_row, session_to_row

_UNPAID = frozenset({JobStatus.FAILED, JobStatus.CANCELED})


def have_session_take(database: sqlite3.Connection, jobs: Sequence[Job], now: datetime) -> None:
    """Have the session that the first of new jobs names, if it does, take it.

    Raises:
        InvalidInputError: If there is no such session, or it does not take the job.
    """
    job = jobs[0]
    if job.session_id is None:
        return
    session = _session(database, job)
    if session is None:
        raise InvalidInputError("session_id", f"there is no session '{job.session_id}'")
    joined = join(session, job.backend, now)
    why = over_budget(session, _spent(database, session), sum(map(_cost_of, jobs)))
    if why:
        raise InvalidInputError("session_id", why)
    QUERIES.update_session(database, **session_to_row(joined))


def affordable(database: sqlite3.Connection, change: Change, now: datetime | None) -> Change:
    """Return a change; one that accepts a job that its session cannot afford, as its failure.

    Args:
        now: When it fails; as the job was submitted, where that is not told.
    """
    job, expected = change.job, change.expected
    if job.session_id is None or expected.status is not JobStatus.SUBMITTED or not _cost_of(job):
        return change
    session = _session(database, job)
    why = over_budget(session, _spent(database, session), _cost_of(job)) if session else ""
    if not why:
        return change
    unread = replace(
        job, status=expected.status, attempt=expected.attempt, run_threads=None, run_seconds=None
    )
    failure = Failure(FailureCode.QUOTA_EXHAUSTED, why)
    failed, _ = step(unread, JobEvent.FAIL, now or job.submitted_at, failure=failure)
    return Change(
        replace(failed, started_at=None), expected, answers=change.answers, output=change.output
    )


def keep_costs(database: sqlite3.Connection, deleted: Iterable[Job]) -> None:
    """Have sessions remember what jobs cost that are deleted after they were completed."""
    for job in deleted:
        if job.session_id is not None and job.status is JobStatus.COMPLETED and _cost_of(job):
            QUERIES.add_deleted_cost(database, id=job.session_id, cost_micros=_cost_of(job))


def _session(database: sqlite3.Connection, job: Job) -> Session | None:
    row = QUERIES.session(database, id=job.session_id, project_id=job.project_id)
    return None if row is None else session_of_row(row)


def _spent(database: sqlite3.Connection, session: Session) -> int:
    """Return what the jobs of a session cost, in micros; where it has no limit nobody asks."""
    if session.settings.cost_limit is None:
        return 0
    row = QUERIES.session_cost(database, id=session.id, parent_type=MULTI_CIRCUIT)
    return int(row["cost_micros"])


def _cost_of(job: Job) -> int:
    """Return what a job costs; a parent costs what its children do, each by itself."""
    is_free = job.is_parent or job.is_dry_run or job.status in _UNPAID
    return 0 if is_free else job.cost_micros
