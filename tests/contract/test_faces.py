"""Both faces are asked the same questions, and must mean the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL, ENDLESS, TOO_WIDE

from ionbox import LocalServer

MANY: dict[str, Any] = {
    "qubits": 2,
    "circuits": [{"name": "a", "circuit": BELL["circuit"]}, {"circuit": []}],
}
QASM: dict[str, Any] = {
    "data": 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
}
NOISY: dict[str, Any] = {"noise": {"model": "aria-1", "seed": 7}, "shots": 50}
# What is submitted: its input, the fields beside it, and how each version says what it is.
JOBS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "circuit": (BELL, {"name": "n", "metadata": {"a": "\u001e\u001f"}}, {}, "ionq.circuit.v1"),
    "noisy": (BELL, NOISY, {}, "ionq.circuit.v1"),
    "many": (MANY, {}, {}, "ionq.multi-circuit.v1"),
    "qasm": (QASM, {}, {"format": "openqasm"}, "ionq.qasm3.v1"),
    "failed": (TOO_WIDE, {}, {}, "ionq.circuit.v1"),
}
Submit = Callable[[Api, str], str]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with LocalServer(workers=2) as server:
        yield Api.of(server)


def by_v03(api: Api, name: str) -> str:
    job_input, fields, head, _ = JOBS[name]
    return api.submit(job_input | head, **fields)


def by_v04(api: Api, name: str) -> str:
    job_input, fields, _, job_type = JOBS[name]
    return api.create(job_input, type=job_type, **fields)


def seconds(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


def meaning_of_v03(job: dict[str, Any]) -> dict[str, Any]:
    failure = job.get("failure")
    return {
        "id": job["id"],
        "status": job["status"].replace("running", "started"),
        "name": job["name"],
        "metadata": job["metadata"],
        "backend": job["target"],
        "noise": job["noise"],
        "shots": job["shots"],
        "qubits": job["qubits"],
        "circuits": job["circuits"],
        "gate_counts": job["gate_counts"],
        "times": [job["request"], job.get("start"), job.get("response")],
        "duration": job.get("execution_time"),
        "failure": failure and (failure["code"], failure["error"]),
        "children": job.get("children"),
        "parent": job.get("parent"),
        "owner": (job["submitter_id"], job["project_id"]),
        "warning": job.get("warning"),
    }


def meaning_of_v04(job: dict[str, Any]) -> dict[str, Any]:
    failure, stats = job["failure"], job["stats"]
    return {
        "id": job["id"],
        "status": job["status"],
        "name": job["name"],
        "metadata": job["metadata"],
        "backend": job["backend"],
        "noise": job["noise"],
        "shots": job["shots"],
        "qubits": stats["qubits"],
        "circuits": stats["circuits"],
        "gate_counts": stats["gate_counts"],
        "times": [seconds(job[f"{what}_at"]) for what in ("submitted", "started", "completed")],
        "duration": job["execution_duration_ms"],
        "failure": failure and (failure["code"], failure["message"]),
        "children": job["child_job_ids"],
        "parent": job["parent_job_id"],
        "owner": (job["submitter_id"], job["project_id"]),
        "warning": job.get("warning"),
    }


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("submit", [by_v03, by_v04])
def test_a_job_of_either_version_means_the_same_in_both(
    api: Api, submit: Submit, name: str
) -> None:
    job_id = submit(api, name)
    api.ended(job_id)
    old, new = api.get(f"/v0.3/jobs/{job_id}"), api.get(f"/v0.4/jobs/{job_id}")

    assert meaning_of_v03(old) == meaning_of_v04(new)
    assert new["type"] == JOBS[name][3]
    assert old["status"] == ("failed" if name == "failed" else "completed")
    for child_id in new["child_job_ids"] or ():
        children = (api.get(f"/v0.3/jobs/{child_id}"), api.get(f"/v0.4/jobs/{child_id}"))
        assert meaning_of_v03(children[0]) == meaning_of_v04(children[1])


@pytest.mark.parametrize("name", ["circuit", "noisy", "many", "qasm"])
def test_the_same_submission_has_the_same_results_in_both(api: Api, name: str) -> None:
    results = []
    for submit in (by_v03, by_v04):
        job_id = submit(api, name)
        api.ended(job_id)
        old = api.get(f"/v0.3/jobs/{job_id}/results")
        assert api.get(f"/v0.4/jobs/{job_id}/results/probabilities") == old
        results.append(list(old.values()))

    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["circuit", "many"])
def test_a_job_that_runs_means_the_same_in_both(api: Api, name: str) -> None:
    slow = {"circuit": ENDLESS, "many": {"qubits": 24, "circuits": [ENDLESS, ENDLESS]}}[name]
    job_id = api.submit(slow)
    api.running(job_id)
    old, new = api.get(f"/v0.3/jobs/{job_id}"), api.get(f"/v0.4/jobs/{job_id}")
    canceled = api.call("PUT", f"/v0.4/jobs/{job_id}/status/cancel")

    assert meaning_of_v03(old) == meaning_of_v04(new)
    assert (old["status"], new["status"]) == ("running", "started")
    assert canceled.status_code == 200
    assert api.get(f"/v0.3/jobs/{job_id}")["status"] == "canceled"


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 2},
        {"status": "completed"},
        {"status": ["failed", "canceled"]},
        {"target": "simulator", "limit": 3},
        {"target": "qpu.forte-1"},
        {"submitter_id": "somebody"},
        {"project_id": "another"},
        {"status": "queued"},
    ],
)
def test_a_list_holds_the_same_jobs_in_both(api: Api, query: dict[str, Any]) -> None:
    for name in JOBS:
        api.ended(by_v04(api, name))
    old, new = api.get("/v0.3/jobs", **query), api.get("/v0.4/jobs", **query)

    ids = [job["id"] for job in old["jobs"]]
    assert ids == [job["id"] for job in new["jobs"]]
    assert old.get("next") == new["next"]


@pytest.mark.parametrize("version", ["v0.3", "v0.4"])
def test_what_one_version_cancels_or_deletes_is_so_for_the_other(api: Api, version: str) -> None:
    other = {"v0.3": "v0.4", "v0.4": "v0.3"}[version]
    with api.frozen_workers():
        job_id = api.submit(BELL)
        api.call("PUT", f"/{version}/jobs/{job_id}/status/cancel")
    assert api.get(f"/{other}/jobs/{job_id}")["status"] == "canceled"

    api.call("DELETE", f"/{version}/jobs/{job_id}")
    assert api.call("GET", f"/{other}/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("job_input", "fields"),
    [
        ({"qubits": 1, "circuit": [{"gate": "surprise", "target": 0}]}, {}),
        ({"qubits": 1, "circuit": [{"gate": "h", "target": 1}]}, {}),
        ({"qubits": 1, "circuits": []}, {}),
        (BELL, {"shots": 0}),
        (BELL, {"noise": {"model": "surprise"}}),
        (BELL, {"noise": {"seed": -1}}),
        (BELL, {"metadata": {"a": 1}}),
    ],
)
def test_what_cannot_be_is_refused_in_the_same_words(
    api: Api, job_input: dict[str, Any], fields: dict[str, Any]
) -> None:
    job_type = "ionq.multi-circuit.v1" if "circuits" in job_input else "ionq.circuit.v1"
    old = api.call("POST", "/v0.3/jobs", {"input": job_input, **fields})
    body = {"type": job_type, "backend": "simulator", "input": job_input, **fields}
    new = api.call("POST", "/v0.4/jobs", body)

    assert (old.status_code, old.json()) == (new.status_code, new.json())
    assert old.status_code == 400


def test_the_backends_are_the_same_in_both(api: Api) -> None:
    old, new = api.get("/v0.3/backends"), api.get("/v0.4/backends")

    common = ("backend", "qubits", "average_queue_time", "degraded", "has_access")
    assert [[one[key] for key in common] for one in old] == [
        [one[key] for key in common] for one in new
    ]
    assert [one.get("noise_models") for one in old] == [one.get("noise_models") for one in new]
