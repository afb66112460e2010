"""Operations that undo each other, before anything is written out.

Two Toffoli gates are nothing, but what they are written out to meets at its ends only.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import tau
from typing import TypeAlias

from ionbox.circuits.circuit import Operation

# What two operations have in common if they are equal, whatever the order of their controls.
_Key: TypeAlias = tuple[str, tuple[int, ...], frozenset[int], tuple[float, ...], tuple[str, ...]]


def cancelled(operations: Iterable[Operation]) -> list[Operation]:
    """Leave out operations and their inverses, as long as one comes right after the other."""
    kept: list[Operation | None] = []
    last: dict[int, list[int]] = {}  # by qubit, what is kept
    for operation in operations:
        qubits = (*operation.targets, *operation.controls)
        before = {last[qubit][-1] if last.get(qubit) else -1 for qubit in qubits}
        place = before.pop()
        previous = kept[place] if not before and place >= 0 else None
        if previous is not None and _key(previous) == _key(operation, is_inverted=True):
            kept[place] = None
            for qubit in qubits:
                last[qubit].pop()
            continue
        for qubit in qubits:
            last.setdefault(qubit, []).append(len(kept))
        kept.append(operation)
    return [operation for operation in kept if operation is not None]


def _key(operation: Operation, *, is_inverted: bool = False) -> _Key:
    """Return the key of an operation, or of what undoes it."""
    name, params = operation.gate.name, operation.params
    if is_inverted:
        name, params = operation.gate.inverse(params)
    if name == "z":  # whose half a turn is its own inverse
        params = (params[0] % tau,)
    name = "x" if name == "cnot" else name
    return name, operation.targets, frozenset(operation.controls), params, operation.terms
