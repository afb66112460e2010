"""What a run of interactions on one pair does, with as few of them as it can be done.

Every unitary on two qubits is K1 exp(i (x X@X + y Y@Y + z Z@Z)) K2, K1 and K2 turns of each qubit
by itself: one interaction for each of x, y and z that is no multiple of pi/2. On qubits that are
known to be in |00> one is enough, since any state of two qubits has two Schmidt coefficients.

Source:
    Kraus and Cirac, Optimal creation of entanglement using a two-qubit gate (2001), appendix A.
"""

from __future__ import annotations

from cmath import exp, phase
from collections.abc import Iterator, Sequence
from math import atan2, cos, pi, remainder, sin, sqrt
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.unitaries import Matrix
from ionbox.compiler.turns import (
    AXES,
    TOLERANCE,
    UNTURNED,
    Axis,
    Turn,
    inverse,
    product,
    turn_about,
    turn_of,
    turned,
)

Member: TypeAlias = tuple[tuple[Axis, Axis], float]  # axes of both qubits, and a rotation
Reals: TypeAlias = NDArray[np.float64]

_X: Final = np.array([[0, 1], [1, 0]], np.complex128)
_Y: Final = np.array([[0, -1j], [1j, 0]], np.complex128)
_Z: Final = np.array([[1, 0], [0, -1]], np.complex128)
_ONE: Final = np.eye(4, dtype=np.complex128)
_SWAP: Final = _ONE[[0, 2, 1, 3]]

# A basis in which turns of both qubits are real, and X@X, Y@Y and Z@Z are diagonal.
_MAGIC: Final = np.sqrt(0.5) * np.array(
    [[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]], np.complex128
)
_SIGNS: Final[Reals] = np.array(
    [np.diag(_MAGIC.conj().T @ np.kron(p, p) @ _MAGIC).real for p in (_X, _Y, _Z)]
)
# The real and the imaginary part are diagonal together where a mixture is, unless it hides that two
# eigenvalues differ. Each of their six pairs is hidden by one mixture at most.
_MIXTURES: Final = [(cos(angle), sin(angle)) for angle in (0.1 + k * pi / 7 for k in range(7))]
_EXACT: Final = 1e-11
_NO_TURNS: Final = (UNTURNED, UNTURNED)


class Pair(NamedTuple):
    """What happens to a pair of qubits.

    Args:
        members: Interactions, in order.
        turns: What happens to each of the two after them.
        is_exchanged: Whether their names are exchanged in the end, after the turns.
    """

    members: list[Member]
    turns: tuple[Turn, Turn] = _NO_TURNS
    is_exchanged: bool = False


def unitary_of(members: Sequence[Member]) -> Matrix:
    """Return the matrix of interactions; the first qubit is the higher bit."""
    matrix = _ONE
    for (one, other), rotation in members:
        half = np.kron(_operator(one), _operator(other)) * (-1j * np.sin(rotation / 2))
        matrix = (np.cos(rotation / 2) * _ONE + half) @ matrix
    return matrix


def shortened(members: list[Member], *, may_exchange: bool) -> Pair:
    """Return as few interactions as do the same.

    Args:
        may_exchange: Whether the qubits' names may be exchanged in the end.
    """
    if not members:
        return Pair(members)
    if len(members) == 1:
        return _alone(members[0])
    matrix = unitary_of(members)
    best = Pair(members)
    for is_exchanged in (False, True) if may_exchange else (False,):
        found = synthesized(_SWAP @ matrix if is_exchanged else matrix)
        if len(found.members) < len(best.members):
            best = found._replace(is_exchanged=is_exchanged)
    return best


def _alone(member: Member) -> Pair:
    """Return an interaction, or the turns that it is if it turns by a multiple of pi."""
    axes, rotation = member
    if abs(remainder(rotation, pi)) >= TOLERANCE:
        return Pair([member])
    return Pair([], (turn_about(axes[0], rotation), turn_about(axes[1], rotation)))


def from_ground(members: list[Member]) -> Pair:
    """Return what makes the same of |00>, with one interaction or none."""
    state = unitary_of(members)[:, 0].reshape(2, 2)
    left, (large, small), right = np.linalg.svd(state)
    if small < TOLERANCE:
        return Pair([], (_turn_to(left[:, 0]), _turn_to(right[0])))
    if len(members) == 1:
        return Pair(members)
    if large - small < TOLERANCE:  # any basis will do: this one keeps Clifford circuits Clifford
        left, right = state * sqrt(2), np.eye(2)
    turns = (
        turn_of(left * np.array([1, 1j]))[1],  # which makes up for the -i of the interaction
        turn_of(right.T)[1],
    )
    return Pair([((AXES["X"], AXES["X"]), 2 * atan2(small, large))], turns)


def _turn_to(state: Matrix) -> Turn:
    """Return a turn that takes |0> to a state; of those, one that is as plain as it can be."""
    zero, one = state / exp(1j * phase(state[np.abs(state).argmax()]))
    return turn_of(np.array([[zero, -one.conjugate()], [one, zero.conjugate()]]))[1]


def _operator(axis: Axis) -> Matrix:
    x, y, z = axis
    return np.array([[z, x - 1j * y], [x + 1j * y, -z]], np.complex128)


def synthesized(matrix: Matrix) -> Pair:
    """Write a unitary as interactions, as few as it takes; the first qubit is the higher bit."""
    before, phases, after = _diagonalized(matrix)
    members = list[Member]()
    middle = [UNTURNED, UNTURNED]
    for axis, signs in zip(AXES.values(), _SIGNS, strict=True):
        rotation = -float(signs @ phases) / 2
        halves = round(rotation / pi)
        rotation -= halves * pi
        if abs(rotation) >= TOLERANCE:
            turned_back = [turned(inverse(turn), axis) for turn in before]
            members.append(((turned_back[0], turned_back[1]), rotation))
        if halves % 2:
            middle = [product(turn_about(axis, pi), turn) for turn in middle]
    first, second = (
        product(product(a, m), b) for a, m, b in zip(after, middle, before, strict=True)
    )
    return Pair(members, (first, second))


def _diagonalized(matrix: Matrix) -> tuple[list[Turn], Reals, list[Turn]]:
    """Split a unitary into turns, phases in the magic basis, and turns."""
    matrix = matrix / np.linalg.det(matrix) ** 0.25
    magic = _MAGIC.conj().T @ matrix @ _MAGIC
    for basis in _eigenbases(magic.T @ magic):
        phases = np.angle(np.diag(basis.T @ magic.T @ magic @ basis)) / 2
        left = magic @ basis * np.exp(-1j * phases)
        if np.linalg.det(left.real) < 0:
            phases[0] += pi
            left[:, 0] *= -1
        found = left.real * np.exp(1j * phases) @ basis.T
        if np.abs(found - magic).max() < _EXACT:
            turns = [_factors(_MAGIC @ part @ _MAGIC.conj().T) for part in (basis.T, left.real)]
            return turns[0], phases, turns[1]
    raise AssertionError("no mixture tells all eigenvalues apart")


def _eigenbases(symmetric: Matrix) -> Iterator[Reals]:
    """Yield real rotations that may diagonalize a unitary that is symmetric."""
    for real, imaginary in _MIXTURES:
        basis = np.linalg.eigh(real * symmetric.real + imaginary * symmetric.imag)[1]
        if np.linalg.det(basis) < 0:
            basis[:, 0] *= -1
        yield basis


def _factors(matrix: Matrix) -> list[Turn]:
    """Split a product of turns of two qubits into the two."""
    parts = matrix.reshape(2, 2, 2, 2)
    i, j, k, l = np.unravel_index(int(np.abs(parts).argmax()), parts.shape)  # noqa: E741
    factors = parts[:, j, :, l], parts[i, :, k, :]
    return [turn_of(factor / np.sqrt(abs(np.linalg.det(factor))))[1] for factor in factors]
