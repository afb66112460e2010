"""The input of a job of many circuits → the input of each; what they hold is read one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ionbox.errors import InvalidCircuitError, InvalidInputError
from ionbox.formats.decoding import decode
from ionbox.formats.ionq import Whole

MAX_CIRCUITS: Final = 5_000
MAX_GATES: Final = 150_000


class OneCircuit(msgspec.Struct, omit_defaults=True):
    """A circuit of many; what it does not say, the input around it says for all."""

    circuit: msgspec.Raw
    name: str | None = None
    qubits: Whole | None = None
    gateset: str | None = None
    registers: dict[str, Any] | None = None


class ManyCircuits(msgspec.Struct):
    """The input on the wire."""

    circuits: list[OneCircuit]
    circuit: msgspec.Raw = msgspec.Raw(b"null")
    qubits: Whole | None = None
    gateset: str | None = None


@dataclass(frozen=True, slots=True)
class CircuitPart:
    """One circuit as a job of its own would be sent.

    Args:
        data: The JSON text of an input with one circuit.
    """

    name: str | None
    registers: Mapping[str, Any] | None
    data: bytes


_DECODER: Final = msgspec.json.Decoder(ManyCircuits)
_ENCODER: Final = msgspec.json.Encoder()
_GATES: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read_circuits(data: bytes) -> list[CircuitPart]:
    """Take an input with many circuits apart.

    Raises:
        InvalidInputError: If it is none, holds none, or holds too many circuits or gates.
    """
    given = decode(data, _DECODER, error_type=InvalidCircuitError)
    if bytes(given.circuit) != b"null":
        raise InvalidCircuitError("circuit", "given together with circuits")
    if not 1 <= len(given.circuits) <= MAX_CIRCUITS:
        message = f"{len(given.circuits)} circuits; 1 to {MAX_CIRCUITS} are allowed"
        raise InvalidCircuitError("circuits", message)
    num_gates = sum(
        len(decode(bytes(one.circuit), _GATES, whole=f"circuits[{index}].circuit"))
        for index, one in enumerate(given.circuits)
    )
    if num_gates > MAX_GATES:
        message = f"{num_gates} gates in all; at most {MAX_GATES} are allowed"
        raise InvalidCircuitError("circuits", message)
    return [_part(one, given) for one in given.circuits]


def _part(one: OneCircuit, given: ManyCircuits) -> CircuitPart:
    gateset = given.gateset if one.gateset is None else one.gateset
    qubits = given.qubits if one.qubits is None else one.qubits
    body = OneCircuit(circuit=one.circuit, qubits=qubits, gateset=gateset)
    return CircuitPart(one.name, one.registers, _ENCODER.encode(body))


def in_circuit(index: int, error: InvalidInputError) -> InvalidInputError:
    """Return an error of one circuit as one of the input that holds it."""
    path = f"circuits[{index}].{error.path}" if error.path else f"circuits[{index}]"
    return InvalidInputError(path, error.message)
