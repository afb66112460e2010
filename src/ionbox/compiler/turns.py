"""What a unitary on one qubit does, as a unit quaternion, and the axes that it turns.

A turn (w, x, y, z) stands for w - i (x X + y Y + z Z); its sign is a global phase, which it keeps.
An axis (x, y, z) stands for the operator x X + y Y + z Z. Plain floats: on so few numbers they are
several times faster than arrays.
"""

from __future__ import annotations

import cmath
from math import atan2, cos, hypot, sin, tau
from typing import Final, TypeAlias

from ionbox.circuits.unitaries import Matrix

Turn: TypeAlias = tuple[float, float, float, float]
Axis: TypeAlias = tuple[float, float, float]

UNTURNED: Final[Turn] = (1.0, 0.0, 0.0, 0.0)
X: Final[Axis] = (1.0, 0.0, 0.0)
Y: Final[Axis] = (0.0, 1.0, 0.0)
Z: Final[Axis] = (0.0, 0.0, 1.0)
AXES: Final = {"X": X, "Y": Y, "Z": Z}

# What is nearer to a pole, the equator or another axis than this is taken to be on it.
TOLERANCE: Final = 1e-10


def turn_about(axis: Axis, rotation: float) -> Turn:
    """Return exp(-i rotation/2 axis), rotation in radians."""
    half = sin(rotation / 2)
    return cos(rotation / 2), half * axis[0], half * axis[1], half * axis[2]


def turn_of(unitary: Matrix) -> tuple[float, Turn]:
    """Split a unitary on one qubit into exp(i phase), phase in radians, and a turn."""
    (a, b), (c, d) = unitary.tolist()
    phase = cmath.phase(a * d - b * c) / 2
    back = cmath.exp(-1j * phase)
    diagonal, below = a * back, c * back
    return phase, (diagonal.real, -below.imag, below.real, -diagonal.imag)


def product(second: Turn, first: Turn) -> Turn:
    """Return the turn that does the first, then the second."""
    a, b, c, d = second
    w, x, y, z = first
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


def inverse(turn: Turn) -> Turn:
    """Return what undoes a turn."""
    w, x, y, z = turn
    return w, -x, -y, -z


def normalized(turn: Turn) -> Turn:
    """Return a turn without the rounding of many products."""
    w, x, y, z = turn
    length = hypot(w, x, y, z)
    return w / length, x / length, y / length, z / length


def turned(turn: Turn, axis: Axis) -> Axis:
    """Return U axis U^-1, U the unitary of the turn."""
    w, x, y, z = turn
    a, b, c = axis
    # v + 2 w (u x v) + 2 u x (u x v), of the vector part u
    p, q, r = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return (
        a + w * p + y * r - z * q,
        b + w * q + z * p - x * r,
        c + w * r + x * q - y * p,
    )


def rotation_of(turn: Turn) -> tuple[Axis, float]:
    """Return a turn as an axis and a rotation in radians, from 0 to 2 pi."""
    w, x, y, z = turn
    length = hypot(x, y, z)
    if length < TOLERANCE:
        return Z, 0.0 if w > 0 else tau
    return (x / length, y / length, z / length), 2 * atan2(length, w)


def cross(one: Axis, other: Axis) -> Axis:
    """Return the axis that is orthogonal to two."""
    a, b, c = one
    x, y, z = other
    return b * z - c * y, c * x - a * z, a * y - b * x


def overlap(one: Axis, other: Axis) -> float:
    """Return the cosine of the angle between two axes."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def orthogonal(axis: Axis) -> Axis:
    """Return some axis at a right angle to another: X for Z, Y for X, Z for Y."""
    x, y, z = axis
    for candidate in (X, Y, Z):
        along = overlap(candidate, axis)
        if abs(along) < 0.6:
            rest = (candidate[0] - along * x, candidate[1] - along * y, candidate[2] - along * z)
            length = hypot(*rest)
            return rest[0] / length, rest[1] / length, rest[2] / length
    raise AssertionError("an axis is not of length 1")
