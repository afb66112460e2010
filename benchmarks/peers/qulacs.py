"""qulacs, which knows complex128 only; with and without its optimizer, which is not timed.

It returns amplitudes; copying them out and squaring them is timed with the run.
"""

from __future__ import annotations

from cmath import exp
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from qulacs import QuantumCircuit, QuantumGateBase, QuantumState
from qulacs.circuit import QuantumCircuitOptimizer
from qulacs.gate import CNOT, SWAP, DenseMatrix, H, PauliRotation, RotX, RotY, RotZ, X

from benchmarks.peers.magnitudes import squared_magnitudes
from benchmarks.peers.rows import Build, Probabilities, Row, Run

DISTRIBUTION = "qulacs"

_BLOCK_QUBITS = 2  # to which the optimizer merges gates


def _phase(row: Row) -> QuantumGateBase:
    gate = DenseMatrix(row.targets[0], np.diag([1, exp(1j * row.params[0])]))
    for control in row.controls:
        gate.add_control_qubit(control, 1)
    return gate


GATES: Mapping[str, Callable[[Row], QuantumGateBase]] = {
    "h": lambda row: H(row.targets[0]),
    "x": lambda row: X(row.targets[0]),
    "rx": lambda row: RotX(row.targets[0], row.params[0]),
    "ry": lambda row: RotY(row.targets[0], row.params[0]),
    "rz": lambda row: RotZ(row.targets[0], row.params[0]),
    "swap": lambda row: SWAP(*row.targets),
    "cnot": lambda row: CNOT(row.controls[0], row.targets[0]),
    # exp(+i angle/2 P)
    "zz": lambda row: PauliRotation(list(row.targets), [3, 3], -row.params[0]),
    "z": _phase,
    "unitary": lambda row: DenseMatrix(list(row.targets), row.matrix()),
}


def build(is_optimized: bool, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    """Return what updates a state; OMP_NUM_THREADS says on how many threads."""
    circuit = QuantumCircuit(num_qubits)
    for row in rows:
        circuit.add_gate(GATES[row.name](row))
    if is_optimized:
        QuantumCircuitOptimizer().optimize(circuit, _BLOCK_QUBITS)

    def run() -> Probabilities:
        state = QuantumState(num_qubits)
        circuit.update_quantum_state(state)
        amplitudes = state.get_vector()
        del state
        return squared_magnitudes(amplitudes.view(np.float64), threads)

    return run


VARIANTS: Mapping[str, Build] = {
    "as built": partial(build, False),
    "optimized": partial(build, True),
}
