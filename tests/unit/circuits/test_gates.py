from __future__ import annotations

import math
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from ionbox.circuits.circuit import Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, GATESETS, ROW_BY_NAME, Gate
from ionbox.circuits.unitaries import (
    Matrix,
    exp_radians,
    exp_turns,
    gpi2_unitary,
    gpi_unitary,
    h_unitary,
    ms_unitary,
    native_zz_unitary,
    pauliexp_unitary,
    rx_unitary,
    ry_unitary,
    rz_unitary,
    s_unitary,
    si_unitary,
    swap_unitary,
    t_unitary,
    ti_unitary,
    v_unitary,
    vi_unitary,
    x_unitary,
    xx_unitary,
    y_unitary,
    yy_unitary,
    z_unitary,
    zz_unitary,
)

AnyMatrix: TypeAlias = npt.NDArray[Any]

TERMS = ("XIZ", "YYI", "IZX")
X = np.array([[0, 1], [1, 0]], dtype=np.complex128)
Y = np.array([[0, -1j], [1j, 0]], dtype=np.complex128)
Z = np.array([[1, 0], [0, -1]], dtype=np.complex128)
ONE = np.eye(2, dtype=np.complex128)


def example(gate: Gate) -> Operation:
    """Build an operation of the gate, every parameter different and in its range."""
    terms = TERMS if gate.num_targets is None else ()
    num_params = sum(len(terms) if param.size is None else param.size for param in gate.params)
    return Operation(
        gate,
        targets=tuple(range(gate.num_targets or len(TERMS[0]))),
        params=tuple(0.07 + 0.11 * k for k in range(num_params)),
        terms=terms,
    )


def exponential(generator: AnyMatrix) -> Matrix:
    """Sum the power series of exp, after halving the matrix until the series is short."""
    halvings = 20
    small = generator / 2**halvings
    powers = [np.eye(len(small), dtype=np.complex128)]
    for k in range(1, 12):
        powers.append(powers[-1] @ small / k)
    return reduce(lambda matrix, _: matrix @ matrix, range(halvings), sum(powers, 0 * small))


def assert_equal(matrix: Matrix, expected: AnyMatrix, atol: float = 1e-9) -> None:
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.gateset}-{gate.name}")
def test_the_columns_of_every_row_prove_each_other(gate: Gate) -> None:
    operation = example(gate)
    matrix = operation.unitary()
    name, params = gate.inverse(operation.params)
    inverse = GATE_BY_NAME[gate.gateset, name]
    undone = Operation(inverse, operation.targets, params=params, terms=operation.terms)

    assert gate.gateset in GATESETS
    assert matrix.dtype == np.complex128
    assert matrix.shape == (2 ** len(operation.targets),) * 2
    assert_equal(matrix @ matrix.conj().T, np.eye(len(matrix)), 1e-14)
    assert_equal(undone.unitary() @ matrix, np.eye(len(matrix)), 1e-14)
    assert inverse.num_targets == gate.num_targets
    assert len(params) == len(operation.params)
    assert gate.source
    assert gate.controllable == (gate.gateset == "qis")
    assert gate.min_controls == (gate.name == "cnot")
    assert gate.is_diagonal == (not np.any(matrix - np.diag(matrix.diagonal())))
    assert (gate.num_targets is None) == any(param.size is None for param in gate.params)
    for param in gate.params:
        assert param.unit == ("1" if gate.name == "pauliexp" else _unit(gate.gateset))
        assert param.size is None or param.size >= 1
        assert param.default is None or param.size == 1


def _unit(gateset: str) -> str:
    return {"qis": "radians", "native": "turns"}[gateset]


def test_every_name_and_alias_names_one_row() -> None:
    names = [(gate.gateset, name) for gate in GATES for name in (gate.name, *gate.aliases)]

    assert len(set(names)) == len(names)
    assert set(names) == set(GATE_BY_NAME) == set(ROW_BY_NAME)
    assert all(GATES[row] is GATE_BY_NAME[name] for name, row in ROW_BY_NAME.items())
    assert GATE_BY_NAME["qis", "not"].name == "x"
    assert GATE_BY_NAME["qis", "zz"] is not GATE_BY_NAME["native", "zz"]


@pytest.mark.parametrize("phase", [-1.0, -0.75, -0.5, 0.0, 0.3, 0.5, 0.6, 1.0, 1e300])
@pytest.mark.parametrize("name", ["gpi2", "ms"])
def test_an_inverse_keeps_its_phase_between_minus_one_and_one(name: str, phase: float) -> None:
    gate = GATE_BY_NAME["native", name]
    params = (phase, 0.2, 0.1) if name == "ms" else (phase,)
    _, inverted = gate.inverse(params)

    assert -1 <= inverted[0] <= 1
    assert inverted[1:] == params[1:]
    product = gate.unitary(*inverted) @ gate.unitary(*params)
    assert_equal(product, np.eye(len(product)), 1e-14)


def test_the_inverse_of_a_pauliexp_keeps_its_time() -> None:
    inverse = GATE_BY_NAME["qis", "pauliexp"].inverse((0.5, -0.25, 2.0))

    assert inverse == ("pauliexp", (-0.5, 0.25, 2.0))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (v_unitary() @ v_unitary(), x_unitary()),
        (s_unitary() @ s_unitary(), z_unitary(math.pi)),
        (t_unitary() @ t_unitary(), s_unitary()),
        (vi_unitary(), v_unitary().conj().T),
        (si_unitary(), s_unitary().conj().T),
        (ti_unitary(), t_unitary().conj().T),
        (h_unitary() * math.sqrt(2), x_unitary() + z_unitary(math.pi)),
        (gpi_unitary(0), x_unitary()),
        (gpi_unitary(0.25), y_unitary()),
        (gpi2_unitary(0), rx_unitary(math.pi / 2)),
        (gpi2_unitary(0.25), ry_unitary(math.pi / 2)),
        (ms_unitary(0, 0, 0.1), xx_unitary(2 * math.pi * 0.1)),
        (ms_unitary(0.25, 0.25, 0.1), yy_unitary(2 * math.pi * 0.1)),
        (native_zz_unitary(0.1), zz_unitary(2 * math.pi * 0.1)),
        (rx_unitary(0.7), exponential(-0.35j * X)),
        (ry_unitary(0.7), exponential(-0.35j * Y)),
        (rz_unitary(0.7), exponential(-0.35j * Z)),
        (xx_unitary(0.7), exponential(-0.35j * np.kron(X, X))),
        (yy_unitary(0.7), exponential(-0.35j * np.kron(Y, Y))),
        (zz_unitary(0.7), exponential(-0.35j * np.kron(Z, Z))),
        (z_unitary(0.7), np.exp(0.35j) * exponential(-0.35j * Z)),
        (swap_unitary(), (np.eye(4) + np.kron(X, X) + np.kron(Y, Y) + np.kron(Z, Z)) / 2),
        (
            ms_unitary(0.1, 0.3, 0.2),
            exponential(-0.2j * np.pi * np.kron(gpi_unitary(0.3), gpi_unitary(0.1))),
        ),
    ],
)
def test_gates_relate_as_in_the_books(matrix: Matrix, expected: Matrix) -> None:
    assert_equal(matrix, expected)


def test_ms_is_ionqs_matrix_with_the_first_target_as_the_lowest_bit() -> None:
    # IonQ's text: basis |q0 q1>, rows 00, 01, 10, 11, targets[0] the left one.
    phase0, phase1, angle = 0.1, 0.3, 0.2
    c, s = math.cos(math.pi * angle), -1j * math.sin(math.pi * angle)
    plus, minus = exp_turns(phase0 + phase1), exp_turns(phase0 - phase1)
    text = np.diag([c, c, c, c]).astype(np.complex128)
    text[0, 3], text[3, 0] = s * plus.conjugate(), s * plus
    text[1, 2], text[2, 1] = s * minus.conjugate(), s * minus
    order = [0, 2, 1, 3]

    assert_equal(ms_unitary(phase0, phase1, angle), text[np.ix_(order, order)], 1e-15)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (z_unitary(math.pi), [[1, 0], [0, -1]]),
        (z_unitary(-math.pi), [[1, 0], [0, -1]]),
        (z_unitary(math.pi / 2), [[1, 0], [0, 1j]]),
        (gpi_unitary(0.25), [[0, -1j], [1j, 0]]),
        (gpi_unitary(-0.5), [[0, -1], [-1, 0]]),
        (rx_unitary(math.pi), [[0, -1j], [-1j, 0]]),
        (ms_unitary(0, 0, 0.5), np.fliplr(np.diag([-1j] * 4))),
        (h_unitary(), [[0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]]),
    ],
)
def test_multiples_of_a_quarter_turn_leave_no_rounding_dust(
    matrix: Matrix,
    expected: Matrix,
) -> None:
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("turns", [-7.3, -0.125, -1e-20, 0.0, 1e-20, 0.1, 0.375, 3.5, 123.25])
def test_exp_of_turns_and_of_radians_is_the_exponential(turns: float) -> None:
    expected = np.exp(2j * np.pi * turns)

    assert abs(exp_turns(turns) - expected) < 1e-13
    assert abs(exp_radians(math.tau * turns) - expected) < 1e-13


@pytest.mark.parametrize("radians", [1e17, 1e300, -1e308])
def test_huge_angles_are_not_taken_for_whole_turns(radians: float) -> None:
    assert exp_radians(radians) == complex(math.cos(radians), math.sin(radians))
    assert abs(exp_turns(radians)) == 1


def test_the_rightmost_letter_of_a_term_acts_on_the_first_target() -> None:
    # exp(-0.2i (X0 Y1 + 0.3 Z0)): the two terms do not commute.
    generator = np.kron(Y, X) + 0.3 * np.kron(ONE, Z)

    matrix = pauliexp_unitary(1.0, 0.3, 0.2, terms=("YX", "IZ"))

    assert_equal(matrix, exponential(-0.2j * generator), 1e-10)


def test_a_controlled_operation_acts_only_where_all_controls_are_one() -> None:
    operation = Operation(GATE_BY_NAME["qis", "rx"], targets=(4,), controls=(2, 0), params=(0.4,))
    expected = np.eye(8, dtype=np.complex128)
    expected[6:, 6:] = rx_unitary(0.4)

    assert_equal(operation.unitary(), expected, 0)
