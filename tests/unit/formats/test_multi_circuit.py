from __future__ import annotations

import json
from typing import Any

import pytest

from ionbox.errors import InvalidInputError
from ionbox.formats.ionq import read_circuit
from ionbox.formats.multi_circuit import in_circuit, read_circuits

H = {"gate": "h", "target": 0}


def parts(**job_input: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return read_circuits(json.dumps(job_input).encode())


def test_each_circuit_is_an_input_of_its_own() -> None:
    first, second = parts(
        qubits=2,
        gateset="qis",
        circuits=[
            {"name": "a", "circuit": [H], "registers": {"c": [0, None]}},
            {"circuit": [{"gate": "gpi", "target": 2, "phase": 0}], "qubits": 3,
             "gateset": "native"},
        ],
    )  # fmt: skip

    assert (first.name, first.registers) == ("a", {"c": [0, None]})
    assert (second.name, second.registers) == (None, None)
    assert read_circuit(first.data).num_qubits == 2
    native = read_circuit(second.data)
    assert (native.num_qubits, native.gateset) == (3, "native")


def test_what_nobody_says_is_left_to_the_circuit() -> None:
    (part,) = parts(circuits=[{"circuit": [{"gate": "h", "target": 4}]}])

    assert read_circuit(part.data).num_qubits == 5


def test_a_null_is_no_circuit_beside_the_many() -> None:
    assert len(parts(circuit=None, circuits=[{"circuit": []}])) == 1


@pytest.mark.parametrize(
    ("job_input", "path"),
    [
        ({"circuits": []}, "circuits"),
        ({"circuits": [{"circuit": []}] * 5001}, "circuits"),
        ({"circuits": [{"circuit": [H] * 150_001}]}, "circuits"),
        ({"circuits": [{"circuit": []}], "circuit": []}, "circuit"),
        ({"circuits": [{"circuit": []}, {"circuit": {}}]}, "circuits[1].circuit"),
        ({"circuits": [{}]}, "circuits[0]"),
        ({"circuits": [{"circuit": [], "name": 3}]}, "circuits[0].name"),
        ({}, ""),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(job_input: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parts(**job_input)

    assert caught.value.path == path


def test_an_error_in_a_circuit_is_one_in_the_input_around_it() -> None:
    assert in_circuit(3, InvalidInputError("circuit[1].gate", "no")).path == (
        "circuits[3].circuit[1].gate"
    )
    assert in_circuit(3, InvalidInputError("", "no")).path == "circuits[3]"
