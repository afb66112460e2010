"""What a variable of a type holds: integers wrap around at their width, fractions are cut off."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from openqasm3 import ast

from ionbox.circuits.program import Bits, Constant, Expression, Value
from ionbox.formats.openqasm.arithmetic import FAILURES, MAX_INTEGER_BITS
from ionbox.formats.openqasm.names import Known, Measured, Result, fault, line_of

MAX_ELEMENTS: Final = 100_000

# Of an int or a uint that is declared without one.
_DEFAULT_WIDTH: Final = 64


class Types:
    """Converts values.

    Args:
        whole: Returns the whole number that an expression is.
        spend: Notes work and the line that asks for it.
    """

    def __init__(
        self, whole: Callable[[ast.Expression], int], spend: Callable[[int, int], None]
    ) -> None:
        self._whole = whole
        self._spend = spend

    def size(self, node: ast.Expression | None, most: int, of: str) -> int | None:
        """Return a declared size, None if there is none."""
        if node is None:
            return None
        size = self._whole(node)
        if not 1 <= size <= most:
            raise fault(node, f"{of} of size {size}; a size is from 1 to {most}")
        return size

    def width(self, kind: ast.ClassicalType | None) -> int:
        """Return how many bits a number of that type has."""
        declared = kind.size if isinstance(kind, ast.IntType | ast.UintType) else None
        return self.size(declared, MAX_INTEGER_BITS, "an integer") or _DEFAULT_WIDTH

    def converted(self, kind: ast.ClassicalType, value: Result, node: ast.QASMNode) -> Result:
        """Return a value as a variable of that type holds it.

        Raises:
            InvalidCircuitError: If the type cannot hold it.
        """
        if isinstance(value, Measured):
            return self._measured(kind, value, node)
        return self.known(kind, value, node)

    def known(self, kind: ast.ClassicalType, value: Known, node: ast.QASMNode) -> Known:
        """Return a known value as `converted` does."""
        if isinstance(kind, ast.ArrayType):
            return self.part(kind, 0, value, node)
        if isinstance(value, list):
            raise fault(node, "an array stands where a number must")
        try:
            return self._number(kind, value, node)
        except FAILURES as error:
            raise fault(node, f"{value} does not fit: {error}") from None

    def part(self, kind: ast.ArrayType, depth: int, value: Known, node: ast.QASMNode) -> Known:
        """Return what stands in an array of that type behind so many indices."""
        return self._nested(kind.base_type, self._sizes(kind, node)[depth:], value, node)

    def zeros(self, kind: ast.ClassicalType, node: ast.QASMNode) -> Known:
        """Return 0 in the shape of a type."""
        zeros: Known = 0
        if isinstance(kind, ast.ArrayType):
            for size in reversed(self._sizes(kind, node)):
                zeros = [zeros] * size
        return zeros

    def _number(self, kind: ast.ClassicalType, value: float, node: ast.QASMNode) -> Known:
        match kind:
            case ast.IntType() | ast.UintType():
                width = self.width(kind)
                wrapped = int(value) & ((1 << width) - 1)
                is_negative = isinstance(kind, ast.IntType) and wrapped >> (width - 1)
                return wrapped - (1 << width) if is_negative else wrapped
            case ast.FloatType():
                return float(value)
            case ast.AngleType():
                return math.fmod(math.fmod(value, math.tau) + math.tau, math.tau)
            case ast.BoolType():
                return bool(value)
            case ast.BitType():
                return int(value) & ((1 << self._num_bits(kind)) - 1)
        raise fault(node, f"variables of type {words(kind)} are not read")

    def _num_bits(self, kind: ast.BitType) -> int:
        return self.size(kind.size, MAX_INTEGER_BITS, "a register of bits") or 1

    def _sizes(self, kind: ast.ArrayType, node: ast.QASMNode) -> list[int]:
        sizes = [self.size(size, MAX_ELEMENTS, "an array") or 1 for size in kind.dimensions]
        if math.prod(sizes) > MAX_ELEMENTS:
            raise fault(node, f"an array of {math.prod(sizes)} elements; at most {MAX_ELEMENTS}")
        return sizes

    def _nested(
        self, kind: ast.ClassicalType, sizes: Sequence[int], value: Known, node: ast.QASMNode
    ) -> Known:
        if not sizes:
            return self.known(kind, value, node)
        if not isinstance(value, list) or len(value) != sizes[0]:
            raise fault(node, f"an array of size {sizes[0]} is given something else")
        self._spend(len(value), line_of(node))
        return [self._nested(kind, sizes[1:], part, node) for part in value]

    def _measured(self, kind: ast.ClassicalType, value: Measured, node: ast.QASMNode) -> Measured:
        match kind:
            case ast.BoolType():
                return Expression("!=", (value, Constant(0)))
            case ast.BitType():
                size = self._num_bits(kind)
                if isinstance(value, Bits) and len(value.bits) != size:
                    raise fault(node, f"{len(value.bits)} bits stand where {size} must")
                return value if isinstance(value, Bits) else _lowest(value, size)
            case ast.IntType() | ast.UintType() if kind.size is None:
                return value
            case ast.UintType():
                return _lowest(value, self.width(kind))
            case ast.IntType():
                return _signed(value, self.width(kind))
        raise fault(node, f"a variable of {words(kind)} cannot depend on measured bits")


def words(node: object) -> str:
    """Name a kind of node, such as `duration literal`."""
    name = type(node).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _lowest(value: Value, size: int) -> Expression:
    return Expression("&", (value, Constant((1 << size) - 1)))


def _signed(value: Value, size: int) -> Expression:
    """Return the lowest bits as a two's complement integer."""
    sign = 1 << size - 1
    return Expression(
        "-", (Expression("^", (_lowest(value, size), Constant(sign))), Constant(sign))
    )
