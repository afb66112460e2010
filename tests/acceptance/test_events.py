from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests
from tests.acceptance.client import Api, is_alive, until
from tests.acceptance.stream import PATH, Told, statuses, stream_of
from tests.builders import BELL, ENDLESS, NOW

from ionbox import LocalServer
from ionbox.service.access import hash_secret, new_key
from ionbox.store.sqlite import SqliteStore

TERMINAL = {"completed", "failed", "canceled"}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A server whose events nobody else makes."""
    with LocalServer(workers=2) as server:
        yield Api.of(server)


def newest(api: Api) -> int:
    """Return the id of the newest event: one that cannot be makes the server tell it."""
    with stream_of(api, after=10**17) as stream:
        number = next(iter(stream)).id
    assert number is not None
    return number


def test_every_status_of_a_job_is_told_as_it_happens(api: Api) -> None:
    with stream_of(api) as stream:
        assert stream.response.status == 200
        assert stream.response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.response.getheader("x-request-id")
        job_id = api.submit(BELL)
        told = stream.until_ended(job_id)

    assert statuses(told, job_id) == ["ready", "completed"]
    assert [event.kind for event in told] == ["job", "job"]
    assert told[-1].data == {
        "id": job_id,
        "status": "completed",
        "parent_job_id": None,
        "attempt": 1,
    }


def test_a_job_that_runs_long_is_told_to_start_and_to_be_canceled_and_deleted(api: Api) -> None:
    with stream_of(api) as stream:
        job_id = api.submit(ENDLESS)
        told = stream.until(lambda event: event.data["status"] == "started")
        api.call("PUT", f"/v0.4/jobs/{job_id}/status/cancel")
        api.call("DELETE", f"/v0.4/jobs/{job_id}")
        told += stream.until(lambda event: event.data["status"] == "deleted")

    assert statuses(told, job_id) == [
        "submitted",
        "ready",
        "started",
        "canceled",
        "deleted",
    ]


def test_children_are_told_with_their_parent(api: Api) -> None:
    circuits = [{"circuit": BELL["circuit"]}] * 3
    with stream_of(api) as stream:
        parent_id = api.create({"qubits": 2, "circuits": circuits}, type="ionq.multi-circuit.v1")
        told = stream.until_ended(parent_id)

    child_ids = api.job(parent_id)["children"]
    assert {e.data["id"] for e in told if e.data["parent_job_id"] == parent_id} == set(child_ids)
    assert all(statuses(told, child_id)[-1] == "completed" for child_id in child_ids)
    assert statuses(told, parent_id) == ["ready", "started", "completed"]


def test_a_new_stream_tells_what_happens_from_then_on(api: Api) -> None:
    before = api.completed(BELL)["id"]
    with stream_of(api) as stream:
        job_id = api.submit(BELL)
        told = stream.until_ended(job_id)

    assert {event.data["id"] for event in told} == {job_id}
    assert before != job_id


def test_a_stream_goes_on_after_the_event_that_was_seen_last(api: Api) -> None:
    with stream_of(api) as stream:
        first = stream.until_ended(api.submit(BELL))
    meanwhile = [api.completed(BELL)["id"] for _ in range(3)]
    with stream_of(api, after=first[0].id) as stream:
        told = stream.until_ended(meanwhile[-1])

    ids = [event.id for event in first[:1] + told]
    assert ids == list(range(ids[0] or 0, (ids[-1] or 0) + 1))
    assert told[0] == first[1]
    assert all(statuses(told, job_id) == ["ready", "completed"] for job_id in meanwhile)


def test_a_stream_says_first_where_it_begins(api: Api) -> None:
    at = newest(api)
    with stream_of(api) as stream:
        assert stream.opening() == [b"retry: 1000\n", b"id: %d\n" % at]
    with stream_of(api, after=at - 1) as stream:
        assert stream.opening()[1] == b"id: %d\n" % (at - 1)


def test_only_the_jobs_that_are_asked_for_are_told(api: Api) -> None:
    after = newest(api)
    ids = [api.completed(BELL)["id"] for _ in range(4)]
    with stream_of(api, after=after, query=f"?job_id={ids[1]}&job_id={ids[3]}") as stream:
        told = stream.until_ended(ids[3])

    assert [event.data["id"] for event in told] == [ids[1], ids[1], ids[3], ids[3]]


@pytest.mark.parametrize("after", [10**17, 10**9])
def test_who_asks_after_what_is_not_kept_is_told_to_look_again(api: Api, after: int) -> None:
    api.completed(BELL)
    with stream_of(api, after=after) as stream:
        first = next(iter(stream))
        told = stream.until_ended(api.submit(BELL))

    assert first.kind == "reset"
    assert first.id is not None
    assert [event.id for event in told] == [first.id + 1, first.id + 2]


@pytest.mark.parametrize("word", ["x", "-1", "1.5", "9" * 30, "1 2", "0x10"])
def test_an_id_that_is_no_integer_is_refused(api: Api, word: str) -> None:
    answer = api.call("GET", PATH, headers={"Last-Event-ID": word})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Last-Event-ID: '{word}' is not the id")


def test_events_need_a_key(api: Api) -> None:
    answer = requests.get(f"{api.url}{PATH}", timeout=10)

    assert answer.status_code == 401


def test_head_tells_what_a_stream_would_be(api: Api) -> None:
    answer = api.call("HEAD", PATH)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "length" not in answer.headers or answer.headers["content-length"] == "0"


def test_a_reader_that_is_slow_misses_nothing(api: Api) -> None:
    circuits = [{"circuit": BELL["circuit"]}] * 2000
    with stream_of(api) as stream:
        parent_id = api.create({"qubits": 2, "circuits": circuits}, type="ionq.multi-circuit.v1")
        api.finished(parent_id)
        told = stream.until_ended(parent_id)

    ids = [event.id for event in told]
    assert ids == list(range(ids[0] or 0, (ids[0] or 0) + len(ids)))
    ended = [event for event in told if event.data["status"] == "completed"]
    assert len(ended) == 2001


def test_a_key_that_is_revoked_follows_no_longer(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        token = server_json(tmp_path)["operator_token"]
        operator = Api(api.url, token, api.pid)
        made = operator.call("POST", "/ionbox/v1/keys", {"name": "second"}).json()
        with stream_of(Api(api.url, made["secret"], api.pid)) as stream:
            operator.call("DELETE", f"/ionbox/v1/keys/{made['key']['id']}")
            api.submit(BELL)

            assert list(stream) == []


def test_each_project_is_told_of_its_own_jobs(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2):
        pass
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        other = store.create_project("other", "other").result()
        key = new_key(other, "second", "a second key", NOW)
        store.insert_key(key, hash_secret("a second key")).result()
    with LocalServer(data=tmp_path, workers=2) as server:
        ours = Api.of(server)
        theirs = Api(ours.url, "a second key", ours.pid)
        with stream_of(ours) as our_stream, stream_of(theirs) as their_stream:
            jobs = [api.completed(BELL)["id"] for api in (ours, theirs, ours, theirs)]
            ours_told = our_stream.until_ended(jobs[2])
            theirs_told = their_stream.until_ended(jobs[3])

    assert [event.data["id"] for event in ours_told] == [jobs[0], jobs[0], jobs[2], jobs[2]]
    assert [event.data["id"] for event in theirs_told] == [jobs[1], jobs[1], jobs[3], jobs[3]]


# --- restarts --------------------------------------------------------------------------------


def test_nothing_is_missed_when_the_server_is_killed(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        workers = api.workers(at_least=2)
        with stream_of(api) as stream:
            seen = stream.until_ended(api.submit(BELL))
            ids = [api.submit(BELL) for _ in range(50)]
            os.kill(server.pid, signal.SIGKILL)
    until(lambda: any(map(is_alive, workers)), lambda alive: not alive)

    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        for job_id in ids:
            api.ended(job_id)
        last = api.completed(BELL)["id"]
        with stream_of(api, after=seen[-1].id) as stream:
            told = stream.until_ended(last)

    numbers = [event.id for event in (seen[-1], *told)]
    assert numbers == list(range(numbers[0] or 0, (numbers[-1] or 0) + 1))
    assert all(statuses(told, job_id)[-1] == "completed" for job_id in ids)


def test_nothing_is_missed_by_who_had_heard_nothing_before_the_server_ended(
    tmp_path: Path,
) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        api.completed(BELL)
        with stream_of(api) as stream:
            stream.opening()
        first = api.completed(BELL)["id"]
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        second = api.completed(BELL)["id"]
        with stream_of(api, after=stream.place) as again:
            told = again.until_ended(second)

    assert [event.data["id"] for event in told] == [first, first, second, second]


def test_a_server_that_is_stopped_ends_its_streams_at_once(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        process = psutil.Process(server.pid)
        with stream_of(api) as first, stream_of(api) as second:
            job_id = api.submit(BELL)
            first.until_ended(job_id)
            start = time.monotonic()
            process.terminate()

            assert list(first) == []
            assert statuses(list(second), job_id) == ["ready", "completed"]
        until(lambda: is_alive(process), lambda alive: not alive)
        assert time.monotonic() - start < 3


def test_a_reader_that_comes_and_goes_sees_the_end_of_every_job(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a fixed seed is wanted
    ids: list[str] = []
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        at = newest(api)
        writer = threading.Thread(
            target=lambda: ids.extend(api.submit(BELL) for _ in range(500)), daemon=True
        )
        writer.start()
        seen: list[Told] = []
        while writer.is_alive() or ended(seen) < set(ids):
            with stream_of(api, after=at) as stream:
                for _, event in zip(range(chance.randrange(1, 60)), stream, strict=False):
                    seen.append(event)
                    at = event.id or at
                    if not writer.is_alive() and ended(seen) >= set(ids):
                        break

    assert len(ids) == 500
    numbers = [event.id for event in seen]
    assert numbers == sorted(set(numbers), key=lambda number: number or 0)
    assert ended(seen) == set(ids)


def ended(told: list[Told]) -> set[str]:
    return {event.data["id"] for event in told if event.data.get("status") in TERMINAL}


def server_json(data: Path) -> dict[str, str]:
    running: dict[str, str] = json.loads((data / "server.json").read_text())
    return running
