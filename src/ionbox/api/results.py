"""How the faces send what came of a job."""

from __future__ import annotations

import asyncio
from typing import Annotated

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ionbox.api.artifacts import aggregate, artifact_id, artifacts_of, has_variants
from ionbox.api.endpoints import Query, Schema, json_response, one_of
from ionbox.api.requests import caller_of, is_true, service_of
from ionbox.backends.mitigation import AGGREGATIONS, DEFAULT_AGGREGATION, SHARPENED
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.formats.rendering import FORMATS, Format, num_entries
from ionbox.formats.results import Exact, Expectation, Result
from ionbox.formats.schemas import NATIVE_CIRCUIT, SCHEMAS
from ionbox.jobs.job import Job

AGGREGATE = FORMATS["ionq.result.probabilities-aggregate.json.v1"]
# More outcomes than this are rendered outside the event loop.
_MANY_OUTCOMES = 4096


def schema_of(name: str) -> Schema:
    """Return the JSON Schema of a format, as a part of a larger document."""
    return {key: value for key, value in SCHEMAS[name].items() if key not in {"$schema", "$id"}}


_VALUE: Schema = {
    "description": "What came of a quantum function.",
    "type": "object",
    "required": ["value", "variance"],
    "properties": {"value": {"type": "number"}, "variance": {"type": "number"}},
}
PROBABILITIES: Schema = {
    "anyOf": [schema_of("ionq.result.probabilities.json.v1"), schema_of(AGGREGATE.id), _VALUE]
}
ARTIFACT: Schema = {"anyOf": list(map(schema_of, (*FORMATS, NATIVE_CIRCUIT)))}
FORMAT_OF_ARTIFACT = {artifact_id(row): row for row in FORMATS.values()}
SHARPEN = Query(
    "sharpen", bool, f"Of a debiased job: whether `aggregation` is `{SHARPENED}`, where not given."
)
AGGREGATION = Query(
    "aggregation",
    Annotated[str, one_of(AGGREGATIONS)],
    f"Of a debiased job: how its variants are put together; `{DEFAULT_AGGREGATION}` by default.",
)


def aggregation_of(request: Request) -> str:
    """Return how a request wants variants to be put together.

    Raises:
        InvalidInputError: If there is no such way.
    """
    otherwise = SHARPENED if is_true(request, SHARPEN.name) else DEFAULT_AGGREGATION
    word = request.query_params.get(AGGREGATION.name, otherwise)
    if word not in AGGREGATIONS:
        message = f"'{word}' is not one of: {', '.join(AGGREGATIONS)}"
        raise InvalidInputError(AGGREGATION.name, message, source="query")
    return word


def job_of(request: Request) -> Job:
    """Return the job that the path names."""
    return service_of(request).jobs.job(caller_of(request), request.path_params["id"])


def result_of(request: Request, job: Job) -> Result:
    """Return what came of a job that is no parent."""
    return service_of(request).jobs.result(caller_of(request), job.id)


async def probabilities_response(request: Request) -> Response:
    """Send the probabilities of a job: one map, or one for each of many circuits."""
    job, aggregation = job_of(request), aggregation_of(request)
    if job.is_parent:
        return await aggregate_response(request, job)
    result = result_of(request, job)
    if isinstance(result, Expectation):
        return json_response({"value": result.value, "variance": result.variance})
    return await aggregated_response(result, aggregation, FORMAT_OF_ARTIFACT["probabilities"])


async def aggregate_response(request: Request, parent: Job) -> Response:
    """Send the probabilities of each circuit of many, by the id of its job."""
    if not parent.is_parent:
        raise NotFoundError("artifact", AGGREGATE.word, known=("probabilities",))
    aggregation = aggregation_of(request)
    results = service_of(request).jobs.child_results(caller_of(request), parent)
    children = ((child_id, aggregate(result, aggregation)) for child_id, result in results)
    most_outcomes = parent.num_circuits << min(parent.num_qubits, 63)
    if most_outcomes > _MANY_OUTCOMES:
        return StreamingResponse(AGGREGATE.render(children), media_type=AGGREGATE.media_type)
    chunks = await asyncio.to_thread(list, AGGREGATE.render(children))
    return Response(b"".join(chunks), media_type=AGGREGATE.media_type)


async def aggregated_response(result: Result, aggregation: str, row: Format) -> Response:
    """Send a result whose variants are put together, in a format that serves it."""
    if has_variants(result):  # a vote takes too long for the event loop
        result = await asyncio.to_thread(aggregate, result, aggregation)
    return result_response(result, row)


async def artifact_response(result: Result, artifact: str) -> Response:
    """Send a result, or what is made of it, in the format of an artifact.

    Raises:
        NotFoundError: If this result has no such artifact: exact ones have no shots.
    """
    artifacts = artifacts_of(result)
    if artifact not in artifacts:
        raise NotFoundError(
            "artifact", artifact, known=tuple(artifacts), why=_why_not(result, artifact)
        )
    found = artifacts[artifact]
    made = await asyncio.to_thread(found.result) if has_variants(result) else result
    return result_response(made, found.row)


def _why_not(result: Result, artifact: str) -> str:
    if isinstance(result, Exact) and artifact in FORMAT_OF_ARTIFACT:
        return "this job was computed exactly; with a noise model there are shots"
    return ""


def result_response(result: Result, row: Format) -> Response:
    """Send a result in a format that serves it, a large one in a thread of its own."""
    chunks = row.render(result)
    if num_entries(result) > _MANY_OUTCOMES:
        return StreamingResponse(chunks, media_type=row.media_type)
    return Response(b"".join(chunks), media_type=row.media_type)
