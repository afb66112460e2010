"""qsimcirq with a Cirq circuit that has channels: each shot by itself; complex64.

Its translation of the circuit is timed with the run, as it does it every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import cirq
import numpy as np
from qsimcirq import QSimOptions, QSimSimulator

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

DISTRIBUTION = "qsimcirq"

_GATES: Mapping[str, Callable[..., cirq.Gate]] = {
    "h": lambda: cirq.H,
    "rx": cirq.rx,
    "ry": cirq.ry,
    "rz": cirq.rz,
    "cnot": lambda: cirq.CNOT,
}


def build(shots: int, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    qubits = cirq.LineQubit.range(num_qubits)
    circuit = cirq.Circuit(_operation(row, qubits) for row in rows)
    circuit.append(cirq.measure(*qubits, key="found"))
    simulator = QSimSimulator(QSimOptions(max_fused_gate_size=2, cpu_threads=threads), seed=1)
    weights = np.uint64(1) << np.arange(num_qubits, dtype=np.uint64)

    def run() -> Samples:
        bits = simulator.run(circuit, repetitions=shots).measurements["found"]
        return np.asarray(bits.astype(np.uint64) @ weights, np.uint64)

    return run


def _operation(row: Row, qubits: Sequence[cirq.Qid]) -> cirq.Operation:
    on = [qubits[qubit] for qubit in (*row.controls, *row.targets)]
    if row.name == NOISE:
        channel = cirq.depolarize(error_probability(row), n_qubits=len(on))
        return channel.on(*on)
    return _GATES[row.name](*row.params).on(*on)


VARIANTS: Mapping[str, Build] = {sampling("", shots): partial(build, shots) for shots in SHOTS}
