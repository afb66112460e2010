from __future__ import annotations

import contextlib
import json
import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.acceptance.client import Api
from tests.acceptance.test_durability import are_gone, rows
from tests.builders import BELL

from ionbox import LocalServer

V04 = {"type": "ionq.circuit.v1", "backend": "simulator", "input": BELL}
MANY: dict[str, Any] = {
    "type": "ionq.multi-circuit.v1",
    "backend": "simulator",
    "input": {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * 3},
}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("/v0.3/jobs", {"input": BELL}),
    ("/v0.4/jobs", V04),
    ("/v0.4/jobs", MANY),
    ("/v0.4/jobs", V04 | {"type": "ionq.qasm3.v1", "input": {"data": "qubit q;"}}),
    ("/v0.4/jobs", V04 | {"backend": "qpu.forte-1"}),
]


def new_key() -> str:
    return str(uuid.uuid4())


def send(api: Api, path: str, body: object, key: str, **headers: str) -> Any:  # noqa: ANN401 - an answer
    return api.call("POST", path, body, headers={"Idempotency-Key": key, **headers})


def count(api: Api, name: str) -> int:
    return sum(job["name"] == name for job in api.get("/v0.4/jobs", limit=1000)["jobs"])


@pytest.mark.parametrize(("path", "body"), WAYS)
def test_a_request_that_is_sent_again_makes_no_second_job(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    key = new_key()
    body = body | {"name": key}
    first, again, third = (send(api, path, body, key) for _ in range(3))

    assert first.ok
    assert "Idempotency-Replayed" not in first.headers
    for answer in (again, third):
        assert answer.status_code == first.status_code
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() | {"status": ""} == first.json() | {"status": ""}
    assert count(api, key) == 1
    assert api.finished(first.json()["id"])["status"] == "completed"


def test_a_request_that_is_sent_again_is_told_how_the_job_stands(api: Api) -> None:
    key = new_key()
    first = send(api, "/v0.3/jobs", {"input": BELL}, key).json()
    api.ended(first["id"])

    again = send(api, "/v0.3/jobs", {"input": BELL}, key).json()
    assert again == first | {"status": "completed"}


def test_requests_at_the_same_time_make_one_job(api: Api) -> None:
    for path, body in WAYS[:3]:
        key = new_key()
        named = body | {"name": key}
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda _: send(api, path, named, key), range(32)))  # noqa: B023

        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
        assert count(api, key) == 1


def test_another_request_with_the_same_key_is_a_conflict(api: Api) -> None:
    key = new_key()
    job_id = send(api, "/v0.4/jobs", V04, key).json()["id"]
    others = [
        send(api, "/v0.4/jobs", V04 | {"shots": 7}, key),
        send(api, "/v0.3/jobs", {"input": BELL}, key),
        send(api, f"/v0.4/jobs/{job_id}/clone", V04, key),
    ]

    assert [answer.status_code for answer in others] == [409] * 3
    body = others[0].json()
    assert (body["statusCode"], body["error"]) == (409, "Conflict")
    assert body["message"].startswith(f"Idempotency-Key '{key}' came with another request")
    assert send(api, "/v0.4/jobs", V04, key).json()["id"] == job_id


def test_the_job_of_a_request_that_is_sent_again_may_be_gone(api: Api) -> None:
    key = new_key()
    job_id = send(api, "/v0.4/jobs", V04, key).json()["id"]
    api.call("DELETE", f"/v0.4/jobs/{job_id}")
    answer = send(api, "/v0.4/jobs", V04, key)

    assert answer.status_code == 410
    assert answer.json() == {
        "statusCode": 410,
        "error": "Gone",
        "message": f"job '{job_id}' was deleted; Idempotency-Key '{key}' made it",
    }


def test_a_request_that_was_refused_may_be_mended_and_sent_with_its_key(api: Api) -> None:
    key = new_key()
    refused = send(api, "/v0.4/jobs", V04 | {"shots": 0}, key)
    no_session = send(api, "/v0.4/jobs", V04 | {"session_id": str(uuid.uuid4())}, key)
    accepted = send(api, "/v0.4/jobs", V04, key)

    assert [refused.status_code, no_session.status_code] == [400, 400]
    assert accepted.status_code == 201
    assert "Idempotency-Replayed" not in accepted.headers


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    answer = send(api, "/v0.4/jobs", V04, key.encode())  # type: ignore[arg-type]

    assert answer.status_code == 400
    assert answer.json()["validation"] == {"keys": ["Idempotency-Key"], "source": "headers"}
    assert answer.json()["message"] == (
        "Idempotency-Key: one key of 1 to 255 visible ASCII characters is allowed"
    )


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_any_visible_characters_are_a_key_and_quotes_belong_to_it(api: Api, key: str) -> None:
    own = f"{new_key()}{key}"[-255:]
    first, quoted = (send(api, "/v0.4/jobs", V04, k) for k in (own, f'"{own[2:]}"'))

    assert (first.status_code, quoted.status_code) == (201, 201)
    assert first.json()["id"] != quoted.json()["id"]


def test_a_key_holds_for_all_who_submit_to_its_project(server: LocalServer, api: Api) -> None:
    key = new_key()
    job_id = send(api, "/v0.4/jobs", V04, key).json()["id"]
    token = json.loads((server.data / "server.json").read_text())["operator_token"]
    operator = Api(api.url, token, api.pid)
    secret = operator.call("POST", "/ionbox/v1/keys", {"name": "colleague"}).json()["secret"]

    colleague = Api(api.url, secret, api.pid)
    assert send(colleague, "/v0.4/jobs", V04, key).json()["id"] == job_id


def test_a_clone_is_made_once_even_when_its_original_is_gone(api: Api) -> None:
    original = api.create(BELL)
    key = new_key()
    path, body = f"/v0.4/jobs/{original}/clone", {"shots": 7}
    first = send(api, path, body, key)
    api.call("DELETE", f"/v0.4/jobs/{original}")
    again = send(api, path, body, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert send(api, path, body, new_key()).status_code == 404


def test_a_job_is_moved_once(api: Api) -> None:
    original = api.create(BELL)
    key = new_key()
    first, again = (send(api, f"/v0.4/jobs/{original}/move", None, key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]


def test_a_session_takes_a_job_that_is_sent_again_once(api: Api) -> None:
    settings = {"job_count_limit": 1}
    session = api.call("POST", "/v0.4/sessions", {"backend": "simulator", "settings": settings})
    body, key = V04 | {"session_id": session.json()["id"]}, new_key()
    first, again = (send(api, "/v0.4/jobs", body, key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["session_id"] == first.json()["session_id"] == session.json()["id"]
    assert send(api, "/v0.4/jobs", body, new_key()).status_code == 400


def test_the_openapi_documents_describe_the_header(api: Api) -> None:
    ways = [("0.3", "/v0.3/jobs"), *(("0.4", f"/v0.4/jobs{way}") for way in ("", "/{id}/clone"))]
    for version, path in ways:
        operation = api.get(f"/v{version}/api-docs")["paths"][path]["post"]

        headers = {one["name"]: one for one in operation["parameters"] if one["in"] == "header"}
        header = headers["Idempotency-Key"]
        assert header["schema"]["maxLength"] == 255
        assert {"409", "410"} <= set(operation["responses"])


def test_a_request_that_a_killed_server_did_not_answer_is_sent_again_safely(
    tmp_path: Path,
) -> None:
    keys = [new_key() for _ in range(300)]
    answered: dict[str, str] = {}

    def submit(api: Api, key: str) -> None:
        with contextlib.suppress(requests.RequestException):
            answered[key] = send(api, "/v0.4/jobs", V04 | {"name": key}, key).json()["id"]
            if len(answered) == 100:
                os.kill(api.pid, signal.SIGKILL)

    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        workers = api.workers(at_least=2)
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda key: submit(api, key), keys))
        assert are_gone(workers)
    assert 100 <= len(answered) < 300

    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        sent = {key: send(api, "/v0.4/jobs", V04 | {"name": key}, key).json()["id"] for key in keys}
        for job_id in sent.values():
            assert api.finished(job_id)["status"] == "completed"

    assert answered.items() <= sent.items()
    assert len(set(sent.values())) == 300
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT name) FROM jobs") == [(300, 300)]
    assert rows(tmp_path, "SELECT count(*) FROM job_results") == [(300,)]
