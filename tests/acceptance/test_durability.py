from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import psutil
import pytest
import requests
from tests.acceptance.client import Api, is_alive, until
from tests.builders import BELL, ENDLESS, entanglers

from ionbox import LocalServer
from ionbox.local_server import LocalServerError

BELL_RESULT = {"0": 0.5, "3": 0.5}
SECONDS_TO_LIVE = 5


def are_gone(processes: list[psutil.Process]) -> bool:
    """Wait until none of them is left, but no longer than they may take."""
    deadline = time.monotonic() + SECONDS_TO_LIVE
    while any(map(is_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(data / "ionbox.sqlite")) as database:
        return database.execute(query).fetchall()


def wait_for_attempt(data: Path, attempt: int) -> None:
    query = "SELECT status, attempt FROM jobs"
    until(lambda: rows(data, query), lambda seen: seen == [("started", attempt)])


def submit_until_killed(api: Api, *, num_jobs: int, num_before_kill: int) -> list[str]:
    """Submit from several threads, kill the server meanwhile; return the ids that came back."""
    answered: list[str] = []
    is_time = threading.Event()

    def submit(_: int) -> None:
        with contextlib.suppress(requests.RequestException):
            answered.append(api.submit(BELL))
            if len(answered) >= num_before_kill:
                is_time.set()

    with ThreadPoolExecutor(8) as threads:
        threads.map(submit, range(num_jobs))
        assert is_time.wait(60)
        os.kill(api.pid, signal.SIGKILL)
    return answered


def test_a_killed_server_loses_no_job_that_it_answered(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        workers = Api.of(server).workers(at_least=2)
        answered = submit_until_killed(Api.of(server), num_jobs=500, num_before_kill=250)

        assert are_gone(workers)
    assert 250 <= len(answered) < 500
    draft, stray = tmp_path / "results" / "a-1.draft", tmp_path / "results" / "b-1"
    draft.touch()
    stray.touch()

    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        ids = api.ids(limit=1000)
        until(lambda: api.ids(limit=1000, status="completed"), lambda done: done == ids)
        results = [api.get(f"/v0.3/jobs/{job_id}/results") for job_id in answered]

    assert set(answered) <= set(ids)
    assert results == [BELL_RESULT] * len(answered)
    assert rows(tmp_path, "SELECT DISTINCT status, attempt FROM jobs") == [("completed", 1)]
    counts = "SELECT job_id, count(*) FROM job_results GROUP BY job_id ORDER BY job_id DESC"
    assert rows(tmp_path, counts) == [(job_id, 1) for job_id in ids]
    assert list((tmp_path / "results").iterdir()) == []


def test_a_family_goes_on_where_a_killed_server_left_it(tmp_path: Path) -> None:
    circuits = [{"circuit": [{"gate": "x", "target": n % 3}]} for n in range(2000)]
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        workers = api.workers(at_least=2)
        parent_id = api.create({"qubits": 3, "circuits": circuits}, type="ionq.multi-circuit.v1")
        api.running(parent_id)
        os.kill(server.pid, signal.SIGKILL)

        assert are_gone(workers)
    ((num_completed,),) = rows(
        tmp_path, "SELECT count(*) FROM jobs WHERE status = 'completed' AND parent_id IS NOT NULL"
    )
    assert rows(tmp_path, "SELECT status FROM jobs WHERE parent_id IS NULL") == [("started",)]
    assert 0 < cast(int, num_completed) < 2000

    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        parent = api.finished(parent_id)
        results = api.get(f"/v0.4/jobs/{parent_id}/results/probabilities")

    assert parent["status"] == "completed"
    assert list(results) == parent["child_job_ids"]
    assert list(results.values()) == [{str(1 << n % 3): 1} for n in range(2000)]


def test_a_job_that_ran_when_the_server_was_killed_runs_again(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        api = Api.of(server)
        workers = api.workers(at_least=2)
        job_id = api.submit(ENDLESS)
        api.running(job_id)
        os.kill(server.pid, signal.SIGKILL)

        assert are_gone(workers)

    with LocalServer(data=tmp_path, workers=2):
        wait_for_attempt(tmp_path, 2)


def test_a_server_that_is_stopped_ends_in_peace_and_its_job_runs_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ionbox", "serve", "--port=0", "--workers=2"]
    with subprocess.Popen(
        [*command, f"--data={tmp_path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ionbox is ready at ")
        running = json.loads((tmp_path / "server.json").read_text())
        api = Api(running["url"], (tmp_path / "api-key").read_text().strip(), process.pid)
        workers = api.workers(at_least=2)
        job_id = api.submit(ENDLESS)
        api.running(job_id)
        process.terminate()
        _, errors = process.communicate(timeout=20)

    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in errors
    assert are_gone(workers)
    assert not (tmp_path / "server.json").exists()
    with LocalServer(data=tmp_path, workers=2):
        wait_for_attempt(tmp_path, 1)  # handing it back cost none


def test_a_second_server_on_the_same_data_is_refused_and_told_of_the_first(
    api: Api, server: LocalServer
) -> None:
    message = (
        f"the server ended at once: Error: the data directory {server.data} is in use "
        f"by the server at {server.url} (process {server.pid})"
    )

    with pytest.raises(LocalServerError) as raised:
        LocalServer(data=server.data).start()

    assert str(raised.value) == message
    assert api.probabilities(BELL) == BELL_RESULT


def test_a_canceled_job_stops_and_its_worker_is_replaced_for_good() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        before = api.workers(at_least=2)
        job_id = api.submit(ENDLESS)
        api.running(job_id)
        answer = api.call("PUT", f"/v0.3/jobs/{job_id}/status/cancel")

        assert answer.json() == {"id": job_id, "status": "canceled"}
        assert api.job(job_id)["status"] == "canceled"
        until(lambda: [is_alive(worker) for worker in before], lambda alive: sum(alive) == 1)
        after = api.workers(at_least=2)

        # A worker dies with the thread that started it: one started by a thread of a request
        # would be killed when that thread, idle, is ended.
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            assert all(map(is_alive, after))
            time.sleep(0.25)
        second_id = api.submit(ENDLESS)  # only the new worker takes a long job
        api.running(second_id)
        assert api.workers() == after
        assert api.probabilities(BELL) == BELL_RESULT


def test_a_job_whose_worker_is_killed_runs_again() -> None:
    long = entanglers(18, 400)
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        before = api.workers(at_least=2)
        with api.frozen_workers():
            job_id = api.submit(long)
            api.running(job_id)
            for worker in before:
                worker.kill()

        job = api.ended(job_id)
        assert job["status"] == "completed"
        assert sum(api.get(job["results_url"]).values()) == pytest.approx(1)
        assert rows(server.data, "SELECT attempt FROM jobs") == [(2,)]
        # The other worker was idle when it died: that is found out by the next short job.
        assert api.probabilities(BELL) == BELL_RESULT
        assert not set(api.workers()) & set(before)


def test_a_job_that_costs_three_workers_is_given_up() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        job_id = api.submit(ENDLESS)
        for attempt in (1, 2, 3):
            wait_for_attempt(server.data, attempt)
            for worker in api.workers():
                worker.kill()

        job = api.ended(job_id)

    assert job["status"] == "failed"
    assert job["failure"]["code"] == "InternalError"
    assert job["failure"]["error"].startswith("given up after 3 attempts")


# --- LocalServer -------------------------------------------------------------------------


def test_temporary_data_ends_with_the_server() -> None:
    with LocalServer(workers=2) as server:
        data = server.data
        workers = Api.of(server).workers(at_least=2)

        assert (data / "ionbox.sqlite").exists()

    assert not data.parent.exists()
    assert are_gone(workers)


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "from ionbox import LocalServer\n"
        "server = LocalServer(workers=2).start()\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        workers = until(server.children, lambda children: len(children) == 2)
        parent.kill()

        assert are_gone([server, *workers])


def test_a_server_works_inside_a_running_event_loop() -> None:
    async def use() -> object:
        with LocalServer(workers=2) as server:
            return await asyncio.to_thread(Api.of(server).probabilities, BELL)

    assert asyncio.run(use()) == BELL_RESULT


def test_a_server_that_is_not_running_says_so() -> None:
    server = LocalServer()

    with pytest.raises(LocalServerError, match="the server is not running"):
        _ = server.url


def test_data_that_is_kept_is_there_for_the_next_server(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2) as server:
        key = server.key
        job = Api.of(server).completed(BELL)

    with LocalServer(data=tmp_path, workers=2) as server:
        assert server.key == key
        assert Api.of(server).job(job["id"]) == job
        assert Api.of(server).get(job["results_url"]) == BELL_RESULT


def test_a_server_on_kept_data_opens_with_the_key_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IONQ_API_KEY", "a-key-of-mine")

    with LocalServer(data=tmp_path, workers=2) as server:
        assert server.key == "a-key-of-mine"
        assert Api.of(server).get("/v0.3/jobs") == {"jobs": []}
