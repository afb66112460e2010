"""The life of a job as one table, which `step` reads.

A parent has no life of its own: `follow` has it stand where its children do. Nothing else changes
a status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from ionbox.errors import LifecycleError
from ionbox.jobs.job import Failure, Job, JobStatus

TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


class JobEvent(StrEnum):
    """What can happen to a job."""

    ACCEPT = "accept"  # its input was read and a plan was found
    CLAIM = "claim"  # a worker takes it
    LOSE = "lose"  # the worker that had it is gone
    RELEASE = "release"  # its worker hands it back unharmed: the server stops
    FINISH = "finish"  # the engine computed its outcome
    FAIL = "fail"  # it cannot be done; the failure says why
    CANCEL = "cancel"  # its owner no longer wants it


class Effect(StrEnum):
    """What the caller of `step` owes the world, in the same transaction or right after it."""

    QUEUE = "queue"  # put it where workers look
    STOP_WORK = "stop work"  # whoever works on it must stop


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event does to a job of one status."""

    to: JobStatus
    effects: tuple[Effect, ...] = ()


_S, _E = JobStatus, JobEvent
TRANSITIONS: Mapping[tuple[JobStatus, JobEvent], Transition] = {
    (_S.SUBMITTED, _E.ACCEPT): Transition(_S.READY, (Effect.QUEUE,)),
    (_S.SUBMITTED, _E.LOSE): Transition(_S.SUBMITTED, (Effect.QUEUE,)),
    (_S.SUBMITTED, _E.RELEASE): Transition(_S.SUBMITTED),
    (_S.SUBMITTED, _E.FINISH): Transition(_S.COMPLETED),  # a dry run ends once it was read
    (_S.SUBMITTED, _E.FAIL): Transition(_S.FAILED),
    (_S.SUBMITTED, _E.CANCEL): Transition(_S.CANCELED, (Effect.STOP_WORK,)),
    (_S.READY, _E.CLAIM): Transition(_S.STARTED),
    (_S.READY, _E.FAIL): Transition(_S.FAILED),
    (_S.READY, _E.CANCEL): Transition(_S.CANCELED, (Effect.STOP_WORK,)),
    (_S.STARTED, _E.FINISH): Transition(_S.COMPLETED),
    (_S.STARTED, _E.FAIL): Transition(_S.FAILED),
    (_S.STARTED, _E.LOSE): Transition(_S.READY, (Effect.QUEUE,)),
    (_S.STARTED, _E.RELEASE): Transition(_S.READY),
    (_S.STARTED, _E.CANCEL): Transition(_S.CANCELED, (Effect.STOP_WORK,)),
    # Canceling what has ended is a no-op that answers 200: SDKs cancel without looking.
    (_S.COMPLETED, _E.CANCEL): Transition(_S.COMPLETED),
    (_S.FAILED, _E.CANCEL): Transition(_S.FAILED),
    (_S.CANCELED, _E.CANCEL): Transition(_S.CANCELED),
}

# An attempt counts from its claim on, unless it is handed back. Reading an input is not claimed,
# so there an attempt counts when it is lost.
_ATTEMPTS: Mapping[tuple[JobStatus, JobEvent], int] = {
    (_S.READY, _E.CLAIM): 1,
    (_S.STARTED, _E.RELEASE): -1,
    (_S.SUBMITTED, _E.LOSE): 1,
}


def step(
    job: Job, event: JobEvent, now: datetime, *, failure: Failure | None = None
) -> tuple[Job, tuple[Effect, ...]]:
    """Return the job after an event, and the effects that are due.

    Args:
        failure: Why, with `JobEvent.FAIL` and only there.

    Raises:
        LifecycleError: If a job of this status does not know the event.
    """
    transition = TRANSITIONS.get((job.status, event))
    if transition is None:
        raise LifecycleError(job.status, event)
    if job.status in TERMINAL:
        return job, transition.effects
    after = replace(
        job,
        status=transition.to,
        attempt=job.attempt + _ATTEMPTS.get((job.status, event), 0),
        started_at=_started_at(job, transition.to, now),
        completed_at=now if transition.to in TERMINAL else None,
        failure=failure,
    )
    return after, transition.effects


def _started_at(job: Job, to: JobStatus, now: datetime) -> datetime | None:
    if to is JobStatus.STARTED:
        return now
    return job.started_at if to in TERMINAL else None


def follow(
    parent: Job, statuses: Mapping[JobStatus, int], now: datetime, began: datetime | None = None
) -> Job:
    """Return a parent as its children have it: begun when the first has, until the last ends.

    Args:
        statuses: How many of its children have each status.
        began: When the earliest child of those that changed was started, if one was.
    """
    if parent.status in TERMINAL:
        return parent
    standing = {status for status, number in statuses.items() if number}
    if standing <= TERMINAL:
        by_weight = (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.COMPLETED)
        # Without children, because they were deleted, nothing is left to wait for.
        status = next((status for status in by_weight if status in standing), JobStatus.CANCELED)
    elif standing & (TERMINAL | {JobStatus.STARTED}):
        status = JobStatus.STARTED
    else:
        status = JobStatus.SUBMITTED if JobStatus.SUBMITTED in standing else JobStatus.READY
    return replace(
        parent,
        status=status,
        started_at=parent.started_at or began,
        completed_at=now if status in TERMINAL else None,
    )


def sum_up(parent: Job, children: Sequence[Job]) -> Job:
    """Return a parent with what is known of its circuits: sizes, times, cost, the first failure."""
    failed = [child for child in children if child.failure is not None]
    starts = [child.started_at for child in children if child.started_at is not None]
    return replace(
        parent,
        started_at=min(starts, default=parent.started_at),
        num_qubits=max((child.num_qubits for child in children), default=0),
        gate_counts=(
            sum(child.gate_counts[0] for child in children),
            sum(child.gate_counts[1] for child in children),
        ),
        predicted_seconds=sum(child.predicted_seconds for child in children),
        cost_micros=sum(child.cost_micros for child in children),
        failure=_failure_of(failed, len(children)) if parent.status is JobStatus.FAILED else None,
    )


def _failure_of(failed: Sequence[Job], num_children: int) -> Failure | None:
    if not failed or failed[0].failure is None:
        return None
    first = failed[0]
    text = f"{len(failed)} of {num_children} circuits failed; the first, job {first.id}: "
    return Failure(failed[0].failure.code, text + failed[0].failure.message)


def statuses_of(jobs: Sequence[Job]) -> Counter[JobStatus]:
    """Return how many jobs have each status."""
    return Counter(job.status for job in jobs)


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> submitted: submit"]
    lines += [
        f"    {status} --> {transition.to}: {event}"
        for (status, event), transition in TRANSITIONS.items()
        if status not in TERMINAL
    ]
    lines += [f"    {status} --> [*]" for status in JobStatus if status in TERMINAL]
    return "\n".join(lines)
