from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL, TOO_WIDE

GHZ_20 = {
    "qubits": 20,
    "circuit": [
        {"gate": "h", "target": 0},
        *({"gate": "cnot", "control": 0, "target": qubit} for qubit in range(1, 20)),
    ],
}
FLIPS = [{"gate": "cnot", "control": 0, "target": 1}] * 9000


def refusal(api: Api, job_id: str) -> str:
    answer = api.call("GET", f"/v0.3/jobs/{job_id}/results")
    assert answer.status_code == 404
    assert set(answer.json()) == {"statusCode", "error", "message"}
    message: str = answer.json()["message"]
    return message


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [
        pytest.param(BELL, {"0": 0.5, "3": 0.5}, id="Bell pair"),
        pytest.param(
            {"qubits": 2, "circuit": [{"gate": "x", "target": 1}]}, {"2": 1}, id="x on qubit 1"
        ),
        pytest.param(
            {"qubits": 3, "circuit": [{"gate": "x", "targets": [0, 2]}]}, {"5": 1}, id="two x"
        ),
        pytest.param({"qubits": 1, "circuit": []}, {"0": 1}, id="no gates"),
        pytest.param({"circuit": [{"gate": "not", "target": 1}]}, {"2": 1}, id="no qubits"),
        pytest.param(GHZ_20, {"0": 0.5, "1048575": 0.5}, id="GHZ state of 20 qubits"),
        pytest.param(
            {
                "gateset": "native",
                "qubits": 2,
                "circuit": [
                    {"gate": "ms", "targets": [0, 1], "phases": [0, 0.25]},
                    {"gate": "gpi2", "target": 0, "phase": 0.75},
                ],
            },
            {"0": 0.25, "1": 0.25, "2": 0.25, "3": 0.25},
            id="native gates",
        ),
    ],
)
def test_results_are_exact_and_qubit_0_is_the_lowest_bit(
    api: Api, circuit: dict[str, Any], expected: dict[str, float]
) -> None:
    assert api.probabilities(circuit) == expected


def test_many_outcomes_sum_to_1(api: Api) -> None:
    gates = [{"gate": "ry", "target": qubit, "rotation": 1 + qubit / 10} for qubit in range(14)]

    results = api.probabilities({"qubits": 14, "circuit": gates})

    assert list(results) == [str(state) for state in range(2**14)]
    assert math.isclose(sum(results.values()), 1, abs_tol=1e-12)
    product = math.prod(math.cos((1 + qubit / 10) / 2) ** 2 for qubit in range(14))
    assert math.isclose(results["0"], product, rel_tol=1e-12)


def test_a_body_too_large_for_the_server_is_read_by_a_worker(api: Api) -> None:
    circuit = {"qubits": 2, "circuit": [*FLIPS, *BELL["circuit"]]}
    body = json.dumps({"input": circuit}).encode()
    created = api.call("POST", "/v0.3/jobs", body).json()

    assert len(body) > 256 * 1024
    assert created["status"] == "submitted"
    job = api.ended(created["id"])
    assert (job["status"], job["qubits"]) == ("completed", 2)
    assert job["gate_counts"] == {"1q": 1, "2q": 9001}
    assert api.get(job["results_url"]) == {"0": 0.5, "3": 0.5}


def test_a_large_body_with_a_bad_circuit_fails_and_names_the_place(api: Api) -> None:
    circuit = {"qubits": 2, "circuit": [*FLIPS, {"gate": "h", "target": 2}]}

    job = api.ended(api.submit(circuit))

    assert job["status"] == "failed"
    assert job["failure"] == {
        "code": "InvalidInput",
        "error": "circuit[9000].target: qubit 2 of a 2-qubit circuit",
    }
    assert type(job["response"]) is int


def test_a_circuit_with_too_many_qubits_fails_and_says_what_it_needs(api: Api) -> None:
    job = api.ended(api.submit(TOO_WIDE))

    assert (job["status"], job["qubits"]) == ("failed", 45)
    assert job["failure"]["code"] == "NotEnoughQubits"
    size = r"\d+\.\d [KMGTP]iB"
    assert re.fullmatch(f"45 qubits need {size}; {size} are available", job["failure"]["error"])


def test_results_of_a_job_that_waits_are_not_found(api: Api) -> None:
    with api.frozen_workers():
        job_id = api.submit(BELL)
        message = refusal(api, job_id)

    assert message == f"job '{job_id}' has no results: its status is 'ready'"


def test_results_of_a_failed_job_are_not_found(api: Api) -> None:
    job_id = api.ended(api.submit(TOO_WIDE))["id"]

    assert refusal(api, job_id) == f"job '{job_id}' has no results: its status is 'failed'"


def test_results_of_a_canceled_job_are_not_found(api: Api) -> None:
    with api.frozen_workers():
        job_id = api.submit(BELL)
        api.call("PUT", f"/v0.3/jobs/{job_id}/status/cancel")

    assert refusal(api, job_id) == f"job '{job_id}' has no results: its status is 'canceled'"


@pytest.mark.parametrize("query", ["", "?sharpen=true", "?sharpen=False&format=x", "?surprise=1"])
def test_the_query_of_results_changes_nothing(api: Api, query: str) -> None:
    job = api.completed(BELL)

    answer = api.call("GET", job["results_url"] + query)

    assert answer.headers["content-type"] == "application/json"
    assert answer.text == '{"0":0.5,"3":0.5}'
