"""How the faces send what came of a job."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ionbox.api.endpoints import Schema, json_response
from ionbox.api.requests import caller_of, service_of
from ionbox.errors import NotFoundError
from ionbox.formats.rendering import FORMATS, Format, formats_of, num_entries
from ionbox.formats.results import Exact, Expectation, Result
from ionbox.formats.schemas import SCHEMAS
from ionbox.jobs.job import Job

AGGREGATE = FORMATS["ionq.result.probabilities-aggregate.json.v1"]
# More outcomes than this are rendered outside the event loop.
_MANY_OUTCOMES = 4096


def artifact_id(row: Format) -> str:
    """Return the id under which a result in this format is found: the service's own words."""
    return row.word if row.version == 1 else f"{row.word}-v{row.version}"


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
ARTIFACT: Schema = {"anyOf": list(map(schema_of, FORMATS))}
FORMAT_OF_ARTIFACT = {artifact_id(row): row for row in FORMATS.values()}


def job_of(request: Request) -> Job:
    """Return the job that the path names."""
    return service_of(request).jobs.job(caller_of(request), request.path_params["id"])


def result_of(request: Request, job: Job) -> Result:
    """Return what came of a job that is no parent."""
    return service_of(request).jobs.result(caller_of(request), job.id)


async def probabilities_response(request: Request) -> Response:
    """Send the probabilities of a job: one map, or one for each of many circuits."""
    job = job_of(request)
    if job.is_parent:
        return await aggregate_response(request, job)
    result = result_of(request, job)
    if isinstance(result, Expectation):
        return json_response({"value": result.value, "variance": result.variance})
    return result_response(result, FORMAT_OF_ARTIFACT["probabilities"])


async def aggregate_response(request: Request, parent: Job) -> Response:
    """Send the probabilities of each circuit of many, by the id of its job."""
    if not parent.is_parent:
        raise NotFoundError("artifact", AGGREGATE.word, known=("probabilities",))
    children = service_of(request).jobs.child_results(caller_of(request), parent)
    most_outcomes = parent.num_circuits << min(parent.num_qubits, 63)
    if most_outcomes > _MANY_OUTCOMES:
        return StreamingResponse(AGGREGATE.render(children), media_type=AGGREGATE.media_type)
    chunks = await asyncio.to_thread(list, AGGREGATE.render(children))
    return Response(b"".join(chunks), media_type=AGGREGATE.media_type)


def artifact_response(result: Result, artifact: str) -> Response:
    """Send a result in the format of an artifact.

    Raises:
        NotFoundError: If this result has no such artifact: exact ones have no shots.
    """
    formats = {artifact_id(row): row for row in formats_of(result)}
    if artifact not in formats:
        raise NotFoundError(
            "artifact", artifact, known=tuple(formats), why=_why_not(result, artifact)
        )
    return result_response(result, formats[artifact])


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
