from __future__ import annotations

import json
from typing import Any

import pytest

from ionbox.circuits.observable import Observable
from ionbox.errors import InvalidInputError
from ionbox.formats.function import read_function

ANSATZ = 'OPENQASM 3.0; include "stdgates.inc"; input float[64] t; qubit[3] q; ry(t) q[2];'


def energy(*terms: tuple[str, float], **more: object) -> dict[str, Any]:
    hamiltonian = [{"pauli_string": word, "coefficient": number} for word, number in terms]
    return {"hamiltonian": hamiltonian, "ansatz": {"data": ANSATZ}} | more


def text(data: dict[str, Any], params: tuple[float, ...] = (0.25,)) -> bytes:
    return json.dumps({"data": data, "params": params}).encode()


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("IZX", "IZX"),
        ("X0", "IIX"),
        ("Z2 Y0", "ZIY"),
        ("X1 I2", "IXI"),
    ],
)
def test_the_rightmost_letter_is_qubit_0_and_sparse_words_say_theirs(
    written: str, word: str
) -> None:
    function = read_function(text(energy((written, 0.5))))

    assert function.observable == Observable((word,), (0.5,))
    assert function.warnings == ()


@pytest.mark.parametrize(
    "data",
    [
        {"data": {"type": "hamiltonian-energy", "data": energy(("ZII", 1))}},
        {"data": energy(("ZII", 1)), "type": "hamiltonian-energy"},
        {"data": {"data": energy(("ZII", 1))}, "type": "hamiltonian-energy"},
        {"data": {"data": energy(("ZII", 1))}},
        {"data": energy(("ZII", 1))},
    ],
)
def test_the_type_stands_beside_the_data_or_within(data: dict[str, Any]) -> None:
    function = read_function(json.dumps(data | {"params": [0.25]}).encode())
    circuit = function.program.circuit

    assert function.observable.terms == ("ZII",)
    assert circuit is not None
    assert [operation.params for operation in circuit.operations()] == [(0.25,)]


def test_terms_of_only_i_are_left_out_with_a_word() -> None:
    function = read_function(text(energy(("III", 2), ("I0 I2", 0.5), ("ZII", 1))))

    assert function.observable == Observable(("ZII",), (1,))
    assert function.warnings == (
        "terms of only I are left out of the value, as IonQ does: 2.5 in all",
    )


def test_empty_constraints_are_no_constraints() -> None:
    more = {"linear_constraints": [], "quadratic_constraints": [], "penalty": 0, "cvar_alpha": None}

    assert read_function(text(energy(("ZII", 1), **more))).observable.terms == ("ZII",)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (energy(("ZZ", 1)), "data.hamiltonian[0].pauli_string"),
        (energy(("IZI", 1), ("IZA", 1)), "data.hamiltonian[1].pauli_string"),
        (energy(("Z0 Z3", 1)), "data.hamiltonian[0].pauli_string"),
        (energy(("Z0 X0", 1)), "data.hamiltonian[0].pauli_string"),
        (energy(("Z0Z1", 1)), "data.hamiltonian[0].pauli_string"),
        (energy(("ZII", 1), cvar_alpha=0.1), "data.cvar_alpha"),
        (energy(("ZII", 1), linear_constraints=[{}]), "data.linear_constraints"),
        (energy(("ZII", 1), quadratic_constraints=[{}]), "data.quadratic_constraints"),
        ({"type": "surprise", "data": energy(("ZII", 1))}, "type"),
        ({"type": 3, "data": energy(("ZII", 1))}, "data.type"),
        ({"hamiltonian": []}, "data"),
        ({"hamiltonian": {}, "ansatz": {"data": ANSATZ}}, "hamiltonian"),
    ],
)
def test_what_is_not_served_is_refused_with_its_place(data: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_function(text(data))

    assert caught.value.path == path


@pytest.mark.parametrize("params", [(), (1.0, 2.0)])
def test_as_many_parameters_are_needed_as_the_ansatz_declares(params: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInputError):
        read_function(text(energy(("ZII", 1)), params))
