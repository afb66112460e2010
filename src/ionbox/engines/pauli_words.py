"""Pauli words on a state vector: the operation pauliexp, and observables.

Nothing here builds a matrix: a word exchanges amplitudes and changes their signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import ceil, cos, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Operation
from ionbox.engines.vectors import TILE, Amplitudes

# A pauliexp whose terms do not commute: a matrix over few targets (512 small products at 4),
# a Taylor series over more, as long as it ends within a sensible number of steps.
MATRIX_TARGETS: Final = 4
TAYLOR_ORDER: Final = 18  # 1/19! < 1e-17


@dataclass(frozen=True, slots=True, eq=False)
class PauliWord:
    """A product of Pauli letters P, ready to be applied to a vector cut into rows.

    P |j> = i**(number of Y) * (-1)**(ones in j & z_mask) |j ^ x_mask>, where X and Y are in the
    x_mask, Z and Y in the z_mask.

    Args:
        factor: The real number that goes with the word; in a pauliexp time * coefficient, radians.
        x_mask: Qubits that are flipped.
        z_mask: Qubits whose 1 changes the sign.
        num_y: How many letters are Y.
    """

    factor: float
    x_mask: int
    z_mask: int
    num_y: int


def pauli_word(term: str, targets: list[int], factor: float) -> PauliWord:
    """Read a word whose last letter acts on targets[0]."""
    letters = list(zip(reversed(term), targets, strict=True))
    x_mask = sum(1 << qubit for letter, qubit in letters if letter in "XY")
    z_mask = sum(1 << qubit for letter, qubit in letters if letter in "ZY")
    return PauliWord(factor, x_mask, z_mask, term.count("Y"))


def pauliexp_words(operation: Operation) -> list[PauliWord]:
    """Read the words of a pauliexp, over the qubits that are left without its controls."""
    targets = [
        target - sum(control < target for control in operation.controls)
        for target in operation.targets
    ]
    *coefficients, time = operation.params
    return [
        pauli_word(term, targets, time * coefficient)
        for term, coefficient in zip(operation.terms, coefficients, strict=True)
    ]


class Method(Enum):
    """How a pauliexp is applied."""

    ROTATIONS = auto()
    MATRIX = auto()
    TAYLOR = auto()


def method_for(words: list[PauliWord], num_targets: int) -> Method:
    """Choose how a pauliexp of these words is applied."""
    if _all_commute(words):
        return Method.ROTATIONS
    return Method.MATRIX if num_targets <= MATRIX_TARGETS else Method.TAYLOR


def _all_commute(words: list[PauliWord]) -> bool:
    """Tell whether every pair of words differs in an even number of places, not counting I.

    That number is bilinear in the masks modulo 2, so it is enough to compare the members of a
    basis of all words: at most two for each qubit, instead of every pair of words.
    """
    basis: list[tuple[int, int]] = []
    for x_mask, z_mask in {(word.x_mask, word.z_mask) for word in words}:
        rest = x_mask, z_mask
        for x, z in basis:
            rest = min(rest, (rest[0] ^ x, rest[1] ^ z))
        if any(((rest[0] & z).bit_count() + (rest[1] & x).bit_count()) % 2 for x, z in basis):
            return False
        if rest != (0, 0):
            basis.append(rest)
    return True


def cut_into_rows(vector: Amplitudes) -> Amplitudes:
    """View a vector as rows of at most a tile; the highest qubits number the rows."""
    return vector.reshape(-1, min(vector.size, TILE))


class _Mover:
    """Apply one Pauli word to a vector, one row of it at a time.

    Args:
        word: What is applied.
        rows: The vector, as `cut_into_rows` gives it.
    """

    def __init__(self, word: PauliWord, rows: Amplitudes) -> None:
        width = rows.shape[1]
        low_x, low_z = word.x_mask & (width - 1), word.z_mask & (width - 1)
        self.rows = rows
        self.row_flip = word.x_mask // width
        self._row_signs = word.z_mask // width
        self._order = np.arange(width) ^ low_x
        self._factors = _signs(low_z, width)[self._order].astype(rows.dtype) * 1j**word.num_y

    def row(self, number: int) -> Amplitudes:
        """Return row `number` of the word times the vector."""
        source = number ^ self.row_flip
        moved: Amplitudes = self.rows[source][self._order]
        moved *= self._factors
        if (source & self._row_signs).bit_count() % 2:
            moved *= -1
        return moved


def _signs(mask: int, width: int) -> NDArray[np.float64]:
    """Return (-1)**(ones in j & mask) for all j below a power of two."""
    signs = np.ones(1)
    while signs.size < width:
        signs = np.concatenate([signs, -signs if mask & signs.size else signs])
    return signs


def rotate(word: PauliWord, rows: Amplitudes) -> None:
    """Apply exp(-i angle P) = cos(angle) - i sin(angle) P in place: P only exchanges rows."""
    mover = _Mover(word, rows)
    cosine, factor = cos(word.factor), -1j * sin(word.factor)
    for number in range(len(rows)):
        partner = number ^ mover.row_flip
        if partner < number:
            continue
        pair = {number, partner}
        added = [(row, mover.row(row) * factor) for row in pair]
        for row, amplitudes in added:
            rows[row] *= cosine
            rows[row] += amplitudes


def add_taylor_series(rows: Amplitudes, words: list[PauliWord]) -> None:
    """Apply exp(-i H), H the sum of the words, as a Taylor series in steps of norm <= 1.

    Source:
        The series of exp at 1 has fallen below 1e-17 after `TAYLOR_ORDER` terms.
    """
    num_steps = num_taylor_steps(words)
    for _ in range(num_steps):
        term = rows.copy()
        for order in range(1, TAYLOR_ORDER + 1):
            term = times_sum(term, words, -1j / (num_steps * order))
            rows += term


def num_taylor_steps(words: list[PauliWord]) -> int:
    """Return how many steps a Taylor series takes."""
    return max(1, ceil(sum(abs(word.factor) for word in words)))


def times_sum(rows: Amplitudes, words: list[PauliWord], factor: complex = 1) -> Amplitudes:
    """Return factor * H times the vector, H the sum of the words, each with its own factor."""
    total = np.zeros_like(rows)
    for word in words:
        mover = _Mover(word, rows)
        for number in range(len(rows)):
            total[number] += mover.row(number) * (factor * word.factor)
    return total
