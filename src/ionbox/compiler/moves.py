"""A circuit as moves: to which bits each step can take the bits of its qubits, and nothing else.

What acts on one pair without anything between is one step, so that what it undoes by itself, such
as the two halves of a hop, does not count as moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.unitaries import Matrix

# A smaller amplitude is rounding; its probability is under 1e-18.
_TOLERANCE: Final = 1e-9
_WIDEST_MATRIX: Final = 6  # qubits; wider operations are known by their targets, or their words
_WIDEST_WORD: Final = 10  # qubits that a word flips, for its bits to be looked at one by one

_ONE: Final = np.eye(2)
_LETTER_BITS: Final = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}

Bits: TypeAlias = int  # bit k is of the k-th qubit of a move


class Move(NamedTuple):
    """What a step can do to the bits of its qubits.

    Args:
        qubits: Which ones.
        outcomes: For each content of these bits, the contents that it can become. In a list, so
            that one step may do to bits what depends on bits.
    """

    qubits: tuple[int, ...]
    outcomes: Sequence[Sequence[Bits]]


class Flip(NamedTuple):
    """A step that may flip all of some qubits, whatever is in them.

    Args:
        qubits: Which ones.
        keeps_weight: Whether it does so only where half of them are 1.
    """

    qubits: tuple[int, ...]
    keeps_weight: bool


Exchange: TypeAlias = tuple[int, int]  # of the states of two qubits
Step: TypeAlias = Move | Flip | Exchange


def moves(circuit: Circuit) -> Iterator[Step]:
    """Yield what the steps of a circuit can do to bits, in an order in which they may be done."""
    runs = _Runs()
    for operation in circuit.operations():
        qubits = (*operation.targets, *operation.controls)
        is_exchange = operation.gate.name == "swap" and not operation.controls
        if len(qubits) <= 2 and not is_exchange:
            yield from runs.add(qubits, operation.unitary())
            continue
        yield from runs.end(qubits)
        if is_exchange:
            yield operation.targets[0], operation.targets[1]
        elif operation.terms:
            yield from _flips(operation)
        elif len(qubits) <= _WIDEST_MATRIX:
            yield Move(qubits, _outcomes(operation.unitary()))
        else:
            yield _move_of_targets(operation)
    yield from runs.end_all()


class _Runs:
    """Matrices of operations on one qubit or one pair, with nothing between them."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[tuple[int, ...], Matrix]] = {}  # by qubit

    def add(self, qubits: tuple[int, ...], matrix: Matrix) -> Iterator[Move]:
        """Add an operation, and yield the runs that it ends."""
        run = self._qubits_with(qubits[0])
        if set(qubits) <= set(run):
            self._put(run, _spread(matrix, qubits, run))
            return
        for qubit in qubits:
            if len(self._qubits_with(qubit)) == 2:
                yield from self.end((qubit,))
        alone = {qubit: self._open.pop(qubit)[1] for qubit in qubits if qubit in self._open}
        for qubit, first in alone.items():
            self._put(qubits, _spread(first, (qubit,), qubits))
        self._put(qubits, matrix)

    def _qubits_with(self, qubit: int) -> tuple[int, ...]:
        return self._open[qubit][0] if qubit in self._open else ()

    def _put(self, qubits: tuple[int, ...], matrix: Matrix) -> None:
        before = self._open.get(qubits[0])
        product = matrix if before is None else matrix @ before[1]
        for qubit in qubits:
            self._open[qubit] = qubits, product

    def end(self, qubits: Sequence[int]) -> Iterator[Move]:
        """Yield the runs on some qubits, which are over."""
        for qubit in qubits:
            if qubit in self._open:
                of_run, matrix = self._open[qubit]
                for each in of_run:
                    del self._open[each]
                yield Move(of_run, _outcomes(matrix))

    def end_all(self) -> Iterator[Move]:
        """Yield all runs."""
        yield from self.end(list(self._open))


def _spread(matrix: Matrix, qubits: tuple[int, ...], run: tuple[int, ...]) -> Matrix:
    """Return the matrix of an operation on all qubits of a run, in their order."""
    if qubits == run:
        return matrix
    if len(qubits) == 2:
        return matrix[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]
    factors = (_ONE, matrix) if qubits[0] == run[0] else (matrix, _ONE)
    return np.kron(*factors).astype(np.complex128)


def _outcomes(matrix: Matrix) -> list[list[Bits]]:
    return [np.flatnonzero(np.abs(column) > _TOLERANCE).tolist() for column in matrix.T]


def _move_of_targets(operation: Operation) -> Move:
    """Return what an operation with many controls does to its targets, or not."""
    outcomes = _outcomes(operation.gate.unitary(*operation.params))
    return Move(operation.targets, [sorted({bits, *after}) for bits, after in enumerate(outcomes)])


def _flips(operation: Operation) -> Iterator[Flip]:
    """Yield what the words of a pauliexp can flip.

    Words that flip the same qubits are looked at together: X@X + Y@Y flips only where one of the
    two is 1. With other letters Z beside they are independent.
    """
    *coefficients, time = operation.params
    amplitudes: dict[int, dict[int, dict[int, complex]]] = defaultdict(lambda: defaultdict(dict))
    for term, coefficient in zip(operation.terms, coefficients, strict=True):
        bits = [_LETTER_BITS[letter] for letter in reversed(term)]
        x_mask = sum(x << place for place, (x, _) in enumerate(bits))
        z_mask = sum(z << place for place, (_, z) in enumerate(bits))
        within = amplitudes[x_mask][z_mask & ~x_mask]
        factor = time * coefficient * 1j ** term.count("Y")
        within[z_mask & x_mask] = within.get(z_mask & x_mask, 0) + factor
    for x_mask, beside in amplitudes.items():
        present = [words for words in beside.values() if any(words.values())]
        places = [k for k in range(len(operation.targets)) if x_mask >> k & 1]
        if places and present:
            keeps_weight = all(_keeps_weight(words, places) for words in present)
            yield Flip(tuple(operation.targets[place] for place in places), keeps_weight)


def _keeps_weight(words: Mapping[int, complex], places: Sequence[int]) -> bool:
    """Tell whether flips cancel but where half of the flipped qubits are 1.

    Args:
        words: Letters Z, among those flipped, to their factor.
        places: Of what is flipped.
    """
    if len(places) % 2 or len(places) > _WIDEST_WORD:
        return False
    for subset in range(1 << len(places)):
        if 2 * subset.bit_count() == len(places):
            continue
        ones = sum(1 << place for k, place in enumerate(places) if subset >> k & 1)
        total = sum(factor * (-1) ** (z & ones).bit_count() for z, factor in words.items())
        if abs(total) > _TOLERANCE:
            return False
    return True
