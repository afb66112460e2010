"""Which queries find a page of jobs: each walks along an index that leads to what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ionbox.jobs.job import JobStatus
from ionbox.service.ports import JobQuery
from ionbox.store.queries import QUERIES


def lookups(query: JobQuery) -> list[tuple[Any, Sequence[str] | None]]:
    """Return the queries that together find a page, each with its statuses.

    The first filter that is narrow decides by which index. Jobs of several statuses are found by a
    query for each: SQLite would sort all that there are of them.
    """
    narrow = (
        (query.ids, QUERIES.jobs_of_ids),
        (query.parent_id, QUERIES.jobs_of_parent),
        (query.session_id, QUERIES.jobs_of_session),
    )
    broad = (
        (query.backend, QUERIES.jobs_of_backend),
        (query.submitter_id, QUERIES.jobs_of_submitter),
        (query.project_id, QUERIES.jobs),
    )
    find = next((find for given, find in narrow if given is not None), None)
    otherwise = next(find for given, find in broad if given is not None)
    if find is not None or query.statuses is None:
        return [(find or otherwise, query.statuses)]
    return [
        (otherwise if status == JobStatus.COMPLETED else QUERIES.jobs_of_status, (status,))
        for status in JobStatus
        if status in query.statuses
    ]
