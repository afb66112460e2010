"""Records of the core to rows of the store, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.sessions import Session, SessionSettings
from ionbox.service.access import Key

Row = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What the caller sent and only wants back: fields of `Job` kept together in one column.
_ECHO = ("metadata", "settings", "error_mitigation", "registers")
# Fields of `Job` that are columns as they are.
_PLAIN = (
    "id", "project_id", "submitter_id", "status", "attempt", "backend", "job_type", "shots",
    "seed", "noise_model", "name", "parent_id", "session_id", "is_dry_run", "num_circuits",
    "characterization_id",
    "num_qubits", "engine", "precision", "predicted_seconds", "memory_bytes", "threads",
    "run_threads", "run_seconds", "cost_micros", "urgency", "predicted_wait_seconds", "peak_bytes",
)  # fmt: skip
_plain_of: Callable[[Job], tuple[Any, ...]] = attrgetter(*_PLAIN)


def job_to_row(job: Job) -> dict[str, Any]:
    """Return the columns of a job."""
    echo = {name: value for name in _ECHO if (value := getattr(job, name)) is not None}
    row = dict(zip(_PLAIN, _plain_of(job), strict=True))
    row["gates_1q"], row["gates_2q"] = job.gate_counts
    row["submitted_at"] = to_microseconds(job.submitted_at)
    row["started_at"] = to_optional_microseconds(job.started_at)
    row["completed_at"] = to_optional_microseconds(job.completed_at)
    row["failure_code"] = job.failure and job.failure.code
    row["failure_message"] = job.failure and job.failure.message
    row["warnings"] = to_json(job.warnings or None)
    row["echo"] = to_json(echo or None)
    return row


def job_of_row(row: Row) -> Job:
    """Return the job of a row."""
    echo = msgspec.json.decode(row["echo"]) if row["echo"] else {}
    code = row["failure_code"]
    return Job(
        id=row["id"],
        project_id=row["project_id"],
        submitter_id=row["submitter_id"],
        status=JobStatus(row["status"]),
        attempt=row["attempt"],
        backend=row["backend"],
        job_type=row["job_type"],
        shots=row["shots"],
        seed=row["seed"],
        noise_model=row["noise_model"],
        name=row["name"],
        parent_id=row["parent_id"],
        session_id=row["session_id"],
        is_dry_run=bool(row["is_dry_run"]),
        num_circuits=row["num_circuits"],
        characterization_id=row["characterization_id"],
        num_qubits=row["num_qubits"],
        gate_counts=(row["gates_1q"], row["gates_2q"]),
        engine=row["engine"],
        precision=row["precision"],
        predicted_seconds=row["predicted_seconds"],
        memory_bytes=row["memory_bytes"],
        threads=row["threads"],
        run_threads=row["run_threads"],
        run_seconds=row["run_seconds"],
        cost_micros=row["cost_micros"],
        urgency=row["urgency"],
        predicted_wait_seconds=row["predicted_wait_seconds"],
        peak_bytes=row["peak_bytes"],
        submitted_at=of_microseconds(row["submitted_at"]),
        started_at=of_optional_microseconds(row["started_at"]),
        completed_at=of_optional_microseconds(row["completed_at"]),
        failure=None if code is None else Failure(code, row["failure_message"]),
        warnings=tuple(msgspec.json.decode(row["warnings"])) if row["warnings"] else (),
        **echo,
    )


def key_of_row(row: Row) -> Key:
    """Return the key of a row."""
    return Key(
        id=row["id"],
        project_id=row["project_id"],
        submitter_id=row["submitter_id"],
        name=row["name"],
        prefix=row["prefix"],
        created_at=of_microseconds(row["created_at"]),
        revoked_at=of_optional_microseconds(row["revoked_at"]),
    )


def session_to_row(session: Session) -> dict[str, Any]:
    """Return the columns of a session."""
    return {
        "id": session.id,
        "project_id": session.project_id,
        "creator_id": session.creator_id,
        "backend": session.backend,
        "created_at": to_microseconds(session.created_at),
        "started_at": to_optional_microseconds(session.started_at),
        "ended_at": to_optional_microseconds(session.ended_at),
        "ender_id": session.ender_id,
        "num_jobs": session.num_jobs,
        "settings": to_json(session.settings),
    }


def session_of_row(row: Row) -> Session:
    """Return the session of a row."""
    return Session(
        id=row["id"],
        project_id=row["project_id"],
        creator_id=row["creator_id"],
        backend=row["backend"],
        created_at=of_microseconds(row["created_at"]),
        settings=msgspec.json.decode(row["settings"], type=SessionSettings),
        started_at=of_optional_microseconds(row["started_at"]),
        ended_at=of_optional_microseconds(row["ended_at"]),
        ender_id=row["ender_id"],
        num_jobs=row["num_jobs"],
    )


def to_json(value: object) -> str | None:
    """Return a value as JSON text; null stays null."""
    return None if value is None else msgspec.json.encode(value).decode()


def to_microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def to_optional_microseconds(time: datetime | None) -> int | None:
    """Return a time, if there is one, as microseconds since 1970."""
    return None if time is None else to_microseconds(time)


def of_microseconds(microseconds: int) -> datetime:
    """Return the time that many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=microseconds)


def of_optional_microseconds(microseconds: int | None) -> datetime | None:
    """Return the time, if there is one, that many microseconds after 1970 began."""
    return None if microseconds is None else of_microseconds(microseconds)
