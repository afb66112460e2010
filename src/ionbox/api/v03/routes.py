"""The endpoints of API v0.3. A handler translates; the core decides."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ionbox.api.endpoints import Endpoint, Link, Query, json_response
from ionbox.api.idempotency import created_response, once_of
from ionbox.api.jobs import (
    IDS_QUERY,
    LIST_QUERY,
    BulkDone,
    Done,
    Ids,
    cancel_job,
    cancel_jobs,
    delete_job,
    delete_jobs,
    job_query,
    limit_of,
    submitted,
)
from ionbox.api.openapi import DOCUMENT, openapi
from ionbox.api.requests import body_of, caller_of, service_of, values_of
from ionbox.api.results import PROBABILITIES, SHARPEN, job_of, probabilities_response
from ionbox.api.submissions import ERRORS, HEADERS
from ionbox.api.v03 import backends, examples, report, wire
from ionbox.api.waiting import PREFER, held, preference_applied


async def submit_job(request: Request) -> Response:
    """POST /jobs."""
    caller = caller_of(request)
    body = await body_of(request)
    submission, once = wire.read_submission(body), once_of(request, body)
    with wire.in_its_words():
        job, is_repeat = await submitted(request, caller, submission, once)
    answer = created_response(wire.write_created(job), is_repeat=is_repeat, status=200)
    return preference_applied(request, answer)


async def list_jobs(request: Request) -> Response:
    """GET /jobs."""
    caller_of(request)
    limit = limit_of(request)
    query = job_query(request, limit + 1, wire.STATUS_FROM_WIRE)
    jobs = await asyncio.to_thread(service_of(request).jobs.jobs, query)
    page = wire.JobList([wire.write_job(job) for job in jobs[:limit]])
    if len(jobs) > limit:
        page.next = page.jobs[-1].id
    return json_response(page)


async def get_job(request: Request) -> Response:
    """GET /jobs/{id}."""
    job = job_of(request)
    child_ids = service_of(request).jobs.child_ids(job) if job.is_parent else None
    body = wire.write_job(job, child_ids)
    include, exclude = values_of(request, "include"), values_of(request, "exclude")
    return json_response(body if include is exclude is None else _narrowed(body, include, exclude))


async def get_results(request: Request) -> Response:
    """GET /jobs/{id}/results."""
    return await probabilities_response(request)


async def get_api_docs(_: Request) -> Response:
    """GET /api-docs."""
    return JSONResponse(
        openapi(ENDPOINTS, title="ionbox, API v0.3", version="0.3", also=(wire.JobFields,))
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

_JOB = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Job", "JobFields")]}
_JOB_LINKS = (
    Link("/v0.3/jobs/{id}", {"id": "$response.body#/id"}),
    Link("/v0.3/jobs/status/cancel", body={"ids": ["$response.body#/id"]}, method="PUT"),
    Link("/v0.3/jobs", body={"ids": ["$response.body#/id"]}, method="DELETE"),
)

ENDPOINTS = (
    Endpoint("POST", "/v0.3/jobs", submit_job, "Submit a job.", wire.JobCreated,
             body=wire.JobCreation, headers=(*HEADERS, PREFER), errors=ERRORS,
             examples=examples.SUBMISSIONS, links=_JOB_LINKS),
    Endpoint("GET", "/v0.3/jobs", list_jobs, "List jobs, newest first.", wire.JobList,
             query=LIST_QUERY, errors=(400,)),
    Endpoint("DELETE", "/v0.3/jobs", delete_jobs, "Delete many jobs.", BulkDone,
             body=Ids, query=IDS_QUERY, errors=(400, 413), needs_body=False),
    Endpoint("PUT", "/v0.3/jobs/status/cancel", cancel_jobs, "Cancel many jobs.", BulkDone,
             body=Ids, errors=(400, 413)),
    Endpoint("GET", "/v0.3/jobs/{id}", held(get_job), "Get a job.", _JOB,
             query=_FIELDS_QUERY, headers=(PREFER,), errors=(404,)),
    Endpoint("DELETE", "/v0.3/jobs/{id}", delete_job, "Delete a job and all its data.", Done,
             errors=(404,)),
    Endpoint("GET", "/v0.3/jobs/{id}/results", held(get_results),
             "Get a job's probabilities.", PROBABILITIES, query=(SHARPEN,),
             headers=(PREFER,), errors=(400, 404)),
    Endpoint("PUT", "/v0.3/jobs/{id}/status/cancel", cancel_job, "Cancel a job.", Done,
             errors=(404,)),
    *backends.ENDPOINTS,
    *report.ENDPOINTS,
    Endpoint("GET", "/v0.3/api-docs", get_api_docs, "Get this document.", DOCUMENT,
             needs_key=False),
)  # fmt: skip
