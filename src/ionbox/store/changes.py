"""What is written of a job, within a transaction of the caller's."""

from __future__ import annotations

import sqlite3

from ionbox.jobs.job import JobStatus
from ionbox.service.ports import Change, NewJob
from ionbox.store.queries import QUERIES
from ionbox.store.rows import job_to_row, to_microseconds

# What every job is written with, without the two calls that the library puts around each query.
_INSERT_JOB, _INSERT_INPUT, _INSERT_PLAN, _INSERT_OUTPUT, _UPDATE_JOB, _INSERT_RESULT = (
    query.sql
    for query in (
        QUERIES.insert_job,
        QUERIES.insert_job_input,
        QUERIES.insert_plan,
        QUERIES.insert_output,
        QUERIES.update_job,
        QUERIES.insert_result,
    )
)


def insert(database: sqlite3.Connection, new: NewJob) -> None:
    """Write a new job, its input, and its plan if there is one."""
    job, data, answers = new
    database.execute(_INSERT_JOB, job_to_row(job))
    database.execute(_INSERT_INPUT, {"job_id": job.id, "data": data})
    _put_plan(database, job.id, answers)


def put(database: sqlite3.Connection, change: Change) -> bool:
    """Write a changed job if it still has the expected status and attempt; tell whether."""
    job, expected, result, answers, output, lease_until = change
    row = job_to_row(job) | {
        "expected_status": expected.status,
        "expected_attempt": expected.attempt,
    }
    if not database.execute(_UPDATE_JOB, row).rowcount:
        return False
    if lease_until is not None:
        expires_at = to_microseconds(lease_until)
        QUERIES.claim_job(database, job_id=job.id, attempt=job.attempt, expires_at=expires_at)
    elif expected.status is JobStatus.STARTED:
        QUERIES.end_lease(database, job_id=job.id)
    _put_plan(database, job.id, answers)
    if output is not None:
        database.execute(_INSERT_OUTPUT, {"job_id": job.id, "output": output})
    if result is not None:
        values = {"job_id": job.id, "inline": result.inline, "blob": result.blob}
        database.execute(_INSERT_RESULT, values)
    return True


def _put_plan(database: sqlite3.Connection, job_id: str, answers: str | None) -> None:
    if answers is not None:
        database.execute(_INSERT_PLAN, {"job_id": job_id, "answers": answers})
