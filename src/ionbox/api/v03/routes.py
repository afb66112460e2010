"""The endpoints of API v0.3. A handler translates; the core decides."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ionbox.api.endpoints import Endpoint, Query, json_response, openapi
from ionbox.api.jobs import (
    IDS_QUERY,
    LIST_QUERY,
    SHARPEN,
    BulkDone,
    Done,
    Ids,
    cancel_job,
    cancel_jobs,
    delete_job,
    delete_jobs,
    job_query,
    limit_of,
    results_response,
)
from ionbox.api.requests import (
    body_of,
    caller_of,
    context_of,
    durable,
    service_of,
    values_of,
)
from ionbox.api.v03 import wire
from ionbox.formats.ionq import CircuitInput
from ionbox.formats.results import probabilities_v1


async def submit_job(request: Request) -> Response:
    """POST /jobs."""
    caller = caller_of(request)
    submission = wire.read_submission(await body_of(request))
    with wire.in_its_words():
        submitting = service_of(request).submit_job(caller, submission)
    job = await durable(submitting)
    return json_response(wire.write_created(job))


async def list_jobs(request: Request) -> Response:
    """GET /jobs."""
    limit = limit_of(request)
    query = job_query(request, limit + 1, wire.STATUS_FROM_WIRE)
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
    return results_response(probabilities, probabilities_v1(probabilities))


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


_FIELDS_QUERY = (
    Query("include", list[str], "Only these fields."),
    Query("exclude", list[str], "All fields but these."),
)

ENDPOINTS = (
    Endpoint("POST", "/v0.3/jobs", submit_job, "Submit a job.", wire.JobCreated,
             body=wire.JobCreation, errors=(400, 413)),
    Endpoint("GET", "/v0.3/jobs", list_jobs, "List jobs, newest first.", wire.JobList,
             query=LIST_QUERY, errors=(400,)),
    Endpoint("DELETE", "/v0.3/jobs", delete_jobs, "Delete many jobs.", BulkDone,
             body=Ids, query=IDS_QUERY, errors=(400, 413)),
    Endpoint("PUT", "/v0.3/jobs/status/cancel", cancel_jobs, "Cancel many jobs.", BulkDone,
             body=Ids, errors=(400, 413)),
    Endpoint("GET", "/v0.3/jobs/{id}", get_job, "Get a job.", wire.JobBody,
             query=_FIELDS_QUERY, errors=(404,)),
    Endpoint("DELETE", "/v0.3/jobs/{id}", delete_job, "Delete a job and all its data.", Done,
             errors=(404,)),
    Endpoint("GET", "/v0.3/jobs/{id}/results", get_results, "Get a job's probabilities.",
             wire.Results, query=SHARPEN, errors=(404,)),
    Endpoint("PUT", "/v0.3/jobs/{id}/status/cancel", cancel_job, "Cancel a job.", Done,
             errors=(404,)),
    Endpoint("GET", "/v0.3/backends", list_backends, "List the backends.", list[wire.BackendBody],
             needs_key=False),
    Endpoint("GET", "/v0.3/backends/{backend}", get_backend, "Get a backend.", wire.BackendBody,
             needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.3/api-docs", get_api_docs, "Get this document.", dict[str, Any],
             needs_key=False),
)  # fmt: skip
