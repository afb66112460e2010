from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from functools import reduce
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.circuits import oracle
from ionbox.circuits.gates import GATES
from ionbox.circuits.unitaries import Matrix
from ionbox.formats.openqasm import read_openqasm
from ionbox.formats.openqasm.gates import RULES

A, B, C, D = 0.3, 0.7, 1.1, 0.2
I2 = np.eye(2, dtype=np.complex128)
X = np.array([[0, 1], [1, 0]], np.complex128)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1]).astype(np.complex128)
H = (X + Z) / math.sqrt(2)
SWAP = np.eye(4, dtype=np.complex128)[[0, 2, 1, 3]]


def read(body: str, num_qubits: int, *, version: int = 3) -> Matrix:
    """Return the matrix of gates on a register q."""
    heads = {
        2: f'OPENQASM 2.0; include "qelib1.inc"; qreg q[{num_qubits}];',
        3: f'OPENQASM 3.0; include "stdgates.inc"; qubit[{num_qubits}] q;',
    }
    circuit = read_openqasm(f"{heads[version]}\n{body}".encode()).circuit
    assert circuit is not None
    return oracle.unitary(circuit)


def operands(num_qubits: int) -> str:
    return ", ".join(f"q[{k}]" for k in range(num_qubits))


def same(a: Matrix, b: Matrix) -> bool:
    """Return whether matrices are equal but for one factor."""
    return bool(abs(np.vdot(a, b)) > len(a) * (1 - 1e-12))


def book(theta: float, phi: float, lam: float) -> Matrix:
    """Return [[c, -exp(i lam) s], [exp(i phi) s, exp(i (phi + lam)) c]]."""
    c, s = math.cos(theta / 2), math.sin(theta / 2)
    first, second = cmath.exp(1j * phi), cmath.exp(1j * lam)
    return np.array([[c, -second * s], [first * s, first * second * c]], np.complex128)


def builtin(theta: float, phi: float, lam: float) -> Matrix:
    """Return U of OpenQASM 3 as its specification writes it."""
    plus, minus = 1 + cmath.exp(1j * theta), 1 - cmath.exp(1j * theta)
    first, second = cmath.exp(1j * phi), cmath.exp(1j * lam)
    rows = [[plus, -1j * second * minus], [1j * first * minus, first * second * plus]]
    return np.array(rows, np.complex128) / 2


def phase(angle: float) -> Matrix:
    return np.diag([1, cmath.exp(1j * angle)]).astype(np.complex128)


def rotation(pauli: np.ndarray, angle: float) -> Matrix:
    identity = np.eye(len(pauli), dtype=np.complex128)
    return math.cos(angle / 2) * identity - 1j * math.sin(angle / 2) * pauli


def ctrl(matrix: Matrix, count: int = 1, *, when: int = 1) -> Matrix:
    """Put controls below the qubits of a matrix: they are the lowest bits."""
    for _ in range(count):
        on = np.diag([1 - when, when])
        off = np.eye(2) - on
        matrix = (np.kron(matrix, on) + np.kron(np.eye(len(matrix)), off)).astype(np.complex128)
    return matrix


def power(matrix: Matrix, exponent: float) -> Matrix:
    """Return the principal power, from eigenvalues."""
    values, vectors = np.linalg.eig(matrix)
    angles = np.angle(values)
    angles[angles < -pi + 1e-9] += 2 * pi
    result: Matrix = vectors @ np.diag(np.exp(1j * angles * exponent)) @ np.linalg.inv(vectors)
    return result


def permutation(num_qubits: int, change: Callable[[int], int]) -> Matrix:
    matrix = np.zeros((2**num_qubits, 2**num_qubits), np.complex128)
    for state in range(2**num_qubits):
        matrix[change(state), state] = 1
    return matrix


RCCX = ctrl(X, 2) @ np.diag([1, 1, 1, 1, 1, -1, 1, 1])
RCCX[np.ix_([3, 7], [3, 7])] = [[0, -1j], [1j, 0]]

STANDARD: dict[str, Matrix] = {
    "x": X,
    "y": Y,
    "z": Z,
    "h": H,
    "s": phase(pi / 2),
    "sdg": phase(-pi / 2),
    "t": phase(pi / 4),
    "tdg": phase(-pi / 4),
    "sx": power(X, 0.5),
    "sxdg": power(X, 0.5).conj().T,
    f"rx({A})": rotation(X, A),
    f"ry({A})": rotation(Y, A),
    f"rz({A})": rotation(Z, A),
    f"p({A})": phase(A),
    f"phase({A})": phase(A),
    f"u1({A})": phase(A),
    f"u2({A}, {B})": rotation(Z, A) @ rotation(Y, pi / 2) @ rotation(Z, B),
    f"u3({A}, {B}, {C})": rotation(Z, B) @ rotation(Y, A) @ rotation(Z, C),
    f"u({A}, {B}, {C})": book(A, B, C),
    f"U({A}, {B}, {C})": builtin(A, B, C),
    "id": I2,
    "u0(1)": I2,
    "cx": ctrl(X),
    "CX": ctrl(X),
    "cy": ctrl(Y),
    "cz": ctrl(Z),
    "ch": ctrl(H),
    "cs": ctrl(phase(pi / 2)),
    "csdg": ctrl(phase(-pi / 2)),
    "csx": ctrl(power(X, 0.5)),
    f"cp({A})": ctrl(phase(A)),
    f"cphase({A})": ctrl(phase(A)),
    f"cu1({A})": ctrl(phase(A)),
    f"crx({A})": ctrl(rotation(X, A)),
    f"cry({A})": ctrl(rotation(Y, A)),
    f"crz({A})": ctrl(rotation(Z, A)),
    f"cu({A}, {B}, {C}, {D})": ctrl(cmath.exp(1j * D) * book(A, B, C)),
    f"cu3({A}, {B}, {C})": ctrl(book(A, B, C)),
    "swap": SWAP,
    f"rxx({A})": rotation(np.kron(X, X), A),
    f"ryy({A})": rotation(np.kron(Y, Y), A),
    f"rzz({A})": rotation(np.kron(Z, Z), A),
    "ccx": ctrl(X, 2),
    "ccz": ctrl(Z, 2),
    "cswap": ctrl(SWAP),
    "c3x": ctrl(X, 3),
    "c3sx": ctrl(power(X, 0.5), 3),
    "c3sqrtx": ctrl(power(X, 0.5), 3),
    "c4x": ctrl(X, 4),
    "rccx": RCCX,
}


def test_every_gate_of_gateset_qis_has_a_matrix_to_be_compared_with() -> None:
    native = {gate.name for gate in GATES if gate.gateset == "native"}
    compared = {name.partition("(")[0] for name in STANDARD}

    assert compared == set(RULES) - native - {"rc3x"}


@pytest.mark.parametrize("call", STANDARD)
def test_a_standard_gate_is_what_the_specification_says_also_under_a_control(call: str) -> None:
    expected = STANDARD[call]
    num_qubits = len(expected).bit_length() - 1

    assert same(read(f"{call} {operands(num_qubits)};", num_qubits), expected)
    controlled = read(f"ctrl @ {call} {operands(num_qubits + 1)};", num_qubits + 1)
    assert controlled == pytest.approx(ctrl(expected), abs=1e-12)


@pytest.mark.parametrize("call", [call for call in STANDARD if len(STANDARD[call]) <= 8])
def test_an_inverse_undoes_a_gate_with_its_phase(call: str) -> None:
    num_qubits = len(STANDARD[call]).bit_length()
    qubits = operands(num_qubits)

    matrix = read(f"ctrl @ {call} {qubits}; inv @ ctrl @ {call} {qubits};", num_qubits)

    assert matrix == pytest.approx(np.eye(2**num_qubits), abs=1e-12)


def test_rc3x_is_x_with_three_controls_up_to_phases() -> None:
    matrix = np.abs(read("rc3x q[0], q[1], q[2], q[3];", 4))

    assert matrix == pytest.approx(permutation(4, lambda s: s ^ 8 if s & 7 == 7 else s), abs=1e-12)


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1 / 3, 1.5, 0, 2, -3, 7])
@pytest.mark.parametrize(
    "call",
    [call for call in STANDARD if len(STANDARD[call]) == 2 or call[:3] in {"rxx", "ryy", "rzz"}],
)
def test_a_power_is_the_principal_one_also_under_a_control(call: str, exponent: float) -> None:
    expected = ctrl(power(STANDARD[call], exponent))
    num_qubits = len(expected).bit_length() - 1

    matrix = read(f"ctrl @ pow({exponent}) @ {call} {operands(num_qubits)};", num_qubits)

    assert matrix == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("angle", [2 * pi, -2 * pi, 3 * pi, 5.0, -9.0])
@pytest.mark.parametrize("gate", ["rx", "rzz", "p"])
def test_a_power_of_a_large_rotation_is_the_principal_one(gate: str, angle: float) -> None:
    num_qubits = 2 if gate == "rzz" else 1
    matrix = read(f"ctrl @ {gate}({angle}) {operands(num_qubits + 1)};", num_qubits + 1)

    root = read(f"ctrl @ pow(0.5) @ {gate}({angle}) {operands(num_qubits + 1)};", num_qubits + 1)

    assert root == pytest.approx(power(matrix, 0.5), abs=1e-8)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("pow(0.5) @ swap q[0], q[1];", power(SWAP, 0.5)),
        ("pow(0.5) @ ctrl @ x q[0], q[1];", ctrl(power(X, 0.5))),
        ("pow(0.5) @ negctrl @ x q[0], q[1];", ctrl(power(X, 0.5), when=0)),
        ("pow(1/2) @ cx q[0], q[1];", ctrl(power(X, 0.5))),
        ("pow(1e9) @ crz(1e-9) q[0], q[1];", ctrl(rotation(Z, 1))),
        ("inv @ pow(2) @ ctrl @ s q[0], q[1];", ctrl(Z)),
        ("ctrl @ gphase(0.3) q[1];", np.kron(phase(0.3), I2)),
        ("negctrl @ gphase(0.3) q[0];", np.kron(I2, np.diag([cmath.exp(0.3j), 1]))),
        ("ctrl(2) @ gphase(0.3) q[0], q[1];", np.diag([1, 1, 1, cmath.exp(0.3j)])),
        ("inv @ ctrl @ gphase(0.3) q[0];", np.kron(I2, phase(-0.3))),
        ("negctrl @ x q[0], q[1];", ctrl(X, when=0)),
        ("ctrl @ U(pi, 0, pi) q[0], q[1];", ctrl(1j * X)),
        ("inv @ pow(0.5) @ sx q[1];", np.kron(power(X, -0.25), I2)),
        ("pow(0) @ h q[0];", np.eye(4)),
    ],
)
def test_modifiers_are_matrix_algebra(call: str, expected: Matrix) -> None:
    controlled = read(f"ctrl @ {call.replace(' q[', ' q[2], q[', 1)}", 3)

    assert same(read(call, 2), expected)
    on = np.diag([0, 1])
    wanted = np.kron(on, expected) + np.kron(np.eye(2) - on, np.eye(4))
    assert controlled == pytest.approx(wanted, abs=1e-9)


def test_controls_stand_in_the_order_of_the_modifiers() -> None:
    matrix = read("ctrl(2) @ negctrl @ x q[0], q[1], q[2], q[3];", 4)

    expected = permutation(4, lambda state: state ^ 8 if state & 7 == 3 else state)
    assert matrix == pytest.approx(expected)


@pytest.mark.parametrize("name", ["cx", "CX"])
def test_the_definition_of_cx_that_qiskit_writes_is_cx(name: str) -> None:
    by_u = read(f"gate {name} c, t {{ ctrl @ U(pi, 0, pi) c, t; }} {name} q[0], q[1];", 2)
    other = read(f"gate {name} c, t {{ swap c, t; }} {name} q[0], q[1];", 2)

    assert by_u == pytest.approx(ctrl(X))
    assert other == pytest.approx(SWAP)


def test_every_control_of_a_negctrl_must_be_0() -> None:
    matrix = read("ctrl @ negctrl(2) @ x q[0], q[1], q[2], q[3];", 4)

    expected = permutation(4, lambda state: state ^ 8 if state & 7 == 1 else state)
    assert matrix == pytest.approx(expected)


def test_a_power_of_a_controlled_gate_is_the_controlled_power() -> None:
    matrix = read("pow(0.5) @ inv @ cswap q[0], q[1], q[2];", 3)

    assert matrix == pytest.approx(ctrl(power(SWAP, 0.5)).conj(), abs=1e-9) or matrix == (
        pytest.approx(ctrl(power(SWAP, 0.5)), abs=1e-9)
    )


def test_a_gate_definition_keeps_its_phase_for_a_control() -> None:
    body = (
        "gate g(a) t { gphase(a / 2); rx(a) t; } gate gg(b) s, t { g(2 * b) t; ctrl @ g(b) s, t; }"
    )

    matrix = read(f"{body} ctrl @ inv @ gg({A}) q[2], q[0], q[1];", 3)

    one = [cmath.exp(0.5j * a) * rotation(X, a) for a in (A, 2 * A)]
    inner = ctrl(one[0]) @ np.kron(one[1], I2)
    expected = np.eye(8, dtype=np.complex128)
    expected[4:, 4:] = inner.conj().T
    assert matrix == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("version", [2, 3])
def test_a_gate_goes_through_registers_in_step(version: int) -> None:
    whole = read("qreg r[2]; h q; cx q, r; cz q[0], r;", 2, version=version)
    parts = "h q[0]; h q[1]; cx q[0], r[0]; cx q[1], r[1]; cz q[0], r[0]; cz q[0], r[1];"

    assert whole == pytest.approx(read(f"qreg r[2]; {parts}", 2, version=version))


GATES_OF_RANDOM = [
    ("rx(%a)", 1), ("u3(%a, %a, %a)", 1), ("h", 1), ("t", 1), ("cx", 2), ("crz(%a)", 2),
    ("cu(%a, %a, %a, %a)", 2), ("swap", 2), ("rzz(%a)", 2), ("ccx", 3), ("inv @ sx", 1),
    ("ctrl @ u2(%a, %a)", 2), ("negctrl @ sdg", 2), ("pow(0.3) @ h", 1),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_a_random_circuit_is_the_product_of_its_gates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines, product = [], np.eye(16, dtype=np.complex128)
    for _ in range(12):
        template, num_qubits = GATES_OF_RANDOM[rng.integers(len(GATES_OF_RANDOM))]
        call = reduce(
            lambda text, _: text.replace("%a", f"{rng.uniform(-4, 4):.3f}", 1), range(4), template
        )
        qubits = rng.permutation(4)[:num_qubits]
        lines.append(f"{call} {', '.join(f'q[{qubit}]' for qubit in qubits)};")
        product = on_qubits(matrix_of(call), qubits.tolist()) @ product

    assert same(read("\n".join(lines), 4), product)


def matrix_of(call: str) -> Matrix:
    """Return the matrix of a call, from the definitions in this file."""
    modifier, _, name = call.rpartition(" @ ")
    word, _, rest = name.partition("(")
    numbers = [float(number) for number in rest.rstrip(")").split(",") if number]
    makers: dict[str, Callable[..., Matrix]] = {
        "rx": lambda a: rotation(X, a),
        "u3": book,
        "u2": lambda a, b: rotation(Z, a) @ rotation(Y, pi / 2) @ rotation(Z, b),
        "crz": lambda a: ctrl(rotation(Z, a)),
        "cu": lambda a, b, c, d: ctrl(cmath.exp(1j * d) * book(a, b, c)),
        "rzz": lambda a: rotation(np.kron(Z, Z), a),
    }
    matrix = makers[word](*numbers) if numbers else STANDARD[word]
    modified: dict[str, Callable[[Matrix], Matrix]] = {
        "": lambda m: m,
        "inv": lambda m: m.conj().T,
        "ctrl": ctrl,
        "negctrl": lambda m: ctrl(m, when=0),
        "pow(0.3)": lambda m: power(m, 0.3),
    }
    return modified[modifier](matrix)


def on_qubits(matrix: Matrix, qubits: list[int]) -> Matrix:
    """Return a matrix on some of four qubits, qubits[0] its lowest bit."""
    result = np.zeros((16, 16), np.complex128)
    for state in range(16):
        column = sum((state >> qubit & 1) << k for k, qubit in enumerate(qubits))
        rest = state & ~sum(1 << qubit for qubit in qubits)
        for row in range(len(matrix)):
            after = rest | sum((row >> k & 1) << qubit for k, qubit in enumerate(qubits))
            result[after, state] += matrix[row, column]
    return result


@given(
    angles=st.lists(st.floats(-10, 10), min_size=3, max_size=3),
    exponent=st.floats(-3, 3, allow_nan=False),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_power_of_a_power_that_undoes_it_is_the_gate(
    angles: list[float], exponent: float
) -> None:
    if abs(exponent) < 0.1 or abs(exponent) > 1:
        return  # a power above 1 may leave the principal branch
    call = f"U({angles[0]}, {angles[1]}, {angles[2]})"

    back = read(f"ctrl @ pow({1 / exponent}) @ pow({exponent}) @ {call} q[0], q[1];", 2)

    assert back == pytest.approx(ctrl(builtin(angles[0], angles[1], angles[2])), abs=1e-7)
