"""Operations of the gateset qis as interactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from math import pi
from typing import NamedTuple

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.compiler.cartan import synthesized
from ionbox.compiler.controls import add_controlled, add_word
from ionbox.compiler.evolution import Group, anticommuting, steps, words_of
from ionbox.compiler.interactions import Interactions
from ionbox.compiler.networks import DEFAULT, MOST_WORDS, Greed, Network, network
from ionbox.compiler.turns import AXES, Turn, X, turn_about, turn_of

_WORDS = {"xx": "X", "yy": "Y", "zz": "Z"}
_NOT = pi / 2, turn_about(X, pi)  # its phase and its turn


class Way(NamedTuple):
    """How operations are written, where there is a choice.

    Args:
        precision: The most by which a pauliexp whose words do not commute may be off.
        may_relabel: Whether qubits may end in other places.
        shares: Whether words of a pauliexp share interactions.
        joins: How those of one pauliexp after the other do; None if they do not.
    """

    precision: float
    may_relabel: bool = False
    shares: bool = False
    joins: Greed | None = None


def add_circuit(into: Interactions, operations: Iterable[Operation], way: Way) -> None:
    """Add operations, as a whole."""
    if way.joins is None:
        for operation in operations:
            add_operation(into, operation, way)
        return
    for is_free, run in groupby(operations, lambda each: bool(each.terms and not each.controls)):
        if is_free:
            _add_groups(into, _joined(run, way.precision), way)
        else:
            add_circuit(into, run, way._replace(joins=None))


def add_operation(into: Interactions, operation: Operation, way: Way) -> None:
    """Add an operation, by fixed rules."""
    name, targets, controls = operation.gate.name, operation.targets, operation.controls
    if name == "pauliexp":
        _add_evolution(into, operation, way)
    elif name in _WORDS:
        axis = AXES[_WORDS[name]]
        add_word(into, controls, [(target, axis) for target in targets], operation.params[0])
    elif name == "swap":
        _add_swap(into, operation, may_relabel=way.may_relabel)
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


def _add_evolution(into: Interactions, operation: Operation, way: Way) -> None:
    """Add a pauliexp: exactly if its words commute, or if it acts on a pair without controls."""
    words = words_of(operation)
    if len(operation.targets) <= 2 and not operation.controls and anticommuting(words).any():
        _add_matrix(into, operation)
    elif way.shares and not operation.controls:
        _add_groups(into, steps(words, way.precision), way)
    else:
        for group in steps(words, way.precision):
            _add_ladders(into, operation.controls, group)


def _add_matrix(into: Interactions, operation: Operation) -> None:
    """Add an operation on one qubit or a pair by its matrix."""
    targets = operation.targets
    matrix = operation.unitary()
    if len(targets) == 1:
        into.turn(targets[0], turn_of(matrix)[1])
        return
    pair = synthesized(matrix)
    for axes, rotation in pair.members:
        into.interact((targets[1], targets[0]), axes, rotation)
    for target, turn in zip(reversed(targets), pair.turns, strict=True):
        into.turn(target, turn)


def _joined(run: Iterable[Operation], precision: float) -> Iterator[Group]:
    """Yield the words of one pauliexp after the other, as many at once as are not too many."""
    joined: Group = ()
    for operation in run:
        for group in steps(words_of(operation), precision):
            if len(joined) + len(group) > MOST_WORDS:
                yield joined
                joined = ()
            joined += group
    yield joined


def _add_groups(into: Interactions, groups: Iterable[Group], way: Way) -> None:
    for group in groups:
        greed = way.joins or DEFAULT
        found = _network(group, greed) if len(group) <= MOST_WORDS else None
        if found is not None:
            found.add_to(into, may_relabel=way.may_relabel)
        else:
            _add_ladders(into, (), group)


def _add_ladders(into: Interactions, controls: Sequence[int], group: Group) -> None:
    for letters, rotation in group:
        on_axes = [(qubit, AXES[letter]) for qubit, letter in letters]
        add_word(into, controls, on_axes, rotation)


@lru_cache(maxsize=16)
def _network(group: Group, greed: Greed) -> Network | None:
    """Remember the last networks: steps of an evolution are alike."""
    return network(group, greed)


@lru_cache(maxsize=4096)
def _gate(name: str, params: tuple[float, ...]) -> tuple[float, Turn]:
    return turn_of(GATE_BY_NAME["qis", name].unitary(*params))
