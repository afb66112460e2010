from __future__ import annotations

import pytest

from ionbox.errors import InvalidInputError
from ionbox.jobs.job import FailureCode
from ionbox.service.scenarios import (
    FAILURE_CODES,
    Fault,
    Scenario,
    WantedFailure,
    check_fault,
    check_scenario,
    take,
)

BUSY = Fault(status=429, retry_after=2)


def test_the_failures_to_ask_for_hold_all_that_ionbox_uses_itself() -> None:
    assert set(FailureCode) < set(FAILURE_CODES)
    assert len(FAILURE_CODES) == len(set(FAILURE_CODES)) == 20


@pytest.mark.parametrize(
    ("fault", "is_meant"),
    [
        (Fault(), True),
        (Fault(method="post"), True),
        (Fault(method="GET"), False),
        (Fault(path="/v0.4/jobs"), True),
        (Fault(path="/v0.4/job"), False),
        (Fault(path="/v0.4/*"), True),
        (Fault(path="/v0.4/jobs/*"), False),
        (Fault(method="POST", path="*"), True),
    ],
)
def test_a_fault_befalls_what_has_its_method_and_its_path(*, fault: Fault, is_meant: bool) -> None:
    assert fault.befalls("POST", "/v0.4/jobs") is is_meant


def test_a_fault_is_used_up_after_its_times_and_the_next_one_follows() -> None:
    faults: tuple[Fault, ...] = (Fault(status=429, times=2), Fault(status=503))
    seen = []
    for _ in range(4):
        fault, faults = take(faults, "GET", "/v0.4/jobs")
        seen.append(fault.status if fault else None)

    assert (seen, faults) == ([429, 429, 503, None], ())


def test_a_fault_that_is_not_meant_waits_for_its_request() -> None:
    waiting = Fault(status=500, method="GET")

    fault, left = take((waiting, BUSY), "POST", "/v0.4/jobs")

    assert (fault, left) == (BUSY, (waiting,))


@pytest.mark.parametrize(
    ("scenario", "path"),
    [
        (Scenario(after_polls=-1), "after_polls"),
        (Scenario(after_polls=1, after_seconds=1.0), "after_polls"),
        (Scenario(after_seconds=601), "after_seconds"),
        (Scenario(failure=WantedFailure("Unheard")), "failure.code"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(scenario: Scenario, path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_scenario(scenario)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        (Fault(), ""),
        (Fault(status=200), "status"),
        (Fault(status=500, drop="before"), "drop"),
        (Fault(drop="before", retry_after=1), "retry_after"),
        (Fault(status=429, retry_after=-1), "retry_after"),
        (Fault(status=429, times=0), "times"),
        (Fault(delay_seconds=-1.0), "delay_seconds"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(fault: Fault, path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_fault(fault)

    assert caught.value.path == path
