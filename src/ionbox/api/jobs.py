"""What the faces do and write alike of jobs: find, cancel, delete, and send results."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Query, Uuid, json_response, within
from ionbox.api.requests import (
    body_of,
    caller_of,
    decode_body,
    durable,
    integer_of,
    service_of,
    urgency_of,
    values_of,
)
from ionbox.api.waiting import ended, preferred_wait
from ionbox.backends.noise import IDEAL
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.jobs.job import Job
from ionbox.service.access import Caller
from ionbox.service.ports import Inserted, JobQuery, Once
from ionbox.service.submission import Submission

MAX_IDS = 1000
DEFAULT_LIMIT = 25
LIMITS = range(1, 1001)
# An input longer than this may hold thousands of circuits, each the record of a job to make; or,
# with noise, gates enough for planning to take long.
_LONG_BYTES, _LONG_NOISY_BYTES = 16 * 1024, 2 * 1024


class GateCounts(msgspec.Struct):
    """Operations on one qubit, and on two or more."""

    one_qubit: int = msgspec.field(name="1q")
    two_qubit: int = msgspec.field(name="2q")


class Warnings(msgspec.Struct):
    """What the caller should know about the outcome."""

    messages: list[str]


class Noise(msgspec.Struct):
    """The noise model of a job, and the seed of its sampling.

    Args:
        model: Null on a device: clients know some models, of the simulator, and read no other.
    """

    model: str | None
    seed: int


def noise_of(job: Job) -> Noise:
    """Return the noise of a job as both versions write it."""
    return Noise(None if job.is_on_device else job.noise_model, job.seed)


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


async def submitted(
    request: Request, caller: Caller, submission: Submission, once: Once | None
) -> Inserted:
    """Submit a job, many circuits outside the event loop, and return it once it is durable.

    Where the request prefers to wait, it is returned once it has ended.
    """
    jobs = service_of(request).jobs
    urgency = urgency_of(request)
    if urgency is not None:
        submission = replace(submission, urgency=urgency)
    is_ideal = submission.noise_model == IDEAL
    if len(submission.data) <= (_LONG_BYTES if is_ideal else _LONG_NOISY_BYTES):
        made = await durable(jobs.submit(caller, submission, once))
    else:
        made = await durable(await asyncio.to_thread(jobs.submit, caller, submission, once))
    if preferred_wait(request) is None:
        return made
    return made._replace(job=await ended(request, made.job.id))


async def cancel_job(request: Request) -> Response:
    """PUT /jobs/{id}/status/cancel."""
    job_id = request.path_params["id"]
    if not await durable(service_of(request).jobs.cancel(caller_of(request), [job_id])):
        raise NotFoundError("job", job_id)
    return json_response(Done(job_id, "canceled"))


async def cancel_jobs(request: Request) -> Response:
    """PUT /jobs/status/cancel."""
    caller = caller_of(request)
    ids = decode_body(await body_of(request), _ids).ids
    canceled = await durable(service_of(request).jobs.cancel(caller, ids))
    return json_response(BulkDone(canceled, "canceled"))


async def delete_job(request: Request) -> Response:
    """DELETE /jobs/{id}."""
    job_id = request.path_params["id"]
    if not await durable(service_of(request).jobs.delete(caller_of(request), [job_id])):
        raise NotFoundError("job", job_id)
    return json_response(Done(job_id, "deleted"))


async def delete_jobs(request: Request) -> Response:
    """DELETE /jobs, with the ids in the body or in the query."""
    caller = caller_of(request)
    body = await body_of(request)
    ids = decode_body(body, _ids).ids if body else values_of(request, "ids", "id")
    if ids is None:
        raise InvalidInputError("ids", "missing; send them in the body or in the query")
    deleted = await durable(service_of(request).jobs.delete(caller, ids))
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
        parent_id=request.query_params.get("parent_job_id"),
        session_id=request.query_params.get("session_id"),
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


LIST_QUERY = (
    Query("id", list[str], "Only these jobs; also `id[]`, `ids`, `ids[]`, or separated by commas."),
    Query("status", str, "Only jobs of this status; an unknown one matches none."),
    Query("target", str, "Only jobs of this backend."),
    Query("submitter_id", str, "Only jobs of this submitter."),
    Query("parent_job_id", str, "Only the children of this job; else children are left out."),
    Query("session_id", str, "Only jobs of this session."),
    Query("project_id", str, "Only jobs of this project."),
    Query(
        "limit",
        Annotated[int, within(LIMITS)],
        f"How many jobs a page; {DEFAULT_LIMIT} by default.",
    ),
    Query("next", Uuid, "The `next` of the page before."),
)
IDS_QUERY = (Query("ids", list[str], "The jobs, where the request has no body."),)
