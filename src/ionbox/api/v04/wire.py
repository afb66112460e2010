"""The bodies of jobs in API v0.4, and their translation to and from the core's words.

Official clients parse strictly: the keys of a job are there even where their value is null, and
those that ionq-core cannot read as null are objects. Extra keys are ignored by all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from ionbox.api.artifacts import artifact_id
from ionbox.api.endpoints import Time, Uuid, one_of
from ionbox.api.jobs import GateCounts, Noise, Warnings, noise_of
from ionbox.api.requests import decode_body
from ionbox.api.results import AGGREGATE
from ionbox.api.submissions import (
    DEFAULT_BACKEND,
    Input,
    NoiseRequest,
    Shots,
    read_seed,
    read_shots,
    refuse_excess,
)
from ionbox.api.v04.output import ArtifactBody, write_output
from ionbox.backends.noise import IDEAL
from ionbox.backends.pricing import to_amount
from ionbox.formats.inputs import INPUT_TYPES
from ionbox.formats.multi_circuit import ManyCircuits
from ionbox.formats.rendering import FORMATS, Format
from ionbox.formats.results import Exact, Expectation, Sampled
from ionbox.jobs.job import MULTI_CIRCUIT, Job, JobStatus
from ionbox.jobs.lifecycle import TERMINAL
from ionbox.jobs.output import Output
from ionbox.service.submission import Overrides, Submission

_MILLISECONDS = 1000
_MICROSECONDS = 1_000_000
FUNCTION = "quantum-function"
# Of jobs that are exact, and of those that are sampled.
_FORMATS_OF: Mapping[bool, tuple[Format, ...]] = {
    is_sampled: tuple(row for row in FORMATS.values() if kind in row.serves)
    for is_sampled, kind in ((False, Exact), (True, Sampled))
}
STATUSES: Mapping[str, str] = {status.value: status.value for status in JobStatus}


Status = Annotated[str, one_of(STATUSES)]
# A type that some clients guess: one reader takes both versions of OpenQASM.
_ALIASES: Mapping[str, str] = {"ionq.qasm2.v1": "ionq.qasm3.v1"}
_JobType = Annotated[str, one_of((*INPUT_TYPES, MULTI_CIRCUIT, *_ALIASES))]


class CloneRequest(msgspec.Struct):
    """The body of POST /jobs/{id}/clone and /move: what is to be other than in the original."""

    backend: str | None = None
    target: str | None = None  # what some clients still call the backend
    shots: Shots = None
    name: str | None = None
    metadata: dict[str, str] | None = None
    noise: NoiseRequest | None = None
    settings: dict[str, Any] | None = None
    session_id: Uuid | None = None
    dry_run: bool | None = None


class JobCreation(CloneRequest, kw_only=True):
    """The body of POST /jobs. Unknown keys are ignored: official clients send some."""

    type: _JobType
    input: Input
    error_mitigation: dict[str, Any] | None = None  # where v0.3 has it


class JobCreated(msgspec.Struct):
    """The answer to POST /jobs."""

    id: Uuid
    status: Status
    session_id: Uuid | None = None


class Stats(msgspec.Struct):
    """The size of a job, of a device's as it was compiled; times of a device in microseconds."""

    qubits: int
    circuits: int
    gate_counts: GateCounts
    kwh: float = 0.0
    predicted_quantum_compute_time_us: int | UnsetType = UNSET
    billed_quantum_compute_time_us: int | UnsetType = UNSET


class Failure(msgspec.Struct):
    """Why a job failed; older clients read `error`."""

    code: str
    message: str
    error: str


class Value(msgspec.Struct):
    """What came of a quantum function: an expectation value, and the observable's variance."""

    value: float
    variance: float


# Either `dict[str, ArtifactBody]`, a Value, or None: a union that msgspec cannot describe.
Results = Annotated[
    Any,
    msgspec.Meta(
        extra_json_schema={
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/components/schemas/ArtifactBody"},
                },
                {"$ref": "#/components/schemas/Value"},
                {"type": "null"},
            ]
        }
    ),
]


class JobBody(msgspec.Struct, omit_defaults=True):
    """A job. Times in RFC 3339, durations in milliseconds."""

    id: Uuid
    status: Status
    type: str
    backend: str
    dry_run: bool
    submitter_id: str
    project_id: Uuid | None
    parent_job_id: Uuid | None
    session_id: Uuid | None
    child_job_ids: list[Uuid] | None
    metadata: dict[str, str] | None
    name: str | None
    submitted_at: Time
    started_at: Time | None
    completed_at: Time | None
    predicted_wait_time_ms: int | None
    predicted_execution_duration_ms: int | None
    execution_duration_ms: int | None
    failure: Failure | None
    output: dict[str, Any]
    settings: dict[str, Any]
    stats: Stats
    results: Results
    shots: int
    noise: Noise
    warning: Warnings | UnsetType = UNSET


class JobList(msgspec.Struct, omit_defaults=True):
    """A page of jobs, newest first; `next` is null on the last page, or absent for cirq-ionq."""

    jobs: list[JobBody]
    next: str | UnsetType | None = UNSET


class Amount(msgspec.Struct):
    """An amount of money."""

    value: float
    unit: str


class Cost(msgspec.Struct, omit_defaults=True):
    """What a job costs; the estimate is of jobs that have a price."""

    dry_run: bool
    estimated_cost: Amount | UnsetType = UNSET
    cost: Amount | UnsetType = UNSET


_job_creation = msgspec.json.Decoder(JobCreation)
_clone = msgspec.json.Decoder(CloneRequest)


def read_submission(data: bytes) -> Submission:
    """Read the body of POST /jobs.

    Raises:
        InvalidInputError: If it is not one.
    """
    body = decode_body(data, _job_creation)
    refuse_excess(body, "settings", "error_mitigation")
    noise = body.noise or NoiseRequest()
    return Submission(
        backend=body.backend or body.target or DEFAULT_BACKEND,
        job_type=_ALIASES.get(body.type, body.type),
        data=bytes(body.input),
        shots=read_shots(body.shots),
        seed=read_seed(noise),
        noise_model=noise.model or IDEAL,
        name=body.name,
        metadata=body.metadata,
        settings=body.settings,
        error_mitigation=body.error_mitigation,
        session_id=body.session_id,
        is_dry_run=body.dry_run or False,
    )


def input_types(body: JobCreation) -> tuple[type[msgspec.Struct], ...]:
    """Return the types by which the input of a submission is read; none where nothing reads it."""
    job_type = _ALIASES.get(body.type, body.type)
    if job_type == MULTI_CIRCUIT:
        return (ManyCircuits,)
    return (INPUT_TYPES[job_type].wire,) if job_type in INPUT_TYPES else ()


def read_overrides(data: bytes) -> Overrides:
    """Read the body of a clone, which may be empty.

    Raises:
        InvalidInputError: If it is not one.
    """
    body = decode_body(data, _clone) if data else CloneRequest()
    refuse_excess(body, "settings")
    noise = body.noise or NoiseRequest()
    return Overrides(
        backend=body.backend or body.target,
        shots=None if body.shots is None else read_shots(body.shots),
        seed=read_seed(noise),
        noise_model=noise.model,
        name=body.name,
        metadata=body.metadata,
        settings=body.settings,
        session_id=body.session_id,
        is_dry_run=body.dry_run,
    )


def write_created(job: Job, *, is_awaited: bool = False) -> JobCreated:
    """Return what v0.4 answers to a submission: always `submitted`, as IonQ's own tests demand.

    Args:
        is_awaited: Whether the caller waited to see what becomes of it.
    """
    status = job.status if is_awaited else JobStatus.SUBMITTED
    return JobCreated(job.id, status, job.session_id)


def write_job(
    job: Job,
    child_ids: Sequence[str] | None = None,
    value: Expectation | None = None,
    output: Output | None = None,
) -> JobBody:
    """Return a job as v0.4 writes it.

    Args:
        child_ids: Of a parent, where they are shown.
        value: Of a quantum function that is completed, where it is shown.
        output: What compiling and mitigation made of it, where it is shown.
    """
    seconds = job.execution_seconds
    return JobBody(
        id=job.id,
        status=job.status,
        type=job.job_type,
        backend=job.backend,
        dry_run=job.is_dry_run,
        submitter_id=job.submitter_id,
        project_id=job.project_id,
        parent_job_id=job.parent_id,
        session_id=job.session_id,
        child_job_ids=None if child_ids is None else list(child_ids),
        metadata=None if job.metadata is None else dict(job.metadata),
        name=job.name,
        submitted_at=time_text(job.submitted_at),
        started_at=_optional_time(job.started_at),
        completed_at=_optional_time(job.completed_at),
        predicted_wait_time_ms=_predicted_wait_ms(job),
        predicted_execution_duration_ms=round(job.predicted_seconds * _MILLISECONDS),
        execution_duration_ms=None if seconds is None else round(seconds * _MILLISECONDS),
        failure=_failure(job),
        output={} if output is None else _output(job, output),
        settings=_without_nulls(job.settings or {}),
        stats=_stats(job, output),
        results=_results(job) if value is None else Value(value.value, value.variance),
        shots=job.shots,
        noise=noise_of(job),
        warning=Warnings(list(job.warnings)) if job.warnings else UNSET,
    )


def _predicted_wait_ms(job: Job) -> int | None:
    """Return what was expected when it began to wait; nothing once it has ended, as IonQ does."""
    if job.predicted_wait_seconds is None or job.status in TERMINAL:
        return None
    return round(job.predicted_wait_seconds * _MILLISECONDS)


def _stats(job: Job, output: Output | None) -> Stats:
    """Return the size of a job, and what it takes of a device."""
    stats = Stats(job.num_qubits, job.num_circuits, GateCounts(*job.gate_counts))
    if output is not None:
        stats.predicted_quantum_compute_time_us = round(output.device_seconds * _MICROSECONDS)
        if _has_run(job):
            stats.billed_quantum_compute_time_us = stats.predicted_quantum_compute_time_us
    return stats


def _output(job: Job, output: Output) -> dict[str, Any]:
    return write_output(job.id, output, has_results=_has_run(job))


def _has_run(job: Job) -> bool:
    return job.status is JobStatus.COMPLETED and not job.is_dry_run


def _results(job: Job) -> dict[str, ArtifactBody] | None:
    """Return each result under both names that clients know: a short word, and its format."""
    if not _has_run(job) or job.job_type == FUNCTION:
        return None
    url = f"/v0.4/jobs/{job.id}"
    if job.is_parent:
        aggregate = _artifact(AGGREGATE, f"{url}/results/probabilities/aggregated")
        return {"probabilities": aggregate, AGGREGATE.id: aggregate}
    results = {}
    for row in _FORMATS_OF[job.is_sampled]:
        if row.version == 1:
            results[row.word] = _artifact(row, f"{url}/results/{row.word}")
            results[row.id] = results[row.word]
        else:
            results[row.id] = _artifact(row, f"{url}/artifacts/{artifact_id(row)}")
    return results


def _artifact(row: Format, url: str) -> ArtifactBody:
    return ArtifactBody(artifact_id(row), row.id, row.media_type, url)


def _failure(job: Job) -> Failure | None:
    if job.failure is None:
        return None
    return Failure(job.failure.code, job.failure.message, job.failure.message)


def _without_nulls(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as sent, but for nulls, which ionq-core cannot read back."""
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in settings.items()
        if value is not None
    }


def write_cost(job: Job, currency: str) -> Cost:
    """Return what a job is estimated to cost, if it has a price, and what it cost at its end."""
    estimated = Amount(to_amount(job.cost_micros), currency)
    cost = Cost(dry_run=job.is_dry_run)
    if job.is_dry_run or job.cost_micros:
        cost.estimated_cost = estimated
    if job.completed_at is not None and not job.is_dry_run:
        is_completed = job.status is JobStatus.COMPLETED
        cost.cost = estimated if is_completed else Amount(0.0, currency)
    return cost


def time_text(time: datetime) -> str:
    """Return a time in RFC 3339, to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _optional_time(time: datetime | None) -> str | None:
    return None if time is None else time_text(time)
