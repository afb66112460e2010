"""Branches and loops: decided or unrolled where all is known, written as jumps where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import reduce
from typing import TypeAlias

from openqasm3 import ast

from ionbox.circuits.program import Bits, Constant, Expression, Value
from ionbox.formats.openqasm.changes import doubt
from ionbox.formats.openqasm.expressions import Expressions
from ionbox.formats.openqasm.names import (
    Measured,
    Result,
    Variable,
    fault,
    line_of,
)
from ionbox.formats.openqasm.tape import MAX_WORK, Tape


class Flow(Enum):
    """Why the statements of a block after this one are not executed."""

    BREAK = auto()
    CONTINUE = auto()
    RETURN = auto()
    END = auto()


@dataclass(slots=True)
class Loop:
    """A loop that is being read.

    Args:
        depth: How many branches on measured bits its body is inside.
        is_unrolled: Whether its turns are written one by one.
        breaks: Jumps that leave it.
        continues: Jumps to the end of this turn.
    """

    depth: int
    is_unrolled: bool
    breaks: list[int] = field(default_factory=list)
    continues: list[int] = field(default_factory=list)


Statements: TypeAlias = Callable[[Sequence[ast.Statement]], Flow | None]
Turn: TypeAlias = Callable[[ast.ForInLoop, Result], None]


class ControlFlow:
    """Executes what decides which statements come next.

    Args:
        statements: Executes statements in the scope that is open.
        declare_turn: Gives the variable of a loop its value.
    """

    def __init__(
        self,
        expressions: Expressions,
        tape: Tape,
        statements: Statements,
        declare_turn: Turn,
    ) -> None:
        self._names = expressions.names
        self._expressions = expressions
        self._changes = expressions.changes
        self._tape = tape
        self._statements = statements
        self._declare_turn = declare_turn
        self._loops: list[Loop] = []
        self._ends: list[int] = []  # jumps to the end
        self.depth = 0  # branches on measured bits around this statement

    def land_at_end(self, line: int) -> None:
        """Have every `end` that may or may not be executed lead here."""
        for jump in self._ends:
            self._tape.land(jump, line)

    def block(self, statements: Sequence[ast.Statement]) -> Flow | None:
        """Execute statements in a scope of their own."""
        with self._names.inner():
            return self._statements(statements)

    def _perhaps(self, statements: Sequence[ast.Statement], line: int) -> None:
        """Read a block that may or may not be executed."""
        self.depth += 1
        with self._changes.collected() as changed:
            self.block(statements)
        doubt(changed, line)
        self.depth -= 1

    def branch(self, node: ast.BranchingStatement) -> Flow | None:
        """Execute an if."""
        condition = self._expressions.condition(node.condition)
        if isinstance(condition, bool):
            return self.block(node.if_block if condition else node.else_block)
        line = line_of(node)
        past = self._tape.jump(line, condition)
        self._perhaps(node.if_block, line)
        if node.else_block:
            end = self._tape.jump(line)
            self._tape.land(past, line)
            self._perhaps(node.else_block, line)
            past = end
        self._tape.land(past, line)
        return None

    def switch(self, node: ast.SwitchStatement) -> Flow | None:
        """Execute a switch."""
        target = self._expressions.value(node.target)
        cases = [
            ([self._expressions.whole(label) for label in labels], block.statements)
            for labels, block in node.cases
        ]
        default = node.default.statements if node.default else []
        if isinstance(target, float | list):
            raise fault(node, "switch: on something that is no whole number")
        if not isinstance(target, Measured):
            chosen = next((block for labels, block in cases if target in labels), default)
            return self.block(chosen)
        self._cases(target, cases, default, node)
        return None

    def _cases(
        self,
        target: Measured,
        cases: Sequence[tuple[Sequence[int], Sequence[ast.Statement]]],
        default: Sequence[ast.Statement],
        node: ast.QASMNode,
    ) -> None:
        """Write a switch on measured bits, each case with a jump past the others."""
        line, ends = line_of(node), []
        for labels, block in cases:
            past = self._tape.jump(line, _is_one_of(target, labels))
            self._perhaps(block, line)
            ends.append(self._tape.jump(line))
            self._tape.land(past, line)
        self._perhaps(default, line)
        for end in ends:
            self._tape.land(end, line)

    def for_(self, node: ast.ForInLoop) -> Flow | None:
        """Execute a for."""
        loop = Loop(self.depth, is_unrolled=True)
        self._loops.append(loop)
        flow = None
        with self._changes.collected() as changed:
            for value in self._turns(node):
                with self._names.inner():
                    self._declare_turn(node, value)
                    flow = self._turn(loop, lambda: self._statements(node.block), node, changed)
                if flow is not None:
                    break
        return self._after(loop, flow, node, changed)

    def _turns(self, node: ast.ForInLoop) -> Sequence[Result]:
        turns = node.set_declaration
        if isinstance(turns, ast.RangeDefinition):
            numbers = self._expressions.range(turns)
            if numbers[MAX_WORK:]:  # len() of a hostile one would overflow
                raise fault(node, f"a loop of over {MAX_WORK} turns")
            return numbers
        if isinstance(turns, ast.DiscreteSet):
            return [self._expressions.known(value) for value in turns.values]
        values = self._expressions.value(turns)
        if isinstance(values, Bits):
            return [Bits((bit,)) for bit in values.bits]
        if isinstance(values, list):
            return values.copy()  # a turn may change the array
        raise fault(node, "for: neither a range, a set, an array nor a register")

    def while_(self, node: ast.WhileLoop) -> Flow | None:
        """Execute a while."""
        start = self._tape.mark(line_of(node))
        is_literal = isinstance(node.while_condition, ast.BooleanLiteral | ast.IntegerLiteral)
        with self._changes.measured_loop():
            condition = self._expressions.condition(node.while_condition)
            if isinstance(condition, Measured) or (is_literal and condition):
                self._loop(node, start, condition if isinstance(condition, Measured) else None)
                return None
        self._tape.forget(start)
        return self._unroll(node, is_on=condition)

    def _unroll(self, node: ast.WhileLoop, *, is_on: bool | Measured) -> Flow | None:
        """Write the turns of a loop whose condition is known at each."""
        loop = Loop(self.depth, is_unrolled=True)
        self._loops.append(loop)
        flow = None
        with self._changes.collected() as changed:
            while is_on and flow is None:
                if isinstance(is_on, Measured):
                    raise fault(node, "while: its condition depends on bits only later on")
                flow = self._turn(loop, lambda: self.block(node.block), node, changed)
                is_on = flow is None and self._expressions.condition(node.while_condition)
        return self._after(loop, flow, node, changed)

    def _turn(
        self,
        loop: Loop,
        execute: Callable[[], Flow | None],
        node: ast.Statement,
        changed: Mapping[int, Variable],
    ) -> Flow | None:
        """Write one turn; return why there are no more, if there are none."""
        self._tape.spend(1, line_of(node))
        flow = execute()
        if loop.continues:
            self._divert(flow, loop, node)
            flow = None
            doubt(changed, line_of(node))
        self._land(loop.continues, node)
        return None if flow is Flow.CONTINUE else flow

    def _after(
        self, loop: Loop, flow: Flow | None, node: ast.Statement, changed: Mapping[int, Variable]
    ) -> Flow | None:
        """Come out of a loop that was unrolled."""
        self._loops.pop()
        if flow is Flow.BREAK:
            flow = None
        if loop.breaks:
            self._divert(flow, loop, node)
            flow = None
            doubt(changed, line_of(node))
        self._land(loop.breaks, node)
        return flow

    def _divert(self, flow: Flow | None, loop: Loop, node: ast.Statement) -> None:
        """Have those that have come here leave by a jump, since others go on behind it."""
        if flow is Flow.RETURN:
            raise fault(node, "return: in a loop that bits may have left, it is not executed")
        if flow is Flow.END:
            self._ends.append(self._tape.jump(line_of(node)))
        if flow is Flow.BREAK:
            loop.breaks.append(self._tape.jump(line_of(node)))

    def _loop(self, node: ast.WhileLoop, start: int, condition: Measured | None) -> None:
        """Write a loop that is left when bits say so."""
        line = line_of(node)
        past = None if condition is None else self._tape.jump(line, condition)
        loop = Loop(self.depth + 1, is_unrolled=False)
        self._loops.append(loop)
        self._perhaps(node.block, line)
        self._loops.pop()
        self._land(loop.continues, node)
        self._tape.jump_back(start, line)
        self._land(loop.breaks if past is None else [past, *loop.breaks], node)

    def _land(self, jumps: list[int], node: ast.QASMNode) -> None:
        for jump in jumps:
            self._tape.land(jump, line_of(node))
        jumps.clear()

    def leave(self, node: ast.Statement, flow: Flow) -> Flow:
        """Execute a break or a continue; where it may not happen, write a jump."""
        loop = self._loops[-1]
        if not (loop.is_unrolled and self.depth == loop.depth):
            jump = self._tape.jump(line_of(node))
            (loop.breaks if flow is Flow.BREAK else loop.continues).append(jump)
        return flow

    def end(self, node: ast.EndStatement) -> Flow:
        """Execute an end; where it may not happen, write a jump."""
        if self.depth:
            self._ends.append(self._tape.jump(line_of(node)))
        return Flow.END


def _is_one_of(target: Measured, labels: Sequence[int]) -> Value:
    tests = [Expression("==", (target, Constant(label))) for label in labels]
    return reduce(lambda left, right: Expression("||", (left, right)), tests)
