"""ionbox: the kernel, from a circuit to the weights of all basis states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.peers.rows import Build, Probabilities, Row, Run
from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.engines.packing import _entries, pack

DISTRIBUTION = "ionbox"


def simulate(circuit: Circuit, threads: int) -> Probabilities:
    """Return the probabilities in float32: all that is timed."""
    assert kernel is not None, "the kernel was not built"
    _entries.cache_clear()  # a job's matrices are mostly its own
    state = np.zeros(1 << circuit.num_qubits, np.complex64)
    state[0] = 1
    weights = np.zeros(state.size, np.float32)
    kernel.evolve(state, *pack(circuit), weights=weights, live=0, threads=threads)
    return weights


def survey(circuit: Circuit) -> tuple[float, float] | None:
    """Return passes over the whole state and floating-point operations, where they are known."""
    assert kernel is not None, "the kernel was not built"
    counted = getattr(kernel, "survey", None)
    if counted is None:
        return None
    passes, flops = counted(circuit.num_qubits, *pack(circuit), 4)
    return float(passes), float(flops)


def circuit_of(num_qubits: int, rows: Sequence[Row]) -> Circuit:
    """Return the circuit of these rows."""
    operations = (
        Operation(GATE_BY_NAME["qis", name], tuple(targets), tuple(controls), tuple(params))
        for name, targets, controls, params in rows
    )
    return Circuit.from_operations(num_qubits, "qis", operations)


def build(num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    circuit = circuit_of(num_qubits, rows)
    return lambda: simulate(circuit, threads)


VARIANTS: Mapping[str, Build] = {"": build}
