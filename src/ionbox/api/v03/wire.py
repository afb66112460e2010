"""The bodies of API v0.3, and their translation to and from the core's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
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
from ionbox.engines.engine import IDEAL
from ionbox.errors import InvalidInputError
from ionbox.formats.decoding import decode
from ionbox.jobs.job import Job, JobStatus
from ionbox.service.service import Submission

DEFAULT_FORMAT = "ionq.circuit.v0"
# v0.3 names the format of an input where v0.4, and ionbox, name the type of a job.
JOB_TYPES: Mapping[str, str] = {DEFAULT_FORMAT: "ionq.circuit.v1"}
_MILLISECONDS = 1000

# v0.3 has another word for one field of a submission, and for one status.
FIELD_TO_WIRE: Mapping[str, str] = {"backend": "target"}
STATUS_TO_WIRE: Mapping[JobStatus, str] = {
    status: "running" if status is JobStatus.STARTED else status.value for status in JobStatus
}
STATUS_FROM_WIRE = {word: status.value for status, word in STATUS_TO_WIRE.items()}


class JobCreation(msgspec.Struct):
    """The body of POST /jobs. Unknown keys are ignored: official clients send some."""

    input: Input | UnsetType = UNSET
    body: msgspec.Raw | UnsetType = UNSET  # what cirq-ionq 1.6 calls the input
    target: str | None = None
    shots: Shots = None
    name: str | None = None
    metadata: dict[str, str] | None = None
    noise: NoiseRequest | None = None
    error_mitigation: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    registers: dict[str, Any] | None = None


class InputHead(msgspec.Struct):
    """What decides how an input is read."""

    format: str | None = None
    circuits: list[msgspec.Raw] | None = None


class JobCreated(msgspec.Struct):
    """The answer to POST /jobs; `request` in seconds since 1970."""

    id: str
    status: str
    request: int


class Failure(msgspec.Struct):
    """Why a job failed."""

    error: str
    code: str


_Status = Annotated[str, msgspec.Meta(extra_json_schema={"enum": sorted(STATUS_FROM_WIRE)})]


class JobBody(msgspec.Struct, omit_defaults=True):
    """A job. Times in seconds since 1970, durations in milliseconds."""

    id: str
    type: str
    status: _Status
    name: str | None
    metadata: dict[str, str] | None
    target: str
    noise: Noise
    shots: int
    qubits: int
    circuits: int
    gate_counts: GateCounts
    request: int
    predicted_execution_time: int
    cost_usd: float
    error_mitigation: dict[str, Any] | None
    settings: dict[str, Any]
    registers: dict[str, Any] | None
    results_url: str
    submitter_id: str
    project_id: str
    start: int | UnsetType = UNSET
    response: int | UnsetType = UNSET
    execution_time: int | UnsetType = UNSET
    failure: Failure | UnsetType = UNSET
    warning: Warnings | UnsetType = UNSET


class JobList(msgspec.Struct, omit_defaults=True):
    """A page of jobs, newest first; `next` is absent on the last page."""

    jobs: list[JobBody]
    next: str | UnsetType = UNSET


class BackendBody(msgspec.Struct):
    """A backend; `last_updated` in seconds since 1970, `average_queue_time` in milliseconds."""

    backend: str
    status: str
    qubits: int
    average_queue_time: int
    last_updated: int
    degraded: bool
    has_access: bool
    noise_models: list[str]


Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Results = dict[str, Probability]

_job_creation = msgspec.json.Decoder(JobCreation)
_input_head = msgspec.json.Decoder(InputHead)


def read_submission(data: bytes) -> Submission:
    """Read the body of POST /jobs.

    Raises:
        InvalidInputError: If it is not one.
    """
    body = decode_body(data, _job_creation)
    given = body.input if body.input is not UNSET else body.body
    if given is UNSET:
        raise InvalidInputError("input", "missing; it holds the circuit")
    refuse_depth(body, "settings", "error_mitigation", "registers")
    noise = body.noise or NoiseRequest()
    circuit = bytes(given)
    return Submission(
        backend=body.target or DEFAULT_BACKEND,
        job_type=_job_type(circuit),
        data=circuit,
        shots=read_shots(body.shots),
        seed=read_seed(noise),
        noise_model=noise.model or IDEAL,
        name=body.name,
        metadata=body.metadata,
        settings=body.settings,
        error_mitigation=body.error_mitigation,
        registers=body.registers,
    )


def _job_type(data: bytes) -> str:
    head = decode(data, _input_head, whole="input")
    if head.circuits is not None:
        message = "jobs of many circuits are not served yet; send one, in 'circuit'"
        raise InvalidInputError("circuits", message)
    job_type = JOB_TYPES.get(head.format or DEFAULT_FORMAT)
    if job_type is None:
        known = ", ".join(JOB_TYPES)
        raise InvalidInputError("format", f"'{head.format}' is not one of: {known}")
    return job_type


@contextlib.contextmanager
def in_its_words() -> Iterator[None]:
    """Have errors of the core name fields as v0.3 does."""
    try:
        yield
    except InvalidInputError as error:
        if error.path not in FIELD_TO_WIRE:
            raise
        raise InvalidInputError(FIELD_TO_WIRE[error.path], error.message) from error


def write_created(job: Job) -> JobCreated:
    """Return what v0.3 answers to a submission."""
    return JobCreated(job.id, STATUS_TO_WIRE[job.status], _seconds(job.submitted_at))


def write_job(job: Job) -> JobBody:
    """Return a job as v0.3 writes it."""
    seconds = job.execution_seconds
    return JobBody(
        id=job.id,
        type="circuit",
        status=STATUS_TO_WIRE[job.status],
        name=job.name,
        metadata=None if job.metadata is None else dict(job.metadata),
        target=job.backend,
        noise=Noise(job.noise_model, job.seed),
        shots=job.shots,
        qubits=job.num_qubits,
        circuits=1,
        gate_counts=GateCounts(*job.gate_counts),
        request=_seconds(job.submitted_at),
        predicted_execution_time=round(job.predicted_seconds * _MILLISECONDS),
        cost_usd=0.0,
        error_mitigation=_object(job.error_mitigation),
        settings=_object(job.settings) or {},
        registers=_object(job.registers),
        results_url=f"/v0.3/jobs/{job.id}/results",
        submitter_id=job.submitter_id,
        project_id=job.project_id,
        start=UNSET if job.started_at is None else _seconds(job.started_at),
        response=UNSET if job.completed_at is None else _seconds(job.completed_at),
        execution_time=UNSET if seconds is None else round(seconds * _MILLISECONDS),
        failure=UNSET if job.failure is None else Failure(job.failure.message, job.failure.code),
        warning=Warnings(list(job.warnings)) if job.warnings else UNSET,
    )


def _object(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def write_backend(backend: Backend, last_updated: datetime) -> BackendBody:
    """Return a backend as v0.3 writes it."""
    return BackendBody(
        backend=backend.name,
        status=backend.status,
        qubits=backend.num_qubits,
        average_queue_time=0,
        last_updated=_seconds(last_updated),
        degraded=False,
        has_access=True,
        noise_models=list(backend.noise_models),
    )
