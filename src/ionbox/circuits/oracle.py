"""Circuit to state vector and unitary in plain NumPy: slow, obvious, what engines are tested with.

Written from the definition and nothing else: an operation takes each basis state to those that
differ from it in the operation's qubits only, with the amplitudes of its matrix. No engine may
borrow from here, so that an error cannot be in both. Good to about ten qubits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.unitaries import Matrix


def state_vector(circuit: Circuit) -> Matrix:
    """Return what the circuit makes of |0...0>.

    Returns:
        Shape (2**num_qubits,), complex128; the index is the basis state, qubit 0 its lowest bit.
    """
    state = np.zeros(2**circuit.num_qubits, dtype=np.complex128)
    state[0] = 1
    for operation in circuit.operations():
        state = _apply(operation, state)
    return state


def unitary(circuit: Circuit) -> Matrix:
    """Return the matrix of the whole circuit.

    Returns:
        Shape (2**num_qubits, 2**num_qubits), complex128; row and column are basis states.
    """
    matrix: Matrix = np.eye(2**circuit.num_qubits, dtype=np.complex128)
    for operation in circuit.operations():
        matrix = _apply(operation, matrix)
    return matrix


def _apply(operation: Operation, before: Matrix) -> Matrix:
    """Multiply by an operation from the left; a matrix is its columns, each a state vector."""
    matrix = operation.unitary()
    qubits = (*operation.targets, *operation.controls)
    after = np.zeros_like(before)
    for basis_state in range(len(before)):
        column = _read_bits(basis_state, qubits)
        for row in range(len(matrix)):
            after[_write_bits(basis_state, qubits, row)] += (
                matrix[row, column] * before[basis_state]
            )
    return after


def _read_bits(basis_state: int, qubits: Sequence[int]) -> int:
    """Return the integer whose bit k is the bit of qubits[k]."""
    return sum((basis_state >> qubit & 1) << k for k, qubit in enumerate(qubits))


def _write_bits(basis_state: int, qubits: Sequence[int], bits: int) -> int:
    """Return the basis state with the bit of qubits[k] replaced by bit k of `bits`."""
    for k, qubit in enumerate(qubits):
        basis_state = basis_state & ~(1 << qubit) | (bits >> k & 1) << qubit
    return basis_state
