"""The endpoints of API v0.4. A handler translates; the core decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ionbox.api.endpoints import Endpoint, Link, json_response
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
from ionbox.api.requests import body_of, caller_of, durable, service_of, urgency_of
from ionbox.api.results import job_of, result_of
from ionbox.api.submissions import ERRORS, HEADERS
from ionbox.api.v04 import accounts, backends, examples, results, sessions, wire
from ionbox.api.v04.output import ArtifactBody, output_of
from ionbox.api.waiting import PREFER, held, preference_applied, preferred_wait
from ionbox.formats.results import Expectation
from ionbox.jobs.job import JobStatus
from ionbox.service.access import Caller
from ionbox.service.ports import Inserted, JobQuery, Once
from ionbox.service.submission import Overrides


async def submit_job(request: Request) -> Response:
    """POST /jobs."""
    caller = caller_of(request)
    body = await body_of(request)
    submission, once = wire.read_submission(body), once_of(request, body)
    job, is_repeat = await submitted(request, caller, submission, once)
    created = wire.write_created(job, is_awaited=preferred_wait(request) is not None)
    answer = created_response(created, is_repeat=is_repeat, status=201)
    return preference_applied(request, answer)


async def clone_job(request: Request) -> Response:
    """POST /jobs/{id}/clone."""
    return await _resubmitted(request, service_of(request).jobs.clone)


async def move_job(request: Request) -> Response:
    """POST /jobs/{id}/move."""
    return await _resubmitted(request, service_of(request).jobs.move)


async def _resubmitted(
    request: Request,
    resubmit: Callable[[Caller, str, Overrides, Once | None], Future[Inserted]],
) -> Response:
    caller, job_id = caller_of(request), request.path_params["id"]
    body = await body_of(request)
    overrides = replace(wire.read_overrides(body), urgency=urgency_of(request))
    once = once_of(request, body)
    submitting = await asyncio.to_thread(resubmit, caller, job_id, overrides, once)
    made = await durable(submitting)
    return created_response(wire.write_created(made.job), is_repeat=made.is_repeat, status=201)


async def list_jobs(request: Request) -> Response:
    """GET /jobs."""
    return await _page(request, lambda query: query)


async def list_session_jobs(request: Request) -> Response:
    """GET /sessions/{session_id}/jobs."""
    session_id = request.path_params["session_id"]
    service_of(request).sessions.session(caller_of(request), session_id)
    return await _page(request, lambda query: replace(query, session_id=session_id))


async def _page(request: Request, narrow: Callable[[JobQuery], JobQuery]) -> Response:
    caller_of(request)
    limit = limit_of(request)
    query = narrow(job_query(request, limit + 1, wire.STATUSES))
    jobs = await asyncio.to_thread(service_of(request).jobs.jobs, query)
    page = wire.JobList([wire.write_job(job) for job in jobs[:limit]])
    if len(jobs) > limit:
        page.next = page.jobs[-1].id
    elif not _is_cirq(request):
        page.next = None
    return json_response(page)


async def get_job(request: Request) -> Response:
    """GET /jobs/{id}."""
    job = job_of(request)
    if job.is_parent:
        return json_response(wire.write_job(job, service_of(request).jobs.child_ids(job)))
    if job.job_type == wire.FUNCTION and job.status is JobStatus.COMPLETED and not job.is_dry_run:
        value = result_of(request, job)
        return json_response(wire.write_job(job, value=cast(Expectation, value)))
    return json_response(wire.write_job(job, output=output_of(request, job)))


async def get_cost(request: Request) -> Response:
    """GET /jobs/{id}/cost."""
    return json_response(wire.write_cost(job_of(request), service_of(request).catalog.currency))


async def get_api_docs(_: Request) -> Response:
    """GET /api-docs."""
    return JSONResponse(openapi(ENDPOINTS, title="ionbox, API v0.4", version="0.4", also=_SHOWN))


def _is_cirq(request: Request) -> bool:
    """cirq-ionq stops only where `next` is absent; ionq-core fails where it is."""
    return request.headers.get("user-agent", "").startswith("cirq/") or (
        request.headers.get("content-length", "0") != "0"
    )


# What the bodies refer to by name.
_SHOWN = (ArtifactBody, wire.Value)

_JOB = Link("/v0.4/jobs/{id}", {"id": "$response.body#/id"})
_JOB_LINKS = (
    _JOB,
    Link("/v0.4/jobs/status/cancel", body={"ids": ["$response.body#/id"]}, method="PUT"),
    Link("/v0.4/jobs", body={"ids": ["$response.body#/id"]}, method="DELETE"),
)

ENDPOINTS = (
    *accounts.ENDPOINTS,
    *backends.ENDPOINTS,
    Endpoint("POST", "/v0.4/jobs", submit_job, "Submit a job.", wire.JobCreated,
             body=wire.JobCreation, headers=(*HEADERS, PREFER), success=201, errors=ERRORS,
             examples=examples.SUBMISSIONS, links=_JOB_LINKS),
    Endpoint("GET", "/v0.4/jobs", list_jobs, "List jobs, newest first.", wire.JobList,
             query=LIST_QUERY, errors=(400,)),
    Endpoint("DELETE", "/v0.4/jobs", delete_jobs, "Delete many jobs.", BulkDone,
             body=Ids, query=IDS_QUERY, errors=(400, 413), needs_body=False),
    Endpoint("PUT", "/v0.4/jobs/status/cancel", cancel_jobs, "Cancel many jobs.", BulkDone,
             body=Ids, errors=(400, 413)),
    Endpoint("GET", "/v0.4/jobs/{id}", held(get_job), "Get a job.", wire.JobBody,
             headers=(PREFER,), errors=(404,)),
    Endpoint("DELETE", "/v0.4/jobs/{id}", delete_job, "Delete a job and all its data.", Done,
             errors=(404,)),
    Endpoint("PUT", "/v0.4/jobs/{id}/status/cancel", cancel_job, "Cancel a job.", Done,
             errors=(404,)),
    Endpoint("GET", "/v0.4/jobs/{id}/cost", get_cost, "Get what a job cost.", wire.Cost,
             errors=(404,)),
    Endpoint("POST", "/v0.4/jobs/{id}/clone", clone_job, "Submit a job once more.",
             wire.JobCreated, body=wire.CloneRequest, headers=HEADERS, needs_body=False,
             success=201, errors=(404, *ERRORS),
             examples=examples.CLONES, links=(_JOB,)),
    Endpoint("POST", "/v0.4/jobs/{id}/move", move_job,
             "Submit a job once more, and cancel the original.", wire.JobCreated,
             body=wire.CloneRequest, headers=HEADERS, needs_body=False,
             success=201, errors=(404, *ERRORS),
             examples=examples.CLONES, links=(_JOB,)),
    *results.ENDPOINTS,
    *sessions.ENDPOINTS,
    Endpoint("GET", "/v0.4/sessions/{session_id}/jobs", list_session_jobs,
             "List the jobs of a session, newest first.", wire.JobList,
             query=LIST_QUERY, errors=(400, 404)),
    Endpoint("GET", "/v0.4/api-docs", get_api_docs, "Get this document.", DOCUMENT,
             needs_key=False),
)  # fmt: skip
