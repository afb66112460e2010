"""qsim by the C++ bindings of qsimcirq: no Cirq circuit is made or translated.

They return amplitudes in complex64; squaring these is timed with the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import pi

from qsimcirq import QSimOptions, qsim

from benchmarks.peers.magnitudes import squared_magnitudes
from benchmarks.peers.rows import Build, Probabilities, Row, Run

DISTRIBUTION = "qsimcirq"

_PLAIN = {"h": qsim.kH, "x": qsim.kX, "swap": qsim.kSWAP, "cnot": qsim.kCX}
_ROTATIONS = {
    "rx": qsim.kXPowGate,
    "ry": qsim.kYPowGate,
    "rz": qsim.kZPowGate,
    "zz": qsim.kZZPowGate,
}


def build(fusion: int, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    circuit = qsim.Circuit()
    circuit.num_qubits = num_qubits
    for moment, row in sorted(_moments(num_qubits, rows), key=lambda timed: timed[0]):
        _add(circuit, moment, row)
    options = QSimOptions(max_fused_gate_size=fusion, cpu_threads=threads).as_dict()
    options |= {"c": circuit, "s": 1}

    def run() -> Probabilities:
        return squared_magnitudes(qsim.qsim_simulate_fullstate(options, 0), threads)

    return run


def _moments(num_qubits: int, rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """Set each operation as early as its qubits are free, as Cirq does."""
    free = [0] * num_qubits
    timed = []
    for row in rows:
        qubits = (*row.targets, *row.controls)
        moment = max(free[qubit] for qubit in qubits)
        for qubit in qubits:
            free[qubit] = moment + 1
        timed.append((moment, row))
    return timed


def _add(circuit: qsim.Circuit, moment: int, row: Row) -> None:
    name, targets, controls, params = row
    exponents = {"exponent": params[0] / pi, "global_shift": -0.5} if len(params) == 1 else {}
    if name == "unitary":  # its first qubit is the highest bit
        qsim.add_matrix_gate(moment, [targets[1], targets[0]], list(params), circuit)
    elif name in _ROTATIONS:
        qsim.add_gate(_ROTATIONS[name], moment, list(targets), exponents, circuit)
    elif name == "z":
        _add_phase(circuit, moment, row)
    else:
        qsim.add_gate(_PLAIN[name], moment, [*controls, *targets], {}, circuit)


def _add_phase(circuit: qsim.Circuit, moment: int, row: Row) -> None:
    exponents = {"exponent": row.params[0] / pi, "global_shift": 0.0}
    if len(row.controls) == 1:
        # Other than a gate with controls, this one is fused.
        qubits = [*row.controls, *row.targets]
        qsim.add_gate(qsim.kCZPowGate, moment, qubits, exponents, circuit)
        return
    qsim.add_gate(qsim.kZPowGate, moment, list(row.targets), exponents, circuit)
    if row.controls:
        qsim.control_last_gate(list(row.controls), [1] * len(row.controls), circuit)


VARIANTS: Mapping[str, Build] = {f"fusion {size}": partial(build, size) for size in (2, 3, 4)}
