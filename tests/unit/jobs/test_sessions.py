from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.builders import NOW

from ionbox.errors import InvalidInputError
from ionbox.jobs.sessions import (
    CostLimit,
    Session,
    SessionSettings,
    SessionStatus,
    end,
    end_of,
    join,
    over_budget,
    status_of,
)

LATER = NOW + timedelta(minutes=1)
SESSION = Session("s-1", "project-1", "creator", "simulator", NOW)


def limited(**limits: Any) -> Session:  # noqa: ANN401 - any limit
    return replace(SESSION, settings=SessionSettings(**limits))


def test_a_session_starts_with_its_first_job() -> None:
    started = join(SESSION, "simulator", LATER)

    assert status_of(SESSION, NOW) is SessionStatus.CREATED
    assert status_of(started, LATER) is SessionStatus.STARTED
    assert (started.started_at, started.num_jobs) == (LATER, 1)
    again = join(started, "simulator", LATER + timedelta(1))
    assert (again.started_at, again.num_jobs) == (LATER, 2)


def test_a_session_runs_out_at_its_time() -> None:
    session = limited(duration_limit_min=1)

    assert end_of(session, LATER - timedelta(seconds=1)) is None
    assert end_of(session, LATER + timedelta(hours=1)) == LATER
    assert status_of(session, LATER) is SessionStatus.ENDED
    assert SESSION.expires_at is None


def test_a_session_ends_by_word_once() -> None:
    ended = end(SESSION, "somebody", LATER)

    assert (ended.ended_at, ended.ender_id) == (LATER, "somebody")
    assert end(ended, "another", LATER + timedelta(1)) is ended


def test_a_session_that_ran_out_is_ended_by_nobody() -> None:
    session = limited(duration_limit_min=1)

    assert end(session, "somebody", LATER) is session


@pytest.mark.parametrize(
    ("session", "backend", "message"),
    [
        (replace(SESSION, ended_at=NOW), "simulator", "session_id: session 's-1' has ended"),
        (limited(duration_limit_min=1), "simulator", "session_id: session 's-1' has ended"),
        (limited(job_count_limit=2), "simulator", "session_id: .* has taken its 2 jobs"),
        (SESSION, "qpu.forte-1", "backend: 'qpu.forte-1'; session 's-1' is for 'simulator'"),
    ],
)
def test_a_session_refuses_a_job_that_is_not_for_it(
    session: Session, backend: str, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        join(replace(session, num_jobs=2), backend, LATER)


@pytest.mark.parametrize(
    ("limit", "spent", "cost", "is_over"),
    [
        (1.5, 0, 0, False),
        (1.5, 0, 1_500_000, False),
        (1.5, 0, 1_500_001, True),
        (1.5, 1_000_000, 500_000, False),
        (1.5, 1_000_000, 500_001, True),
        (1.5, 1_499_999, 0, False),  # a job that is still to be read may be the last
        (1.5, 1_500_000, 0, True),
        (0, 0, 0, False),  # what is free is free
        (0, 0, 1, True),
        (4.35, 0, 4_350_000, False),  # 4.35 is no binary fraction
    ],
)
def test_a_session_affords_what_keeps_it_within_its_limit(
    limit: float, spent: int, cost: int, *, is_over: bool
) -> None:
    assert bool(over_budget(limited(cost_limit=CostLimit(limit)), spent, cost)) is is_over


def test_a_session_without_a_limit_affords_everything() -> None:
    assert over_budget(SESSION, 10**15, 10**15) == ""


def test_a_session_says_what_it_cannot_afford() -> None:
    session = limited(cost_limit=CostLimit(1.5))
    text = "session 's-1' may cost 1.5 usd; its jobs cost 1.25 so far"

    assert over_budget(session, 1_250_000, 250_001) == f"{text}, and this job costs 0.250001"
    assert over_budget(session, 1_500_000, 0) == text.replace("1.25", "1.5")
