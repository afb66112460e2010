"""Bodies that may be sent to API v0.3, for its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_BELL: Final = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
_OPENQASM: Final = """\
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
h q[0];
cx q[0], q[1];
"""

SUBMISSIONS: Final[Mapping[str, Any]] = {
    "bell": {
        "target": "simulator",
        "input": {
            "format": "ionq.circuit.v0",
            "gateset": "qis",
            "qubits": 2,
            "circuit": _BELL,
        },
        "name": "Bell pair",
        "metadata": {"by": "hand"},
    },
    "noisy": {
        "target": "simulator",
        "shots": 1000,
        "noise": {"model": "harmony", "seed": 7},
        "input": {"qubits": 2, "circuit": _BELL},
    },
    "many_circuits": {
        "input": {"qubits": 2, "circuits": [{"name": "Bell", "circuit": _BELL}, {"circuit": []}]}
    },
    "openqasm": {"input": {"format": "openqasm", "data": _OPENQASM}},
}
