"""The sparse engine: ideal circuits in which few amplitudes are ever nonzero, to 64 qubits.

The nonzero amplitudes are two columns: basis states, and an amplitude for each. Operations that
only exchange basis states and turn phases leave their number as it is; others, such as h, make a
few of each, and what cancels is dropped. All in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log2, sin
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.program import OUTPUT_ALL, Program
from ionbox.circuits.unitaries import Matrix
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.pauli_words import (
    MATRIX_TARGETS,
    Method,
    PauliWord,
    method_for,
    pauli_word,
    pauliexp_words,
)
from ionbox.engines.progress import Progress
from ionbox.engines.registers import Keys, listed, merged, qubits_of, wide_register
from ionbox.engines.structure import TOLERANCE, bounds
from ionbox.formats.results import NARROW_BITS, Exact

Values: TypeAlias = NDArray[np.complex128]

# What is left of amplitudes that cancel, as a share of the largest weight; far below what the
# read-out drops, and far above what rounding leaves.
_NOISE_SHARE: Final = 1e-28

# Measured on one core of a cloud server; good to a factor of a few.
_RUN_SECONDS: Final = 200e-6
_OPERATION_SECONDS: Final = 30e-6
_AMPLITUDE_SECONDS: Final = 50e-9
_AMPLITUDE_BYTES: Final = 160  # old and new columns, and what sorting them needs
_OUTCOME_BYTES: Final = 24  # in a register
_LEAST_BYTES: Final = 1 << 20

_MOOT = Refusal(
    "sparse",
    "the sparse engine runs ideal circuits that measure at the end only",
    is_moot=True,
)


class Amplitudes(NamedTuple):
    """The nonzero amplitudes.

    Args:
        keys: Basis states, each once, in any order.
        values: The amplitude of each.
    """

    keys: Keys
    values: Values


@dataclass(frozen=True, slots=True)
class SparseEngine:
    """Exact probabilities where few amplitudes are nonzero, however many qubits up to 64.

    Args:
        least_qubits: Below, a vector of all amplitudes is as good.
        least_zeros: So it is where more than one in 2**least_zeros may be nonzero.
    """

    least_qubits: int = 12
    least_zeros: int = 4

    @property
    def name(self) -> str:
        return "sparse"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what may fill a vector."""
        circuit = workload.program.circuit
        if workload.noise is not None or workload.observable is not None or circuit is None:
            return _MOOT
        if reason := self._unsuited(workload.program, circuit):
            return Refusal(self.name, reason, is_moot=True)
        most = min(log2(workload.max_outcomes), circuit.num_qubits - self.least_zeros)
        total, largest = 0.0, 0.0  # bounds ascend
        for bound in bounds(circuit):
            if bound > most:
                reason = f"more than 2^{most:.0f} amplitudes may be nonzero"
                return Refusal(self.name, reason, is_moot=True)
            largest = 2.0**bound
            total += largest
        return paced(self._estimate(workload, circuit.num_operations, total, largest), machine)

    def _unsuited(self, program: Program, circuit: Circuit) -> str:
        """Say why a circuit is not for this engine, whatever it does; empty if it may be."""
        if not self.least_qubits <= circuit.num_qubits <= NARROW_BITS:
            return f"the sparse engine is for {self.least_qubits} to {NARROW_BITS} qubits"
        if circuit.paulis.size and not all(map(_is_served, circuit.operations())):
            return f"no pauliexp on more than {MATRIX_TARGETS} targets whose terms do not commute"
        return wide_register(program)

    def _estimate(
        self, workload: Workload, num_operations: int, total: float, largest: float
    ) -> Estimate:
        registers = 1 + len(workload.program.registers)
        seconds = (
            _RUN_SECONDS
            + _OPERATION_SECONDS * num_operations
            + _AMPLITUDE_SECONDS * (total + largest * registers)
        )
        outcome_bytes = _AMPLITUDE_BYTES + _OUTCOME_BYTES * registers
        memory_bytes = _LEAST_BYTES + int(outcome_bytes * largest)
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact=True)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Run all operations, then list the outcomes."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        return Outcome(_read_out(evolve(circuit, progress), workload.program))


def _is_served(operation: Operation) -> bool:
    num_targets = len(operation.targets)
    return (
        num_targets <= MATRIX_TARGETS
        or method_for(pauliexp_words(operation), num_targets) is Method.ROTATIONS
    )


def evolve(circuit: Circuit, progress: Progress | None = None) -> Amplitudes:
    """Return what a circuit makes of |0...0>."""
    counted = progress or Progress()
    state = Amplitudes(np.zeros(1, np.uint64), np.ones(1, np.complex128))
    counted.expect(circuit.num_operations)
    for operation in counted.each(circuit.operations()):
        state = _applied(operation, state)
    return state


def _applied(operation: Operation, state: Amplitudes) -> Amplitudes:
    """Apply an operation to the amplitudes whose controls are all 1."""
    if not operation.controls:
        return _acted(operation, state)
    mask = np.uint64(sum(1 << control for control in operation.controls))
    is_on = state.keys & mask == mask
    if not is_on.any():
        return state
    if is_on.all():
        return _acted(operation, state)
    acted = _acted(operation, Amplitudes(state.keys[is_on], state.values[is_on]))
    return _joined(acted, Amplitudes(state.keys[~is_on], state.values[~is_on]))


def _joined(one: Amplitudes, other: Amplitudes) -> Amplitudes:
    """Return the amplitudes of both, which share no basis state."""
    return Amplitudes(
        np.concatenate([one.keys, other.keys]), np.concatenate([one.values, other.values])
    )


def _acted(operation: Operation, state: Amplitudes) -> Amplitudes:
    if operation.terms and len(operation.targets) > 1 and _commutes(operation):
        *coefficients, time = operation.params
        for term, coefficient in zip(operation.terms, coefficients, strict=True):
            word = pauli_word(term, list(operation.targets), time * coefficient)
            state = _rotated(word, state)
        return state
    terms = {"terms": operation.terms} if operation.terms else {}
    matrix = operation.gate.unitary(*operation.params, **terms)
    columns, places = _columns(state.keys, operation.targets)
    is_there = np.abs(matrix) > TOLERANCE
    if (is_there.sum(axis=0) == 1).all():
        rows = is_there.argmax(axis=0)
        keys = state.keys ^ places[columns] ^ places[rows[columns]]
        return Amplitudes(keys, state.values * matrix[rows, np.arange(len(matrix))][columns])
    return _mixed(matrix, state, columns, places)


def _commutes(operation: Operation) -> bool:
    return method_for(pauliexp_words(operation), len(operation.targets)) is Method.ROTATIONS


def _columns(keys: Keys, targets: tuple[int, ...]) -> tuple[NDArray[np.intp], Keys]:
    """Return the joint index of the targets in each basis state, and each index as a mask."""
    columns = np.zeros(keys.size, np.intp)
    places = np.zeros(1, np.uint64)
    for place, target in enumerate(targets):
        bits = keys >> np.uint64(target) & np.uint64(1)
        columns |= bits.astype(np.intp) << place
        places = np.concatenate([places, places | np.uint64(1 << target)])
    return columns, places


def _mixed(
    matrix: Matrix, state: Amplitudes, columns: NDArray[np.intp], places: Keys
) -> Amplitudes:
    """Multiply the amplitudes that differ in the targets only, and drop what cancels."""
    others, owners = np.unique(state.keys ^ places[columns], return_inverse=True)
    block = np.zeros((others.size, len(matrix)), np.complex128)
    block[owners.reshape(-1), columns] = state.values
    keys = others[:, np.newaxis] ^ places
    return _without_noise(Amplitudes(keys.reshape(-1), (block @ matrix.T).reshape(-1)))


def _rotated(word: PauliWord, state: Amplitudes) -> Amplitudes:
    """Apply exp(-i angle P) = cos(angle) - i sin(angle) P."""
    signs = 1 - 2.0 * _parities(state.keys & np.uint64(word.z_mask))
    factor = -1j * sin(word.factor) * 1j**word.num_y
    if not word.x_mask:
        return Amplitudes(state.keys, state.values * (cos(word.factor) + factor * signs))
    keys = np.concatenate([state.keys, state.keys ^ np.uint64(word.x_mask)])
    values = np.concatenate([state.values * cos(word.factor), state.values * (factor * signs)])
    found, owners = np.unique(keys, return_inverse=True)
    total = np.bincount(owners.reshape(-1), values.real, found.size).astype(np.complex128)
    total += 1j * np.bincount(owners.reshape(-1), values.imag, found.size)
    return _without_noise(Amplitudes(found, total))


def _parities(keys: Keys) -> NDArray[np.uint64]:
    """Return the number of ones in each key, modulo 2."""
    folded = keys
    for shift in (32, 16, 8, 4, 2, 1):
        folded = folded ^ folded >> np.uint64(shift)
    return folded & np.uint64(1)


def _without_noise(state: Amplitudes) -> Amplitudes:
    weights = np.square(state.values.real) + np.square(state.values.imag)
    is_there = weights > weights.max() * _NOISE_SHARE
    return Amplitudes(state.keys[is_there], state.values[is_there])


def _read_out(state: Amplitudes, program: Program) -> Exact:
    order = np.argsort(state.keys)
    keys = state.keys[order]
    weights = np.square(state.values.real[order]) + np.square(state.values.imag[order])
    registers = {OUTPUT_ALL: listed(keys, weights, program.num_qubits)}
    measured = program.measured
    for register in program.registers:
        contents = np.zeros_like(keys)
        for place, qubit in enumerate(qubits_of(register, measured)):
            if qubit is not None:
                contents |= (keys >> np.uint64(qubit) & np.uint64(1)) << np.uint64(place)
        registers[register.name] = listed(*merged(contents, weights), register.size)
    return Exact(registers)
