"""How requests fail on a server for testers, and what its journal tells of them."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from tests.acceptance.client import Api, until
from tests.acceptance.testers import ask, journal, status_of
from tests.builders import BELL
from urllib3.util import Retry


def creation(api: Api) -> dict[str, Any]:
    """Return a submission that tells whose it is: the keys here share a project."""
    return {"type": "ionq.circuit.v1", "input": BELL, "name": api.key}


def own_ids(api: Api) -> list[str]:
    jobs = api.get("/v0.4/jobs", limit=1000)["jobs"]
    return [job["id"] for job in jobs if job["name"] == api.key]


# --- faults ------------------------------------------------------------------------------------


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


# --- the journal -------------------------------------------------------------------------------


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
