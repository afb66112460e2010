"""The kernel engine: all 2**n amplitudes, in few passes over memory, by an extension in C++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ionbox._kernel import Kernel, Packed
from ionbox.circuits.circuit import Circuit
from ionbox.engines.calibration import ONE_CORE, KernelWork, Machine
from ionbox.engines.costs import (
    READ_OUT_OPERATIONS,
    READ_OUT_PASSES,
    WORD_PASSES,
    Cost,
    circuit_cost,
    sampling_bytes,
    tile_bytes,
)
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, resolve_precision
from ionbox.engines.expectation import EXPECTATION_VECTORS, expectation
from ionbox.engines.pauli_words import Method, method_for, pauliexp_words
from ionbox.engines.readout import read_out_weights
from ionbox.engines.registers import wide_register
from ionbox.engines.vectors import AMPLITUDE_TYPES, ground_state, too_wide

_LEAST_PARALLEL: Final = 1 << 16  # amplitudes; fewer are not worth a second thread

_FLOPS: Final = 8  # of an amplitude in each of NumPy's passes
_MATRIX: Final = 0.35  # of an operation in NumPy: to make a matrix that no other gate has
_STAGE_PASSES: Final = 100  # of NumPy's passes that the kernel makes one of

_BUFFER_BYTES: Final = 1 << 17  # of a thread, for a tile
_OPERATION_BYTES: Final = 1 << 10  # its matrix: packed, lowered, in its stage and in its tiles
_VECTORS: Final = 1.5  # amplitudes, and the weights made of them

# A pauliexp on so many targets is a matrix; on more, its words must commute.
_MATRIX_TARGETS: Final = 2

_MOOT = Refusal(
    "kernel", "the kernel runs ideal circuits that measure at the end only", is_moot=True
)
_NOT_KNOWN = Refusal(
    "kernel",
    "the kernel has no pauliexp on more than 2 targets whose terms do not commute",
    is_moot=True,
)


@dataclass(frozen=True, slots=True)
class KernelEngine:
    """What the state-vector engine computes, several times faster.

    Args:
        extension: The compiled kernel.
        variant: The instruction set; empty for the best one that the processor has.
    """

    extension: Kernel
    variant: str = ""

    @property
    def name(self) -> str:
        return "kernel"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what is no circuit of small matrices."""
        circuit = workload.program.circuit
        if workload.noise is not None or circuit is None:
            return _MOOT
        if reason := too_wide(workload.program.num_qubits):
            return Refusal(self.name, reason, is_too_large=True)
        if reason := wide_register(workload.program):
            return Refusal(self.name, reason)
        cost = circuit_cost(circuit)
        if isinstance(cost, str) or not _knows(circuit):
            return _NOT_KNOWN
        return self._estimate(workload, circuit, cost, machine)

    def _estimate(
        self, workload: Workload, circuit: Circuit, cost: Cost, machine: Machine
    ) -> Estimate:
        precision = resolve_precision(workload)
        size = 1 << circuit.num_qubits
        threads = machine.cores if size >= _LEAST_PARALLEL else 1
        itemsize = AMPLITUDE_TYPES[precision].itemsize
        vector_bytes = size * itemsize
        is_exact = size <= workload.max_outcomes or workload.observable is not None
        vectors, read_passes = _VECTORS, float(READ_OUT_PASSES)
        if workload.observable is not None:
            vectors = EXPECTATION_VECTORS
            read_passes += WORD_PASSES * len(workload.observable.terms)
        else:
            read_passes += len(workload.program.registers)
        memory_bytes = int(vectors * vector_bytes) + tile_bytes(circuit.num_qubits)
        memory_bytes += threads * _BUFFER_BYTES + _OPERATION_BYTES * circuit.num_operations
        if not is_exact:
            memory_bytes += sampling_bytes(workload.shots)
        speeds, matrices = machine.calibration, len(set(circuit.params.tolist()))
        seconds = (
            speeds.kernel.seconds(_work(circuit, cost, itemsize), threads)
            + speeds.numpy.operation * (_MATRIX * matrices + READ_OUT_OPERATIONS)
            + speeds.numpy.passes(read_passes, size, itemsize)
        )
        return Estimate(self.name, memory_bytes, seconds, threads, precision, is_exact)

    def run(self, workload: Workload, *, threads: int = 1) -> Outcome:
        """Run all operations, then list the outcomes, or sample where they are too many."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        precision, packed = resolve_precision(workload), packed_by(self.extension, circuit)
        if workload.observable is not None:
            state = ground_state(circuit.num_qubits, AMPLITUDE_TYPES[precision])
            # All qubits start in |0>.
            self.extension.evolve(state, packed, live=0, threads=threads, variant=self.variant)
            return Outcome(expectation(state, workload.observable))
        weights = self.extension.simulate(
            packed, is_double=precision == "float64", threads=threads, variant=self.variant
        )
        return read_out_weights(weights, workload, threads=threads)


def packed_by(extension: Kernel, circuit: Circuit) -> Packed:
    """Return a circuit as the kernel holds it."""
    return extension.pack(
        circuit.num_qubits,
        circuit.gates,
        circuit.qubits,
        circuit.qubit_starts,
        circuit.num_targets,
        circuit.params,
        circuit.param_starts,
        circuit.paulis,
        circuit.pauli_starts,
    )


def _knows(circuit: Circuit) -> bool:
    """Tell whether the kernel has all operations of a circuit."""
    if not circuit.paulis.size:
        return True
    return all(
        len(operation.targets) <= _MATRIX_TARGETS
        or method_for(pauliexp_words(operation), len(operation.targets)) is Method.ROTATIONS
        for operation in circuit.operations()
        if operation.terms
    )


def _work(circuit: Circuit, cost: Cost, amplitude_bytes: int) -> KernelWork:
    """Return what the kernel does with a circuit, as far as its sizes tell."""
    size = 1 << circuit.num_qubits
    return KernelWork(
        operations=circuit.num_operations,
        flops=_FLOPS * cost.passes * size,
        passes=min(cost.passes, 1.0) + cost.passes / _STAGE_PASSES,
        state_bytes=size * amplitude_bytes,
        real_bytes=amplitude_bytes // 2,
    )
