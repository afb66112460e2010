from __future__ import annotations

import math
import random
import sys
from contextlib import suppress

import openqasm3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openqasm3 import ast

from ionbox.errors import InvalidCircuitError
from ionbox.formats import openqasm
from ionbox.formats.openqasm import read_openqasm
from ionbox.formats.openqasm.gates import RULES
from ionbox.formats.openqasm.parsing import parse
from ionbox.formats.openqasm.plain import PlainGate

HEAD = "OPENQASM 3; qubit[3] q; bit[3] c;\n"
DOUBLING = "gate g0 a {{ {0} }}" + "".join(
    f"gate g{k} a {{{{ g{k - 1} a; g{k - 1} a; }}}}" for k in range(1, 45)
)
# two calls of each with other params: nothing that was expanded before can be used again
GROWING = "gate g0(a) b { } " + "".join(
    f"gate g{k}(a) b {{ g{k - 1}(a + 1) b; g{k - 1}(a * 2) b; }}" for k in range(1, 45)
)
NESTED = "".join(f"gate g{k} a {{ g{k - 1} a; }}" for k in range(1, 61))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("qubit[1000000000] r;", "at most|from 1 to 10000"),
        ("qubit[9999] r;", "10002 qubits; a circuit has at most 10000"),
        ("bit[1000000000] d;", "from 1 to 100000"),
        ("bit[99999] d;", "100002 classical bits; at most 100000"),
        ("array[int, 100000, 100000] a;", "10000000000 elements; at most 100000"),
        ("for int i in [0:1000000000] { x q; }", "a loop of over 2000000 turns"),
        ("for int i in [0:60000] { x q; }", "more than 150000 operations"),
        ("for int i in [0:160000] { c[0] = 1; }", "more than 150000 operations and steps"),
        ("pow(1e9) @ x q;", "repeats 1 operations; at most 150000"),
        ("pow(1e300) @ h q;", "repeats 1 operations; at most 150000"),
        ("ctrl(1000000000) @ x q[0], q[1];", "1000000000 controls; a gate has from 1 to 63"),
        ("int n = 2 ** 1000000000;", "too large"),
        ("int n = 1 << 1000000000;", "too large"),
        ("for int i in [0:2 ** 100] { }", "a loop of over 2000000 turns"),
        ("int n = 9 ** 9 ** 9 ** 9;", "too large"),
        ("x q[0:1000000000];", "index 1000000000 of something of size 3"),
        (GROWING + "g44(1) q[0];", "more than 2000000 steps to read"),
        ("for int i in [0:1000] { int n; while (n < 1000) { n += 1; } }", "steps to read"),
        ("def f(int n) { f(n + 1); } f(0);", "nested too deeply"),
        ("int n = c; while (1) { n = -n; c = n; }", "'n' changes in a loop on measured bits"),
        ("gate g0 a { } " + NESTED + "g60 q;", "gate g10 is nested over 50 deep"),
        (DOUBLING.format("x a;") + "g44 q;", "expands to over 150000 operations"),
        (f"rx({'(' * 3000}1{')' * 3000}) q;", "nested too deeply"),
        (f"rx({'-' * 3000}1) q;", "nested too deeply"),
        (f"rx({'1+' * 3000}1) q;", "nested too deeply"),
        ("{" * 3000 + "}" * 3000, "nested too deeply"),
        (f"int n = {'9' * 5000};", "the parser cannot read this"),
        ("x" + " " * 100_000 + ";", "'x' is not declared"),
        ("x q[" + " " * 100_000, "mismatched input"),
        ("/*" * 50_000, "mismatched input|extraneous input|no viable"),
        ("@" * 50_000 + "\n}", "extraneous input|mismatched"),
        ("x q[0] " + "y" * 5000 + ";", "y{100} …$"),
        ("/* " * 50_000, "mismatched input|extraneous input|no viable"),
        ('"' * 20_000, "token recognition error"),
    ],
)
def test_what_would_take_too_much_is_refused_at_once(body: str, message: str) -> None:
    with pytest.raises(InvalidCircuitError, match=message):
        read_openqasm((HEAD + body).encode())


def test_an_empty_gate_may_be_nested_without_growing() -> None:
    program = read_openqasm((HEAD + DOUBLING.format("") + "g44 q;").encode())

    assert program.gate_counts() == (0, 0)


def test_the_parser_is_imported_when_it_is_needed() -> None:
    # other tests of this process have needed it, so what is looked at is the module that stands
    # between
    assert "antlr4" not in vars(openqasm)
    assert "antlr4" in sys.modules


PLAIN = ["h q[0];", "cx q[0], q[2];", "rz(-pi/2) q[1];", "u3(0.5, 3*pi/4, 1e-3) q[2];", "x r[1];"]
OTHER = [
    "h q;",
    "// h q[0];\n",
    "/* h q[0];\n */",
    "c[0] = measure q[0];",
    "if (c[0]) x q[1];",
    "if (c[0]) { x q[1]; y q[2]; } else z q[0];",
    "for int i in {0, 1} x q[i];",
    "gate g@ a { x a; y a; }",
    "@note; h q[0];\ny q[2];",
    "pragma h q[0]; x q[1];\n",
    "rx(sin(1)) q[0];",
    "ctrl @ x q[0], q[1];",
    "barrier q[0], q[1];",
    "reset q[1];",
    'include "stdgates.inc";',
]


@pytest.mark.parametrize("seed", range(30))
def test_what_is_read_without_the_parser_is_what_the_parser_reads(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a test's choice
    lines = [rng.choice([*PLAIN, *OTHER]).replace("g@", f"g{k}") for k in range(40)]
    text = rng.choice([" ", "\n"]).join(["OPENQASM 3;", *lines])

    _, statements = parse(text)

    expected = [s for s in openqasm3.parse(text).statements if not isinstance(s, ast.Pragma)]
    assert len(statements) == len(expected)
    for statement, node in zip(statements, expected, strict=True):
        assert shape(statement) == shape(node)


def shape(statement: object) -> object:
    """Return what a statement says, as a plain gate says it where it could be one."""
    if isinstance(statement, PlainGate):
        return statement.line, statement.name, len(statement.params), statement.operands
    assert isinstance(statement, ast.Statement)
    statement.annotations = []
    if not isinstance(statement, ast.QuantumGate) or statement.modifiers:
        return statement
    indexed = [qubit for qubit in statement.qubits if isinstance(qubit, ast.IndexedIdentifier)]
    operands = tuple((qubit.name.name, index(qubit)) for qubit in indexed)
    assert statement.name.span is not None  # an annotation's line is not the gate's
    return statement.name.span.start_line, statement.name.name, len(statement.arguments), operands


def index(qubit: ast.IndexedIdentifier) -> int:
    (((literal,),),) = ([i for i in qubit.indices if isinstance(i, list)],)
    assert isinstance(literal, ast.IntegerLiteral)
    return literal.value


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 99))
def test_a_number_without_the_parser_is_the_same_float(number: float, divisor: int) -> None:
    body = f"rx({number!r}) q[0]; rx({abs(number)!r}*pi/{divisor}) q[0]; rx(-pi/{divisor}) q[0];"
    expected = [number, abs(number) * math.pi / divisor, -math.pi / divisor]

    if all(map(math.isfinite, expected)):
        circuit = read_openqasm((HEAD + body).encode()).circuit
        assert circuit is not None
        assert [o.params[0] for o in circuit.operations()] == expected
        assert circuit.params.tolist() == slow(body)


def slow(body: str) -> list[float]:
    """Return the params as the parser reads them, which in a block it does."""
    circuit = read_openqasm((HEAD + "{" + body + "}").encode()).circuit
    assert circuit is not None
    params: list[float] = circuit.params.tolist()
    return params


SPACES = st.sampled_from(["", " ", "\n", " /* ; */ ", " // }\n"])
PARAMS = st.lists(
    st.sampled_from(["0", "007", "1.", ".5", "2e-3", "pi", "- pi / 4", "3*pi/8", "-1.5*pi"]),
    min_size=3,
    max_size=3,
)


@given(
    name=st.sampled_from(["h", "rx", "u3", "cx", "crz"]),
    params=PARAMS,
    qubits=st.permutations([0, 1, 2]),
    space=SPACES,
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_gate_without_the_parser_is_the_gate_of_the_parser(
    name: str, params: list[str], qubits: list[int], space: str
) -> None:
    given_params = params[: RULES[name].num_params[0]]
    operands = f"{space},{space}".join(
        f"q{space}[{space}{k}{space}]" for k in qubits[: RULES[name].num_qubits]
    )
    listed = f"{space}({f'{space},'.join(given_params)}{space})" if given_params else " "
    call = f"{name}{listed}{space}{operands}{space};"

    is_plain = any(isinstance(statement, PlainGate) for statement in parse(HEAD + call)[1])
    assert is_plain is ("/" not in space)
    plain, parsed = (read_openqasm((HEAD + text).encode()) for text in (call, "{" + call + "}"))
    assert plain.circuit is not None
    assert parsed.circuit is not None
    assert list(plain.circuit.operations()) == list(parsed.circuit.operations())


TEXTS = [
    (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\nc = measure q;\n'
        "if (c == 1) { x q[1]; } else { inv @ s q; }\nwhile (c[0]) { c[0] = measure q[0]; }\n"
    ),
    (
        "OPENQASM 3;\ninput float[64] a; qubit[3] q;\n"
        "gate g(t) x, y { rx(t) x; ctrl @ p(t/2) x, y; }\n"
        "for int i in [0:1] { g(a * i) q[i], q[i + 1]; pow(0.5) @ x q[0:1]; }\n"
        "let b = q[0] ++ q[2];\n"
    ),
    (
        "OPENQASM 2.0;\nqreg q[2]; creg c[2]; opaque m a;\ngate k a { u3(0, pi^2, 0) a; }\nk q;\n"
        "measure q -> c; if (c == 1) x q[0];"
    ),
    (
        "OPENQASM 3; qubit[2] q; bit[2] c; const int n = 3; array[int, 2] a = {1, 2}; a[0] += n;\n"
        "def f(qubit x) -> bit { bit r = measure x; return r; }\n"
        "c[0] = f(q[0]); rx(a[1] ** 2) q[0];\n"
        "switch (c) { case 0 { ms(0, 0.5) q[0], q[1]; } default { zz(0.1) q[0], q[1]; } } reset q;"
    ),
]
WORDS = sorted({word for text in TEXTS for word in text.split()}) + list(
    "()[]{};,@:=+-*/^~!<>$#\"'\n\0"
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a text with pieces removed, doubled or replaced."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        piece = draw(st.sampled_from(WORDS) | st.text(max_size=3) | st.just(text[start:end] * 2))
        text = text[:start] + piece + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    return data if draw(st.booleans()) else data[: draw(st.integers(0, len(data)))]


@given(text=mutated(), params=st.lists(st.floats(), max_size=2))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused(text: bytes, params: list[float]) -> None:
    with suppress(InvalidCircuitError):
        read_openqasm(text, params)
