"""The circuits that simulations are measured with, for any number of qubits.

Random angles are drawn with fixed seeds. Every engine gets the same gates; see `rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from math import pi

import numpy as np

from benchmarks.peers.rows import NOISE, Row
from ionbox.backends.noise import NoiseModel, channels
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import unitary

Operations = Iterator[Operation]


def gate(
    name: str, targets: tuple[int, ...], *params: float, controls: tuple[int, ...] = ()
) -> Operation:
    return Operation(GATE_BY_NAME["qis", name], targets, controls, params)


def cnot(control: int, target: int) -> Operation:
    return gate("cnot", (target,), controls=(control,))


def rand20(num_qubits: int) -> Operations:
    """Yield 20 layers of random rotations and a brickwork of cnots."""
    return _random_layers(num_qubits, 20)


def rand5(num_qubits: int) -> Operations:
    """Yield 5 layers of the same."""
    return _random_layers(num_qubits, 5)


def _random_layers(num_qubits: int, num_layers: int) -> Operations:
    random = np.random.default_rng(1)
    for layer in range(num_layers):
        for qubit in range(num_qubits):
            name = ("rx", "ry", "rz")[random.integers(3)]
            yield gate(name, (qubit,), random.uniform(0, 2 * pi))
        for qubit in range(layer % 2, num_qubits - 1, 2):
            yield cnot(qubit, qubit + 1)


def qft(num_qubits: int) -> Operations:
    """Yield the quantum Fourier transform, with its swaps."""
    for qubit in reversed(range(num_qubits)):
        yield gate("h", (qubit,))
        for other in range(qubit):
            yield gate("z", (qubit,), pi / 2 ** (qubit - other), controls=(other,))
    for qubit in range(num_qubits // 2):
        yield gate("swap", (qubit, num_qubits - 1 - qubit))


def ising(num_qubits: int) -> Operations:
    """Yield 20 Trotter steps of a chain in a transverse field."""
    for _ in range(20):
        for qubit in range(num_qubits - 1):
            yield gate("zz", (qubit, qubit + 1), 0.1)
        for qubit in range(num_qubits):
            yield gate("rx", (qubit,), 0.2)


def hea(num_qubits: int) -> Operations:
    """Yield 5 layers of a hardware-efficient ansatz."""
    random = np.random.default_rng(2)
    for _ in range(5):
        for qubit in range(num_qubits):
            yield gate("ry", (qubit,), random.uniform(0, 2 * pi))
            yield gate("rz", (qubit,), random.uniform(0, 2 * pi))
        for qubit in range(num_qubits - 1):
            yield cnot(qubit, qubit + 1)


def qv(num_qubits: int) -> Operations:
    """Yield as many layers as qubits, each of random unitaries on pairs drawn anew.

    A unitary is the 15 rotations that make any on two qubits: three on each, one about each of
    xx, yy and zz, three on each.
    """
    random = np.random.default_rng(3)
    for _ in range(num_qubits):
        order = random.permutation(num_qubits).tolist()
        for low, high in zip(order[::2], order[1::2], strict=False):  # an odd one is left out
            yield from _any_unitary(low, high, random.uniform(0, 2 * pi, 15).tolist())


UNITARY_LENGTH = 15


def _any_unitary(low: int, high: int, angles: list[float]) -> Operations:
    turns = [(name, (qubit,)) for qubit in (low, high) for name in ("rz", "ry", "rz")]
    between = [(name, (low, high)) for name in ("xx", "yy", "zz")]
    for (name, targets), angle in zip([*turns, *between, *turns], angles, strict=True):
        yield gate(name, targets, angle)


def grover(num_qubits: int) -> Operations:
    """Yield 5 rounds of Grover's search for a random basis state."""
    wanted = np.random.default_rng(4).integers(2, size=num_qubits)
    qubits = range(num_qubits)
    all_ones = gate("z", (0,), pi, controls=tuple(qubits[1:]))
    unwanted = [gate("x", (qubit,)) for qubit in qubits if not wanted[qubit]]
    spread = [gate("h", (qubit,)) for qubit in qubits]
    flips = [gate("x", (qubit,)) for qubit in qubits]
    yield from spread
    for _ in range(5):
        yield from (*unwanted, all_ones, *unwanted)
        yield from (*spread, *flips, all_ones, *flips, *spread)


def ghz(num_qubits: int) -> Operations:
    """Yield a chain of cnots."""
    yield gate("h", (0,))
    for qubit in range(num_qubits - 1):
        yield cnot(qubit, qubit + 1)


def random380(num_qubits: int) -> Operations:
    """Yield 380 gates of random layers."""
    return islice(_random_layers(num_qubits, 380), 380)


CIRCUITS: Mapping[str, Callable[[int], Operations]] = {
    function.__name__: function for function in (rand20, qft, ising, hea, qv, grover, ghz)
}
NOISY_CIRCUITS: Mapping[str, Callable[[int], Operations]] = {"random": rand5, "ghz": ghz}
SMALL_CIRCUITS: Mapping[str, tuple[int, Callable[[int], Operations]]] = {
    "Bell pair": (2, ghz),
    "380 gates on 8 qubits": (8, random380),
}


def rows(circuit: str, operations: Operations, *, is_ours: bool) -> list[Row]:
    """Return operations as an engine's process reads them.

    The unitaries of `qv` are given to others as matrices, which they take best; a circuit of ours
    has no such gate.
    """
    if circuit == "qv" and not is_ours:
        return list(_unitary_rows(list(operations)))
    return [Row(each.gate.name, each.targets, each.controls, each.params) for each in operations]


def noisy_rows(operations: Operations, noise: NoiseModel) -> Iterator[Row]:
    """Yield operations as `rows`, each followed by its channels."""
    for each in operations:
        yield Row(each.gate.name, each.targets, each.controls, each.params)
        for qubits, rate in channels(noise, each):
            yield Row(NOISE, qubits, (), (rate,))


def _unitary_rows(operations: list[Operation]) -> Iterator[Row]:
    for start in range(0, len(operations), UNITARY_LENGTH):
        block = operations[start : start + UNITARY_LENGTH]
        low, high = next(each.targets for each in block if len(each.targets) == 2)
        place = {low: 0, high: 1}
        moved = (
            replace(each, targets=tuple(map(place.__getitem__, each.targets))) for each in block
        )
        matrix = unitary(Circuit.from_operations(2, "qis", moved))
        yield Row("unitary", (low, high), (), tuple(matrix.ravel().view(float).tolist()))
