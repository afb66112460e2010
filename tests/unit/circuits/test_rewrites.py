from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import tau

import numpy as np
import pytest
from tests.builders import PAULIS

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import unitary
from ionbox.circuits.rewrites import turned_further
from ionbox.circuits.unitaries import Matrix

_, X, Y, Z = PAULIS

PHASES = (0.0, 0.13, -0.4, 1.7)
ANGLES = (0.25, 0.1, -0.2, 0.0, 2.0**33 + 0.125)
EXCESSES = (0.07, -0.3)


def native(name: str, *params: float) -> Operation:
    num_targets = 1 if name in {"gpi", "gpi2", "nop"} else 2
    return Operation(GATE_BY_NAME["native", name], tuple(range(num_targets)), (), params)


def matrix(num_qubits: int, operations: Sequence[Operation]) -> Matrix:
    gateset = operations[0].gate.gateset
    return unitary(Circuit.from_operations(num_qubits, gateset, operations))


def axis(phase: float) -> Matrix:
    """The generator of a native gate: the axis at that phase in the plane of X and Y."""
    found: Matrix = np.cos(tau * phase) * X + np.sin(tau * phase) * Y
    return found


def rotation(generator: Matrix, radians: float) -> Matrix:
    """exp(-i radians / 2 G) of a G that is its own inverse."""
    cosine, sine = np.cos(radians / 2), np.sin(radians / 2)
    whole: Matrix = cosine * np.eye(len(generator)) - 1j * sine * generator
    return whole


def is_same_but_for_a_phase(one: Matrix, other: Matrix) -> bool:
    overlap = np.trace(one.conj().T @ other) / len(one)
    return bool(abs(abs(overlap) - 1) < 1e-12)


@pytest.mark.parametrize(("name", "phase"), [*product(["gpi", "gpi2"], PHASES)])
@pytest.mark.parametrize("excess", [0.0, *EXCESSES])
def test_a_gate_on_one_qubit_turns_further_about_its_own_axis(
    name: str, phase: float, excess: float
) -> None:
    gate = native(name, phase)

    further = matrix(1, turned_further(gate, excess))

    assert is_same_but_for_a_phase(further, rotation(axis(phase), excess) @ matrix(1, [gate]))


@pytest.mark.parametrize(("first", "second"), [(0.0, 0.0), (0.13, 0.0), (0.0, -0.4), (-0.4, 1.7)])
@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("excess", [0.0, *EXCESSES])
def test_a_molmer_sorensen_gate_turns_further_in_the_direction_in_which_it_turns(
    first: float, second: float, angle: float, excess: float
) -> None:
    gate = native("ms", first, second, angle)
    # targets[0] is the lowest bit.
    generator: Matrix = np.kron(axis(second), axis(first)).astype(np.complex128)

    further = matrix(2, turned_further(gate, excess))

    signed = excess if angle >= 0 else -excess
    expected = rotation(generator, signed) @ matrix(2, [gate])
    assert is_same_but_for_a_phase(further, expected)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("excess", [0.0, *EXCESSES])
def test_a_zz_gate_turns_further_in_the_direction_in_which_it_turns(
    angle: float, excess: float
) -> None:
    gate = native("zz", angle)

    further = matrix(2, turned_further(gate, excess))

    signed = excess if angle >= 0 else -excess
    generator: Matrix = np.kron(Z, Z).astype(np.complex128)
    expected = rotation(generator, signed) @ matrix(2, [gate])
    assert is_same_but_for_a_phase(further, expected)


def test_the_check_would_find_a_turn_in_the_other_direction() -> None:
    gate = native("gpi2", 0.13)

    further = matrix(1, turned_further(gate, 0.07))

    wrong = rotation(axis(0.13), -0.07) @ matrix(1, [gate])
    assert not is_same_but_for_a_phase(further, wrong)


def test_every_native_gate_has_a_rule() -> None:
    names = {name for gateset, name in GATE_BY_NAME if gateset == "native"}

    assert names == {"gpi", "gpi2", "ms", "zz", "nop"}
    assert turned_further(native("nop"), 0.1) == ()
