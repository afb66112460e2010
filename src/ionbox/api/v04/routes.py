"""The endpoints of API v0.4. A handler translates; the core decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

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
from ionbox.api.requests import body_of, caller_of, context_of, durable, service_of
from ionbox.api.v04 import wire
from ionbox.errors import NotFoundError
from ionbox.formats.ionq import CircuitInput
from ionbox.formats.results import Probabilities, probabilities_v1, probabilities_v2

_RENDERERS: Mapping[str, Callable[[Probabilities], Iterator[bytes]]] = {
    "ionq.result.probabilities.json.v1": probabilities_v1,
    "ionq.result.probabilities.json.v2": probabilities_v2,
}


async def submit_job(request: Request) -> Response:
    """POST /jobs."""
    caller = caller_of(request)
    submission = wire.read_submission(await body_of(request))
    job = await durable(service_of(request).submit_job(caller, submission))
    return json_response(wire.write_created(job), status=201)


async def list_jobs(request: Request) -> Response:
    """GET /jobs."""
    limit = limit_of(request)
    query = job_query(request, limit + 1, wire.STATUSES)
    jobs = await asyncio.to_thread(service_of(request).jobs, query)
    page = wire.JobList([wire.write_job(job) for job in jobs[:limit]])
    if len(jobs) > limit:
        page.next = page.jobs[-1].id
    elif not _is_cirq(request):
        page.next = None
    return json_response(page)


async def get_job(request: Request) -> Response:
    """GET /jobs/{id}."""
    job = service_of(request).job(caller_of(request), request.path_params["id"])
    return json_response(wire.write_job(job))


async def get_cost(request: Request) -> Response:
    """GET /jobs/{id}/cost."""
    service_of(request).job(caller_of(request), request.path_params["id"])
    return json_response(wire.Cost(dry_run=False, cost=wire.Amount(0.0, "usd")))


async def get_probabilities(request: Request) -> Response:
    """GET /jobs/{id}/results/probabilities."""
    probabilities = _probabilities_of(request)
    return results_response(probabilities, probabilities_v1(probabilities))


async def get_artifact(request: Request) -> Response:
    """GET /jobs/{id}/artifacts/{artifact}."""
    artifact = request.path_params["artifact"]
    probabilities = _probabilities_of(request)
    if artifact not in wire.ARTIFACTS:
        raise NotFoundError("artifact", artifact, known=tuple(wire.ARTIFACTS))
    render = _RENDERERS[wire.ARTIFACTS[artifact]]
    return results_response(probabilities, render(probabilities))


async def list_backends(request: Request) -> Response:
    """GET /backends."""
    started_at = context_of(request).started_at
    backends = service_of(request).backends()
    return json_response([wire.write_backend(backend, started_at) for backend in backends])


async def get_backend(request: Request) -> Response:
    """GET /backends/{backend}."""
    backend = service_of(request).backend(request.path_params["backend"])
    return json_response(wire.write_backend(backend, context_of(request).started_at))


async def list_characterizations(request: Request) -> Response:
    """GET /backends/{backend}/characterizations."""
    service_of(request).backend(request.path_params["backend"])
    return json_response(wire.Characterizations([], 0))


async def whoami(request: Request) -> Response:
    """GET /whoami."""
    return json_response(wire.write_whoami(service_of(request).key(caller_of(request))))


async def get_api_docs(_: Request) -> Response:
    """GET /api-docs."""
    return JSONResponse(
        openapi(ENDPOINTS, title="ionbox, API v0.4", version="0.4", also=(CircuitInput,))
    )


def _probabilities_of(request: Request) -> Probabilities:
    return service_of(request).probabilities(caller_of(request), request.path_params["id"])


def _is_cirq(request: Request) -> bool:
    """cirq-ionq stops only where `next` is absent; ionq-core fails where it is."""
    return request.headers.get("user-agent", "").startswith("cirq/") or (
        request.headers.get("content-length", "0") != "0"
    )


_PAGING = (
    Query("limit", int, "1 to 10 records a page."),
    Query("page", int, "1 and more."),
    Query("start", str, "From when on."),
    Query("end", str, "Until when."),
)

ENDPOINTS = (
    Endpoint("GET", "/v0.4/whoami", whoami, "Get who a key belongs to.", wire.Whoami),
    Endpoint("GET", "/v0.4/backends", list_backends, "List the backends.", list[wire.BackendBody],
             needs_key=False),
    Endpoint("GET", "/v0.4/backends/{backend}", get_backend, "Get a backend.", wire.BackendBody,
             needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.4/backends/{backend}/characterizations", list_characterizations,
             "List what was measured of a backend.", wire.Characterizations, query=_PAGING,
             needs_key=False, errors=(404,)),
    Endpoint("POST", "/v0.4/jobs", submit_job, "Submit a job.", wire.JobCreated,
             body=wire.JobCreation, success=201, errors=(400, 413)),
    Endpoint("GET", "/v0.4/jobs", list_jobs, "List jobs, newest first.", wire.JobList,
             query=LIST_QUERY, errors=(400,)),
    Endpoint("DELETE", "/v0.4/jobs", delete_jobs, "Delete many jobs.", BulkDone,
             body=Ids, query=IDS_QUERY, errors=(400, 413)),
    Endpoint("PUT", "/v0.4/jobs/status/cancel", cancel_jobs, "Cancel many jobs.", BulkDone,
             body=Ids, errors=(400, 413)),
    Endpoint("GET", "/v0.4/jobs/{id}", get_job, "Get a job.", wire.JobBody, errors=(404,)),
    Endpoint("DELETE", "/v0.4/jobs/{id}", delete_job, "Delete a job and all its data.", Done,
             errors=(404,)),
    Endpoint("PUT", "/v0.4/jobs/{id}/status/cancel", cancel_job, "Cancel a job.", Done,
             errors=(404,)),
    Endpoint("GET", "/v0.4/jobs/{id}/cost", get_cost, "Get what a job cost.", wire.Cost,
             errors=(404,)),
    Endpoint("GET", "/v0.4/jobs/{id}/results/probabilities", get_probabilities,
             "Get a job's probabilities.", dict[str, float], query=SHARPEN, errors=(404,)),
    Endpoint("GET", "/v0.4/jobs/{id}/artifacts/{artifact}", get_artifact,
             "Get a result in the format of an artifact.", dict[str, Any], errors=(404,)),
    Endpoint("GET", "/v0.4/api-docs", get_api_docs, "Get this document.", dict[str, Any],
             needs_key=False),
)  # fmt: skip
