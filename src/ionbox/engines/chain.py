"""Matrix product states: qubits in a chain of tensors, small where little is entangled.

Tensors have the axes (bond to the left, qubit, bond to the right) and are right-orthonormal: summed
over the qubit and the right bond, each times its conjugate is the identity on the left bond. The
singular values of each bond are kept beside them, so that a bond can be cut with the least error.

Source:
    Vidal, Phys. Rev. Lett. 91, 147902 (2003); Hastings, J. Math. Phys. 50, 095207 (2009), for the
    update without division.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import pi
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.unitaries import Matrix
from ionbox.engines.pauli_words import Method, method_for, pauliexp_words
from ionbox.engines.structure import TOLERANCE, Kind

# Of the norm, what a cut may leave out: rounding, not approximation. Singular values that are there
# by rounding only have weights of 1e-32.
_LEFT_OUT: Final = 1e-20

# An operation on so many qubits is one matrix.
MATRIX_QUBITS: Final = 4

Tensor = NDArray[np.complex128]


class Part(NamedTuple):
    """A matrix that is a factor of an operation.

    Args:
        matrix: Bit k of its index is the k-th of the places.
        places: Among the qubits of the operation.
    """

    matrix: Matrix
    places: tuple[int, ...]


@lru_cache(maxsize=4096)
def parts(kind: Kind) -> tuple[Part, ...] | None:
    """Return the factors of an operation on few qubits each, the first one first; None if none."""
    num_qubits = kind.num_targets + kind.num_controls
    if num_qubits <= MATRIX_QUBITS:
        return (Part(kind.operation().unitary(), tuple(range(num_qubits))),)
    if not kind.terms or kind.num_controls:
        return None
    words = pauliexp_words(kind.operation())
    if method_for(words, kind.num_targets) is not Method.ROTATIONS:
        return None
    pairs = zip(kind.terms, words, strict=True)
    return tuple(part for term, word in pairs for part in _word_parts(term, word.factor))


_H: Final = GATE_BY_NAME["qis", "h"].unitary()
_RX: Final = GATE_BY_NAME["qis", "rx"].unitary
_CNOT: Final = np.eye(4, dtype=np.complex128)[[0, 3, 2, 1]]  # the control is the lowest bit
# By letter P: B and its inverse, so that inverse Z B = P.
_CHANGES: Final = {"X": (_H, _H), "Y": (_RX(pi / 2), _RX(-pi / 2))}


def _word_parts(term: str, angle: float) -> Iterator[Part]:
    """Yield exp(-i angle P): turn letters into Z, add up the parity, turn its phase, go back."""
    letters = [(letter, place) for place, letter in enumerate(reversed(term)) if letter != "I"]
    if not letters:
        return
    turned = [(*_CHANGES[letter], place) for letter, place in letters if letter != "Z"]
    steps = [Part(_CNOT, pair) for pair in pairwise([place for _, place in letters])]
    for change, _, place in turned:
        yield Part(change, (place,))
    yield from steps
    yield Part(np.diag(np.exp([-1j * angle, 1j * angle])), (letters[-1][1],))
    yield from reversed(steps)
    for _, inverse, place in turned:
        yield Part(inverse, (place,))


class Order:
    """Which qubit stands where in the chain; operations bring theirs together.

    Args:
        num_qubits: At first each stands at its own number.
    """

    def __init__(self, num_qubits: int) -> None:
        self.qubit_at = list(range(num_qubits))
        self._site_of = list(range(num_qubits))

    def gather(self, qubits: Sequence[int]) -> Iterator[int]:
        """Yield the sites that must change places with the next one, so that these are neighbours.

        The leftmost stays, the others come to it in the order in which they stand.
        """
        first, *others = sorted(self._site_of[qubit] for qubit in qubits)
        for target, site in enumerate(others, first + 1):
            for place in range(site - 1, target - 1, -1):
                self._exchange(place)
                yield place

    def _exchange(self, site: int) -> None:
        one, other = self.qubit_at[site : site + 2]
        self.qubit_at[site : site + 2] = other, one
        self._site_of[one], self._site_of[other] = site + 1, site

    def first_site(self, qubits: Sequence[int]) -> int:
        """Return the leftmost site of some qubits."""
        return min(self._site_of[qubit] for qubit in qubits)

    def sites(self, qubits: Sequence[int]) -> list[int]:
        """Return where each of some qubits stands."""
        return [self._site_of[qubit] for qubit in qubits]


class Bonds:
    """Bounds on the bonds of a chain, as logarithms to base 2, and what the work on them costs.

    An operation multiplies a bond that it crosses by its own rank at most, and a bond is at most
    twice the next one.

    Args:
        num_qubits: All in |0>, so that all bonds are 1.
    """

    def __init__(self, num_qubits: int) -> None:
        self.bits = [0] * (num_qubits + 1)
        self.largest = 0
        self.num_cuts = 0
        self.products = 0.0  # of rows, columns and the fewer of them, over all cuts
        self._order = Order(num_qubits)

    def apply(self, part: Part, qubits: Sequence[int]) -> None:
        """Follow a part of an operation on these qubits."""
        if len(qubits) == 1:
            return
        for site in self._order.gather(qubits):
            self._cut(site, 2, 2)
        added = _schmidt_bits(part.matrix.tobytes()) if len(qubits) == 2 else len(self.bits)
        self._cut(self._order.first_site(qubits), len(qubits), added)

    def _cut(self, first: int, width: int, added: int) -> None:
        """Follow what the chain does: cut a product of tensors from the right."""
        bits = self.bits
        for site in range(first + width - 1, first, -1):
            rows, columns = bits[first] + site - first, bits[site + 1] + 1
            self.num_cuts += 1
            self.products += 2.0 ** (rows + columns + min(rows, columns))
            bits[site] = min(bits[site] + added, rows, columns)
            self.largest = max(self.largest, bits[site])


@lru_cache(maxsize=4096)
def _schmidt_bits(data: bytes) -> int:
    """Return how much a matrix on two qubits can add to the logarithm of the bond between them.

    Args:
        data: Its entries, complex128.
    """
    matrix = np.frombuffer(data, np.complex128).reshape(2, 2, 2, 2)
    values = np.linalg.svd(matrix.transpose(0, 2, 1, 3).reshape(4, 4), compute_uv=False)
    rank = int(np.count_nonzero(values > TOLERANCE * values[0]))
    return (rank - 1).bit_length()


class Chain:
    """A matrix product state, and the operations on it.

    Args:
        num_qubits: All in |0>.
    """

    def __init__(self, num_qubits: int) -> None:
        zero = np.array([1, 0], np.complex128).reshape(1, 2, 1)
        self.order = Order(num_qubits)
        self._tensors: list[Tensor] = [zero] * num_qubits
        self._values = [np.ones(1)] * num_qubits  # of the bond to the left of each site

    def apply(self, part: Part, qubits: Sequence[int]) -> None:
        """Apply a part of an operation on these qubits."""
        if len(qubits) == 1:
            (site,) = self.order.sites(qubits)
            self._tensors[site] = np.einsum("ab,lbr->lar", part.matrix, self._tensors[site])
            return
        for site in self.order.gather(qubits):
            self._set(site, self._merged(site, 2).transpose(0, 2, 1, 3))
        first = self.order.first_site(qubits)
        places = [site - first for site in self.order.sites(qubits)]
        self._set(first, _product(part.matrix, self._merged(first, len(qubits)), places))

    def _merged(self, first: int, width: int) -> Tensor:
        """Return the product of neighbouring tensors: bond, qubit, qubit, ..., bond."""
        merged = self._tensors[first]
        for tensor in self._tensors[first + 1 : first + width]:
            merged = np.tensordot(merged, tensor, axes=1)
        return merged

    def _set(self, first: int, merged: Tensor) -> None:
        """Cut a product back into tensors, from the right, and note the singular values."""
        values = self._values[first]
        for site in range(first + merged.ndim - 3, first, -1):
            *rest, _, right = merged.shape
            rows = merged.reshape(-1, 2 * right)
            weighted = merged.reshape(len(values), -1) * values[:, np.newaxis]
            _, found, vectors = np.linalg.svd(weighted.reshape(rows.shape), full_matrices=False)
            size = _kept(found)
            kept = vectors[:size]
            self._tensors[site] = kept.reshape(size, 2, right)
            self._values[site] = found[:size] / np.linalg.norm(found[:size])
            merged = (rows @ kept.conj().T).reshape(*rest, size)
        self._tensors[first] = merged

    def sample(self, uniforms: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Measure all qubits, from the left: each given what the ones before it gave.

        Args:
            uniforms: In [0, 1), shape (shots, num_qubits); the one of each site decides it.

        Returns:
            Bits, shape (shots, num_qubits), by qubit.
        """
        shots = len(uniforms)
        found = np.empty(uniforms.shape, np.uint8)
        states = np.ones((shots, 1), np.complex128)
        for site, tensor in enumerate(self._tensors):
            branches = np.tensordot(states, tensor, axes=1)
            weights = np.square(np.abs(branches)).sum(axis=2)
            bits = uniforms[:, site] * weights.sum(axis=1) >= weights[:, 0]
            found[:, self.order.qubit_at[site]] = bits
            chosen = bits.astype(np.intp)
            norms = np.sqrt(np.take_along_axis(weights, chosen[:, np.newaxis], axis=1))
            states = branches[np.arange(shots), chosen] / norms
        return found


def _product(matrix: Matrix, merged: Tensor, places: Sequence[int]) -> Tensor:
    """Apply a matrix to the qubits at some places of a product of tensors."""
    width = len(places)
    axes = [1 + place for place in reversed(places)]  # as in the matrix: the highest bit first
    tensor = matrix.reshape((2,) * (2 * width))
    changed = np.tensordot(tensor, merged, axes=(list(range(width, 2 * width)), axes))
    return np.moveaxis(changed, list(range(width)), axes)


def _kept(values: NDArray[np.float64]) -> int:
    """Return how many singular values, descending, a bond keeps."""
    weights = np.square(values)
    tails = np.cumsum(weights[::-1])[::-1]  # what would be left out from each on
    return max(1, int(np.count_nonzero(tails > _LEFT_OUT * tails[0])))
