"""Rotations about many Pauli words, with interactions that they share.

exp(-i pi/4 A@B) on a pair takes words to other words, and one that shortens many of them is worth
more than a ladder for each. So the words are shortened together, greedily; each is rotated about
when it is short enough and commutes with all that should come before it; and in the end what has
shortened them is undone, in reverse or, if that is shorter, by shortening the words of one letter
that it has made long.

Source:
    The greedy idea: Schmitz et al., Graph optimization perspective for low-depth Trotter-Suzuki
    decomposition (2023). Here words of two letters do not wait where waiting gains little.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import pi
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import PAULI_LETTERS
from ionbox.compiler.controls import add_word
from ionbox.compiler.evolution import Word, anticommuting
from ionbox.compiler.interactions import Interactions
from ionbox.compiler.turns import (
    AXES,
    UNTURNED,
    Axis,
    Turn,
    X,
    Y,
    Z,
    cross,
    overlap,
    product,
    turn_about,
    turned,
)

Letters: TypeAlias = NDArray[np.int8]  # 0 I, 1 X, 2 Y, 3 Z
Scores: TypeAlias = NDArray[np.float64]  # by A@B and the pair

MOST_WORDS: Final = 600  # that are compared with each other

# P Q = i**power R, by P and Q
_RESULT: Final = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]], np.int8)
_POWER: Final = np.array([[0, 0, 0, 0], [0, 0, 1, 3], [0, 3, 0, 1], [0, 1, 3, 0]], np.int8)
_KINDS: Final = tuple(itertools.product((1, 2, 3), repeat=2))  # A and B

_LEVELS: Final = 6  # of words that have to wait for others; those of later ones do not count yet


class Greed(NamedTuple):
    """What the next conjugation is chosen by.

    Args:
        patience: Letters that waiting has to gain, for a word of two letters to wait.
        discount: What a letter of a word counts less, for each level of words before it.
        haste: What a letter of the shortest word counts more.
    """

    patience: float = 3.0
    discount: float = 0.5
    haste: float = 0.5


DEFAULT: Final = Greed()
# Of many that were tried on evolutions of molecules and on random words, those that were best for
# some and good for all.
GREEDS: Final = (Greed(2, 0.3, 0.3), Greed(2, 0.5, 0.5), Greed(2, 0.3, 1.0), Greed(3, 0.3, 0.3))


class Conjugation(NamedTuple):
    """exp(-i pi/4 A@B) on a pair: its kind says A and B."""

    kind: int
    pair: tuple[int, int]


class _Effects(NamedTuple):
    """What a kind makes of the letters that a word has on the pair.

    Args:
        letters: Shape (9, 4, 4, 2).
        signs: Shape (9, 4, 4).
        gains: Letters other than I that the word loses, shape (9, 4, 4).
    """

    letters: NDArray[np.int8]
    signs: NDArray[np.int8]
    gains: NDArray[np.float64]


def _effects() -> _Effects:
    letters = np.zeros((9, 4, 4, 2), np.int8)
    signs = np.ones((9, 4, 4), np.int8)
    gains = np.zeros((9, 4, 4))
    for kind, one, other in itertools.product(range(9), range(4), range(4)):
        a, b = _KINDS[kind]
        after = np.array([one, other], np.int8)
        power = int(_POWER[a, one] + _POWER[b, other])
        if power % 2:  # they anticommute, and the word W becomes -i A@B W
            after[:] = _RESULT[a, one], _RESULT[b, other]
            signs[kind, one, other] = 1 if power % 4 == 1 else -1
        letters[kind, one, other] = after
        gains[kind, one, other] = (one > 0) + (other > 0) - np.count_nonzero(after)
    return _Effects(letters, signs, gains)


_EFFECTS: Final = _effects()


class _Table:
    """Pauli words, and their signs, which conjugations act on together."""

    def __init__(self, letters: Letters) -> None:
        self.letters = letters
        self.signs = np.ones(len(letters), np.int8)

    def copy(self) -> _Table:
        """Return the same words, to go another way."""
        copied = _Table(self.letters.copy())
        copied.signs[:] = self.signs
        return copied

    def axis(self, row: int) -> Axis:
        """Return a word of one letter as an axis."""
        x, y, z = AXES[PAULI_LETTERS[self.letters[row].max()]]
        sign = float(self.signs[row])
        return sign * x, sign * y, sign * z

    def conjugate(self, by: Conjugation) -> None:
        one, other = by.pair
        before = by.kind, self.letters[:, one], self.letters[:, other]
        self.signs *= _EFFECTS.signs[before]
        self.letters[:, by.pair] = _EFFECTS.letters[before]

    def scores(self, weights: NDArray[np.float64]) -> Scores:
        """Return how many letters each conjugation saves, each word with its weight."""
        rows = weights.nonzero()[0]
        num_qubits = self.letters.shape[1]
        has = (self.letters[rows, :, np.newaxis] == np.arange(4)).astype(np.float64)
        flat = has.reshape(len(rows), 4 * num_qubits)
        pairs = (flat.T @ (flat * weights[rows, np.newaxis])).reshape(num_qubits, 4, num_qubits, 4)
        found: Scores = np.einsum("iajb,kab->kij", pairs, _EFFECTS.gains, optimize=True)
        found[:, np.tri(num_qubits, dtype=np.bool_)] = -np.inf
        return found


def _best(scores: Scores) -> Conjugation:
    kind, one, other = np.unravel_index(int(scores.argmax()), scores.shape)
    return Conjugation(int(kind), (int(one), int(other)))


def network(words: Sequence[Word], greed: Greed = DEFAULT) -> Network | None:
    """Return a network for rotations about words, in this order; None if ladders are as short.

    Args:
        words: At most `MOST_WORDS`.
    """
    found = Network([word for word in words if word.letters], greed)
    return found if found.shorten() else None


class Network:
    """Rotations and conjugations; qubits are counted among those of the words."""

    def __init__(self, words: Sequence[Word], greed: Greed) -> None:
        self._greed = greed
        self._qubits = sorted({qubit for word in words for qubit, _ in word.letters})
        self._rotations = [word.rotation for word in words]
        self._words = _Table(_letters(words, self._qubits))
        self._is_left = np.ones(len(words), np.bool_)
        self._comes_before = np.tril(anticommuting(words), -1)  # the column before the row
        self._frame = _Table(_single_letters(len(self._qubits)))
        self._steps: list[Conjugation | Word] = []

    def shorten(self) -> bool:
        """Shorten all words and take them out; give up where ladders would be as short."""
        num_left = int(np.maximum(self._lengths() - 2, 0).sum())  # of conjugations
        weights = self._weights()
        while self._is_left.any():
            lengths = np.where(weights == 1, self._lengths(), 3)  # others cannot be taken out
            shortest = int(lengths.min())
            scores = self._scores(weights)
            if shortest < 2 or (shortest == 2 and scores.max() < self._greed.patience):
                self._take_out(np.flatnonzero(lengths <= max(shortest, 1)))
                weights = self._weights()
            elif num_left:
                num_left -= 1
                self._conjugate(_best(scores))
            else:
                return False
        return True

    def add_to(self, into: Interactions, *, may_relabel: bool) -> None:
        """Add all steps, and what undoes the conjugations.

        Args:
            may_relabel: Whether qubits may end in other places.
        """
        done = [step for step in self._steps if isinstance(step, Conjugation)]
        for step in self._steps:
            if isinstance(step, Word):
                letters = [(self._qubits[k], AXES[letter]) for k, letter in step.letters]
                add_word(into, (), letters, step.rotation)
            else:
                self._add(into, step, pi / 2)
        if not done:
            return
        frame = self._frame.copy()
        undoing = _shortened_to_letters(frame, len(done))
        if undoing is None or not (may_relabel or _is_in_place(frame)):
            for step in reversed(done):
                self._add(into, step, -pi / 2)
            return
        for step in undoing:
            self._add(into, step, pi / 2)
        self._put_back(into, frame)

    def _add(self, into: Interactions, step: Conjugation, rotation: float) -> None:
        one, other = (self._qubits[k] for k in step.pair)
        a, b = (AXES[PAULI_LETTERS[code]] for code in _KINDS[step.kind])
        into.interact((one, other), (a, b), rotation)

    def _put_back(self, into: Interactions, frame: _Table) -> None:
        """Take the letters of each qubit, which are on one place now, back to what they were."""
        places = dict(zip(self._qubits, [into.places[q] for q in self._qubits], strict=True))
        for k, qubit in enumerate(self._qubits):
            at = self._qubits[int(frame.letters[3 * k].nonzero()[0][0])]
            first = _turn_between(frame.axis(3 * k), X, Y)
            second = _turn_between(turned(first, frame.axis(3 * k + 2)), Z, X)
            place = places[at]
            into.turns[place] = product(product(second, first), into.turns[place])
            into.places[qubit] = place

    def _lengths(self) -> NDArray[np.int64]:
        lengths: NDArray[np.int64] = np.count_nonzero(self._words.letters, axis=1)
        return lengths

    def _weights(self) -> NDArray[np.float64]:
        """Return what a letter of each word counts: 1 if no word has to come before it."""
        weights = np.zeros(len(self._is_left))
        left = self._is_left.copy()
        for level in range(_LEVELS):
            is_first = left & ~self._comes_before[:, left].any(axis=1)
            weights[is_first] = self._greed.discount**level
            left &= ~is_first
        return weights

    def _scores(self, weights: NDArray[np.float64]) -> Scores:
        """Return what conjugations save; if it is little, of those that shorten the next word."""
        lengths = np.where(weights == 1, self._lengths(), np.inf)
        is_next = np.arange(len(weights)) == lengths.argmin()
        of_next = self._words.scores(is_next.astype(np.float64))
        scores = self._words.scores(weights) + self._greed.haste * of_next
        return scores if scores.max() >= 1 else np.where(of_next > 0, scores, -np.inf)

    def _conjugate(self, by: Conjugation) -> None:
        self._words.conjugate(by)
        self._frame.conjugate(by)
        self._steps.append(by)

    def _take_out(self, rows: NDArray[np.int64]) -> None:
        """Rotate about words as they are now."""
        for row in rows.tolist():
            letters = self._words.letters[row]
            on_places = [(k, PAULI_LETTERS[letters[k]]) for k in letters.nonzero()[0].tolist()]
            rotation = float(self._words.signs[row]) * self._rotations[row]
            self._steps.append(Word(tuple(on_places), rotation))
        self._is_left[rows] = False


def _letters(words: Sequence[Word], qubits: Sequence[int]) -> Letters:
    place = {qubit: k for k, qubit in enumerate(qubits)}
    letters = np.zeros((len(words), len(qubits)), np.int8)
    for row, word in enumerate(words):
        for qubit, letter in word.letters:
            letters[row, place[qubit]] = PAULI_LETTERS.index(letter)
    return letters


def _single_letters(num_qubits: int) -> Letters:
    """Return X, Y and Z on each qubit."""
    letters = np.zeros((num_qubits, 3, num_qubits), np.int8)
    for qubit in range(num_qubits):
        letters[qubit, :, qubit] = 1, 2, 3
    return letters.reshape(3 * num_qubits, num_qubits)


def _shortened_to_letters(frame: _Table, most: int) -> list[Conjugation] | None:
    """Shorten the words of a frame until each has one letter; None if that is not shorter."""
    done: list[Conjugation] = []
    alike = np.ones(len(frame.letters))
    while np.count_nonzero(frame.letters) > len(frame.letters):
        scores = frame.scores(alike)
        if scores.max() <= 0 or len(done) + 1 >= most:
            return None
        done.append(_best(scores))
        frame.conjugate(done[-1])
    return done


def _is_in_place(frame: _Table) -> bool:
    return bool((frame.letters[::3].argmax(axis=1) == np.arange(frame.letters.shape[1])).all())


def _turn_between(axis: Axis, goal: Axis, across: Axis) -> Turn:
    """Return a turn by quarters from one axis to another, by way of a third if it is opposite."""
    along = overlap(axis, goal)
    if abs(along) < 0.5:
        return turn_about(cross(axis, goal), pi / 2)
    return UNTURNED if along > 0 else turn_about(across, pi)
