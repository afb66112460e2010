"""Rewriting operations to others that do the same."""

from __future__ import annotations

from collections.abc import Sequence
from math import fmod, pi, tau

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME


def turned_further(operation: Operation, excess: float) -> Sequence[Operation]:
    """Return a native operation that turns too far, as rotations of gateset qis.

    It is the same but for a global phase where nothing is in excess.

    Args:
        operation: Of gateset native.
        excess: By how many radians it turns further, in the direction in which it turns.
    """
    name, params = operation.gate.name, operation.params
    match name:
        case "gpi" | "gpi2":
            rotation = pi if name == "gpi" else pi / 2
            axes, turn = params, _rotation("rx", operation.targets, rotation + excess)
        case "ms":
            axes, turn = params[:2], _rotation("xx", operation.targets, _further(params[2], excess))
        case "zz":
            axes, turn = (), _rotation("zz", operation.targets, _further(params[0], excess))
        case _:
            return ()  # nop
    into = [
        _rotation("rz", (target,), -tau * fmod(axis, 1.0))
        for target, axis in zip(operation.targets, axes, strict=False)
        if axis
    ]
    back = [_rotation("rz", step.targets, -step.params[0]) for step in into]
    return (*into, turn, *back)


def _further(angle: float, excess: float) -> float:
    """Return an angle in turns as a rotation in radians that turns further, whichever way."""
    return tau * fmod(angle, 2.0) + (excess if angle >= 0 else -excess)


def _rotation(name: str, targets: tuple[int, ...], rotation: float) -> Operation:
    return Operation(GATE_BY_NAME["qis", name], targets, (), (rotation,))
