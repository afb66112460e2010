"""The operators and functions of OpenQASM on numbers that are known when the text is read."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

from ionbox.circuits.program import OPERATORS

# No integer of a real program is longer; a hostile one is refused before it takes memory.
MAX_INTEGER_BITS: Final = 4096

Function = Callable[..., bool | int | float]


def _remainder(a: float, b: float) -> float:
    """Return what is left of a, with its sign, as in C."""
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) % abs(b) * (-1 if a < 0 else 1)
    return math.fmod(a, b)


def _quotient(a: float, b: float) -> float:
    """Divide whole numbers towards 0, as in C."""
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) // abs(b) * (-1 if (a < 0) is not (b < 0) else 1)
    return a / b


def _power(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if a.bit_length() * b > MAX_INTEGER_BITS:
            raise OverflowError
        return int(a**b)
    return math.pow(a, b)


def _shift_left(a: int, b: int) -> int:
    if a.bit_length() + b > MAX_INTEGER_BITS:
        raise OverflowError
    return a << b


def _popcount(number: int) -> int:
    if number < 0:
        raise ValueError("popcount of a negative number, whose width is not known")
    return operator.index(number).bit_count()


# As a run computes them, and what only a number that is known can be given to.
BINARY: Final[Mapping[str, Function]] = {
    **OPERATORS,
    "/": _quotient,
    "%": _remainder,
    "**": _power,
    "<<": _shift_left,
    ">>": operator.rshift,
}
UNARY: Final[Mapping[str, Function]] = {
    "-": operator.neg,
    "!": operator.not_,
    "~": lambda a: not a if isinstance(a, bool) else ~a,
}
FUNCTIONS: Final[Mapping[str, Function]] = {
    "arccos": math.acos,
    "arcsin": math.asin,
    "arctan": math.atan,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "ceiling": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "ln": math.log,
    "log": math.log,
    "mod": _remainder,
    "popcount": _popcount,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
FAILURES: Final = (ArithmeticError, ValueError, TypeError)
