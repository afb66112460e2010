from __future__ import annotations

import pytest

from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm import read_openqasm

HEAD = "OPENQASM 3.0; qubit[3] q; bit[3] c;\n\n\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x $0;", "physical qubit $0"),
        ("box { x q; }", "box: timing"),
        ("duration d = 10ns;", "duration: timing"),
        ("stretch s;", "stretch: timing"),
        ("x[10ns] q;", "timing"),
        ("extern f(int) -> int;", "extern"),
        ("defcal x $0 {}", "defcal"),
        ("cal {}", "cal: pulses"),
        ('defcalgrammar "openpulse";', "defcalgrammar"),
        ("complex[float[64]] z;", "complex"),
        ("input bit b;", "input 'b' is neither float nor angle"),
        ("input duration d;", "input 'd' is neither"),
        ('include "mine.inc";', "include of 'mine.inc'; known here are stdgates.inc, qelib1.inc"),
        ("opaque g a;", "opaque: only OpenQASM 2"),
        ("foo q;", "'foo' is no gate that is known here"),
        ("rx(exp(1000)) q[0];", "a number here is too large"),
        ("rx(2 ** 2000 * 2 ** 2000 * 2 ** 2000) q[0];", "a number here is too large"),
        ("rx(sqrt(-1)) q[0];", "cannot be computed: math domain error"),
        ("gate g a { for int i in [0:1] { x a; } } g q[0];", "gate g: a definition holds only"),
        ("x q[0.5:1];", "0.5 stands where a whole number must"),
        ("gphase(1e999);", "inf must be finite"),
        ("pow(0.5) @ rx(1e999) q[0];", "inf must be finite"),
        ("pow(2 ** 2000) @ rz(1) q[0];", "a number here is too large"),
        ("rx(2 ** 2000) q[0];", "a number here is too large"),
        ("array[int, 2] a; int n = a * 1000000000;", "an array stands where a number must"),
        ("array[int, 2] a; int n = -a;", "an array stands where a number must"),
        ("array[int, 2] a; int n = a;", "an array stands where a number must"),
        ("array[int, 2] a; rx(a) q[0];", "an array stands where a number must"),
        ("array[int, 2] a; if (a) x q;", "an array is no condition"),
        ("array[int, 2] a; switch (a) { case 1 { } }", "switch: on something that is no whole"),
        ("array[int, 2] a = {1};", "an array of size 2 is given something else"),
        ("array[int, 2] a = 1;", "an array of size 2 is given something else"),
        ("array[int, 2] a; array[int, 2] b; a[0:1] = b;", "one element of an array is assigned to"),
        ("array[int, 2] a; a[0][1] = 1;", "2 indices where there are 1 dimensions"),
        ("int n; n[0] = 1;", "only an element of an array can be assigned to"),
        ("float f; rx(f[0]) q[0];", "only registers, arrays and integers have elements"),
        ("x q[0, 1];", "2 indices where there is one dimension"),
        ("x q[2:1];", "a range without elements"),
        ("for int i in [0:0:2] { }", "a range needs both ends and a step that is not 0"),
        ("for int i in 5 { }", "for: neither a range, a set, an array nor a register"),
        ("sizeof(1);", "only registers and arrays have a size"),
        ("array[int, 2] a; sizeof(a, 1000000000);", "only registers and arrays have a size"),
        ("array[int, 2] a; sizeof(a, -1);", "only registers and arrays have a size"),
        ("rx(popcount(-1)) q[0];", "popcount of a negative number"),
        ("int n = 1 << -1;", "cannot be computed: negative shift count"),
        ("rx(foo(1)) q[0];", "function 'foo' is not known"),
        ("rx(10ns) q[0];", "duration literal has no value here"),
        ("int n = int(10ns);", "duration literal has no value here"),
        ("int n = duration(1);", "variables of type duration type are not read"),
        ("int n = int(1e999);", "inf does not fit: cannot convert"),
        ("bit d = 0.5;", "0.5 beside measured bits; only integers can be"),
        ("int n = measure q[0];", "'n' is measured; only bits can be"),
        ("output int n;", "output 'n' is no bits; results are registers"),
        ("let a = q[0] ++ c[0];", "qubits and bits cannot be one alias"),
        ("let a = 1;", "integer literal names neither qubits nor bits"),
        ("int n; let a = n;", "'n' is neither qubits nor bits"),
        ("int n; x n[0:1];", "'n' is neither qubits nor bits"),
        ("qubit r; x r[0];", "'r' is no register of qubits"),
        ("qubit r; x r[0:0];", "a single qubit or bit has no elements"),
        ("q = 1;", "'q' cannot be assigned to"),
        ("q[0] = measure q[0];", "qubits stand where bits must"),
        ("pi = 3;", "'pi' is constant"),
        ("q(1);", "'q' is no subroutine"),
        ("def f(int n) { } f();", "'f' takes 1 arguments, not 0"),
        ("def f(qubit a) { } f(c[0]);", "'a' takes qubits"),
        ("def f(qubit a) { } f(q);", "'a' takes 1 qubits, not 3"),
        ("def f(qubit[2] a) { } f(q);", "'a' takes 2 qubits, not 3"),
        ("def f(readonly array[int, #dim=1] a) { } array[int, 1] b; f(b);", "references to arrays"),
        ("def f() { } rx(f()) q[0];", "'f' returns nothing that could stand here"),
        ("def f() -> int { } rx(f()) q[0];", "'f' returns nothing that could stand here"),
        ("def f() { return 1; } f();", "'f' declares no type that it returns"),
        (
            "def f(qubit a) -> bit { return measure a; } f(q[0]);",
            "return: measure into a bit first",
        ),
        ("def f() { end; } f();", "end: inside a subroutine it is not executed"),
        ("bit[2] d; for int i in [1:2] { bit[i] e; }", "'e' changes its size from turn to turn"),
        ("if (true) { gate g a { } }", "gate definitions must be global"),
        ("if (true) { def f() { } }", "subroutine definitions must be global"),
        ("if (true) { qubit r; }", "qubit declarations must be global"),
        ("gate g(a) b { rx(a) b; } g q[0];", "gate g takes 1 parameters, not 0"),
        ("gate g a { pragma_ a; } g q[0];", "'pragma_' is no gate that is known here"),
        ("int h; h q[0];", "'h' is no gate that is known here"),
        ("gphase(1) q[9];", "index 9 of something of size 3"),
        ("foo q[0];", "'foo' is no gate that is known here"),
        ("x r[0];", "'r' is no register of qubits"),
        ("x q[3];", "qubit 3 of 'q', which has 3"),
        ("x q[-4];", "index -4 of something of size 3"),
        ("cx q[0];", "gate cx acts on 2 qubits here, not 1"),
        ("cx q[1], q[1];", "gate cx is given a qubit twice"),
        ("rx q[1];", "gate rx takes 1 parameters, not 0"),
        ("ms(0) q[0], q[1];", "gate ms takes 2 or 3 parameters, not 1"),
        ("rx(1e999) q[0];", "inf must be finite"),
        ("x c;", "bits stand where qubits must"),
        ("c = q;", "'q' is no number"),
        ("c = measure q[0];", "1 qubits are measured into 3 bits"),
        ("qubit[2] r; cx q, r;", "registers of different sizes, 2 and 3"),
        ("gpi(0.1) q[0]; h q[1];", "gate h of gateset qis in a program with gate gpi of gateset"),
        ("ctrl @ gpi(0) q[0], q[1];", "gpi takes no controls"),
        ("pow(0.5) @ cu(1, 2, 3, 4) q[0], q[1];", "gate cu: pow(0.5) has an exact form only"),
        ("pow(0.5) @ gpi(0) q[0];", "gate gpi: pow(0.5)"),
        ("opaque", "no viable alternative"),
        ("x q[0]", "missing ';'"),
        ("const int n = 1; n = 2;", "'n' is constant"),
        ("int n; int n;", "'n' is declared already"),
        ("int pi;", "'pi' is declared already"),
        ("bit[2] c;", "a second register 'c'"),
        ("rx(1 / 0) q[0];", "cannot be computed: "),
        ("float f = sqrt(-1);", "cannot be computed"),
        ("gate g a { g a; } g q[0];", "gate g calls itself"),
        ("gate g a { x a; reset a; }", "line 2"),
        ("def f(qubit a) { f(a); } f(q[0]);", "nested too deeply"),
        ("return 1;", "'return' statement outside subroutine"),
        ("break;", "'break' statement outside loop"),
        ("gate g(a) b { rx(n) b; } int n = 1; g(1) q[0];", "'n' is not declared"),
    ],
)
def test_what_is_not_read_is_named_with_its_line(body: str, message: str) -> None:
    with pytest.raises(InvalidCircuitError) as refusal:
        read_openqasm(f"{HEAD}{body}\n".encode())

    assert refusal.value.path in {"line 4", "line 5"}
    assert message in str(refusal.value) or message == "line 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"OPENQASM 4; qubit q;", "line 1: OpenQASM 4; read are versions 2 and 3"),
        (b"OPENQASM 1.0; qubit q;", "line 1: OpenQASM 1.0"),
        (b"OPENQASM 3; bit c;", "data: no qubits are declared"),
        (b"", "data: no qubits are declared"),
        (b"qubit q;\n\xff", "line 2: the text is not UTF-8"),
        (b"OPENQASM 2.0;\nqreg q[1]; opaque g a; g q[0];", "line 2: opaque gate g has no"),
    ],
)
def test_a_text_that_is_no_program_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(InvalidCircuitError) as refusal:
        read_openqasm(text)

    assert str(refusal.value).startswith(message)
