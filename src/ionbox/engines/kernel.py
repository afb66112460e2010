"""The kernel engine: all 2**n amplitudes, in few passes over memory, by an extension in C++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ionbox._kernel import Kernel, Packed
from ionbox.circuits.circuit import Circuit
from ionbox.engines.calibration import ONE_CORE, KernelWork, Machine
from ionbox.engines.costs import (
    READ_OUT_PASSES,
    WORD_PASSES,
    sampling_bytes,
    tile_bytes,
)
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, resolve_precision
from ionbox.engines.expectation import EXPECTATION_VECTORS, expectation
from ionbox.engines.pauli_words import Method, method_for, pauliexp_words
from ionbox.engines.progress import Progress
from ionbox.engines.readout import read_out_weights
from ionbox.engines.registers import marginal_bytes, wide_register
from ionbox.engines.vectors import AMPLITUDE_TYPES, ground_state, too_wide

_LEAST_PARALLEL: Final = 1 << 16  # amplitudes; fewer are not worth a second thread

# A smaller state is computed as fast as it is planned: each operation is taken to be one step.
_LEAST_PLANNED: Final = 1 << 14
RUN_OPERATIONS: Final = 33  # what a run takes beside its circuit, in operations

_BUFFER_BYTES: Final = 640 << 10  # of a thread: a tile, and tables that depend on it
_BUFFER_QUBITS: Final = 19  # of the least state that has tiles of the full size
_OPERATION_BYTES: Final = 1 << 13  # its tables at most: a matrix for all registers of a group
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
        if not is_known(circuit):
            return _NOT_KNOWN
        return self._estimate(workload, circuit, machine)

    def _estimate(self, workload: Workload, circuit: Circuit, machine: Machine) -> Estimate:
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
        memory_bytes += run_bytes(circuit.num_qubits, circuit.num_operations, threads)
        if workload.observable is None:
            memory_bytes += marginal_bytes(workload.program)
        if not is_exact:
            memory_bytes += sampling_bytes(workload.shots)
        work = self._work(circuit, is_double=precision == "float64")
        speeds = machine.calibration
        seconds = speeds.kernel.seconds(work, threads) + speeds.numpy.passes(
            read_passes, size, itemsize
        )
        return Estimate(self.name, memory_bytes, seconds, threads, precision, is_exact)

    def _work(self, circuit: Circuit, *, is_double: bool) -> KernelWork:
        """Return what the kernel does with a circuit: as it says itself, where it is worth it."""
        size, passes, steps = 1 << circuit.num_qubits, 1.0, float(circuit.num_operations)
        if size >= _LEAST_PLANNED:
            packed = packed_by(self.extension, circuit)
            _, passes, steps, _ = self.extension.effort(
                packed, is_double=is_double, variant=self.variant
            )
        operations = circuit.num_operations + RUN_OPERATIONS
        return KernelWork(operations, steps, passes, size * (16 if is_double else 8))

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Outcome:
        """Run all operations, then list the outcomes, or sample where they are too many."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        precision, packed = resolve_precision(workload), packed_by(self.extension, circuit)
        if workload.observable is not None:
            state = ground_state(circuit.num_qubits, AMPLITUDE_TYPES[precision])
            # All qubits start in |0>.
            self.extension.evolve(state, packed, live=0, threads=threads, variant=self.variant)
            return Outcome(expectation(state, workload.observable))
        counter = self.extension.Progress()
        if progress is not None:
            progress.follow(counter)
        weights = self.extension.simulate(
            packed,
            is_double=precision == "float64",
            threads=threads,
            variant=self.variant,
            progress=counter,
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


def run_bytes(num_qubits: int, num_operations: int, threads: int) -> int:
    """Return the memory that the kernel takes beside the state: tiles and tables."""
    halvings = min(max(_BUFFER_QUBITS - num_qubits, 0), 2)
    return threads * (_BUFFER_BYTES >> halvings) + num_operations * _OPERATION_BYTES


def is_known(circuit: Circuit) -> bool:
    """Tell whether the kernel has all operations of a circuit."""
    if not circuit.paulis.size:
        return True
    return all(
        len(operation.targets) <= _MATRIX_TARGETS
        or method_for(pauliexp_words(operation), len(operation.targets)) is Method.ROTATIONS
        for operation in circuit.operations()
        if operation.terms
    )
