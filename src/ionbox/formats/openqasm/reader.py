"""Executes a text as far as it is known, and writes to a tape what is left for each shot.

Variables other than bits are known when the text is read, so loops over them are unrolled and
branches on them are decided here. What depends on bits becomes jumps; inside those nothing that
is known may change, since nobody knows whether it will.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from openqasm3 import ast

from ionbox.circuits.circuit import MAX_QUBITS
from ionbox.circuits.program import MAX_BITS, Bits, Constant, Program, Value
from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm.calls import Calls
from ionbox.formats.openqasm.changes import Changes
from ionbox.formats.openqasm.expressions import Expressions, as_value
from ionbox.formats.openqasm.flow import ControlFlow, Flow
from ionbox.formats.openqasm.names import (
    BitNames,
    GateDefinition,
    Known,
    Names,
    Qubits,
    Result,
    Subroutine,
    Variable,
    fault,
    line_of,
)
from ionbox.formats.openqasm.parsing import Statement, parse
from ionbox.formats.openqasm.plain import Opaque, PlainGate
from ionbox.formats.openqasm.subroutines import Subroutines
from ionbox.formats.openqasm.tape import Tape

_VERSIONS: Final = ("2", "3")
_INCLUDES: Final = ("stdgates.inc", "qelib1.inc")
_REFUSED: Final[Mapping[type[ast.QASMNode], str]] = {
    ast.Box: "box: timing is not read",
    ast.CalibrationDefinition: "defcal: pulses are not read",
    ast.CalibrationGrammarDeclaration: "defcalgrammar: pulses are not read",
    ast.CalibrationStatement: "cal: pulses are not read",
    ast.ExternDeclaration: "extern: there is nothing outside the text to call",
}
_REFUSED_TYPES: Final[Mapping[type[ast.ClassicalType], str]] = {
    ast.DurationType: "duration: timing is not read",
    ast.StretchType: "stretch: timing is not read",
    ast.ComplexType: "complex: no gate takes a complex number",
}


def read(text: bytes, params: Sequence[float]) -> Program:
    """Read a program, as `read_openqasm` says."""
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InvalidCircuitError(f"line {line}", "the text is not UTF-8") from error
    version, statements = parse(decoded)
    if version is not None and version.partition(".")[0] not in _VERSIONS:
        raise InvalidCircuitError("line 1", f"OpenQASM {version}; read are versions 2 and 3")
    reader = Reader(params, is_version_2=version is not None and version.startswith("2"))
    try:
        reader.run(statements)
        return reader.build()
    except RecursionError as error:
        raise InvalidCircuitError(f"line {reader.line}", "nested too deeply") from error
    except ValueError as error:  # an expression over bits that has grown too long
        raise InvalidCircuitError(f"line {reader.line}", str(error)) from error


class Reader:
    """Goes through the statements of a text.

    Args:
        params: Values of the inputs.
        is_version_2: Whether the text is OpenQASM 2.
    """

    def __init__(self, params: Sequence[float], *, is_version_2: bool) -> None:
        self.line = 1
        self._params = params
        self._num_inputs = 0
        self._is_version_2 = is_version_2
        self._tape = Tape()
        self._names = Names()
        self._changes = Changes()
        self._expressions = Expressions(self._names, self._changes, self._call, self._tape.spend)
        self._types = self._expressions.types
        self._calls = Calls(self._names, self._expressions, self._tape)
        self._flow = ControlFlow(
            self._expressions, self._tape, self._statements, self._declare_turn
        )
        self._subroutines = Subroutines(self._expressions, self._flow, self._statements)
        # A declaration inside a loop is one register; it is kept, so that its id stays its own.
        self._declared_bits: dict[int, tuple[ast.ClassicalDeclaration, tuple[int, ...]]] = {}
        self._rules: Mapping[type[Any], Callable[..., Flow | None]] = {
            PlainGate: self._calls.plain,
            Opaque: self._opaque,
            ast.QuantumGate: self._calls.gate,
            ast.QuantumPhase: self._calls.gate,
            ast.QuantumGateDefinition: self._define_gate,
            ast.QuantumMeasurementStatement: self._measure,
            ast.QuantumReset: self._reset,
            ast.QuantumBarrier: self._barrier,
            ast.DelayInstruction: self._barrier,
            ast.QubitDeclaration: self._declare_qubits,
            ast.ClassicalDeclaration: self._declare,
            ast.ConstantDeclaration: self._declare_constant,
            ast.IODeclaration: self._declare_input,
            ast.AliasStatement: self._alias,
            ast.ClassicalAssignment: self._assign,
            ast.ExpressionStatement: self._expression,
            ast.CompoundStatement: lambda node: self._flow.block(node.statements),
            ast.BranchingStatement: self._flow.branch,
            ast.ForInLoop: self._flow.for_,
            ast.WhileLoop: self._flow.while_,
            ast.SwitchStatement: self._flow.switch,
            ast.BreakStatement: lambda node: self._flow.leave(node, Flow.BREAK),
            ast.ContinueStatement: lambda node: self._flow.leave(node, Flow.CONTINUE),
            ast.EndStatement: self._flow.end,
            ast.SubroutineDefinition: self._define_subroutine,
            ast.ReturnStatement: self._subroutines.return_,
            ast.Include: self._include,
            ast.Pragma: lambda _: None,
        }

    def run(self, statements: Sequence[Statement]) -> None:
        """Execute the statements of the whole text."""
        self._statements(statements)
        self._flow.land_at_end(self.line)

    def build(self) -> Program:
        """Return the program."""
        if self._num_inputs != len(self._params):
            given = len(self._params)
            message = f"{given} numbers are given; the text declares {self._num_inputs} as input"
            raise InvalidCircuitError("params", message)
        return self._tape.build()

    def _statements(self, statements: Sequence[Statement]) -> Flow | None:
        for node in statements:
            self.line = node.line if isinstance(node, PlainGate | Opaque) else line_of(node)
            self._tape.spend(1, self.line)
            rule = self._rules.get(type(node))
            if rule is None:
                assert isinstance(node, ast.QASMNode)  # noqa: S101 - the others have rules
                kind = type(node)
                raise fault(node, _REFUSED.get(kind, f"{kind.__name__} is not read here"))
            flow = rule(node)
            if flow is not None:
                return flow
        return None

    # --- declarations -----------------------------------------------------------------------

    def _include(self, node: ast.Include) -> None:
        if node.filename not in _INCLUDES:
            known = ", ".join(_INCLUDES)
            raise fault(node, f"include of '{node.filename}'; known here are {known}")

    def _opaque(self, node: Opaque) -> None:
        if not self._is_version_2:
            message = "opaque: only OpenQASM 2 has gates without a definition"
            raise InvalidCircuitError(f"line {node.line}", message)
        self._names.declare(node.name, GateDefinition((), (), is_opaque=True), node.line)

    def _define_gate(self, node: ast.QuantumGateDefinition) -> None:
        params = tuple(param.name for param in node.arguments)
        qubits = tuple(qubit.name for qubit in node.qubits)
        definition = GateDefinition(params, qubits, node.body)
        self._names.declare(node.name.name, definition, line_of(node))

    def _define_subroutine(self, node: ast.SubroutineDefinition) -> None:
        self._names.declare(node.name.name, Subroutine(node), line_of(node))

    def _declare_qubits(self, node: ast.QubitDeclaration) -> None:
        size = self._types.size(node.size, MAX_QUBITS, "a register of qubits")
        qubits = self._tape.declare_qubits(size or 1, line_of(node))
        symbol = Qubits(tuple(qubits), is_register=size is not None)
        self._names.declare(node.qubit.name, symbol, line_of(node))

    def _declare(self, node: ast.ClassicalDeclaration) -> None:
        name, kind, given = node.identifier.name, node.type, node.init_expression
        if isinstance(kind, ast.BitType):
            self._declare_bits(node, kind)
            return
        if isinstance(given, ast.QuantumMeasurement):
            raise fault(node, f"'{name}' is measured; only bits can be")
        _check_type(node)
        value = None if given is None else self._expressions.value(given)
        self._declare_variable(name, kind, value, node)

    def _declare_bits(self, node: ast.ClassicalDeclaration, kind: ast.BitType) -> None:
        name, line, given = node.identifier.name, line_of(node), node.init_expression
        size = self._types.size(kind.size, MAX_BITS, "a register of bits")
        is_again = id(node) in self._declared_bits
        if not is_again:
            new = tuple(self._tape.declare_bits(name, size or 1, line))
            self._declared_bits[id(node)] = (node, new)
        _, numbers = self._declared_bits[id(node)]
        bits = BitNames(numbers, is_register=size is not None)
        if len(bits.bits) != (size or 1):
            raise fault(node, f"'{name}' changes its size from turn to turn")
        if isinstance(given, ast.QuantumMeasurement):
            self._measure_into(bits, given, node)
        elif given is not None:
            value = as_value(self._expressions.value(given), node)
            self._write_bits(bits, value, node)
        elif is_again or self._flow.depth:
            self._write_bits(bits, Constant(0), node)
        self._names.declare(name, bits, line)

    def _declare_variable(
        self, name: str, kind: ast.ClassicalType, value: Result | None, node: ast.QASMNode
    ) -> None:
        if value is None:
            value = self._types.zeros(kind, node)
        converted = self._types.converted(kind, value, node)
        variable = Variable(converted, kind, is_constant=False, assigned=self._changes.now())
        self._names.declare(name, variable, line_of(node))

    def _declare_constant(self, node: ast.ConstantDeclaration) -> None:
        _check_type(node)
        known = self._expressions.known(node.init_expression)
        value = self._types.known(node.type, known, node)
        variable = Variable(value, node.type, is_constant=True)
        self._names.declare(node.identifier.name, variable, line_of(node))

    def _declare_input(self, node: ast.IODeclaration) -> None:
        name, kind = node.identifier.name, node.type
        if node.io_identifier is ast.IOKeyword.output:
            if not isinstance(kind, ast.BitType):
                raise fault(node, f"output '{name}' is no bits; results are registers")
            declaration = ast.ClassicalDeclaration(kind, node.identifier, None)
            declaration.span = node.span
            self._declare(declaration)
            return
        shape = self._types.zeros(kind, node)
        scalar = kind.base_type if isinstance(kind, ast.ArrayType) else kind
        if not isinstance(scalar, ast.FloatType | ast.AngleType):
            raise fault(node, f"input '{name}' is neither float nor angle")
        self._declare_variable(name, kind, self._take(shape), node)

    def _take(self, shape: Known) -> Known:
        """Return as many of the params as a value of that shape holds."""
        if isinstance(shape, list):
            return [self._take(part) for part in shape]
        self._num_inputs += 1
        # Too few are refused at the end, where it is known how many there should be.
        missing = self._num_inputs > len(self._params)
        return 0.0 if missing else self._params[self._num_inputs - 1]

    def _alias(self, node: ast.AliasStatement) -> None:
        self._names.declare(node.target.name, self._expressions.alias(node.value), line_of(node))

    # --- qubits and bits --------------------------------------------------------------------

    def _barrier(self, node: ast.QuantumBarrier | ast.DelayInstruction) -> None:
        for operand in node.qubits:
            if isinstance(operand, ast.Identifier | ast.IndexedIdentifier):
                self._expressions.places(operand)

    def _reset(self, node: ast.QuantumReset) -> None:
        for qubit in self._expressions.qubits(node.qubits).qubits:
            self._tape.reset(qubit, line_of(node))

    def _measure(self, node: ast.QuantumMeasurementStatement) -> None:
        if node.target is not None:
            self._measure_into(self._expressions.bits(node.target), node.measure, node)
            return
        for qubit in self._expressions.qubits(node.measure.qubit).qubits:
            self._tape.measure(qubit, None, line_of(node))

    def _measure_into(
        self, bits: BitNames, node: ast.QuantumMeasurement, statement: ast.QASMNode
    ) -> None:
        qubits = self._expressions.qubits(node.qubit).qubits
        if len(qubits) != len(bits.bits):
            message = f"{len(qubits)} qubits are measured into {len(bits.bits)} bits"
            raise fault(statement, message)
        self._changes.write(bits.bits, statement)
        for qubit, bit in zip(qubits, bits.bits, strict=True):
            self._tape.measure(qubit, bit, line_of(statement))

    def _write_bits(self, bits: BitNames, value: Value, node: ast.QASMNode) -> None:
        self._changes.write(bits.bits, node)
        self._tape.assign(bits.bits, value, line_of(node))

    def _call(self, node: ast.FunctionCall) -> Result:
        return self._subroutines.value(node)

    def _assign(self, node: ast.ClassicalAssignment) -> None:
        target = node.lvalue if isinstance(node.lvalue, ast.Identifier) else node.lvalue.name
        symbol = self._names.find(target.name, node)
        value = self._expressions.value(node.rvalue)
        operator = node.op.name.removesuffix("=")
        if isinstance(symbol, BitNames):
            bits = self._expressions.bits(node.lvalue)
            if operator:
                value = self._expressions.binary(operator, Bits(bits.bits), value, node)
            self._write_bits(bits, as_value(value, node), node)
        elif isinstance(symbol, Variable):
            self._assign_variable(node, symbol, operator, value)
        else:
            raise fault(node, f"'{target.name}' cannot be assigned to")

    def _assign_variable(
        self, node: ast.ClassicalAssignment, variable: Variable, operator: str, value: Result
    ) -> None:
        target = node.lvalue
        name, indices = (
            (target.name, [])
            if isinstance(target, ast.Identifier)
            else (target.name.name, target.indices)
        )
        if variable.is_constant or variable.type is None:
            raise fault(node, f"'{name}' is constant")
        held = self._changes.read(variable, name, node) if operator or indices else None
        if operator and held is not None:
            for index in indices:
                held = self._expressions.element(held, index, node, 0)
            value = self._expressions.binary(operator, held, value, node)
        if indices:
            self._expressions.put(variable, indices, value, node)
            value = variable.value
        else:
            value = self._types.converted(variable.type, value, node)
        self._changes.assign(variable, value, name, node)

    def _expression(self, node: ast.ExpressionStatement) -> None:
        if isinstance(node.expression, ast.FunctionCall):
            self._subroutines.execute(node.expression)
        else:
            self._expressions.value(node.expression)

    def _declare_turn(self, node: ast.ForInLoop, value: Result) -> None:
        self._declare_variable(node.identifier.name, node.type, value, node)


def _check_type(node: ast.ClassicalDeclaration | ast.ConstantDeclaration) -> None:
    if type(node.type) in _REFUSED_TYPES:
        raise fault(node, _REFUSED_TYPES[type(node.type)])
