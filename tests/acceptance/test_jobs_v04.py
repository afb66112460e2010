from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL, TOO_WIDE

from ionbox.formats.inputs import INPUT_TYPES
from ionbox.jobs.job import MULTI_CIRCUIT
from ionbox.service.submission import REFUSED_TYPES

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# What ionq-core 0.2 takes out of every job without asking whether it is there.
REQUIRED = {
    "id", "status", "type", "backend", "dry_run", "submitter_id", "project_id", "parent_job_id",
    "session_id", "metadata", "name", "submitted_at", "started_at", "completed_at",
    "predicted_wait_time_ms", "predicted_execution_duration_ms", "execution_duration_ms",
    "failure", "output", "settings", "stats", "results", "child_job_ids",
}  # fmt: skip


def creation(circuit: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    return {"type": "ionq.circuit.v1", "backend": "simulator", "input": circuit or BELL} | fields


def submit(api: Api, circuit: dict[str, Any] | None = None, **fields: object) -> str:
    answer = api.call("POST", "/v0.4/jobs", creation(circuit, **fields))
    assert answer.status_code == 201, answer.text
    job_id: str = answer.json()["id"]
    return job_id


def test_a_job_goes_from_submit_to_probabilities(api: Api) -> None:
    answer = api.call("POST", "/v0.4/jobs", creation())
    created = answer.json()

    assert answer.status_code == 201
    assert created == {"id": created["id"], "status": "submitted", "session_id": None}
    api.ended(created["id"])
    job = api.get(f"/v0.4/jobs/{created['id']}")
    assert job["status"] == "completed"
    assert api.get(job["results"]["probabilities"]["url"]) == {"0": 0.5, "3": 0.5}


def test_a_job_has_every_key_that_strict_clients_take(api: Api) -> None:
    job_id = submit(api, name="n", metadata={"a": "b"}, shots="7", noise={"model": "ideal"})
    api.ended(job_id)
    job = api.get(f"/v0.4/jobs/{job_id}")

    assert set(job) >= REQUIRED
    assert (job["type"], job["backend"], job["shots"]) == ("ionq.circuit.v1", "simulator", 7)
    assert (job["name"], job["metadata"], job["dry_run"]) == ("n", {"a": "b"}, False)
    assert job["stats"]["qubits"] == 2
    assert job["stats"]["gate_counts"] == {"1q": 1, "2q": 1}
    assert job["noise"]["model"] == "ideal"
    assert all(TIME.fullmatch(job[key]) for key in ("submitted_at", "started_at", "completed_at"))
    assert job["submitted_at"] <= job["started_at"] <= job["completed_at"]
    assert isinstance(job["execution_duration_ms"], int)


def test_results_are_found_under_both_families_of_names(api: Api) -> None:
    job_id = submit(api)
    api.ended(job_id)
    results = api.get(f"/v0.4/jobs/{job_id}")["results"]

    assert set(results) == {
        "probabilities",
        "ionq.result.probabilities.json.v1",
        "ionq.result.probabilities.json.v2",
    }
    for name, entry in results.items():
        assert set(entry) == {"id", "format", "media_type", "url"}
        assert name in (entry["format"], "probabilities")
        assert entry["url"].startswith(f"/v0.4/jobs/{job_id}/")
        by_id = api.get(f"/v0.4/jobs/{job_id}/artifacts/{entry['id']}")
        assert by_id == api.get(entry["url"])


def test_bitstrings_of_v2_begin_with_qubit_0(api: Api) -> None:
    job_id = submit(api, {"qubits": 3, "circuit": [{"gate": "x", "target": 0}]})
    api.ended(job_id)

    assert api.get(f"/v0.4/jobs/{job_id}/results/probabilities") == {"1": 1}
    assert api.get(f"/v0.4/jobs/{job_id}/artifacts/probabilities-v2") == {
        "probabilities": {"registers": {"output_all": {"100": 1}}}
    }


def test_an_unknown_artifact_is_not_found(api: Api) -> None:
    job_id = submit(api)
    api.ended(job_id)
    answer = api.call("GET", f"/v0.4/jobs/{job_id}/artifacts/nothing")

    assert answer.status_code == 404
    assert "known here: probabilities, probabilities-v2" in answer.json()["message"]


def test_a_failure_has_a_code_and_its_text_under_both_names(api: Api) -> None:
    job_id = submit(api, TOO_WIDE)
    api.ended(job_id)
    job = api.get(f"/v0.4/jobs/{job_id}")

    assert (job["status"], job["results"]) == ("failed", None)
    assert job["failure"]["code"] == "NotEnoughQubits"
    assert job["failure"]["message"] == job["failure"]["error"]


def test_nulls_in_settings_are_left_out_and_the_rest_is_echoed(api: Api) -> None:
    settings = {"compilation": {"opt": 1, "precision": None}, "error_mitigation": None}
    job = api.get(f"/v0.4/jobs/{submit(api, settings=settings)}")

    assert job["settings"] == {"compilation": {"opt": 1}}


@pytest.mark.parametrize(
    ("headers", "body", "has_next"),
    [
        ({}, None, True),
        ({"User-Agent": "ionq-core/0.2.0"}, None, True),
        ({"User-Agent": "cirq/1.7.0 (python/3.11.7)"}, None, False),
        ({}, b'{"limit": 1000}', False),
    ],
)
def test_next_on_the_last_page_is_null_and_absent_for_cirq(
    api: Api, headers: dict[str, str], body: bytes | None, *, has_next: bool
) -> None:
    job_id = submit(api)
    query = f"/v0.4/jobs?ids={job_id}&limit=2"
    page = api.call("GET", query, body, headers=headers).json()

    assert [job["id"] for job in page["jobs"]] == [job_id]
    assert ("next" in page) == has_next
    assert page.get("next") is None


def test_pages_follow_each_other_by_next(api: Api) -> None:
    ids = [submit(api) for _ in range(3)]
    query = {"ids": ",".join(ids), "limit": 2}
    first = api.get("/v0.4/jobs", **query)
    second = api.get("/v0.4/jobs", **query, next=first["next"])

    assert [job["id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": BELL}, "body: Object missing required field `type`"),
        ({"type": "ionq.circuit.v1"}, "body: Object missing required field `input`"),
        (
            creation(type="qctrl.qaoa.v1"),
            f"type: 'qctrl.qaoa.v1' is not served: {REFUSED_TYPES['qctrl.qaoa.v1']}",
        ),
        (
            creation(type="ionq.surprise"),
            f"type: 'ionq.surprise' is not one of: {', '.join((*INPUT_TYPES, MULTI_CIRCUIT))}",
        ),
        (creation(session_id="s"), "session_id: there is no session 's'"),
        (
            creation({"qubits": 2, "circuit": [{"gate": "h", "targets": [7]}]}),
            "circuit[0].targets[0]: qubit 7 of a 2-qubit circuit",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_place(
    api: Api, body: dict[str, Any], message: str
) -> None:
    answer = api.call("POST", "/v0.4/jobs", body)

    assert answer.status_code == 400
    assert answer.json()["message"] == message


def test_a_key_is_told_who_it_is(api: Api) -> None:
    assert set(api.get("/v0.4/whoami")) == {"key_id", "key_name", "project_id"}


def test_the_simulator_is_described_to_those_who_have_no_key(api: Api) -> None:
    stranger = Api(api.url, "no key", api.pid)
    *_, backend = stranger.get("/v0.4/backends")

    assert stranger.get("/v0.4/backends/simulator") == backend
    assert (backend["backend"], backend["qubits"]) == ("simulator", 29)
    assert {"h", "cnot", "not", "pauliexp"} <= set(backend["supported_gates"])
    assert {"gpi", "gpi2", "ms", "zz"} <= set(backend["supported_native_gates"])
    assert TIME.fullmatch(backend["last_updated"])
    empty = stranger.get("/v0.4/backends/simulator/characterizations")
    assert empty == {"characterizations": [], "pages": 0}


def test_a_simulator_job_costs_nothing(api: Api) -> None:
    job_id = submit(api)
    api.ended(job_id)
    cost = api.get(f"/v0.4/jobs/{job_id}/cost")

    assert cost == {"dry_run": False, "cost": {"value": 0.0, "unit": "usd"}}


def test_jobs_are_canceled_and_deleted_one_by_one_and_together(api: Api) -> None:
    first, second, third = (submit(api) for _ in range(3))

    assert api.call("PUT", f"/v0.4/jobs/{first}/status/cancel").json() == {
        "id": first,
        "status": "canceled",
    }
    assert api.call("PUT", "/v0.4/jobs/status/cancel", {"ids": [second, "x"]}).json() == {
        "ids": [second],
        "status": "canceled",
    }
    assert api.call("DELETE", f"/v0.4/jobs/{first}").json() == {"id": first, "status": "deleted"}
    many = api.call("DELETE", "/v0.4/jobs", json.dumps({"ids": [second, third]}).encode())
    assert many.json() == {"ids": [second, third], "status": "deleted"}
    assert api.call("GET", f"/v0.4/jobs/{third}").status_code == 404
