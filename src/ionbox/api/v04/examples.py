"""Bodies that may be sent to API v0.4, for its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_BELL: Final = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
_NATIVE: Final = [
    {"gate": "gpi2", "target": 0, "phase": 0.25},
    {"gate": "ms", "targets": [0, 1], "phases": [0, 0.25], "angle": 0.25},
]
_OPENQASM: Final = """\
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""
_ANSATZ: Final = """\
OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta;
qubit[2] q;
ry(theta) q[0];
cx q[0], q[1];
"""


def _job(job_type: str, given: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    return {"type": job_type, "backend": "simulator", "input": given, **fields}


def _circuit(circuit: object, gateset: str = "qis") -> dict[str, Any]:
    return {"gateset": gateset, "qubits": 2, "circuit": circuit}


SUBMISSIONS: Final[Mapping[str, Any]] = {
    "bell": _job("ionq.circuit.v1", _circuit(_BELL), name="Bell pair", metadata={"by": "hand"}),
    "noisy": _job(
        "ionq.circuit.v1", _circuit(_BELL), shots=1000, noise={"model": "aria-1", "seed": 7}
    ),
    "native": _job("ionq.circuit.v1", _circuit(_NATIVE, "native")),
    "many_circuits": _job(
        "ionq.multi-circuit.v1",
        {
            "gateset": "qis",
            "qubits": 2,
            "circuits": [{"name": "Bell", "circuit": _BELL}, {"circuit": _BELL[:1]}],
        },
    ),
    "openqasm": _job("ionq.qasm3.v1", {"data": _OPENQASM}),
    "function": _job(
        "quantum-function",
        {
            "data": {
                "type": "hamiltonian-energy",
                "data": {
                    "hamiltonian": [{"pauli_string": "ZZ", "coefficient": 1.0}],
                    "ansatz": {"data": _ANSATZ},
                },
            },
            "params": [0.5],
        },
    ),
    "dry_run": {
        **_job("ionq.circuit.v1", _circuit(_NATIVE[:1], "native"), shots=1000, dry_run=True),
        "backend": "qpu.forte-1",
    },
}
CLONES: Final[Mapping[str, Any]] = {"more_shots": {"shots": 1000, "name": "once more"}}
SESSIONS: Final[Mapping[str, Any]] = {
    "limited": {
        "backend": "simulator",
        "settings": {
            "job_count_limit": 10,
            "duration_limit_min": 60,
            "cost_limit": {"value": 1.5, "unit": "usd"},
        },
    }
}
