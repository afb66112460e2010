"""Jobs on devices, from submit to shots; documents and noise models of an operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.acceptance.test_cli import output_of, refusal_of
from tests.builders import BELL

from ionbox import LocalServer
from ionbox.backends.noise import NOISE_MODELS

DEVICES = ("qpu.harmony", "qpu.aria-1", "qpu.aria-2", "qpu.forte-1", "qpu.forte-enterprise-1")
GHZ = {
    "gateset": "qis",
    "qubits": 3,
    "circuit": [
        {"gate": "h", "target": 0},
        {"gate": "cnot", "control": 0, "target": 1},
        {"gate": "cnot", "control": 1, "target": 2},
    ],
}
RECORD: dict[str, Any] = {
    "id": "0197379a-c3b8-7548-8000-000000000001",
    "backend": "qpu.lab-1",
    "date": "2026-11-01T00:00:00Z",
    "qubits": 4,
    "fidelity": {"spam": {"median": 1.0}, "1q": {"median": 1.0}, "2q": {"median": 0.7}},
    "timing": {"readout": 1.5e-4, "reset": 5e-5},
}


def histogram(api: Api, job: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = api.get(f"/v0.4/jobs/{job['id']}/results/histogram")
    return found


@pytest.mark.parametrize("backend", DEVICES)
def test_every_device_runs_jobs_of_either_version(api: Api, backend: str) -> None:
    job = api.created(GHZ, backend=backend, shots=400)
    older = api.probabilities(GHZ, target=backend, shots=400)

    counts = histogram(api, job)
    assert sum(counts.values()) == 400
    assert counts["0"] + counts["7"] > 300
    assert older["0"] + older["7"] > 0.75
    assert job["output"]["compilation"]["gate_basis"] in {"ZZ", "MS"}
    assert job["noise"] == {"model": None, "seed": job["noise"]["seed"]}


def test_a_seed_repeats_the_shots_of_a_device_and_another_does_not(api: Api) -> None:
    def shots(seed: int) -> Any:  # noqa: ANN401 - JSON
        job = api.created(GHZ, backend="qpu.aria-1", shots=600, noise={"model": None, "seed": seed})
        return api.get(f"/v0.4/jobs/{job['id']}/results/shots")

    assert shots(5) == shots(5)
    assert shots(5) != shots(6)


def test_a_job_of_enough_shots_is_debiased_and_its_variants_can_be_read(api: Api) -> None:
    job = api.created(GHZ, backend="qpu.forte-1", shots=640)

    mitigation = job["output"]["error_mitigation"]
    variants = mitigation["debiasing"]["variants"]
    assert sum(variant["shots"] for variant in variants) == 640
    path = f"/v0.4/jobs/{job['id']}/variants/{variants[3]['variant_id']}/results/histogram"
    assert sum(api.get(path).values()) == variants[3]["shots"]
    sharpened = api.get(f"/v0.4/jobs/{job['id']}/results/probabilities", sharpen="true")
    assert sharpened["0"] + sharpened["7"] > 0.99
    assert mitigation["aggregations"]["dnl"]["format"] == "ionq.result.histogram.json.v2"
    artifact = mitigation["aggregations"]["voting"]["id"]
    assert "histogram" in api.get(f"/v0.4/jobs/{job['id']}/artifacts/{artifact}")


def test_debiasing_can_be_refused_and_needs_shots(api: Api) -> None:
    off = {"error_mitigation": {"debiasing": False}}
    job = api.created(GHZ, backend="qpu.forte-1", shots=640, settings=off)
    body = {"type": "ionq.circuit.v1", "backend": "qpu.forte-1", "input": GHZ, "shots": 100}
    body["settings"] = {"error_mitigation": {"debiasing": True}}
    refused = api.call("POST", "/v0.4/jobs", body)

    assert job["output"]["error_mitigation"]["debiasing"] is False
    assert refused.status_code == 400
    assert refused.json()["message"] == "shots: 100 shots; debiasing needs at least 500"


def test_symmetry_verification_drops_what_the_circuit_forbids(api: Api) -> None:
    settings = {"error_mitigation": {"symmetry_verification": True, "debiasing": False}}
    job = api.created(GHZ, backend="qpu.harmony", shots=600, settings=settings)

    found = job["output"]["error_mitigation"]["symmetry_verification"]
    assert found == {"num_allowed_states": 2, "applied": True}
    counts = histogram(api, job)
    assert set(counts) == {"0", "7"}
    assert 300 < sum(counts.values()) < 600


def test_the_compiled_circuit_runs_as_a_job_of_its_own(api: Api) -> None:
    job = api.created(GHZ, backend="qpu.aria-1", shots=300)
    native = api.get(f"/v0.4/jobs/{job['id']}/circuits/native")
    text = api.call("GET", f"/v0.4/jobs/{job['id']}/circuits/qasm3").text

    again = api.created(native, backend="simulator")
    parsed = api.created({"data": text}, type="ionq.qasm3.v1", backend="simulator")

    expected = {"0": pytest.approx(0.5), "7": pytest.approx(0.5)}
    for one in (again, parsed):
        assert api.get(f"/v0.4/jobs/{one['id']}/results/probabilities") == expected
    assert job["stats"]["gate_counts"]["2q"] == 2


def test_a_dry_run_compiles_and_runs_nothing(api: Api) -> None:
    wide = {"gateset": "qis", "qubits": 36, "circuit": [{"gate": "h", "targets": list(range(36))}]}
    job = api.created(wide, backend="qpu.forte-1", dry_run=True, shots=700)

    assert (job["status"], job["results"]) == ("completed", None)
    assert job["stats"]["predicted_quantum_compute_time_us"] > 0
    assert "billed_quantum_compute_time_us" not in job["stats"]
    assert api.get(f"/v0.4/jobs/{job['id']}/circuits/native")["qubits"] == 36


def test_a_program_with_measurements_midway_runs_on_a_device(api: Api) -> None:
    text = (
        'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; x q[0]; '
        "c[0] = measure q[0]; reset q[0]; cx q[0], q[1]; c[1] = measure q[1];"
    )
    job = api.created({"data": text}, type="ionq.qasm3.v1", backend="qpu.forte-1", shots=200)

    assert job["status"] == "completed"
    path = f"/v0.4/jobs/{job['id']}/artifacts/histogram-v2"
    counts = api.get(path)["histogram"]["registers"]["c"]
    assert counts["10"] > 180


@pytest.mark.parametrize("model", NOISE_MODELS)
def test_exact_probabilities_of_a_noisy_job_are_there_when_asked(api: Api, model: str) -> None:
    job_id = api.completed(BELL, noise={"model": model}, shots=10)["id"]

    found = api.get(f"/ionbox/v1/jobs/{job_id}/exact")

    odd = NOISE_MODELS[model].r2q / 4
    assert found == pytest.approx({"0": 0.5 - odd, "1": odd, "2": odd, "3": 0.5 - odd}, abs=1e-12)


def test_exact_probabilities_of_a_device_are_the_mean_of_its_variants(api: Api) -> None:
    job = api.created(GHZ, backend="qpu.aria-1", shots=20_000)

    exact = api.get(f"/ionbox/v1/jobs/{job['id']}/exact")

    assert sum(exact.values()) == pytest.approx(1)
    shares = {state: count / 20_000 for state, count in histogram(api, job).items()}
    assert all(
        abs(shares.get(state, 0) - p) < 5 / 200 * p**0.5 + 1e-3 for state, p in exact.items()
    )


def test_an_ideal_job_has_no_other_probabilities(api: Api) -> None:
    job_id = api.completed(BELL)["id"]

    answer = api.call("GET", f"/ionbox/v1/jobs/{job_id}/exact")

    assert answer.status_code == 400
    assert "its results are exact already" in answer.json()["message"]


def test_what_is_too_large_for_exact_probabilities_says_what_it_needs(api: Api) -> None:
    wide = {"qubits": 20, "circuit": [{"gate": "v", "targets": list(range(20))}]}
    job_id = api.create(wide, noise={"model": "aria-1"}, shots=1)

    answer = api.call("GET", f"/ionbox/v1/jobs/{job_id}/exact")

    assert answer.status_code == 400
    assert "20 qubits" in answer.json()["message"]


def test_a_circuit_too_wide_for_a_device_fails(api: Api) -> None:
    job = api.created({"qubits": 12, "circuit": []}, backend="qpu.harmony")

    assert job["failure"]["code"] == "NotEnoughQubits"
    assert job["failure"]["message"] == "12 qubits; qpu.harmony has 11"


def test_a_device_of_a_document_runs_while_the_server_does_and_after(tmp_path: Path) -> None:
    file, data = tmp_path / "lab.json", tmp_path / "data"
    file.write_text(json.dumps(RECORD))
    with LocalServer(data=data, workers=2) as server:
        told = output_of("backends", "load", file, "--data", data)
        api = Api.of(server)
        counts = histogram(api, api.created(BELL, backend="qpu.lab-1", shots=400))
        cost = api.get("/v0.4/jobs/estimate", backend="qpu.lab-1")["estimated_total_cost"]
    with LocalServer(data=data, workers=2) as server:
        again = Api.of(server).created(BELL, backend="qpu.lab-1", shots=20)

    assert told == "qpu.lab-1: 4 qubits, gpi, gpi2, zz; records: 1\n"
    # A fidelity of 0.7 is a rate of 0.4: half of that is the chance of an odd outcome.
    odd = counts.get("1", 0) + counts.get("2", 0)
    assert abs(odd - 80) < 5 * 8
    assert (cost, again["status"]) == (0, "completed")


def test_what_was_loaded_is_listed_and_forgotten_without_a_server_too(tmp_path: Path) -> None:
    file, data = tmp_path / "lab.json", tmp_path / "data"
    file.write_text(json.dumps(RECORD))
    file.with_suffix(".toml").write_text('native_gates = ["gpi", "gpi2", "ms"]\n')
    with LocalServer(data=data, workers=2):
        pass

    output_of("backends", "load", file, "--data", data)
    listed = output_of("backends", "list", "--data", data)
    output_of("backends", "unload", "qpu.lab-1", "--data", data)

    (line,) = [line for line in listed.splitlines() if "qpu.lab-1" in line]
    assert line.split() == ["qpu.lab-1", "4", "qubits", "2026-11-01", "gpi,", "gpi2,", "ms"]
    assert "qpu.lab-1" not in output_of("backends", "list", "--data", data)
    assert "loaded backend 'qpu.lab-1'" in refusal_of(
        "backends", "unload", "qpu.lab-1", "--data", data
    )


def test_a_record_is_never_another_one_and_what_was_said_beside_it_holds(tmp_path: Path) -> None:
    file, data = tmp_path / "lab.json", tmp_path / "data"
    file.write_text(json.dumps(RECORD))
    file.with_suffix(".toml").write_text('native_gates = ["gpi", "gpi2", "ms"]\n')
    other, later = tmp_path / "other.json", tmp_path / "later.json"
    other.write_text(json.dumps(RECORD | {"date": "2026-11-03"}))
    later.write_text(json.dumps(RECORD | {"id": RECORD["id"][:-1] + "2", "date": "2026-11-02"}))
    with LocalServer(data=data, workers=2):
        output_of("backends", "load", file, "--data", data)
        refusal = refusal_of("backends", "load", other, "--data", data)
        told = output_of("backends", "load", later, "--data", data)

    assert "is known with other figures; give it an id of its own" in refusal
    assert told == "qpu.lab-1: 4 qubits, gpi, gpi2, ms; records: 2\n"


def test_a_circuit_that_cannot_be_is_refused_at_once_on_a_device_too(api: Api) -> None:
    body: dict[str, Any] = {"type": "ionq.circuit.v1", "backend": "qpu.aria-1"}
    body["input"] = {"gateset": "qis", "qubits": 1, "circuit": [{"gate": "cx", "target": 0}]}

    answer = api.call("POST", "/v0.4/jobs", body)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("circuit[0].gate: unknown gate")


def test_a_seed_draws_other_numbers_on_another_device(api: Api) -> None:
    def first_variant(backend: str) -> Any:  # noqa: ANN401 - JSON
        job = api.created(GHZ, backend=backend, shots=3200, noise={"model": None, "seed": 7})
        variant = job["output"]["error_mitigation"]["debiasing"]["variants"][0]["variant_id"]
        return api.get(f"/v0.4/jobs/{job['id']}/variants/{variant}/results/shots")

    one, other = first_variant("qpu.aria-1"), first_variant("qpu.aria-2")
    agreeing = sum(a == b for a, b in zip(one, other, strict=True))
    assert abs(agreeing - 50) < 5 * 5


def test_a_document_that_cannot_be_is_refused(tmp_path: Path) -> None:
    file, data = tmp_path / "lab.json", tmp_path / "data"
    file.write_text(json.dumps(RECORD | {"qubits": 1}))

    with LocalServer(data=data, workers=2):
        refusal = refusal_of("backends", "load", file, "--data", data)

    assert "at `$.qubits`" in refusal


def test_an_operators_noise_model_is_one_of_the_simulators(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('name = "lab"\nnum_qubits = 2\nrates = { 1q = 0.4 }\n')
    flip = {"qubits": 1, "circuit": [{"gate": "x", "target": 0}]}

    with LocalServer(noise_model=(file,), workers=2) as server:
        api = Api.of(server)
        job_id = api.completed(flip, noise={"model": "lab"})["id"]
        exact = api.get(f"/ionbox/v1/jobs/{job_id}/exact")
        models = api.get("/v0.4/backends/simulator")["noise_models"]

    assert exact == {"0": pytest.approx(0.2), "1": pytest.approx(0.8)}
    assert models[-1] == "lab"
