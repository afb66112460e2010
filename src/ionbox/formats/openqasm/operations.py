"""Operations as modifiers see them: on qubits by number, with the global phase as one of them.

A global phase does nothing until something controls it; then it is a `z` with a rotation.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from math import pi
from typing import Final, NamedTuple

import numpy as np

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATES, ROW_BY_NAME
from ionbox.circuits.unitaries import Matrix

# More than IonQ runs; each may be a whole gate definition, so that texts of any size expand to
# no more than this.
MAX_OPERATIONS: Final = 150_000

GPHASE: Final = -1  # stands where a row number stands

_X: Final = ROW_BY_NAME["qis", "x"]
_RY: Final = ROW_BY_NAME["qis", "ry"]
_Z: Final = ROW_BY_NAME["qis", "z"]
_SWAP: Final = ROW_BY_NAME["qis", "swap"]
_PAIRS: Final = tuple(ROW_BY_NAME["qis", name] for name in ("xx", "yy", "zz"))
_ROTATIONS: Final = frozenset(ROW_BY_NAME["qis", name] for name in ("z", "rx", "ry", "rz")).union(
    _PAIRS, [ROW_BY_NAME["native", "zz"]]
)
# Eigenvalues this close to -1 are -1 but for rounding: their angle is pi, never -pi.
_ROUNDING: Final = 1e-9


class Op(NamedTuple):
    """A gate on qubits.

    Args:
        row: A row number of GATES, or GPHASE, which has one param and no qubits.
        params: As the row wants them, defaults filled in.
    """

    row: int
    targets: tuple[int, ...] = ()
    controls: tuple[int, ...] = ()
    params: tuple[float, ...] = ()


class NoSuchGateError(Exception):
    """A modifier that cannot be worked out; the message says why."""


def qis(name: str, *qubits: int, params: Sequence[float] = (), num_controls: int = 0) -> Op:
    """Return an operation of gateset qis; the controls come first among the qubits."""
    row = ROW_BY_NAME["qis", name]
    return Op(row, qubits[num_controls:], qubits[:num_controls], tuple(params))


def gphase(angle: float) -> Op:
    """Return the factor exp(i angle), angle in radians."""
    return Op(GPHASE, params=(angle,))


def moved(ops: Sequence[Op], qubits: Sequence[int]) -> list[Op]:
    """Return the operations with qubit k replaced by qubits[k]."""
    return [
        Op(
            row,
            tuple([qubits[target] for target in targets]),
            tuple([qubits[control] for control in controls]) if controls else (),
            params,
        )
        for row, targets, controls, params in ops
    ]


def controlled(ops: Sequence[Op], controls: Sequence[int], zeros: Sequence[int] = ()) -> list[Op]:
    """Return the operations that act only when all the controls are 1.

    Args:
        zeros: Controls that must be 0 instead.

    Raises:
        NoSuchGateError: If a gate takes no controls.
    """
    if not controls:
        return list(ops)
    flips = [Op(_X, (control,)) for control in zeros]
    return [*flips, *(_controlled(op, tuple(controls)) for op in ops), *flips]


def _controlled(op: Op, controls: tuple[int, ...]) -> Op:
    if op.row == GPHASE:
        return Op(_Z, controls[:1], controls[1:], op.params)
    gate = GATES[op.row]
    if not gate.controllable:
        raise NoSuchGateError(f"{gate.gateset} gate {gate.name} takes no controls")
    return op._replace(controls=controls + op.controls)


def inverse(ops: Sequence[Op]) -> list[Op]:
    """Return what undoes the operations."""
    return [_inverse(op) for op in reversed(ops)]


def _inverse(op: Op) -> Op:
    if op.row == GPHASE:
        return gphase(-op.params[0])
    gate = GATES[op.row]
    name, params = gate.inverse(op.params)
    return op._replace(row=ROW_BY_NAME[gate.gateset, name], params=params)


def power(ops: Sequence[Op], exponent: float) -> list[Op]:
    """Return the principal power: each eigenvalue exp(i t), -pi < t <= pi, becomes exp(i t k).

    Raises:
        NoSuchGateError: If there is no exact form, or it is too long.
    """
    if not ops:
        return []
    shared = ops[0].controls
    if shared and all(op.controls == shared and op.row != GPHASE for op in ops):
        return controlled(power([op._replace(controls=()) for op in ops], exponent), shared)
    if exponent == int(exponent):
        return _whole_power(ops, int(exponent))
    if len(ops) == 1 and ops[0].row in {*_PAIRS, _SWAP}:
        return _power_of_pair(ops[0], exponent)
    targets = {op.targets for op in ops if op.row != GPHASE}
    is_alone = len(targets) <= 1 and all(len(pair) == 1 for pair in targets)
    is_qis = all(op.row == GPHASE or GATES[op.row].gateset == "qis" for op in ops)
    if not (is_alone and is_qis and not any(op.controls for op in ops)):
        raise NoSuchGateError(
            f"pow({exponent:g}) has an exact form only for rotations, fixed gates and what acts "
            "on one qubit of gateset qis"
        )
    return _power_of_one_qubit(ops, next(iter(targets), ()), exponent)


def _whole_power(ops: Sequence[Op], exponent: int) -> list[Op]:
    if len(ops) == 1 and (ops[0].row in _ROTATIONS or ops[0].row == GPHASE):
        return [ops[0]._replace(params=(ops[0].params[0] * exponent,))]
    if len(ops) * abs(exponent) > MAX_OPERATIONS:
        raise NoSuchGateError(
            f"pow({exponent:g}) repeats {len(ops)} operations; at most {MAX_OPERATIONS} may result"
        )
    return list(ops) * exponent if exponent >= 0 else inverse(ops) * -exponent


def _power_of_pair(op: Op, exponent: float) -> list[Op]:
    """Return the power of a gate on two targets."""
    if op.row == _SWAP:  # exp(i pi/4) exp(-i pi/4 (XX + YY + ZZ)), whose terms commute
        parts = [Op(row, op.targets, (), (pi / 2 * exponent,)) for row in _PAIRS]
        return [gphase(pi / 4 * exponent), *parts]
    rotation = math.remainder(op.params[0], 4 * pi)
    if abs(rotation) > 2 * pi - _ROUNDING:  # both eigenvalues are -1
        return [gphase(pi * exponent)]
    return [op._replace(params=(rotation * exponent,))]


def _power_of_one_qubit(ops: Sequence[Op], qubit: tuple[int, ...], exponent: float) -> list[Op]:
    """Return the power through the spectral form of the 2 by 2 matrix."""
    matrix: Matrix = np.eye(2, dtype=np.complex128)
    for op in ops:
        if op.row == GPHASE:
            matrix = cmath.exp(1j * op.params[0]) * matrix
        else:
            matrix = Operation(GATES[op.row], (0,), (), op.params).unitary() @ matrix
    mean = matrix.trace() / 2
    rest = matrix - mean * np.eye(2)  # its eigenvalues are those of the matrix, around their mean
    half = cmath.sqrt(-np.linalg.det(rest))
    if abs(half) < _ROUNDING:
        return [gphase(_angle(mean) * exponent)]
    above, below = (_angle(mean + sign * half) * exponent for sign in (1, -1))
    projector = (np.eye(2) + rest / half) / 2
    result = cmath.exp(1j * above) * projector + cmath.exp(1j * below) * (np.eye(2) - projector)
    return from_matrix(result, qubit)


def _angle(eigenvalue: complex) -> float:
    angle = cmath.phase(eigenvalue)
    return angle + 2 * pi if angle < -pi + _ROUNDING else angle


def from_matrix(matrix: Matrix, qubit: tuple[int, ...]) -> list[Op]:
    """Return a 2 by 2 unitary as z, ry, z and a global phase."""
    (a, b), (c, d) = matrix.tolist()
    rotation = 2 * math.atan2(abs(c), abs(a))
    if abs(c) < _ROUNDING:
        phase, first, last = cmath.phase(a), cmath.phase(d) - cmath.phase(a), 0.0
    elif abs(a) < _ROUNDING:
        phase, first, last = cmath.phase(-b), 0.0, cmath.phase(c) - cmath.phase(-b)
    else:
        phase = cmath.phase(a)
        last = cmath.phase(c) - phase
        # of the two entries that hold it, the larger one is less rounded
        first = cmath.phase(d) - phase - last if abs(a) > abs(c) else cmath.phase(-b) - phase
    return [gphase(phase), *euler(rotation, last, first, qubit)]


def euler(rotation: float, last: float, first: float, qubit: tuple[int, ...]) -> list[Op]:
    """Return z(first), ry(rotation), z(last) as they act, without those that do nothing."""
    if rotation == 0:
        first, last = first + last, 0.0
    parts = [(_Z, first), (_RY, rotation), (_Z, last)]
    return [Op(row, qubit, (), (angle,)) for row, angle in parts if angle != 0]
