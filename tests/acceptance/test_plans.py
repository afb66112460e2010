"""Plans: what the engines answered, and what was predicted beside what it took."""

from __future__ import annotations

from typing import Any

from tests.acceptance.client import Api
from tests.builders import BELL, ENDLESS, IDEAL_ENGINE, TOO_WIDE

from ionbox import LocalServer
from ionbox.engines.planner import ENGINES


def plan_of(api: Api, job_id: str) -> dict[str, Any]:
    plan: dict[str, Any] = api.get(f"/ionbox/v1/jobs/{job_id}/plan")
    return plan


def test_the_plan_of_a_completed_job_tells_all_answers_and_what_it_took(api: Api) -> None:
    job = api.completed(BELL)

    plan = plan_of(api, job["id"])

    assert (plan["id"], plan["status"]) == (job["id"], "completed")
    assert plan["chosen"]["engine"] == IDEAL_ENGINE
    assert (plan["chosen"]["precision"], plan["chosen"]["threads"]) == ("float64", 1)
    assert [answer["engine"] for answer in plan["answers"]] == [each.name for each in ENGINES]
    assert [a["engine"] for a in plan["answers"] if a["is_chosen"]] == [IDEAL_ENGINE]
    assert plan["run"]["threads"] == 1
    assert plan["run"]["seconds"] > 0
    predicted = plan["chosen"]["predicted_seconds"]
    assert plan["run"]["ratio"] == plan["run"]["seconds"] / predicted


def test_each_engine_answers_with_an_estimate_or_a_reason(api: Api) -> None:
    answers = plan_of(api, api.completed(BELL)["id"])["answers"]

    for answer in answers:
        assert (answer["estimate"] is None) != (answer["refusal"] is None)
    by_engine = {answer["engine"]: answer for answer in answers}
    assert set(by_engine["statevector"]["estimate"]) == {
        "seconds", "memory_bytes", "threads", "precision", "is_exact",
    }  # fmt: skip
    assert "noise" in by_engine["trajectories"]["refusal"]


def test_a_job_of_the_other_version_has_a_plan_as_well(api: Api) -> None:
    turned = {"qubits": 1, "circuit": [{"gate": "ry", "target": 0, "rotation": 0.3}]}

    job = api.created(turned, noise={"model": "aria-1", "seed": 1})

    plan = plan_of(api, job["id"])
    assert plan["chosen"]["engine"] == "density_matrix"
    assert plan["run"]["ratio"] > 0


def test_an_input_that_a_worker_reads_has_a_plan(api: Api) -> None:
    text = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'

    job = api.created({"data": text}, type="ionq.qasm3.v1")

    plan = plan_of(api, job["id"])
    assert plan["chosen"]["engine"] == IDEAL_ENGINE
    assert plan["run"]["seconds"] > 0
    assert plan["answers"] != []


def test_a_job_that_no_engine_takes_has_the_refusals(api: Api) -> None:
    job = api.ended(api.submit(TOO_WIDE))

    plan = plan_of(api, job["id"])

    assert (plan["status"], plan["chosen"], plan["run"]) == ("failed", None, None)
    assert all(answer["refusal"] for answer in plan["answers"])


def test_a_job_that_waits_or_runs_is_planned_and_has_not_run() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        running, waiting = api.submit(ENDLESS), api.submit(ENDLESS)
        api.running(running)

        assert plan_of(api, running)["run"] is None
        assert plan_of(api, waiting)["chosen"]["engine"] == IDEAL_ENGINE


def test_a_job_that_is_not_read_yet_is_not_planned() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        with api.frozen_workers():
            text = "OPENQASM 3; qubit q;"
            job_id = api.create({"data": text}, type="ionq.qasm3.v1")

            plan = plan_of(api, job_id)

    assert (plan["status"], plan["chosen"], plan["answers"]) == ("submitted", None, [])


def test_a_parent_names_its_children_which_have_plans(api: Api) -> None:
    job = api.created({"circuits": [BELL, BELL]}, type="ionq.multi-circuit.v1")

    plan = plan_of(api, job["id"])

    assert (plan["chosen"], plan["answers"]) == (None, [])
    assert plan["child_job_ids"] == job["child_job_ids"]
    assert [plan_of(api, child)["run"] is None for child in plan["child_job_ids"]] == [False] * 2


def test_a_job_that_is_not_there_has_no_plan(api: Api) -> None:
    answer = api.call("GET", "/ionbox/v1/jobs/0190a1b2-0000-7000-8000-000000000000/plan")

    assert answer.status_code == 404


def test_a_plan_needs_a_key(api: Api) -> None:
    job_id = api.completed(BELL)["id"]

    answer = Api(api.url, "wrong", api.pid).call("GET", f"/ionbox/v1/jobs/{job_id}/plan")

    assert answer.status_code == 401
