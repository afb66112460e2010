"""Results, artifacts and the schemas of their formats, at the paths of API v0.4."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.artifacts import artifact_id
from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import caller_of
from ionbox.api.results import (
    AGGREGATE,
    AGGREGATION,
    ARTIFACT,
    PROBABILITIES,
    SHARPEN,
    aggregate_response,
    aggregated_response,
    aggregation_of,
    artifact_response,
    job_of,
    probabilities_response,
    result_of,
    result_response,
    schema_of,
)
from ionbox.api.v04.output import COMPILED, Language, output_of
from ionbox.api.waiting import PREFER, held
from ionbox.errors import NotFoundError
from ionbox.formats.rendering import FORMAT_BY_WORD
from ionbox.formats.results import Result, Sampled
from ionbox.formats.schemas import NATIVE_CIRCUIT, SCHEMAS
from ionbox.formats.variants import variant_of
from ionbox.jobs.job import Job
from ionbox.jobs.output import Output, variant_id

_VARIANT_KINDS = ("probabilities", "histogram", "shots")


async def get_probabilities(request: Request) -> Response:
    """GET /jobs/{id}/results/probabilities."""
    return await probabilities_response(request)


async def get_aggregated(request: Request) -> Response:
    """GET /jobs/{id}/results/probabilities/aggregated."""
    return await aggregate_response(request, job_of(request))


async def get_histogram(request: Request) -> Response:
    """GET /jobs/{id}/results/histogram."""
    result, aggregation = _result_of_single(request, "histogram"), aggregation_of(request)
    if not isinstance(result, Sampled):
        return await artifact_response(result, "histogram")  # says why there is none
    return await aggregated_response(result, aggregation, FORMAT_BY_WORD["histogram"])


async def get_shots(request: Request) -> Response:
    """GET /jobs/{id}/results/shots."""
    return await artifact_response(_result_of_single(request, "shots"), "shots")


async def get_artifact(request: Request) -> Response:
    """GET /jobs/{id}/artifacts/{artifact}."""
    artifact, job = request.path_params["artifact"], job_of(request)
    for language in COMPILED.values():
        if artifact == language.artifact:
            return await compiled_response(job, output_of(request, job), language)
    if job.is_parent and artifact == artifact_id(AGGREGATE):
        return await aggregate_response(request, job)
    return await artifact_response(_result_of_single(request, artifact), artifact)


def _result_of_single(request: Request, artifact: str) -> Result:
    """Return what came of a job that is no parent, of which an artifact is asked for."""
    job = job_of(request)
    if job.is_parent:
        raise NotFoundError("artifact", artifact, known=(artifact_id(AGGREGATE),))
    return result_of(request, job)


async def get_variant_results(request: Request) -> Response:
    """GET /jobs/{id}/variants/{variant}/results/{kind}."""
    job, kind = job_of(request), request.path_params["kind"]
    if kind not in _VARIANT_KINDS:
        raise NotFoundError("kind of results", kind, known=_VARIANT_KINDS)
    result = None if job.is_parent else result_of(request, job)
    variant = request.path_params["variant"]
    if isinstance(result, Sampled):
        for number in range(result.num_variants):
            if variant_id(job.id, number) == variant:
                return result_response(variant_of(result, number), FORMAT_BY_WORD[kind])
    raise NotFoundError("variant", variant)


async def get_compiled_circuit(request: Request) -> Response:
    """GET /jobs/{id}/circuits/{language}."""
    job, word = job_of(request), request.path_params["language"]
    if word not in COMPILED:
        raise NotFoundError("language", word, known=tuple(COMPILED))
    return await compiled_response(job, output_of(request, job), COMPILED[word])


async def compiled_response(job: Job, output: Output | None, language: Language) -> Response:
    """Send what a job was compiled to, in a language.

    Raises:
        NotFoundError: If it was not compiled, or cannot be said in this language.
    """
    if output is None or not language.is_there(output):
        known = [word for word, other in COMPILED.items() if output and other.is_there(output)]
        why = _why_not_compiled(job, output)
        raise NotFoundError("compiled circuit of job", job.id, known=tuple(known), why=why)
    text = await asyncio.to_thread(language.write, output)
    return Response(text, media_type=language.media_type)


def _why_not_compiled(job: Job, output: Output | None) -> str:
    if job.is_parent:
        return "it is of many circuits; its child jobs have theirs"
    if not job.is_on_device:
        return "only jobs on devices are compiled"
    if output is None:
        return "it is not compiled yet, or cannot be"
    return "this language has no word for what it does before its end"


async def get_schema(request: Request) -> Response:
    """GET /schemas/formats/{format}."""
    caller_of(request)
    name = request.path_params["format"]
    if name not in SCHEMAS:
        raise NotFoundError("format", name, known=tuple(SCHEMAS))
    return json_response(SCHEMAS[name])


_AGGREGATION = (SHARPEN, AGGREGATION)
_JOB = "/v0.4/jobs/{id}"

ENDPOINTS = (
    Endpoint("GET", f"{_JOB}/results/probabilities", held(get_probabilities),
             "Get a job's probabilities; of many circuits, those of each.", PROBABILITIES,
             query=_AGGREGATION, headers=(PREFER,), errors=(400, 404)),
    Endpoint("GET", f"{_JOB}/results/probabilities/aggregated", held(get_aggregated),
             "Get the probabilities of each circuit of many.", schema_of(AGGREGATE.id),
             query=_AGGREGATION, headers=(PREFER,), errors=(400, 404)),
    Endpoint("GET", f"{_JOB}/results/histogram", held(get_histogram),
             "Get how many shots gave each outcome.",
             schema_of("ionq.result.histogram.json.v1"), query=_AGGREGATION,
             headers=(PREFER,), errors=(400, 404)),
    Endpoint("GET", f"{_JOB}/results/shots", held(get_shots),
             "Get the outcome of each shot, in order.",
             schema_of("ionq.result.shots.json.v1"), headers=(PREFER,), errors=(404,)),
    Endpoint("GET", f"{_JOB}/artifacts/{{artifact}}", held(get_artifact),
             "Get a result in the format of an artifact.", ARTIFACT,
             headers=(PREFER,), errors=(404,)),
    Endpoint("GET", f"{_JOB}/variants/{{variant}}/results/{{kind}}", held(get_variant_results),
             "Get the results of a variant of a debiased job.", ARTIFACT,
             headers=(PREFER,), errors=(404,)),
    Endpoint("GET", f"{_JOB}/circuits/{{language}}", get_compiled_circuit,
             "Get a job's compiled circuit.", schema_of(NATIVE_CIRCUIT), errors=(404,)),
    Endpoint("GET", "/v0.4/schemas/formats/{format}", get_schema, "Get the schema of a format.",
             {"type": "object", "required": ["$schema", "$id"]}, errors=(404,)),
)  # fmt: skip
