"""Qiskit Aer with a noise model, by its C++ controller; double precision, as it is by default.

Where a state cannot hold the noise, Aer runs each shot by itself: trajectories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from qiskit_aer.backends.controller_wrappers import AerCircuit, AerConfig, aer_controller_execute
from qiskit_aer.noise import NoiseModel, depolarizing_error

from benchmarks.peers import aer
from benchmarks.peers.rows import NOISE, SHOTS, Build, Row, Run, Samples, rates, sampling

DISTRIBUTION = aer.DISTRIBUTION

METHODS = ("statevector", "density_matrix", "matrix_product_state")

_NOISY_GATES = {1: ["h", "rx", "ry", "rz"], 2: ["cx"]}


def build(method: str, shots: int, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    circuit = AerCircuit()
    circuit.num_qubits = num_qubits
    circuit.num_memory = num_qubits
    circuit.shots = shots
    circuit.seed = 1
    for row in rows:
        if row.name != NOISE:
            aer.add(circuit, row)
    qubits = list(range(num_qubits))
    circuit.measure(qubits, qubits, [])
    noise = _noise(rates(rows))
    controller = aer_controller_execute()
    config = _config(method, num_qubits, shots, threads)

    def run() -> Samples:
        answer = controller.execute([circuit], noise, config)
        assert answer["success"], answer["results"][0]["status"]
        return _basis_states(answer["results"][0]["data"]["counts"])

    return run


def _noise(rate_by_width: Mapping[int, float]) -> dict[str, Any]:
    """Return the model; Aer's parameter is the rate."""
    noise = NoiseModel()
    for width, rate in rate_by_width.items():
        noise.add_all_qubit_quantum_error(depolarizing_error(rate, width), _NOISY_GATES[width])
    model: dict[str, Any] = noise.to_dict(serializable=True)
    return model


def _config(method: str, num_qubits: int, shots: int, threads: int) -> AerConfig:
    config = AerConfig()
    config.method = method
    config.n_qubits = num_qubits
    config.memory_slots = num_qubits
    config.shots = shots
    config.max_parallel_threads = threads
    return config


def _basis_states(counts: Mapping[str, int]) -> Samples:
    states = np.array([int(key, 16) for key in counts], np.uint64)
    return np.repeat(states, list(counts.values()))


VARIANTS: Mapping[str, Build] = {
    sampling(method, shots): partial(build, method, shots) for method in METHODS for shots in SHOTS
}
