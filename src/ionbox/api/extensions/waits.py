"""Why a job waits and how far it is, for the caller whose job it is."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import caller_of, service_of
from ionbox.service.waits import Wait, reasons

_MILLISECONDS = 1000


class ReasonBody(msgspec.Struct):
    """One thing that a job waits for, for programs (`code`) and for people (`message`)."""

    code: str
    message: str


class ProgressBody(msgspec.Struct):
    """How far a job is that runs; `fraction` and `memory_bytes` are null until they are known."""

    fraction: float | None
    running_ms: int
    predicted_ms: int
    memory_bytes: int | None
    predicted_memory_bytes: int


class WaitBody(msgspec.Struct):
    """How long a job waits and for what, or how far it is."""

    id: str
    status: str
    position: int | None
    jobs_ahead_own: int | None
    jobs_ahead_others: int | None
    remaining_wait_ms: int | None
    predicted_wait_ms: int | None
    waited_ms: int
    reasons: list[ReasonBody]
    progress: ProgressBody | None


async def read_wait(request: Request) -> Response:
    """GET /jobs/{id}/wait."""
    # Where very many wait it takes a while to count those ahead.
    jobs, job_id = service_of(request).jobs, request.path_params["id"]
    wait = await asyncio.to_thread(jobs.wait, caller_of(request), job_id)
    forecast, predicted = wait.forecast, wait.job.predicted_wait_seconds
    return json_response(
        WaitBody(
            id=wait.job.id,
            status=wait.job.status,
            position=wait.position,
            jobs_ahead_own=None if forecast is None else forecast.own.num_jobs,
            jobs_ahead_others=None if forecast is None else forecast.others.num_jobs,
            remaining_wait_ms=_optional(None if forecast is None else forecast.seconds),
            predicted_wait_ms=_optional(predicted),
            waited_ms=_milliseconds(wait.waited_seconds),
            reasons=[ReasonBody(reason.code, reason.message) for reason in reasons(wait)],
            progress=_progress(wait),
        )
    )


def _progress(wait: Wait) -> ProgressBody | None:
    if wait.running_seconds is None:
        return None
    beat = wait.beat
    return ProgressBody(
        fraction=None if beat is None else beat.progress,
        running_ms=_milliseconds(wait.running_seconds),
        predicted_ms=_milliseconds(wait.one.predicted_seconds),
        memory_bytes=None if beat is None else beat.memory_bytes,
        predicted_memory_bytes=wait.one.memory_bytes,
    )


def _optional(seconds: float | None) -> int | None:
    return None if seconds is None else _milliseconds(seconds)


def _milliseconds(seconds: float) -> int:
    return round(seconds * _MILLISECONDS)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/ionbox/v1/jobs/{id}/wait",
        read_wait,
        "Tell how long a job waits and for what, or how far it is.",
        WaitBody,
        errors=(404,),
    ),
)
