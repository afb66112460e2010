"""What jobs can be made of, beside a circuit in JSON, and what comes of them."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

REUSED = """OPENQASM 3.0;
include "stdgates.inc";
bit[2] c;
bit[1] m;
qubit[2] q;
x q[0];
m[0] = measure q[0];
reset q[0];
h q[1];
c[0] = measure q[0];
c[1] = measure q[1];
"""
FLIP_TWICE = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit b;
h q[0];
b = measure q[0];
if (b == 1) { x q[1]; }
"""
ENERGY: dict[str, Any] = {
    "hamiltonian": [
        {"pauli_string": "IZ", "coefficient": 0.5},
        {"pauli_string": "X0", "coefficient": 2.0},
        {"pauli_string": "II", "coefficient": 100.0},
    ],
    "ansatz": {
        "data": 'OPENQASM 3.0; include "stdgates.inc"; input float[64] t; qubit[2] q; ry(t) q[0];'
    },
}
NOISY: dict[str, Any] = {"noise": {"model": "aria-1", "seed": 7}, "shots": 500}


def qasm(api: Api, text: str, **fields: object) -> dict[str, Any]:
    return api.created({"data": text}, type="ionq.qasm3.v1", **fields)


def function(api: Api, job_input: dict[str, Any], **fields: object) -> dict[str, Any]:
    return api.created(job_input, type="quantum-function", **fields)


# --- noise -------------------------------------------------------------------------------


def test_a_noisy_job_has_probabilities_a_histogram_and_shots_that_agree(api: Api) -> None:
    job = api.created(BELL, **NOISY)
    url = f"/v0.4/jobs/{job['id']}"
    histogram = api.get(f"{url}/results/histogram")
    shots = api.get(f"{url}/results/shots")

    assert sum(histogram.values()) == len(shots) == 500
    assert histogram == {state: shots.count(state) for state in sorted(set(shots), key=int)}
    assert api.get(f"{url}/results/probabilities") == {
        state: count / 500 for state, count in histogram.items()
    }
    assert {"0", "3"} <= set(histogram)


def test_every_artifact_is_there_and_keeps_to_the_schema_of_its_format(api: Api) -> None:
    job = api.created(BELL, **NOISY)

    formats = {f"ionq.result.{word}.json.v{version}" for word in ("probabilities", "histogram",
               "shots") for version in (1, 2)}  # fmt: skip
    assert set(job["results"]) == formats | {"probabilities", "histogram", "shots"}
    for entry in job["results"].values():
        by_id = api.get(f"/v0.4/jobs/{job['id']}/artifacts/{entry['id']}")
        jsonschema.validate(by_id, api.get(f"/v0.4/schemas/formats/{entry['format']}"))
        assert api.get(entry["url"]) == by_id


def test_the_same_seed_gives_the_same_shots(api: Api) -> None:
    jobs = [api.created(BELL, **NOISY) for _ in range(2)]
    other = api.created(BELL, **NOISY | {"noise": {"model": "aria-1", "seed": 8}})
    first, second, third = (
        api.get(f"/v0.4/jobs/{job['id']}/results/shots") for job in (*jobs, other)
    )

    assert first == second != third


def test_bitstrings_of_v2_have_the_first_qubit_leftmost(api: Api) -> None:
    job = api.created({"qubits": 3, "circuit": [{"gate": "x", "target": 0}]})
    v2 = api.get(f"/v0.4/jobs/{job['id']}/artifacts/probabilities-v2")

    assert v2 == {"probabilities": {"registers": {"output_all": {"100": 1}}}}


def test_an_exact_job_has_no_shots_and_says_so(api: Api) -> None:
    job = api.created(BELL, noise={"model": "ideal", "seed": None})
    for path in ("results/histogram", "results/shots", "artifacts/shots-v2"):
        answer = api.call("GET", f"/v0.4/jobs/{job['id']}/{path}")

        assert answer.status_code == 404
        assert "computed exactly; with a noise model there are shots" in answer.json()["message"]
        assert "known here: probabilities, probabilities-v2" in answer.json()["message"]


def test_a_circuit_wider_than_the_modelled_device_fails(api: Api) -> None:
    wide = {"qubits": 12, "circuit": [{"gate": "h", "target": 11}]}
    job = api.created(wide, noise={"model": "harmony"})

    assert job["failure"]["code"] == "NotEnoughQubits"
    assert "12" in job["failure"]["message"]
    assert "11" in job["failure"]["message"]


def test_registers_beside_a_circuit_are_read_out_by_name(api: Api) -> None:
    job_id = api.submit(
        {"qubits": 3, "circuit": [{"gate": "x", "target": 2}]}, registers={"c": [2, None, 0]}
    )
    api.ended(job_id)
    v2 = api.get(f"/v0.4/jobs/{job_id}/artifacts/probabilities-v2")

    assert v2["probabilities"]["registers"] == {"output_all": {"001": 1}, "c": {"100": 1}}
    assert api.get(f"/v0.3/jobs/{job_id}/results") == {"4": 1}


def test_an_empty_register_is_none_and_echoed(api: Api) -> None:
    for fields in ({}, NOISY):
        job_id = api.submit(BELL, registers={"a": [], "c": [0]}, **fields)
        job = api.ended(job_id)
        v2 = api.get(f"/v0.4/jobs/{job_id}/artifacts/probabilities-v2")

        assert job["registers"] == {"a": [], "c": [0]}
        assert set(v2["probabilities"]["registers"]) == {"output_all", "c"}


def test_parameters_beside_a_program_are_what_it_declares(api: Api) -> None:
    text = 'OPENQASM 3; include "stdgates.inc"; input float a; qubit q; rx(a) q;'
    job = api.created({"data": text, "params": [3.141592653589793]}, type="ionq.qasm3.v1")

    assert api.get(job["results"]["probabilities"]["url"]) == {"1": 1}


# --- OpenQASM ----------------------------------------------------------------------------


def test_an_openqasm_program_runs_with_its_registers(api: Api) -> None:
    job = qasm(api, REUSED)
    v2 = api.get(f"/v0.4/jobs/{job['id']}/artifacts/probabilities-v2")

    assert (job["type"], job["status"], job["stats"]["qubits"]) == ("ionq.qasm3.v1", "completed", 2)
    assert v2["probabilities"]["registers"] == {
        "output_all": {"00": 0.5, "01": 0.5},
        "c": {"00": 0.5, "01": 0.5},
        "m": {"1": 1},
    }
    assert api.get(f"/v0.4/jobs/{job['id']}/results/probabilities") == {"0": 0.5, "2": 0.5}


def test_each_shot_of_a_noisy_program_tells_every_register(api: Api) -> None:
    job = qasm(api, REUSED, **NOISY)
    shots = api.get(f"/v0.4/jobs/{job['id']}/artifacts/shots-v2")["shots"]

    assert len(shots) == 500
    for shot in shots:
        registers = shot["registers"]
        assert set(registers) == {"output_all", "c", "m"}
        assert registers["c"] == registers["output_all"]
    assert sum(shot["registers"]["m"][0] for shot in shots) >= 490  # an x fails once in thousands


def test_control_flow_that_depends_on_a_measurement_runs_with_a_warning(api: Api) -> None:
    job = qasm(api, FLIP_TWICE)

    assert api.get(f"/v0.4/jobs/{job['id']}/results/probabilities") == {"0": 0.5, "3": 0.5}
    assert job["warning"]["messages"] == [
        "IonQ refuses this: control flow that depends on measurements"
    ]


@pytest.mark.parametrize("name", ["qasm", "openqasm"])
def test_v03_reads_openqasm_2_and_3(api: Api, name: str) -> None:
    two = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; '
        "measure q -> c;"
    )
    three = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
    for text in (two, three):
        job = api.completed({"format": name, "data": text})

        assert (job["type"], job["qubits"]) == ("circuit", 2)
        assert api.get(job["results_url"]) == {"0": 0.5, "3": 0.5}


def test_native_gates_need_no_include_and_are_in_turns(api: Api) -> None:
    text = "OPENQASM 3; qubit[2] q; gpi2(0.25) q[0]; ms(0, 0, 0.25) q[0], q[1]; zz(0.1) q[0], q[1];"
    job = qasm(api, text)
    circuit = [
        {"gate": "gpi2", "target": 0, "phase": 0.25},
        {"gate": "ms", "targets": [0, 1], "phases": [0, 0], "angle": 0.25},
        {"gate": "zz", "targets": [0, 1], "angle": 0.1},
    ]
    same = api.created({"gateset": "native", "qubits": 2, "circuit": circuit})

    url = "/v0.4/jobs/{}/results/probabilities"
    assert api.get(url.format(job["id"])) == api.get(url.format(same["id"]))


def test_a_program_that_cannot_be_fails_and_names_the_line(api: Api) -> None:
    job = qasm(api, 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit q;\nh $0;\n')

    assert (job["status"], job["failure"]["code"]) == ("failed", "InvalidInput")
    assert "line 4" in job["failure"]["message"]


# --- quantum functions -------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        {"data": {"type": "hamiltonian-energy", "data": ENERGY}},
        {"type": "hamiltonian-energy", "data": ENERGY},
        {"type": "hamiltonian-energy", "data": {"data": ENERGY}},
    ],
)
def test_a_quantum_function_gives_value_and_variance(api: Api, data: dict[str, Any]) -> None:
    # ry(0.3): <Z> = cos 0.3, <X> = sin 0.3; H = 0.5 Z + 2 X squares to 0.25 + 4.
    value = 0.5 * 0.955336489125606 + 2 * 0.29552020666134
    job = function(api, {**data, "params": [0.3]})

    assert job["results"] == pytest.approx({"value": value, "variance": 4.25 - value**2}, abs=1e-12)
    assert api.get(f"/v0.4/jobs/{job['id']}/results/probabilities") == job["results"]
    assert api.get(f"/v0.3/jobs/{job['id']}/results") == job["results"]
    assert job["warning"]["messages"] == [
        "terms of only I are left out of the value, as IonQ does: 100 in all"
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cvar_alpha": 0.5}, "data.cvar_alpha: not served"),
        ({"linear_constraints": [{"coeffs": [1], "rhs": 1}]}, "data.linear_constraints: not"),
        ({"quadratic_constraints": [{}]}, "data.quadratic_constraints: not served"),
        (
            {"hamiltonian": [{"pauli_string": "Z", "coefficient": 1}]},
            "data.hamiltonian[0].pauli_string: 1 letters for 2 qubits",
        ),
        (
            {"hamiltonian": [{"pauli_string": "Z0 Z7", "coefficient": 1}]},
            "data.hamiltonian[0].pauli_string: qubit 7 of a 2-qubit ansatz",
        ),
    ],
)
def test_a_function_that_is_not_served_says_so(
    api: Api, changes: dict[str, Any], message: str
) -> None:
    data = {"type": "hamiltonian-energy", "data": ENERGY | changes}
    job = function(api, {"data": data, "params": [0.3]})

    assert (job["status"], job["results"]) == ("failed", None)
    assert job["failure"]["message"].startswith(message)


def test_a_function_with_too_few_parameters_fails(api: Api) -> None:
    job = function(api, {"data": {"type": "hamiltonian-energy", "data": ENERGY}, "params": []})

    assert job["failure"]["code"] == "InvalidInput"


# --- dry runs ----------------------------------------------------------------------------


def test_a_dry_run_is_read_and_priced_and_has_no_results(api: Api) -> None:
    job = api.created(BELL, backend="qpu.forte-1", dry_run=True, shots=100_000)
    cost = api.get(f"/v0.4/jobs/{job['id']}/cost")

    assert (job["status"], job["dry_run"], job["results"]) == ("completed", True, None)
    # Of the compiled circuit, by the prices that ionbox comes with.
    counts = job["stats"]["gate_counts"]
    amount = 100_000 * (0.0002 * counts["1q"] + 0.001 * counts["2q"])
    assert cost["dry_run"] is True
    assert cost["estimated_cost"] == {"value": pytest.approx(amount), "unit": "usd"}
    answer = api.call("GET", f"/v0.4/jobs/{job['id']}/results/probabilities")
    assert (answer.status_code, "it was a dry run" in answer.text) == (404, True)


def test_a_dry_run_fails_where_the_job_would(api: Api) -> None:
    ms = {"gate": "ms", "targets": [0, 1], "phases": [0, 0]}
    native = {"gateset": "native", "qubits": 2, "circuit": [ms]}
    job = api.created(native, backend="qpu.forte-1", dry_run=True)

    assert job["failure"]["code"] == "UnsupportedGate"
    assert api.created(BELL, dry_run=True)["status"] == "completed"


def test_v03_makes_dry_runs_too_and_a_failed_job_costs_nothing(api: Api) -> None:
    dry = api.completed(BELL, backend="qpu.forte-1", dry_run=True)
    wide = {"qubits": 37, "circuit": []}
    failed = api.ended(api.submit(wide, target="qpu.forte-1"))

    assert (dry["target"], dry["cost_usd"]) == ("qpu.forte-1", 10.0)
    assert (failed["status"], failed["cost_usd"]) == ("failed", 0.0)


def test_a_machine_wider_than_the_simulator_is_not_held_to_its_limit(api: Api) -> None:
    wide = {"qubits": 33, "circuit": [{"gate": "h", "target": 32}]}
    job = api.created(wide, backend="qpu.forte-1", dry_run=True)

    assert job["status"] == "completed"
    assert "warning" not in job


def test_a_dry_run_of_a_long_input_is_read_by_a_worker(api: Api) -> None:
    gates = [{"gate": "ry", "target": 0, "rotation": 0.1}] * 10_000
    job = api.created({"qubits": 1, "circuit": gates}, dry_run=True)
    many = api.created(
        {"qubits": 1, "circuits": [{"circuit": gates}] * 2},
        dry_run=True,
        type="ionq.multi-circuit.v1",
    )

    for dry in (job, many):
        assert (dry["status"], dry["results"]) == ("completed", None)
    assert many["stats"]["gate_counts"] == {"1q": 20_000, "2q": 0}
    assert len(json.dumps(gates)) > 256 * 1024
