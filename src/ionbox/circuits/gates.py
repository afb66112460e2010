"""GATES, the table of all gates: one row a gate, and all that is known of it in that row.

A gate is known by its gateset and its name: `zz` is two gates. The redundant columns are proved
against each other by one test over all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import copysign, fmod, pi
from types import MappingProxyType
from typing import Final, TypeAlias

from ionbox.circuits import unitaries
from ionbox.circuits.unitaries import Matrix

Params: TypeAlias = tuple[float, ...]
Inverse: TypeAlias = Callable[[Params], tuple[str, Params]]

GATESETS: Final = ("qis", "native")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a gate.

    Args:
        name: The key on the wire.
        unit: "radians", "turns", or "1" for a plain number.
        size: Numbers in it; more than one is a list on the wire, None is one for each term.
        default: What holds when the parameter is not given; None if it must be.
        aliases: Other keys that clients send it under.
        minimum: The least value.
    """

    name: str
    unit: str
    size: int | None = 1
    default: float | None = None
    aliases: tuple[str, ...] = ()
    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """A row of the table.

    Args:
        gateset: "qis" or "native".
        name: The word on the wire.
        num_targets: None where the terms say it.
        unitary: From the flattened params (and `terms`, for pauliexp) to the matrix over the
            targets, targets[0] the lowest bit.
        inverse: From the params to the row (its name, its params) that undoes the gate.
        source: Where the matrix is defined.
        params: In the order in which an operation's params are flattened.
        aliases: Other names on the wire.
        controllable: Whether it may have controls.
        min_controls: Controls that it must have.
        is_diagonal: Whether the matrix is diagonal for all params.
    """

    gateset: str
    name: str
    num_targets: int | None
    unitary: Callable[..., Matrix]
    inverse: Inverse
    source: str
    params: tuple[Param, ...] = ()
    aliases: tuple[str, ...] = ()
    controllable: bool = True
    min_controls: int = 0
    is_diagonal: bool = False


def _same(name: str) -> Inverse:
    return lambda params: (name, params)


def _negated(name: str) -> Inverse:
    return lambda params: (name, tuple(-value for value in params))


def _negated_coefficients(params: Params) -> tuple[str, Params]:
    *coefficients, time = params  # the time may not be negative
    return "pauliexp", (*(-value for value in coefficients), time)


def _half_a_turn_on(name: str) -> Inverse:
    """Move the first phase by half a turn, staying between -1 and 1."""

    def inverse(params: Params) -> tuple[str, Params]:
        phase = fmod(params[0], 1.0)
        return name, (phase - copysign(0.5, phase), *params[1:])

    return inverse


_ROTATION = (Param("rotation", "radians"),)
_PHASE = (Param("phase", "turns"),)
_BOOK = "Nielsen & Chuang, section 4.2"
_API = "IonQ API reference, gateset qis"
_NATIVE = "IonQ, Getting started with native gates"

GATES: Final[tuple[Gate, ...]] = (
    Gate("qis", "x", 1, unitaries.x_unitary, _same("x"), _BOOK, aliases=("not",)),
    Gate("qis", "y", 1, unitaries.y_unitary, _same("y"), _BOOK),
    Gate(
        "qis",
        "z",
        1,
        unitaries.z_unitary,
        _negated("z"),
        "Nielsen & Chuang, section 4.2; with a rotation as qiskit-ionq and Tangelo send it",
        params=(Param("rotation", "radians", default=pi),),
        is_diagonal=True,
    ),
    Gate("qis", "h", 1, unitaries.h_unitary, _same("h"), _BOOK),
    Gate("qis", "s", 1, unitaries.s_unitary, _same("si"), _BOOK, is_diagonal=True),
    Gate("qis", "si", 1, unitaries.si_unitary, _same("s"), _BOOK, is_diagonal=True),
    Gate("qis", "t", 1, unitaries.t_unitary, _same("ti"), _BOOK, is_diagonal=True),
    Gate("qis", "ti", 1, unitaries.ti_unitary, _same("t"), _BOOK, is_diagonal=True),
    Gate("qis", "v", 1, unitaries.v_unitary, _same("vi"), _API),
    Gate("qis", "vi", 1, unitaries.vi_unitary, _same("v"), _API),
    Gate("qis", "rx", 1, unitaries.rx_unitary, _negated("rx"), _BOOK, _ROTATION),
    Gate("qis", "ry", 1, unitaries.ry_unitary, _negated("ry"), _BOOK, _ROTATION),
    Gate("qis", "rz", 1, unitaries.rz_unitary, _negated("rz"), _BOOK, _ROTATION, is_diagonal=True),
    Gate(
        "qis",
        "cnot",
        1,
        unitaries.x_unitary,
        _same("cnot"),
        "Nielsen & Chuang, section 4.3",
        min_controls=1,
    ),
    Gate(
        "qis", "swap", 2, unitaries.swap_unitary, _same("swap"), "Nielsen & Chuang, section 1.3.4"
    ),
    Gate("qis", "xx", 2, unitaries.xx_unitary, _negated("xx"), _API, _ROTATION),
    Gate("qis", "yy", 2, unitaries.yy_unitary, _negated("yy"), _API, _ROTATION),
    Gate("qis", "zz", 2, unitaries.zz_unitary, _negated("zz"), _API, _ROTATION, is_diagonal=True),
    Gate(
        "qis",
        "pauliexp",
        None,
        unitaries.pauliexp_unitary,
        _negated_coefficients,
        _API,
        # time * coefficients is in radians
        params=(Param("coefficients", "1", size=None), Param("time", "1", minimum=0.0)),
    ),
    Gate(
        "native", "gpi", 1, unitaries.gpi_unitary, _same("gpi"), _NATIVE, _PHASE, controllable=False
    ),
    Gate(
        "native",
        "gpi2",
        1,
        unitaries.gpi2_unitary,
        _half_a_turn_on("gpi2"),
        _NATIVE,
        params=_PHASE,
        controllable=False,
    ),
    Gate(
        "native",
        "ms",
        2,
        unitaries.ms_unitary,
        _half_a_turn_on("ms"),
        _NATIVE,
        params=(Param("phases", "turns", size=2), Param("angle", "turns", default=0.25)),
        controllable=False,
    ),
    Gate(
        "native",
        "zz",
        2,
        unitaries.native_zz_unitary,
        _negated("zz"),
        _NATIVE,
        # cirq-ionq sends the angle under `phase`
        params=(Param("angle", "turns", aliases=("phase", "phases")),),
        controllable=False,
        is_diagonal=True,
    ),
    Gate(
        "native",
        "nop",
        1,
        unitaries.identity_unitary,
        _same("nop"),
        "IonQ API reference, gateset native",
        controllable=False,
        is_diagonal=True,
    ),
)

# The row's number is what a packed circuit holds.
ROW_BY_NAME: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        (gate.gateset, name): row
        for row, gate in enumerate(GATES)
        for name in (gate.name, *gate.aliases)
    },
)

GATE_BY_NAME: Final[Mapping[tuple[str, str], Gate]] = MappingProxyType(
    {key: GATES[row] for key, row in ROW_BY_NAME.items()},
)
