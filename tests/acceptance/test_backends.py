"""Backends, what is known of them, what jobs on them would cost, and what was used."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

from ionbox import LocalServer
from ionbox.local_server import LocalServerError

MACHINES = ["qpu.aria-1", "qpu.aria-2", "qpu.forte-1", "qpu.forte-enterprise-1", "qpu.harmony"]
ORGANIZATION = "org.local"
USAGE = f"/v0.4/organizations/{ORGANIZATION}/usage"
MILLISECONDS = 1000


def nobody(api: Api) -> Api:
    return Api(api.url, "no key", api.pid)


def records(api: Api, backend: str = "qpu.forte-1", **query: object) -> list[dict[str, Any]]:
    path = f"/v0.4/backends/{backend}/characterizations"
    answer: list[dict[str, Any]] = nobody(api).get(path, **query)["characterizations"]
    return answer


def test_the_machines_are_listed_with_what_sdks_build_their_targets_from(api: Api) -> None:
    backends = {backend["backend"]: backend for backend in nobody(api).get("/v0.4/backends")}

    assert list(backends) == [*MACHINES, "simulator"]
    forte = backends["qpu.forte-1"]
    assert (forte["qubits"], forte["status"]) == (36, "available")
    assert forte["supported_native_gates"] == ["gpi", "gpi2", "zz"]
    assert backends["qpu.aria-1"]["status"] == "available"
    assert "noise_models" not in forte
    assert forte["characterization_id"] == records(api)[0]["id"]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_characterization_is_told_alike_by_both_versions(api: Api, machine: str) -> None:
    newest = records(api, machine)[0]
    old = api.get(f"/v0.3/characterizations/backends/{machine}/current")

    assert uuid.UUID(newest["id"])
    assert (old["id"], old["timing"], old["connectivity"]) == (
        newest["id"],
        newest["timing"],
        newest["connectivity"],
    )
    assert datetime.fromtimestamp(old["date"], UTC) == datetime.fromisoformat(newest["date"])
    for name, fidelity in newest["fidelity"].items():
        assert old["fidelity"][name] == {"mean": fidelity["median"]}
        assert 0.9 < fidelity["median"] < 1
    assert api.get(f"/v0.3/characterizations/{newest['id']}") == old
    path = f"/v0.4/backends/{machine}/characterizations/{newest['id']}"
    assert api.get(path) == newest


def test_characterizations_come_newest_first_in_pages(api: Api) -> None:
    first = nobody(api).get("/v0.4/backends/qpu.forte-1/characterizations", limit=5)
    rest = [records(api, limit=5, page=page) for page in (2, 3, 4)]
    dates = [record["date"] for page in (first["characterizations"], *rest) for record in page]

    assert first["pages"] == 2
    assert dates == sorted(dates, reverse=True)
    assert [len(page) for page in rest] == [5, 2, 0]


def test_characterizations_are_found_by_time_in_both_versions(api: Api) -> None:
    every = records(api)
    third = every[2]
    found = records(api, start=third["date"], end=every[1]["date"])
    moment = int(datetime.fromisoformat(third["date"]).timestamp() * MILLISECONDS)
    old = api.get("/v0.3/characterizations/backends/qpu.forte-1", start=moment, end=moment)

    assert [record["id"] for record in found] == [every[1]["id"], third["id"]]
    assert [record["id"] for record in old["characterizations"]] == [third["id"]]
    assert records(api, end="2001-01-01") == []


@pytest.mark.parametrize(
    "path",
    [
        "/v0.4/backends/qpu.forte-1/characterizations?start=yesterday",
        "/v0.4/backends/qpu.forte-1/characterizations?limit=11",
        "/v0.4/backends/qpu.forte-1/characterizations?page=0",
        "/v0.3/characterizations/backends/qpu.forte-1?start=-1",
        "/v0.4/jobs/estimate",
        "/v0.4/jobs/estimate?backend=qpu.forte-1&shots=0",
        "/v0.4/jobs/estimate?backend=qpu.forte-1&1q_gates=x",
        USAGE,
        f"{USAGE}?start_date=2026-01-02&end_date=2026-01-01&group_by=job&modality=daily",
        f"{USAGE}?start_date=2026-01-01&end_date=2026-01-01&group_by=planet&modality=daily",
        f"/v0.3/report/organizations/{ORGANIZATION}?start_date=soon",
    ],
)
def test_a_wrong_query_is_refused_with_its_name(api: Api, path: str) -> None:
    answer = api.call("GET", path)

    assert answer.status_code == 400
    assert answer.json()["validation"]["source"] == "query"
    assert answer.json()["validation"]["keys"]


@pytest.mark.parametrize(
    "path",
    [
        "/v0.4/backends/qpu.surprise",
        "/v0.4/backends/qpu.surprise/characterizations",
        "/v0.4/backends/qpu.forte-1/characterizations/unknown",
        "/v0.3/characterizations/backends/simulator/current",
        "/v0.3/characterizations/unknown",
        "/v0.4/jobs/estimate?backend=qpu.surprise",
        "/v0.4/schemas/formats/surprise",
        "/v0.2/jobs",
    ],
)
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    assert api.call("GET", path).status_code == 404


def test_a_record_is_not_found_under_another_backend(api: Api) -> None:
    record = records(api)[0]["id"]

    assert (
        api.call("GET", f"/v0.4/backends/simulator/characterizations/{record}").status_code == 404
    )


def test_v02_names_v03(api: Api) -> None:
    answer = api.call("POST", "/v0.2/jobs", {})

    assert answer.status_code == 404
    assert "this version is retired: use v0.3" in answer.json()["message"]


# --- prices ------------------------------------------------------------------------------


def test_an_estimate_has_both_shapes_that_clients_read(api: Api) -> None:
    query = {"backend": "qpu.forte-1", "shots": 1000, "1q_gates": 100, "2q_gates": 20, "qubits": 5}
    estimate = api.get("/v0.4/jobs/estimate", **query)
    rate = estimate["rate_card"]["rates"][0]

    total = 1000 * (100 * rate["cost_1q_gate"] + 20 * rate["cost_2q_gate"])
    assert estimate["estimated_total_cost"] == pytest.approx(total)
    assert estimate["estimated_cost"] == estimate["estimated_total_cost"]
    assert estimate["cost_unit"] == estimate["estimated_unit"] == "usd"
    context = estimate["estimate_context"]
    assert {key: context[key] for key in query} == query
    assert context["organization"] == ORGANIZATION
    assert estimate["input_values"].items() <= context.items()
    assert estimate["rate_information"]["cost_2q_gate"] == rate["cost_2q_gate"]
    assert estimate["estimated_execution_time"] > 0


def test_a_small_job_costs_the_minimum_and_more_with_mitigation(api: Api) -> None:
    plain = api.get("/v0.4/jobs/estimate", backend="qpu.forte-1")
    mitigated = api.get("/v0.4/jobs/estimate", backend="qpu.forte-1", error_mitigation="True")

    assert plain["estimated_cost"] == 10.0
    assert mitigated["estimated_cost"] == 80.0


def test_the_simulator_is_free_also_under_qiskits_name(api: Api) -> None:
    for name in ("simulator", "ionq_simulator"):
        estimate = api.get("/v0.4/jobs/estimate", **{"backend": name, "1q_gates": 1000})
        assert estimate["estimated_cost"] == 0


def test_an_operator_sets_the_prices(tmp_path: Path) -> None:
    names = [*MACHINES, "simulator"]
    rows = [f'[backends."{name}"]\nfree = true' for name in names if name != "qpu.forte-1"]
    price = (
        '[backends."qpu.forte-1"]\ncost_1q_gate = 0.5\ncost_2q_gate = 1\njob_cost_minimum = 2\n'
        "job_cost_minimum_error_mitigation = 3"
    )
    path = tmp_path / "prices.toml"
    path.write_text("\n".join(['currency = "credit"', price, *rows]))

    with LocalServer(prices=path) as server:
        api = Api.of(server)
        job = api.created(BELL, backend="qpu.forte-1", dry_run=True, shots=2)
        cost = api.get(f"/v0.4/jobs/{job['id']}/cost")
    counts = job["stats"]["gate_counts"]
    assert counts["2q"] == 1
    assert cost["estimated_cost"] == {"value": 2 * (0.5 * counts["1q"] + 1), "unit": "credit"}


def test_a_wrong_book_of_prices_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("currency = 3")

    with pytest.raises(LocalServerError, match="prices: 'backends' is missing"):
        LocalServer(prices=path).start()
    with pytest.raises(LocalServerError, match="No such file"):
        LocalServer(prices=tmp_path / "none.toml").start()


# --- usage -------------------------------------------------------------------------------


def test_usage_adds_up_in_both_versions() -> None:
    with LocalServer(workers=2) as server:
        api = Api.of(server)
        whoami = api.get("/v0.4/whoami")
        for _ in range(3):
            api.created(BELL)
        api.created(BELL, backend="qpu.forte-1", dry_run=True)
        today = datetime.now(UTC).date().isoformat()
        days = {"start_date": today, "end_date": today}
        usage = {
            group: api.get(USAGE, **days, group_by=group, modality="monthly")
            for group in ("job", "project", "user")
        }
        report = api.get(f"/v0.3/report/organizations/{ORGANIZATION}")

    for group, body in usage.items():
        assert (body["group_type"], body["modality"]) == (group, "monthly")
        assert (body["job_count"], body["amount_total"], body["usage_unit"]) == (4, 0.0, "usd")
        (period,) = body["usage_data"]
        assert period["from"] == f"{today[:8]}01T00:00:00.000Z"
        assert sum(one["job_count"] for one in period["group_usages"]) == period["job_count"] == 4
        assert body["time_us_total"] == period["time_us"] > 0
    (by_project,) = usage["project"]["usage_data"][0]["group_usages"]
    assert (by_project["group_id"], by_project["group_name"]) == (whoami["project_id"], "default")
    assert {one["group_id"] for one in usage["job"]["usage_data"][0]["group_usages"]} == {
        "simulator",
        "qpu.forte-1",
    }
    (member,) = report["members"]
    assert (member["jobs"], report["end_date"]) == (4, today)
    assert date.fromisoformat(report["start_date"]) < date.fromisoformat(today)


def test_usage_of_another_organization_is_forbidden(api: Api) -> None:
    query = {"start_date": "2026-01-01", "end_date": "2026-01-01", "group_by": "job"}
    for path in ("/v0.4/organizations/com.example/usage", "/v0.3/report/organizations/com.example"):
        answer = api.call("GET", path, params=query | {"modality": "daily"})

        assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")


def test_a_key_lists_its_project(api: Api) -> None:
    (project,) = api.get("/v0.4/projects")

    assert (project["name"], project["unit"], project["quotaLimit"]) == ("default", "USD", None)
    assert project["allowedTargets"] == [*MACHINES, "simulator"]
