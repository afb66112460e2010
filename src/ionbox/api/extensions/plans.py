"""Plans, for the caller whose job it is: what each engine answered, and how it went."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import caller_of, service_of
from ionbox.engines.engine import Estimate, Refusal
from ionbox.jobs.job import Job


class EstimateBody(msgspec.Struct):
    """What an engine would need."""

    seconds: float
    memory_bytes: int
    threads: int
    precision: str
    is_exact: bool


class AnswerBody(msgspec.Struct):
    """What one engine answered: an estimate, or why it refuses."""

    engine: str
    is_chosen: bool
    estimate: EstimateBody | None
    refusal: str | None


class ChoiceBody(msgspec.Struct):
    """What was chosen, and what was expected of it."""

    engine: str
    precision: str | None
    threads: int
    predicted_seconds: float
    memory_bytes: int


class RunBody(msgspec.Struct):
    """What the run took; the ratio is that of actual to predicted seconds.

    The memory is the most that it took; null where it was too short for that to be measured.
    """

    seconds: float
    threads: int
    ratio: float | None
    memory_bytes: int | None


class PlanBody(msgspec.Struct):
    """The plan of a job; nothing is planned while it is submitted, and a parent has children."""

    id: str
    status: str
    chosen: ChoiceBody | None
    run: RunBody | None
    answers: list[AnswerBody]
    child_job_ids: list[str]


async def read_plan(request: Request) -> Response:
    """GET /jobs/{id}/plan."""
    jobs = service_of(request).jobs
    job, answers = jobs.plan(caller_of(request), request.path_params["id"])
    return json_response(
        PlanBody(
            job.id,
            job.status,
            _choice(job),
            _run(job),
            write_answers(answers, job.engine),
            jobs.child_ids(job) if job.is_parent else [],
        )
    )


def _choice(job: Job) -> ChoiceBody | None:
    if job.engine is None:
        return None
    return ChoiceBody(
        job.engine, job.precision, job.threads, job.predicted_seconds, job.memory_bytes
    )


def _run(job: Job) -> RunBody | None:
    if job.run_seconds is None or job.run_threads is None:
        return None
    ratio = job.run_seconds / job.predicted_seconds if job.predicted_seconds else None
    return RunBody(job.run_seconds, job.run_threads, ratio, job.peak_bytes)


def write_answers(answers: Iterable[Estimate | Refusal], chosen: str | None) -> list[AnswerBody]:
    """Return what engines answered, as it is shown; `chosen` names one of them."""
    return [_answer(answer, chosen) for answer in answers]


def _answer(answer: Estimate | Refusal, chosen: str | None) -> AnswerBody:
    if isinstance(answer, Refusal):
        return AnswerBody(answer.engine, is_chosen=False, estimate=None, refusal=answer.reason)
    estimate = EstimateBody(
        answer.seconds, answer.memory_bytes, answer.threads, answer.precision, answer.is_exact
    )
    return AnswerBody(answer.engine, answer.engine == chosen, estimate, refusal=None)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/ionbox/v1/jobs/{id}/plan",
        read_plan,
        "Tell which engine runs a job, why, and how long it took.",
        PlanBody,
        errors=(404,),
    ),
)
