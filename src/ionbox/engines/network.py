"""A circuit as a line of tensors, one a qubit, that errors change but do not enlarge.

The tensors of all operations that are on one qubit are multiplied to the tensor of that qubit, with
the axes (bond to the left, qubit, bond to the right): what operations have between two neighbours
is all there is in the bond between them. A Pauli error acts on one qubit, so it changes one tensor
and no bond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel
from ionbox.engines.chain import Tensor
from ionbox.engines.errors import Errors
from ionbox.engines.line import Line

# Of an operation, or None, where an error may come.
Step: TypeAlias = Tensor | None

_WORD_LETTERS: Final = 16  # in half a number

_PAULIS: Final = np.array(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], np.complex128
)


class Slot(NamedTuple):
    """Where an error may come: which of the places for that on a site."""

    site: int
    number: int


class Network:
    """The steps on each site, in time, and the places of errors among them.

    Args:
        line: With the circuit, which is followed.
        channels: Between its operations.
    """

    def __init__(self, line: Line, channels: Sequence[Channel]) -> None:
        num_sites = len(line.site_of)
        self._steps: list[list[Step]] = [[] for _ in range(num_sites)]
        self.bonds = [1] * (num_sites + 1)  # to the left of each site, and behind the last
        self.num_slots = [0] * num_sites
        self.slots: list[tuple[Slot, ...]] = []  # of each channel, qubit by qubit
        touched: list[list[int]] = []  # sites, by each operation
        coming = deque(channels)
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
