"""A program: circuits, and what happens between them to qubits and classical bits.

The steps are one flat list, and a jump goes to a place in it: an engine needs no stack to run
them. Every format is read to a program; one without mid-circuit steps is a single circuit with
its measurements after it, and `Program.circuit` says so.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from ionbox.circuits.circuit import Circuit, Packer, check_num_qubits
from ionbox.errors import InvalidCircuitError

# More bits, and registers, than a real program has.
MAX_BITS: Final = 100_000
MAX_REGISTERS: Final = 1_000
OUTPUT_ALL: Final = "output_all"  # in results, the register of all qubits as they are at the end

# Operators, numbers and registers in one value; a run computes it each time it comes by.
MAX_VALUE_SIZE: Final = 500


def _shift_left(a: int, by: int) -> int:
    return a << by if 0 <= by <= MAX_BITS else 0


def _shift_right(a: int, by: int) -> int:
    return a >> by if by >= 0 else 0


# A shift by less than nothing gives 0, and so does one past all bits.
OPERATORS: Final[Mapping[str, Callable[..., int]]] = {
    "!": operator.not_,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&&": lambda a, b: bool(a) and bool(b),
    "||": lambda a, b: bool(a) or bool(b),
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _shift_left,
    ">>": _shift_right,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "popcount": int.bit_count,
}


@dataclass(frozen=True, slots=True)
class Constant:
    """An integer that is known before the run."""

    value: int
    size: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Bits:
    """The integer that bits stand for, the first one lowest."""

    bits: tuple[int, ...]
    size: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Expression:
    """An operator of `OPERATORS` on one or two values.

    Raises:
        ValueError: If it is longer than `MAX_VALUE_SIZE`.
    """

    operator: str
    operands: tuple[Value, ...]
    size: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Measure it: operands may share parts, so that writing it out could take for ever."""
        size = 1 + sum(operand.size for operand in self.operands)
        if size > MAX_VALUE_SIZE:
            raise ValueError(f"a value of over {MAX_VALUE_SIZE} operators, numbers and registers")
        object.__setattr__(self, "size", size)


Value: TypeAlias = Constant | Bits | Expression


def evaluate(value: Value, bits: Sequence[int]) -> int:
    """Return what a value is, given all classical bits."""
    match value:
        case Constant():
            return value.value
        case Bits():
            # one by one, a long register would take the square of its length
            return int("0" + "".join([str(bits[bit]) for bit in reversed(value.bits)]), 2)
        case Expression():
            operands = []
            for operand in value.operands:
                # a comprehension would take a second place on the stack at each level
                operands.append(evaluate(operand, bits))  # noqa: PERF401
            return int(OPERATORS[value.operator](*operands))


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure a qubit in the computational basis and note the outcome in a bit, if there is one."""

    qubit: int
    bit: int | None


@dataclass(frozen=True, slots=True)
class Reset:
    """Put a qubit back to |0>, whatever it was entangled with."""

    qubit: int


@dataclass(frozen=True, slots=True)
class Assign:
    """Set bits to the lowest bits of a value, the first bit lowest."""

    bits: tuple[int, ...]
    value: Value


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at the step of that number, unless the condition holds.

    Args:
        to: A place in `Program.steps`; their number is the end.
        unless: None to go there always.
    """

    to: int
    unless: Value | None = None


Step: TypeAlias = Circuit | Measure | Reset | Assign | Jump


@dataclass(frozen=True, slots=True)
class Register:
    """Named classical bits: `size` of them from number `start` on."""

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Steps on qubits that start in |0>, and bits that start at 0; made by `ProgramBuilder`.

    Args:
        num_qubits: At least 1; every circuit in the steps has this width.
        gateset: "qis" or "native", of every circuit in the steps.
        steps: In order; jumps leave it.
        registers: The declared ones, in order; together they hold all bits.
    """

    num_qubits: int
    gateset: str
    steps: tuple[Step, ...]
    registers: tuple[Register, ...] = ()

    @property
    def num_bits(self) -> int:
        """Return the number of classical bits."""
        return sum(register.size for register in self.registers)

    @property
    def circuit(self) -> Circuit | None:
        """The whole program as one circuit, if all it does besides is to measure at the end."""
        first, *rest = self.steps
        if isinstance(first, Circuit) and all(isinstance(step, Measure) for step in rest):
            return first
        return None

    @property
    def measured(self) -> Mapping[int, int]:
        """Bit → the qubit it is measured from; of a program that is one circuit."""
        measurements = [step for step in self.steps if isinstance(step, Measure)]
        return {step.bit: step.qubit for step in measurements if step.bit is not None}

    def gate_counts(self) -> tuple[int, int]:
        """Count the operations on one qubit, and on two or more, each where it is written."""
        counts = [step.gate_counts() for step in self.steps if isinstance(step, Circuit)]
        return sum(one for one, _ in counts), sum(more for _, more in counts)


def program_of(
    circuit: Circuit, registers: Mapping[str, Sequence[int | None]] | None = None
) -> Program:
    """Return the program that runs a circuit and measures at the end.

    Args:
        registers: Name → the qubit that each of its bits is measured from, or None for a bit
            that stays 0. An empty one is none.

    Raises:
        InvalidCircuitError: If a register names a qubit that the circuit does not have.
    """
    if not registers:
        return Program(circuit.num_qubits, circuit.gateset, (circuit,))
    builder = ProgramBuilder(circuit.num_qubits, circuit.gateset)
    builder.add_circuit(circuit)
    for name, qubits in registers.items():
        register = builder.add_register(name, len(qubits))
        for bit, qubit in enumerate(qubits, register.start):
            if qubit is not None:
                if not 0 <= qubit < circuit.num_qubits:
                    message = f"qubit {qubit} of a {circuit.num_qubits}-qubit circuit"
                    raise InvalidCircuitError(f"registers.{name}[{bit - register.start}]", message)
                builder.measure(qubit, bit)
    return builder.build()


class ProgramBuilder:
    """Collects steps in the order of a text, and writes them down as few as can be.

    Operations are packed into one circuit as long as nothing comes between them, and a
    measurement waits until something needs it done: so a program that measures here and there,
    but never touches a qubit again, becomes one circuit with its measurements after it.

    Args:
        num_qubits: At least 1.
        gateset: "qis" or "native".
    """

    def __init__(self, num_qubits: int, gateset: str) -> None:
        check_num_qubits(num_qubits)
        self._num_qubits = num_qubits
        self._gateset = gateset
        self._packer = Packer(num_qubits, gateset)
        self._steps: list[Step] = []
        self._registers: list[Register] = []
        self._num_bits = 0
        self._waiting: dict[int, int] = {}  # bit → the qubit that is to be measured into it
        self._unread: set[int] = set()  # qubits that are to be measured, into no bit
        self._touched: set[int] = set()  # qubits that may no longer be in |0>

    def add_register(self, name: str, size: int) -> Register:
        """Declare a classical register; an empty one holds nothing and is left out.

        Raises:
            InvalidCircuitError: If the program would have absurdly many bits or registers, or
                this one has the name of the register of all qubits.
        """
        if name == OUTPUT_ALL:
            message = "this name is kept for the register of all qubits"
            raise InvalidCircuitError(f"registers.{name}", message)
        if len(self._registers) == MAX_REGISTERS:
            raise InvalidCircuitError("registers", f"at most {MAX_REGISTERS} are allowed")
        if self._num_bits + size > MAX_BITS:
            message = f"{self._num_bits + size} classical bits; at most {MAX_BITS}"
            raise InvalidCircuitError(f"registers.{name}", message)
        register = Register(name, self._num_bits, size)
        if size:
            self._registers.append(register)
        self._num_bits += size
        return register

    def add_operation(
        self,
        row: int,
        targets: Sequence[int],
        controls: Sequence[int] = (),
        params: Sequence[float] = (),
        terms: Sequence[str] = (),
    ) -> None:
        """Add an operation, as `Packer.append`."""
        qubits = {*targets, *controls}
        if not (qubits.isdisjoint(self._waiting.values()) and qubits.isdisjoint(self._unread)):
            self._flush()
        self._packer.append(row, targets, controls, params, terms)
        self._touched |= qubits

    def add_circuit(self, circuit: Circuit) -> None:
        """Add a circuit of the program's own width and gateset as it is."""
        self._flush()
        self._steps.append(circuit)
        self._touched.update(range(self._num_qubits))

    def measure(self, qubit: int, bit: int | None) -> None:
        """Measure a qubit into a bit; into none, only what acts on the qubit later can tell."""
        self._touched.add(qubit)
        if bit is None:
            self._unread.add(qubit)
            return
        if bit in self._waiting:
            self._flush()
        self._waiting[bit] = qubit

    def reset(self, qubit: int) -> None:
        """Put a qubit back to |0>; one that nothing has touched is there already."""
        if qubit in self._touched:
            self._flush()
            self._steps.append(Reset(qubit))

    def assign(self, bits: Sequence[int], value: Value) -> None:
        """Set bits to a value."""
        self._flush()
        self._steps.append(Assign(tuple(bits), value))

    def jump(self, unless: Value | None = None) -> int:
        """Add a jump whose aim `land` says later; return its place."""
        self._flush()
        self._touched.update(range(self._num_qubits))  # whichever way was taken
        self._steps.append(Jump(-1, unless))
        return len(self._steps) - 1

    def land(self, place: int) -> None:
        """Have the jump at a place lead here."""
        self._flush()
        jump = self._steps[place]
        assert isinstance(jump, Jump)  # noqa: S101 - as `jump` returned it
        self._steps[place] = Jump(len(self._steps), jump.unless)

    def here(self) -> int:
        """Return the number of the next step, for a jump that leads back."""
        self._flush()
        self._touched.update(range(self._num_qubits))
        return len(self._steps)

    def jump_to(self, place: int) -> None:
        """Add a jump to an earlier place."""
        self._flush()
        self._steps.append(Jump(place))

    def build(self) -> Program:
        """Return the program."""
        self._unread.clear()  # nothing comes after them
        self._flush()
        if not self._steps or not isinstance(self._steps[0], Circuit):
            empty = Packer(self._num_qubits, self._gateset).pack()
            self._steps = [empty, *map(_one_later, self._steps)]
        return Program(self._num_qubits, self._gateset, tuple(self._steps), tuple(self._registers))

    def _flush(self) -> None:
        """Write down the operations that are collected, then the measurements that wait."""
        if self._packer.num_operations:
            self._steps.append(self._packer.pack())
            self._packer = Packer(self._num_qubits, self._gateset)
        self._steps += [Measure(qubit, bit) for bit, qubit in self._waiting.items()]
        self._steps += [Measure(qubit, None) for qubit in sorted(self._unread)]
        self._waiting.clear()
        self._unread.clear()


def _one_later(step: Step) -> Step:
    return Jump(step.to + 1, step.unless) if isinstance(step, Jump) else step
