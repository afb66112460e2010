"""SCHEMAS: what each format on the wire looks like, as JSON Schema documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ionbox.circuits.gates import GATES, Gate, Param
from ionbox.circuits.program import OUTPUT_ALL

Schema: TypeAlias = dict[str, Any]

NATIVE_CIRCUIT: Final = "ionq.native.v1"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER_TEXT = "^(0|[1-9][0-9]*)$"  # no leading zeros: one key for one basis state
_BITS_TEXT = "^[01]+$"

_BIT: Schema = {"type": "integer", "enum": [0, 1]}
_QUBIT: Schema = {"type": "integer", "minimum": 0}
_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 1}


def _closed(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _map(keys: str, values: Schema) -> Schema:
    """Return the schema of an object from keys of a pattern to values of one kind."""
    return {
        "type": "object",
        "propertyNames": {"pattern": keys},
        "additionalProperties": values,
    }


def _registers(of_one: Schema) -> Schema:
    return {
        "type": "object",
        "required": [OUTPUT_ALL],
        "additionalProperties": of_one,
    }


def _by_register(word: str, numbers: Schema) -> Schema:
    return _closed({word: _closed({"registers": _registers(_map(_BITS_TEXT, numbers))})})


def _each(items: Schema) -> Schema:
    return {"type": "array", "items": items}


# --- circuits --------------------------------------------------------------------------------


def _native_circuit() -> Schema:
    gates = [_gate(gate) for gate in GATES if gate.gateset == "native"]
    properties: dict[str, Schema] = {
        "gateset": {"const": "native"},
        "qubits": {"type": "integer", "minimum": 1},
        "circuit": _each({"oneOf": gates}),
    }
    return _closed(properties, optional=("gateset",))


def _gate(gate: Gate) -> Schema:
    """Print a row of the gate table: a gate on one qubit may name it or list one."""
    qubits = {"targets": {**_each(_QUBIT), "uniqueItems": True, **_length(gate.num_targets)}}
    if gate.num_targets == 1:
        qubits["target"] = _QUBIT
    params = {param.name: _param(param) for param in gate.params}
    defaults = (param.name for param in gate.params if param.default is not None)
    schema = _closed(
        {"gate": {"enum": [gate.name, *gate.aliases]}, **qubits, **params},
        optional=(*qubits, *defaults),
    )
    return {**schema, "oneOf": [{"required": [key]} for key in qubits]}


def _param(param: Param) -> Schema:
    number: Schema = {"type": "number", "description": f"in {param.unit}"}
    if param.minimum is not None:
        number["minimum"] = param.minimum
    if param.default is not None:
        number["default"] = param.default
    return number if param.size == 1 else {**_each(number), **_length(param.size)}


def _length(size: int | None) -> Schema:
    return {} if size is None else {"minItems": size, "maxItems": size}


# --- the table -------------------------------------------------------------------------------

_SHOT = _closed(
    {"registers": _registers({**_each(_BIT), "minItems": 1}), "leakage_bits": _each(_BIT)},
    optional=("leakage_bits",),
)
_FLAT = _map(_NUMBER_TEXT, _PROBABILITY)

# Format id, what it holds, and its schema.
_ROWS: Final[tuple[tuple[str, str, Schema], ...]] = (
    (
        "ionq.result.probabilities.json.v1",
        "The probability of each basis state, by its integer; qubit 0 is the lowest bit.",
        _FLAT,
    ),
    (
        "ionq.result.probabilities.json.v2",
        "The probability of each outcome of each register, by its bits; bit 0 is leftmost.",
        _by_register("probabilities", _PROBABILITY),
    ),
    (
        "ionq.result.histogram.json.v1",
        "The number of shots of each basis state, by its integer; qubit 0 is the lowest bit.",
        _map(_NUMBER_TEXT, _COUNT),
    ),
    (
        "ionq.result.histogram.json.v2",
        "The number of shots of each outcome of each register, by its bits; bit 0 is leftmost.",
        _by_register("histogram", _COUNT),
    ),
    (
        "ionq.result.shots.json.v1",
        "The basis state of each shot, in order, as an integer; qubit 0 is the lowest bit.",
        _each({"type": "string", "pattern": _NUMBER_TEXT}),
    ),
    (
        "ionq.result.shots.json.v2",
        "The bits of each register in each shot, in order; bit 0 comes first.",
        _closed({"shots": _each(_SHOT)}),
    ),
    (
        "ionq.result.probabilities-aggregate.json.v1",
        "The probabilities (v1) of each child job, by its id, in the order of the circuits.",
        {"type": "object", "additionalProperties": _FLAT},
    ),
    (
        NATIVE_CIRCUIT,
        "A circuit of native gates; their phases and angles are in turns.",
        _native_circuit(),
    ),
)

SCHEMAS: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        name: {
            "$schema": _DIALECT,
            "$id": f"urn:ionbox:format:{name}",
            "title": name,
            "description": description,
            **schema,
        }
        for name, description, schema in _ROWS
    }
)
