"""IonQ's circuit JSON (the `input` of a request, gatesets qis and native) to circuit and back.

Unknown keys are ignored, as IonQ does, but for parameters that the gate does not know: nothing
runs differently from what was written without a word. A null is the same as no key.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, Final, NoReturn, TypeAlias

import msgspec

from ionbox.circuits.circuit import Circuit, Operation, Packer, check_gateset
from ionbox.circuits.gates import GATE_BY_NAME, GATES, GATESETS, ROW_BY_NAME, Gate, Param
from ionbox.errors import InvalidCircuitError
from ionbox.formats.decoding import decode

# Clients in languages with one kind of number write the qubit 2 as 2.0.
Whole: TypeAlias = int | float
Qubits: TypeAlias = Whole | list[Whole] | None


class GateInput(msgspec.Struct, gc=False):
    """A gate on the wire; every key may be absent or null, but for the first."""

    gate: str
    target: Qubits = None
    targets: Qubits = None
    control: Qubits = None
    controls: Qubits = None
    rotation: float | None = None
    phase: float | None = None
    phases: list[float] | None = None
    angle: float | None = None
    terms: list[str] | None = None
    coefficients: list[float] | None = None
    time: float | None = None


class CircuitInput(msgspec.Struct):
    """A circuit on the wire; `qubits` follows from the gates where it is absent."""

    circuit: list[GateInput]
    gateset: str | None = None
    qubits: Whole | None = None


_PARAM_KEYS: Final = ("rotation", "phase", "phases", "angle", "terms", "coefficients", "time")
_NO_PARAMS: Final = (None,) * len(_PARAM_KEYS)
_DECODER: Final = msgspec.json.Decoder(CircuitInput)
_ROWS: Final = {
    gateset: {name: row for (known, name), row in ROW_BY_NAME.items() if known == gateset}
    for gateset in GATESETS
}


def read_circuit(data: bytes) -> Circuit:
    """Read the JSON text of a request's `input`.

    A gate on one target that is given several becomes one operation for each.

    Raises:
        InvalidCircuitError: With the path and the keys that the caller wrote.
    """
    given = decode(data, _DECODER, error_type=InvalidCircuitError)
    gateset = "qis" if given.gateset is None else given.gateset
    rows = _ROWS.get(gateset)
    if rows is None:
        known = ", ".join(GATESETS)
        raise InvalidCircuitError(
            "gateset", f"unknown gateset {reprlib.repr(gateset)}; known: {known}"
        )
    num_qubits = None if given.qubits is None else _whole(given.qubits, "qubits")
    packer = Packer(num_qubits, gateset)
    for index, gate in enumerate(given.circuit):
        try:
            row = rows.get(gate.gate)
            if row is None:
                _refuse_gate(gate.gate, gateset)
            _append(packer, row, gate)
        except InvalidCircuitError as error:
            path = f"circuit[{index}].{_as_written(gate, error.path)}"
            raise InvalidCircuitError(path, error.message) from None
    return packer.pack()


def write_circuit(circuit: Circuit) -> dict[str, Any]:
    """Return the JSON-ready `input` that `read_circuit` reads back as the same circuit."""
    return {
        "gateset": circuit.gateset,
        "qubits": circuit.num_qubits,
        "circuit": [_write_operation(operation) for operation in circuit.operations()],
    }


def _write_operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {"gate": operation.gate.name, "targets": list(operation.targets)}
    if operation.controls:
        written["controls"] = list(operation.controls)
    if operation.terms:
        written["terms"] = list(operation.terms)
    end = 0
    for param in operation.gate.params:
        start, end = end, end + (len(operation.terms) if param.size is None else param.size)
        values = list(operation.params[start:end])
        written[param.name] = values[0] if param.size == 1 else values
    return written


def _append(packer: Packer, row: int, given: GateInput) -> None:
    gate = GATES[row]
    targets = _qubits("target", given.target, given.targets)
    controls = _qubits("control", given.control, given.controls)
    params = _params(gate, given)
    if gate.num_targets != 1 or len(targets) <= 1:
        packer.append(row, targets, controls, params, given.terms or ())
        return
    packer.check_qubits(targets, controls)
    for target in targets:
        packer.append(row, (target,), controls, params)


def _qubits(key: str, one: Qubits, many: Qubits) -> Sequence[int]:
    """Return the qubits given under `key` or its plural, either of which may be a list."""
    if one is not None and many is not None:
        raise InvalidCircuitError(f"{key}s", f"given together with {key}")
    qubits = many if one is None else one
    if qubits is None:
        return ()
    if isinstance(qubits, list):
        return [qubit if type(qubit) is int else _whole(qubit, f"{key}s") for qubit in qubits]
    return (qubits,) if type(qubits) is int else (_whole(qubits, f"{key}s"),)


def _whole(number: Whole, path: str) -> int:
    whole = int(number)
    if whole != number:
        raise InvalidCircuitError(path, f"{number} is not a whole number")
    return whole


def _params(gate: Gate, given: GateInput) -> Sequence[float]:
    """Return the parameters in the order of the gate's row; refuse those it does not know."""
    values = (
        given.rotation,
        given.phase,
        given.phases,
        given.angle,
        given.terms,
        given.coefficients,
        given.time,
    )
    if not gate.params and values == _NO_PARAMS:
        return ()
    pairs = zip(_PARAM_KEYS, values, strict=True)
    written = {key: value for key, value in pairs if value is not None}
    params: list[float] = []
    for param in gate.params:
        params += _take(written, param, gate)
    if gate.num_targets is None:
        written.pop("terms", None)
    if written:
        raise InvalidCircuitError(
            next(iter(written)), f"gate {gate.name} takes {_known_keys(gate)}"
        )
    return params


def _take(written: dict[str, Any], param: Param, gate: Gate) -> Sequence[float]:
    """Take one parameter out of what was written, under its name or an alias."""
    key = param.name
    if key not in written:
        key = next((alias for alias in param.aliases if alias in written), key)
    value = written.pop(key, param.default)
    if value is None:
        unit = "" if param.unit == "1" else f" in {param.unit}"
        raise InvalidCircuitError(key, f"gate {gate.name} needs {key}{unit}")
    numbers: list[float] = value if isinstance(value, list) else [value]
    if param.size is not None and len(numbers) != param.size:
        message = f"gate {gate.name} takes {param.size} here, not {len(numbers)}"
        raise InvalidCircuitError(key, message)
    return numbers


def _known_keys(gate: Gate) -> str:
    names = ["terms"] if gate.num_targets is None else []
    for param in gate.params:
        aliases = f" (or {', '.join(param.aliases)})" if param.aliases else ""
        names.append(param.name + aliases)
    return ", ".join(names) or "no parameters"


def _refuse_gate(name: str, gateset: str) -> NoReturn:
    for other in GATESETS:
        if name in _ROWS[other]:
            check_gateset(GATE_BY_NAME[other, name], gateset)
    known = ", ".join(_ROWS[gateset])
    raise InvalidCircuitError("gate", f"unknown gate {reprlib.repr(name)}; {gateset} knows {known}")


def _as_written(given: GateInput, path: str) -> str:
    """Name qubits by the key and the index, if any, that the caller used."""
    plural, bracket, index = path.partition("[")
    if plural not in {"targets", "controls"}:
        return path
    key = plural.removesuffix("s") if getattr(given, plural) is None else plural
    value = getattr(given, key)
    if value is None:
        return plural
    return f"{key}[{index}" if bracket and isinstance(value, list) else key
