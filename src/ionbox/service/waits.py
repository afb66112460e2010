"""Why a job waits, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ionbox.jobs.job import Job, JobStatus
from ionbox.service.fair_queue import Ahead
from ionbox.service.forecast import Forecast
from ionbox.service.work import Beat


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a job waits for, for programs (`code`) and for people (`message`)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a job has waited, and will.

    Args:
        one: The job itself; of a parent, the child that is looked at.
        forecast: Of a job that waits for a worker.
        beat: The last that was heard of a job that runs.
        now: When this was asked.
        is_held: Whether its tester holds it.
    """

    job: Job
    one: Job
    forecast: Forecast | None
    beat: Beat | None
    now: datetime
    is_held: bool = False

    @property
    def position(self) -> int | None:
        """Whose turn comes first has 1; about, where others wait too."""
        if self.forecast is None:
            return None
        return self.forecast.own.num_jobs + self.forecast.others.num_jobs + 1

    @property
    def waited_seconds(self) -> float:
        """How long it waited, or has so far."""
        until = self.job.started_at or self.job.completed_at or self.now
        return (until - self.job.submitted_at).total_seconds()

    @property
    def running_seconds(self) -> float | None:
        """How long it has run, if it runs."""
        if self.job.status is not JobStatus.STARTED or self.job.started_at is None:
            return None
        return (self.now - self.job.started_at).total_seconds()


def reasons(wait: Wait) -> list[Reason]:
    """Return what a job waits for; nothing where it does not wait."""
    if wait.is_held:
        return [Reason("held", "its tester asked for it to be held (--testing)")]
    if wait.forecast is None:
        is_waiting = wait.one.status in (JobStatus.SUBMITTED, JobStatus.READY)
        return [Reason("starting", "a worker is about to take it")] if is_waiting else []
    found = list(_reasons(wait.one, wait.forecast))
    return found or [Reason("starting", "nothing is ahead of it: the next free worker takes it")]


def _reasons(job: Job, forecast: Forecast) -> Iterator[Reason]:
    if job.status is JobStatus.SUBMITTED:
        yield Reason("reading", "a worker reads and plans its input first")
    if forecast.limit is not None:
        text = f"its {forecast.limit} runs as many jobs at once as it may"
        yield Reason(f"{forecast.limit}_limit", text)
    if forecast.own.num_jobs:
        yield Reason("own_jobs", f"{_jobs(forecast.own)} of the same key, submitted before")
    if forecast.others.num_jobs:
        yield Reason("other_jobs", f"about {_jobs(forecast.others)} of others, who have their turn")
    if forecast.missing_bytes:
        text = f"it needs {forecast.missing_bytes} bytes more than are free now"
        yield Reason("memory", text)
    if forecast.seconds and forecast.num_running:
        jobs = (
            "1 long job runs"
            if forecast.num_running == 1
            else f"{forecast.num_running} long jobs run"
        )
        yield Reason("cores", f"{jobs}; a core is free for it in about {forecast.seconds:.1f} s")


def _jobs(ahead: Ahead) -> str:
    plural = "" if ahead.num_jobs == 1 else "s"
    return f"{ahead.num_jobs} job{plural} ({ahead.core_seconds:.1f} s on one core)"
