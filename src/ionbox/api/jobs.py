"""What the faces do and write alike of jobs: find, cancel, delete, and send results."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ionbox.api.endpoints import Query, json_response
from ionbox.api.requests import (
    body_of,
    caller_of,
    decode_body,
    durable,
    integer_of,
    service_of,
    values_of,
)
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.formats.results import Probabilities
from ionbox.service.ports import JobQuery

MAX_IDS = 1000
DEFAULT_LIMIT = 25
LIMITS = range(1, 1001)
# More outcomes than this are rendered outside the event loop.
_MANY_OUTCOMES = 4096


class GateCounts(msgspec.Struct):
    """Operations on one qubit, and on two or more."""

    one_qubit: int = msgspec.field(name="1q")
    two_qubit: int = msgspec.field(name="2q")


class Warnings(msgspec.Struct):
    """What the caller should know about the outcome."""

    messages: list[str]


class Noise(msgspec.Struct):
    """The noise model of a job, and the seed of its sampling."""

    model: str
    seed: int


class Done(msgspec.Struct):
    """The answer to canceling or deleting one job."""

    id: str
    status: str


class Ids(msgspec.Struct):
    """Which jobs."""

    ids: Annotated[list[str], msgspec.Meta(max_length=MAX_IDS)]


class BulkDone(msgspec.Struct):
    """The answer to canceling or deleting many jobs: those that were found."""

    ids: list[str]
    status: str


_ids = msgspec.json.Decoder(Ids)


async def cancel_job(request: Request) -> Response:
    """PUT /jobs/{id}/status/cancel."""
    job_id = request.path_params["id"]
    if not await durable(service_of(request).cancel_jobs(caller_of(request), [job_id])):
        raise NotFoundError("job", job_id)
    return json_response(Done(job_id, "canceled"))


async def cancel_jobs(request: Request) -> Response:
    """PUT /jobs/status/cancel."""
    caller = caller_of(request)
    ids = decode_body(await body_of(request), _ids).ids
    canceled = await durable(service_of(request).cancel_jobs(caller, ids))
    return json_response(BulkDone(canceled, "canceled"))


async def delete_job(request: Request) -> Response:
    """DELETE /jobs/{id}."""
    job_id = request.path_params["id"]
    if not await durable(service_of(request).delete_jobs(caller_of(request), [job_id])):
        raise NotFoundError("job", job_id)
    return json_response(Done(job_id, "deleted"))


async def delete_jobs(request: Request) -> Response:
    """DELETE /jobs, with the ids in the body or in the query."""
    caller = caller_of(request)
    body = await body_of(request)
    ids = decode_body(body, _ids).ids if body else values_of(request, "ids", "id")
    if ids is None:
        raise InvalidInputError("ids", "missing; send them in the body or in the query")
    deleted = await durable(service_of(request).delete_jobs(caller, ids))
    return json_response(BulkDone(deleted, "deleted"))


def limit_of(request: Request) -> int:
    """Return how many jobs a page is to hold."""
    return integer_of(request, "limit", default=DEFAULT_LIMIT, allowed=LIMITS)


def job_query(request: Request, limit: int, statuses: Mapping[str, str]) -> JobQuery:
    """Return which jobs a request lists.

    Args:
        limit: How many; one more than a page holds tells whether there is another page.
        statuses: A face's word for each status → ours.
    """
    caller = caller_of(request)
    given = values_of(request, "status")
    project_ids = values_of(request, "project_id")
    if project_ids is not None and caller.project_id not in project_ids:
        given = ()  # another project's jobs are not this caller's to see
    return JobQuery(
        project_id=caller.project_id,
        limit=limit,
        ids=values_of(request, "id", "ids"),
        # A status that does not exist matches nothing; ignoring the filter would be dangerous:
        # clients cancel whatever the list returns.
        statuses=given and tuple(statuses.get(status, "") for status in given),
        backend=request.query_params.get("target"),
        submitter_id=request.query_params.get("submitter_id"),
        before=_cursor_of(request),
    )


def _cursor_of(request: Request) -> str | None:
    """Return the `next` of the page before; it is opaque to clients, and an id to us."""
    text = request.query_params.get("next")
    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        message = f"'{text}' is not the 'next' of a page"
        raise InvalidInputError("next", message, source="query") from error


def results_response(probabilities: Probabilities, chunks: Iterator[bytes]) -> Response:
    """Send rendered probabilities, many of them in a thread of their own."""
    if len(probabilities.values) > _MANY_OUTCOMES:
        return StreamingResponse(chunks, media_type="application/json")
    return Response(b"".join(chunks), media_type="application/json")


LIST_QUERY = (
    Query("id", list[str], "Only these jobs; also `id[]`, `ids`, `ids[]`, or separated by commas."),
    Query("status", str, "Only jobs of this status; an unknown one matches none."),
    Query("target", str, "Only jobs of this backend."),
    Query("submitter_id", str, "Only jobs of this submitter."),
    Query("project_id", str, "Only jobs of this project."),
    Query("limit", int, f"1 to {LIMITS[-1]} jobs a page; {DEFAULT_LIMIT} by default."),
    Query("next", str, "The `next` of the page before."),
)
IDS_QUERY = (Query("ids", list[str], "The jobs, where the request has no body."),)
SHARPEN = (Query("sharpen", bool, "Accepted; it concerns debiased jobs only."),)
