"""A circuit as a line of tensors, one a qubit, that errors change but do not enlarge.

An operation on several qubits is split, once, into a chain of tensors, one for each of its qubits
and one for each qubit that it passes. All that are on one qubit are multiplied to the tensor of
that qubit, with the axes (bond to the left, qubit, bond to the right): what operations have between
two neighbours is all there is in the bond between them. A Pauli error acts on one qubit, so it
changes one tensor and no bond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import GATES, ROW_BY_NAME
from ionbox.engines.chain import MATRIX_QUBITS, Tensor, parts
from ionbox.engines.errors import Errors
from ionbox.engines.structure import TOLERANCE, kinds

# Of an operation: bond to the left, qubit after it, qubit before it, bond to the right. None is
# where an error may come.
Step: TypeAlias = Tensor | None

_WORD_LETTERS: Final = 16  # in half a number

_SWAP: Final = ROW_BY_NAME["qis", "swap"]
_PAULIS: Final = np.array(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], np.complex128
)


class Line:
    """Which qubit stands where: each at its own number, until swaps, which cost nothing, move it.

    Args:
        circuit: What is followed.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self.site_of = list(range(circuit.num_qubits))

    def tensors(self) -> Iterator[list[tuple[int, Tensor]]]:
        """Yield the tensors of each operation, with their sites.

        Only of operations on at most `MATRIX_QUBITS` qubits, or of which `parts` are.
        """
        for kind, qubits in kinds(self._circuit):
            if kind.row == _SWAP and not kind.num_controls:
                one, other = qubits
                self.site_of[one], self.site_of[other] = self.site_of[other], self.site_of[one]
                yield []
                continue
            yield [
                placed
                for part in parts(kind) or ()
                for placed in self._placed(part.matrix, [qubits[place] for place in part.places])
            ]

    def _placed(self, matrix: Tensor, qubits: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        sites = [self.site_of[qubit] for qubit in qubits]
        order = tuple(sorted(range(len(sites)), key=sites.__getitem__))
        factors = _split(matrix.tobytes(), order)
        yield sites[order[0]], factors[0]
        for (before, after), factor in zip(pairwise(sorted(sites)), factors[1:], strict=True):
            yield from ((site, _passing(len(factor))) for site in range(before + 1, after))
            yield after, factor


@lru_cache(maxsize=4096)
def _split(data: bytes, order: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Split a matrix into a chain of tensors, exactly.

    Args:
        data: Its entries, complex128; bit k of its index is the k-th qubit.
        order: The numbers of its qubits, from the left.
    """
    width = len(order)
    axes = [axis for place in order for axis in (width - 1 - place, 2 * width - 1 - place)]
    rest = np.frombuffer(data, np.complex128).reshape((2,) * (2 * width)).transpose(axes)
    found, bond = [], 1
    for _ in range(width - 1):
        left, values, right = np.linalg.svd(rest.reshape(4 * bond, -1), full_matrices=False)
        rank = int(np.count_nonzero(values > TOLERANCE * values[0]))
        roots = np.sqrt(values[:rank])
        found.append((left[:, :rank] * roots).reshape(bond, 2, 2, rank))
        rest, bond = roots[:, np.newaxis] * right[:rank], rank
    return (*found, rest.reshape(bond, 2, 2, 1))


@lru_cache(maxsize=64)
def _passing(bond: int) -> Tensor:
    """Return what lets a bond pass a qubit."""
    passing: Tensor = np.einsum("lr,ab->labr", np.eye(bond), np.eye(2, dtype=np.complex128))
    return passing


def entangling(circuit: Circuit, most: int) -> str:
    """Say why a circuit is not served: some bond is larger than this; empty if it is."""
    for place, (kind, _) in enumerate(kinds(circuit)):
        if parts(kind) is None:
            name = GATES[kind.row].name
            return f"circuit[{place}], gate {name}: on more than {MATRIX_QUBITS} qubits"
    sizes = [1] * circuit.num_qubits  # of the bond to the left of each site
    for tensors in Line(circuit).tensors():
        for site, tensor in tensors:
            sizes[site] *= len(tensor)
            if sizes[site] > most:
                return f"more operations cross a place than a bond of {most} can hold"
    return ""


class Slot(NamedTuple):
    """Where an error may come: which of the places for that on a site."""

    site: int
    number: int


class Network:
    """The steps on each site, in time, and the places of errors among them.

    Args:
        circuit: One that `entangling` has nothing to say about.
        channels: Between its operations.
    """

    def __init__(self, circuit: Circuit, channels: Sequence[Channel]) -> None:
        self._steps: list[list[Step]] = [[] for _ in range(circuit.num_qubits)]
        self.bonds = [1] * (circuit.num_qubits + 1)  # to the left of each site, and behind the last
        self.num_slots = [0] * circuit.num_qubits
        self.slots: list[tuple[Slot, ...]] = []  # of each channel, qubit by qubit
        touched: list[list[int]] = []  # sites, by each operation
        line, coming = Line(circuit), deque(channels)
        self.site_of: Sequence[int] = line.site_of
        self._add_slots(coming, 0)
        for done, tensors in enumerate(line.tensors(), 1):
            for site, tensor in tensors:
                self._steps[site].append(tensor)
                self.bonds[site] *= len(tensor)
            touched.append([site for site, _ in tensors])
            self._add_slots(coming, done)
        self.reaches = self._reaches(channels, touched)

    @property
    def num_steps(self) -> list[int]:
        """How many steps each site has, with the places of errors."""
        return [len(steps) for steps in self._steps]

    def _add_slots(self, coming: deque[Channel], done: int) -> None:
        """Add those of the channels that come after so many operations."""
        while coming and coming[0].after == done:
            sites = [self.site_of[qubit] for qubit in coming.popleft().qubits]
            self.slots.append(tuple(Slot(site, self.num_slots[site]) for site in sites))
            for site in sites:
                self._steps[site].append(None)
                self.num_slots[site] += 1

    def _reaches(
        self, channels: Sequence[Channel], touched: Sequence[Sequence[int]]
    ) -> list[NDArray[np.intp]]:
        """Return the leftmost site that an error in each slot of each site has an effect on.

        What lies to the right of that is turned by it, and all that it has an effect on, as a
        whole: summed over all outcomes there, the error makes no difference.
        """
        found = [np.empty(number, np.intp) for number in self.num_slots]
        reach = list(range(len(found)))  # of an error on each site, going back in time
        left = list(zip(channels, self.slots, strict=True))
        for done in range(len(touched), -1, -1):
            while left and left[-1][0].after == done:
                for site, number in left.pop()[1]:
                    found[site][number] = reach[site]
            sites = touched[done - 1] if done else ()
            least = min([reach[site] for site in sites], default=0)
            for site in sites:
                reach[site] = least
        return found

    def tensors(self, site: int, letters: NDArray[np.uint8]) -> Tensor:
        """Return the tensor of a site for each of some patterns of errors.

        Args:
            letters: In each slot: 0 I, 1 X, 2 Y, 3 Z; shape (patterns, slots).

        Returns:
            Axes: pattern, bond to the left, qubit, bond to the right.
        """
        found = np.zeros((len(letters), 1, 2, 1), np.complex128)
        found[:, 0, 0, 0] = 1
        slots = iter(letters.T)
        for step in self._steps[site]:
            found = _hit(found, next(slots)) if step is None else _followed(found, step)
        return found


def _followed(found: Tensor, step: Tensor) -> Tensor:
    """Multiply a step to the tensors of a site; its bonds go behind those that are there."""
    num_patterns, left, _, right = found.shape
    more_left, _, _, more_right = step.shape
    product: Tensor = np.einsum("labr,pLbR->pLlaRr", step, found)
    return product.reshape(num_patterns, left * more_left, 2, right * more_right)


def _hit(found: Tensor, letters: NDArray[np.uint8]) -> Tensor:
    """Apply the Pauli matrix that each pattern has in a slot."""
    (which,) = letters.nonzero()
    if which.size:
        found[which] = np.einsum("pab,plbr->plar", _PAULIS[letters[which]], found[which])
    return found


class SiteErrors(NamedTuple):
    """What happens on a site.

    Args:
        patterns: The letters in its slots, one row for each pattern; the first is without errors.
        of_shots: Which pattern each shot has.
    """

    patterns: NDArray[np.uint8]
    of_shots: NDArray[np.intp]


def errors_by_site(network: Network, errors: Errors, shots: int) -> Iterator[SiteErrors]:
    """Yield what happens on each site, from the right."""
    sites, numbers, which, letters = _letters(network, errors)
    order = np.argsort(sites, kind="stable")
    ends = np.searchsorted(sites[order], np.arange(len(network.num_slots) + 1))
    for site in range(len(network.num_slots) - 1, -1, -1):
        here = order[ends[site] : ends[site + 1]]
        hit, rows = np.unique(errors.shots[which[here]], return_inverse=True)
        table = np.zeros((hit.size + 1, network.num_slots[site]), np.uint8)
        table[rows + 1, numbers[here]] = letters[here]
        patterns, _, ids = distinct_rows(table)
        of_shots = np.zeros(shots, np.intp)
        of_shots[hit] = ids[1:]
        yield SiteErrors(patterns, of_shots)


def distinct_rows(
    table: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of letters that differ, where each is first, and which of them a row is.

    That of only I comes first, if it is there. Numbers are sorted much faster than rows.
    """
    first, ids = np.zeros(1, np.intp), np.zeros(len(table), np.int64)
    for start in range(0, table.shape[1], _WORD_LETTERS):
        letters = table[:, start : start + _WORD_LETTERS].astype(np.int64)
        words = letters @ 4 ** np.arange(letters.shape[1])
        keys = ids * 4**_WORD_LETTERS + words
        _, first, ids = np.unique(keys, return_index=True, return_inverse=True)
    return table[first], first, ids


def _letters(
    network: Network, errors: Errors
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return site, slot, error and letter of every letter but I of all errors."""
    widest = max((len(slots) for slots in network.slots), default=0)
    table = np.full((len(network.slots), widest, 2), -1, np.intp)
    for channel, slots in enumerate(network.slots):
        table[channel, : len(slots)] = slots
    shifts = 2 * np.arange(widest, dtype=np.uint64)
    letters = (errors.paulis[:, np.newaxis] >> shifts & np.uint64(3)).astype(np.uint8)
    which, places = letters.nonzero()
    sites, numbers = table[errors.channels[which], places].T
    return sites, numbers, which, letters[which, places]
