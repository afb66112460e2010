"""The gate pauliexp as rotations about Pauli words: exactly, or in as many steps as it takes.

Words that commute are rotated about one after the other. Others are sorted into groups of words
that commute, and the groups follow each other in steps, of first or second order, whichever takes
fewer rotations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, sqrt
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Operation
from ionbox.errors import InvalidCircuitError

MOST_ROTATIONS: Final = 100_000  # of one gate; more would take long to write down
_TRIPLES: Final = 300  # words whose triple commutators are looked at one by one


class Word(NamedTuple):
    """exp(-i rotation/2 W), with the letters of W but for I, each on its target."""

    letters: tuple[tuple[int, str], ...]
    rotation: float


Group: TypeAlias = tuple[Word, ...]  # that commute


def words_of(operation: Operation) -> list[Word]:
    """Read the words of a pauliexp; equal ones become one, those that do nothing are left out."""
    *coefficients, time = operation.params
    rotations: dict[tuple[tuple[int, str], ...], float] = {}
    for term, coefficient in zip(operation.terms, coefficients, strict=True):
        places = zip(operation.targets, reversed(term), strict=True)
        letters = tuple(sorted((qubit, letter) for qubit, letter in places if letter != "I"))
        rotations[letters] = rotations.get(letters, 0.0) + 2 * time * coefficient
    return [Word(letters, rotation) for letters, rotation in rotations.items() if rotation]


def steps(words: Sequence[Word], precision: float) -> Iterator[Group]:
    """Yield rotations that together differ from the gate by no more than a precision.

    They come in groups; those of one commute.

    Args:
        precision: The most that the operator norm of the difference may be.

    Raises:
        InvalidCircuitError: If they are more than `MOST_ROTATIONS`.

    Source:
        Childs, Su, Tran, Wiebe and Zhu, Theory of Trotter error with commutator scaling (2021),
        propositions 9 and 10.
    """
    odd = anticommuting(words)
    groups = _groups(odd)
    if len(groups) < 2:
        yield tuple(words)
        return
    order = [index for group in groups for index in group]
    factors = np.array([words[k].rotation / 2 for k in order])
    first_error, second_error = _errors(factors, odd[order][:, order])
    first, second = _at_least(first_error / precision), _at_least(sqrt(second_error / precision))
    num_first = first * len(words)
    # A step of second order goes there and back; its ends meet those of its neighbours.
    num_second = second * (2 * len(words) - len(groups[0]) - len(groups[-1])) + len(groups[0])
    if min(num_first, num_second) > MOST_ROTATIONS:
        message = (
            f"a pauliexp takes over {MOST_ROTATIONS} rotations at the precision {precision:g}; "
            "a shorter time, or less precision, takes fewer"
        )
        raise InvalidCircuitError("circuit", message)
    parts = [tuple(words[k] for k in group) for group in groups]
    yield from _first(parts, first) if num_first <= num_second else _second(parts, second)


def _at_least(number: float) -> int:
    """Return a number of steps; one that is not finite is too large."""
    return max(ceil(number), 1) if number < MOST_ROTATIONS else MOST_ROTATIONS


def _first(groups: Sequence[Group], num_steps: int) -> Iterator[Group]:
    step = [_part(group, num_steps) for group in groups]
    for _ in range(num_steps):
        yield from step


def _second(groups: Sequence[Group], num_steps: int) -> Iterator[Group]:
    first, *middle, last = groups
    halves = [_part(group, 2 * num_steps) for group in middle]
    step = [*halves, _part(last, num_steps), *reversed(halves)]
    end, joint = _part(first, 2 * num_steps), _part(first, num_steps)
    yield end
    for number in range(num_steps):
        yield from step
        yield end if number == num_steps - 1 else joint


def _part(group: Group, share: int) -> Group:
    return tuple(Word(word.letters, word.rotation / share) for word in group)


def anticommuting(words: Sequence[Word]) -> NDArray[np.bool_]:
    """Return which words do not commute: those that differ at an odd number of places.

    Returns:
        Shape (words, words).
    """
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


def _errors(factors: NDArray[np.float64], odd: NDArray[np.bool_]) -> tuple[float, float]:
    """Bound the operator norm of the error of one step, of first and of second order.

    A commutator of two words is twice their product or nothing, so that norms of sums are bounded
    by sums of absolute factors.
    """
    sizes, later = np.abs(factors), np.triu(odd, 1)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is too large
        first = float(sizes @ later @ sizes)
        twice = float(np.square(sizes) @ later @ sizes)
        return first, _nested(sizes, odd) / 3 + twice / 6


def _nested(sizes: NDArray[np.float64], odd: NDArray[np.bool_]) -> float:
    """Bound a quarter of the sum over i of |[sum of k > i, [sum of j > i, i]]|."""
    total = 0.0
    for word, size in enumerate(sizes):
        row, rest = odd[word, word + 1 :], sizes[word + 1 :]
        others = rest[row]
        if len(sizes) > _TRIPLES:
            total += size * others.sum() * rest.sum()
        elif others.size:
            # A word commutes with a product if it commutes with both factors, or with neither.
            moved = odd[word + 1 :, word + 1 :][row] ^ row
            total += float(size * others @ (moved @ rest))
    return total
