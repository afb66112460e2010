"""The probabilities themselves of a noisy job, beside the shots that it has."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint
from ionbox.api.requests import caller_of, context_of, service_of
from ionbox.api.results import FORMAT_OF_ARTIFACT, result_response, schema_of


async def read_exact(request: Request) -> Response:
    """GET /jobs/{id}/exact."""
    caller, exact = caller_of(request), service_of(request).jobs.exact
    # Who waits for another must not hold one of the few threads meanwhile.
    async with context_of(request).exact_lock:
        result = await asyncio.to_thread(exact, caller, request.path_params["id"])
    return result_response(result, FORMAT_OF_ARTIFACT["probabilities"])


ENDPOINTS = (
    Endpoint(
        "GET",
        "/ionbox/v1/jobs/{id}/exact",
        read_exact,
        "Compute the probabilities of a noisy job, which its shots are drawn from.",
        schema_of("ionq.result.probabilities.json.v1"),
        errors=(400, 404),
    ),
)
