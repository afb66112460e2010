"""Subroutines (`def`): executed where they are called, with classical arguments by value."""

from __future__ import annotations

from dataclasses import dataclass

from openqasm3 import ast

from ionbox.circuits.circuit import MAX_QUBITS
from ionbox.formats.openqasm.expressions import Expressions
from ionbox.formats.openqasm.flow import ControlFlow, Flow, Statements
from ionbox.formats.openqasm.names import Qubits, Result, Subroutine, Variable, fault, line_of


@dataclass(slots=True)
class Frame:
    """A call that is being read.

    Args:
        node: The definition.
        depth: How many branches on measured bits the call is inside.
        result: What it returns, once that is known.
    """

    node: ast.SubroutineDefinition
    depth: int
    result: Result | None = None


class Subroutines:
    """Executes calls.

    Args:
        statements: Executes statements in the scope that is open.
    """

    def __init__(self, expressions: Expressions, flow: ControlFlow, statements: Statements) -> None:
        self._expressions = expressions
        self._names = expressions.names
        self._flow = flow
        self._statements = statements
        self._frames: list[Frame] = []

    def value(self, node: ast.FunctionCall) -> Result:
        """Execute a call and return what it returns."""
        result = self.execute(node)
        if result is None:
            raise fault(node, f"'{node.name.name}' returns nothing that could stand here")
        return result

    def execute(self, node: ast.FunctionCall) -> Result | None:
        """Execute a call and return what it returns, if anything."""
        symbol = self._names.find(node.name.name, node)
        if not isinstance(symbol, Subroutine):
            raise fault(node, f"'{node.name.name}' is no subroutine")
        wanted, given = symbol.node.arguments, node.arguments
        if len(wanted) != len(given):
            message = f"'{node.name.name}' takes {len(wanted)} arguments, not {len(given)}"
            raise fault(node, message)
        meanings = [self._argument(*pair) for pair in zip(wanted, given, strict=True)]
        frame = Frame(symbol.node, self._flow.depth)
        self._frames.append(frame)
        with self._names.body():
            for argument, meaning in zip(wanted, meanings, strict=True):
                self._names.declare(argument.name.name, meaning, line_of(node))
            flow = self._statements(symbol.node.body)
        self._frames.pop()
        if flow is Flow.END:
            raise fault(node, "end: inside a subroutine it is not executed")
        return frame.result

    def _argument(
        self, wanted: ast.QuantumArgument | ast.ClassicalArgument, given: ast.Expression
    ) -> Qubits | Variable:
        if isinstance(wanted, ast.QuantumArgument):
            return self._qubits(wanted, given)
        if isinstance(wanted.type, ast.ArrayReferenceType):
            raise fault(wanted, "def: references to arrays are not read")
        value = self._expressions.value(given)
        value = self._expressions.types.converted(wanted.type, value, given)
        now = self._expressions.changes.now()
        return Variable(value, wanted.type, is_constant=False, assigned=now)

    def _qubits(self, wanted: ast.QuantumArgument, given: ast.Expression) -> Qubits:
        places = self._expressions.alias(given)
        name = wanted.name.name
        if not isinstance(places, Qubits):
            raise fault(given, f"'{name}' takes qubits")
        size = self._expressions.types.size(wanted.size, MAX_QUBITS, "an argument")
        if len(places.qubits) != (size or 1):
            message = f"'{name}' takes {size or 1} qubits, not {len(places.qubits)}"
            raise fault(given, message)
        return Qubits(places.qubits, is_register=size is not None)

    def return_(self, node: ast.ReturnStatement) -> Flow:
        """Execute a return."""
        frame = self._frames[-1]  # the parser knows no other place for it
        if self._flow.depth != frame.depth:
            raise fault(node, "return: inside a branch on measured bits it is not executed")
        if isinstance(node.expression, ast.QuantumMeasurement):
            raise fault(node, "return: measure into a bit first")
        if node.expression is not None:
            if frame.node.return_type is None:
                raise fault(node, f"'{frame.node.name.name}' declares no type that it returns")
            value = self._expressions.value(node.expression)
            types = self._expressions.types
            frame.result = types.converted(frame.node.return_type, value, node)
        return Flow.RETURN
