"""The qubits of a circuit in a line, and its operations as tensors along it.

An operation on several qubits is split, once and exactly, into a chain of tensors, one for each of
its qubits and one for each qubit that it passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import GATES, ROW_BY_NAME
from ionbox.engines.chain import MATRIX_QUBITS, Tensor, parts
from ionbox.engines.structure import TOLERANCE, kinds

_SWAP: Final = ROW_BY_NAME["qis", "swap"]
_SMALL_BOND: Final = 8  # no better order is looked for


class Line:
    """Which qubit stands where; swaps move qubits, and cost nothing.

    Args:
        circuit: What is followed, once.
        site_of: Where each qubit begins.
    """

    def __init__(self, circuit: Circuit, site_of: Sequence[int]) -> None:
        self.circuit = circuit
        self.site_of = list(site_of)

    def tensors(self) -> Iterator[list[tuple[int, Tensor]]]:
        """Yield the tensors of each operation, with their sites.

        Their axes: bond to the left, qubit after the operation, qubit before it, bond to the right.
        """
        for kind, qubits in kinds(self.circuit):
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


def line_of(circuit: Circuit, most: int) -> Line | str:
    """Return the line of a circuit whose bonds are at most so large, or why there is none."""
    for place, (kind, _) in enumerate(kinds(circuit)):
        if parts(kind) is None:
            name = GATES[kind.row].name
            return f"circuit[{place}], gate {name}: on more than {MATRIX_QUBITS} qubits"
    numbered = range(circuit.num_qubits)
    bonds = _bonds(Line(circuit, numbered), most)
    if bonds and max(bonds) <= _SMALL_BOND:
        return Line(circuit, numbered)
    arranged = _arranged(circuit)
    others = _bonds(Line(circuit, arranged), most)
    if not bonds and not others:
        return f"more operations cross a place than a bond of {most} can hold"
    is_better = not bonds or (others and _work(others) < _work(bonds))
    return Line(circuit, arranged if is_better else numbered)


def _bonds(line: Line, most: int) -> list[int]:
    """Return the size of the bond to the left of each site; none if one is larger than that."""
    sizes = [1] * len(line.site_of)
    for tensors in line.tensors():
        for site, tensor in tensors:
            sizes[site] *= len(tensor)
            if sizes[site] > most:
                return []
    return sizes


def _work(bonds: Sequence[int]) -> int:
    return sum(size**3 for size in bonds)


def _arranged(circuit: Circuit) -> list[int]:
    """Return sites such that few operations cross from the left to the right of each.

    From the left, the next qubit is always the one after which the fewest do; of those that are
    alike, the one that shares most with the qubits before it.
    """
    shared = _shared(circuit)
    crossing = shared.sum(axis=1)  # how many more cross, once a qubit is the next one
    with_left = np.zeros_like(crossing)
    site_of = np.zeros_like(crossing)
    left = np.arange(circuit.num_qubits)
    for site in range(circuit.num_qubits):
        place = np.lexsort((-with_left[left], crossing[left]))[0]
        qubit = left[place]
        site_of[qubit] = site
        left = np.delete(left, place)
        with_left += shared[qubit]
        crossing -= 2 * shared[qubit]
    return [int(site) for site in site_of]


def _shared(circuit: Circuit) -> NDArray[np.int64]:
    """Return how many operations each pair of qubits shares."""
    found = np.zeros((circuit.num_qubits, circuit.num_qubits), np.int64)
    widths = np.diff(circuit.qubit_starts)
    for width in range(2, int(widths.max(initial=0)) + 1):
        starts = circuit.qubit_starts[:-1][widths == width]
        for one, other in permutations(range(width), 2):
            np.add.at(found, (circuit.qubits[starts + one], circuit.qubits[starts + other]), 1)
    return found
