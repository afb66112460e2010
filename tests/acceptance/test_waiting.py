from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from tests.acceptance.client import Api, until
from tests.acceptance.testers import revoke_keys, with_new_key
from tests.builders import BELL, ENDLESS

from ionbox import LocalServer

WAIT = {"Prefer": "wait=30"}
PLENTY_SECONDS = 20
RESULT = {"0": 0.5, "3": 0.5}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A server of their own: endless jobs would hold up everybody else's."""
    with LocalServer(workers=2) as server:
        yield Api.of(server)


@pytest.fixture
def endless(api: Api) -> Iterator[str]:
    """A job that does not end by itself."""
    job_id = api.submit(ENDLESS)
    api.running(job_id)
    yield job_id
    api.call("DELETE", f"/v0.4/jobs/{job_id}")


def get(api: Api, path: str, prefer: str = "wait=30") -> Any:  # noqa: ANN401 - a response
    return api.call("GET", path, headers={"Prefer": prefer})


def meanwhile(api: Api, ask: Callable[[], Any], act: Callable[[], object]) -> Any:  # noqa: ANN401
    """Ask for what is held, then act; return the answer, which must come soon after."""
    with ThreadPoolExecutor(1) as thread:
        asked: Future[Any] = thread.submit(ask)
        until_held(api)
        assert not asked.done()
        act()
        return asked.result(PLENTY_SECONDS)


def until_held(api: Api) -> None:
    """Give a request time to arrive; it is answered all the same if it arrives late."""
    api.get("/v0.4/jobs")
    time.sleep(0.2)


@pytest.mark.parametrize("version", ["v0.3", "v0.4"])
def test_a_job_is_answered_when_it_has_ended(api: Api, version: str) -> None:
    job_id = api.submit(BELL)
    answer = get(api, f"/{version}/jobs/{job_id}")

    assert answer.json()["status"] == "completed"
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.json() == api.get(f"/{version}/jobs/{job_id}")


@pytest.mark.parametrize(
    "path",
    [
        "/v0.3/jobs/{}/results",
        "/v0.4/jobs/{}/results/probabilities",
        "/v0.4/jobs/{}/artifacts/probabilities",
    ],
)
def test_results_are_answered_when_they_are_there(api: Api, path: str) -> None:
    answer = get(api, path.format(api.submit(BELL)))

    assert answer.status_code == 200
    assert answer.json() == RESULT
    assert answer.headers["preference-applied"] == "wait=30"


def test_a_submission_is_answered_when_the_job_has_ended(api: Api) -> None:
    old = api.call("POST", "/v0.3/jobs", {"input": BELL}, headers=WAIT)
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": BELL}
    new = api.call("POST", "/v0.4/jobs", body, headers=WAIT)

    for answer, status in ((old, 200), (new, 201)):
        assert answer.status_code == status
        assert answer.json()["status"] == "completed"
        assert answer.headers["preference-applied"] == "wait=30"
        assert api.job(answer.json()["id"])["status"] == "completed"


def test_a_parent_is_answered_when_its_last_child_has_ended(api: Api) -> None:
    body = {
        "type": "ionq.multi-circuit.v1",
        "backend": "simulator",
        "input": {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * 20},
    }
    job_id = api.call("POST", "/v0.4/jobs", body).json()["id"]
    results = get(api, f"/v0.4/jobs/{job_id}/results/probabilities").json()

    assert list(results.values()) == [RESULT] * 20
    assert list(results) == api.get(f"/v0.4/jobs/{job_id}")["child_job_ids"]


def test_a_job_that_does_not_end_is_answered_when_the_time_is_over(api: Api, endless: str) -> None:
    start = time.monotonic()
    job = get(api, f"/v0.4/jobs/{endless}", "wait=1")
    results = get(api, f"/v0.3/jobs/{endless}/results", "wait=0")

    assert 1 <= time.monotonic() - start < PLENTY_SECONDS
    assert job.json()["status"] == "started"
    assert job.headers["preference-applied"] == "wait=1"
    assert results.status_code == 404


@pytest.mark.parametrize(("method", "path"), [("PUT", "/status/cancel"), ("DELETE", "")])
def test_a_job_that_is_ended_by_its_owner_is_answered_at_once(
    api: Api, endless: str, method: str, path: str
) -> None:
    answer = meanwhile(
        api,
        lambda: get(api, f"/v0.4/jobs/{endless}"),
        lambda: api.call(method, f"/v0.4/jobs/{endless}{path}"),
    )

    if method == "PUT":
        assert answer.json()["status"] == "canceled"
    else:
        assert answer.status_code == 404
        assert answer.json()["message"] == f"job '{endless}' not found"


@pytest.mark.parametrize("prefer", ["", "respond-async", "wait=soon", "wait", "waiting=5"])
def test_what_is_no_wait_changes_nothing(api: Api, endless: str, prefer: str) -> None:
    answer = get(api, f"/v0.4/jobs/{endless}", prefer)

    assert answer.json()["status"] == "started"
    assert "preference-applied" not in answer.headers


def test_no_more_than_a_minute_is_granted(api: Api) -> None:
    job_id = api.completed(BELL)["id"]

    assert get(api, f"/v0.3/jobs/{job_id}", "wait=3600").headers["preference-applied"] == "wait=60"


def test_another_project_and_nobody_wait_for_nothing(api: Api, endless: str) -> None:
    start = time.monotonic()
    unknown = get(api, "/v0.4/jobs/00000000-0000-7000-8000-000000000000")
    stranger = get(Api(api.url, "not a key", api.pid), f"/v0.4/jobs/{endless}")

    assert time.monotonic() - start < PLENTY_SECONDS
    assert (unknown.status_code, stranger.status_code) == (404, 401)


def test_who_waits_with_a_key_that_is_revoked_meanwhile_is_told_nothing() -> None:
    with LocalServer(workers=2) as server:
        owner, guest = Api.of(server), with_new_key(server)
        job_id = guest.submit(ENDLESS)
        guest.running(job_id)

        def revoke_and_cancel() -> None:
            revoke_keys(server, named="tester")
            owner.call("PUT", f"/v0.4/jobs/{job_id}/status/cancel")

        answer = meanwhile(
            owner,
            lambda: get(guest, f"/v0.4/jobs/{job_id}"),
            revoke_and_cancel,
        )

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "apiKey"


def test_hundreds_wait_for_one_job_and_all_are_answered(api: Api, endless: str) -> None:
    async def wait(is_sent: asyncio.Semaphore) -> bytes:
        reader, writer = await asyncio.open_connection(*address(api))
        writer.write(request(api, f"/v0.4/jobs/{endless}"))
        is_sent.release()
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer

    async def all_of_them() -> list[bytes]:
        is_sent = asyncio.Semaphore(0)
        waiting = [asyncio.create_task(wait(is_sent)) for _ in range(400)]
        for _ in waiting:
            await is_sent.acquire()
        await asyncio.to_thread(api.call, "PUT", f"/v0.4/jobs/{endless}/status/cancel")
        async with asyncio.timeout(PLENTY_SECONDS):
            return await asyncio.gather(*waiting)

    answers = asyncio.run(all_of_them())

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert all(b"preference-applied: wait=30" in answer for answer in answers)


def test_clients_that_hang_up_leave_nothing_behind(api: Api, endless: str) -> None:
    server = psutil.Process(api.pid)
    before = server.num_fds()
    for _ in range(50):
        with socket.create_connection(address(api)) as client:
            client.sendall(request(api, f"/v0.4/jobs/{endless}"))
    until(server.num_fds, lambda number: number <= before + 5)

    assert api.call("PUT", f"/v0.4/jobs/{endless}/status/cancel").status_code == 200
    assert api.completed(BELL)


def test_a_server_that_is_stopped_answers_who_waits() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        job_id = api.submit(ENDLESS)
        api.running(job_id)
        answers: list[Any] = []
        waiting = threading.Thread(
            target=lambda: answers.append(get(api, f"/v0.4/jobs/{job_id}")), daemon=True
        )
        waiting.start()
        until_held(api)
        start = time.monotonic()
        psutil.Process(server.pid).terminate()
        waiting.join(PLENTY_SECONDS)

        assert time.monotonic() - start < 3
    assert [answer.json()["status"] for answer in answers] == ["started"]


def address(api: Api) -> tuple[str, int]:
    host, _, port = api.url.removeprefix("http://").partition(":")
    return host, int(port)


def request(api: Api, path: str) -> bytes:
    """Return a request that waits."""
    head = {"Host": "localhost", "Authorization": f"apiKey {api.key}"} | WAIT
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
