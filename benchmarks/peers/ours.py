"""ionbox: the kernel, from a circuit to the weights of all basis states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.peers.rows import Build, Probabilities, Row, Run
from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.engines.kernel import packed_by

DISTRIBUTION = "ionbox"


def simulate(circuit: Circuit, threads: int) -> Probabilities:
    """Return the probabilities in float32: all that is timed."""
    assert kernel is not None, "the kernel was not built"
    return kernel.simulate(packed_by(kernel, circuit), is_double=False, threads=threads)


def effort(circuit: Circuit) -> tuple[float, float]:
    """Return passes over the whole state in memory, and floating-point operations."""
    assert kernel is not None, "the kernel was not built"
    _, passes, _, flops = kernel.effort(packed_by(kernel, circuit), is_double=False)
    return passes, flops


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
