"""The gate pauliexp as rotations about Pauli words: exactly, or in as many steps as it takes.

Words that commute are rotated about one after the other. Others are sorted into groups of words
that commute, and the groups follow each other in steps, of first or second order, whichever takes
fewer rotations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Operation
from ionbox.errors import InvalidCircuitError

MOST_ROTATIONS: Final = 1_000_000  # of one gate; more would take minutes to write down
_TRIPLES: Final = 300  # words whose triple commutators are looked at one by one


class Word(NamedTuple):
    """exp(-i rotation/2 W), with the letters of W but for I, each on its target."""

    letters: tuple[tuple[int, str], ...]
    rotation: float


def words_of(operation: Operation) -> list[Word]:
    """Read the words of a pauliexp; equal ones become one, those that do nothing are left out."""
    *coefficients, time = operation.params
    rotations: dict[tuple[tuple[int, str], ...], float] = {}
    for term, coefficient in zip(operation.terms, coefficients, strict=True):
        places = zip(operation.targets, reversed(term), strict=True)
        letters = tuple(sorted((qubit, letter) for qubit, letter in places if letter != "I"))
        rotations[letters] = rotations.get(letters, 0.0) + 2 * time * coefficient
    return [Word(letters, rotation) for letters, rotation in rotations.items() if rotation]


def steps(words: Sequence[Word], precision: float) -> Iterator[Word]:
    """Yield rotations, in order, that together differ from the gate by no more than a precision.

    Args:
        precision: The most that the operator norm of the difference may be.

    Raises:
        InvalidCircuitError: If they are more than `MOST_ROTATIONS`.

    Source:
        Childs, Su, Tran, Wiebe and Zhu, Theory of Trotter error with commutator scaling (2021),
        propositions 9 and 10.
    """
    anticommuting = _anticommuting(words)
    groups = _groups(anticommuting)
    if len(groups) < 2:
        yield from words
        return
    order = [index for group in groups for index in group]
    errors = _errors(
        np.array([words[k].rotation / 2 for k in order]), anticommuting[order][:, order]
    )
    first, second = ceil(errors[0] / precision), ceil(sqrt(errors[1] / precision))
    num_first = first * len(words)
    # A step of second order goes there and back; its ends meet those of its neighbours.
    num_second = second * (2 * len(words) - len(groups[0]) - len(groups[-1])) + len(groups[0])
    if min(num_first, num_second) > MOST_ROTATIONS:
        message = f"too long for the precision {precision:g}: over {MOST_ROTATIONS} rotations"
        raise InvalidCircuitError("time", message)
    parts = [[words[k] for k in group] for group in groups]
    yield from _first(parts, first) if num_first <= num_second else _second(parts, second)


def _first(groups: Sequence[Sequence[Word]], num_steps: int) -> Iterator[Word]:
    step = [word for group in groups for word in _parts(group, num_steps)]
    for _ in range(num_steps):
        yield from step


def _second(groups: Sequence[Sequence[Word]], num_steps: int) -> Iterator[Word]:
    first, *middle, last = groups
    there = [word for group in middle for word in _parts(group, 2 * num_steps)]
    back = [word for group in reversed(middle) for word in _parts(group, 2 * num_steps)]
    step = [*there, *_parts(last, num_steps), *back]
    yield from _parts(first, 2 * num_steps)
    for number in range(num_steps):
        yield from step
        yield from _parts(first, 2 * num_steps if number == num_steps - 1 else num_steps)


def _parts(group: Sequence[Word], share: int) -> list[Word]:
    return [Word(word.letters, word.rotation / share) for word in group]


def _anticommuting(words: Sequence[Word]) -> NDArray[np.bool_]:
    """Return which words do not commute: those that differ at an odd number of places."""
    column = {qubit: k for k, qubit in enumerate({q for word in words for q, _ in word.letters})}
    bits = np.zeros((2, len(words), len(column)), np.int64)
    for row, word in enumerate(words):
        for qubit, letter in word.letters:
            bits[:, row, column[qubit]] = letter in "XY", letter in "ZY"
    x, z = bits
    odd: NDArray[np.bool_] = (x @ z.T + z @ x.T) % 2 == 1
    return odd


def _groups(anticommuting: NDArray[np.bool_]) -> list[list[int]]:
    """Put each word to the first group all of which it commutes with."""
    groups: list[list[int]] = []
    for word, row in enumerate(anticommuting):
        for group in groups:
            if not row[group].any():
                group.append(word)
                break
        else:
            groups.append([word])
    return groups


def _errors(factors: NDArray[np.float64], anticommuting: NDArray[np.bool_]) -> tuple[float, float]:
    """Bound the operator norm of the error of one step, of first and of second order.

    A commutator of two words is twice their product or nothing, so that norms of sums are bounded
    by sums of absolute factors.
    """
    sizes = np.abs(factors)
    later = np.triu(anticommuting, 1)
    first = float(sizes @ later @ sizes)
    twice = float(np.square(sizes) @ later @ sizes)
    return first, _nested(sizes, anticommuting) / 3 + twice / 6


def _nested(sizes: NDArray[np.float64], anticommuting: NDArray[np.bool_]) -> float:
    """Bound a quarter of the sum over i of |[sum of k > i, [sum of j > i, i]]|."""
    total = 0.0
    for word, size in enumerate(sizes):
        row, rest = anticommuting[word, word + 1 :], sizes[word + 1 :]
        others = rest[row]
        if len(sizes) > _TRIPLES:
            total += size * others.sum() * rest.sum()
        elif others.size:
            # A word commutes with a product if it commutes with both factors, or with neither.
            moved = anticommuting[word + 1 :, word + 1 :][row] ^ row
            total += float(size * others @ (moved @ rest))
    return total
