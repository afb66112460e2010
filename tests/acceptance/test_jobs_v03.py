from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL, ENDLESS, TOO_WIDE

from ionbox import LocalServer
from ionbox.backends.noise import NOISE_MODELS

UNKNOWN_ID = "01234567-89ab-7cde-8f01-23456789abcd"
# What a completed job of one circuit has; api-docs describe each.
JOB_KEYS = {
    "id", "type", "status", "name", "metadata", "target", "noise", "shots", "qubits", "circuits",
    "gate_counts", "request", "start", "response", "predicted_execution_time", "execution_time",
    "cost_usd", "error_mitigation", "settings", "registers", "results_url", "submitter_id",
    "project_id",
}  # fmt: skip
END_KEYS = {"start", "response", "execution_time"}
COUNTED = {
    "qubits": 3,
    "circuit": [
        {"gate": "h", "targets": [0, 1]},
        {"gate": "cnot", "control": 0, "target": 1},
        {"gate": "x", "controls": [0, 1], "target": 2},
    ],
}


def test_a_new_job_is_answered_with_its_id_status_and_time(api: Api) -> None:
    answer = api.call("POST", "/v0.3/jobs", {"input": BELL})
    created = answer.json()

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(created) == {"id", "status", "request"}
    assert uuid.UUID(created["id"]).version == 7
    assert created["status"] == "ready"
    assert type(created["request"]) is int
    assert created["request"] == api.job(created["id"])["request"]


def test_a_completed_job_has_every_key_of_its_type(api: Api) -> None:
    job = api.completed(COUNTED, shots=7, noise={"model": "ideal", "seed": 11})

    assert set(job) == JOB_KEYS
    for key in ("request", "start", "response", "execution_time", "predicted_execution_time"):
        assert type(job[key]) is int, key
    assert job["request"] <= job["start"] <= job["response"]
    assert job["execution_time"] >= 0
    assert (job["type"], job["status"], job["target"]) == ("circuit", "completed", "simulator")
    assert (job["qubits"], job["circuits"]) == (3, 1)
    assert job["gate_counts"] == {"1q": 2, "2q": 2}
    assert (job["shots"], job["noise"]) == (7, {"model": "ideal", "seed": 11})
    assert (job["name"], job["metadata"], job["settings"]) == (None, None, {})
    assert job["results_url"] == f"/v0.3/jobs/{job['id']}/results"
    assert re.fullmatch("[0-9a-f]{24}", job["submitter_id"])
    assert uuid.UUID(job["project_id"])


def test_a_job_that_has_not_ended_has_no_times_of_its_end(api: Api) -> None:
    with api.frozen_workers():
        job = api.job(api.submit(BELL))

    assert set(job) == JOB_KEYS - END_KEYS
    assert job["status"] == "ready"


def test_a_job_is_read_in_part_with_include_and_exclude(api: Api) -> None:
    job_id = api.completed(BELL)["id"]
    path = f"/v0.3/jobs/{job_id}"

    assert set(api.get(path, **{"include[]": ["id", "status"]})) == {"id", "status"}
    assert set(api.get(path, include="id,status")) == {"id", "status"}
    assert set(api.get(path, **{"exclude[]": ["metadata", "noise"]})) == JOB_KEYS - {
        "metadata",
        "noise",
    }
    assert set(api.get(path, include="id,status", exclude="id")) == {"status"}
    assert set(api.get(path, exclude="no such key")) == JOB_KEYS


# --- lists -------------------------------------------------------------------------------


def test_jobs_are_listed_newest_first(api: Api) -> None:
    ids = [api.submit(BELL) for _ in range(3)]

    assert api.ids(limit=3) == ids[::-1]
    assert api.ids(limit=1) == [ids[2]]


def test_a_page_has_25_jobs_unless_told_otherwise(api: Api) -> None:
    ids = [api.submit(BELL) for _ in range(26)]
    page = api.get("/v0.3/jobs")

    assert [job["id"] for job in page["jobs"]] == ids[:0:-1]
    assert "next" in page


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 7])
def test_pages_lose_no_job_and_show_none_twice(api: Api, limit: int) -> None:
    ids = [api.submit(BELL) for _ in range(6)]
    page = api.get("/v0.3/jobs", ids=ids, limit=limit)
    pages = [page]
    while "next" in page:
        page = api.get("/v0.3/jobs", ids=ids, limit=limit, next=page["next"])
        pages.append(page)

    seen = [[job["id"] for job in page["jobs"]] for page in pages]
    assert [job_id for page_ids in seen for job_id in page_ids] == ids[::-1]
    assert all(seen)
    assert max(map(len, seen)) <= limit


@pytest.mark.parametrize("key", ["id", "id[]", "ids", "ids[]"])
def test_jobs_are_found_by_id_however_the_client_writes_lists(api: Api, key: str) -> None:
    first, _, third = (api.submit(BELL) for _ in range(3))

    assert api.ids(**{key: [first, third, UNKNOWN_ID]}) == [third, first]
    assert api.ids(**{key: f"{first},{third}"}) == [third, first]
    assert api.ids(**{key: first}) == [first]
    assert api.ids(**{key: UNKNOWN_ID}) == []


def test_jobs_are_found_by_status(api: Api) -> None:
    done = api.completed(BELL)["id"]
    failed = api.ended(api.submit(TOO_WIDE))["id"]
    with api.frozen_workers():
        running = api.submit(ENDLESS)
        api.running(running)
        waiting = api.submit(BELL)
        canceled = api.submit(BELL)
        api.call("PUT", f"/v0.3/jobs/{canceled}/status/cancel")
        ids = [done, failed, running, waiting, canceled]

        assert api.ids(ids=ids, status="completed") == [done]
        assert api.ids(ids=ids, status="failed") == [failed]
        assert api.ids(ids=ids, status="running") == [running]
        assert api.ids(ids=ids, status="ready") == [waiting]
        assert api.ids(ids=ids, status="canceled") == [canceled]
        assert api.ids(ids=ids, status=["failed", "completed"]) == [failed, done]
        api.call("DELETE", f"/v0.3/jobs/{running}")


# Clients cancel whatever such a list returns.
@pytest.mark.parametrize("status", ["queued", "started", "no such status", ""])
def test_a_status_that_is_none_finds_no_job(api: Api, status: str) -> None:
    api.submit(BELL)

    assert api.get("/v0.3/jobs", status=status) == {"jobs": []}


def test_jobs_are_found_by_backend_submitter_and_project(api: Api) -> None:
    job = api.job(api.submit(BELL))

    for key in ("target", "submitter_id", "project_id"):
        assert api.ids(limit=1, **{key: job[key]}) == [job["id"]]
        assert api.ids(**{key: "somebody else's"}) == []


# --- cancel and delete -------------------------------------------------------------------


def test_canceling_a_job_ends_it(api: Api) -> None:
    with api.frozen_workers():
        job_id = api.submit(BELL)
        answer = api.call("PUT", f"/v0.3/jobs/{job_id}/status/cancel")

        assert (answer.status_code, answer.json()) == (200, {"id": job_id, "status": "canceled"})
        assert api.job(job_id)["status"] == "canceled"

    api.completed(BELL)
    assert api.job(job_id)["status"] == "canceled"


def test_canceling_a_job_that_has_ended_leaves_it_as_it_is(api: Api) -> None:
    job = api.completed(BELL)
    answer = api.call("PUT", f"/v0.3/jobs/{job['id']}/status/cancel")

    assert (answer.status_code, answer.json()) == (200, {"id": job["id"], "status": "canceled"})
    assert api.job(job["id"]) == job
    assert api.get(job["results_url"]) == {"0": 0.5, "3": 0.5}


def test_canceling_many_jobs_answers_with_those_that_were_found(api: Api) -> None:
    with api.frozen_workers():
        ids = [api.submit(BELL) for _ in range(2)]
        body = {"ids": [ids[0], UNKNOWN_ID, ids[1]]}
        answer = api.call("PUT", "/v0.3/jobs/status/cancel", body)

        assert (answer.status_code, answer.json()) == (200, {"ids": ids, "status": "canceled"})
        assert api.ids(ids=ids, status="canceled") == ids[::-1]


def test_a_deleted_job_is_gone(api: Api) -> None:
    job = api.completed(BELL)
    answer = api.call("DELETE", f"/v0.3/jobs/{job['id']}")

    assert (answer.status_code, answer.json()) == (200, {"id": job["id"], "status": "deleted"})
    assert api.call("GET", f"/v0.3/jobs/{job['id']}").status_code == 404
    assert api.call("GET", job["results_url"]).status_code == 404
    assert api.call("DELETE", f"/v0.3/jobs/{job['id']}").status_code == 404
    assert api.ids(id=job["id"]) == []


def test_a_job_that_runs_can_be_deleted(api: Api) -> None:
    with api.frozen_workers():
        job_id = api.submit(ENDLESS)
        api.running(job_id)
        api.call("DELETE", f"/v0.3/jobs/{job_id}")

        assert api.call("GET", f"/v0.3/jobs/{job_id}").status_code == 404

    assert api.probabilities(BELL) == {"0": 0.5, "3": 0.5}


@pytest.mark.parametrize("key", [None, "ids", "ids[]", "id"])
def test_many_jobs_are_deleted_by_body_or_query(api: Api, key: str | None) -> None:
    ids = [api.submit(BELL) for _ in range(2)]
    wanted = [ids[0], UNKNOWN_ID, ids[1]]

    if key is None:
        answer = api.call("DELETE", "/v0.3/jobs", {"ids": wanted})
    else:
        answer = api.call("DELETE", "/v0.3/jobs", params={key: wanted})

    assert (answer.status_code, answer.json()) == (200, {"ids": ids, "status": "deleted"})
    assert api.ids(ids=ids) == []


# --- seeds -------------------------------------------------------------------------------


def test_a_seed_is_drawn_for_a_job_without_one(api: Api) -> None:
    seeds = {api.job(api.submit(BELL))["noise"]["seed"] for _ in range(3)}

    assert len(seeds) == 3
    assert all(1 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_a_seed_that_is_given_is_kept(api: Api, seed: int) -> None:
    assert api.job(api.submit(BELL, noise={"seed": seed}))["noise"] == {
        "model": "ideal",
        "seed": seed,
    }


def test_a_server_with_a_seed_draws_the_same_seeds_again() -> None:
    def seeds() -> list[Any]:
        with LocalServer(seed=1, workers=2) as server:
            api = Api.of(server)
            return [api.job(api.submit(BELL))["noise"]["seed"] for _ in range(3)]

    assert seeds() == seeds()


# --- backends ----------------------------------------------------------------------------


def test_backends_are_shown_to_everybody(api: Api) -> None:
    nobody = Api(api.url, "no key at all", api.pid)
    *machines, simulator = nobody.get("/v0.3/backends")

    assert {machine["status"] for machine in machines} == {"available"}
    assert all(machine["characterization_url"] for machine in machines)
    assert type(simulator.pop("last_updated")) is int
    assert simulator == {
        "backend": "simulator",
        "status": "available",
        "qubits": 29,
        "average_queue_time": 0,
        "degraded": False,
        "has_access": True,
        "noise_models": ["ideal", *NOISE_MODELS],
    }
    assert nobody.get("/v0.3/backends/simulator")["backend"] == "simulator"


def test_a_backend_that_is_not_there_is_not_found(api: Api) -> None:
    answer = api.call("GET", "/v0.3/backends/qpu.surprise")

    assert answer.status_code == 404
    assert answer.json() == {
        "statusCode": 404,
        "error": "Not Found Error",
        "message": "backend 'qpu.surprise' not found; known here: qpu.aria-1, qpu.aria-2, "
        "qpu.forte-1, qpu.forte-enterprise-1, qpu.harmony, simulator",
    }
