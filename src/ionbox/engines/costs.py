"""What circuits cost on a state vector: passes over it, and vectors at the peak.

A pass is one product for each amplitude, so a matrix over k targets takes 2**k, half as many with
each control.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES
from ionbox.engines.pauli_words import (
    MATRIX_TARGETS,
    TAYLOR_ORDER,
    Method,
    method_for,
    num_taylor_steps,
    pauliexp_words,
)
from ionbox.engines.vectors import TILE

READ_OUT_OPERATIONS: Final = 3
READ_OUT_PASSES: Final = 0.5  # weights are half as long as amplitudes
WORD_PASSES: Final = 3  # a Pauli word: a permutation, signs, and a product

# Memory at the peak, in state vectors: the amplitudes and the weights made of them, or the
# amplitudes, the last term of a Taylor series and the next.
_VECTORS, _TAYLOR_VECTORS = 1.5, 3.0
_TILE_BYTES = 8 * 16  # for each amplitude of a tile: products, factors and places in flight
_SHOT_BYTES = 64  # for each shot: points, owners, basis states and what sorting them needs
_SAMPLING_BYTES = 2**21  # a chunk of the CDF

_MOST_TAYLOR_STEPS = 1000
_ROW_PASSES = np.array(
    [
        0 if gate.num_targets is None else 1 if gate.is_diagonal else 2**gate.num_targets
        for gate in GATES
    ],
    np.float64,
)  # 0 for pauliexp, which `_pauliexp_cost` counts


class Cost(msgspec.Struct, frozen=True):
    """What operations take: passes over the vector, and vectors at the peak."""

    passes: float
    vectors: float = _VECTORS


def circuit_cost(circuit: Circuit) -> Cost | str:
    """Return the cost of a circuit, or why it would take too long."""
    matrices = Cost(float(_matrix_passes(circuit).sum()))
    if not circuit.paulis.size:
        return matrices
    costs = [matrices]
    for place, operation in enumerate(circuit.operations()):
        if operation.terms:
            cost = _pauliexp_cost(place, operation)
            if isinstance(cost, str):
                return cost
            costs.append(cost)
    return Cost(sum(cost.passes for cost in costs), max(cost.vectors for cost in costs))


def operation_passes(circuit: Circuit) -> NDArray[np.float64]:
    """Return the passes of each operation of a circuit that `circuit_cost` does not refuse."""
    passes = _matrix_passes(circuit)
    if circuit.paulis.size:
        for place, operation in enumerate(circuit.operations()):
            cost = _pauliexp_cost(place, operation) if operation.terms else ""
            if isinstance(cost, Cost):
                passes[place] = cost.passes
    return passes


def _matrix_passes(circuit: Circuit) -> NDArray[np.float64]:
    """Return the passes of all operations but pauliexp, read from the packed arrays."""
    starts = circuit.qubit_starts
    num_controls = starts[1:] - starts[:-1] - circuit.num_targets
    passes: NDArray[np.float64] = np.ldexp(_ROW_PASSES[circuit.gates], -num_controls)
    return passes


def _pauliexp_cost(place: int, operation: Operation) -> Cost | str:
    """Return the cost of a pauliexp, or why it would take too long."""
    words = pauliexp_words(operation)
    method = method_for(words, len(operation.targets))
    if method is Method.MATRIX:
        return Cost(2.0 ** len(operation.targets))
    if method is Method.ROTATIONS:
        return Cost(WORD_PASSES * len(words))
    num_steps = num_taylor_steps(words)
    if num_steps > _MOST_TAYLOR_STEPS:
        return (
            f"circuit[{place}]: a pauliexp whose terms do not commute, on "
            f"{len(operation.targets)} targets with time * sum of |coefficients| = {num_steps:g}; "
            f"at most {_MOST_TAYLOR_STEPS} on more than {MATRIX_TARGETS} targets"
        )
    return Cost(WORD_PASSES * len(words) * num_steps * TAYLOR_ORDER, _TAYLOR_VECTORS)


def tile_bytes(num_qubits: int) -> int:
    """Return the memory that the temporaries of one tile take."""
    return _TILE_BYTES * min(1 << num_qubits, TILE)


def sampling_bytes(shots: int) -> int:
    """Return the memory that sampling so many shots takes."""
    return _SHOT_BYTES * shots + _SAMPLING_BYTES
