"""What a text does, in order, until all its qubits and bits are declared and a program is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from ionbox.circuits.circuit import MAX_QUBITS
from ionbox.circuits.gates import GATES
from ionbox.circuits.program import MAX_BITS, Program, ProgramBuilder, Value
from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm.operations import GPHASE, MAX_OPERATIONS, Op

Play: TypeAlias = Callable[[ProgramBuilder], None]

# Statements and parts of expressions, in every turn of a loop and every call of a gate.
MAX_WORK: Final = 2_000_000


class Tape:
    """Collects what a `ProgramBuilder` is told later; a line of the text goes with each entry."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, Play | Op]] = []
        self._num_operations = 0
        self._work = 0
        self._num_qubits = 0
        self._num_bits = 0
        self._registers: dict[str, int] = {}
        self._first_gate: tuple[str, str, int] | None = None  # gateset, name, line
        self._places: list[int | None] = []  # of jumps and marks, known when they are played
        self._forgotten: set[int] = set()

    def spend(self, work: int, line: int) -> None:
        """Note work that is done to read the text.

        Raises:
            InvalidCircuitError: If it is too much.
        """
        self._work += work
        if self._work > MAX_WORK:
            message = f"more than {MAX_WORK} steps to read, once all loops and gates are expanded"
            raise InvalidCircuitError(f"line {line}", message)

    def declare_qubits(self, size: int, line: int) -> range:
        """Return the numbers of new qubits."""
        start = self._num_qubits
        self._num_qubits += size
        if self._num_qubits > MAX_QUBITS:
            raise InvalidCircuitError(
                f"line {line}", f"{self._num_qubits} qubits; a circuit has at most {MAX_QUBITS}"
            )
        return range(start, self._num_qubits)

    def declare_bits(self, name: str, size: int, line: int) -> range:
        """Return the numbers of the bits of a new register."""
        start = self._num_bits
        self._num_bits += size
        if self._num_bits > MAX_BITS:
            raise InvalidCircuitError(
                f"line {line}", f"{self._num_bits} classical bits; at most {MAX_BITS}"
            )
        if name in self._registers:
            raise InvalidCircuitError(
                f"line {line}", f"a second register '{name}'; results are told apart by name"
            )
        self._registers[name] = size
        return range(start, self._num_bits)

    def add(self, ops: Sequence[Op], name: str, line: int) -> None:
        """Add the operations of a gate.

        Raises:
            InvalidCircuitError: If there are too many, or gatesets are mixed.
        """
        self._num_operations += len(ops)
        if self._num_operations > MAX_OPERATIONS:
            message = f"more than {MAX_OPERATIONS} operations once all gates are expanded"
            raise InvalidCircuitError(f"line {line}", message)
        for op in ops:
            if op.row != GPHASE:  # one without controls does nothing
                self._check_gateset(op, name, line)
                self._entries.append((line, op))

    def _check_gateset(self, op: Op, name: str, line: int) -> None:
        gateset = GATES[op.row].gateset
        if self._first_gate is None:
            self._first_gate = (gateset, name, line)
        first, known, known_line = self._first_gate
        if gateset != first:
            raise InvalidCircuitError(
                f"line {line}",
                f"gate {name} of gateset {gateset} in a program with gate {known} of gateset "
                f"{first} (line {known_line}); gatesets are never mixed",
            )

    def measure(self, qubit: int, bit: int | None, line: int) -> None:
        """Measure a qubit, into a bit if there is one."""
        self._play(lambda builder: builder.measure(qubit, bit), line)

    def reset(self, qubit: int, line: int) -> None:
        """Put a qubit back to |0>."""
        self._play(lambda builder: builder.reset(qubit), line)

    def assign(self, bits: Sequence[int], value: Value, line: int) -> None:
        """Set bits to a value."""
        self._play(lambda builder: builder.assign(bits, value), line)

    def jump(self, line: int, unless: Value | None = None) -> int:
        """Add a jump whose aim `land` says later; return its number."""
        return self._place(lambda builder: builder.jump(unless), line)

    def land(self, number: int, line: int) -> None:
        """Have a jump lead here."""
        self._play(lambda builder: builder.land(self._known(number)), line)

    def mark(self, line: int) -> int:
        """Return the number of this place, for a jump that leads back."""
        return self._place(ProgramBuilder.here, line)

    def forget(self, number: int) -> None:
        """Take a mark back that nothing jumps to, since it would split the circuit."""
        self._forgotten.add(number)

    def jump_back(self, number: int, line: int) -> None:
        """Add a jump to a mark."""
        self._play(lambda builder: builder.jump_to(self._known(number)), line)

    def build(self) -> Program:
        """Return the program.

        Raises:
            InvalidCircuitError: If it has no qubits, or an operation cannot be.
        """
        gateset = self._first_gate[0] if self._first_gate else "qis"
        if not self._num_qubits:
            raise InvalidCircuitError("data", "no qubits are declared")
        builder = ProgramBuilder(self._num_qubits, gateset)
        for name, size in self._registers.items():
            builder.add_register(name, size)
        for line, entry in self._entries:
            try:
                if isinstance(entry, Op):
                    builder.add_operation(*entry)
                else:
                    entry(builder)
            except InvalidCircuitError as error:
                raise InvalidCircuitError(f"line {line}", error.message) from None
        return builder.build()

    def _play(self, play: Play, line: int) -> None:
        self._num_operations += 1
        if self._num_operations > MAX_OPERATIONS:
            message = f"more than {MAX_OPERATIONS} operations and steps"
            raise InvalidCircuitError(f"line {line}", message)
        self._entries.append((line, play))

    def _place(self, place: Callable[[ProgramBuilder], int], line: int) -> int:
        number = len(self._places)
        self._places.append(None)

        def play(builder: ProgramBuilder) -> None:
            if number not in self._forgotten:
                self._places[number] = place(builder)

        self._play(play, line)
        return number

    def _known(self, number: int) -> int:
        place = self._places[number]
        assert place is not None  # noqa: S101 - a place is played before what refers to it
        return place
