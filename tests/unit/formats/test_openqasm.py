from __future__ import annotations

import numpy as np
import pytest

from ionbox.circuits import oracle
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import (
    Assign,
    Jump,
    Measure,
    Program,
    Register,
    Reset,
    evaluate,
)
from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm import read_openqasm

READ = "def f(qubit a) -> bit { bit b = measure a; return b; }"
HEAD = "OPENQASM 3.0; qubit[3] q; bit[3] c;\n"


def read(body: str, *params: float) -> Program:
    """Read statements on three qubits and three bits; they start in line 2."""
    return read_openqasm((HEAD + body).encode(), params)


def gates(program: Program) -> list[tuple[object, ...]]:
    """Return name, targets, controls and params of a program that is one circuit."""
    assert program.circuit is not None
    return [(o.gate.name, *o.targets, *o.controls, *o.params) for o in program.circuit.operations()]


def execute(program: Program, seed: int = 1) -> str:  # noqa: C901 - the kinds of steps
    """Run one shot by the meaning of the steps; return the bits, the first one leftmost."""
    rng = np.random.default_rng(seed)
    state = np.zeros(2**program.num_qubits, np.complex128)
    state[0], bits, place = 1, [0] * program.num_bits, 0
    while place < len(program.steps):
        step = program.steps[place]
        place += 1
        match step:
            case Circuit():
                state = oracle.unitary(step) @ state
            case Measure(qubit, bit):
                outcome, state = measured(state, qubit, rng)
                if bit is not None:
                    bits[bit] = outcome
            case Reset(qubit):
                outcome, state = measured(state, qubit, rng)
                if outcome:
                    state = state[np.arange(len(state)) ^ 1 << qubit]
            case Assign(places, value):
                number = evaluate(value, bits)
                for k, bit in enumerate(places):
                    bits[bit] = number >> k & 1
            case Jump(to, unless):
                if unless is None or not evaluate(unless, bits):
                    place = to
    return "".join(map(str, bits))


def measured(state: np.ndarray, qubit: int, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    is_one = (np.arange(len(state)) >> qubit & 1).astype(bool)
    outcome = int(rng.random() < np.sum(np.abs(state[is_one]) ** 2))
    after = np.where(is_one == outcome, state, 0)
    return outcome, after / np.linalg.norm(after)


# --- registers -------------------------------------------------------------------------------


def test_qubits_and_registers_come_in_the_order_of_declaration() -> None:
    program = read_openqasm(
        b"OPENQASM 3; bit[2] a; qubit p; bit b; qubit[2] q; x q[1]; b = measure q[1];"
        b"bit[2] d = measure q;"
    )

    assert program.num_qubits == 3
    assert program.registers == (Register("a", 0, 2), Register("b", 2, 1), Register("d", 3, 2))
    assert gates(program) == [("x", 2)]
    assert program.measured == {2: 2, 3: 1, 4: 2}


def test_outputs_are_registers() -> None:
    program = read("output bit[2] d; output bit e; output bit f; e = measure q[0];")

    assert [register.name for register in program.registers] == ["c", "d", "e", "f"]
    assert program.measured == {5: 0}


def test_a_bit_that_a_loop_declares_is_one_register_that_starts_at_0() -> None:
    program = read("for int i in [0:1] { bit b; c[i] = !b; b = 1; }")

    assert [register.name for register in program.registers] == ["c", "b"]
    assert execute(program) == "1101"


def test_a_program_of_openqasm_2_is_read() -> None:
    program = read_openqasm(
        b'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2]; creg c[2];\n'
        b"gate pair a, b { h a; CX a, b; }\nopaque magic(x) a;\n"
        b"pair q[0], q[1]; barrier q; u2(pi^2, 0) q[0];\nmeasure q -> c;\n"
        b"if (c == 3) x q[0];\nreset q[1];"
    )

    first, *rest = program.steps
    assert isinstance(first, Circuit)
    assert [o.params for o in first.operations()][-1] == pytest.approx((np.pi**2,))
    assert [type(step) for step in rest] == [Measure, Measure, Jump, Circuit, Reset]


def test_a_loop_that_is_known_leaves_the_circuit_whole() -> None:
    program = read("x q[0]; int i = 1; while (i < 3) { x q[i]; i += 1; } c = measure q;")

    assert gates(program) == [("x", 0), ("x", 1), ("x", 2)]


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_global_phase_may_name_a_qubit_as_pennylane_writes_it(version: str) -> None:
    text = f"OPENQASM {version}; qreg q[2]; gphase(0.3) q[1]; ctrl @ gphase(0.3) q[0], q[1];"

    assert gates(read_openqasm(text.encode())) == [("z", 0, 0.3)]


def test_what_qiskit_sends_for_mid_circuit_measurement_is_read() -> None:
    program = read_openqasm(
        b'OPENQASM 3.0;\ninclude "stdgates.inc";\nbit[2] c;\nbit[1] m;\nqubit[2] q;\nh q[0];\n'
        b"m[0] = measure q[0];\nreset q[0];\nh q[0];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
    )

    circuit, *rest = program.steps
    assert isinstance(circuit, Circuit)
    assert rest[:2] == [Measure(0, 2), Reset(0)]
    assert rest[3:] == [Measure(0, 0), Measure(1, 1)]


def test_only_native_gates_make_a_native_program_in_turns() -> None:
    program = read("gpi(0.5) q[0]; ms(0, 0.25) q[0], q[1]; ms(0, 0, 0.1) q[1], q[2];")
    native = read("zz(0.1) q[0], q[1]; nop q[2]; inv @ gpi2(0.25) q[0];")

    assert program.gateset == native.gateset == "native"
    assert gates(program) == [
        ("gpi", 0, 0.5),
        ("ms", 0, 1, 0.0, 0.25, 0.25),
        ("ms", 1, 2, 0.0, 0.0, 0.1),
    ]
    assert gates(native) == [("zz", 0, 1, 0.1), ("nop", 2), ("gpi2", 0, -0.25)]
    assert read("measure q;").gateset == "qis"


def test_what_does_nothing_is_read() -> None:
    assert gates(
        read("pragma say\n@note it\nx q[0]; barrier q; delay[10ns] q[0]; id q; gphase(1); barrier;")
    ) == [("x", 0)]


def test_inputs_are_bound_in_order() -> None:
    text = "input float[64] a; input array[float[64], 2] b; input angle d;"

    program = read(f"{text} rx(a) q[0]; ry(b[1]) q[0]; rz(b[0]) q[0]; rx(d) q[1];", 1, 2, 3, 0.5)

    assert [gate[-1] for gate in gates(program)] == [1, 3, 2, 0.5]
    for params in ((), (1, 2, 3), (1, 2, 3, 4, 5)):
        with pytest.raises(InvalidCircuitError, match="the text declares 4 as input"):
            read(text, *params)


# --- what is known ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pi", np.pi),
        ("τ / 4", np.pi / 2),
        ("-2 ** 2", -4),
        ("1 / 2 + 7 / 2", 4),
        ("7 % 4 + (1 << 3)", 11),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("-7.5 % 2", -1.5),
        ("mod(-7, 3)", -1),
        ("n / 2", 2),
        ("-n / 2 * 2", -4),
        ("n / -3", -1),
        ("n / 2.0", 2.5),
        ("6 / 3 + 1 / 4", 2.25),
        ("-1 / (1 + 1)", -0.5),
        ("2 ** -1", 0.5),
        ("2 ** 0.5", np.sqrt(2)),
        ("float(~true)", 0),
        ("~uint[3](5) + ~bit[2](1)", 4),
        ("float(n == 5 || false)", 1),
        ("int[4](-8)", -8),
        ("int[4](8)", -8),
        ("uint[4](-1)", 15),
        ("bool(2) + bool(0.0)", 1),
        ("bit[2](7)", 3),
        ("angle(-pi / 2)", 3 * np.pi / 2),
        ("wide[-1] + narrow[-1] + narrow[0:2]", 0 + 1 + 5),
        ("sizeof(list) + 10 * sizeof(grid, 1) + 100 * sizeof(c) + 1000 * sizeof(q)", 3333),
        ("grid[1, 2] + 10 * grid[0][1] + 100 * grid[1][0:1][1]", 526),
        ("list[{2, 0}][1]", 1),
        ('"101"', 5),
        ("sin(pi / 2) + cos(0) + tan(0)", 2),
        ("arcsin(1) - arccos(0) + arctan(0)", 0),
        ("exp(log(3)) + sqrt(16)", 7),
        ("mod(7, 4) + floor(2.5) + ceiling(2.5)", 8),
        ("popcount(7)", 3),
        ("int[8](3.9)", 3),
        ("float(true) + uint[2](5)", 2),
        ("int(3 > 2 && !(1 == 2))", 1),
        ("~1 & 6 | 1 ^ 3", 6 | 2),
        ("n + sizeof(q)", 8),
        ("list[1] + list[-1]", 5),
        ("0x1F + 0b11", 34),
    ],
)
def test_an_expression_is_computed(expression: str, expected: float) -> None:
    names = (
        "const int n = 5; array[int, 3] list = {1, 2, 3}; uint[8] narrow = 133; int wide = 5;"
        "array[uint[8], 2, 3] grid = {{1, 2, 3}, {4, 5, 6}};"
    )

    (gate,) = gates(read(f"{names} rx({expression}) q[0];"))

    assert gate[-1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "qubits"),
    [
        ("for int i in [0:2] { x q[i]; }", [0, 1, 2]),
        ("for int i in [2:-2:0] x q[i];", [2, 0]),
        ("for uint i in {1, 0} { x q[i]; }", [1, 0]),
        ("array[int, 2] a = {2, 1}; for int i in a { x q[i]; }", [2, 1]),
        ("for int i in [0:2] { if (i == 1) continue; x q[i]; }", [0, 2]),
        ("for int i in [0:2] { if (i == 1) { break; } x q[i]; }", [0]),
        ("int i = 2; while (i > 0) { x q[i]; i -= 1; }", [2, 1]),
        ("int i = 2; switch (i) { case 0, 1 { x q[0]; } case 2 { x q[2]; } default {} }", [2]),
        ("int i = 5; switch (i) { case 0 { x q[0]; } default { x q[1]; } }", [1]),
        ("bool b = false; if (b) x q[0]; else x q[1];", [1]),
        ("x q[-1]; x q[{0, 2}]; x q[1:2];", [2, 0, 2, 1, 2]),
        ("let a = q[1:2] ++ q[0]; x a[2]; x a[0:1];", [0, 1, 2]),
        ("x q[0]; end; x q[1];", [0]),
        ("{ int i = 1; x q[i]; } int i = 2; x q[i];", [1, 2]),
        ("def f(int n, qubit a) { if (n > 0) { x a; return; } y a; } f(1, q[2]);", [2]),
        ("def f(int n) -> int { return n + 1; } x q[f(1)];", [2]),
        ("def f(qubit[2] a) { x a[1]; } f(q[1:2]);", [2]),
        ("array[int, 2] a; a[1] = 2; a[0] += 1; x q[a[0]]; x q[a[1]];", [1, 2]),
        ("array[int, 2, 2] a; a[0][1] = 1; a[1] = a[0]; a[0, 1] += 1; x q[a[1, 1]];", [1]),
        ("array[int, 3] a = {0, 1, 2}; for int i in a { a[2] = 0; x q[i]; }", [0, 1, 2]),
        ("array[uint[2], 1] a = {5}; array[uint[2], 1] b = a; b[0] = 2; x q[a[0]];", [1]),
        ("int i = 1; i *= 2; x q[i]; i /= 2; x q[i]; i <<= 1; x q[i];", [2, 1, 2]),
        ("int n = 5; for int i in [0:n / 3] { x q[i]; }", [0, 1]),
        ("for int i in [2:0] { x q[i]; }", []),
        ("def f(int[2] n) -> int[2] { return n + 1; } x q[f(5) + 2];", [0]),
        ("const int n = 1; def f() -> int { int n = 2; return n; } x q[f()]; x q[n];", [2, 1]),
        ("def f(qubit a) { qubit_of(a); } def qubit_of(qubit b) { x b; } f(q[1]);", [1]),
        ("def f(int n) -> int { if (n == 0) { return 0; } return f(n - 1) + 1; } x q[f(2)];", [2]),
        (
            "def f(qubit[2] a) { for int i in [0:1] { if (i == 1) return; x a[i]; } } f(q[1:2]);",
            [1],
        ),
        ("x q[2]; int i = 0; while (i < 2) { i += 1; if (i == 1) continue; x q[i]; }", [2, 2]),
        ("switch (true) { case 1 { x q[0]; } }", [0]),
        ("let a = q[{2, 0}]; let b = a[1]; x b; let c2 = c[0:1]; x a[0];", [0, 2]),
    ],
)
def test_what_is_known_is_decided_when_the_text_is_read(body: str, qubits: list[int]) -> None:
    assert gates(read(body)) == [("x", qubit) for qubit in qubits]


# --- what depends on bits --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "bits"),
    [
        ("x q[1]; c = measure q; if (c == 2) { x q[0]; } c[0] = measure q[0];", "110"),
        ("x q[1]; c = measure q; if (c[0]) x q[2]; else x q[0]; c = measure q;", "110"),
        ("x q[0]; measure q[0] -> c[0]; if (!c[0]) { x q[1]; } c[1] = measure q[1];", "100"),
        ("while (c != 5) { c = uint[3](c) + 1; }", "101"),
        ("while (true) { c[0] = !c[0]; if (c[1]) break; c[1] = c[0]; }", "010"),
        ("while (c[2] == 0) { c = c << 1 | 1; if (c == 3) continue; x q[0]; } ", "111"),
        ("for int i in [0:2] { c[i] = 1; if (c[1]) { break; } }", "110"),
        ("for int i in [0:2] { if (c[0] && i == 1) { continue; } c[i] = 1; }", "101"),
        ("c = 3; if (c == 3) { end; } c = 0;", "110"),
        (
            "c = 2; switch (c) { case 0, 1 { c = 7; } case 2 { c = 3; } default { c = 4; } }",
            "110",
        ),
        ("c = 6; switch (c) { case 0, 1 { c = 7; } default { c = 4; } }", "001"),
        ('c = "011"; c[2] = c[0] ^ c[1]; c[0] = c[1] & c[2];', "010"),
        ("c = 5; c |= 2; c ^= 1;", "011"),
        ("c = 5; c = rotl(c, 1);", "110"),
        ("c = 7; c = popcount(c);", "110"),
        ("c = 1; c = ~c;", "011"),
        ("c = 7; if (int[3](c) == -1) { c = 1; }", "100"),
        ("bit[2] d = measure q[1:2]; x q[0]; d[0] = measure q[0]; c[1] = d[0];", "01010"),
        ("int n; x q[0]; c[0] = measure q[0]; n = c; switch (n) { case 1 { c = 4; } }", "001"),
        ("int n; if (c == 0) { n = 4; c = n; } n = 2; if (c == 4) { c = n; }", "010"),
        (
            f"{READ} x q[1]; c[0] = f(q[0]); c[1] = f(q[1]);",
            "0101",
        ),
        ("bit[3] d; let e = d[2] ++ c[0:1]; e = 3; ", "100001"),
        ("h q[0]; measure q[0]; reset q[0]; c[0] = measure q[0];", "000"),
        ("c = 5; bit[3] d; for bit b in c { d = d << 1 | b; }", "101101"),
        ("c = 5; bit n; for bit b in c { if (b) { n = !n; b = 0; } }", "1010"),
        ("def f(bit[3] b) { b = 7; } c = 2; f(c);", "010"),
        ("def f(bit[3] b) -> bit { return b[1]; } c = 2; c[0] = f(c);", "110"),
        ("def f(bit b) -> int[2] { return b + 2; } c = 1; if (f(c[0]) == -1) c = 4;", "001"),
        ("def f() { return; } c = 1; f(); c[1] = 1;", "110"),
        ("def f(bit a) { if (a) end; } c = 1; f(c[0]); c[1] = 1;", "100"),
        # a jump out of a turn, and what comes behind it in the text
        ("c = 1; for int i in [0:2] { if (c[0]) { break; } end; } c[1] = 1;", "110"),
        ("for int i in [0:2] { if (c[0]) { break; } end; } c[1] = 1;", "000"),
        ("c = 1; for int i in [0:2] { if (c[0]) { c = 2; continue; } end; } c[2] = 1;", "010"),
        ("c = 1; for int i in [0:2] { if (c[0]) { c = 2; continue; } c[2] = 1; break; }", "011"),
        ("for int i in [0:2] { if (c[0]) { c = 2; continue; } c[2] = 1; break; }", "001"),
        ("c = 1; if (c[0]) { for int i in [0:2] { if (c[1]) break; end; } } c = 7;", "100"),
        ("while (1) { c = c << 1 | 1; if (c == 7) { break; } }", "111"),
        ("while (c < 3) { for int i in [0:4] { if (i == 1) break; c = uint(c) + 1; } }", "110"),
        # values over bits
        ("c = 3; c = popcount(c);", "010"),
        ("int n = c + 1; bit d; d = 1; if (n == 1) c = 4;", "0011"),
        ("int n = 4; while (c != n) { c = uint(c) + n; }", "001"),
        ("c = 3; c = rotr(c, 1);", "101"),
        ("c = 6; uint[2] n = c; if (n == 2) c = 1;", "100"),
        ("c = 6; bool b = c; if (b == 1) c = 1;", "100"),
        ("c = 5; int n = c; c[1] = n[2];", "111"),
        ("c = 1; c = c << 1000000000;", "000"),
        ("c = 1; c = c << c;", "010"),
        ("c = 4; c = c >> (c - 5);", "000"),
        ("c = 2; if (-c == -2) c = 1;", "100"),
        ("c = 5; if (bit[2](uint[3](c) >> 1) == 2) c = 1;", "100"),
        ("bit[2] d = c[{0, 2}]; c = 5; d = c[{0, 2}];", "10111"),
    ],
)
def test_what_depends_on_bits_is_executed_in_each_shot(body: str, bits: str) -> None:
    assert {execute(read(body), seed) for seed in range(3)} == {bits}


def test_a_loop_goes_on_until_a_measurement_says_stop() -> None:
    program = read("while (!c[0]) { h q[0]; c[0] = measure q[0]; c[1] = 1; }")

    assert {execute(program, seed) for seed in range(20)} == {"110"}


def test_a_measurement_into_no_bit_still_collapses_the_qubit() -> None:
    program = read("h q[0]; measure q[0]; h q[0]; c[0] = measure q[0];")

    assert {execute(program, seed) for seed in range(20)} == {"000", "100"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("int n; if (c[0]) { n = 1; }\nrx(n) q;", "line 3: 'n' may have changed in the branch of"),
        ("int n; if (c[0]) { n = 1; } else {\nx q[n]; }", "line 3: 'n' may have changed"),
        ("int n;\nwhile (c[0]) { x q[n];\nn = 1; }", "line 4: 'n' changes in a loop on measured"),
        ("int n = c;\nc[0] = 1; if (n == 1) x q;", "line 3: the bits that 'n' was computed from"),
        ("int n = c; while (c[0]) { if (n == 1) x q;\nc = 1; }", "line 3: bits change in a loop"),
        (
            "int n; for int i in [0:2] { if (c[0]) break; n += 1; }\nx q[n];",
            "line 3: 'n' may have changed",
        ),
        (
            "int n; for int i in [0:2] { if (c[0]) continue; n += 1; }\nx q[n];",
            "line 2: 'n' may have changed",
        ),
        (
            f"{READ}\nc[0] = f(q[0]) ^ f(q[1]);",
            "line 3: the bits that 'the left side' was computed from",
        ),
        ("rx(c[0]) q[0];", "line 2: this must be known when the text is read"),
        ("float f = c;", "line 2: a variable of float type cannot depend on measured bits"),
        ("for int i in [0:c] { x q; }", "line 2: this must be known"),
        ("if (c / 2 == 1) x q;", "line 2: operator / on measured bits"),
        ("if (sqrt(c) == 1) x q;", "line 2: function 'sqrt' of measured bits"),
        ("int n = c + 1; c[0] = 1;\nif (n == 1) x q;", "line 3: the bits that 'n' was computed"),
        ("int n = c + 1;\nwhile (c[0]) { if (n == 1) x q; c[1] = 0; }", "line 3: bits change in a"),
        (f"{READ}\nif (f(q[0]) + 1 == f(q[1])) x q;", "line 3: the bits that 'the left side'"),
        ("int n; while (c[0]) { n = 1; } x q[n];", "line 2: 'n' may have changed in the branch"),
        ("int n; while (true) { n += 1; if (n == 3) break; }", "'n' changes in a loop on measured"),
        ("array[int, 2] a; a[0] = c;", "line 2: an array cannot hold what depends on"),
        ("int n = c + 1; c[0] = n[0];", "line 2: only registers, arrays and integers have"),
        ("if (~(c + 1) == 0) x q;", "line 2: operator ~ on a value that is not just bits"),
        ("def f(bit[2] b) { } f(c);", "line 2: 3 bits stand where 2 must"),
        ("if (rotl(c, c) == 1) x q;", "line 2: rotl takes a bit register and a known"),
        ("int n = 3; while (n > 0) {\nn = c; }", "line 2: while: its condition depends on bits"),
        (
            "def f(bit b) -> int {\nfor int i in [0:1] { if (b) break; return 5; } } c = f(c[0]);",
            "line 3: return: in a loop that bits may have left",
        ),
        ("int n = c; for int i in [0:60] { n = n + n; }", "a value of over 500 operators"),
        ("switch (c) { case " + ", ".join(map(str, range(200))) + " { } }", "over 500 operators"),
        ("if (c == 0.5) x q;", "line 2: 0.5 beside measured bits; only integers can be"),
        ("def f() -> int { if (c) { return 1; } return 2; } f();", "'c' is not declared"),
        (
            "def f(bit b) -> int {\nif (b) { return 1; }\nreturn 2; } f(c[0]);",
            "line 3: return: inside a branch on measured bits",
        ),
    ],
)
def test_what_would_differ_from_shot_to_shot_is_refused(body: str, message: str) -> None:
    with pytest.raises(InvalidCircuitError) as refusal:
        read(body)

    assert message in str(refusal.value)
