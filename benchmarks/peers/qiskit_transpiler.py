"""Qiskit's transpiler, at its levels 1 to 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import PauliEvolutionGate, PhaseGate, XGate
from qiskit.quantum_info import SparsePauliOp

from benchmarks.peers.compilers import Gate

DISTRIBUTION = "qiskit"

_NAMES = {"xx": "rxx", "yy": "ryy", "zz": "rzz"}
_CONTROLLED = {"x": XGate, "cnot": XGate, "z": PhaseGate}


def build(num_qubits: int, gates: Sequence[Gate]) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits)
    for name, targets, controls, params, terms in gates:
        if name == "pauliexp":
            *coefficients, duration = params
            hamiltonian = SparsePauliOp(terms, coefficients)
            circuit.append(PauliEvolutionGate(hamiltonian, duration), targets)
        elif controls:
            gate = _CONTROLLED[name](*params).control(len(controls))
            circuit.append(gate, [*controls, *targets])
        else:
            getattr(circuit, _NAMES.get(name, name))(*params, *targets)
    return circuit


def run(level: int, circuit: QuantumCircuit) -> int:
    found = transpile(
        circuit, basis_gates=["rzz", "u"], optimization_level=level, seed_transpiler=1
    )
    return int(found.num_nonlocal_gates())


RUNS: Mapping[str, Callable[[QuantumCircuit], int]] = {
    f"qiskit {level}": partial(run, level) for level in (1, 2, 3)
}
