from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product

import pytest
from tests.builders import NOW, make_job

from ionbox.errors import LifecycleError
from ionbox.jobs.job import Failure, JobStatus
from ionbox.jobs.lifecycle import (
    TERMINAL,
    TRANSITIONS,
    Effect,
    JobEvent,
    diagram,
    follow,
    step,
    sum_up,
)

LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(("status", "event"), list(product(JobStatus, JobEvent)))
def test_every_event_in_every_status_follows_the_table(status: JobStatus, event: JobEvent) -> None:
    job = make_job(status=status)
    transition = TRANSITIONS.get((status, event))

    if transition is None:
        with pytest.raises(LifecycleError, match=f"'{status}' does not know the event '{event}'"):
            step(job, event, LATER)
        return
    after, effects = step(job, event, LATER)
    assert (after.status, effects) == (transition.to, transition.effects)
    assert (after.completed_at is not None) == (after.status in TERMINAL - {status})
    assert abs(after.attempt - job.attempt) <= 1


@pytest.mark.parametrize("status", sorted(TERMINAL))
@pytest.mark.parametrize("event", [e for e in JobEvent if e is not JobEvent.CANCEL])
def test_nothing_happens_to_a_job_that_has_ended(status: JobStatus, event: JobEvent) -> None:
    with pytest.raises(LifecycleError):
        step(make_job(status=status), event, LATER)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_canceling_a_job_that_has_ended_changes_nothing(status: JobStatus) -> None:
    job = make_job(status=status, completed_at=NOW)

    assert step(job, JobEvent.CANCEL, LATER) == (job, ())


def test_a_claim_counts_an_attempt_and_notes_the_time() -> None:
    job, _ = step(make_job(), JobEvent.CLAIM, LATER)

    assert (job.attempt, job.started_at) == (1, LATER)


def test_a_job_whose_worker_is_lost_waits_again_as_if_it_had_not_started() -> None:
    claimed, _ = step(make_job(), JobEvent.CLAIM, LATER)
    job, effects = step(claimed, JobEvent.LOSE, LATER)

    assert (job.status, job.started_at, job.attempt) == (JobStatus.READY, None, 1)
    assert effects == (Effect.QUEUE,)


def test_a_job_that_its_worker_hands_back_has_lost_no_attempt() -> None:
    claimed, _ = step(make_job(), JobEvent.CLAIM, LATER)
    job, effects = step(claimed, JobEvent.RELEASE, LATER)

    assert (job.status, job.started_at, job.attempt) == (JobStatus.READY, None, 0)
    assert effects == ()


def test_an_input_that_costs_its_reader_counts_attempts() -> None:
    job, _ = step(make_job(status=JobStatus.SUBMITTED), JobEvent.LOSE, LATER)

    assert (job.status, job.attempt) == (JobStatus.SUBMITTED, 1)


def test_a_failure_is_kept_with_the_job() -> None:
    failure = Failure("SimulationError", "no")
    job, _ = step(make_job(status=JobStatus.STARTED), JobEvent.FAIL, LATER, failure=failure)

    assert (job.failure, job.completed_at) == (failure, LATER)


def test_every_status_can_be_reached_and_every_job_can_end() -> None:
    reached = {JobStatus.SUBMITTED} | {row.to for row in TRANSITIONS.values()}
    ends = {status for (status, _), row in TRANSITIONS.items() if row.to in TERMINAL}

    assert reached == set(JobStatus)
    assert ends == set(JobStatus)


def test_the_diagram_shows_every_transition_of_a_job_that_has_not_ended() -> None:
    text = diagram()

    for (status, event), row in TRANSITIONS.items():
        assert (f"{status} --> {row.to}: {event}" in text) == (status not in TERMINAL)


@pytest.mark.parametrize(
    ("children", "status"),
    [
        ("ready", "ready"),
        ("submitted ready", "submitted"),
        ("started ready", "started"),
        ("completed ready", "started"),
        ("failed submitted", "started"),
        ("completed", "completed"),
        ("completed canceled", "canceled"),
        ("completed canceled failed", "failed"),
        ("", "canceled"),
    ],
)
def test_a_parent_stands_where_its_children_do(children: str, status: str) -> None:
    parent = make_job(status=JobStatus.SUBMITTED)
    after = follow(parent, Counter(map(JobStatus, children.split())), LATER)

    assert after.status == status
    assert (after.completed_at is not None) == (after.status in TERMINAL)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_parent_that_has_ended_follows_no_more(status: JobStatus) -> None:
    parent = make_job(status=status)

    assert follow(parent, {JobStatus.STARTED: 1}, LATER) is parent


def test_a_parent_begins_when_its_first_child_has_and_keeps_that_time() -> None:
    begun = follow(make_job(), {JobStatus.STARTED: 1, JobStatus.READY: 1}, NOW, NOW)
    done = follow(begun, {JobStatus.COMPLETED: 2}, LATER, LATER)

    assert (done.started_at, done.completed_at) == (NOW, LATER)


def test_a_parent_sums_up_its_children() -> None:
    failure = Failure("InvalidInput", "no")
    children = [
        make_job(num_qubits=3, gate_counts=(1, 2), cost_micros=5, predicted_seconds=0.25),
        make_job(num_qubits=2, gate_counts=(3, 4), cost_micros=6, failure=failure),
    ]
    parent = sum_up(make_job(status=JobStatus.FAILED), children)

    assert (parent.num_qubits, parent.gate_counts, parent.cost_micros) == (3, (4, 6), 11)
    assert parent.failure is not None
    assert parent.failure.message.startswith("1 of 2 circuits failed; the first, job ")
    assert sum_up(make_job(status=JobStatus.STARTED), children).failure is None
