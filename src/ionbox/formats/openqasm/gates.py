"""RULES, the gates of OpenQASM as operations of our own: one row a gate.

Those of stdgates.inc and qelib1.inc, and the native ones. A gate's phase is that of OpenQASM 3,
where a control can show it; OpenQASM 2 cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Final, TypeAlias

from ionbox.circuits.gates import GATES, Gate
from ionbox.formats.openqasm.operations import Op, controlled, euler, gphase, moved, qis

Ops: TypeAlias = Callable[..., Sequence[Op]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table.

    Args:
        num_params: The least and the most it takes.
        num_qubits: Controls come first among them.
        ops: From the params, in radians, or in turns for native gates, to operations on qubits
            0, 1, ...
    """

    num_params: tuple[int, int]
    num_qubits: int
    ops: Ops


def _u(theta: float, phi: float, lam: float) -> list[Op]:
    """Return [[c, -exp(i lam) s], [exp(i phi) s, exp(i (phi + lam)) c]]; c, s of theta/2."""
    return euler(theta, phi, lam, (0,))


def _builtin_u(theta: float, phi: float, lam: float) -> list[Op]:
    """Return U of OpenQASM 3, which is `u` times exp(i theta/2)."""
    return [gphase(theta / 2), *_u(theta, phi, lam)]


def _u3(theta: float, phi: float, lam: float) -> list[Op]:
    """Return rz(phi) ry(theta) rz(lam): the U of OpenQASM 2, and u3 of stdgates.inc."""
    return [gphase(-(phi + lam) / 2), *_u(theta, phi, lam)]


def _u2(phi: float, lam: float) -> list[Op]:
    return _u3(pi / 2, phi, lam)


def _cu(theta: float, phi: float, lam: float, gamma: float) -> list[Op]:
    return [qis("z", 0, params=[gamma]), *_cu3(theta, phi, lam)]


def _cu3(theta: float, phi: float, lam: float) -> list[Op]:
    """Return u with a control: what Qiskit's qelib1.inc says, and cu of stdgates.inc."""
    return controlled(moved(_u(theta, phi, lam), [1]), [0])


def _rccx() -> list[Op]:
    """Return the Toffoli gate up to phases of basis states; qubit 2 is the target."""
    return [
        qis("h", 2),
        qis("t", 2),
        qis("x", 1, 2, num_controls=1),
        qis("ti", 2),
        qis("x", 0, 2, num_controls=1),
        qis("t", 2),
        qis("x", 1, 2, num_controls=1),
        qis("ti", 2),
        qis("h", 2),
    ]


def _rc3x() -> list[Op]:
    """Return x with three controls up to phases of basis states; qubit 3 is the target."""
    ends = [qis("h", 3), qis("t", 3), qis("x", 2, 3, num_controls=1), qis("ti", 3), qis("h", 3)]
    middle = [
        qis("x", 0, 3, num_controls=1),
        qis("t", 3),
        qis("x", 1, 3, num_controls=1),
        qis("ti", 3),
    ] * 2
    return [*ends, *middle, *ends]


def _row(
    name: str, *, params: Sequence[float] = (), free: int = 0, controls: int = 0, targets: int = 1
) -> Rule:
    """Return the rule for a gate that is one of ours, with fixed params or with free ones."""
    qubits = range(controls + targets)
    fixed = (qis(name, *qubits, params=params, num_controls=controls),)
    if not free:
        return Rule((0, 0), len(qubits), lambda: fixed)
    (op,) = fixed
    return Rule((free, free), len(qubits), lambda *given: (op._replace(params=given),))


def _native(gate: Gate, row: int) -> Rule:
    sizes = [(param.size or 1, param.default) for param in gate.params]
    most = sum(size for size, _ in sizes)
    defaults = tuple(default for _, default in sizes if default is not None)
    targets = tuple(range(gate.num_targets or 0))

    def ops(*params: float) -> tuple[Op, ...]:
        missing = most - len(params)
        return (Op(row, targets, (), params + defaults[len(defaults) - missing :]),)

    return Rule((most - len(defaults), most), len(targets), ops)


# What Qiskit and stdgates.inc write for cx. By the letter it is that times s on the control, since
# U has another phase there than for them.
CX_BY_U: Final = controlled(moved(_builtin_u(pi, 0, pi), [1]), [0])

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "x": _row("x"),
        "cx": _row("x", controls=1),
        "CX": _row("x", controls=1),
        "ccx": _row("x", controls=2),
        "c3x": _row("x", controls=3),
        "c4x": _row("x", controls=4),
        "y": _row("y"),
        "cy": _row("y", controls=1),
        "z": _row("z", params=[pi]),
        "cz": _row("z", params=[pi], controls=1),
        "ccz": _row("z", params=[pi], controls=2),
        "h": _row("h"),
        "ch": _row("h", controls=1),
        "s": _row("s"),
        "cs": _row("s", controls=1),
        "sdg": _row("si"),
        "csdg": _row("si", controls=1),
        "t": _row("t"),
        "tdg": _row("ti"),
        "sx": _row("v"),
        "csx": _row("v", controls=1),
        "c3sx": _row("v", controls=3),
        "c3sqrtx": _row("v", controls=3),
        "sxdg": _row("vi"),
        "rx": _row("rx", free=1),
        "crx": _row("rx", free=1, controls=1),
        "ry": _row("ry", free=1),
        "cry": _row("ry", free=1, controls=1),
        "rz": _row("rz", free=1),
        "crz": _row("rz", free=1, controls=1),
        "p": _row("z", free=1),
        "cp": _row("z", free=1, controls=1),
        "phase": _row("z", free=1),
        "cphase": _row("z", free=1, controls=1),
        "u1": _row("z", free=1),
        "cu1": _row("z", free=1, controls=1),
        "swap": _row("swap", targets=2),
        "cswap": _row("swap", controls=1, targets=2),
        "rxx": _row("xx", free=1, targets=2),
        "ryy": _row("yy", free=1, targets=2),
        "rzz": _row("zz", free=1, targets=2),
        "id": Rule((0, 0), 1, list),
        "u0": Rule((1, 1), 1, lambda _: []),
        "U": Rule((3, 3), 1, _builtin_u),
        "u": Rule((3, 3), 1, _u),
        "u2": Rule((2, 2), 1, _u2),
        "u3": Rule((3, 3), 1, _u3),
        "cu": Rule((4, 4), 2, _cu),
        "cu3": Rule((3, 3), 2, _cu3),
        "rccx": Rule((0, 0), 3, _rccx),
        "rc3x": Rule((0, 0), 4, _rc3x),
        **{
            gate.name: _native(gate, row)
            for row, gate in enumerate(GATES)
            if gate.gateset == "native"
        },
    }
)
