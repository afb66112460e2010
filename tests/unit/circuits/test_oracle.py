from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ionbox.circuits import oracle
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.unitaries import Matrix, h_unitary, ms_unitary, ry_unitary, x_unitary

ZERO = np.diag([1, 0]).astype(np.complex128)
ONE = np.diag([0, 1]).astype(np.complex128)


def qis(
    name: str, *targets: int, controls: tuple[int, ...] = (), rotation: float | None = None
) -> Operation:
    params = () if rotation is None else (rotation,)
    return Operation(GATE_BY_NAME["qis", name], targets, controls, params)


def native(name: str, *targets: int, params: tuple[float, ...]) -> Operation:
    return Operation(GATE_BY_NAME["native", name], targets, params=params)


def probabilities(num_qubits: int, gateset: str, *operations: Operation) -> Matrix:
    circuit = Circuit.from_operations(num_qubits, gateset, operations)
    return np.abs(oracle.state_vector(circuit)) ** 2


def kron(*factors: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Multiply factors, the one of the highest qubit first."""
    product = np.eye(1)
    for factor in factors:
        product = np.kron(product, factor)
    return product


def test_a_controlled_not_reads_its_control() -> None:
    operations = [qis("h", 0), qis("cnot", 0, controls=(1,))]

    np.testing.assert_allclose(probabilities(2, "qis", *operations), [0.5, 0.5, 0, 0], atol=1e-15)


def test_a_bell_pair_is_zero_or_three() -> None:
    operations = [qis("h", 0), qis("cnot", 1, controls=(0,))]

    np.testing.assert_allclose(probabilities(2, "qis", *operations), [0.5, 0, 0, 0.5], atol=1e-15)


def test_ionqs_native_example_gives_its_amplitudes() -> None:
    operations = [
        native("ms", 0, 1, params=(0, 0.25, 0.25)),
        native("gpi2", 0, params=(0.75,)),
    ]
    circuit = Circuit.from_operations(2, "native", operations)

    amplitudes = oracle.state_vector(circuit)

    np.testing.assert_allclose(amplitudes, [0.5, -0.5, 0.5, 0.5], atol=1e-15)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((0, 1), [0.592008, 0.3125, 0.009119, 0.086373]),
        ((1, 0), [0.592008, 0.3125, 0.086373, 0.009119]),
    ],
)
def test_ms_knows_which_phase_belongs_to_which_target(
    targets: tuple[int, int],
    expected: list[float],
) -> None:
    operations = [
        native("gpi2", 0, params=(0.1,)),
        native("ms", *targets, params=(0.05, 0.3, 0.1)),
        native("gpi2", 0, params=(0.4,)),
    ]

    np.testing.assert_allclose(probabilities(2, "native", *operations), expected, atol=5e-7)


def test_cnot_is_one_ms_between_turns_of_a_quarter() -> None:
    operations = [
        native("gpi2", 0, params=(0.25,)),
        native("ms", 0, 1, params=(0, 0, 0.25)),
        native("gpi2", 0, params=(0.5,)),
        native("gpi2", 1, params=(0.5,)),
        native("gpi2", 0, params=(-0.25,)),
    ]
    matrix = oracle.unitary(Circuit.from_operations(2, "native", operations))
    cnot = oracle.unitary(Circuit.from_operations(2, "qis", [qis("cnot", 1, controls=(0,))]))

    assert abs(np.trace(matrix.conj().T @ cnot)) / 4 == pytest.approx(1, abs=1e-14)


def test_qubit_0_is_the_lowest_bit() -> None:
    assert np.argmax(probabilities(3, "qis", qis("x", 0))) == 1
    assert np.argmax(probabilities(3, "qis", qis("x", 2), qis("x", 0))) == 5


def test_one_gate_on_the_middle_qubit_is_a_kronecker_product() -> None:
    one = np.eye(2, dtype=np.complex128)
    circuit = Circuit.from_operations(3, "qis", [qis("ry", 1, rotation=0.3)])

    expected = kron(one, ry_unitary(0.3), one)

    np.testing.assert_allclose(oracle.unitary(circuit), expected, atol=1e-15)


def test_a_control_above_its_target_is_a_sum_of_kronecker_products() -> None:
    one = np.eye(2, dtype=np.complex128)
    circuit = Circuit.from_operations(3, "qis", [qis("z", 0, controls=(2,), rotation=0.3)])

    phase = np.diag([1, np.exp(0.3j)])
    expected = kron(ZERO, one, one) + kron(ONE, one, phase)

    np.testing.assert_allclose(oracle.unitary(circuit), expected, atol=1e-15)


def test_two_targets_in_falling_order_are_a_kronecker_product_of_a_swapped_gate() -> None:
    one = np.eye(2, dtype=np.complex128)
    circuit = Circuit.from_operations(3, "native", [native("ms", 1, 0, params=(0.1, 0.3, 0.2))])

    expected = kron(one, ms_unitary(0.3, 0.1, 0.2))

    np.testing.assert_allclose(oracle.unitary(circuit), expected, atol=1e-15)


def test_the_state_vector_is_the_first_column_of_the_unitary() -> None:
    operations = [
        qis("ry", 0, rotation=0.3),
        qis("h", 2),
        qis("cnot", 1, controls=(2, 0)),
        qis("swap", 0, 2, controls=(1,)),
        qis("xx", 2, 0, rotation=0.7),
    ]
    circuit = Circuit.from_operations(3, "qis", operations)

    np.testing.assert_allclose(
        oracle.state_vector(circuit),
        oracle.unitary(circuit)[:, 0],
        atol=1e-15,
    )


def test_operations_act_in_the_order_of_the_list() -> None:
    circuit = Circuit.from_operations(
        1, "qis", [qis("h", 0), qis("z", 0, rotation=math.pi / 3), qis("x", 0)]
    )

    expected = x_unitary() @ np.diag([1, np.exp(1j * math.pi / 3)]) @ h_unitary()

    np.testing.assert_allclose(oracle.unitary(circuit), expected, atol=1e-15)
