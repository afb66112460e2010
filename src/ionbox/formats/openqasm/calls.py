"""Gate calls: definitions expanded, modifiers applied, registers broadcast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from openqasm3 import ast

from ionbox.circuits.circuit import MAX_OPERATION_QUBITS
from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm.expressions import Expressions
from ionbox.formats.openqasm.gates import CX_BY_U, RULES
from ionbox.formats.openqasm.names import (
    GateDefinition,
    Names,
    Qubits,
    Variable,
    fault,
    line_of,
)
from ionbox.formats.openqasm.operations import (
    MAX_OPERATIONS,
    NoSuchGateError,
    Op,
    controlled,
    gphase,
    inverse,
    moved,
    power,
)
from ionbox.formats.openqasm.plain import PlainGate
from ionbox.formats.openqasm.tape import Tape

GateNode: TypeAlias = ast.QuantumGate | ast.QuantumPhase
Params: TypeAlias = tuple[float, ...]

MAX_DEPTH: Final = 50  # gates in gates

_WORK_OF_EXPANSION: Final = 20  # times that of a statement

_CONTROLS: Final = {ast.GateModifierName.ctrl: 1, ast.GateModifierName.negctrl: 0}


class Calls:
    """Writes gates to a tape."""

    def __init__(self, names: Names, expressions: Expressions, tape: Tape) -> None:
        self._names = names
        self._expressions = expressions
        self._tape = tape
        self._expanded: dict[tuple[str, Params], list[Op]] = {}
        self._open: list[str] = []  # definitions that are being expanded

    def plain(self, gate: PlainGate) -> None:
        """Write a plain gate."""
        line = gate.line
        ops, num_qubits = self._ops(gate.name, gate.params, line)
        _check_number(num_qubits, len(gate.operands), gate.name, line)
        qubits = [self._element(name, index, line) for name, index in gate.operands]
        _check_different(qubits, gate.name, line)
        self._tape.add(moved(ops, qubits), gate.name, line)

    def _element(self, name: str, index: int, line: int) -> int:
        symbol = self._names.get(name)
        if not isinstance(symbol, Qubits) or not symbol.is_register:
            raise InvalidCircuitError(f"line {line}", f"'{name}' is no register of qubits")
        if index >= len(symbol.qubits):
            size = len(symbol.qubits)
            raise InvalidCircuitError(
                f"line {line}", f"qubit {index} of '{name}', which has {size}"
            )
        return symbol.qubits[index]

    def gate(self, node: GateNode) -> None:
        """Write a gate, or a global phase, with its modifiers."""
        name, line = _name(node), line_of(node)
        ops, num_qubits = self._modified(node)
        for qubits in self._applications(node, num_qubits):
            self._tape.add(moved(ops, qubits), name, line)

    def _modified(self, node: GateNode) -> tuple[list[Op], int]:
        """Return the operations of a call on qubits 0, 1, ..., and how many these are."""
        ops, num_qubits = self._base(node)
        values = [value for modifier in node.modifiers for value in self._controls(modifier)]
        zeros = [control for control, value in enumerate(values) if value == 0]
        try:
            # A power of a controlled gate is the controlled power, and so it is with the inverse.
            for modifier in reversed(node.modifiers):
                ops = self._inverse_or_power(ops, modifier)
            ops = moved(ops, range(len(values), len(values) + num_qubits))
            ops = controlled(ops, range(len(values)), zeros)
        except NoSuchGateError as error:
            raise fault(node, f"gate {_name(node)}: {error}") from None
        self._tape.spend(1 + len(ops), line_of(node))
        return ops, len(values) + num_qubits

    def _base(self, node: GateNode) -> tuple[Sequence[Op], int]:
        if isinstance(node, ast.QuantumPhase):
            return [gphase(self._expressions.real(node.argument))], 0
        if node.duration is not None:
            raise fault(node, "timing: a gate with a duration is not read")
        params = tuple([self._expressions.real(argument) for argument in node.arguments])
        return self._ops(node.name.name, params, line_of(node))

    def _controls(self, modifier: ast.QuantumGateModifier) -> list[int]:
        """Return what the controls of a modifier must be: 0 or 1, for each of them."""
        if modifier.modifier not in _CONTROLS:
            return []
        number = 1 if modifier.argument is None else self._expressions.whole(modifier.argument)
        if not 1 <= number < MAX_OPERATION_QUBITS:
            most = MAX_OPERATION_QUBITS - 1
            raise fault(modifier, f"{number} controls; a gate has from 1 to {most}")
        return [_CONTROLS[modifier.modifier]] * number

    def _inverse_or_power(
        self, ops: Sequence[Op], modifier: ast.QuantumGateModifier
    ) -> Sequence[Op]:
        if modifier.modifier is ast.GateModifierName.inv:
            return inverse(ops)
        if modifier.modifier is ast.GateModifierName.pow:
            assert modifier.argument is not None  # noqa: S101 - as the grammar wants it
            return power(ops, self._expressions.real(modifier.argument))
        return ops

    def _applications(self, node: GateNode, num_qubits: int) -> Iterator[Sequence[int]]:
        """Yield the qubits of each gate that a call means; registers go through in step."""
        name, line = _name(node), line_of(node)
        operands = [self._expressions.qubits(qubit) for qubit in node.qubits]
        if isinstance(node, ast.QuantumPhase):
            operands = operands[:num_qubits]  # PennyLane names a qubit, which adds nothing
        _check_number(num_qubits, len(operands), name, line)
        sizes = {len(operand.qubits) for operand in operands if operand.is_register}
        if len(sizes) > 1:
            listed = " and ".join(map(str, sorted(sizes)))
            raise fault(node, f"gate {name} on registers of different sizes, {listed}")
        for k in range(min(sizes, default=1)):
            qubits = [operand.qubits[k if operand.is_register else 0] for operand in operands]
            _check_different(qubits, name, line)
            yield qubits

    def _ops(self, name: str, params: Params, line: int) -> tuple[Sequence[Op], int]:
        """Return the operations of a gate on qubits 0, 1, ..., and how many these are."""
        symbol = self._names.get(name)
        if isinstance(symbol, GateDefinition) and not (symbol.is_opaque and name in RULES):
            return self._expand(name, symbol, params, line), len(symbol.qubits)
        rule = RULES.get(name)
        if rule is None or not (symbol is None or isinstance(symbol, GateDefinition)):
            raise InvalidCircuitError(f"line {line}", f"'{name}' is no gate that is known here")
        least, most = rule.num_params
        if not least <= len(params) <= most:
            allowed = str(least) if least == most else f"{least} or {most}"
            message = f"gate {name} takes {allowed} parameters, not {len(params)}"
            raise InvalidCircuitError(f"line {line}", message)
        return rule.ops(*params), rule.num_qubits

    def _expand(self, name: str, definition: GateDefinition, params: Params, line: int) -> list[Op]:
        if definition.is_opaque:
            raise InvalidCircuitError(f"line {line}", f"opaque gate {name} has no definition")
        if len(params) != len(definition.params):
            message = f"gate {name} takes {len(definition.params)} parameters, not {len(params)}"
            raise InvalidCircuitError(f"line {line}", message)
        if (name, params) in self._expanded:
            return self._expanded[name, params]
        if name in self._open or len(self._open) >= MAX_DEPTH:
            fact = "calls itself" if name in self._open else f"is nested over {MAX_DEPTH} deep"
            raise InvalidCircuitError(f"line {line}", f"gate {name} {fact}")
        self._tape.spend(_WORK_OF_EXPANSION, line)
        self._open.append(name)
        with self._names.body():
            for param, value in zip(definition.params, params, strict=True):
                self._names.declare(param, Variable(value, None, is_constant=True), line)
            for k, qubit in enumerate(definition.qubits):
                self._names.declare(qubit, Qubits((k,), is_register=False), line)
            ops = self._body(definition.body, name)
        if name in {"cx", "CX"} and ops == CX_BY_U:
            ops = list(RULES["cx"].ops())
        self._open.pop()
        self._expanded[name, params] = ops
        return ops

    def _body(self, statements: Sequence[ast.Statement], name: str) -> list[Op]:
        ops: list[Op] = []
        for node in statements:
            if isinstance(node, ast.QuantumBarrier | ast.DelayInstruction):
                continue
            if not isinstance(node, GateNode):
                raise fault(node, f"gate {name}: a definition holds only gates")
            part, num_qubits = self._modified(node)
            for qubits in self._applications(node, num_qubits):
                ops += moved(part, qubits)
            if len(ops) > MAX_OPERATIONS:
                message = f"gate {name} expands to over {MAX_OPERATIONS} operations"
                raise fault(node, message)
        return ops


def _name(node: GateNode) -> str:
    return "gphase" if isinstance(node, ast.QuantumPhase) else node.name.name


def _check_number(needed: int, given: int, name: str, line: int) -> None:
    if needed != given:
        message = f"gate {name} acts on {needed} qubits here, not {given}"
        raise InvalidCircuitError(f"line {line}", message)


def _check_different(qubits: Sequence[int], name: str, line: int) -> None:
    if len(qubits) > 1 and len(set(qubits)) < len(qubits):
        raise InvalidCircuitError(f"line {line}", f"gate {name} is given a qubit twice")
