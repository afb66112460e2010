"""The input of a `quantum-function` job: an ansatz, its parameters, and a Hamiltonian."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ionbox.circuits.circuit import PAULI_LETTERS
from ionbox.circuits.observable import Observable
from ionbox.circuits.program import Program
from ionbox.errors import InvalidInputError
from ionbox.formats.decoding import decode
from ionbox.formats.openqasm import read_openqasm

_SPARSE: Final = re.compile(r"([XYZI])(\d{1,6})")
_KINDS: Final = ("hamiltonian-energy",)


class PauliTerm(msgspec.Struct):
    """A weighted Pauli word: dense such as `IZ`, or sparse such as `Z0 Z1`."""

    pauli_string: str
    coefficient: float


class Ansatz(msgspec.Struct):
    """A circuit in OpenQASM 3; its parameters are declared as `input float`."""

    data: str


class Energy(msgspec.Struct):
    """What a function of type `hamiltonian-energy` is made of."""

    hamiltonian: list[PauliTerm]
    ansatz: Ansatz
    linear_constraints: list[Any] = []
    quadratic_constraints: list[Any] = []
    penalty: float | None = None
    cvar_alpha: float | None = None


class FunctionInput(msgspec.Struct):
    """The input on the wire; its type stands beside `data` or within, both are in use."""

    data: dict[str, msgspec.Raw]
    type: str | None = None
    params: list[float] = []


_DECODER: Final = msgspec.json.Decoder(FunctionInput)
_ENERGY: Final = msgspec.json.Decoder(Energy)
_TEXT: Final = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Function:
    """What a quantum function computes: the observable's value in the state that the program makes.

    Args:
        warnings: What the caller should know of how it was read.
    """

    program: Program
    observable: Observable
    warnings: tuple[str, ...] = ()


def read_function(data: bytes) -> Function:
    """Read the JSON text of a quantum function.

    Raises:
        InvalidInputError: If it is not one, or asks for what is not served.
    """
    given = decode(data, _DECODER)
    kind, energy = _energy_of(given)
    if kind not in _KINDS:
        raise InvalidInputError("type", f"'{kind}' is not one of: {', '.join(_KINDS)}")
    for name in ("linear_constraints", "quadratic_constraints", "cvar_alpha"):
        if getattr(energy, name):
            raise InvalidInputError(f"data.{name}", "not served: only the plain energy is")
    program = read_openqasm(energy.ansatz.data.encode(), given.params)
    return _function(program, energy.hamiltonian)


def _energy_of(given: FunctionInput) -> tuple[str, Energy]:
    """Return the function's type and its data, in whichever of the two shapes it came."""
    inner = given.data.get("data")
    if given.type is None and inner is not None and "type" in given.data:
        kind = decode(bytes(given.data["type"]), _TEXT, whole="data.type")
        return kind, decode(bytes(inner), _ENERGY, whole="data.data")
    raw = inner if inner is not None else msgspec.Raw(msgspec.json.encode(given.data))
    return given.type or _KINDS[0], decode(bytes(raw), _ENERGY, whole="data")


def _function(program: Program, terms: list[PauliTerm]) -> Function:
    """Take the Hamiltonian's terms, but for those of only I, which IonQ leaves out."""
    words = [
        _word(term.pauli_string, program.num_qubits, f"data.hamiltonian[{index}].pauli_string")
        for index, term in enumerate(terms)
    ]
    pairs = [(word, term.coefficient) for word, term in zip(words, terms, strict=True)]
    kept = [(word, coefficient) for word, coefficient in pairs if word.strip("I")]
    constant = sum(coefficient for word, coefficient in pairs if not word.strip("I"))
    warning = f"terms of only I are left out of the value, as IonQ does: {constant:g} in all"
    return Function(
        program,
        Observable(tuple(word for word, _ in kept), tuple(number for _, number in kept)),
        (warning,) if len(kept) < len(pairs) else (),
    )


def _word(text: str, num_qubits: int, path: str) -> str:
    """Return a word of one letter a qubit; the rightmost letter is qubit 0, as in pauliexp."""
    if any(letter.isdigit() for letter in text):
        return _sparse_word(text, num_qubits, path)
    if set(text).difference(PAULI_LETTERS):
        raise InvalidInputError(path, f"'{text}'; allowed are I, X, Y, Z, as in 'IZ' or 'Z0 Z1'")
    if len(text) != num_qubits:
        raise InvalidInputError(path, f"{len(text)} letters for {num_qubits} qubits")
    return text


def _sparse_word(text: str, num_qubits: int, path: str) -> str:
    letters = ["I"] * num_qubits
    for part in text.split():
        match = _SPARSE.fullmatch(part)
        if match is None:
            raise InvalidInputError(path, f"'{part}'; a letter of I, X, Y, Z and a qubit: 'Z0 Z1'")
        qubit = int(match[2])
        if qubit >= num_qubits:
            raise InvalidInputError(path, f"qubit {qubit} of a {num_qubits}-qubit ansatz")
        if letters[-1 - qubit] != "I":
            raise InvalidInputError(path, f"qubit {qubit} stands there twice")
        letters[-1 - qubit] = match[1]
    return "".join(letters)
