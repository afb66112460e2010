"""PennyLane's lightning.qubit by its C++ bindings, in complex64: no PennyLane circuit is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pennylane_lightning.lightning_qubit_ops import MeasurementsC64, StateVectorC64

from benchmarks.peers.rows import Build, Probabilities, Row, Run

DISTRIBUTION = "pennylane-lightning"

_METHODS = {
    "h": "Hadamard", "x": "PauliX", "rx": "RX", "ry": "RY", "rz": "RZ", "zz": "IsingZZ",
    "swap": "SWAP", "cnot": "CNOT",
}  # fmt: skip
_PHASES = {0: "PhaseShift", 1: "ControlledPhaseShift"}  # by the number of controls

Step = Callable[[StateVectorC64], None]


def build(num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    """Return what calls the gates; OMP_NUM_THREADS says on how many threads."""
    del threads
    steps = [_step(row, num_qubits) for row in rows]

    def run() -> Probabilities:
        state = StateVectorC64(num_qubits)
        for step in steps:
            step(state)
        found: Probabilities = MeasurementsC64(state).probs()
        return found

    return run


def _step(row: Row, num_qubits: int) -> Step:
    targets = [num_qubits - 1 - qubit for qubit in row.targets]  # its wire 0 is the highest bit
    controls = [num_qubits - 1 - qubit for qubit in row.controls]
    params = list(row.params)
    if row.name == "unitary":
        matrix = row.matrix().astype(np.complex64)
        return lambda state: state.applyMatrix(matrix, targets[::-1], False)
    if row.name == "z" and len(controls) > 1:
        ones = [True] * len(controls)
        return lambda state: state.PhaseShift(controls, ones, targets, False, params)
    name = _PHASES[len(controls)] if row.name == "z" else _METHODS[row.name]
    method = getattr(StateVectorC64, name)
    return lambda state: method(state, [*controls, *targets], False, params)


VARIANTS: Mapping[str, Build] = {"": build}
