"""What a worker's answer makes of a job; or that there was none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from ionbox.jobs.job import Failure, FailureCode, Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.acceptance import Acceptance
from ionbox.service.forecast import Forecast
from ionbox.service.planning import encode_output
from ionbox.service.ports import Change, ResultStore, StoredResult
from ionbox.service.work import Assessed, Failed, Finished, Lost, Reply

MAX_ATTEMPTS: Final = 3

_log = logging.getLogger(__name__)


class Claim(msgspec.Struct, frozen=True):
    """A job that a worker has: as the store has it, and as it is in truth.

    They differ where the claim of a short job is not written on its own.

    Args:
        taken_at: When the worker took it.
        threads: How many the worker was granted.
    """

    stored: Job
    job: Job
    data: bytes
    taken_at: datetime
    threads: int


class Loss(msgspec.Struct, frozen=True):
    """How it comes that a worker is gone.

    Args:
        is_harmless: It was ended for another job's sake, or since the server stops.
        was_silent: It was ended since nothing was heard of it.
    """

    is_harmless: bool = False
    was_silent: bool = False


class Endings:
    """Turns replies into changes of jobs.

    Args:
        clock: Returns the time, aware.
        forecast: Returns how long a job will wait that would be queued now.
    """

    def __init__(
        self,
        results: ResultStore,
        acceptance: Acceptance,
        clock: Callable[[], datetime],
        forecast: Callable[[Job], Forecast],
    ) -> None:
        self._results = results
        self._acceptance = acceptance
        self._clock = clock
        self._forecast = forecast

    def change(self, claim: Claim, reply: Reply, loss: Loss) -> Change:
        """Return what a reply makes of a job.

        Args:
            loss: How it was lost, if the reply is that.
        """
        match reply:
            case Finished():
                return self._finish(claim, reply)
            case Failed():
                after, _ = step(claim.job, JobEvent.FAIL, self._clock(), failure=reply.failure)
                return Change(after, claim.stored)
            case Assessed():
                return self._accept(claim, reply)
            case Lost():
                self.discard(claim.job)
                return Change(self._lost(claim.job, reply, loss), claim.stored)

    def taken_back(self, job: Job, reason: str) -> Change:
        """Return a started job, of whose worker nobody knows, as one that is to run again."""
        return Change(self._lost(job, Lost(reason), Loss()), job)

    def draft(self, job: Job) -> Path:
        """Return where an attempt leaves a large outcome."""
        return self._results.draft(job.id, job.attempt)

    def discard(self, job: Job) -> None:
        """Delete what an attempt may have left."""
        self._results.discard(self.draft(job))

    def _accept(self, claim: Claim, reply: Assessed) -> Change:
        """Return a job that was just read, with its expected wait, counted from its submission."""
        job, _ = self._acceptance.accept(claim.job, reply, self._clock())
        if job.status is JobStatus.READY:
            seconds = self._forecast(job).seconds
            if seconds is not None:
                seconds += (self._clock() - job.submitted_at).total_seconds()
            job = replace(job, predicted_wait_seconds=seconds)
        output = encode_output(reply.output)
        return Change(job, claim.stored, answers=reply.answers, output=output)

    def _finish(self, claim: Claim, reply: Finished) -> Change:
        """Return what an outcome makes of a job; one that ran as it was read is accepted first."""
        job, stored, answers, output = claim.job, claim.stored, None, None
        if reply.assessed is not None:
            job, _ = self._acceptance.accept(job, reply.assessed, claim.taken_at)
            answers, output = reply.assessed.answers, encode_output(reply.assessed.output)
            if job.status is not JobStatus.READY:
                self.discard(claim.job)
                return Change(job, stored, answers=answers, output=output)
            job, _ = step(job, JobEvent.CLAIM, claim.taken_at)
        try:
            result = self._keep(claim.job, reply)
        except OSError as error:
            self.discard(claim.job)
            lost = Lost(f"its outcome was not kept: {error}")
            return Change(self._lost(claim.job, lost, Loss()), stored)
        done, _ = step(_told(job, claim, reply), JobEvent.FINISH, self._clock())
        return Change(done, stored, result, answers, output)

    def _keep(self, job: Job, reply: Finished) -> StoredResult:
        if reply.encoded is not None:
            return StoredResult(inline=reply.encoded)
        return StoredResult(blob=self._results.keep(self.draft(job)))

    def _lost(self, job: Job, reply: Lost, loss: Loss) -> Job:
        """Return a job that is to run again, or has failed: it has cost too many workers."""
        now = self._clock()
        if loss.is_harmless:
            return step(job, JobEvent.RELEASE, now)[0]
        reason = reply.reason
        if loss.was_silent:
            reason = f"its lease ran out, since nothing was heard of its worker; {reason}"
        _log.warning("job %s, attempt %d: %s", job.id, job.attempt, reason)
        job = replace(job, peak_bytes=reply.memory_bytes)
        after, _ = step(job, JobEvent.LOSE, now)
        if after.attempt < MAX_ATTEMPTS:
            return after
        return step(job, JobEvent.FAIL, now, failure=_poisonous(job, reason))[0]


def _told(job: Job, claim: Claim, reply: Finished) -> Job:
    """Return a job with what is known of its run."""
    return replace(
        job,
        warnings=(*job.warnings, *reply.warnings),
        run_threads=claim.threads,
        run_seconds=reply.seconds,
        peak_bytes=reply.memory_bytes or None,
    )


def _poisonous(job: Job, reason: str) -> Failure:
    is_unread = job.status is JobStatus.SUBMITTED
    code = FailureCode.PREFLIGHT_ERROR if is_unread else FailureCode.INTERNAL_ERROR
    return Failure(code, f"given up after {MAX_ATTEMPTS} attempts; the last one: {reason}")
