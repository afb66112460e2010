"""Circuits as the kernel reads them: every operation a matrix, or a phase by parity."""

from __future__ import annotations

import cmath
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from math import pi
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES
from ionbox.engines.pauli_words import Method, method_for, pauliexp_words

# A pauliexp on so many targets is a matrix; on more, its words must commute.
MATRIX_TARGETS: Final = 2

Entries: TypeAlias = NDArray[np.complex128]


class Packed(NamedTuple):
    """The arguments of the kernel's `evolve` that follow the state."""

    qubits: NDArray[np.int32]
    qubit_starts: NDArray[np.int32]
    num_targets: NDArray[np.int32]
    entries: Entries
    entry_starts: NDArray[np.int32]


class _Step(NamedTuple):
    targets: tuple[int, ...]
    controls: tuple[int, ...]
    entries: Entries


def is_packable(circuit: Circuit) -> bool:
    """Tell whether the kernel can run all operations."""
    if not circuit.paulis.size:
        return True
    return all(
        len(operation.targets) <= MATRIX_TARGETS
        or method_for(pauliexp_words(operation), len(operation.targets)) is Method.ROTATIONS
        for operation in circuit.operations()
        if operation.terms
    )


def pack(circuit: Circuit) -> Packed:
    """Return the arrays of a circuit that is packable."""
    if circuit.paulis.size:
        return _pack_steps([step for each in circuit.operations() for step in _steps(each)])
    params = circuit.params.tolist()
    slices = pairwise(circuit.param_starts.tolist())
    entries = [
        _entries(row, *params[start:end])
        for row, (start, end) in zip(circuit.gates.tolist(), slices, strict=True)
    ]
    return Packed(
        circuit.qubits,
        circuit.qubit_starts,
        circuit.num_targets,
        *_joined(entries),
    )


@lru_cache(maxsize=4096)
def _entries(row: int, *params: float) -> Entries:
    return GATES[row].unitary(*params).reshape(-1)


def _joined(entries: list[Entries]) -> tuple[Entries, NDArray[np.int32]]:
    """Return all entries in one array, and where each operation's start."""
    starts = _starts(entry.size for entry in entries)
    return np.concatenate(entries) if entries else np.zeros(0, np.complex128), starts


def _starts(sizes: Iterator[int]) -> NDArray[np.int32]:
    return np.fromiter(accumulate(sizes, initial=0), np.int32)


def _pack_steps(steps: list[_Step]) -> Packed:
    qubits = [qubit for step in steps for qubit in (*step.targets, *step.controls)]
    widths = (len(step.targets) + len(step.controls) for step in steps)
    return Packed(
        np.array(qubits, np.int32),
        _starts(widths),
        np.array([len(step.targets) for step in steps], np.int32),
        *_joined([step.entries for step in steps]),
    )


def _steps(operation: Operation) -> Iterator[_Step]:
    """Yield the matrix of an operation, or what rotates by each word of a pauliexp."""
    targets, controls = operation.targets, operation.controls
    if operation.terms and len(targets) > MATRIX_TARGETS:
        *coefficients, time = operation.params
        for term, coefficient in zip(operation.terms, coefficients, strict=True):
            yield from _word_steps(term, time * coefficient, targets, controls)
    else:
        terms = {"terms": operation.terms} if operation.terms else {}
        matrix = operation.gate.unitary(*operation.params, **terms)
        yield _Step(targets, controls, matrix.reshape(-1))


_H = GATE_BY_NAME["qis", "h"].unitary().reshape(-1)
_RX = GATE_BY_NAME["qis", "rx"]
# By letter P: B and its inverse, so that inverse Z B = P.
_CHANGES: Final = {
    "X": (_H, _H),
    "Y": (_RX.unitary(pi / 2).reshape(-1), _RX.unitary(-pi / 2).reshape(-1)),
}


def _word_steps(
    term: str, angle: float, targets: tuple[int, ...], controls: tuple[int, ...]
) -> Iterator[_Step]:
    """Yield exp(-i angle P): turn every letter into Z, multiply by the parity's phase, turn back.

    The turns need no controls: where nothing is multiplied, they undo each other.
    """
    letters = [
        (letter, qubit)
        for letter, qubit in zip(reversed(term), targets, strict=True)
        if letter != "I"
    ]
    turned = [(*_CHANGES[letter], qubit) for letter, qubit in letters if letter != "Z"]
    for change, _, qubit in turned:
        yield _Step((qubit,), (), change)
    phases = np.array([cmath.exp(-1j * angle), cmath.exp(1j * angle)])
    yield _Step(tuple(qubit for _, qubit in letters), controls, phases)
    for _, inverse, qubit in turned:
        yield _Step((qubit,), (), inverse)
