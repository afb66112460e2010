from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES, Gate
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.ionq import read_circuit, write_circuit
from ionbox.formats.rendering import FORMATS, formats_of, probabilities_aggregate
from ionbox.formats.results import Exact, Probabilities, Sampled, Shots
from ionbox.formats.schemas import NATIVE_CIRCUIT, SCHEMAS

NATIVE = [gate for gate in GATES if gate.gateset == "native"]
V1, V2 = "ionq.result.{}.json.v1", "ionq.result.{}.json.v2"

steady = settings(derandomize=True, deadline=None)


def is_valid(name: str, payload: object) -> bool:
    return bool(Draft202012Validator(SCHEMAS[name]).is_valid(payload))


@st.composite
def sampled(draw: st.DrawFn) -> Sampled:
    num_shots = draw(st.integers(1, 12))
    names = [OUTPUT_ALL, *draw(st.lists(st.text(max_size=4), max_size=2, unique=True))]
    widths = {name: draw(st.integers(1, 80)) for name in names}
    return Sampled({name: random_shots(num_shots, num_bits) for name, num_bits in widths.items()})


def random_shots(num_shots: int, num_bits: int) -> Shots:
    bits = np.random.default_rng(num_bits).integers(0, 2, (num_shots, num_bits), np.uint8)
    return Shots(num_bits, np.packbits(bits, axis=1, bitorder="little"))


def make_exact(values: dict[int, float]) -> Exact:
    register = Probabilities(
        10, np.array(sorted(values), np.uint64), np.array([values[key] for key in sorted(values)])
    )
    return Exact({OUTPUT_ALL: register, "c": register})


def test_there_is_a_schema_of_every_result_format_and_of_native_circuits() -> None:
    assert set(SCHEMAS) == {*FORMATS, NATIVE_CIRCUIT}


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_a_schema_is_one_and_says_what_it_is_of(name: str, schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"].endswith(name)
    assert {"type", "title", "description"} <= set(schema)
    assert json.loads(json.dumps(schema)) == schema


@given(sampled())
@steady
def test_every_rendering_of_shots_is_valid(result: Sampled) -> None:
    for row in formats_of(result):
        jsonschema.validate(json.loads(b"".join(row.render(result))), SCHEMAS[row.id])


@given(st.lists(st.integers(0, 1023), min_size=1, unique=True))
@steady
def test_every_rendering_of_probabilities_is_valid(states: list[int]) -> None:
    result = make_exact(dict.fromkeys(states, 1 / len(states)))

    for row in formats_of(result):
        jsonschema.validate(json.loads(b"".join(row.render(result))), SCHEMAS[row.id])


def test_an_aggregate_is_valid() -> None:
    children = [(name, make_exact({0: 0.5, 3: 0.5})) for name in "ab"]
    payload = json.loads(b"".join(probabilities_aggregate(children)))

    jsonschema.validate(payload, SCHEMAS["ionq.result.probabilities-aggregate.json.v1"])


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (V1.format("probabilities"), [0.5, 0.5]),
        (V1.format("probabilities"), {"00": 0.5}),
        (V1.format("probabilities"), {"a": 0.5}),
        (V1.format("probabilities"), {"0": 1.5}),
        (V1.format("probabilities"), {"0": -0.5}),
        (V1.format("probabilities"), {"0": "0.5"}),
        (V2.format("probabilities"), {"0": 1}),
        (V2.format("probabilities"), {"probabilities": {"registers": {}}}),
        (V2.format("probabilities"), {"probabilities": {"registers": {"c": {"0": 1}}}}),
        (V2.format("probabilities"), {"probabilities": {"registers": {OUTPUT_ALL: {"2": 1}}}}),
        (V2.format("probabilities"), {"histogram": {"registers": {OUTPUT_ALL: {"0": 1}}}}),
        (V1.format("histogram"), {"0": 0.5}),
        (V1.format("histogram"), {"0": 0}),
        (V2.format("histogram"), {"histogram": {"registers": {OUTPUT_ALL: {"0": 0.5}}}}),
        (V2.format("histogram"), {"histogram": {OUTPUT_ALL: {"0": 1}}}),
        (V1.format("shots"), [0, 3]),
        (V1.format("shots"), ["01"]),
        (V1.format("shots"), {"shots": ["0"]}),
        (V2.format("shots"), [{"registers": {OUTPUT_ALL: [0]}}]),
        (V2.format("shots"), {"shots": [{OUTPUT_ALL: [0]}]}),
        (V2.format("shots"), {"shots": [{"registers": {"c": [0]}}]}),
        (V2.format("shots"), {"shots": [{"registers": {OUTPUT_ALL: [2]}}]}),
        (V2.format("shots"), {"shots": [{"registers": {OUTPUT_ALL: "01"}}]}),
        (V1.format("probabilities-aggregate"), {"0": 0.5, "3": 0.5}),
        (V1.format("probabilities-aggregate"), [{"0": 1}]),
    ],
)
def test_what_is_not_of_the_format_is_not_valid(name: str, payload: object) -> None:
    assert not is_valid(name, payload)


def test_shots_may_say_which_qubits_leaked() -> None:
    shot = {"registers": {OUTPUT_ALL: [1, 0]}, "leakage_bits": [0, 0]}

    assert is_valid(V2.format("shots"), {"shots": [shot]})


# --- circuits --------------------------------------------------------------------------------


def make_gate(gate: Gate) -> dict[str, Any]:
    """Return a native gate as a client writes it in full."""
    params = {
        param.name: 0.125 if param.size == 1 else [0.125] * (param.size or 1)
        for param in gate.params
    }
    return {"gate": gate.name, "targets": list(range(gate.num_targets or 1)), **params}


def circuit_of(*gates: dict[str, Any]) -> dict[str, Any]:
    return {"gateset": "native", "qubits": 2, "circuit": list(gates)}


@pytest.mark.parametrize("gate", NATIVE, ids=lambda gate: gate.name)
def test_a_native_circuit_as_ionbox_writes_it_is_valid(gate: Gate) -> None:
    params = [0.125] * sum(param.size or 1 for param in gate.params)
    operation = Operation(gate, tuple(range(gate.num_targets or 1)), params=tuple(params))
    written = write_circuit(Circuit.from_operations(2, "native", [operation]))

    jsonschema.validate(written, SCHEMAS[NATIVE_CIRCUIT])
    assert written["circuit"] == [make_gate(gate)]


@pytest.mark.parametrize("gate", NATIVE, ids=lambda gate: gate.name)
def test_a_valid_gate_without_what_has_a_default_is_read(gate: Gate) -> None:
    defaults = {param.name for param in gate.params if param.default is not None}
    brief = {key: value for key, value in make_gate(gate).items() if key not in defaults}

    assert is_valid(NATIVE_CIRCUIT, circuit_of(brief))
    assert read_circuit(json.dumps(circuit_of(brief)).encode()).num_qubits == 2


@pytest.mark.parametrize("gate", NATIVE, ids=lambda gate: gate.name)
def test_a_gate_without_what_it_needs_is_not_valid(gate: Gate) -> None:
    whole = make_gate(gate)
    needed = {"gate", "targets", *(param.name for param in gate.params if param.default is None)}

    for key in needed:
        assert not is_valid(
            NATIVE_CIRCUIT, circuit_of({k: v for k, v in whole.items() if k != key})
        )


@pytest.mark.parametrize(
    "gate",
    [
        {"gate": "h", "targets": [0]},
        {"gate": "gpi", "target": 0, "targets": [0], "phase": 0.5},
        {"gate": "gpi", "target": -1, "phase": 0.5},
        {"gate": "gpi", "target": 0, "phase": "0.5"},
        {"gate": "gpi", "target": 0, "phase": 0.5, "controls": [1]},
        {"gate": "ms", "targets": [0, 0], "phases": [0, 0]},
        {"gate": "ms", "targets": [0], "phases": [0, 0]},
        {"gate": "ms", "target": 0, "phases": [0, 0]},
        {"gate": "ms", "targets": [0, 1], "phases": [0]},
        {"gate": "zz", "targets": [0, 1], "rotation": 0.5},
    ],
)
def test_a_wrong_gate_is_not_valid(gate: dict[str, Any]) -> None:
    assert not is_valid(NATIVE_CIRCUIT, circuit_of(gate))


def test_a_gate_on_one_qubit_may_name_it() -> None:
    assert is_valid(NATIVE_CIRCUIT, circuit_of({"gate": "gpi", "target": 0, "phase": 0.5}))


@pytest.mark.parametrize(
    "circuit",
    [
        {"circuit": []},
        {"qubits": 0, "circuit": []},
        {"qubits": 1},
        circuit_of() | {"gateset": "qis"},
    ],
)
def test_a_wrong_circuit_is_not_valid(circuit: dict[str, Any]) -> None:
    assert not is_valid(NATIVE_CIRCUIT, circuit)
