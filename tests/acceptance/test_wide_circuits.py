"""Circuits of more qubits than any state vector covers, through both API versions."""

from __future__ import annotations

import pytest
from tests.acceptance.client import Api

NUM_QUBITS = 1000
GHZ = {
    "qubits": NUM_QUBITS,
    "circuit": [
        {"gate": "h", "target": 0},
        *[
            {"gate": "cnot", "control": qubit, "target": qubit + 1}
            for qubit in range(NUM_QUBITS - 1)
        ],
    ],
}
EXPECTED = {"0": 0.5, str(2**NUM_QUBITS - 1): 0.5}

pytest.importorskip("stim", reason="there is no wheel of it for this machine")


def test_a_ghz_state_of_a_thousand_qubits_by_v03(api: Api) -> None:
    job = api.completed(GHZ, shots=1000)

    assert job["qubits"] == NUM_QUBITS
    assert api.get(job["results_url"]) == EXPECTED


def test_a_ghz_state_of_a_thousand_qubits_by_v04(api: Api) -> None:
    job = api.created(GHZ, shots=1000)

    assert job["status"] == "completed"
    assert job["warning"]["messages"] == [
        "IonQ refuses this: 1000 qubits on the simulator, which has 29"
    ]
    assert api.get(job["results"]["probabilities"]["url"]) == EXPECTED
    bitstrings = api.get(f"/v0.4/jobs/{job['id']}/artifacts/probabilities-v2")
    assert bitstrings["probabilities"]["registers"] == {
        "output_all": {"0" * NUM_QUBITS: 0.5, "1" * NUM_QUBITS: 0.5}
    }


def test_a_wide_register_of_openqasm_is_read_out_by_name(api: Api) -> None:
    text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[100]; creg c[100]; x q[99]; measure q -> c;'
    job = api.created({"data": text}, type="ionq.qasm2.v1")

    bitstrings = api.get(f"/v0.4/jobs/{job['id']}/artifacts/probabilities-v2")
    outcome = {"0" * 99 + "1": 1}
    assert bitstrings["probabilities"]["registers"] == {"output_all": outcome, "c": outcome}
