"""Gates with any number of controls, and rotations about Pauli words, as interactions.

All is built from one thing, the controlled rotation. One with a single control is an interaction,
and one with more is two halves of it that a flip of the target, controlled by the other controls,
makes add up or cancel. A flip may also change phases that depend on the controls and on the side of
the target's axis: they are undone when it is. So a Toffoli gate takes 5 interactions, and a gate
with m controls about m**1.8, without any further qubit.

Source:
    Barenco et al., Elementary gates for quantum computation (1995), lemmas 5.1 and 7.9; flips up to
    phases: Maslov, Advantages of using relative-phase Toffoli gates (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import pi, remainder, tau
from typing import NamedTuple, TypeAlias

from ionbox.compiler.interactions import Interactions
from ionbox.compiler.turns import (
    TOLERANCE,
    Axis,
    Turn,
    Z,
    cross,
    orthogonal,
    rotation_of,
    turn_about,
)

Qubits: TypeAlias = Sequence[int]
Letters: TypeAlias = Sequence[tuple[int, Axis]]  # of a Pauli word: qubits, and the axes on them


class Split(NamedTuple):
    """How many interactions something takes, and how many controls go to its first part."""

    num_interactions: int
    first: int


@lru_cache(maxsize=256)
def _split_rotation(num_controls: int) -> Split:
    if num_controls < 2:
        return Split(num_controls, num_controls)
    return min(
        Split(
            2 * _split_rotation(first).num_interactions
            + 2 * _split_flip(num_controls - first).num_interactions,
            first,
        )
        for first in range(1, num_controls)
    )


@lru_cache(maxsize=256)
def _split_flip(num_controls: int) -> Split:
    if num_controls < 2:
        return Split(num_controls, num_controls)
    return min(
        Split(
            2 * _split_rotation(first).num_interactions
            + _split_rotation(num_controls - first).num_interactions,
            first,
        )
        for first in range(1, num_controls)
    )


def add_rotation(
    into: Interactions, controls: Qubits, turned: tuple[int, Axis], rotation: float
) -> None:
    """Add exp(-i rotation/2 axis) on a qubit where all controls are 1.

    Args:
        turned: The qubit, and the axis.
        rotation: Radians; 2 pi is a phase of -1 that the controls see.
    """
    qubit, axis = turned
    if not controls:
        into.turn(qubit, turn_about(axis, rotation))
    elif len(controls) == 1:
        into.turn(qubit, turn_about(axis, rotation / 2))
        into.interact((controls[0], qubit), (Z, axis), -rotation / 2)
    else:
        first = _split_rotation(len(controls)).first
        flip = orthogonal(axis)
        for half, way in ((rotation / 2, pi), (-rotation / 2, -pi)):
            add_rotation(into, controls[:first], turned, half)
            _add_flip(into, controls[first:], (qubit, axis, flip), way)


def _add_flip(
    into: Interactions, controls: Qubits, flipped: tuple[int, Axis, Axis], way: float
) -> None:
    """Add what takes an axis to its opposite if all controls are 1, and keeps it if not.

    Args:
        flipped: The qubit, that axis, and one at a right angle to turn about.
        way: pi, or -pi for the inverse.
    """
    qubit, axis, flip = flipped
    if len(controls) == 1:
        add_rotation(into, controls, (qubit, flip), way)
        return
    # Unless the first controls are 1, the other axis takes the place of the one turned about.
    first = _split_flip(len(controls)).first
    outer, inner = controls[:first], controls[first:]
    other = cross(axis, flip)
    into.turn(qubit, turn_about(other, pi / 2))
    add_rotation(into, outer, (qubit, other), -pi / 2)
    add_rotation(into, inner, (qubit, flip), way)
    add_rotation(into, outer, (qubit, other), pi / 2)
    into.turn(qubit, turn_about(other, -pi / 2))


def add_phase(into: Interactions, qubits: Qubits, phase: float) -> None:
    """Add a factor of exp(i phase) where all qubits are 1; without qubits nobody can see it."""
    if not qubits or abs(remainder(phase, tau)) < TOLERANCE:
        return
    *controls, target = qubits
    add_rotation(into, controls, (target, Z), phase)
    add_phase(into, controls, phase / 2)


def add_controlled(
    into: Interactions, controls: Qubits, qubit: int, gate: tuple[float, Turn]
) -> None:
    """Add a gate on one qubit, with controls.

    Args:
        gate: Its phase in radians, and its turn.
    """
    phase, turn = gate
    axis, rotation = rotation_of(turn)
    if abs(abs(remainder(phase, tau)) - pi) < TOLERANCE:  # -1, which turning by 2 pi more gives
        phase, rotation = 0.0, rotation - tau
    if abs(rotation) >= TOLERANCE:
        add_rotation(into, controls, (qubit, axis), rotation)
    add_phase(into, controls, phase)


def add_word(into: Interactions, controls: Qubits, letters: Letters, rotation: float) -> None:
    """Add exp(-i rotation/2 W), W a product of axes of different qubits, with controls.

    A longer word is made shorter by exp(-i pi/4 A@Q), which takes R to A@B if Q, R and B are at
    right angles: a word of w letters takes 2 w - 3 interactions.
    """
    if not letters:
        add_phase(into, controls, -rotation / 2)
    elif len(letters) == 1:
        add_rotation(into, controls, letters[0], rotation)
    elif len(letters) == 2 and not controls:
        (one, one_axis), (other, other_axis) = letters
        into.interact((one, other), (one_axis, other_axis), rotation)
    else:
        (one, one_axis), (other, other_axis), *rest = letters
        left = orthogonal(other_axis)
        pair = (one, other), (one_axis, cross(left, other_axis))
        into.interact(*pair, -pi / 2)
        add_word(into, controls, [(other, left), *rest], rotation)
        into.interact(*pair, pi / 2)
