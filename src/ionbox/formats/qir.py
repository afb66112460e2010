"""QIR, the quantum subset of LLVM's intermediate representation, as base64 of bitcode, to program.

Read are the base profile and, of the adaptive profile, branches forward on measured results.
Bitcode is parsed by LLVM (through pyqir, an optional extra), which trusts what it reads: bitcode
made to harm it can end the process, or keep it busy. Read it where that is survived.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from ionbox.circuits.gates import GATES, ROW_BY_NAME
from ionbox.circuits.program import (
    Bits,
    Constant,
    Expression,
    Measure,
    Program,
    ProgramBuilder,
    Reset,
    Value,
)
from ionbox.errors import InvalidCircuitError

if TYPE_CHECKING:
    import pyqir

# Gates, measurements and resets of one program.
MAX_OPERATIONS: Final = 150_000

# An operation takes 10 to 40 bytes: more than this is no program within the limit above.
MAX_BITCODE_BYTES: Final = 16 * 2**20

# Bitcode proper, and Apple's wrapper around it.
_MAGICS: Final = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")


@dataclass(frozen=True, slots=True)
class QirGate:
    """What a QIR function does to the qubits it is given: controls first, then targets.

    Args:
        gate: Its name in gateset qis.
        num_controls: How many of the qubits are controls.
        has_rotation: Whether an angle in radians comes before the qubits.
    """

    gate: str
    num_controls: int = 0
    has_rotation: bool = False


# By what follows __quantum__qis__ in the function's name.
QIR_GATES: Final[Mapping[str, QirGate]] = MappingProxyType(
    {
        "x__body": QirGate("x"),
        "y__body": QirGate("y"),
        "z__body": QirGate("z"),
        "h__body": QirGate("h"),
        "s__body": QirGate("s"),
        "s__adj": QirGate("si"),
        "t__body": QirGate("t"),
        "t__adj": QirGate("ti"),
        "sx__body": QirGate("v"),
        "sx__adj": QirGate("vi"),
        "rx__body": QirGate("rx", has_rotation=True),
        "ry__body": QirGate("ry", has_rotation=True),
        "rz__body": QirGate("rz", has_rotation=True),
        "r1__body": QirGate("z", has_rotation=True),
        "cnot__body": QirGate("x", num_controls=1),
        "cx__body": QirGate("x", num_controls=1),
        "cy__body": QirGate("y", num_controls=1),
        "cz__body": QirGate("z", num_controls=1),
        "ccx__body": QirGate("x", num_controls=2),
        "swap__body": QirGate("swap"),
        "cswap__body": QirGate("swap", num_controls=1),
        "rxx__body": QirGate("xx", has_rotation=True),
        "ryy__body": QirGate("yy", has_rotation=True),
        "rzz__body": QirGate("zz", has_rotation=True),
    },
)

# Functions of a qubit and a result; whether they also put the qubit back to |0>.
_MEASUREMENTS: Final = {"m__body": False, "mz__body": False, "mresetz__body": True}

_RESET: Final = "reset__body"

_INITIALIZE: Final = "__quantum__rt__initialize"

_READ_RESULT: Final = ("__quantum__rt__read_result", "__quantum__qis__read_result__body")

# All results are read out, by their numbers, so that recording some of them adds nothing.
_IGNORED: Final = (
    "__quantum__rt__array_record_output",
    "__quantum__rt__tuple_record_output",
    "__quantum__rt__result_record_output",
    "__quantum__qis__barrier__body",
)

# Names that the attribute had: of the specification, of its drafts.
_NUM_QUBITS: Final = ("required_num_qubits", "num_required_qubits", "requiredQubits")
_NUM_RESULTS: Final = ("required_num_results", "num_required_results", "requiredResults")

_OPERATORS: Final = {"and": "&", "or": "|", "xor": "^", "eq": "==", "ne": "!="}

# pyqir.ptr_id would read any constant as if it were a number, also one that is none.
_NUMBERED: Final = re.compile(r"ptr (?:null|inttoptr \(i64 (?P<number>\d+) to ptr\))")


@dataclass(frozen=True, slots=True)
class _Operation:
    """A row number of GATES and what it acts on."""

    row: int
    targets: tuple[int, ...]
    controls: tuple[int, ...]
    params: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Call:
    """A step, and which instruction asks for it; a measurement's bit is the result's number."""

    number: int
    function: str
    step: _Operation | Measure | Reset

    def refuse(self, message: str) -> NoReturn:
        _refuse(f"instruction {self.number}, {self.function}: {message}")


@dataclass(frozen=True, slots=True)
class _Block:
    """Calls, and where to go on: the numbers of blocks, none at the end of the program.

    Args:
        successors: One, or two: where the condition holds, and where it does not.
    """

    calls: tuple[_Call, ...]
    successors: tuple[int, ...]
    condition: Value | None


# A block's calls and its last instruction, by its number, in an order in which flow may pass.
_Blocks: TypeAlias = Mapping[int, _Block]


def read_qir(text: str) -> Program:
    """Read the base64 text of a module in bitcode.

    Results become the register `result`, in the order of their numbers; without a measurement
    there is no register. The width is what the entry point says it requires, or else follows
    from the highest qubit in use.

    Raises:
        InvalidCircuitError: If this is no QIR, or not of the profiles above; it names the
            function or the instruction. Also if pyqir is not installed.

    Source:
        QIR specification, Base Profile and Adaptive Profile.
    """
    library = _library()
    bitcode = _decode(text)
    try:
        return _program(library, bitcode)
    except BaseException as error:
        # pyqir's Rust panics at a name that is not UTF-8, with what is not even an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise InvalidCircuitError("data", f"pyqir gives this bitcode up: {error}") from error


def _program(library: ModuleType, bitcode: bytes) -> Program:
    entry = _entry_point(_module(library, bitcode))
    reader = _Reader(library, entry)
    blocks = reader.blocks()
    calls = [call for block in blocks.values() for call in block.calls]
    num_qubits = _required(entry, _NUM_QUBITS)
    if num_qubits is None:
        num_qubits = 1 + max((qubit for call in calls for qubit in _qubits(call.step)), default=-1)
    try:
        builder = ProgramBuilder(num_qubits, "qis")
        if reader.results:
            num_results = max(1 + max(reader.results), _required(entry, _NUM_RESULTS) or 0)
            builder.add_register("result", num_results)
    except InvalidCircuitError as error:
        raise InvalidCircuitError("data", error.message) from None
    _add_blocks(builder, blocks, num_qubits)
    return builder.build()


def _library() -> ModuleType:
    try:
        import pyqir  # noqa: PLC0415 - an optional extra, of use to few
    except ImportError:
        message = "QIR is read with pyqir, which is not installed; pip install 'ionbox[qir]'"
        raise InvalidCircuitError("format", message) from None
    return pyqir


def _decode(text: str) -> bytes:
    """Return the bitcode, after all checks that need no LLVM."""
    try:
        bitcode = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        _refuse(f"not base64: {error}")
    if len(bitcode) > MAX_BITCODE_BYTES:
        _refuse(f"{len(bitcode)} bytes of bitcode; at most {MAX_BITCODE_BYTES}")
    if not bitcode.startswith(_MAGICS):
        _refuse(f"not LLVM bitcode: it starts with {bitcode[:4]!r}, bitcode with {_MAGICS[0]!r}")
    return bitcode


def _module(library: ModuleType, bitcode: bytes) -> pyqir.Module:
    try:
        module: pyqir.Module = library.Module.from_bitcode(library.Context(), bitcode)
    except ValueError as error:
        raise InvalidCircuitError("data", f"LLVM does not read this bitcode: {error}") from error
    if (fault := module.verify()) is not None:
        _refuse(f"LLVM finds this module broken: {fault.strip()}")
    return module


def _entry_point(module: pyqir.Module) -> pyqir.Function:
    functions = [
        function for function in module.functions if "entry_point" in function.attributes.func
    ]
    if not functions:
        _refuse("no function has the attribute entry_point")
    if len(functions) > 1:
        names = ", ".join(function.name for function in functions)
        _refuse(f"several functions have the attribute entry_point: {names}; allowed is one")
    [entry] = functions
    if entry.params:
        _refuse(f"entry point {entry.name}: takes parameters; an entry point takes none")
    if not entry.basic_blocks:
        _refuse(f"entry point {entry.name}: is declared, but not defined")
    return entry


def _required(entry: pyqir.Function, names: Sequence[str]) -> int | None:
    """Return the number that an attribute of the entry point holds; None if it has none."""
    attributes = entry.attributes.func
    for name in names:
        if name not in attributes:
            continue
        text = attributes[name].string_value or ""
        if re.fullmatch("[0-9]{1,18}", text) is None:
            _refuse(f"attribute {name}={text[:30]!r} is not a number")
        return int(text)
    return None


class _Reader:
    """Reads the instructions of an entry point, and notes which results are measured."""

    def __init__(self, library: ModuleType, entry: pyqir.Function) -> None:
        self._pyqir = library
        self._blocks = entry.basic_blocks
        self._numbers = {block: number for number, block in enumerate(self._blocks)}
        self._values: dict[pyqir.Value, Value] = {}
        self.results: set[int] = set()
        self._read_results: set[int] = set()
        self._num_instructions = 0
        self._num_operations = 0

    def blocks(self) -> _Blocks:
        """Return the blocks that flow can reach, each after all that lead to it."""
        before: dict[int, set[int]] = {0: set()}
        reached = [0]
        for number in reached:
            for successor in self._successors(number):
                if successor not in before:
                    before[successor] = set()
                    reached.append(successor)
                before[successor].add(number)
        try:
            order = tuple(TopologicalSorter(before).static_order())
        except CycleError:
            _refuse("instruction br: a loop; branches lead forward")
        return {number: self._block(number) for number in order}

    def _successors(self, number: int) -> tuple[int, ...]:
        """Return where a block goes on: first where its condition, if any, holds."""
        last = self._blocks[number].terminator
        assert last is not None  # noqa: S101 - the module is verified
        if last.opcode not in {self._pyqir.Opcode.RET, self._pyqir.Opcode.BR}:
            _refuse(f"instruction {_word(last.opcode)}: not of a profile that is read here")
        # LLVM holds the operands of br as condition, else, then.
        aims = [operand for operand in last.operands if operand in self._numbers]
        return tuple(self._numbers[aim] for aim in reversed(aims))

    def _block(self, number: int) -> _Block:
        *instructions, last = self._blocks[number].instructions
        calls = tuple(call for instruction in instructions for call in self._read(instruction))
        self._num_instructions += 1
        successors = self._successors(number)
        condition = self._value(last.operands[0], "br") if len(successors) == 2 else None
        return _Block(calls, successors, condition)

    def _read(self, instruction: pyqir.Instruction) -> Iterator[_Call]:
        """Yield what an instruction asks for, or note the value it stands for."""
        self._num_instructions += 1
        if not isinstance(instruction, self._pyqir.Call):
            self._values[instruction] = self._expression(instruction)
            return
        callee = instruction.callee
        if not isinstance(callee, self._pyqir.Function):
            self._refuse("call", "calls no function of the module")
        function = callee.name
        if function in _READ_RESULT:
            [pointer] = self._arguments(instruction, function, 1)
            self._values[instruction] = self._read_result(self._numbered(pointer, function))
        elif function == _INITIALIZE:
            if self._num_operations:
                self._refuse(function, "comes after operations; it belongs before them")
        elif function not in _IGNORED:
            for step in self._steps(instruction, function):
                self._count()
                yield _Call(self._num_instructions, function, step)

    def _steps(
        self, instruction: pyqir.Call, function: str
    ) -> tuple[_Operation | Measure | Reset, ...]:
        name = function.removeprefix("__quantum__qis__")
        if (gate := QIR_GATES.get(name)) is not None and name != function:
            return (self._operation(instruction, function, gate),)
        if name == _RESET:
            [pointer] = self._arguments(instruction, function, 1)
            return (Reset(self._numbered(pointer, function)),)
        if name not in _MEASUREMENTS:
            known = ", ".join([*QIR_GATES, *_MEASUREMENTS, _RESET])
            self._refuse(function, f"unknown function; known after __quantum__qis__: {known}")
        pointers = self._arguments(instruction, function, 2)
        qubit, result = [self._numbered(pointer, function) for pointer in pointers]
        if result in self._read_results:
            self._refuse(function, f"measures again result {result}, which was read before")
        self.results.add(result)
        measure = Measure(qubit, result)
        return (measure, Reset(qubit)) if _MEASUREMENTS[name] else (measure,)

    def _operation(self, instruction: pyqir.Call, function: str, gate: QirGate) -> _Operation:
        row = ROW_BY_NAME["qis", gate.gate]
        num_targets = GATES[row].num_targets
        assert num_targets is not None  # noqa: S101 - no row of QIR_GATES is pauliexp
        num_arguments = gate.has_rotation + gate.num_controls + num_targets
        arguments = self._arguments(instruction, function, num_arguments)
        if gate.has_rotation:
            params: tuple[float, ...] = (self._rotation(arguments.pop(0), function),)
        else:
            params = tuple(param.default or 0.0 for param in GATES[row].params)
        qubits = tuple(self._numbered(argument, function) for argument in arguments)
        controls, targets = qubits[: gate.num_controls], qubits[gate.num_controls :]
        return _Operation(row, targets, controls, params)

    def _arguments(self, instruction: pyqir.Call, function: str, number: int) -> list[pyqir.Value]:
        arguments = instruction.args
        if len(arguments) != number:
            self._refuse(function, f"takes {number} arguments, not {len(arguments)}")
        return arguments

    def _numbered(self, pointer: pyqir.Value, function: str) -> int:
        """Return the number of a qubit or a result, which is a pointer to nowhere."""
        text = str(pointer)
        match = _NUMBERED.fullmatch(text)
        if match is None:
            written = text.strip().partition("\n")[0][:60]
            message = f"{written!r} is no number of a qubit or result that is known before the run"
            self._refuse(function, message)
        return int(match["number"] or 0)

    def _rotation(self, value: pyqir.Value, function: str) -> float:
        if not isinstance(value, self._pyqir.FloatConstant):
            self._refuse(function, "its angle is not a number that is known before the run")
        rotation: float = value.value
        return rotation

    def _read_result(self, result: int) -> Value:
        if result not in self.results:
            self._refuse("read_result", f"nothing before it measures result {result}")
        self._read_results.add(result)
        return Bits((result,))

    def _expression(self, instruction: pyqir.Instruction) -> Value:
        """Return what is computed from results: and, or, xor and the comparison of two bits."""
        name = _word(instruction.opcode)
        predicate = getattr(instruction, "predicate", instruction.opcode)  # icmp has one
        operator = _OPERATORS.get(_word(predicate))
        if operator is None:
            self._refuse(name, "not of a profile that is read here")
        operands = tuple(self._value(operand, name) for operand in instruction.operands)
        try:
            return Expression(operator, operands)
        except ValueError as error:
            self._refuse(name, str(error))

    def _value(self, operand: pyqir.Value, name: str) -> Value:
        if isinstance(operand, self._pyqir.IntConstant):
            return Constant(operand.value)
        if (value := self._values.get(operand)) is None:
            self._refuse(name, "its value comes neither from results nor is it known")
        return value

    def _count(self) -> None:
        self._num_operations += 1
        if self._num_operations > MAX_OPERATIONS:
            _refuse(f"more than {MAX_OPERATIONS} gates, measurements and resets")

    def _refuse(self, what: str, message: str) -> NoReturn:
        _refuse(f"instruction {self._num_instructions}, {what}: {message}")


def _add_blocks(builder: ProgramBuilder, blocks: _Blocks, num_qubits: int) -> None:
    """Add all blocks, with a jump where one does not go on to the next."""
    end = -1
    jumps: defaultdict[int, list[int]] = defaultdict(list)  # block → jumps that lead there
    order = [*blocks, end]
    for number, following in pairwise(order):
        block = blocks[number]
        for place in jumps.pop(number, ()):
            builder.land(place)
        for call in block.calls:
            _add_call(builder, call, num_qubits)
        then, *otherwise = block.successors or (end,)
        if otherwise:
            jumps[otherwise[0]].append(builder.jump(unless=block.condition))
        if then != following:
            jumps[then].append(builder.jump())
    for place in jumps.pop(end, ()):
        builder.land(place)


def _add_call(builder: ProgramBuilder, call: _Call, num_qubits: int) -> None:
    highest = max(_qubits(call.step))
    if highest >= num_qubits:
        call.refuse(f"qubit {highest} of {num_qubits} that the entry point requires")
    match call.step:
        case Measure(qubit, bit):
            builder.measure(qubit, bit)
        case Reset(qubit):
            builder.reset(qubit)
        case _Operation(row, targets, controls, params):
            try:
                builder.add_operation(row, targets, controls, params)
            except InvalidCircuitError as error:
                call.refuse(error.message)


def _qubits(step: _Operation | Measure | Reset) -> tuple[int, ...]:
    return step.targets + step.controls if isinstance(step, _Operation) else (step.qubit,)


def _word(member: object) -> str:
    """Return the LLVM word for a member of one of pyqir's enumerations, such as Opcode.BR."""
    return str(member).rpartition(".")[2].lower()


def _refuse(message: str) -> NoReturn:
    raise InvalidCircuitError("data", message)
