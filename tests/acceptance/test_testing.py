"""A server for those who test an SDK (`--testing`): each test with a key of its own."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from tests.acceptance.client import Api, until
from tests.builders import BELL
from urllib3.util import Retry

from ionbox import LocalServer

ROOM = "/ionbox/v1/testing"
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
Tester = Callable[[], Api]


@pytest.fixture(scope="module")
def testing() -> Iterator[LocalServer]:
    with LocalServer(workers=2, testing=True) as server:
        yield server
        assert "Traceback" not in log_of(server)
        assert "ASGI" not in log_of(server)


def log_of(server: LocalServer) -> str:
    return (server.data.parent / "log").read_text()


@pytest.fixture
def new_tester(testing: LocalServer) -> Tester:
    return lambda: with_new_key(testing)


@pytest.fixture
def tester(new_tester: Tester) -> Api:
    return new_tester()


def with_new_key(server: LocalServer) -> Api:
    token = json.loads((server.data / "server.json").read_text())["operator_token"]
    headers = {"Authorization": f"operator {token}"}
    answer = Api.of(server).call("POST", "/ionbox/v1/keys", {"name": "tester"}, headers=headers)
    return Api(server.url, answer.json()["secret"], server.pid)


def ask(api: Api, method: str, room: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    answer = api.call(method, f"{ROOM}/{room}", body)
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


def status_of(api: Api, job_id: str, version: str = "v0.4") -> str:
    status: str = api.get(f"/{version}/jobs/{job_id}")["status"]
    return status


def journal(api: Api) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = ask(api, "GET", "requests")
    return records


def listed(api: Api, job_id: str) -> str:
    """Return the status of a job without a poll."""
    jobs = api.get("/v0.4/jobs")["jobs"]
    return str(next(job["status"] for job in jobs if job["id"] == job_id))


def creation(api: Api) -> dict[str, Any]:
    """Return a submission that tells whose it is: the keys here share a project."""
    return {"type": "ionq.circuit.v1", "input": BELL, "name": api.key}


def own_ids(api: Api) -> list[str]:
    jobs = api.get("/v0.4/jobs", limit=1000)["jobs"]
    return [job["id"] for job in jobs if job["name"] == api.key]


# --- scenarios -------------------------------------------------------------------------------


def test_without_testing_there_is_no_such_room(api: Api) -> None:
    answers = [api.call("GET", f"{ROOM}/{room}") for room in ("jobs", "faults", "requests")]
    answers.append(api.call("POST", f"{ROOM}/reset"))

    assert [answer.status_code for answer in answers] == [404] * 4


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


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_a_request_is_answered_with_the_status_that_was_asked_for(tester: Api, status: int) -> None:
    ask(tester, "POST", "faults", {"status": status, "message": "try later"})
    answers = [tester.call("GET", "/v0.4/jobs") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status, 200]
    body = answers[0].json()
    assert (body["statusCode"], body["message"]) == (status, "try later")
    assert isinstance(body["error"], str)
    assert answers[0].headers["x-request-id"]


def test_a_client_that_tries_again_as_long_as_it_is_told_gets_its_job(tester: Api) -> None:
    fault = {"status": 429, "retry_after": 1, "times": 2, "method": "POST", "path": "/v0.4/jobs"}
    ask(tester, "POST", "faults", fault)
    session = requests.Session()
    retry = Retry(total=5, status_forcelist=[429], allowed_methods=None, backoff_factor=0)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    start = time.monotonic()
    answer = session.post(
        f"{tester.url}/v0.4/jobs",
        json=creation(tester),
        headers={"Authorization": f"apiKey {tester.key}"},
    )
    session.close()

    assert answer.status_code == 201
    assert time.monotonic() - start >= 2
    assert [record["status"] for record in journal(tester)] == [429, 429, 201]
    assert own_ids(tester) == [answer.json()["id"]]


def test_faults_come_in_order_and_are_listed_until_they_are_used_up(tester: Api) -> None:
    for status, times in ((503, 2), (502, 1)):
        ask(tester, "POST", "faults", {"status": status, "times": times})
    seen, left = [], []
    for _ in range(4):
        seen.append(tester.call("GET", "/v0.4/jobs").status_code)
        left.append([(one["status"], one["times"]) for one in ask(tester, "GET", "faults")])

    assert seen == [503, 503, 502, 200]
    assert left == [[(503, 1), (502, 1)], [(502, 1)], [], []]


def test_a_fault_leaves_other_methods_and_paths_alone(tester: Api) -> None:
    ask(tester, "POST", "faults", {"status": 500, "method": "GET", "path": "/v0.4/jobs/*"})
    job_id = tester.create(BELL)
    statuses = [
        tester.call("GET", path).status_code
        for path in ("/v0.4/jobs", f"/v0.4/jobs/{job_id}", f"/v0.4/jobs/{job_id}")
    ]

    assert statuses == [200, 500, 200]


def test_faults_can_be_taken_back(tester: Api) -> None:
    ask(tester, "POST", "faults", {"status": 500, "times": 100})
    ask(tester, "DELETE", "faults")

    assert tester.call("GET", "/v0.4/jobs").status_code == 200


def test_a_read_that_was_not_carried_out_is_no_poll(tester: Api) -> None:
    ask(tester, "PUT", "jobs", {"after_polls": 1})
    job_id = tester.create(BELL)
    ask(tester, "POST", "faults", {"status": 502, "times": 3})
    for _ in range(3):
        tester.call("GET", f"/v0.4/jobs/{job_id}")

    assert [status_of(tester, job_id) for _ in range(2)] == ["ready", "completed"]


def test_a_connection_dropped_after_the_job_was_accepted_leaves_the_job(tester: Api) -> None:
    ask(tester, "POST", "faults", {"drop": "after_accept"})
    with pytest.raises(requests.ConnectionError):
        tester.call("POST", "/v0.4/jobs", creation(tester))

    (job_id,) = own_ids(tester)
    assert tester.ended(job_id)["status"] == "completed"
    assert (journal(tester)[0]["status"], journal(tester)[0]["job_id"]) == (None, job_id)


def test_a_connection_dropped_before_leaves_nothing(tester: Api) -> None:
    ask(tester, "POST", "faults", {"drop": "before"})
    with pytest.raises(requests.ConnectionError):
        tester.call("POST", "/v0.4/jobs", creation(tester))

    assert own_ids(tester) == []


@pytest.mark.parametrize("when", ["before", "after_accept"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dropped_connection_ends_without_a_byte(tester: Api, when: str, method: str) -> None:
    ask(tester, "POST", "faults", {"drop": when})
    body = json.dumps(creation(tester)).encode() if method == "POST" else b""
    head = (
        f"{method} /v0.4/jobs HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: apiKey {tester.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, port = tester.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        assert connection.recv(1024) == b""


def test_a_slow_answer_is_carried_out_at_once(tester: Api) -> None:
    ask(tester, "POST", "faults", {"delay_seconds": 1.0, "method": "POST"})
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{tester.url}/v0.4/jobs",
            json=creation(tester),
            headers={"Authorization": f"apiKey {tester.key}"},
            timeout=0.5,
        )

    (job_id,) = own_ids(tester)
    assert tester.ended(job_id)["status"] == "completed"
    until(lambda: journal(tester), lambda records: records[-1]["method"] == "POST")


def test_a_slow_answer_comes_so_much_later(tester: Api) -> None:
    ask(tester, "POST", "faults", {"delay_seconds": 0.3})
    start = time.monotonic()

    assert tester.call("GET", "/v0.4/jobs").status_code == 200
    assert time.monotonic() - start >= 0.3


def test_a_fault_answers_a_large_body_that_nobody_reads(tester: Api) -> None:
    ask(tester, "POST", "faults", {"status": 503})

    assert tester.call("POST", "/v0.4/jobs", b" " * 12_000_000).status_code == 503
    assert tester.call("POST", "/v0.4/jobs", b" " * 12_000_000).status_code == 413


# --- the journal -----------------------------------------------------------------------------


def test_the_journal_tells_what_was_sent_and_what_came_of_it(tester: Api) -> None:
    body = creation(tester) | {"lang": "json", "input": BELL | {"format": "ionq.circuit.v0"}}
    headers = {"User-Agent": "my-sdk/1", "Idempotency-Key": "a", "Content-Type": "text/json"}
    job_id = tester.call("POST", "/v0.4/jobs", body, headers=headers).json()["id"]
    tester.get("/v0.3/jobs", ids=[job_id, "b"], limit=3)
    submission, listing = journal(tester)

    assert (submission["method"], submission["path"]) == ("POST", "/v0.4/jobs")
    assert (submission["status"], submission["job_id"]) == (201, job_id)
    assert submission["body"] == body
    assert submission["body_bytes"] == len(json.dumps(body))
    assert submission["ignored_keys"] == ["lang", "input.format"]
    assert submission["headers"] == {name.lower(): value for name, value in headers.items()}
    assert listing["query"] == {"ids": [job_id, "b"], "limit": ["3"]}
    assert (listing["status"], listing["body"], listing["job_id"]) == (200, None, None)
    assert submission["at"] < listing["at"]


def test_the_journal_never_tells_the_key(tester: Api) -> None:
    tester.get("/v0.4/jobs")

    assert tester.key not in json.dumps(journal(tester))


def test_a_body_that_is_no_json_is_written_down_as_text(tester: Api) -> None:
    tester.call("POST", "/v0.4/jobs", b"{no JSON")
    (record,) = journal(tester)

    assert (record["status"], record["body"]) == (400, "{no JSON")


def test_a_long_body_is_left_out_and_its_keys_are_not(tester: Api) -> None:
    gates = [{"gate": "h", "target": 0, "label": "x"}] * 2000
    body = creation(tester) | {"input": {"qubits": 1, "circuit": gates}}
    tester.call("POST", "/v0.4/jobs", body)
    (record,) = journal(tester)

    assert (record["body"], record["status"]) == (None, 201)
    assert record["body_bytes"] > 64 * 1024
    assert record["ignored_keys"] == [f"input.circuit[{n}].label" for n in range(100)]


def test_requests_to_the_room_itself_are_not_in_the_journal(tester: Api) -> None:
    ask(tester, "GET", "jobs")
    ask(tester, "GET", "faults")

    assert journal(tester) == []


def test_the_journal_holds_the_last_thousand_requests(tester: Api) -> None:
    with requests.Session() as session:
        for number in range(1002):
            session.get(
                f"{tester.url}/nowhere/{number}",
                headers={"Authorization": f"apiKey {tester.key}"},
                timeout=10,
            )
    records = journal(tester)

    assert [records[0]["path"], records[-1]["path"]] == ["/nowhere/2", "/nowhere/1001"]
    assert len(records) == 1000


def test_the_journal_can_be_cleared(tester: Api) -> None:
    tester.get("/v0.4/jobs")
    ask(tester, "DELETE", "requests")

    assert journal(tester) == []


# --- keys ------------------------------------------------------------------------------------


def test_what_one_key_asks_for_touches_no_other(new_tester: Tester) -> None:
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
