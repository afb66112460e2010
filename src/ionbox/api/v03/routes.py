"""The endpoints of API v0.3. A handler translates; the core decides."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ionbox.api.endpoints import Endpoint, Query, json_response, openapi
from ionbox.api.requests import (
    body_of,
    caller_of,
    context_of,
    decode_body,
    durable,
    integer_of,
    service_of,
    values_of,
)
from ionbox.api.v03 import wire
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.formats.ionq import CircuitInput
from ionbox.formats.results import probabilities_v1
from ionbox.service.ports import JobQuery

DEFAULT_LIMIT = 25
LIMITS = range(1, 1001)
# More outcomes than this are rendered outside the event loop.
_MANY_OUTCOMES = 4096

_ids = msgspec.json.Decoder(wire.Ids)


async def submit_job(request: Request) -> Response:
    """POST /jobs."""
    caller = caller_of(request)
    submission = wire.read_submission(await body_of(request))
    job = await durable(service_of(request).submit_job(caller, submission))
    return json_response(wire.write_created(job))


async def list_jobs(request: Request) -> Response:
    """GET /jobs."""
    limit = integer_of(request, "limit", default=DEFAULT_LIMIT, allowed=LIMITS)
    query = _query_of(request, limit + 1)
    jobs = await asyncio.to_thread(service_of(request).jobs, query)
    page = wire.JobList([wire.write_job(job) for job in jobs[:limit]])
    if len(jobs) > limit:
        page.next = page.jobs[-1].id
    return json_response(page)


async def get_job(request: Request) -> Response:
    """GET /jobs/{id}."""
    job = service_of(request).job(caller_of(request), request.path_params["id"])
    body = wire.write_job(job)
    include, exclude = values_of(request, "include"), values_of(request, "exclude")
    return json_response(body if include is exclude is None else _narrowed(body, include, exclude))


async def get_results(request: Request) -> Response:
    """GET /jobs/{id}/results."""
    service, caller = service_of(request), caller_of(request)
    probabilities = service.probabilities(caller, request.path_params["id"])
    chunks = probabilities_v1(probabilities)
    if len(probabilities.values) > _MANY_OUTCOMES:
        return StreamingResponse(chunks, media_type="application/json")
    return Response(b"".join(chunks), media_type="application/json")


async def cancel_job(request: Request) -> Response:
    """PUT /jobs/{id}/status/cancel."""
    job_id = request.path_params["id"]
    canceling = service_of(request).cancel_jobs(caller_of(request), [job_id])
    if not await durable(canceling):
        raise NotFoundError("job", job_id)
    return json_response(wire.Done(job_id, "canceled"))


async def cancel_jobs(request: Request) -> Response:
    """PUT /jobs/status/cancel."""
    caller = caller_of(request)
    ids = decode_body(await body_of(request), _ids).ids
    canceled = await durable(service_of(request).cancel_jobs(caller, ids))
    return json_response(wire.BulkDone(canceled, "canceled"))


async def delete_job(request: Request) -> Response:
    """DELETE /jobs/{id}."""
    job_id = request.path_params["id"]
    deleting = service_of(request).delete_jobs(caller_of(request), [job_id])
    if not await durable(deleting):
        raise NotFoundError("job", job_id)
    return json_response(wire.Done(job_id, "deleted"))


async def delete_jobs(request: Request) -> Response:
    """DELETE /jobs, with the ids in the body or in the query."""
    caller = caller_of(request)
    body = await body_of(request)
    ids = decode_body(body, _ids).ids if body else values_of(request, "ids", "id")
    if ids is None:
        raise InvalidInputError("ids", "missing; send them in the body or in the query")
    deleted = await durable(service_of(request).delete_jobs(caller, ids))
    return json_response(wire.BulkDone(deleted, "deleted"))


async def list_backends(request: Request) -> Response:
    """GET /backends."""
    started_at = context_of(request).started_at
    backends = service_of(request).backends()
    return json_response([wire.write_backend(backend, started_at) for backend in backends])


async def get_backend(request: Request) -> Response:
    """GET /backends/{backend}."""
    backend = service_of(request).backend(request.path_params["backend"])
    return json_response(wire.write_backend(backend, context_of(request).started_at))


async def get_api_docs(_: Request) -> Response:
    """GET /api-docs."""
    return JSONResponse(
        openapi(ENDPOINTS, title="ionbox, API v0.3", version="0.3", also=(CircuitInput,))
    )


def _query_of(request: Request, limit: int) -> JobQuery:
    caller = caller_of(request)
    statuses = values_of(request, "status")
    project_ids = values_of(request, "project_id")
    if project_ids is not None and caller.project_id not in project_ids:
        statuses = ()  # another project's jobs are not this caller's to see
    return JobQuery(
        project_id=caller.project_id,
        limit=limit,
        ids=values_of(request, "id", "ids"),
        # A status that does not exist matches nothing; ignoring the filter would be dangerous:
        # clients cancel whatever the list returns.
        statuses=statuses and tuple(wire.STATUS_FROM_WIRE.get(s, "") for s in statuses),
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


def _narrowed(
    body: wire.JobBody, include: tuple[str, ...] | None, exclude: tuple[str, ...] | None
) -> dict[str, Any]:
    """Return a job with the fields that were asked for."""
    fields: dict[str, Any] = msgspec.to_builtins(body)
    return {
        name: value
        for name, value in fields.items()
        if (include is None or name in include) and name not in (exclude or ())
    }


_LIST_QUERY = (
    Query("id", list[str], "Only these jobs; also `id[]`, `ids`, `ids[]`, or separated by commas."),
    Query("status", str, "Only jobs of this status; an unknown one matches none."),
    Query("target", str, "Only jobs of this backend."),
    Query("submitter_id", str, "Only jobs of this submitter."),
    Query("project_id", str, "Only jobs of this project."),
    Query("limit", int, f"1 to {LIMITS[-1]} jobs a page; {DEFAULT_LIMIT} by default."),
    Query("next", str, "The `next` of the page before."),
)
_FIELDS_QUERY = (
    Query("include", list[str], "Only these fields."),
    Query("exclude", list[str], "All fields but these."),
)
_SHARPEN = (Query("sharpen", bool, "Accepted; it concerns debiased jobs only."),)
_IDS_QUERY = (Query("ids", list[str], "The jobs, where the request has no body."),)

ENDPOINTS = (
    Endpoint("POST", "/v0.3/jobs", submit_job, "Submit a job.", wire.JobCreated,
             body=wire.JobCreation, errors=(400, 413)),
    Endpoint("GET", "/v0.3/jobs", list_jobs, "List jobs, newest first.", wire.JobList,
             query=_LIST_QUERY, errors=(400,)),
    Endpoint("DELETE", "/v0.3/jobs", delete_jobs, "Delete many jobs.", wire.BulkDone,
             body=wire.Ids, query=_IDS_QUERY, errors=(400, 413)),
    Endpoint("PUT", "/v0.3/jobs/status/cancel", cancel_jobs, "Cancel many jobs.", wire.BulkDone,
             body=wire.Ids, errors=(400, 413)),
    Endpoint("GET", "/v0.3/jobs/{id}", get_job, "Get a job.", wire.JobBody,
             query=_FIELDS_QUERY, errors=(404,)),
    Endpoint("DELETE", "/v0.3/jobs/{id}", delete_job, "Delete a job and all its data.", wire.Done,
             errors=(404,)),
    Endpoint("GET", "/v0.3/jobs/{id}/results", get_results, "Get a job's probabilities.",
             wire.Results, query=_SHARPEN, errors=(404,)),
    Endpoint("PUT", "/v0.3/jobs/{id}/status/cancel", cancel_job, "Cancel a job.", wire.Done,
             errors=(404,)),
    Endpoint("GET", "/v0.3/backends", list_backends, "List the backends.", list[wire.BackendBody],
             needs_key=False),
    Endpoint("GET", "/v0.3/backends/{backend}", get_backend, "Get a backend.", wire.BackendBody,
             needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.3/api-docs", get_api_docs, "Get this document.", dict[str, Any],
             needs_key=False),
)  # fmt: skip
