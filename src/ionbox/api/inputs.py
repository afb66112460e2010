"""INPUTS: what the `input` of a job looks like, as JSON Schemas printed from the gate table.

They say what to send. What is read beside it (nulls, keys that are not known, numbers such as
2.0) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from ionbox.circuits.gates import GATES, GATESETS, Gate, Param
from ionbox.formats.multi_circuit import MAX_CIRCUITS

Schema: TypeAlias = dict[str, Any]

_QUBIT: Final[Schema] = {"type": "integer", "minimum": 0}
_TEXT: Final[Schema] = {"type": "string"}
_ANY_NUMBER: Final[Schema] = {"type": "number"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema, **limits: object) -> Schema:
    return {"type": "array", "items": items, **limits}


def _object(properties: Mapping[str, Schema], *required: str, **more: object) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(required), **more}


# --- gates -----------------------------------------------------------------------------------


def _gates(gateset: str) -> Schema:
    """Return the gates of a gateset; those that are written alike share a schema."""
    schemas: dict[str, tuple[Schema, list[str]]] = {}
    for gate in GATES:
        if gate.gateset == gateset:
            schema = _gate(gate)
            schemas.setdefault(repr(schema), (schema, []))[1].extend([gate.name, *gate.aliases])
    return {"anyOf": [_named(schema, names) for schema, names in schemas.values()]}


def _named(schema: Schema, names: list[str]) -> Schema:
    properties = {"gate": {"type": "string", "enum": names}, **schema["properties"]}
    return {**schema, "properties": properties}


def _gate(gate: Gate) -> Schema:
    """Return how a gate is written, but for its name."""
    params = {param.name: _param(param) for param in gate.params}
    controls = _qubits("control", gate.min_controls) if gate.controllable else {}
    if gate.num_targets is None:
        params["terms"] = _list({"type": "string", "pattern": "^[IXYZ]+$"}, minItems=1)
    needed = [p.name for p in gate.params if p.default is None]
    needed += ["terms"] if gate.num_targets is None else []
    properties = {**_qubits("target", 1), **controls, **params}
    return _object(properties, "gate", *needed, allOf=_one_key_each(gate))


def _one_key_each(gate: Gate) -> list[Schema]:
    """Qubits stand under a key or under its plural."""
    keys = ["target", *(["control"] if gate.min_controls else [])]
    return [{"oneOf": [{"required": [key]}, {"required": [f"{key}s"]}]} for key in keys]


def _qubits(key: str, at_least: int) -> dict[str, Schema]:
    many = _list(_QUBIT, minItems=at_least, uniqueItems=True)
    return {key: {"anyOf": [_QUBIT, many]}, f"{key}s": many}


def _param(param: Param) -> Schema:
    number: Schema = {"type": "number"}
    if param.unit != "1":
        number["description"] = f"In {param.unit}."
    if param.minimum is not None:
        number["minimum"] = param.minimum
    if param.default is not None:
        number["default"] = param.default
    if param.size == 1:
        return number
    size = {} if param.size is None else {"minItems": param.size, "maxItems": param.size}
    return _list(number, **size)


# --- inputs ----------------------------------------------------------------------------------

_GATESET: Final[Schema] = {"type": "string", "enum": list(GATESETS), "default": "qis"}
_NUM_QUBITS: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "description": "The highest qubit in use plus 1, where it is not given.",
}
_CIRCUIT: Final = _list({"anyOf": [_ref(f"{word.title()}Gate") for word in GATESETS]})
_REGISTERS: Final[Schema] = {
    "type": "object",
    "additionalProperties": _list({"anyOf": [_QUBIT, {"type": "null"}]}),
    "description": "Name → the qubit of each classical bit; null for none.",
}
_SHARED: Final = {"gateset": _GATESET, "qubits": _NUM_QUBITS}
_ENERGY: Final = _object(
    {
        "hamiltonian": _list(
            _object(
                {
                    "pauli_string": {**_TEXT, "examples": ["IZ", "Z0 Z1"]},
                    "coefficient": _ANY_NUMBER,
                },
                "pauli_string",
                "coefficient",
            )
        ),
        "ansatz": _object({"data": {**_TEXT, "description": "OpenQASM 3."}}, "data"),
    },
    "hamiltonian",
    "ansatz",
)

INPUTS: Final[Mapping[str, Schema]] = {
    **{f"{gateset.title()}Gate": _gates(gateset) for gateset in GATESETS},
    "CircuitInput": _object({**_SHARED, "circuit": _CIRCUIT}, "circuit"),
    "ManyCircuitsInput": _object(
        {
            **_SHARED,
            "circuits": _list(
                _object(
                    {**_SHARED, "name": _TEXT, "circuit": _CIRCUIT, "registers": _REGISTERS},
                    "circuit",
                ),
                minItems=1,
                maxItems=MAX_CIRCUITS,
            ),
        },
        "circuits",
        description="What a circuit does not say, holds for all.",
    ),
    "TextInput": _object(
        {"data": {**_TEXT, "description": "OpenQASM, or QIR as Base64 of its bitcode."}}, "data"
    ),
    "FunctionInput": _object(
        {
            "data": _object(
                {"type": {"const": "hamiltonian-energy"}, "data": _ENERGY}, "type", "data"
            ),
            "params": _list(_ANY_NUMBER),
        },
        "data",
        description="The energy of a Hamiltonian after an ansatz; `params` are its parameters.",
    ),
}
# The inputs themselves, as a union.
INPUT: Final[Schema] = {"anyOf": [_ref(name) for name in INPUTS if name.endswith("Input")]}
