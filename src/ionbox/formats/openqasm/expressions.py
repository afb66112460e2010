"""Expressions: to a number where all is known, else to a value over measured bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from openqasm3 import ast

from ionbox.circuits.program import OPERATORS, Bits, Constant, Expression, Value
from ionbox.formats.openqasm.arithmetic import (
    BINARY,
    FAILURES,
    FUNCTIONS,
    MAX_INTEGER_BITS,
    UNARY,
)
from ionbox.formats.openqasm.changes import Changes
from ionbox.formats.openqasm.names import (
    BitNames,
    Known,
    Measured,
    Names,
    Qubits,
    Result,
    Variable,
    fault,
    line_of,
)
from ionbox.formats.openqasm.types import Types, words

Call: TypeAlias = Callable[[ast.FunctionCall], Result]
Spend: TypeAlias = Callable[[int, int], None]


class Expressions:
    """Evaluates expressions.

    Args:
        names: What the names in them stand for.
        changes: What their values are by now.
        call: What a call of a subroutine gives.
        spend: Notes work and the line that asks for it.
    """

    def __init__(self, names: Names, changes: Changes, call: Call, spend: Spend) -> None:
        self.names = names
        self.changes = changes
        self.types = Types(self.whole, spend)
        self._call = call
        self._spend = spend
        self._rules: Mapping[type[ast.QASMNode], Callable[..., Result]] = {
            ast.IntegerLiteral: lambda node: node.value,
            ast.FloatLiteral: lambda node: node.value,
            ast.BooleanLiteral: lambda node: node.value,
            ast.BitstringLiteral: lambda node: node.value,
            ast.ArrayLiteral: lambda node: [self.known(value) for value in node.values],
            ast.Identifier: self._identifier,
            ast.IndexExpression: self._element,
            ast.UnaryExpression: self._unary,
            ast.BinaryExpression: self._binary,
            ast.FunctionCall: self._function,
            ast.Cast: self._cast,
            ast.SizeOf: self._size_of,
        }

    def value(self, node: ast.Expression) -> Result:
        """Return what an expression is.

        Raises:
            InvalidCircuitError: If it cannot be computed.
        """
        self._spend(1, line_of(node))
        rule = self._rules.get(type(node))
        if rule is None:
            raise fault(node, f"{words(node)} has no value here")
        return self._computed(node, rule, node)

    def _computed(
        self, node: ast.QASMNode, rule: Callable[..., Result], *arguments: object
    ) -> Result:
        """Return what a rule makes of its arguments, and refuse what makes it fail."""
        try:
            result = rule(*arguments)
            if isinstance(result, int) and result.bit_length() > MAX_INTEGER_BITS:
                raise OverflowError  # noqa: TRY301 - as an operator would
        except OverflowError:
            raise fault(node, "a number here is too large") from None
        except FAILURES as error:
            raise fault(node, f"this cannot be computed: {error}") from None
        return result

    def known(self, node: ast.Expression) -> Known:
        """Return what an expression is, which must be known before anything is measured."""
        result = self.value(node)
        if isinstance(result, Measured):
            raise fault(node, "this must be known when the text is read; it depends on bits")
        return result

    def number(self, node: ast.Expression) -> float:
        """Return a known number."""
        result = self.known(node)
        if isinstance(result, list):
            raise fault(node, "an array stands where a number must")
        return result

    def whole(self, node: ast.Expression) -> int:
        """Return a known whole number."""
        result = self.number(node)
        if not isinstance(result, int):
            raise fault(node, f"{result:g} stands where a whole number must")
        return int(result)

    def real(self, node: ast.Expression) -> float:
        """Return a known number as a gate takes it."""
        try:
            result = float(self.number(node))
        except OverflowError:
            raise fault(node, "a number here is too large") from None
        if not math.isfinite(result):
            raise fault(node, f"{result} must be finite")
        return result

    def condition(self, node: ast.Expression) -> bool | Measured:
        """Return whether something holds, or the value that says so when it runs."""
        result = self.value(node)
        if isinstance(result, Measured):
            return result
        if isinstance(result, list):
            raise fault(node, "an array is no condition")
        return bool(result)

    def places(self, node: ast.Identifier | ast.IndexedIdentifier) -> Qubits | BitNames:
        """Return the qubits or bits that an operand names.

        Raises:
            InvalidCircuitError: If it names something else.
        """
        if isinstance(node, ast.Identifier):
            if node.name.startswith("$"):
                raise fault(node, f"physical qubit {node.name}: qubits are declared by name")
            symbol, indices = self.names.find(node.name, node), []
        else:
            symbol, indices = self.names.find(node.name.name, node), node.indices
        if not isinstance(symbol, Qubits | BitNames):
            name = node.name if isinstance(node, ast.Identifier) else node.name.name
            raise fault(node, f"'{name}' is neither qubits nor bits")
        for index in indices:
            symbol = self._select(symbol, index, node)
        return symbol

    def qubits(self, node: ast.Identifier | ast.IndexedIdentifier) -> Qubits:
        """Return the qubits that an operand names."""
        places = self.places(node)
        if not isinstance(places, Qubits):
            raise fault(node, "bits stand where qubits must")
        return places

    def bits(self, node: ast.Identifier | ast.IndexedIdentifier) -> BitNames:
        """Return the bits that an operand names."""
        places = self.places(node)
        if not isinstance(places, BitNames):
            raise fault(node, "qubits stand where bits must")
        return places

    def alias(self, node: ast.Expression) -> Qubits | BitNames:
        """Return the qubits or bits that the right side of a `let` names."""
        match node:
            case ast.Concatenation():
                return _joined(self.alias(node.lhs), self.alias(node.rhs), node)
            case ast.IndexExpression():
                return self._select(self.alias(node.collection), node.index, node)
            case ast.Identifier():
                return self.places(node)
        raise fault(node, f"{words(node)} names neither qubits nor bits")

    def range(self, node: ast.RangeDefinition, *, size: int | None = None) -> range:
        """Return the numbers of a range, both ends included.

        Args:
            size: Of what is indexed, for ends that are left out or negative; None outside an
                index.
        """
        step = 1 if node.step is None else self.whole(node.step)
        if step == 0 or (size is None and (node.start is None or node.end is None)):
            raise fault(node, "a range needs both ends and a step that is not 0")
        first, last = (0, (size or 0) - 1)[:: 1 if step > 0 else -1]
        start = first if node.start is None else self.whole(node.start)
        end = last if node.end is None else self.whole(node.end)
        if size is not None:
            start, end = (number + size if number < 0 else number for number in (start, end))
        return range(start, end + (1 if step > 0 else -1), step)

    # --- the kinds of expressions -----------------------------------------------------------

    def _identifier(self, node: ast.Identifier) -> Result:
        symbol = self.names.find(node.name, node)
        if isinstance(symbol, Variable):
            return self.changes.read(symbol, node.name, node)
        if isinstance(symbol, BitNames):
            return Bits(symbol.bits)
        raise fault(node, f"'{node.name}' is no number")

    def _element(self, node: ast.IndexExpression) -> Result:
        width = self.types.width(self._type(node.collection))
        return self.element(self.value(node.collection), node.index, node, width)

    def _type(self, node: ast.Expression) -> ast.ClassicalType | None:
        """Return a declared type, where an expression has one."""
        if isinstance(node, ast.Cast):
            return node.type
        symbol = self.names.get(node.name) if isinstance(node, ast.Identifier) else None
        return symbol.type if isinstance(symbol, Variable) else None

    def element(
        self, value: Result, index: ast.IndexElement, node: ast.QASMNode, width: int
    ) -> Result:
        """Return an element of an array, or bits of a register or of an integer of that width."""
        if isinstance(value, list):
            entries: list[Any] = index if isinstance(index, list) else [index]
            first, *rest = entries
            places, is_one = self.indices(_alone(first), len(value), node)
            part = value[places[0]] if is_one else [value[place] for place in places]
            return self.element(part, rest, node, width) if rest else part
        if isinstance(value, Bits):
            places, _ = self.indices(index, len(value.bits), node)
            return Bits(tuple(value.bits[place] for place in places))
        if isinstance(value, int):
            places, _ = self.indices(index, width, node)
            return sum((value >> place & 1) << k for k, place in enumerate(places))
        raise fault(node, "only registers, arrays and integers have elements")

    def put(
        self,
        variable: Variable,
        indices: Sequence[ast.IndexElement],
        new: Result,
        node: ast.QASMNode,
    ) -> None:
        """Change one element of the array that a variable holds."""
        array, kind = variable.value, variable.type
        if not isinstance(kind, ast.ArrayType):
            raise fault(node, "only an element of an array can be assigned to")
        if isinstance(new, Measured):
            raise fault(node, "an array cannot hold what depends on measured bits")
        entries = [e for index in indices for e in (index if isinstance(index, list) else [index])]
        for depth, entry in enumerate(entries, 1):
            if not isinstance(array, list):
                raise fault(node, f"{len(entries)} indices where there are {depth - 1} dimensions")
            places, is_one = self.indices(_alone(entry), len(array), node)
            if not is_one:
                raise fault(node, "one element of an array is assigned to at a time")
            if depth == len(entries):
                array[places[0]] = self.types.part(kind, depth, new, node)
            array = array[places[0]]

    def indices(
        self, index: ast.IndexElement, size: int, node: ast.QASMNode
    ) -> tuple[Sequence[int], bool]:
        """Return which elements an index names, and whether it is a single one by number.

        Raises:
            InvalidCircuitError: If there is no such element.
        """
        if isinstance(index, ast.DiscreteSet):
            return [self._index(value, size) for value in index.values], False
        if len(index) != 1:
            raise fault(node, f"{len(index)} indices where there is one dimension")
        (entry,) = index
        if isinstance(entry, ast.RangeDefinition):
            places = self.range(entry, size=size)
            for place in (*places[:1], *places[-1:]):
                _check_index(place if place >= 0 else place - size, size, entry)
            if not places:
                raise fault(entry, "a range without elements")
            return places, False
        return [self._index(entry, size)], True

    def _index(self, node: ast.Expression, size: int) -> int:
        index = self.whole(node)
        _check_index(index, size, node)
        return index + size if index < 0 else index

    def _select(
        self, symbol: Qubits | BitNames, index: ast.IndexElement, node: ast.QASMNode
    ) -> Qubits | BitNames:
        members = symbol.qubits if isinstance(symbol, Qubits) else symbol.bits
        if not symbol.is_register:
            raise fault(node, "a single qubit or bit has no elements")
        places, is_one = self.indices(index, len(members), node)
        kind = type(symbol)
        return kind(tuple(members[place] for place in places), is_register=not is_one)

    def _unary(self, node: ast.UnaryExpression) -> Result:
        value = self.value(node.expression)
        name = node.op.name
        _refuse_arrays([value], node)
        if isinstance(value, Measured):
            if name == "!":
                return Expression("!", (value,))
            if name == "-":
                return Expression("-", (Constant(0), value))
            if isinstance(value, Bits):
                return Expression("^", (value, Constant((1 << len(value.bits)) - 1)))
            raise fault(node, f"operator {name} on a value that is not just bits")
        result, kind = UNARY[name](value), self._type(node.expression)
        if name == "~" and isinstance(kind, ast.UintType | ast.BitType):
            return self.types.converted(kind, result, node)  # as many bits as there are
        return result

    def _binary(self, node: ast.BinaryExpression) -> Result:
        left, since = self.value(node.lhs), self.changes.now()
        right = self.value(node.rhs)
        if isinstance(left, Measured):  # a call on the right side may measure
            self.changes.check_unchanged(left, since, "the left side", node)
        if node.op.name == "/" and isinstance(left, int) and _is_literal(node):
            left = _literal(left, right)
        return self._operation(node.op.name, left, right, node)

    def binary(self, name: str, left: Result, right: Result, node: ast.QASMNode) -> Result:
        """Return what an operator makes of two values."""
        return self._computed(node, self._operation, name, left, right, node)

    def _operation(self, name: str, left: Result, right: Result, node: ast.QASMNode) -> Result:
        _refuse_arrays([left, right], node)
        if not isinstance(left, Measured) and not isinstance(right, Measured):
            return BINARY[name](left, right)
        if name not in OPERATORS:
            raise fault(node, f"operator {name} on measured bits is not executed")
        return Expression(name, (as_value(left, node), as_value(right, node)))

    def _function(self, node: ast.FunctionCall) -> Result:
        name = node.name.name
        if self.names.get(name) is not None:
            return self._call(node)
        arguments = [self.value(argument) for argument in node.arguments]
        if name in {"rotl", "rotr"}:
            return _rotated(name, arguments, node)
        if name not in FUNCTIONS:
            raise fault(node, f"function '{name}' is not known")
        _refuse_arrays(arguments, node)
        match arguments:
            case [Bits() as bits] if name == "popcount":
                return Expression(name, (bits,))
        if any(isinstance(argument, Measured) for argument in arguments):
            raise fault(node, f"function '{name}' of measured bits is not executed")
        return FUNCTIONS[name](*arguments)

    def _cast(self, node: ast.Cast) -> Result:
        return self.types.converted(node.type, self.value(node.argument), node)

    def _size_of(self, node: ast.SizeOf) -> Result:
        target = node.target
        dimension = 0 if node.index is None else self.whole(node.index)
        symbol = self.names.get(target.name) if isinstance(target, ast.Identifier) else None
        value: object = symbol.qubits if isinstance(symbol, Qubits) else self.value(target)
        value = value.bits if isinstance(value, Bits) else value
        while dimension > 0 and isinstance(value, list):
            value, dimension = value[0], dimension - 1
        if dimension or not isinstance(value, Sequence):
            raise fault(node, "only registers and arrays have a size, in each dimension")
        return len(value)


def as_value(value: Result, node: ast.QASMNode) -> Value:
    """Return a value that an engine can compute with.

    Raises:
        InvalidCircuitError: If it is no integer.
    """
    if isinstance(value, Measured):
        return value
    if not isinstance(value, int):
        raise fault(node, f"{value} beside measured bits; only integers can be")
    return Constant(int(value))


def _check_index(place: int, size: int, node: ast.QASMNode) -> None:
    if not -size <= place < size:
        raise fault(node, f"index {place} of something of size {size}")


def _joined(
    left: Qubits | BitNames, right: Qubits | BitNames, node: ast.QASMNode
) -> Qubits | BitNames:
    if isinstance(left, Qubits) and isinstance(right, Qubits):
        return Qubits(left.qubits + right.qubits, is_register=True)
    if isinstance(left, BitNames) and isinstance(right, BitNames):
        return BitNames(left.bits + right.bits, is_register=True)
    raise fault(node, "qubits and bits cannot be one alias")


def _rotated(name: str, arguments: Sequence[Result], node: ast.QASMNode) -> Bits:
    match arguments:
        case [Bits(bits), int(by)]:
            shift = (-by if name == "rotl" else by) % len(bits)
            return Bits(bits[shift:] + bits[:shift])
    raise fault(node, f"{name} takes a bit register and a known whole number")


def _alone(entry: object) -> ast.IndexElement:
    """Return one of the indices between brackets as if it were the only one."""
    return entry if isinstance(entry, ast.DiscreteSet) else [entry]  # type: ignore[list-item]


def _refuse_arrays(values: Sequence[Result], node: ast.QASMNode) -> None:
    if any(isinstance(value, list) for value in values):
        raise fault(node, "an array stands where a number must")


def _is_literal(node: ast.Expression) -> bool:
    match node:
        case ast.BinaryExpression():
            return _is_literal(node.lhs) and _is_literal(node.rhs)
        case ast.UnaryExpression():
            return _is_literal(node.expression)
    return isinstance(node, ast.IntegerLiteral)


def _literal(dividend: int, divisor: Result) -> float:
    """Return a dividend that makes the quotient of written numbers exact: 1/2 is a half."""
    return (
        float(dividend) if isinstance(divisor, int) and divisor and dividend % divisor else dividend
    )
