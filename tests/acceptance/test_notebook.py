from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests
from tests.acceptance.client import Api, until
from tests.builders import BELL

BELL_RESULT = {"0": 0.5, "3": 0.5}
# The circuit as the notebook writes it, with every key that it has.
INPUT = {"format": "ionq.circuit.v0", "gateset": "qis", **BELL}
DATA = {"name": "API Example Circuit", "shots": 100, "target": "simulator", "input": INPUT}


def submit_job(url: str, headers: dict[str, str], data: str) -> Any:  # noqa: ANN401 - JSON
    response = requests.post(f"{url}/v0.3/jobs", headers=headers, data=data, timeout=10)
    answer = response.json()
    assert response.status_code == 200, f"Error: {answer.get('message', 'Unknown error')}"
    return answer["id"]


def query_job(url: str, job_id: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    response = requests.get(f"{url}/v0.3/jobs/{job_id}", headers=headers, timeout=10)
    answer = response.json()
    assert response.status_code == 200, f"Error: {answer.get('message', 'Unknown error')}"
    return answer["status"]


def get_job_results(url: str, job_id: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    response = requests.get(f"{url}/v0.3/jobs/{job_id}/results", headers=headers, timeout=10)
    answer = response.json()
    assert response.status_code == 200, f"Error: {answer.get('message', 'Unknown error')}"
    return answer


def test_the_notebook_prints_what_it_shows(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    headers = {"Authorization": f"apiKey {api.key}", "Content-Type": "application/json"}

    job_id = submit_job(api.url, headers, json.dumps(DATA))
    status = "ready"
    while status != "completed":
        time.sleep(0.01)
        status = query_job(api.url, job_id, headers)
    results = get_job_results(api.url, job_id, headers)
    print(results)  # noqa: T201 - as the notebook does

    assert capsys.readouterr().out == "{'0': 0.5, '3': 0.5}\n"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"shots": "100"}, id="shots as text"),
        pytest.param({"shots": 100.0}, id="shots as a float"),
        pytest.param({"shots": None, "name": None, "metadata": None}, id="nulls"),
        pytest.param({"noise": {"model": "ideal", "seed": None}}, id="qiskit-ionq's noise"),
        pytest.param({"noise": {"model": None}}, id="noise of no model"),
        pytest.param({"registers": {"meas_mapped": [0, 1]}}, id="qiskit-ionq's registers"),
        pytest.param({"qubits": "\u001d"}, id="CUDA-Q's number of qubits"),
        pytest.param({"error_mitigation": {"debias": False}}, id="error mitigation"),
        pytest.param({"lang": "json", "surprise": [{"a": 1}]}, id="keys that nobody knows"),
        pytest.param({"input": {**INPUT, "surprise": {}}}, id="a key in the input"),
        pytest.param({"input": {**INPUT, "circuits": None}}, id="no circuits"),
        pytest.param({"input": BELL}, id="neither format nor gateset"),
    ],
)
def test_what_clients_add_to_the_body_changes_nothing(api: Api, changes: dict[str, Any]) -> None:
    answer = api.call("POST", "/v0.3/jobs", DATA | changes)
    assert answer.status_code == 200, answer.text
    job = api.ended(answer.json()["id"])

    assert api.get(job["results_url"]) == BELL_RESULT


def test_an_input_may_come_as_cirq_1_6_sends_it(api: Api) -> None:
    body = {
        "lang": "json",
        "target": "simulator",
        "body": {"gateset": "qis", **BELL},
        "shots": "100",
        "metadata": {"measurement0": "x\u001f0,1", "shots": "100"},
    }

    job = api.ended(api.call("POST", "/v0.3/jobs", body).json()["id"])

    assert job["metadata"] == body["metadata"]
    assert api.get(job["results_url"], sharpen="True") == BELL_RESULT


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_the_content_type_does_not_matter(api: Api, content_type: str | None) -> None:
    body = json.dumps(DATA).encode()

    answer = api.call("POST", "/v0.3/jobs", body, headers={"Content-Type": content_type})

    assert answer.status_code == 200, answer.text
    assert answer.request.headers.get("Content-Type") == content_type


def test_cuda_q_finds_its_job_in_a_list_of_one(api: Api) -> None:
    job_id = api.submit(BELL, qubits="\u001d")

    page = until(
        lambda: api.get("/v0.3/jobs", id=job_id),
        lambda page: page["jobs"][0]["status"] == "completed",
    )

    assert [job["id"] for job in page["jobs"]] == [job_id]
    assert page["jobs"][0]["qubits"] == 2
    query = {"sharpen": "true", "format": "qir.quantum-log.v0"}
    assert api.get(page["jobs"][0]["results_url"], **query) == BELL_RESULT


def test_metadata_comes_back_as_it_went(api: Api) -> None:
    metadata = {
        "measurement0": "a\u001f0,1\u001eb\u001f2",
        "qiskit_header": "eJyrVkrOzywoKMovz8xLV7JSqAUAMQYFmg==" * 1200,
        "long": "\u00fc" * 40_000,
        "": "",
        "odd": 'quote " backslash \\ line \n null \u0000 separator \u2028 face \U0001f600',
    }
    job_id = api.submit(BELL, metadata=metadata)

    assert api.job(job_id)["metadata"] == metadata
    assert api.get("/v0.3/jobs", id=job_id)["jobs"][0]["metadata"] == metadata


def test_what_is_only_for_the_caller_is_echoed(api: Api) -> None:
    given = {
        "name": "\u00fcbung",
        "registers": {"meas_mapped": [0, None]},
        "settings": {"compilation": {"opt": 1, "precision": "1E-3"}},
        "error_mitigation": {"debias": False},
    }

    job = api.job(api.submit(BELL, **given))

    assert {key: job[key] for key in given} == given
