"""Which variables still hold what the reader thinks they hold.

A variable may hold a value over measured bits, until one of these bits changes. A variable that
changes where it is not known whether this place is reached (in a branch on measured bits, or
after a jump out of a loop) is unknown afterwards. In a loop on measured bits nothing may change
that the loop has used before, because its next turn would see the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from openqasm3 import ast

from ionbox.circuits.program import Bits, Constant, Value
from ionbox.formats.openqasm.names import Measured, Result, Variable, fault


@dataclass(slots=True)
class _MeasuredLoop:
    """A loop that is left when bits say so.

    Args:
        start: When it was opened.
        used: Variables from before it that were read inside it, by identity, with their names.
    """

    start: int
    used: dict[int, tuple[Variable, str]] = field(default_factory=dict)


class Changes:
    """Keeps account of reads and writes, by a clock that ticks at each write."""

    def __init__(self) -> None:
        self._clock = 0
        self._written: dict[int, int] = {}  # bit → when
        self._last_write = 0
        self._loops: list[_MeasuredLoop] = []
        self._collecting: list[dict[int, Variable]] = []

    def now(self) -> int:
        """Return the time."""
        return self._clock

    @contextmanager
    def collected(self) -> Iterator[dict[int, Variable]]:
        """Collect the variables that change, by identity."""
        self._collecting.append({})
        try:
            yield self._collecting[-1]
        finally:
            self._collecting.pop()

    @contextmanager
    def measured_loop(self) -> Iterator[None]:
        """Read a loop that may come back to its start."""
        self._clock += 1
        self._loops.append(_MeasuredLoop(self._clock))
        try:
            yield
        finally:
            self._loops.pop()

    def read(self, variable: Variable, name: str, node: ast.QASMNode) -> Result:
        """Return what a variable holds.

        Raises:
            InvalidCircuitError: If that is not certain.
        """
        if variable.unknown_since is not None:
            message = f"'{name}' may have changed in the branch of line {variable.unknown_since}"
            raise fault(node, f"{message}, which depends on bits")
        if isinstance(variable.value, Measured):
            self.check_unchanged(variable.value, variable.assigned, name, node)
        for loop in self._loops:
            if variable.assigned < loop.start and not variable.is_constant:
                loop.used[id(variable)] = (variable, name)
        return variable.value

    def check_unchanged(self, value: Value, since: int, name: str, node: ast.QASMNode) -> None:
        """Refuse a value whose bits have changed since it was computed."""
        if since >= self._last_write:
            return
        if any(self._written.get(bit, -1) > since for bit in _bits_in(value)):
            raise fault(node, f"the bits that '{name}' was computed from have changed since")

    def assign(self, variable: Variable, value: Result, name: str, node: ast.QASMNode) -> None:
        """Give a variable a new value."""
        for loop in self._loops:
            if id(variable) in loop.used:
                message = f"'{name}' changes in a loop on measured bits that has used it before"
                raise fault(node, message)
        self._clock += 1
        variable.value, variable.assigned, variable.unknown_since = value, self._clock, None
        for changed in self._collecting:
            changed[id(variable)] = variable

    def write(self, bits: Iterable[int], node: ast.QASMNode) -> None:
        """Note that bits change."""
        bits = set(bits)
        for loop in self._loops:
            for variable, name in loop.used.values():
                if isinstance(variable.value, Measured) and bits & _bits_in(variable.value):
                    message = f"bits change in a loop that has used '{name}', computed from them"
                    raise fault(node, message)
        self._clock += 1
        self._last_write = self._clock
        self._written |= dict.fromkeys(bits, self._clock)


def doubt(variables: Mapping[int, Variable], line: int) -> None:
    """Note that variables may have changed or not, because of a branch."""
    for variable in variables.values():
        variable.unknown_since = line


def _bits_in(value: Value) -> set[int]:
    match value:
        case Constant():
            return set()
        case Bits(bits):
            return set(bits)
        case _:
            return set().union(*map(_bits_in, value.operands))
