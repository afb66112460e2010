"""Jobs of many circuits: a parent, and a child for each circuit."""

from __future__ import annotations

from typing import Any

from tests.acceptance.client import Api
from tests.builders import BELL, ENDLESS, TOO_WIDE

FLIPPED: list[dict[str, Any]] = [{"gate": "x", "target": 1}]
TYPE = "ionq.multi-circuit.v1"
TWO: dict[str, Any] = {
    "gateset": "qis",
    "qubits": 2,
    "circuits": [{"name": "bell", "circuit": BELL["circuit"]}, {"circuit": FLIPPED}],
}


def many(api: Api, job_input: dict[str, Any] = TWO, **fields: object) -> dict[str, Any]:
    return api.created(job_input, type=TYPE, **fields)


def children_of(api: Api, parent: dict[str, Any]) -> list[dict[str, Any]]:
    return [api.get(f"/v0.4/jobs/{child_id}") for child_id in parent["child_job_ids"]]


def test_the_results_of_many_circuits_come_in_their_order_by_child(api: Api) -> None:
    parent = many(api)
    expected = list(zip(parent["child_job_ids"], [{"0": 0.5, "3": 0.5}, {"2": 1}], strict=True))

    assert parent["status"] == "completed"
    paths = ("results/probabilities", "results/probabilities/aggregated",
             "artifacts/probabilities-aggregate")  # fmt: skip
    for path in paths:
        assert list(api.get(f"/v0.4/jobs/{parent['id']}/{path}").items()) == expected
    assert list(api.get(f"/v0.3/jobs/{parent['id']}/results").items()) == expected
    url = f"/v0.4/jobs/{parent['id']}/results/probabilities/aggregated"
    assert parent["results"]["probabilities"]["url"] == url
    aggregate = parent["results"]["ionq.result.probabilities-aggregate.json.v1"]
    assert aggregate["id"] == "probabilities-aggregate"


def test_a_parent_tells_the_size_of_all_and_each_child_its_own(api: Api) -> None:
    parent = many(api, shots=7, metadata={"of": "all"}, name="two")
    first, second = children_of(api, parent)

    assert parent["stats"] == {
        "qubits": 2,
        "circuits": 2,
        "gate_counts": {"1q": 2, "2q": 1},
        "kwh": 0.0,
    }
    assert (parent["type"], parent["name"], parent["metadata"]) == (TYPE, "two", {"of": "all"})
    assert (first["name"], second["name"]) == ("bell", None)
    for child in (first, second):
        assert child["type"] == "ionq.circuit.v1"
        assert child["parent_job_id"] == parent["id"]
        assert (child["shots"], child["metadata"], child["child_job_ids"]) == (7, None, None)
    assert api.get(second["results"]["probabilities"]["url"]) == {"2": 1}


def test_v03_submits_many_circuits_by_their_presence(api: Api) -> None:
    registers = {"meas_mapped": [1, None, 0]}
    circuits = [{"circuit": BELL["circuit"], "registers": registers}, {"circuit": FLIPPED}]
    parent = api.completed({"format": "ionq.circuit.v0", "qubits": 2, "circuits": circuits})

    first, second = (api.job(child_id) for child_id in parent["children"])
    assert (parent["circuits"], parent["qubits"]) == (2, 2)
    assert (first["registers"], second["registers"]) == (registers, None)
    assert first["parent"] == second["parent"] == parent["id"]
    assert "children" not in first
    assert api.get(f"/v0.4/jobs/{parent['id']}")["child_job_ids"] == parent["children"]


def test_what_a_circuit_does_not_say_the_input_says_for_all(api: Api) -> None:
    circuits = [
        {"circuit": [{"gate": "gpi", "target": 0, "phase": 0}]},
        {"gateset": "qis", "qubits": 3, "circuit": [{"gate": "x", "target": 2}]},
    ]
    parent = many(api, {"gateset": "native", "qubits": 2, "circuits": circuits})

    results = api.get(f"/v0.4/jobs/{parent['id']}/results/probabilities")
    assert list(results.values()) == [{"1": 1}, {"4": 1}]
    assert [child["stats"]["qubits"] for child in children_of(api, parent)] == [2, 3]


def test_children_are_sampled_each_with_its_own_seed(api: Api) -> None:
    circuits = [{"circuit": [{"gate": "h", "target": 0}]}] * 2
    fields: dict[str, Any] = {"noise": {"model": "forte-1", "seed": 7}, "shots": 1000}
    parents = [many(api, {"qubits": 1, "circuits": circuits}, **fields) for _ in range(2)]
    results = [
        list(api.get(f"/v0.4/jobs/{parent['id']}/results/probabilities").values())
        for parent in parents
    ]

    assert results[0] == results[1]
    assert results[0][0] != results[0][1]


def test_lists_show_children_where_they_are_asked_for(api: Api) -> None:
    parent = many(api)
    child_ids = parent["child_job_ids"]
    listed = api.get("/v0.4/jobs", parent_job_id=parent["id"])

    assert [job["id"] for job in listed["jobs"]] == child_ids[::-1]
    assert api.ids(ids=child_ids) == child_ids[::-1]
    assert not set(child_ids) & set(api.ids(limit=1000))


def test_canceling_a_parent_cancels_its_children(api: Api) -> None:
    circuits = [{"circuit": ENDLESS["circuit"]}] * 5
    with api.frozen_workers():
        parent_id = api.create({"qubits": 24, "circuits": circuits}, type=TYPE)
        canceled = api.call("PUT", "/v0.4/jobs/status/cancel", {"ids": [parent_id]})
    parent = api.finished(parent_id)

    assert canceled.json() == {"ids": [parent_id], "status": "canceled"}
    assert parent["status"] == "canceled"
    assert {child["status"] for child in children_of(api, parent)} == {"canceled"}
    answer = api.call("GET", f"/v0.4/jobs/{parent_id}/results/probabilities")
    assert answer.status_code == 404


def test_deleting_a_parent_deletes_its_children(api: Api) -> None:
    parent = many(api)
    deleted = api.call("DELETE", f"/v0.4/jobs/{parent['id']}")

    assert deleted.json() == {"id": parent["id"], "status": "deleted"}
    assert api.ids(ids=[parent["id"], *parent["child_job_ids"]]) == []


def test_one_failed_circuit_fails_the_parent_and_harms_no_other(api: Api) -> None:
    parent = many(api, {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}, TOO_WIDE]})
    good, bad = children_of(api, parent)

    assert parent["status"] == "failed"
    assert parent["failure"]["code"] == "NotEnoughQubits"
    assert f"1 of 2 circuits failed; the first, job {bad['id']}: 45" in parent["failure"]["message"]
    assert (good["status"], bad["status"]) == ("completed", "failed")
    assert api.get(good["results"]["probabilities"]["url"]) == {"0": 0.5, "3": 0.5}


def test_five_thousand_circuits_are_one_job(api: Api) -> None:
    gates = [{"gate": "ry", "target": k % 3, "rotation": 0.1 + k} for k in range(30)]
    circuits = [
        {"name": str(n), "circuit": [{"gate": "x", "target": n % 3}, *gates[1:]]}
        for n in range(5000)
    ]
    parent = many(api, {"qubits": 3, "circuits": circuits})

    results = list(api.get(f"/v0.3/jobs/{parent['id']}/results").values())
    assert parent["stats"]["gate_counts"] == {"1q": 150_000, "2q": 0}
    assert [job_id for job_id in parent["child_job_ids"]] == sorted(parent["child_job_ids"])  # noqa: C416
    assert len(results) == 5000
    assert results[:3] == results[-3 - 5000 % 3 :][:3]
    assert results[0] != results[1]


def test_a_bad_circuit_in_a_long_input_fails_as_a_job(api: Api) -> None:
    gates = [{"gate": "ry", "target": 0, "rotation": 0.1}] * 4000
    circuits = [{"circuit": gates}, {"circuit": [*gates, {"gate": "surprise"}]}]
    parent = many(api, {"qubits": 1, "circuits": circuits})
    good, bad = children_of(api, parent)

    assert (good["status"], bad["status"], parent["status"]) == ("completed", "failed", "failed")
    assert bad["failure"]["code"] == "InvalidInput"
    assert bad["failure"]["message"].startswith("circuit[4000].gate: unknown gate 'surprise'")


def test_a_parent_ran_from_the_first_start_to_the_last_end_of_its_children(api: Api) -> None:
    for number in (1, 3):
        parent = many(api, {"qubits": 2, "circuits": [{"circuit": BELL["circuit"]}] * number})
        children = children_of(api, parent)

        assert parent["started_at"] == min(child["started_at"] for child in children)
        assert parent["completed_at"] == max(child["completed_at"] for child in children)
        assert parent["execution_duration_ms"] >= max(
            child["execution_duration_ms"] for child in children
        )


def test_a_parent_that_is_canceled_knows_how_large_it_was(api: Api) -> None:
    gates = [{"gate": "ry", "target": 1, "rotation": 0.1}] * 8000
    with api.frozen_workers():
        parent_id = api.create({"qubits": 2, "circuits": [{"circuit": gates}] * 2}, type=TYPE)
        api.call("PUT", f"/v0.4/jobs/{parent_id}/status/cancel")
    short_id = api.create(TWO, type=TYPE)
    api.call("PUT", f"/v0.4/jobs/{short_id}/status/cancel")

    assert api.finished(parent_id)["stats"]["circuits"] == 2
    assert api.finished(short_id)["stats"]["qubits"] == 2


def test_children_of_parents_with_neighbouring_seeds_share_no_samples(api: Api) -> None:
    circuits = [{"circuit": [{"gate": "h", "target": 0}]}] * 3
    noise = [{"noise": {"model": "forte-1", "seed": seed}, "shots": 100} for seed in (7, 8)]
    parents = [many(api, {"qubits": 1, "circuits": circuits}, **fields) for fields in noise]
    shots = [
        tuple(api.get(f"/v0.4/jobs/{child}/results/shots"))
        for parent in parents
        for child in parent["child_job_ids"]
    ]

    assert len(set(shots)) == 6


def test_a_parent_has_no_histogram_and_names_what_it_has(api: Api) -> None:
    parent = many(api)
    for path in ("results/histogram", "results/shots", "artifacts/probabilities"):
        answer = api.call("GET", f"/v0.4/jobs/{parent['id']}/{path}")

        assert answer.status_code == 404
        assert answer.json()["message"].endswith("known here: probabilities-aggregate")
