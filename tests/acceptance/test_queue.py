"""What a server says of jobs that wait, and whether it comes true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.client import Api, until
from tests.builders import BELL, ENDLESS, entanglers

from ionbox import LocalServer

# About a second on one core, and short enough to be read at once.
SECOND = entanglers(20, 400)
WAITING = entanglers(24, 400)


@pytest.fixture
def own() -> Iterator[Api]:
    with LocalServer(workers=2) as server:
        yield Api.of(server)


def wait_of(api: Api, job_id: str) -> dict[str, Any]:
    wait: dict[str, Any] = api.get(f"/ionbox/v1/jobs/{job_id}/wait")
    return wait


def codes(wait: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in wait["reasons"]]


def test_a_job_that_has_ended_says_how_long_it_waited_and_was_expected_to(api: Api) -> None:
    wait = wait_of(api, api.completed(BELL)["id"])

    assert wait["status"] == "completed"
    assert wait["waited_ms"] < 10_000
    assert wait["predicted_wait_ms"] is not None
    assert (wait["position"], wait["remaining_wait_ms"], wait["progress"]) == (None, None, None)
    assert wait["reasons"] == []


def test_a_job_that_waits_says_for_what(own: Api) -> None:
    running = own.submit(ENDLESS)
    own.running(running)
    first, second = own.submit(WAITING), own.submit(WAITING)

    wait = wait_of(own, second)

    assert (wait["status"], wait["position"]) == ("ready", 2)
    assert (wait["jobs_ahead_own"], wait["jobs_ahead_others"]) == (1, 0)
    assert codes(wait) == ["own_jobs", "cores"]
    assert wait["remaining_wait_ms"] > wait_of(own, first)["remaining_wait_ms"] > 0
    assert own.get(f"/v0.4/jobs/{second}")["predicted_wait_time_ms"] > 0


def test_a_job_that_runs_says_how_far_it_is_and_what_it_takes(own: Api) -> None:
    job_id = own.submit(ENDLESS)
    own.running(job_id)

    wait = until(
        lambda: wait_of(own, job_id), lambda wait: wait["progress"]["memory_bytes"] is not None
    )

    progress = wait["progress"]
    assert 0 < progress["memory_bytes"] < 2 * progress["predicted_memory_bytes"]
    assert progress["running_ms"] > 0
    assert wait["reasons"] == []


def test_a_parent_waits_as_its_last_child_does(own: Api) -> None:
    own.running(own.submit(ENDLESS))
    parent = own.submit({"circuits": [entanglers(24, 100)] * 3})

    wait = wait_of(own, parent)

    assert (wait["status"], wait["position"], wait["jobs_ahead_own"]) == ("ready", 3, 2)


def test_nobody_reads_why_anothers_job_waits(api: Api) -> None:
    answer = api.call("GET", "/ionbox/v1/jobs/00000000-0000-7000-8000-000000000000/wait")

    assert answer.status_code == 404


def test_what_is_urgent_goes_before_what_the_same_key_submitted_before(own: Api) -> None:
    running = own.submit(ENDLESS)
    own.running(running)
    calm = [own.submit(SECOND) for _ in range(3)]
    body = {"input": SECOND}
    urgent = own.call("POST", "/v0.3/jobs", body, headers={"Priority": "u=0, i"}).json()["id"]
    own.call("PUT", f"/v0.3/jobs/{running}/status/cancel")

    for job_id in (*calm, urgent):
        own.ended(job_id)
    starts = {job: own.get(f"/v0.4/jobs/{job}")["started_at"] for job in (*calm, urgent)}
    assert starts[urgent] == min(starts.values())


@pytest.mark.parametrize(("how", "num_ahead"), [("clone", 4), ("move", 2)])
def test_what_is_submitted_once_more_is_as_urgent_as_it_says_or_as_it_was(
    own: Api, how: str, num_ahead: int
) -> None:
    own.running(own.submit(ENDLESS))
    calm = own.submit(SECOND)
    urgent = again(own, calm, how, "u=0")
    last = own.submit(SECOND)

    assert wait_of(own, urgent)["jobs_ahead_own"] == 0
    assert wait_of(own, again(own, urgent, "clone", ""))["jobs_ahead_own"] == 1
    assert wait_of(own, again(own, last, how, "u=7"))["jobs_ahead_own"] == num_ahead


def again(api: Api, job_id: str, how: str, priority: str) -> str:
    answer = api.call("POST", f"/v0.4/jobs/{job_id}/{how}", headers={"Priority": priority})
    assert answer.status_code == 201, answer.text
    new_id: str = answer.json()["id"]
    return new_id


def test_a_wait_is_foretold_to_a_factor_of_a_few(own: Api) -> None:
    for _ in range(3):  # how long such jobs take here is learned
        own.completed(SECOND)
    own.running(own.submit(SECOND))
    told = []
    for _ in range(5):
        job_id = own.submit(SECOND)
        told.append((job_id, wait_of(own, job_id)["remaining_wait_ms"]))
    for job_id, expected_ms in told[1:]:
        own.ended(job_id)
        waited_ms = wait_of(own, job_id)["waited_ms"]

        assert waited_ms / 4 <= expected_ms <= waited_ms * 4


@pytest.mark.parametrize("whose", ["key", "project"])
def test_more_waiting_jobs_than_allowed_are_refused_until_some_have_gone(whose: str) -> None:
    options: dict[str, Any] = {"workers": 2, f"{whose}_waiting": 2}
    with LocalServer(**options) as server:
        api = Api.of(server)
        api.running(api.submit(ENDLESS))
        waiting = [api.submit(WAITING) for _ in range(2)]
        refused = api.call("POST", "/v0.3/jobs", {"input": BELL})
        many = {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * 3}
        never = api.call("POST", "/v0.3/jobs", {"input": many})
        api.call("PUT", f"/v0.3/jobs/{waiting[0]}/status/cancel")
        accepted = api.call("POST", "/v0.3/jobs", {"input": BELL})

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": f"1 given, beside 2 that wait; 2 jobs of a {whose} may wait at once",
    }
    assert accepted.status_code == 200
    assert never.status_code == 400
    assert never.json()["message"] == f"3 jobs at once; 2 of a {whose} may wait"
