"""How jobs end on a server for testers; what one key asks for touches no other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.acceptance.client import Api, until
from tests.acceptance.testers import ROOM, ask, journal, status_of
from tests.builders import BELL

from ionbox import LocalServer

QASM = "OPENQASM 3.0; qubit[2] q; h q[0]; cx q[0], q[1];"
INPUTS: dict[str, object] = {
    "ionq.circuit.v1": BELL,
    "ionq.qasm3.v1": {"data": QASM},
    "ionq.multi-circuit.v1": {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * 3},
}
SHAPES_READ_BY_WORKERS = [
    {"job_input": {"data": QASM}, "type": "ionq.qasm3.v1"},
    {"job_input": BELL, "backend": "qpu.forte-1"},
    {
        "job_input": INPUTS["ionq.multi-circuit.v1"],
        "type": "ionq.multi-circuit.v1",
        "backend": "qpu.forte-1",
    },
]


def listed(api: Api, job_id: str) -> str:
    """Return the status of a job without a poll."""
    jobs = api.get("/v0.4/jobs")["jobs"]
    return str(next(job["status"] for job in jobs if job["id"] == job_id))


def test_without_testing_there_is_no_such_room(api: Api) -> None:
    answers = [api.call("GET", f"{ROOM}/{room}") for room in ("jobs", "faults", "requests")]
    answers.append(api.call("POST", f"{ROOM}/reset"))

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "--testing" in answers[0].json()["message"]


def test_without_a_key_the_room_is_closed(tester: Api) -> None:
    assert requests.get(f"{tester.url}{ROOM}/jobs", timeout=10).status_code == 401


@pytest.mark.parametrize("job_type", INPUTS)
def test_a_job_that_ends_at_once_has_ended_when_its_submission_is_answered(
    tester: Api, job_type: str
) -> None:
    ask(tester, "PUT", "jobs", {})
    job_id = tester.create(INPUTS[job_type], type=job_type)  # type: ignore[arg-type]

    assert status_of(tester, job_id) == "completed"


@pytest.mark.parametrize("version", ["v0.3", "v0.4"])
def test_a_job_that_ends_after_polls_is_seen_to_wait_so_often(tester: Api, version: str) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 3})
    job_id = tester.create(BELL)

    seen = [status_of(tester, job_id, version) for _ in range(5)]

    assert seen == [*["ready"] * 3, *["completed"] * 2]


@pytest.mark.parametrize("job_type", ["ionq.circuit.v1", "ionq.multi-circuit.v1"])
def test_a_list_by_ids_is_a_poll_of_each(tester: Api, job_type: str) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 1})
    ids = [tester.create(INPUTS[job_type], type=job_type) for _ in range(2)]  # type: ignore[arg-type]

    lists = [tester.get("/v0.4/jobs", ids=",".join(ids))["jobs"] for _ in range(2)]

    assert [{job["status"] for job in jobs} for jobs in lists] == [{"ready"}, {"completed"}]


@pytest.mark.parametrize("shape", SHAPES_READ_BY_WORKERS)
def test_a_job_that_a_worker_reads_is_ready_while_it_is_held(
    tester: Api, shape: dict[str, Any]
) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 3})
    job_id = tester.create(**shape)
    until(lambda: listed(tester, job_id), lambda status: status != "submitted")

    seen = [status_of(tester, job_id) for _ in range(4)]

    assert seen == [*["ready"] * 3, "completed"]


def test_a_job_is_let_go_while_a_worker_is_still_to_read_it(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 0})
    job_id = tester.create({"data": QASM}, type="ionq.qasm3.v1")

    assert status_of(tester, job_id) == "completed"


def test_other_reads_are_no_polls(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 0})
    job_id = tester.create(BELL)
    for _ in range(3):
        listed = {job["id"]: job["status"] for job in tester.get("/v0.4/jobs")["jobs"]}
        tester.get(f"/v0.4/jobs/{job_id}/cost")
        assert listed[job_id] == "ready"

    assert status_of(tester, job_id) == "completed"


def test_a_job_that_ends_after_a_time_waits_so_long(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_seconds": 0.5})
    start = time.monotonic()
    job_id = tester.create(BELL)
    first = status_of(tester, job_id)
    tester.ended(job_id)

    assert first == "ready"
    assert time.monotonic() - start >= 0.5


@pytest.mark.parametrize("job_type", ["ionq.circuit.v1", "ionq.qasm3.v1"])
def test_a_job_fails_with_the_code_that_was_asked_for(tester: Api, job_type: str) -> None:
    ask(tester, "PUT", "jobs", {"failure": {"code": "TooManyShots", "message": "not today"}})
    job_id = tester.create(INPUTS[job_type], type=job_type)  # type: ignore[arg-type]
    old, new = (tester.get(f"/{version}/jobs/{job_id}") for version in ("v0.3", "v0.4"))

    assert (old["status"], new["status"]) == ("failed", "failed")
    assert old["failure"] == {"code": "TooManyShots", "error": "not today"}
    assert new["failure"]["code"] == "TooManyShots"
    assert new["failure"]["message"] == "not today"
    assert tester.call("GET", f"/v0.3/jobs/{job_id}/results").status_code == 404
    assert job_id in [job["id"] for job in tester.get("/v0.4/jobs", status="failed")["jobs"]]


def test_a_job_fails_when_it_was_to_end(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 1, "failure": {"code": "SystemCancel"}})
    job_id = tester.create(BELL)

    assert [status_of(tester, job_id) for _ in range(2)] == ["ready", "failed"]


def test_a_job_of_many_circuits_fails_with_all_of_them(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"failure": {"code": "QuotaExhaustedError"}})
    job_id = tester.create(INPUTS["ionq.multi-circuit.v1"], type="ionq.multi-circuit.v1")  # type: ignore[arg-type]
    job = tester.get(f"/v0.4/jobs/{job_id}")
    children = tester.get("/v0.4/jobs", parent_job_id=job_id)["jobs"]

    assert (job["status"], job["failure"]["code"]) == ("failed", "QuotaExhaustedError")
    assert [child["status"] for child in children] == ["failed"] * 3


def test_a_held_job_can_be_canceled_and_stays_so(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 1, "failure": {"code": "InternalError"}})
    job_id = tester.create(BELL)
    tester.call("PUT", f"/v0.4/jobs/{job_id}/status/cancel")

    assert [status_of(tester, job_id) for _ in range(3)] == ["canceled"] * 3


def test_a_held_job_can_be_deleted(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 0})
    job_id = tester.create(BELL)
    tester.call("DELETE", f"/v0.4/jobs/{job_id}")

    assert tester.call("GET", f"/v0.4/jobs/{job_id}").status_code == 404


def test_a_clone_is_held_like_any_submission(tester: Api) -> None:
    first = tester.create(BELL)
    ask(tester, "PUT", "jobs", {"after_polls": 1})
    clone = tester.call("POST", f"/v0.4/jobs/{first}/clone").json()["id"]

    assert [status_of(tester, clone) for _ in range(2)] == ["ready", "completed"]
    assert journal(tester)[1]["job_id"] == clone


def test_a_scenario_is_read_back_and_taken_back(tester: Api) -> None:
    wanted = {"after_polls": 2, "after_seconds": None, "failure": None}
    before = ask(tester, "GET", "jobs")
    ask(tester, "PUT", "jobs", {"after_polls": 2})
    during = ask(tester, "GET", "jobs")
    ask(tester, "DELETE", "jobs")

    assert (before, during, ask(tester, "GET", "jobs")) == (None, wanted, None)
    assert tester.completed(BELL)["status"] == "completed"


def test_an_unknown_code_is_refused_with_those_that_are_known(tester: Api) -> None:
    answer = tester.call("PUT", f"{ROOM}/jobs", {"failure": {"code": "Unheard"}})

    assert answer.status_code == 400
    assert answer.json()["validation"]["keys"] == ["failure.code"]
    assert "TooManyShots, UnknownBillingError" in answer.json()["message"]


@pytest.mark.parametrize(("room", "body"), [("jobs", {"afterPolls": 1}), ("faults", {"state": 1})])
def test_a_key_that_is_not_known_is_refused(tester: Api, room: str, body: object) -> None:
    method = "PUT" if room == "jobs" else "POST"

    assert tester.call(method, f"{ROOM}/{room}", body).status_code == 400


def test_a_server_that_starts_again_runs_what_was_held(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with LocalServer(data=data, workers=2, testing=True) as server:
        api = Api.of(server)
        ask(api, "PUT", "jobs", {"after_polls": 1000})
        ids = [api.create(BELL), api.create({"data": QASM}, type="ionq.qasm3.v1")]
        before = [status_of(api, job_id) for job_id in ids]
    with LocalServer(data=data, workers=2, testing=True) as server:
        api = Api.of(server)
        after = [api.ended(job_id)["status"] for job_id in ids]

    assert (before[0], after) == ("ready", ["completed", "completed"])


# --- keys --------------------------------------------------------------------------------------


def test_what_one_key_asks_for_touches_no_other(new_tester: Callable[[], Api]) -> None:
    one, other = new_tester(), new_tester()
    ask(one, "PUT", "jobs", {"after_polls": 1})
    ask(one, "POST", "faults", {"status": 503, "times": 5, "method": "DELETE"})
    held, free = one.create(BELL), other.create(BELL)
    other.ended(free)
    read_by_the_other = [status_of(other, held) for _ in range(3)]

    assert read_by_the_other == ["ready"] * 3  # and none of them is a poll
    assert [status_of(one, held) for _ in range(2)] == ["ready", "completed"]
    assert other.call("DELETE", f"/v0.4/jobs/{free}").status_code == 200
    assert one.call("DELETE", f"/v0.4/jobs/{held}").status_code == 503
    assert ask(other, "GET", "jobs") is None
    assert ask(other, "GET", "faults") == []
    assert {record["job_id"] for record in journal(other)} == {free, None}
    ask(other, "POST", "reset")
    assert len(journal(one)) == 4


def test_a_reset_forgets_everything_and_has_held_jobs_run(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 100, "failure": {"code": "InternalError"}})
    job_id = tester.create(BELL)
    ask(tester, "POST", "faults", {"status": 503, "times": 100})
    ask(tester, "POST", "reset")
    rooms = [ask(tester, "GET", room) for room in ("jobs", "faults", "requests")]

    assert rooms == [None, [], []]
    assert tester.ended(job_id)["status"] == "completed"
    assert tester.completed(BELL)["status"] == "completed"


def test_where_no_key_is_asked_for_all_callers_are_one() -> None:
    with LocalServer(workers=2, testing=True, auth="none") as server:
        requests.put(f"{server.url}{ROOM}/jobs", json={"after_polls": 2}, timeout=10)
        answer = requests.get(f"{server.url}{ROOM}/jobs", timeout=10)

    assert answer.json()["after_polls"] == 2


def test_a_held_job_says_that_it_is_held(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 1000})
    job_id = tester.create(BELL)
    wait = tester.get(f"/ionbox/v1/jobs/{job_id}/wait")

    assert [reason["code"] for reason in wait["reasons"]] == ["held"]
