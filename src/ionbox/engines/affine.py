"""Affine subspaces of bit strings: a base, to which any combination of a basis is added.

The outcomes of a stabilizer state are one, each as likely as any other. A string is a row of words
of 64 bits, bit k of it bit k % 64 of word k // 64; addition is XOR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.engines.rows import Rows, Words, picked_bits, rows_of_words, words_of_bits

_WORD_BYTES: Final = 8
_GROUP: Final = 8  # basis vectors whose combinations are added by one look-up


@dataclass(frozen=True, slots=True, eq=False)
class AffineSpace:
    """All sums of the base and some of the basis; made by `affine_space`.

    Args:
        num_bits: The length of a string.
        base: Words, shape (w,); the smallest member.
        basis: Words, shape (dimension, w). The highest bit of each is in no other of them and not
            in the base, and those bits ascend.
    """

    num_bits: int
    base: Words
    basis: Words

    @property
    def dimension(self) -> int:
        """Return the logarithm to base 2 of how many members there are."""
        return len(self.basis)

    def members(self) -> Words:
        """Return all members, ascending by the integers that they stand for."""
        # Two members differ highest at the highest bit of some basis vector, so that those with
        # the later vectors come later.
        found = _sums(self.basis)
        found ^= self.base
        return found

    def sample(self, shots: int, seed: int) -> Rows:
        """Draw members, each as likely as any other.

        Args:
            shots: How many; the first ones do not depend on it.
            seed: Not negative; hashed first, so that neighbouring seeds are independent.

        Returns:
            Rows, in the order in which they were drawn.
        """
        width = -(-self.dimension // 64)
        philox = np.random.Philox(np.random.SeedSequence(seed))
        raw = philox.random_raw(shots * width).astype("<u8").view(np.uint8)
        choices = raw.reshape(shots, width * _WORD_BYTES)
        found = np.repeat(self.base[np.newaxis], shots, axis=0)
        for group, start in enumerate(range(0, self.dimension, _GROUP)):
            sums = _sums(self.basis[start : start + _GROUP])
            found ^= sums[choices[:, group] & np.uint8(len(sums) - 1)]
        return rows_of_words(found, self.num_bits)

    def picked(self, places: Sequence[int | None]) -> AffineSpace:
        """Return the space of some bits of the members, in that order; None is a bit that is 0."""
        if list(places) == list(range(self.num_bits)):
            return self
        base = picked_bits(rows_of_words(self.base[np.newaxis], self.num_bits), places)
        basis = picked_bits(rows_of_words(self.basis, self.num_bits), places)
        return affine_space(base[0], basis)


def affine_space(member: NDArray[np.uint8], spanning: NDArray[np.uint8]) -> AffineSpace:
    """Return the space through a member, in directions that need not be independent.

    Args:
        member: Any one, as bits, shape (num_bits,).
        spanning: Directions as bits, shape (any number, num_bits).
    """
    basis = _reduced(words_of_bits(spanning))
    base = words_of_bits(member[np.newaxis])[0]
    for vector in basis:
        word, bit = _highest_bit(vector)
        if int(base[word]) >> bit & 1:
            base ^= vector
    return AffineSpace(member.size, base, basis)


def _reduced(rows: Words) -> Words:
    """Eliminate by Gauss and Jordan: each row's highest bit in no other, and these ascending."""
    rows = rows[rows.any(axis=1)]
    places = []
    for number, row in enumerate(rows):
        if not row.any():
            continue
        word, bit = _highest_bit(row)
        has_bit = (rows[:, word] >> np.uint64(bit) & np.uint64(1)).astype(np.bool_)
        has_bit[number] = False
        rows[has_bit] ^= row  # earlier rows, too: their highest bits are no bits of this one
        places.append((word, bit, number))
    return rows[[number for _, _, number in sorted(places)]]


def _highest_bit(row: Words) -> tuple[int, int]:
    """Return the word of the highest bit that is 1, and its place in it."""
    word = int(row.nonzero()[0][-1])
    return word, int(row[word]).bit_length() - 1


def _sums(vectors: Words) -> Words:
    """Return the sum of each subset of some vectors; bit k of its number is for vector k."""
    sums = np.zeros((1 << len(vectors), vectors.shape[1]), np.uint64)
    for number, vector in enumerate(vectors):
        size = 1 << number
        np.bitwise_xor(sums[:size], vector, out=sums[size : 2 * size])
    return sums
