"""Parents and their children: what becomes of one shows in the other, in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import TERMINAL, follow, sum_up
from ionbox.service.ports import Change
from ionbox.store.changes import put
from ionbox.store.queries import QUERIES
from ionbox.store.rows import job_of_row


def with_children(
    database: sqlite3.Connection, project_id: str, job_ids: Sequence[str]
) -> list[Job]:
    """Return those jobs of a project that are there, each parent followed by its children."""
    jobs: dict[str, Job] = {}
    for job_id in job_ids:
        row = QUERIES.job(database, id=job_id, project_id=project_id)
        if row is not None:
            jobs[job_id] = job = job_of_row(row)
            if job.is_parent:
                jobs |= {child.id: child for child in _children(database, job_id)}
    return list(jobs.values())


def _children(database: sqlite3.Connection, parent_id: str) -> list[Job]:
    return list(map(job_of_row, QUERIES.children(database, parent_id=parent_id)))


def have_parents_follow(
    database: sqlite3.Connection, children: Sequence[Job], now: datetime | None = None
) -> None:
    """Have the parents of changed jobs stand where their children do."""
    families: dict[str, list[Job]] = {}
    for child in children:
        if child.parent_id is not None:
            families.setdefault(child.parent_id, []).append(child)
    for parent_id, changed in families.items():
        row = QUERIES.job(database, id=parent_id, project_id=changed[0].project_id)
        if row is None:
            continue
        parent = job_of_row(row)
        counts = QUERIES.child_statuses(database, parent_id=parent_id)
        statuses = {JobStatus(row["status"]): row["number"] for row in counts}
        starts = [child.started_at for child in changed if child.started_at is not None]
        ends = [child.completed_at for child in changed if child.completed_at is not None]
        latest = now or max(ends, default=parent.submitted_at)
        after = follow(parent, statuses, latest, min(starts, default=None))
        if after is not parent and after.status in TERMINAL:
            after = sum_up(after, _children(database, parent_id))
        if after != parent:
            put(database, Change(after, parent))


def sum_up_parents(database: sqlite3.Connection, changed: Sequence[Job]) -> None:
    """Tell parents that were ended themselves what is known of their children."""
    for parent in changed:
        if parent.is_parent and parent.status in TERMINAL:
            after = sum_up(parent, _children(database, parent.id))
            if after != parent:
                put(database, Change(after, parent))
