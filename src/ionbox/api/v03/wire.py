"""The bodies of API v0.3, and their translation to and from the core's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from ionbox.api.endpoints import Uuid, one_of
from ionbox.api.jobs import GateCounts, Noise, Warnings, noise_of
from ionbox.api.requests import decode_body
from ionbox.api.submissions import (
    DEFAULT_BACKEND,
    Input,
    NoiseRequest,
    Shots,
    read_seed,
    read_shots,
    refuse_excess,
)
from ionbox.backends.noise import IDEAL
from ionbox.backends.pricing import to_amount
from ionbox.errors import InvalidInputError
from ionbox.formats.decoding import decode
from ionbox.formats.inputs import INPUT_TYPES
from ionbox.formats.multi_circuit import ManyCircuits
from ionbox.jobs.job import MULTI_CIRCUIT, Job, JobStatus
from ionbox.service.submission import Submission

DEFAULT_FORMAT = "ionq.circuit.v0"
# v0.3 names the format of an input where v0.4, and ionbox, name the type of a job.
JOB_TYPES: Mapping[str, str] = {
    DEFAULT_FORMAT: "ionq.circuit.v1",
    "qasm": "ionq.qasm3.v1",
    "openqasm": "ionq.qasm3.v1",
    "qir": "ionq.qir.v1",
}
_MILLISECONDS = 1000

# v0.3 has another word for one field of a submission, and for one status.
FIELD_TO_WIRE: Mapping[str, str] = {"backend": "target"}
_UNPAID = (JobStatus.FAILED, JobStatus.CANCELED)
STATUS_TO_WIRE: Mapping[JobStatus, str] = {
    status: "running" if status is JobStatus.STARTED else status.value for status in JobStatus
}
STATUS_FROM_WIRE = {word: status.value for status, word in STATUS_TO_WIRE.items()}


_Status = Annotated[str, one_of(STATUS_FROM_WIRE)]


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
    backend: str | None = None  # v0.4's word for the target
    dry_run: bool | None = None  # v0.4's, too


class InputHead(msgspec.Struct):
    """What decides how an input is read."""

    format: str | None = None
    circuits: msgspec.Raw = msgspec.Raw(b"null")


class JobCreated(msgspec.Struct):
    """The answer to POST /jobs; `request` in seconds since 1970."""

    id: Uuid
    status: _Status
    request: int


class Failure(msgspec.Struct):
    """Why a job failed."""

    error: str
    code: str


class JobBody(msgspec.Struct, omit_defaults=True):
    """A job. Times in seconds since 1970, durations in milliseconds."""

    id: Uuid
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
    project_id: Uuid
    children: list[Uuid] | UnsetType = UNSET
    parent: Uuid | UnsetType = UNSET
    start: int | UnsetType = UNSET
    response: int | UnsetType = UNSET
    execution_time: int | UnsetType = UNSET
    failure: Failure | UnsetType = UNSET
    warning: Warnings | UnsetType = UNSET


# What is left of a job where `include` or `exclude` narrows it.
JobFields = msgspec.defstruct(
    "JobFields",
    [
        (name, kind | UnsetType, UNSET)
        for name, kind in get_type_hints(JobBody, include_extras=True).items()
    ],
    omit_defaults=True,
)


class JobList(msgspec.Struct, omit_defaults=True):
    """A page of jobs, newest first; `next` is absent on the last page."""

    jobs: list[JobBody]
    next: str | UnsetType = UNSET


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
    refuse_excess(body, "settings", "error_mitigation", "registers")
    noise = body.noise or NoiseRequest()
    circuit = bytes(given)
    return Submission(
        backend=body.target or body.backend or DEFAULT_BACKEND,
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
        is_dry_run=body.dry_run or False,
    )


def input_types(body: JobCreation) -> tuple[type[msgspec.Struct], ...]:
    """Return the types by which the input of a submission is read.

    Raises:
        InvalidInputError: If it is of no type.
    """
    given = body.input if body.input is not UNSET else body.body
    job_type = _job_type(b"{}" if given is UNSET else bytes(given))
    return InputHead, ManyCircuits if job_type == MULTI_CIRCUIT else INPUT_TYPES[job_type].wire


def _job_type(data: bytes) -> str:
    head = decode(data, _input_head, whole="input")
    if bytes(head.circuits) != b"null":
        return MULTI_CIRCUIT
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
    return JobCreated(job.id, STATUS_TO_WIRE[job.status], seconds_of(job.submitted_at))


def write_job(job: Job, child_ids: Sequence[str] | None = None) -> JobBody:
    """Return a job as v0.3 writes it.

    Args:
        child_ids: Of a parent, where they are shown.
    """
    seconds = job.execution_seconds
    return JobBody(
        id=job.id,
        type="circuit",
        status=STATUS_TO_WIRE[job.status],
        name=job.name,
        metadata=None if job.metadata is None else dict(job.metadata),
        target=job.backend,
        noise=noise_of(job),
        shots=job.shots,
        qubits=job.num_qubits,
        circuits=job.num_circuits,
        gate_counts=GateCounts(*job.gate_counts),
        request=seconds_of(job.submitted_at),
        predicted_execution_time=round(job.predicted_seconds * _MILLISECONDS),
        # A job that ends otherwise costs nothing.
        cost_usd=0.0 if job.status in _UNPAID else to_amount(job.cost_micros),
        error_mitigation=_object(job.error_mitigation),
        settings=_object(job.settings) or {},
        registers=_object(job.registers),
        results_url=f"/v0.3/jobs/{job.id}/results",
        submitter_id=job.submitter_id,
        project_id=job.project_id,
        children=UNSET if child_ids is None else list(child_ids),
        parent=job.parent_id or UNSET,
        start=UNSET if job.started_at is None else seconds_of(job.started_at),
        response=UNSET if job.completed_at is None else seconds_of(job.completed_at),
        execution_time=UNSET if seconds is None else round(seconds * _MILLISECONDS),
        failure=UNSET if job.failure is None else Failure(job.failure.message, job.failure.code),
        warning=Warnings(list(job.warnings)) if job.warnings else UNSET,
    )


def _object(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)


def seconds_of(time: datetime) -> int:
    """Return a time in seconds since 1970."""
    return int(time.timestamp())
