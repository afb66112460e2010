"""Jobs made of jobs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL, ENDLESS


def again(api: Api, job_id: str, body: object = None, how: str = "clone") -> dict[str, Any]:
    answer = api.call("POST", f"/v0.4/jobs/{job_id}/{how}", body)
    assert answer.status_code == 201, answer.text
    return api.finished(answer.json()["id"])


def test_a_clone_is_the_same_job_once_more(api: Api) -> None:
    fields: dict[str, Any] = {"name": "n", "metadata": {"a": "b"}, "shots": 50}
    noise = {"model": "aria-1", "seed": 7}
    job = api.created(BELL, **fields, noise=noise, settings={"compilation": {"opt": 1}})
    clone = again(api, job["id"])

    assert clone["id"] != job["id"]
    for key in ("name", "metadata", "shots", "noise", "settings", "stats", "type", "backend"):
        assert clone[key] == job[key]
    url = "/v0.4/jobs/{}/results/shots"
    assert api.get(url.format(clone["id"])) == api.get(url.format(job["id"]))


def test_a_clone_has_what_it_is_given(api: Api) -> None:
    job = api.created(BELL, name="n", metadata={"a": "b"})
    changes: dict[str, Any] = {
        "name": "m",
        "metadata": {},
        "shots": 700,
        "dry_run": True,
        "backend": "qpu.aria-1",
        "settings": {"error_mitigation": {"debiasing": True}},
    }
    clone = again(api, job["id"], changes)

    assert {key: clone[key] for key in changes} == changes
    assert clone["status"] == "completed"
    assert clone["noise"]["model"] is None
    assert api.get(f"/v0.4/jobs/{clone['id']}/cost")["estimated_cost"]["value"] == 40.0


def test_a_clone_of_many_circuits_has_many(api: Api) -> None:
    circuits = [{"name": "a", "circuit": BELL["circuit"]}, {"circuit": []}]
    job = api.created({"qubits": 2, "circuits": circuits}, type="ionq.multi-circuit.v1")
    clone = again(api, job["id"], {"name": "twice"})

    assert len(clone["child_job_ids"]) == 2
    assert not set(clone["child_job_ids"]) & set(job["child_job_ids"])
    assert api.get(f"/v0.4/jobs/{clone['child_job_ids'][0]}")["name"] == "a"


def test_a_child_is_cloned_to_a_job_of_its_own(api: Api) -> None:
    circuits = [{"circuit": BELL["circuit"]}]
    job = api.created({"qubits": 2, "circuits": circuits}, type="ionq.multi-circuit.v1")
    clone = again(api, job["child_job_ids"][0])

    assert (clone["parent_job_id"], clone["type"]) == (None, "ionq.circuit.v1")
    assert api.get(clone["results"]["probabilities"]["url"]) == {"0": 0.5, "3": 0.5}


def test_a_move_cancels_the_original(api: Api) -> None:
    job_id = api.create(ENDLESS)
    api.running(job_id)
    elsewhere = {"backend": "qpu.forte-1", "dry_run": True}
    moved = api.call("POST", f"/v0.4/jobs/{job_id}/move", elsewhere).json()

    # At once: the answer waits until the original is canceled.
    assert api.get(f"/v0.4/jobs/{job_id}")["status"] == "canceled"

    assert api.finished(moved["id"])["backend"] == "qpu.forte-1"


def test_a_move_leaves_an_original_that_has_ended(api: Api) -> None:
    job = api.created(BELL)

    assert again(api, job["id"], how="move")["status"] == "completed"
    assert api.get(f"/v0.4/jobs/{job['id']}")["status"] == "completed"


@pytest.mark.parametrize("how", ["clone", "move"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"backend": "x"}, "backend: 'x' is not one of"),
        ({"shots": 0}, "shots: 0 is not within"),
        ({"noise": {"model": "x"}}, "noise.model: 'x' is not one of"),
        ({"session_id": "x"}, "session_id: there is no session 'x'"),
        ({"metadata": 3}, "metadata: Expected"),
    ],
)
def test_a_clone_that_cannot_be_is_refused(
    api: Api, how: str, body: dict[str, Any], message: str
) -> None:
    job = api.created(BELL)
    answer = api.call("POST", f"/v0.4/jobs/{job['id']}/{how}", body)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


def test_what_is_not_there_cannot_be_cloned(api: Api) -> None:
    assert api.call("POST", "/v0.4/jobs/unknown/clone").status_code == 404
