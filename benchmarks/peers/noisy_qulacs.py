"""qulacs' NoiseSimulator, which simulates shots with the same errors once; complex128."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from qulacs import NoiseSimulator, QuantumCircuit, QuantumGateBase, QuantumState
from qulacs.gate import DepolarizingNoise, TwoQubitDepolarizingNoise

from benchmarks.peers import qulacs
from benchmarks.peers.rows import (
    NOISE,
    SHOTS,
    Build,
    Row,
    Run,
    Samples,
    error_probability,
    sampling,
)

DISTRIBUTION = qulacs.DISTRIBUTION

_CHANNELS = {1: DepolarizingNoise, 2: TwoQubitDepolarizingNoise}


def build(shots: int, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    """Return what samples; OMP_NUM_THREADS says on how many threads."""
    del threads
    circuit = QuantumCircuit(num_qubits)
    for row in rows:
        circuit.add_gate(_gate(row))
    simulator = NoiseSimulator(circuit, QuantumState(num_qubits))

    def run() -> Samples:
        return np.array(simulator.execute(shots), np.uint64)

    return run


def _gate(row: Row) -> QuantumGateBase:
    if row.name != NOISE:
        return qulacs.GATES[row.name](row)
    return _CHANNELS[len(row.targets)](*row.targets, error_probability(row))


VARIANTS: Mapping[str, Build] = {sampling("", shots): partial(build, shots) for shots in SHOTS}
