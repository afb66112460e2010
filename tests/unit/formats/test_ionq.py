from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from ionbox.circuits.circuit import MAX_QUBITS, Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, ROW_BY_NAME
from ionbox.errors import InvalidCircuitError
from ionbox.formats.ionq import read_circuit, write_circuit

TOO_MANY = MAX_QUBITS + 1
QIS_NAMES = "x, not, y, z, h, s, si, t, ti, v, vi, rx, ry, rz, cnot, swap, xx, yy, zz, pauliexp"


def read(*gates: dict[str, Any], gateset: str = "qis", qubits: int = 4) -> list[Operation]:
    circuit = read_input(gateset=gateset, qubits=qubits, circuit=list(gates))
    return list(circuit.operations())


def read_input(**keys: object) -> Circuit:
    return read_circuit(json.encode(keys))


def operation(
    name: str,
    *targets: int,
    gateset: str = "qis",
    controls: tuple[int, ...] = (),
    params: tuple[float, ...] = (),
    terms: tuple[str, ...] = (),
) -> Operation:
    return Operation(GATE_BY_NAME[gateset, name], targets, controls, params, terms)


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"gate": "h", "target": 1}, operation("h", 1)),
        ({"gate": "h", "targets": [1]}, operation("h", 1)),
        ({"gate": "h", "target": [1]}, operation("h", 1)),
        ({"gate": "h", "targets": 1}, operation("h", 1)),
        ({"gate": "h", "target": 2.0}, operation("h", 2)),
        ({"gate": "h", "targets": [2.0], "control": 1.0}, operation("h", 2, controls=(1,))),
        ({"gate": "h", "target": 1, "rotation": None, "controls": None}, operation("h", 1)),
        ({"gate": "h", "target": 1, "comment": {"a": [1.5]}}, operation("h", 1)),
        ({"gate": "not", "target": 1}, operation("x", 1)),
        ({"gate": "x", "target": 1, "controls": [0, 2]}, operation("x", 1, controls=(0, 2))),
        ({"gate": "cnot", "target": 1, "control": 0}, operation("cnot", 1, controls=(0,))),
        ({"gate": "cnot", "target": 1, "controls": [0, 2]}, operation("cnot", 1, controls=(0, 2))),
        (
            {"gate": "swap", "targets": [0, 3], "controls": [2]},
            operation("swap", 0, 3, controls=(2,)),
        ),
        ({"gate": "z", "target": 1}, operation("z", 1, params=(math.pi,))),
        ({"gate": "z", "target": 1, "rotation": 0.3}, operation("z", 1, params=(0.3,))),
        ({"gate": "rx", "target": 1, "rotation": 2}, operation("rx", 1, params=(2.0,))),
        ({"gate": "zz", "targets": [1, 0], "rotation": 0.2}, operation("zz", 1, 0, params=(0.2,))),
        (
            {
                "gate": "pauliexp",
                "targets": [0, 1],
                "terms": ["YX", "IZ"],
                "coefficients": [1.0, 0.3],
                "time": 0.2,
            },
            operation("pauliexp", 0, 1, params=(1.0, 0.3, 0.2), terms=("YX", "IZ")),
        ),
    ],
)
def test_a_gate_of_gateset_qis_is_read(gate: dict[str, Any], expected: Operation) -> None:
    assert read(gate) == [expected]


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"gate": "gpi", "target": 0, "phase": 0.1}, ("gpi", (0,), (0.1,))),
        ({"gate": "gpi2", "targets": [0], "phase": -1}, ("gpi2", (0,), (-1.0,))),
        ({"gate": "ms", "targets": [0, 1], "phases": [0.1, 0.2]}, ("ms", (0, 1), (0.1, 0.2, 0.25))),
        (
            {"gate": "ms", "targets": [1, 0], "phases": [0, 0.2], "angle": 0.1},
            ("ms", (1, 0), (0.0, 0.2, 0.1)),
        ),
        ({"gate": "zz", "targets": [0, 1], "angle": 0.1}, ("zz", (0, 1), (0.1,))),
        ({"gate": "zz", "targets": [0, 1], "phase": 0.1}, ("zz", (0, 1), (0.1,))),
        ({"gate": "zz", "targets": [0, 1], "phases": [0.1]}, ("zz", (0, 1), (0.1,))),
        ({"gate": "nop", "target": 0}, ("nop", (0,), ())),
        ({"gate": "nop", "target": 0, "controls": []}, ("nop", (0,), ())),
    ],
)
def test_a_gate_of_gateset_native_is_read(
    gate: dict[str, Any],
    expected: tuple[str, tuple[int, ...], tuple[float, ...]],
) -> None:
    name, targets, params = expected

    assert read(gate, gateset="native") == [
        operation(name, *targets, gateset="native", params=params),
    ]


def test_a_gate_on_one_target_acts_on_every_one_that_is_listed() -> None:
    gate = {"gate": "rx", "targets": [2, 0], "control": 1, "rotation": 0.5}

    assert read(gate, {"gate": "x", "target": 3}) == [
        operation("rx", 2, controls=(1,), params=(0.5,)),
        operation("rx", 0, controls=(1,), params=(0.5,)),
        operation("x", 3),
    ]


def test_without_qubits_the_highest_one_in_use_counts() -> None:
    gates = [{"gate": "h", "target": 1}, {"gate": "x", "target": 0, "control": 4}]

    assert read_input(circuit=gates).num_qubits == 5
    assert read_input(circuit=gates, qubits=None, gateset=None).num_qubits == 5
    assert read_input(circuit=gates, qubits=7.0).num_qubits == 7


def test_keys_around_the_circuit_that_are_not_known_are_ignored() -> None:
    circuit = read_input(format="ionq.circuit.v0", circuit=[], qubits=2, registers={"a": [1.5]})

    assert (circuit.num_qubits, circuit.gateset, circuit.num_operations) == (2, "qis", 0)


def test_a_written_circuit_is_json_ready() -> None:
    operations = [operation("cnot", 1, controls=(0,)), operation("rz", 0, params=(0.5,))]
    circuit = Circuit.from_operations(2, "qis", operations)

    assert write_circuit(circuit) == {
        "gateset": "qis",
        "qubits": 2,
        "circuit": [
            {"gate": "cnot", "targets": [1], "controls": [0]},
            {"gate": "rz", "targets": [0], "rotation": 0.5},
        ],
    }


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"target": 0}, ": Object missing required field `gate`"),
        ({"gate": "h"}, ".targets: gate h acts on 1 target, not 0"),
        ({"gate": "h", "targets": []}, ".targets: gate h acts on 1 target, not 0"),
        ({"gate": "h", "target": 7}, ".target: qubit 7 of a 4-qubit circuit"),
        ({"gate": "h", "target": -1}, ".target: qubit -1; qubits are counted from 0"),
        ({"gate": "h", "target": [7]}, ".target[0]: qubit 7 of a 4-qubit circuit"),
        ({"gate": "h", "targets": 7}, ".targets: qubit 7 of a 4-qubit circuit"),
        ({"gate": "h", "targets": [0, 7]}, ".targets[1]: qubit 7 of a 4-qubit circuit"),
        ({"gate": "h", "targets": [1, 1]}, ".targets[1]: qubit 1 is already a target of this gate"),
        ({"gate": "h", "target": 10**4000}, f".target: qubit {10**4000} of a 4-qubit circuit"),
        ({"gate": "h", "target": 1e300}, f".target: qubit {int(1e300)} of a 4-qubit circuit"),
        ({"gate": "h", "target": 1, "targets": [2]}, ".targets: given together with target"),
        (
            {"gate": "h", "target": 1, "control": 2, "controls": [2]},
            ".controls: given together with control",
        ),
        (
            {"gate": "h", "target": "1"},
            ".target: Expected `int | float | array | null`, got `str`",
        ),
        (
            {"gate": "h", "target": True},
            ".target: Expected `int | float | array | null`, got `bool`",
        ),
        ({"gate": "h", "target": 1.5}, ".target: 1.5 is not a whole number"),
        ({"gate": "h", "targets": [0, True]}, ".targets[1]: Expected `int | float`, got `bool`"),
        ({"gate": "h", "targets": [0, 1.5]}, ".targets: 1.5 is not a whole number"),
        ({"gate": "h", "targets": [0, None]}, ".targets[1]: Expected `int | float`, got `null`"),
        ({"gate": 1, "targets": [0]}, ".gate: Expected `str`, got `int`"),
        ({"gate": "swap", "target": 1}, ".target: gate swap acts on 2 targets, not 1"),
        ({"gate": "swap", "targets": [0, 1, 2]}, ".targets: gate swap acts on 2 targets, not 3"),
        ({"gate": "cnot", "target": 1}, ".controls: gate cnot needs at least 1 control"),
        (
            {"gate": "cnot", "target": 1, "control": 1},
            ".control: qubit 1 is already a target of this gate",
        ),
        (
            {"gate": "x", "target": 1, "controls": [0, 1]},
            ".controls[1]: qubit 1 is already a target of this gate",
        ),
        (
            {"gate": "x", "target": 1, "controls": [0, 0]},
            ".controls[1]: qubit 0 is already a control of this gate",
        ),
        ({"gate": "foo", "target": 1}, f".gate: unknown gate 'foo'; qis knows {QIS_NAMES}"),
        (
            {"gate": "f" * 1000, "target": 1},
            f".gate: unknown gate 'ffffffffffff...fffffffffffff'; qis knows {QIS_NAMES}",
        ),
        (
            {"gate": "gpi", "target": 1, "phase": 0},
            (
                ".gate: gate gpi belongs to gateset native, this circuit to qis; "
                "gatesets are never mixed"
            ),
        ),
        ({"gate": "rx", "target": 1}, ".rotation: gate rx needs rotation in radians"),
        ({"gate": "rx", "target": 1, "angle": 0.1}, ".rotation: gate rx needs rotation in radians"),
        (
            {"gate": "rx", "target": 1, "rotation": 0.1, "phase": 0.1},
            ".phase: gate rx takes rotation",
        ),
        ({"gate": "h", "target": 1, "rotation": 0.1}, ".rotation: gate h takes no parameters"),
        ({"gate": "h", "target": 1, "terms": []}, ".terms: gate h takes no parameters"),
        (
            {"gate": "rx", "target": 1, "rotation": "0.1"},
            ".rotation: Expected `float | null`, got `str`",
        ),
    ],
)
def test_a_bad_gate_of_gateset_qis_is_refused(gate: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCircuitError) as caught:
        read({"gate": "h", "targets": [0, 1]}, gate)

    assert str(caught.value) == "circuit[1]" + message


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"gate": "gpi", "target": 0}, ".phase: gate gpi needs phase in turns"),
        ({"gate": "gpi", "target": 0, "phases": [0.1]}, ".phase: gate gpi needs phase in turns"),
        (
            {"gate": "gpi", "target": 0, "phase": 0.1, "angle": 0.1},
            ".angle: gate gpi takes phase",
        ),
        (
            {"gate": "gpi", "target": 0, "phase": 0.1, "control": 1},
            ".control: gate gpi takes no controls",
        ),
        ({"gate": "ms", "targets": [0, 1]}, ".phases: gate ms needs phases in turns"),
        (
            {"gate": "ms", "targets": [0, 1], "phases": [0, 0, 0]},
            ".phases: gate ms takes 2 here, not 3",
        ),
        (
            {"gate": "ms", "targets": [0, 1], "phases": [0, 0], "rotation": 1},
            ".rotation: gate ms takes phases, angle",
        ),
        ({"gate": "zz", "targets": [0, 1]}, ".angle: gate zz needs angle in turns"),
        (
            {"gate": "zz", "targets": [0, 1], "phases": [0, 0]},
            ".phases: gate zz takes 1 here, not 2",
        ),
        (
            {"gate": "zz", "targets": [0, 1], "angle": 0.1, "phase": 0.1},
            ".phase: gate zz takes angle (or phase, phases)",
        ),
        (
            {"gate": "zz", "targets": [0, 1], "angle": 0.1, "rotation": 0.1},
            ".rotation: gate zz takes angle (or phase, phases)",
        ),
        (
            {"gate": "x", "target": 0},
            (
                ".gate: gate x belongs to gateset qis, this circuit to native; "
                "gatesets are never mixed"
            ),
        ),
        (
            {"gate": "foo", "target": 0},
            ".gate: unknown gate 'foo'; native knows gpi, gpi2, ms, zz, nop",
        ),
    ],
)
def test_a_bad_gate_of_gateset_native_is_refused(gate: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCircuitError) as caught:
        read(gate, gateset="native")

    assert str(caught.value) == "circuit[0]" + message


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"targets": []}, "targets: gate pauliexp acts on at least 1 target, not 0"),
        ({"terms": None}, "terms: gate pauliexp needs at least 1 term"),
        ({"terms": []}, "terms: gate pauliexp needs at least 1 term"),
        ({"terms": ["XX", "X"]}, "terms[1]: 1 letter for 2 targets"),
        ({"terms": ["XX", "Xz"]}, "terms[1]: letter 'z'; allowed are I, X, Y, Z"),
        ({"terms": ["XX", 5]}, "terms[1]: Expected `str`, got `int`"),
        ({"terms": "XX"}, "terms: Expected `array | null`, got `str`"),
        ({"coefficients": [1]}, "coefficients: 1 coefficient for 2 terms"),
        ({"coefficients": None}, "coefficients: gate pauliexp needs coefficients"),
        ({"coefficients": [1, "1j"]}, "coefficients[1]: Expected `float`, got `str`"),
        (
            {"coefficients": [1e308, 1e308]},
            "coefficients: too large: their sum times time is not finite",
        ),
        ({"time": None}, "time: gate pauliexp needs time"),
        ({"time": -0.1}, "time: -0.1 must be finite and at least 0"),
        ({"rotation": 0.1}, "rotation: gate pauliexp takes terms, coefficients, time"),
    ],
)
def test_a_bad_pauliexp_is_refused(changed: dict[str, Any], message: str) -> None:
    gate = {
        "gate": "pauliexp",
        "targets": [0, 1],
        "terms": ["XX", "ZI"],
        "coefficients": [1, 2],
        "time": 1,
    }
    with pytest.raises(InvalidCircuitError) as caught:
        read(gate | changed)

    assert str(caught.value) == "circuit[0]." + message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Input data was truncated"),
        (b'{"circuit": [', "Input data was truncated"),
        (b'{"circuit": [oops]}', "JSON is malformed: invalid character (byte 13)"),
        (
            b'{"circuit": [{"gate": "rx", "target": 0, "rotation": NaN}]}',
            "JSON is malformed: invalid character (byte 53)",
        ),
        (
            b'{"circuit": [{"gate": "rx", "target": 0, "rotation": Infinity}]}',
            "JSON is malformed: invalid character (byte 53)",
        ),
        (
            b'{"circuit": [{"gate": "rx", "target": 0, "rotation": 1e999}]}',
            "circuit[0].rotation: Number out of range",
        ),
        (b'{"qubits": 1, "circuit": []} x', "JSON is malformed: trailing characters (byte 30)"),
        (b'{"circuit": [{"gate": "\xff"}]}', "JSON is malformed: a string is not UTF-8"),
        (b'{"x": ' + b"[" * 100_000, "JSON is nested too deeply"),
        (b'{"circuit": ' + b"[" * 100_000, "circuit[0]: Expected `object`, got `array`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"{}", "Object missing required field `circuit`"),
        (b'{"circuit": null}', "circuit: Expected `array`, got `null`"),
        (b'{"circuit": [3]}', "circuit[0]: Expected `object`, got `int`"),
        (b'{"circuit": []}', "qubits: needed for a circuit without gates"),
        (b'{"circuit": [], "qubits": 0}', "qubits: 0 qubits; a circuit has at least 1"),
        (b'{"circuit": [], "qubits": -1}', "qubits: -1 qubits; a circuit has at least 1"),
        (b'{"circuit": [], "qubits": "2"}', "qubits: Expected `int | float | null`, got `str`"),
        (b'{"circuit": [], "qubits": true}', "qubits: Expected `int | float | null`, got `bool`"),
        (b'{"circuit": [], "qubits": 2.5}', "qubits: 2.5 is not a whole number"),
        (
            b'{"circuit": [], "qubits": %d}' % TOO_MANY,
            f"qubits: {TOO_MANY} qubits; a circuit has at most {MAX_QUBITS}",
        ),
        (
            b'{"circuit": [{"gate": "h", "target": %d}]}' % TOO_MANY,
            f"circuit[0].target: qubit {TOO_MANY}; a circuit has at most {MAX_QUBITS} qubits",
        ),
        (
            b'{"circuit": [], "qubits": 1, "gateset": "QIS"}',
            "gateset: unknown gateset 'QIS'; known: qis, native",
        ),
        (b'{"circuit": [], "gateset": 1}', "gateset: Expected `str | null`, got `int`"),
    ],
)
def test_a_bad_input_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidCircuitError) as caught:
        read_circuit(data)

    assert str(caught.value) == message


QUBIT_KEYS = ["target", "targets", "control", "controls"]
PARAM_KEYS = ["rotation", "phase", "phases", "angle", "terms", "coefficients", "time"]
GATE_KEYS = [*QUBIT_KEYS, *PARAM_KEYS, "x"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=4), values),
    max_leaves=8,
)
LIKELY = (
    st.integers(-1, 5)
    | st.sampled_from([0.0, 1.0, 0.5, -0.0, 1e300])
    | st.lists(st.integers(-1, 5) | st.floats(-1, 1), max_size=3)
    | st.lists(st.text("IXYZ", max_size=3), max_size=3)
)
GATES_LIKELY = st.builds(
    lambda name, keys: {"gate": name, **keys},
    st.sampled_from(sorted({name for _, name in ROW_BY_NAME})),
    st.dictionaries(st.sampled_from(GATE_KEYS), LIKELY | JSON_VALUES, max_size=4),
)
INPUTS = st.fixed_dictionaries(
    {"circuit": st.lists(GATES_LIKELY, max_size=3) | JSON_VALUES},
    optional={
        "gateset": st.sampled_from(["qis", "native"]) | JSON_VALUES,
        "qubits": st.integers(-1, 6) | JSON_VALUES,
    },
)


@given(value=INPUTS | JSON_VALUES)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_any_json_is_read_or_refused_with_a_place(value: object) -> None:
    _read_or_refuse(json.encode(value))


@given(data=st.binary())
@settings(derandomize=True, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _read_or_refuse(data)


@given(start=st.integers(0, 60), junk=st.binary(max_size=3))
@settings(derandomize=True, deadline=None)
def test_a_damaged_text_is_read_or_refused(start: int, junk: bytes) -> None:
    text = b'{"qubits": 2, "circuit": [{"gate": "rx", "target": 0, "rotation": 1.5}]}'

    _read_or_refuse(text[:start] + junk + text[start + len(junk) :])


def _read_or_refuse(data: bytes) -> None:
    try:
        circuit = read_circuit(data)
    except InvalidCircuitError:
        return
    assert read_circuit(json.encode(write_circuit(circuit))).num_qubits == circuit.num_qubits
