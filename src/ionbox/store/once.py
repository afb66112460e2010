"""Submissions that count once: what a key made, and for how long that is remembered."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from ionbox.errors import ConflictError, GoneError
from ionbox.jobs.job import Job
from ionbox.service.ports import Once
from ionbox.store.queries import QUERIES
from ionbox.store.rows import job_of_row, to_microseconds

KEPT = timedelta(hours=24)
# Each key that is written takes so many expired ones along: fewer are written than can be purged.
_MAX_PURGED = 100


def repeated(
    database: sqlite3.Connection, project_id: str, once: Once, now: datetime
) -> Job | None:
    """Return the job that a submission made when it came before; None if it did not.

    Raises:
        ConflictError: If another submission came with its key.
        GoneError: If the job was deleted.
    """
    since = to_microseconds(now - KEPT)
    row = QUERIES.repeated(database, project_id=project_id, key=once.key, since=since)
    if row is None:
        return None
    if row["request_hash"] != once.request_hash:
        raise ConflictError(
            f"Idempotency-Key '{once.key}' came with another request, for job '{row['job_id']}'; "
            "a new request takes a new key"
        )
    if row["id"] is None:
        raise GoneError("job", row["job_id"], f"Idempotency-Key '{once.key}' made it")
    return job_of_row(row)


def remember(database: sqlite3.Connection, job: Job, once: Once, now: datetime) -> None:
    """Remember what a submission made; forget some of what has expired."""
    QUERIES.put_idempotency_key(
        database,
        project_id=job.project_id,
        key=once.key,
        request_hash=once.request_hash,
        job_id=job.id,
        created_at=to_microseconds(now),
    )
    purge(database, now, _MAX_PURGED)


def purge(database: sqlite3.Connection, now: datetime, limit: int = -1) -> None:
    """Forget keys that have expired, the oldest first: so many, or all."""
    until = to_microseconds(now - KEPT)
    QUERIES.purge_idempotency_keys(database, until=until, limit=limit)
