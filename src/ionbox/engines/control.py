"""The classical side of a run: places, bits, assignments and jumps, without any qubit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import Assign, Jump, Measure, Program, Reset, evaluate
from ionbox.errors import InvalidCircuitError

MOST_JUMPS: Final = 100_000  # of one run; a loop that takes more is taken to be endless

QuantumStep: TypeAlias = Circuit | Measure | Reset


def start_of_end(program: Program) -> int:
    """Return from which place on a program does nothing but measure.

    What is left from there, wherever a jump enters, is a single measurement of all qubits.
    """
    place = len(program.steps)
    while place and isinstance(program.steps[place - 1], Measure):
        place -= 1
    return place


def jumps_back(program: Program) -> bool:
    """Tell whether there may be a loop."""
    return any(
        isinstance(step, Jump) and step.to <= place for place, step in enumerate(program.steps)
    )


@dataclass(slots=True)
class Control:
    """Where one run of a program stands, and what its classical bits hold.

    Args:
        program: What is run.
        end: From where on it only measures, as `start_of_end` says.
        bits: All classical bits, each 0 or 1.
        place: The number of the next step.
        jumps: How many were taken.
    """

    program: Program
    end: int
    bits: bytearray
    place: int = 0
    jumps: int = 0

    def copy(self) -> Control:
        """Return the same for a run that goes on by itself."""
        return Control(self.program, self.end, self.bits[:], self.place, self.jumps)

    def quantum_step(self) -> QuantumStep | None:
        """Take assignments and jumps up to a step on qubits; None when only the end is left.

        Raises:
            InvalidCircuitError: If a loop does not end.
        """
        while self.place < self.end:
            step = self.program.steps[self.place]
            if isinstance(step, Assign):
                self._assign(step)
                self.place += 1
            elif isinstance(step, Jump):
                self._jump(step)
            else:
                return step
        return None

    def _assign(self, step: Assign) -> None:
        value = evaluate(step.value, self.bits)
        for place, bit in enumerate(step.bits):
            self.bits[bit] = value >> place & 1

    def _jump(self, step: Jump) -> None:
        if step.unless is not None and evaluate(step.unless, self.bits):
            self.place += 1
            return
        self.jumps += 1
        if self.jumps > MOST_JUMPS:
            raise InvalidCircuitError("input", f"a loop did not end after {MOST_JUMPS} jumps")
        self.place = step.to


def start(program: Program) -> Control:
    """Return the control of a run that has not begun."""
    return Control(program, start_of_end(program), bytearray(program.num_bits))
