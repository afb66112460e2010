from __future__ import annotations

from typing import Any

from tests.acceptance.client import Api
from tests.builders import BELL


def begin(api: Api, backend: str = "simulator", **settings: object) -> dict[str, Any]:
    answer = api.call("POST", "/v0.4/sessions", {"backend": backend, "settings": settings})
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    return session


def submitted(api: Api, session_id: str, **fields: object) -> Any:  # noqa: ANN401 - an answer
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": BELL}
    return api.call("POST", "/v0.4/jobs", body | {"session_id": session_id} | fields)


def test_a_session_lives_from_its_first_job_to_its_end(api: Api) -> None:
    session = begin(api, duration_limit_min=5)
    job_id = submitted(api, session["id"]).json()["id"]
    started = api.get(f"/v0.4/sessions/{session['id']}")
    ended = [api.call("POST", f"/v0.4/sessions/{session['id']}/end", b"null") for _ in range(2)]

    assert (session["status"], session["active"], session["started_at"]) == ("created", True, None)
    assert session["settings"]["duration_limit_min"] == 5
    assert session["settings"]["expires_at"] > session["created_at"]
    assert (started["status"], started["state"], started["active"]) == ("started", "started", True)
    assert [answer.status_code for answer in ended] == [200, 200]
    assert ended[0].json() == ended[1].json() == api.get(f"/v0.4/sessions/{session['id']}")
    assert ended[0].json()["ender_id"] == session["creator_id"]
    assert api.get(f"/v0.4/jobs/{job_id}")["session_id"] == session["id"]


def test_a_session_that_has_ended_takes_no_job(api: Api) -> None:
    session = begin(api)
    api.call("POST", f"/v0.4/sessions/{session['id']}/end")
    answer = submitted(api, session["id"])

    assert answer.status_code == 400
    assert answer.json()["message"] == f"session_id: session '{session['id']}' has ended"
    assert answer.json()["validation"] == {"keys": ["session_id"], "source": "payload"}


def test_a_session_takes_no_more_jobs_than_its_limit(api: Api) -> None:
    session = begin(api, job_count_limit=2)
    many = {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * 3}
    first = submitted(api, session["id"], type="ionq.multi-circuit.v1", input=many)
    statuses = [submitted(api, session["id"]).status_code for _ in range(2)]

    assert (first.status_code, statuses) == (201, [201, 400])
    children = api.get("/v0.4/jobs", parent_job_id=first.json()["id"])["jobs"]
    assert {child["session_id"] for child in children} == {session["id"]}


def test_a_deleted_job_still_counts_in_its_session(api: Api) -> None:
    session = begin(api, job_count_limit=1)
    job_id = submitted(api, session["id"]).json()["id"]
    api.call("DELETE", f"/v0.4/jobs/{job_id}")

    assert submitted(api, session["id"]).status_code == 400


def test_a_session_is_for_its_backend(api: Api) -> None:
    session = begin(api, backend="qpu.forte-1")

    assert submitted(api, session["id"]).status_code == 400


def test_the_jobs_of_a_session_are_listed_alone(api: Api) -> None:
    session = begin(api)
    job_ids = [submitted(api, session["id"]).json()["id"] for _ in range(3)]
    api.submit(BELL)

    listed = api.get(f"/v0.4/sessions/{session['id']}/jobs", limit=2)
    assert [job["id"] for job in listed["jobs"]] == job_ids[:0:-1]
    rest = api.get(f"/v0.4/sessions/{session['id']}/jobs", limit=2, next=listed["next"])
    assert [job["id"] for job in rest["jobs"]] == job_ids[:1]
    assert rest["next"] is None
    by_filter = api.get("/v0.4/jobs", session_id=session["id"], status="queued")
    assert by_filter == {"jobs": [], "next": None}


def test_sessions_are_listed_newest_first(api: Api) -> None:
    active, ended = begin(api), begin(api)
    api.call("POST", f"/v0.4/sessions/{ended['id']}/end")

    def listed(**query: str) -> list[str]:
        return [session["id"] for session in api.get("/v0.4/sessions", **query)["sessions"]]

    assert listed()[:2] == [ended["id"], active["id"]]
    assert active["id"] in listed(active="True")
    assert ended["id"] not in listed(active="true")
    assert active["id"] not in listed(active="false")
    assert api.get("/v0.4/sessions")["organization_id"] == active["organization_id"]


def test_qiskits_name_of_the_simulator_is_understood(api: Api) -> None:
    assert begin(api, backend="ionq_simulator")["backend"] == "simulator"


def test_a_session_that_cannot_be_is_refused(api: Api) -> None:
    def message(body: object) -> tuple[int, str]:
        answer = api.call("POST", "/v0.4/sessions", body)
        return answer.status_code, answer.json()["message"]

    assert message({"settings": {}})[0] == 400
    assert message({"backend": "x"})[1].startswith("backend: 'x' is not one of: ")
    zero = {"backend": "simulator", "settings": {"job_count_limit": 0}}
    assert message(zero) == (400, "settings.job_count_limit: 0 is not within 1 to 2147483647")
    ages = {"backend": "simulator", "settings": {"duration_limit_min": 10**10}}
    assert message(ages)[1].startswith("settings.duration_limit_min: 10000000000 is not within")
    debt = {"backend": "simulator", "settings": {"cost_limit": {"value": -1}}}
    assert message(debt) == (400, "settings.cost_limit.value: -1.0 is not within 0 to 2147483647")
    gold = {"backend": "simulator", "settings": {"cost_limit": {"value": 1, "unit": "gold"}}}
    assert message(gold) == (
        400,
        "settings.cost_limit.unit: costs are in 'usd' here, and nothing converts them",
    )


def test_a_session_that_is_not_there_is_not_found(api: Api) -> None:
    for method, path in (("GET", ""), ("POST", "/end"), ("GET", "/jobs")):
        assert api.call(method, f"/v0.4/sessions/unknown{path}").status_code == 404


DEVICE = "qpu.forte-1"


def cost_of_one_job(api: Api) -> float:
    dry = api.created(BELL, backend=DEVICE, dry_run=True, shots=1000)
    cost: float = api.get(f"/v0.4/jobs/{dry['id']}/cost")["estimated_cost"]["value"]
    return cost


def test_a_session_costs_no_more_than_its_limit_however_fast_jobs_come(api: Api) -> None:
    cost = cost_of_one_job(api)
    session = begin(api, DEVICE, cost_limit={"value": 2.5 * cost, "unit": "USD"})
    answers = [submitted(api, session["id"], backend=DEVICE, shots=1000) for _ in range(5)]
    job_ids = [answer.json()["id"] for answer in answers if answer.ok]
    jobs = [api.finished(job_id) for job_id in job_ids]

    assert cost > 0
    completed = [job for job in jobs if job["status"] == "completed"]
    failed = [job for job in jobs if job["status"] == "failed"]
    assert len(completed) == 2
    assert len(failed) == len(jobs) - 2 > 0
    for job in failed:
        assert job["failure"]["code"] == "QuotaExhaustedError"
        assert job["failure"]["message"].startswith(f"session '{session['id']}' may cost ")
        assert api.get(f"/v0.4/jobs/{job['id']}/cost")["cost"]["value"] == 0


def test_a_session_that_has_spent_its_limit_takes_no_job(api: Api) -> None:
    session = begin(api, DEVICE, cost_limit={"value": cost_of_one_job(api)})
    api.finished(submitted(api, session["id"], backend=DEVICE, shots=1000).json()["id"])
    answer = submitted(api, session["id"], backend=DEVICE, shots=1000)

    assert answer.status_code == 400
    assert answer.json()["validation"]["keys"] == ["session_id"]


def test_a_limit_of_nothing_leaves_what_is_free(api: Api) -> None:
    session = begin(api, cost_limit={"value": 0})
    job_id = submitted(api, session["id"]).json()["id"]

    assert api.finished(job_id)["status"] == "completed"


def test_jobs_that_wait_when_their_session_ends_still_run(api: Api) -> None:
    session = begin(api)
    with api.frozen_workers():
        job_id = submitted(api, session["id"]).json()["id"]
        api.call("POST", f"/v0.4/sessions/{session['id']}/end")
        assert api.get(f"/v0.4/sessions/{session['id']}")["active"] is False

    assert api.finished(job_id)["status"] == "completed"
