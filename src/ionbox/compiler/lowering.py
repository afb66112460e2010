"""Operations of the gateset qis as interactions, by fixed rules."""

from __future__ import annotations

from functools import lru_cache
from math import pi

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.compiler.controls import add_controlled, add_word
from ionbox.compiler.evolution import steps, words_of
from ionbox.compiler.interactions import Interactions
from ionbox.compiler.turns import AXES, Turn, X, turn_about, turn_of

_WORDS = {"xx": "X", "yy": "Y", "zz": "Z"}
_NOT = pi / 2, turn_about(X, pi)  # its phase and its turn


def add_operation(
    into: Interactions, operation: Operation, precision: float, *, may_relabel: bool
) -> None:
    """Add an operation.

    Args:
        precision: The most by which a pauliexp whose words do not commute may be off.
        may_relabel: Whether a swap may exchange the qubits' names instead of their states.
    """
    name, targets, controls = operation.gate.name, operation.targets, operation.controls
    if name == "pauliexp":
        for letters, rotation in steps(words_of(operation), precision):
            on_axes = [(qubit, AXES[letter]) for qubit, letter in letters]
            add_word(into, controls, on_axes, rotation)
    elif name in _WORDS:
        axis = AXES[_WORDS[name]]
        add_word(into, controls, [(target, axis) for target in targets], operation.params[0])
    elif name == "swap":
        _add_swap(into, operation, may_relabel=may_relabel)
    elif controls:
        add_controlled(into, controls, targets[0], _gate(name, operation.params))
    else:
        into.turn(targets[0], _gate(name, operation.params)[1])


def _add_swap(into: Interactions, operation: Operation, *, may_relabel: bool) -> None:
    one, other = operation.targets
    if operation.controls:
        # Exchanging differs from not if the qubits do: then the other takes the first one's bit.
        add_controlled(into, (other,), one, _NOT)
        add_controlled(into, (*operation.controls, one), other, _NOT)
        add_controlled(into, (other,), one, _NOT)
    elif may_relabel:
        into.exchange(one, other)
    else:
        for axis in AXES.values():
            into.interact((one, other), (axis, axis), pi / 2)


@lru_cache(maxsize=4096)
def _gate(name: str, params: tuple[float, ...]) -> tuple[float, Turn]:
    return turn_of(GATE_BY_NAME["qis", name].unitary(*params))
