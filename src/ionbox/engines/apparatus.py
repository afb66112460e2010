"""What happens to one state vector after the other: by the kernel where there is one, else NumPy.

Both do the same, but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from ionbox._kernel import Kernel, Packed
from ionbox.circuits.circuit import Circuit
from ionbox.engines import measurement
from ionbox.engines.calibration import Calibration, KernelWork
from ionbox.engines.kernel import RUN_OPERATIONS, is_known, packed_by, run_bytes
from ionbox.engines.operations import Action, make_ready
from ionbox.engines.vectors import Amplitudes

_ACTION: Final = 0.6  # of an operation in NumPy: one that was made ready once


class ReadyCircuit(Protocol):
    """A circuit that was made ready for any number of vectors."""

    def apply(self, vector: Amplitudes, first: int = 0, end: int | None = None) -> None:
        """Apply the operations from `first` to before `end`, or to the last one, in place."""


@dataclass(frozen=True, slots=True)
class _InKernel:
    extension: Kernel
    circuit: Circuit
    packed: Packed

    def apply(self, vector: Amplitudes, first: int = 0, end: int | None = None) -> None:
        num_operations = self.circuit.num_operations
        count = (num_operations if end is None else end) - first
        if count <= 0:
            return
        packed = self.packed
        if count < num_operations:
            packed = packed_by(self.extension, part(self.circuit, first, first + count))
        self.extension.evolve(vector, packed)


@dataclass(frozen=True, slots=True)
class _InNumpy:
    actions: Sequence[Action]

    def apply(self, vector: Amplitudes, first: int = 0, end: int | None = None) -> None:
        for action in self.actions[first:end]:
            action.apply(vector)


def part(circuit: Circuit, first: int, end: int) -> Circuit:
    """Return the operations from `first` to before `end` as a circuit of their own."""
    qubits, params, paulis = (
        starts[first : end + 1]
        for starts in (circuit.qubit_starts, circuit.param_starts, circuit.pauli_starts)
    )
    return replace(
        circuit,
        gates=circuit.gates[first:end],
        num_targets=circuit.num_targets[first:end],
        qubits=circuit.qubits[qubits[0] : qubits[-1]],
        qubit_starts=qubits - qubits[0],
        params=circuit.params[params[0] : params[-1]],
        param_starts=params - params[0],
        paulis=circuit.paulis[paulis[0] : paulis[-1]],
        pauli_starts=paulis - paulis[0],
    )


class Effort(NamedTuple):
    """What circuits take, on all vectors.

    Args:
        operations: How many are applied.
        passes: As `ionbox.engines.costs` counts them.
        runs: How often a circuit, or a part of one, is applied to a vector.
    """

    operations: float
    passes: float
    runs: float


@dataclass(frozen=True, slots=True)
class Apparatus:
    """Applies circuits, measures and resets.

    Args:
        extension: The compiled kernel; None for NumPy.
    """

    extension: Kernel | None = None

    def ready(self, circuit: Circuit) -> ReadyCircuit:
        """Return a circuit ready to be applied; what the kernel does not know is for NumPy."""
        if self.extension is not None and is_known(circuit):
            return _InKernel(self.extension, circuit, packed_by(self.extension, circuit))
        actions = [make_ready(operation, circuit.num_qubits) for operation in circuit.operations()]
        return _InNumpy(actions)

    def probability_of_one(self, vector: Amplitudes, qubit: int) -> float:
        """Return the probability that a qubit is found in |1>; the norm need not be exactly 1."""
        if self.extension is not None:
            return self.extension.probability_of_one(vector, qubit)
        return measurement.probability_of_one(vector, qubit)

    def collapse(self, vector: Amplitudes, qubit: int, outcome: int, probability: float) -> None:
        """Leave what a measurement with that outcome leaves, in place.

        Args:
            probability: Of the outcome, positive.
        """
        if self.extension is not None:
            self.extension.collapse(vector, qubit, outcome, 1 / sqrt(probability))
        else:
            measurement.collapse(vector, qubit, outcome, probability)

    def reset(self, vector: Amplitudes, qubit: int, outcome: int, probability: float) -> None:
        """Leave what a reset leaves that found a qubit in that state, in place."""
        if self.extension is not None:
            factor = 1 / sqrt(probability)
            self.extension.collapse(vector, qubit, outcome, factor, is_reset=True)
            return
        measurement.collapse(vector, qubit, outcome, probability)
        if outcome:
            measurement.flip(vector, qubit)

    def knows(self, circuits: Iterable[Circuit]) -> bool:
        """Tell whether there is a kernel, and it has all operations of these circuits."""
        return self.extension is not None and all(map(is_known, circuits))

    def memory_bytes(self, circuits: Sequence[Circuit]) -> int:
        """Return what circuits take beside the vectors, in the kernel; the largest at a time."""
        if self.extension is None or not circuits:
            return 0
        most = max(circuit.num_operations for circuit in circuits)
        return run_bytes(circuits[0].num_qubits, most, threads=1)


NUMPY: Final = Apparatus()


def seconds(
    effort: Effort, size: int, itemsize: int, speeds: Calibration, *, in_kernel: bool
) -> float:
    """Predict the time that circuits take on vectors of `size` amplitudes.

    Args:
        in_kernel: Whether all of them are for the kernel.
    """
    if not in_kernel:
        passes = speeds.numpy.passes(effort.passes, size, itemsize)
        return speeds.numpy.operation * _ACTION * effort.operations + passes
    read = effort.operations + RUN_OPERATIONS * effort.runs
    work = KernelWork(read, effort.operations, effort.runs, size * itemsize)
    return speeds.kernel.seconds(work, threads=1)
