"""Operations made ready for a state vector of a given width, and applied to it in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Operation
from ionbox.engines.pauli_words import (
    Method,
    PauliWord,
    add_taylor_series,
    cut_into_rows,
    method_for,
    pauliexp_words,
    rotate,
)
from ionbox.engines.vectors import Amplitudes, Layout, block, layout, tiles

Row: TypeAlias = tuple[int, tuple[tuple[int, complex], ...]]


class Action(Protocol):
    """An operation on a state vector of the width that it was made for."""

    def apply(self, vector: Amplitudes) -> None:
        """Change the vector in place."""


def make_ready(operation: Operation, num_qubits: int) -> Action:
    """Return the action of an operation on vectors of `num_qubits` qubits.

    It can be applied to any number of vectors; the matrix is made once.
    """
    if operation.terms:
        return _pauliexp_action(operation, num_qubits)
    matrix = operation.gate.unitary(*operation.params)
    return matrix_action(matrix, operation.targets, operation.controls, num_qubits)


def matrix_action(
    matrix: NDArray[np.complex128],
    targets: tuple[int, ...],
    controls: tuple[int, ...],
    num_qubits: int,
) -> Action:
    """Return the action of a matrix on its targets (bit k of its index is target k).

    The matrix need not be unitary, but a row with a single entry, on the diagonal, must be the
    only one that reads its column.
    """
    cut = layout(num_qubits, targets, controls)
    return _MatrixAction(_changing_rows(matrix), len(targets), cut)


def _changing_rows(matrix: NDArray[np.complex128]) -> list[Row]:
    """Return the rows that are not those of the identity, each as its non-zero entries."""
    rows = []
    for place, entries in enumerate(matrix.tolist()):
        terms = tuple((column, entry) for column, entry in enumerate(entries) if entry)
        if terms != ((place, 1),):
            rows.append((place, terms))
    return rows


@dataclass(slots=True)
class _MatrixAction:
    """A matrix, as the rows of it that change something."""

    rows: list[Row]
    num_targets: int
    cut: Layout

    def apply(self, vector: Amplitudes) -> None:
        for tile in tiles(block(vector, self.cut), self.num_targets):
            _combine(tile, self.rows, self.num_targets)


def _combine(tile: Amplitudes, rows: list[Row], num_targets: int) -> None:
    """Replace each row of a tile by its combination of the old rows."""
    old = [tile]
    for _ in range(num_targets):
        # The ellipsis keeps a single amplitude an array that can be written to.
        old = [half[bit, ...] for half in old for bit in (0, 1)]
    new = []
    for place, terms in rows:
        if len(terms) == 1 and terms[0][0] == place:
            old[place] *= terms[0][1]  # in a unitary, no other row reads this one
        else:
            (column, entry), *rest = terms
            total = old[column] * entry
            for other_column, other_entry in rest:
                total += old[other_column] * other_entry
            new.append((place, total))
    for place, total in new:
        old[place][...] = total


@dataclass(slots=True)
class _PauliAction:
    """exp(-i sum of words) where all controls are 1, without a matrix."""

    words: list[PauliWord]
    method: Method
    cut: Layout
    has_controls: bool

    def apply(self, vector: Amplitudes) -> None:
        part_of_vector = block(vector, self.cut)
        part = part_of_vector.reshape(-1)  # a view without controls, else mostly a copy
        rows = cut_into_rows(part)
        if self.method is Method.ROTATIONS:
            for word in self.words:
                rotate(word, rows)
        else:
            add_taylor_series(rows, self.words)
        if self.has_controls:
            part_of_vector[...] = part.reshape(part_of_vector.shape)


def _pauliexp_action(operation: Operation, num_qubits: int) -> Action:
    words = pauliexp_words(operation)
    method = method_for(words, len(operation.targets))
    if method is Method.MATRIX:
        matrix = operation.gate.unitary(*operation.params, terms=operation.terms)
        return matrix_action(matrix, operation.targets, operation.controls, num_qubits)
    cut = layout(num_qubits, (), operation.controls)
    return _PauliAction(words, method, cut, bool(operation.controls))
