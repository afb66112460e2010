"""The bodies of API v0.4, and their translation to and from the core's words.

Official clients parse strictly: the keys of a job are there even where their value is null, and
those that ionq-core cannot read as null are objects. Extra keys are ignored by all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from ionbox.api.jobs import GateCounts, Noise, Warnings
from ionbox.api.requests import decode_body
from ionbox.api.submissions import (
    DEFAULT_BACKEND,
    Input,
    NoiseRequest,
    Shots,
    read_seed,
    read_shots,
    refuse_depth,
)
from ionbox.backends.backend import Backend
from ionbox.circuits.gates import GATES
from ionbox.engines.engine import IDEAL
from ionbox.errors import InvalidInputError
from ionbox.jobs.job import Job, JobStatus
from ionbox.service.access import Key
from ionbox.service.service import Submission
from ionbox.service.work import READERS

_MILLISECONDS = 1000
STATUSES: Mapping[str, str] = {status.value: status.value for status in JobStatus}

# Artifact id → the format that it is in; the ids are the service's own words.
ARTIFACTS: Mapping[str, str] = {
    "probabilities": "ionq.result.probabilities.json.v1",
    "probabilities-v2": "ionq.result.probabilities.json.v2",
}


class JobCreation(msgspec.Struct):
    """The body of POST /jobs. Unknown keys are ignored: official clients send some."""

    type: str
    input: Input
    backend: str | None = None
    target: str | None = None  # what some clients still call the backend
    shots: Shots = None
    name: str | None = None
    metadata: dict[str, str] | None = None
    noise: NoiseRequest | None = None
    settings: dict[str, Any] | None = None
    session_id: str | None = None
    dry_run: bool | None = None


class JobCreated(msgspec.Struct):
    """The answer to POST /jobs."""

    id: str
    status: str
    session_id: str | None = None


class Stats(msgspec.Struct):
    """The size of a job."""

    qubits: int
    circuits: int
    gate_counts: GateCounts
    kwh: float = 0.0


class Failure(msgspec.Struct):
    """Why a job failed; older clients read `error`."""

    code: str
    message: str
    error: str


class ArtifactBody(msgspec.Struct):
    """Where a result is: by id for newer clients, by URL for older ones."""

    id: str
    format: str
    media_type: str
    url: str


_Status = Annotated[str, msgspec.Meta(extra_json_schema={"enum": sorted(STATUSES)})]


class JobBody(msgspec.Struct, omit_defaults=True):
    """A job. Times in RFC 3339, durations in milliseconds."""

    id: str
    status: _Status
    type: str
    backend: str
    dry_run: bool
    submitter_id: str
    project_id: str | None
    parent_job_id: str | None
    session_id: str | None
    child_job_ids: list[str] | None
    metadata: dict[str, str] | None
    name: str | None
    submitted_at: str
    started_at: str | None
    completed_at: str | None
    predicted_wait_time_ms: int | None
    predicted_execution_duration_ms: int | None
    execution_duration_ms: int | None
    failure: Failure | None
    output: dict[str, Any]
    settings: dict[str, Any]
    stats: Stats
    results: dict[str, ArtifactBody] | None
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


class Cost(msgspec.Struct):
    """What a job cost."""

    dry_run: bool
    cost: Amount


class BackendBody(msgspec.Struct):
    """A backend; `average_queue_time` in milliseconds."""

    backend: str
    status: str
    qubits: int
    average_queue_time: int
    last_updated: str
    degraded: bool
    has_access: bool
    noise_models: list[str]
    supported_gates: list[str]
    supported_native_gates: list[str]


class Characterizations(msgspec.Struct):
    """Measured facts about a backend; a simulator has none."""

    characterizations: list[dict[str, Any]]
    pages: int


class Whoami(msgspec.Struct):
    """Who a key belongs to."""

    key_id: str
    key_name: str
    project_id: str


_job_creation = msgspec.json.Decoder(JobCreation)


def read_submission(data: bytes) -> Submission:
    """Read the body of POST /jobs.

    Raises:
        InvalidInputError: If it is not one, or asks for what is not served yet.
    """
    body = decode_body(data, _job_creation)
    if body.type not in READERS:
        raise InvalidInputError("type", f"'{body.type}' is not one of: {', '.join(READERS)}")
    if body.dry_run:
        raise InvalidInputError("dry_run", "dry runs are not served yet")
    if body.session_id is not None:
        raise InvalidInputError("session_id", "sessions are not served yet")
    refuse_depth(body, "settings")
    noise = body.noise or NoiseRequest()
    return Submission(
        backend=body.backend or body.target or DEFAULT_BACKEND,
        job_type=body.type,
        data=bytes(body.input),
        shots=read_shots(body.shots),
        seed=read_seed(noise),
        noise_model=noise.model or IDEAL,
        name=body.name,
        metadata=body.metadata,
        settings=body.settings,
    )


def write_created(job: Job) -> JobCreated:
    """Return what v0.4 answers to a submission."""
    return JobCreated(job.id, job.status)


def write_job(job: Job) -> JobBody:
    """Return a job as v0.4 writes it."""
    seconds = job.execution_seconds
    return JobBody(
        id=job.id,
        status=job.status,
        type=job.job_type,
        backend=job.backend,
        dry_run=False,
        submitter_id=job.submitter_id,
        project_id=job.project_id,
        parent_job_id=None,
        session_id=None,
        child_job_ids=None,
        metadata=None if job.metadata is None else dict(job.metadata),
        name=job.name,
        submitted_at=_time(job.submitted_at),
        started_at=None if job.started_at is None else _time(job.started_at),
        completed_at=None if job.completed_at is None else _time(job.completed_at),
        predicted_wait_time_ms=None,
        predicted_execution_duration_ms=round(job.predicted_seconds * _MILLISECONDS),
        execution_duration_ms=None if seconds is None else round(seconds * _MILLISECONDS),
        failure=_failure(job),
        output={},
        settings=_without_nulls(job.settings or {}),
        stats=Stats(job.num_qubits, 1, GateCounts(*job.gate_counts)),
        results=_results(job),
        shots=job.shots,
        noise=Noise(job.noise_model, job.seed),
        warning=Warnings(list(job.warnings)) if job.warnings else UNSET,
    )


def _results(job: Job) -> dict[str, ArtifactBody] | None:
    """Return each result under both names that clients know: a short word, and its format."""
    if job.status is not JobStatus.COMPLETED:
        return None
    url = f"/v0.4/jobs/{job.id}"
    urls = {name: f"{url}/artifacts/{name}" for name in ARTIFACTS} | {
        "probabilities": f"{url}/results/probabilities"
    }
    bodies = {
        name: ArtifactBody(name, kind, "application/json", urls[name])
        for name, kind in ARTIFACTS.items()
    }
    return {"probabilities": bodies["probabilities"]} | {b.format: b for b in bodies.values()}


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


def _time(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_backend(backend: Backend, last_updated: datetime) -> BackendBody:
    """Return a backend as v0.4 writes it."""
    return BackendBody(
        backend=backend.name,
        status=backend.status,
        qubits=backend.num_qubits,
        average_queue_time=0,
        last_updated=_time(last_updated),
        degraded=False,
        has_access=True,
        noise_models=list(backend.noise_models),
        supported_gates=_gate_names("qis"),
        supported_native_gates=_gate_names("native"),
    )


def _gate_names(gateset: str) -> list[str]:
    return [
        name for gate in GATES if gate.gateset == gateset for name in (gate.name, *gate.aliases)
    ]


def write_whoami(key: Key) -> Whoami:
    """Return who a key belongs to."""
    return Whoami(key.id, key.name, key.project_id)
