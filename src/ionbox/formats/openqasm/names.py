"""What the names of a text stand for, and where they can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import e, pi
from typing import Final, TypeAlias

from openqasm3 import ast

from ionbox.circuits.program import Bits, Constant, Expression
from ionbox.errors import InvalidCircuitError

# An array is a list of what is known.
Known: TypeAlias = "bool | int | float | list[Known]"
Measured: TypeAlias = Constant | Bits | Expression
Result: TypeAlias = "Known | Measured"


@dataclass(frozen=True, slots=True)
class Qubits:
    """Qubits in order; `is_register` is False for a single one without a size."""

    qubits: tuple[int, ...]
    is_register: bool


@dataclass(frozen=True, slots=True)
class BitNames:
    """Classical bits in order; `is_register` is False for a single one without a size."""

    bits: tuple[int, ...]
    is_register: bool


@dataclass(slots=True)
class Variable:
    """A value that is known when the text is read, or computed from bits.

    Args:
        assigned: When, by the clock of `Changes`.
        unknown_since: The line of a branch in which it may have changed.
    """

    value: Result
    type: ast.ClassicalType | None
    is_constant: bool
    assigned: int = 0
    unknown_since: int | None = None


@dataclass(frozen=True, slots=True)
class GateDefinition:
    """A gate that the text defines; without a body if OpenQASM 2 calls it opaque."""

    params: tuple[str, ...]
    qubits: tuple[str, ...]
    body: list[ast.QuantumStatement] = field(default_factory=list)
    is_opaque: bool = False


@dataclass(frozen=True, slots=True)
class Subroutine:
    """A `def`."""

    node: ast.SubroutineDefinition


Symbol: TypeAlias = Qubits | BitNames | Variable | GateDefinition | Subroutine

_CONSTANTS: Final = {
    name: Variable(value, None, is_constant=True)
    for names, value in ((("pi", "π"), pi), (("tau", "τ"), 2 * pi), (("euler", "ℇ"), e))
    for name in names
}


def line_of(node: ast.QASMNode) -> int:
    """Return the line of the text where a node starts, from 1."""
    return node.span.start_line if node.span else 1


def fault(node: ast.QASMNode, message: str) -> InvalidCircuitError:
    """Return the error of something that cannot be."""
    return InvalidCircuitError(f"line {line_of(node)}", message)


class Names:
    """Scopes, the innermost last; the first one is that of the whole program."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, Symbol]] = [{}]
        self._is_body = False

    def declare(self, name: str, symbol: Symbol, line: int) -> None:
        """Give a name a meaning in the innermost scope.

        Raises:
            InvalidCircuitError: If it has one there.
        """
        scope = self._scopes[-1]
        if name in scope or (len(self._scopes) == 1 and name in _CONSTANTS):
            raise InvalidCircuitError(f"line {line}", f"'{name}' is declared already")
        scope[name] = symbol

    def get(self, name: str) -> Symbol | None:
        """Return what a name stands for, if anything."""
        for scope in reversed(self._scopes[1:]):
            if name in scope:
                return scope[name]
        symbol = self._scopes[0].get(name, _CONSTANTS.get(name))
        return None if self._is_body and _is_hidden_from_a_body(symbol) else symbol

    def find(self, name: str, node: ast.QASMNode) -> Symbol:
        """Return what a name stands for.

        Raises:
            InvalidCircuitError: If it stands for nothing.
        """
        symbol = self.get(name)
        if symbol is None:
            raise fault(node, f"'{name}' is not declared")
        return symbol

    @contextmanager
    def inner(self) -> Iterator[None]:
        """Open a scope."""
        self._scopes.append({})
        try:
            yield
        finally:
            self._scopes.pop()

    @contextmanager
    def body(self) -> Iterator[None]:
        """Open the scope of a gate or a subroutine: outside it, constants and gates are seen."""
        outside = self._scopes, self._is_body
        self._scopes, self._is_body = [self._scopes[0], {}], True
        try:
            yield
        finally:
            self._scopes, self._is_body = outside


def _is_hidden_from_a_body(symbol: Symbol | None) -> bool:
    if isinstance(symbol, Variable):
        return not symbol.is_constant
    return isinstance(symbol, Qubits | BitNames)
