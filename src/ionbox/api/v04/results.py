"""Results, artifacts and the schemas of their formats, at the paths of API v0.4."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, Query, json_response
from ionbox.api.jobs import SHARPEN
from ionbox.api.requests import caller_of
from ionbox.api.results import (
    AGGREGATE,
    ARTIFACT,
    PROBABILITIES,
    aggregate_response,
    artifact_id,
    artifact_response,
    job_of,
    probabilities_response,
    result_of,
    schema_of,
)
from ionbox.errors import NotFoundError
from ionbox.formats.schemas import NATIVE_CIRCUIT, SCHEMAS

_LANGUAGES = ("native", "qasm3")


async def get_probabilities(request: Request) -> Response:
    """GET /jobs/{id}/results/probabilities."""
    return await probabilities_response(request)


async def get_aggregated(request: Request) -> Response:
    """GET /jobs/{id}/results/probabilities/aggregated."""
    return await aggregate_response(request, job_of(request))


async def get_histogram(request: Request) -> Response:
    """GET /jobs/{id}/results/histogram."""
    return _of_single(request, "histogram")


async def get_shots(request: Request) -> Response:
    """GET /jobs/{id}/results/shots."""
    return _of_single(request, "shots")


async def get_artifact(request: Request) -> Response:
    """GET /jobs/{id}/artifacts/{artifact}."""
    artifact, job = request.path_params["artifact"], job_of(request)
    if job.is_parent and artifact == artifact_id(AGGREGATE):
        return await aggregate_response(request, job)
    return _of_single(request, artifact)


def _of_single(request: Request, artifact: str) -> Response:
    """Send an artifact of a job that is no parent."""
    job = job_of(request)
    if job.is_parent:
        raise NotFoundError("artifact", artifact, known=(artifact_id(AGGREGATE),))
    return artifact_response(result_of(request, job), artifact)


async def get_variant_results(request: Request) -> Response:
    """GET /jobs/{id}/variants/{variant}/results/{kind}; without debiasing there are none."""
    job_of(request)
    raise NotFoundError("variant", request.path_params["variant"])


async def get_compiled_circuit(request: Request) -> Response:
    """GET /jobs/{id}/circuits/{language}; nothing is compiled yet."""
    job, language = job_of(request), request.path_params["language"]
    if language not in _LANGUAGES:
        raise NotFoundError("language", language, known=_LANGUAGES)
    raise NotFoundError("compiled circuit of job", job.id)


async def get_schema(request: Request) -> Response:
    """GET /schemas/formats/{format}."""
    caller_of(request)
    name = request.path_params["format"]
    if name not in SCHEMAS:
        raise NotFoundError("format", name, known=tuple(SCHEMAS))
    return json_response(SCHEMAS[name])


_AGGREGATION = (
    *SHARPEN,
    Query("aggregation", str, "Accepted, as sharpen: average, voting or dnl."),
)
_JOB = "/v0.4/jobs/{id}"

ENDPOINTS = (
    Endpoint("GET", f"{_JOB}/results/probabilities", get_probabilities,
             "Get a job's probabilities; of many circuits, those of each.", PROBABILITIES,
             query=_AGGREGATION, errors=(404,)),
    Endpoint("GET", f"{_JOB}/results/probabilities/aggregated", get_aggregated,
             "Get the probabilities of each circuit of many.", schema_of(AGGREGATE.id),
             query=_AGGREGATION, errors=(404,)),
    Endpoint("GET", f"{_JOB}/results/histogram", get_histogram,
             "Get how many shots gave each outcome.",
             schema_of("ionq.result.histogram.json.v1"), query=_AGGREGATION,
             errors=(404,)),
    Endpoint("GET", f"{_JOB}/results/shots", get_shots, "Get the outcome of each shot, in order.",
             schema_of("ionq.result.shots.json.v1"), query=_AGGREGATION, errors=(404,)),
    Endpoint("GET", f"{_JOB}/artifacts/{{artifact}}", get_artifact,
             "Get a result in the format of an artifact.", ARTIFACT,
             errors=(404,)),
    Endpoint("GET", f"{_JOB}/variants/{{variant}}/results/{{kind}}", get_variant_results,
             "Get the results of a variant of a debiased job.", PROBABILITIES, errors=(404,)),
    Endpoint("GET", f"{_JOB}/circuits/{{language}}", get_compiled_circuit,
             "Get a job's compiled circuit.", schema_of(NATIVE_CIRCUIT), errors=(404,)),
    Endpoint("GET", "/v0.4/schemas/formats/{format}", get_schema, "Get the schema of a format.",
             {"type": "object", "required": ["$schema", "$id"]}, errors=(404,)),
)  # fmt: skip
