"""Clifford operations: those that make Pauli words of Pauli words, and how stim writes them.

An operation is recognised by its matrix, whatever its name: rx by a quarter turn is one, and so is
a native ms at phases of quarter turns.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import product
from math import pi
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import GATES
from ionbox.circuits.unitaries import Matrix
from ionbox.engines.pauli_words import Method, method_for, pauliexp_words
from ionbox.engines.structure import TOLERANCE, Kind, kinds

if TYPE_CHECKING:
    import stim

# What becomes of X and Z on each qubit, X0 Z0 X1 Z1, as stim prints words: "+X_" is X on qubit 0.
Images: TypeAlias = tuple[str, ...]

_MATRIX_QUBITS: Final = 2
_LETTERS: Final = "_XYZ"
_PAULIS: Final = (
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.array([[0, -1j], [1j, 0]]),
    np.diag([1, -1]),
)


def first_other(circuit: Circuit) -> str:
    """Name the first operation that is no Clifford operation; empty if there is none."""
    for place, (kind, _) in enumerate(kinds(circuit)):
        if not is_clifford(kind):
            return f"circuit[{place}], gate {GATES[kind.row].name}"
    return ""


@lru_cache(maxsize=4096)
def is_clifford(kind: Kind) -> bool:
    """Tell whether operations of that kind make Pauli words of Pauli words."""
    if kind.num_targets + kind.num_controls <= _MATRIX_QUBITS:
        return images(kind.operation().unitary()) is not None
    return quarter_turns(kind) is not None


def images(unitary: Matrix) -> Images | None:
    """Return what a unitary makes of each X and Z; None if it is not always a Pauli word.

    Args:
        unitary: Over one or two qubits, the first one the lowest bit.
    """
    num_qubits = len(unitary).bit_length() - 1
    words = _pauli_words(num_qubits)
    names = list(words)
    basis = np.array([words[name].T.reshape(-1) for name in names]) / len(unitary)
    found = []
    for name in _generators(num_qubits):
        image = unitary @ words[name] @ unitary.conj().T
        parts = (basis @ image.reshape(-1)).real
        largest = int(np.abs(parts).argmax())
        if np.abs(np.delete(parts, largest)).max() > TOLERANCE:
            return None
        found.append(("+" if parts[largest] > 0 else "-") + names[largest])
    return tuple(found)


@cache
def _pauli_words(num_qubits: int) -> dict[str, Matrix]:
    """Return the matrix of each word; the first letter is on qubit 0, the lowest bit."""
    words = {"": np.eye(1, dtype=np.complex128)}
    for _ in range(num_qubits):
        words = {
            word + letter: np.kron(pauli, matrix)
            for (word, matrix), (letter, pauli) in product(
                words.items(), zip(_LETTERS, _PAULIS, strict=True)
            )
        }
    return words


def _generators(num_qubits: int) -> list[str]:
    return [
        "_" * qubit + letter + "_" * (num_qubits - 1 - qubit)
        for qubit in range(num_qubits)
        for letter in "XZ"
    ]


def quarter_turns(kind: Kind) -> tuple[tuple[str, int], ...] | None:
    """Return the words of a pauliexp on many qubits, and how many times pi/4 each has, modulo 4.

    They must commute: exp of the sum is then the product of what each of them does.

    Returns:
        None if they do not, if those are no numbers, and of any other operation.
    """
    is_narrow = kind.num_targets + kind.num_controls <= _MATRIX_QUBITS
    if not kind.terms or kind.num_controls or is_narrow:
        return None
    words = pauliexp_words(kind.operation())
    turns = [word.factor * 4 / pi for word in words]
    is_whole = all(abs(turn - round(turn)) < TOLERANCE * max(1, abs(turn)) for turn in turns)
    if not is_whole or method_for(words, kind.num_targets) is not Method.ROTATIONS:
        return None
    return tuple((term, round(turn) % 4) for term, turn in zip(kind.terms, turns, strict=True))


# --- text for stim ---------------------------------------------------------------------------


def stim_text(circuit: Circuit) -> str:
    """Write a circuit of Clifford operations for stim, up to its global phase.

    As text, because stim parses a line 700 times as fast as it appends an operation.
    """
    lines = [_template(kind).format(*qubits) for kind, qubits in kinds(circuit)]
    return "\n".join(lines)


@lru_cache(maxsize=4096)
def _template(kind: Kind) -> str:
    """Return lines for operations of a kind, with {0} where the first qubit belongs."""
    if kind.num_targets + kind.num_controls <= _MATRIX_QUBITS:
        found = images(kind.operation().unitary())
        assert found is not None  # noqa: S101 - `first_other` told others
        return _names().get(found) or _decomposed(found)
    return "\n".join(
        f"SPP {_product(term)}"
        for term, turns in quarter_turns(kind) or ()
        for _ in range(turns)
        if term.strip("I")
    )


def _product(term: str) -> str:
    """Write a word whose last letter is on the first target; SPP turns by pi/4 about it."""
    letters = [
        f"{letter}{{{place}}}" for place, letter in enumerate(reversed(term)) if letter != "I"
    ]
    return "*".join(letters)


@cache
def _names() -> dict[Images, str]:
    """Return the lines of all gates that stim has a name for, by what they do."""
    import stim  # noqa: PLC0415 - of use to few, and there are systems without it

    found: dict[Images, str] = {}
    for gate in stim.gate_data().values():
        if gate.is_unitary and (gate.is_single_qubit_gate or gate.is_two_qubit_gate):
            tableau = gate.tableau
            places = " ".join(f"{{{place}}}" for place in range(len(tableau)))
            found.setdefault(_images_of(tableau), f"{gate.name} {places}")
    return found


def _images_of(tableau: stim.Tableau) -> Images:
    return tuple(
        str(output)
        for qubit in range(len(tableau))
        for output in (tableau.x_output(qubit), tableau.z_output(qubit))
    )


def _decomposed(found: Images) -> str:
    """Write what has no name as a few gates that have one."""
    import stim  # noqa: PLC0415 - as above

    words = [stim.PauliString(word) for word in found]
    tableau = stim.Tableau.from_conjugated_generators(xs=words[::2], zs=words[1::2])
    lines = str(tableau.to_circuit("elimination")).splitlines()
    return "\n".join(_with_places(*line.split()) for line in lines)


def _with_places(name: str, *qubits: str) -> str:
    return " ".join([name, *(f"{{{qubit}}}" for qubit in qubits)])
