"""What can be told of a circuit without running it: how many amplitudes may be nonzero."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import log2
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES, ROW_BY_NAME
from ionbox.engines.pauli_words import pauliexp_words

# Rounding of a parameter such as pi; what is off by more is meant to be.
TOLERANCE: Final = 1e-12


class Kind(NamedTuple):
    """What operations that differ in their qubits only have in common.

    Args:
        row: The number of the gate in GATES.
        terms: Of a pauliexp.
    """

    row: int
    num_targets: int
    num_controls: int
    params: tuple[float, ...]
    terms: tuple[str, ...] = ()

    def operation(self) -> Operation:
        """Return such an operation on the lowest qubits: the targets, then the controls."""
        targets = tuple(range(self.num_targets))
        controls = tuple(range(self.num_targets, self.num_targets + self.num_controls))
        return Operation(GATES[self.row], targets, controls, self.params, self.terms)


def kind_of(operation: Operation) -> Kind:
    """Return the kind of an operation."""
    return Kind(
        ROW_BY_NAME[operation.gate.gateset, operation.gate.name],
        len(operation.targets),
        len(operation.controls),
        operation.params,
        operation.terms,
    )


def kinds(circuit: Circuit) -> Iterator[tuple[Kind, list[int]]]:
    """Yield the kind of each operation, and its qubits: targets, then controls."""
    qubits, params = circuit.qubits.tolist(), circuit.params.tolist()
    slices = zip(
        circuit.gates.tolist(),
        circuit.num_targets.tolist(),
        pairwise(circuit.qubit_starts.tolist()),
        pairwise(circuit.param_starts.tolist()),
        _terms(circuit),
        strict=True,
    )
    for row, num_targets, (first, last), (param, end), terms in slices:
        num_controls = last - first - num_targets
        kind = Kind(row, num_targets, num_controls, tuple(params[param:end]), terms)
        yield kind, qubits[first:last]


def _terms(circuit: Circuit) -> Iterator[tuple[str, ...]]:
    if circuit.paulis.size:
        return (operation.terms for operation in circuit.operations())
    return iter([()] * circuit.num_operations)


class Spread(NamedTuple):
    """What an operation can do to the number of nonzero amplitudes.

    Args:
        growth: The logarithm to base 2 of how many amplitudes one of them can become.
        moved: Places among its qubits that it can flip.
    """

    growth: float
    moved: tuple[int, ...]


@lru_cache(maxsize=4096)
def spread(kind: Kind) -> Spread:
    """Return what an operation of that kind can do to the number of nonzero amplitudes."""
    if kind.terms:
        return _spread_of_words(kind)
    matrix = GATES[kind.row].unitary(*kind.params)
    is_there = np.abs(matrix) > TOLERANCE
    widest = int(is_there.sum(axis=0).max())
    return Spread(log2(widest), _moved(is_there, kind.num_targets))


def _moved(is_there: NDArray[np.bool_], num_targets: int) -> tuple[int, ...]:
    """Return the targets in which a row and a column of some entry differ."""
    rows, columns = is_there.nonzero()
    differences = int(np.bitwise_or.reduce(rows ^ columns))
    return tuple(place for place in range(num_targets) if differences >> place & 1)


def _spread_of_words(kind: Kind) -> Spread:
    """Count the independent flips of the words: what they make of a basis state is in their span.

    Words that commute act one after the other; others in a sum of products of themselves.
    """
    flips = [word.x_mask for word in pauliexp_words(kind.operation()) if word.factor]
    basis: list[int] = []
    for flip in flips:
        rest = flip
        for member in basis:
            rest = min(rest, rest ^ member)
        if rest:
            basis.append(rest)
    union = int(np.bitwise_or.reduce(np.array(flips, object))) if flips else 0
    moved = tuple(place for place in range(kind.num_targets) if union >> place & 1)
    return Spread(float(len(basis)), moved)


def most_amplitudes(circuit: Circuit) -> float:
    """Return the logarithm to base 2 of a bound on how many amplitudes are nonzero, ever."""
    return max(bounds(circuit), default=0.0)


def bounds(circuit: Circuit) -> Iterator[float]:
    """Yield such a bound after each operation.

    None multiplies their number by more than its `growth`, and qubits that nothing has moved are 0.
    """
    growth, moved = 0.0, set[int]()
    for kind, qubits in kinds(circuit):
        change = spread(kind)
        growth += change.growth
        moved.update([qubits[place] for place in change.moved])
        yield min(growth, len(moved))
