"""A session: jobs that belong together, within limits of number, time and cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from ionbox.backends.pricing import MICROS, to_amount
from ionbox.errors import InvalidInputError


class SessionStatus(StrEnum):
    """Where a session stands; the words of the API v0.4."""

    CREATED = "created"
    STARTED = "started"
    ENDED = "ended"


class CostLimit(msgspec.Struct, frozen=True):
    """The most that a session may cost."""

    value: float
    unit: str = "usd"

    @property
    def micros(self) -> int:
        """The same in whole millionths, as costs are counted."""
        return round(self.value * MICROS)


class SessionSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits of a session, each optional."""

    job_count_limit: int | None = None
    duration_limit_min: int | None = None
    cost_limit: CostLimit | None = None


class Session(msgspec.Struct, frozen=True):
    """One session. It starts with its first job, and ends by word or by time.

    Args:
        started_at: When its first job was submitted.
        ended_at: When somebody ended it; see `end_of` for one that ran out.
        num_jobs: How many jobs it has taken; many circuits are one, and deleted ones count.
    """

    id: str
    project_id: str
    creator_id: str
    backend: str
    created_at: datetime
    settings: SessionSettings = SessionSettings()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ender_id: str | None = None
    num_jobs: int = 0

    @property
    def expires_at(self) -> datetime | None:
        """When it runs out; None for never."""
        minutes = self.settings.duration_limit_min
        return None if minutes is None else self.created_at + timedelta(minutes=minutes)


def end_of(session: Session, now: datetime) -> datetime | None:
    """Return when a session ended; None if it has not."""
    if session.ended_at is not None:
        return session.ended_at
    expires_at = session.expires_at
    return expires_at if expires_at is not None and expires_at <= now else None


def status_of(session: Session, now: datetime) -> SessionStatus:
    """Return where a session stands."""
    if end_of(session, now) is not None:
        return SessionStatus.ENDED
    return SessionStatus.CREATED if session.started_at is None else SessionStatus.STARTED


def end(session: Session, ender_id: str, now: datetime) -> Session:
    """Return a session that is ended; one that has ended stays as it is."""
    if end_of(session, now) is not None:
        return session
    return replace(session, ended_at=now, ender_id=ender_id)


def join(session: Session, backend: str, now: datetime) -> Session:
    """Return a session that has taken one more job.

    Args:
        backend: What the job is addressed to.

    Raises:
        InvalidInputError: If it has ended, is full, or is of another backend.
    """
    limit = session.settings.job_count_limit
    if end_of(session, now) is not None:
        raise InvalidInputError("session_id", f"session '{session.id}' has ended")
    if backend != session.backend:
        message = f"'{backend}'; session '{session.id}' is for '{session.backend}'"
        raise InvalidInputError("backend", message)
    if limit is not None and session.num_jobs >= limit:
        message = f"session '{session.id}' has taken its {limit} jobs"
        raise InvalidInputError("session_id", message)
    started_at = session.started_at or now
    return replace(session, started_at=started_at, num_jobs=session.num_jobs + 1)


def over_budget(session: Session, spent_micros: int, cost_micros: int) -> str:
    """Return why a session cannot afford one more job; empty if it can.

    Args:
        spent_micros: What its jobs cost so far, failed and canceled ones apart.
        cost_micros: What the job costs; 0 where its input is still to be read.
    """
    limit = session.settings.cost_limit
    if limit is None:
        return ""
    is_spent = 0 < spent_micros >= limit.micros
    if not is_spent and spent_micros + cost_micros <= limit.micros:
        return ""
    costs = f", and this job costs {to_amount(cost_micros)}" if cost_micros else ""
    return (
        f"session '{session.id}' may cost {limit.value} {limit.unit}; "
        f"its jobs cost {to_amount(spent_micros)} so far{costs}"
    )
