"""The `input` of each type of job → what is to be run: one row a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ionbox.circuits.observable import Observable
from ionbox.circuits.program import MAX_REGISTERS, Program, program_of
from ionbox.errors import InvalidInputError
from ionbox.formats.decoding import decode
from ionbox.formats.function import FunctionInput, read_function
from ionbox.formats.ionq import CircuitInput, read_circuit
from ionbox.formats.openqasm import read_openqasm
from ionbox.formats.qir import read_qir

Registers = Mapping[str, Sequence[int | None]]


class TextInput(msgspec.Struct):
    """An input that is a text in another format; `params` are what it declares as `input`."""

    data: str
    params: list[float] = []


class Input(msgspec.Struct, frozen=True):
    """What a job runs.

    Args:
        observable: Whose expectation value is wanted, instead of outcomes.
        warnings: What the caller should know of how it was read.
    """

    program: Program
    observable: Observable | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputType:
    """A type of job.

    Args:
        read: From the JSON text of the input, and the registers beside it, to what is run.
        wire: The JSON text as a type.
        is_quick: Whether reading takes no longer than decoding JSON; a worker reads the others.
    """

    read: Callable[[bytes, Registers | None], Input]
    wire: type[msgspec.Struct]
    is_quick: bool = False


def _read_circuit(data: bytes, registers: Registers | None) -> Input:
    return Input(program_of(read_circuit(data), registers))


def _read_openqasm(data: bytes, _: Registers | None) -> Input:
    given = decode(data, _TEXT)
    return Input(read_openqasm(given.data.encode(), given.params))


def _read_qir(data: bytes, _: Registers | None) -> Input:
    return Input(read_qir(decode(data, _TEXT).data))


def _read_function(data: bytes, _: Registers | None) -> Input:
    function = read_function(data)
    return Input(function.program, function.observable, function.warnings)


_TEXT: Final = msgspec.json.Decoder(TextInput)

# By the type of job, as API v0.4 names it.
INPUT_TYPES: Final[Mapping[str, InputType]] = {
    "ionq.circuit.v1": InputType(_read_circuit, CircuitInput, is_quick=True),
    "ionq.qasm3.v1": InputType(_read_openqasm, TextInput),  # OpenQASM 2, too: the text says which
    "ionq.qir.v1": InputType(_read_qir, TextInput),
    "quantum-function": InputType(_read_function, FunctionInput),
}


def read_input(job_type: str, data: bytes, registers: Registers | None = None) -> Input:
    """Read the input of a job.

    Args:
        job_type: A row of `INPUT_TYPES`.
        registers: Those that stand beside the input of a JSON circuit.

    Raises:
        InvalidInputError: If the text is not of that type; its path starts at the input.
    """
    try:
        return INPUT_TYPES[job_type].read(data, registers)
    except InvalidInputError as error:
        raise InvalidInputError(error.path or "input", error.message) from error


def read_registers(given: Mapping[str, Any] | None) -> Registers | None:
    """Check what a caller sent as registers: lists of qubits, or null for a bit without one.

    Raises:
        InvalidInputError: If they are something else.
    """
    if len(given or {}) > MAX_REGISTERS:
        raise InvalidInputError("registers", f"at most {MAX_REGISTERS} are allowed")
    for name, qubits in (given or {}).items():
        if not isinstance(qubits, list) or any(
            qubit is not None and type(qubit) is not int for qubit in qubits
        ):
            message = "a register is a list of qubits, or of null for a bit without one"
            raise InvalidInputError(f"registers.{name}", message)
    return given
