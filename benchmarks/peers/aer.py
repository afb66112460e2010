"""Qiskit Aer by its C++ controller: no Qiskit circuit is made, transpiled or assembled.

Single precision; with Aer's fusion of gates and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from qiskit_aer.backends.controller_wrappers import AerCircuit, AerConfig, aer_controller_execute

from benchmarks.peers.rows import Build, Probabilities, Row, Run

DISTRIBUTION = "qiskit-aer"

_NAMES = {"cnot": "cx", "zz": "rzz"}
_PHASES = {0: "p", 1: "cp"}  # by the number of controls
_UNCONDITIONAL = (-1, None)


def build(is_fused: bool, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    circuit = AerCircuit()
    circuit.num_qubits = num_qubits
    circuit.shots = 1
    for row in rows:
        add(circuit, row)
    circuit.save_state(list(range(num_qubits)), "save_probabilities", "average", "found")
    controller = aer_controller_execute()
    config = _config(num_qubits, threads)
    config.fusion_enable = is_fused

    def run() -> Probabilities:
        answer = controller.execute([circuit], {}, config)
        assert answer["success"], answer["status"]
        return np.asarray(answer["results"][0]["data"]["found"])

    return run


def _config(num_qubits: int, threads: int) -> AerConfig:
    config = AerConfig()
    config.method = "statevector"
    config.precision = "single"
    config.n_qubits = num_qubits
    config.memory_slots = 0
    config.shots = 1
    config.max_parallel_threads = threads
    return config


def add(circuit: AerCircuit, row: Row) -> None:
    name, targets, controls, params = row
    qubits = [*controls, *targets]
    if name == "unitary":
        circuit.unitary(qubits, row.matrix(), *_UNCONDITIONAL, name)
        return
    if name == "z":
        name = _PHASES.get(len(controls), "mcphase")
    name = _NAMES.get(name, name)
    circuit.gate(name, qubits, list(params), [], *_UNCONDITIONAL, name)


VARIANTS: Mapping[str, Build] = {
    "fused": partial(build, True),
    "not fused": partial(build, False),
}
