"""Noisy circuits, and what they do by the definition: channels as sums of Kraus operators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.builders import PAULIS, qis

from ionbox.backends.noise import Channel, NoisyCircuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.oracle import unitary
from ionbox.circuits.unitaries import Matrix


def density_matrix(noisy: NoisyCircuit) -> Matrix:
    """Return the state after a circuit and its channels."""
    circuit = noisy.circuit
    size = 2**circuit.num_qubits
    rho = np.zeros((size, size), np.complex128)
    rho[0, 0] = 1
    operations = list(circuit.operations())
    for after in range(len(operations) + 1):
        for channel in noisy.channels:
            if channel.after == after:
                rho = after_channel(rho, channel, circuit.num_qubits)
        for operation in operations[after : after + 1]:
            one = Circuit.from_operations(circuit.num_qubits, circuit.gateset, [operation])
            gate = unitary(one)
            rho = gate @ rho @ gate.conj().T
    return rho


def after_channel(rho: Matrix, channel: Channel, num_qubits: int) -> Matrix:
    """Return the state after one channel: the sum of K rho K+ over its Kraus operators.

    Where all errors are alike, the sum over all words is the sum over the letters on one qubit
    after the other, and the word that is no error is set right.
    """
    if channel.shares is not None:
        weights = [channel.probability * share for share in channel.shares]
        return summed(rho, channel.qubits[0], [1 - channel.probability, *weights], num_qubits)
    each = channel.probability / (4 ** len(channel.qubits) - 1)
    total = each * rho
    for qubit in channel.qubits:
        total = summed(total, qubit, [1.0] * 4, num_qubits)
    kept: Matrix = total + (1 - channel.probability - each) * rho
    return kept


def summed(rho: Matrix, qubit: int, weights: Sequence[float], num_qubits: int) -> Matrix:
    """Return the sum of P rho P over the letters P on a qubit, each with its weight."""
    below, above = np.eye(2**qubit), np.eye(2 ** (num_qubits - 1 - qubit))
    total = np.zeros_like(rho)
    for letter, weight in zip(PAULIS, weights, strict=True):
        word = np.kron(above, np.kron(letter, below))
        total += weight * (word @ rho @ word)
    return total


def circuit_of(num_qubits: int, operations: Sequence[Operation]) -> Circuit:
    gateset = operations[0].gate.gateset if operations else "qis"
    return Circuit.from_operations(num_qubits, gateset, operations)


def mixing(num_qubits: int, seed: int = 3) -> list[Operation]:
    """Operations after which every Pauli word has a value of its own, and each is read."""
    rng = np.random.default_rng(seed)
    angles = iter(rng.uniform(0.2, 2.9, 4 * num_qubits).tolist())
    turns = [
        qis(name, (qubit,), next(angles)) for qubit in range(num_qubits) for name in ("ry", "rz")
    ]
    entangling = [qis("xx", (qubit, qubit + 1), next(angles)) for qubit in range(num_qubits - 1)]
    return [*turns, *entangling]
