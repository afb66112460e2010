"""What all outcomes of a circuit provably have in common: parities of bits, and numbers of ones.

The basis states that a circuit can reach from |0...0> are followed, step by step, as the least
affine space over GF(2) that holds them; beside it, sets of qubits among which ones only hop. An
outcome outside is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit
from ionbox.compiler.moves import Flip, Move, moves

# Basis states as integers, shape (k,), qubit 0 the lowest bit; or as bits, shape (k, num_qubits).
BasisStates: TypeAlias = NDArray[np.uint64] | NDArray[np.uint8]

_LISTED: Final = 16  # dimensions of a space whose members are counted one by one


class Symmetries(msgspec.Struct, frozen=True):
    """What all outcomes have in common.

    Args:
        num_qubits: Of the circuit.
        offset: An outcome that is allowed as far as parities go; bit k is qubit k.
        directions: What added to one, bit by bit, gives another. Each has its highest bit, which
            no other of them has; these bits ascend.
        weights: Sets of qubits, as masks that share none, with the number of ones among them.
    """

    num_qubits: int
    offset: int
    directions: tuple[int, ...]
    weights: tuple[tuple[int, int], ...] = ()

    @property
    def parities(self) -> tuple[tuple[int, int], ...]:
        """Sets of qubits, as masks, with the parity of their ones; no set is a sum of others."""
        pivots = [direction.bit_length() - 1 for direction in self.directions]
        checks = []
        for bit in range(self.num_qubits):
            if bit not in pivots:
                pairs = zip(pivots, self.directions, strict=True)
                mask = 1 << bit | sum(1 << pivot for pivot, d in pairs if d >> bit & 1)
                checks.append((mask, (mask & self.offset).bit_count() % 2))
        return tuple(checks)

    @property
    def num_allowed_states(self) -> int:
        """How many basis states are allowed."""
        dimension = len(self.directions)
        if not self.weights:
            return 1 << dimension
        if dimension <= _LISTED:
            return self._num_listed()
        return self._num_counted()

    def is_allowed(self, basis_states: BasisStates) -> NDArray[np.bool_]:
        """Tell which basis states are allowed.

        Returns:
            Shape (k,).
        """
        allowed = np.ones(len(basis_states), np.bool_)
        for mask, parity in self.parities:
            allowed &= _num_ones(basis_states, mask) % 2 == parity
        for mask, weight in self.weights:
            allowed &= _num_ones(basis_states, mask) == weight
        return allowed

    def _num_listed(self) -> int:
        members = [self.offset]
        for direction in self.directions:
            members += [member ^ direction for member in members]
        return sum(
            all((member & mask).bit_count() == weight for mask, weight in self.weights)
            for member in members
        )

    def _num_counted(self) -> int:
        """Count set after set, and qubit after qubit, by what their ones add to the parities."""
        parities = self.parities
        added = [
            sum((mask >> qubit & 1) << k for k, (mask, _) in enumerate(parities))
            for qubit in range(self.num_qubits)
        ]
        counts = Counter({0: 1})
        rest = (1 << self.num_qubits) - 1
        for mask, weight in self.weights:
            counts = _with_weight(counts, [added[qubit] for qubit in _qubits(mask)], weight)
            rest ^= mask
        for qubit in _qubits(rest):
            counts = _with_any(counts, added[qubit])
        return counts[sum(parity << k for k, (_, parity) in enumerate(parities))]


def conserved(circuit: Circuit) -> Symmetries:
    """Return what all outcomes of a circuit that starts in |0...0> have in common."""
    reached = _Reached(circuit.num_qubits)
    for step in moves(circuit):
        match step:
            case Move():
                reached.move(step)
            case Flip():
                reached.flip(step)
            case _:
                reached.exchange(*step)
    return reached.symmetries()


class _Sum:
    """A set of qubits with a known number of ones."""

    def __init__(self, mask: int, weight: int) -> None:
        self.mask = mask
        self.weight = weight


class _Reached:
    """Which basis states can be reached."""

    def __init__(self, num_qubits: int) -> None:
        self._num_qubits = num_qubits
        self._offset = 0
        self._directions: list[int] = []
        self._sums: dict[int, _Sum] = {q: _Sum(1 << q, 0) for q in range(num_qubits)}

    def move(self, move: Move) -> None:
        """Take each member to all outcomes, and the space to the least that holds them."""
        members, inert = self._split(move.qubits)
        after = []
        moved, gains = 0, set[int]()
        for member in members:
            bits = _picked(member, move.qubits)
            for outcome in move.outcomes[bits]:
                moved |= bits ^ outcome
                gains.add(outcome.bit_count() - bits.bit_count())
                after.append(member ^ _spread(bits ^ outcome, move.qubits))
        if moved:
            self._offset = after[0]
            self._directions = _reduced([*inert, *(member ^ after[0] for member in after[1:])])
            gain = gains.pop() if len(gains) == 1 else None
            self._gain(_picked_qubits(move.qubits, moved), gain)

    def flip(self, flip: Flip) -> None:
        """Let qubits be flipped together, or not."""
        direction = sum(1 << qubit for qubit in flip.qubits)
        self._directions = _reduced([*self._directions, direction])
        self._gain(flip.qubits, 0 if flip.keeps_weight else None)

    def exchange(self, one: int, other: int) -> None:
        """Exchange the states of two qubits."""
        self._offset = _exchanged(self._offset, one, other)
        self._directions = _reduced([_exchanged(d, one, other) for d in self._directions])
        first, second = self._sums.pop(one, None), self._sums.pop(other, None)
        for known in {each for each in (first, second) if each is not None}:
            known.mask = _exchanged(known.mask, one, other)
        self._sums |= {q: known for q, known in ((one, second), (other, first)) if known}

    def symmetries(self) -> Symmetries:
        """Return what is known, but for sets of which every qubit is known by itself."""
        union = 0
        for direction in self._directions:
            union |= direction
        weights = {(known.mask, known.weight) for known in self._sums.values()}
        telling = [each for each in weights if each[0] & union and each[0].bit_count() > 1]
        return Symmetries(
            self._num_qubits, self._offset, tuple(self._directions), tuple(sorted(telling))
        )

    def _split(self, qubits: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return a member for each content of some qubits, and the directions that keep them."""
        mask = sum(1 << qubit for qubit in qubits)
        # In reduced form by these bits first, what is zero on them stands by itself.
        shifted = [(d & mask) << self._num_qubits | d for d in self._directions]
        reduced = [d & (1 << self._num_qubits) - 1 for d in _reduced(shifted)]
        members = [self._offset]
        for direction in reduced:
            if direction & mask:
                members += [member ^ direction for member in members]
        return members, [direction for direction in reduced if not direction & mask]

    def _gain(self, qubits: Iterable[int], gain: int | None) -> None:
        """Join the sets of qubits among which ones move, if their number is still known."""
        sums = {self._sums.get(qubit) for qubit in qubits}
        known = [each for each in sums if each is not None]
        joined = _Sum(sum(each.mask for each in known), sum(each.weight for each in known))
        for qubit in _qubits(joined.mask):
            if gain is None or None in sums:
                del self._sums[qubit]
            else:
                self._sums[qubit] = joined
        joined.weight += gain or 0


def _reduced(vectors: Iterable[int]) -> list[int]:
    """Eliminate by Gauss and Jordan: each one's highest bit in no other, and these ascending."""
    basis: dict[int, int] = {}  # by the length of each
    for vector in vectors:
        rest = vector
        for length in sorted(basis, reverse=True):
            if rest >> (length - 1) & 1:
                rest ^= basis[length]
        if rest:
            top = rest.bit_length()
            for length, other in basis.items():
                if other >> (top - 1) & 1:
                    basis[length] = other ^ rest
            basis[top] = rest
    return [basis[length] for length in sorted(basis)]


def _picked(member: int, qubits: Sequence[int]) -> int:
    return sum((member >> qubit & 1) << k for k, qubit in enumerate(qubits))


def _spread(bits: int, qubits: Sequence[int]) -> int:
    return sum((bits >> k & 1) << qubit for k, qubit in enumerate(qubits))


def _picked_qubits(qubits: Sequence[int], bits: int) -> list[int]:
    return [qubit for k, qubit in enumerate(qubits) if bits >> k & 1]


def _exchanged(mask: int, one: int, other: int) -> int:
    differs = (mask >> one ^ mask >> other) & 1
    return mask ^ (differs << one | differs << other)


def _qubits(mask: int) -> list[int]:
    return [qubit for qubit in range(mask.bit_length()) if mask >> qubit & 1]


def _with_any(counts: Counter[int], added: int) -> Counter[int]:
    after = counts.copy()
    for parities, count in counts.items():
        after[parities ^ added] += count
    return after


def _with_weight(counts: Counter[int], added: Sequence[int], weight: int) -> Counter[int]:
    """Count the ways in which so many of some qubits can be 1."""
    by_weight = [counts, *(Counter[int]() for _ in range(weight))]
    for parities in added:
        for number in reversed(range(weight)):
            for before, count in by_weight[number].items():
                by_weight[number + 1][before ^ parities] += count
    return by_weight[weight]


def _num_ones(basis_states: BasisStates, mask: int) -> NDArray[np.int64]:
    """Count the ones of each basis state among some qubits."""
    total = np.zeros(len(basis_states), np.int64)
    for qubit in _qubits(mask):
        total += (
            basis_states[:, qubit]
            if basis_states.ndim == 2
            else (basis_states >> np.uint64(qubit)).astype(np.uint64) & np.uint64(1)
        ).astype(np.int64)
    return total
