"""A program of the gateset qis as one of the gateset native that a device can run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, repeat
from typing import Final

import msgspec

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.program import Jump, Measure, Program, Reset, Step
from ionbox.compiler.cancelling import cancelled
from ionbox.compiler.interactions import Interactions
from ionbox.compiler.lowering import Way, add_circuit, add_operation
from ionbox.compiler.merging import merge
from ionbox.compiler.networks import GREEDS
from ionbox.compiler.pulses import ENTANGLERS, Choices, Pulses
from ionbox.errors import InvalidCircuitError


class Target(msgspec.Struct, frozen=True):
    """What a device can do.

    Args:
        native_gates: Their names; gpi, gpi2, and ms or zz.
    """

    native_gates: tuple[str, ...]

    @property
    def entangler(self) -> str:
        """The gate on two qubits that is compiled to: the first one that is known."""
        for gate in self.native_gates:
            if gate in ENTANGLERS:
                return gate
        raise ValueError(f"no gate on two qubits in {', '.join(self.native_gates)}")


class Options(msgspec.Struct, frozen=True):
    """How to compile.

    Args:
        opt: 0 gate by gate, 1 what is quick, 2 what is best.
        precision: The most that the operator norm of an operation's error may be, where one can
            only be approximated: a pauliexp whose words do not commute. Above 0.
    """

    opt: int = 1
    precision: float = 1e-3


class Compiled(msgspec.Struct, frozen=True):
    """A program that a device can run.

    Args:
        program: Its circuits are native; it measures the qubits where the states are.
        final_qubits: The qubit that holds each qubit of the circuit in the end.
    """

    program: Program
    final_qubits: tuple[int, ...]


DEFAULT: Final = Options()


def compile_program(program: Program, target: Target, options: Options = DEFAULT) -> Compiled:
    """Compile a program; one that is native already is left as it is.

    What is measured in the end is the same, and nothing else: a phase, or a turn about z before a
    measurement, may differ.

    Raises:
        InvalidCircuitError: If it has a native gate that the device has not, or a pauliexp that
            would take too many steps.
    """
    return next(compile_variants(program, target, options))


def compile_variants(
    program: Program, target: Target, options: Options = DEFAULT
) -> Iterator[Compiled]:
    """Yield a program compiled, first in the plain way, then in others, without end.

    Those have pulses that do the same in another way, as many gates on two qubits among them; a
    native program is always the same.

    Raises:
        InvalidCircuitError: As `compile_program`.
    """
    if program.gateset == "native":
        _check_native(program, target)
        yield from repeat(Compiled(program, tuple(range(program.num_qubits))))
    forms: dict[int, Interactions] = {}
    for variant in count():
        yield _Compilation(program, target, options, Choices(variant), forms).run()


def _check_native(program: Program, target: Target) -> None:
    for step in program.steps:
        if not isinstance(step, Circuit):
            continue
        unknown = step.gate_names().difference(target.native_gates, ("nop",))
        if unknown:
            known = ", ".join(target.native_gates)
            message = f"gate {min(unknown)} is none of this backend, which has {known}"
            raise InvalidCircuitError("gate", message)


class _Compilation:
    """One program, on its way through.

    Without jumps, what is known of a qubit at the end of a circuit holds at the start of the next:
    its place, and the turn about z that it is off by. Jumps may come from anywhere, so that nothing
    is left open before one and where one lands.

    Args:
        forms: What circuits are merged to, by their places, as far as they are: it is the same for
            all choices, and takes longest.
    """

    def __init__(
        self,
        program: Program,
        target: Target,
        options: Options,
        choices: Choices,
        forms: dict[int, Interactions],
    ) -> None:
        self._program = program
        self._options = options
        self._pulses = Pulses(program.num_qubits, target.entangler, choices)
        self._forms = forms
        self._jumps = [step for step in program.steps if isinstance(step, Jump)]
        self._places = list(range(program.num_qubits))

    def run(self) -> Compiled:
        steps = tuple(self._steps())
        return Compiled(replace(self._program, gateset="native", steps=steps), tuple(self._places))

    def _steps(self) -> Iterator[Step]:
        for number, step in enumerate(self._program.steps):
            match step:
                case Circuit():
                    yield self._circuit(number, step)
                case Measure():
                    yield replace(step, qubit=self._places[step.qubit])
                    self._pulses.forget(self._places[step.qubit])
                case Reset():
                    yield replace(step, qubit=self._places[step.qubit])
                    self._pulses.forget(self._places[step.qubit])
                case _:
                    yield step

    def _circuit(self, number: int, circuit: Circuit) -> Circuit:
        if self._options.opt == 0:
            for operation in circuit.operations():
                self._add_alone(operation)
        else:
            self._add(number, circuit)
        for qubit in self._left_open(number):
            self._pulses.settle_phase(self._places[qubit])
        return self._pulses.circuit()

    def _add_alone(self, operation: Operation) -> None:
        """Send one operation, by itself."""
        form = Interactions.of_nothing(self._program.num_qubits)
        add_operation(form, operation, Way(self._options.precision))
        self._pulses.play(form.interactions)
        for qubit in (*operation.targets, *operation.controls):
            self._pulses.settle(qubit, form.turns[qubit])

    def _add(self, number: int, circuit: Circuit) -> None:
        """Send a circuit as a whole."""
        if number not in self._forms:
            self._forms[number] = self._merged(number, circuit)
        form = self._forms[number]
        self._pulses.play(interaction.moved(self._places) for interaction in form.interactions)
        for place, turn in enumerate(form.turns):
            self._pulses.settle(self._places[place], turn)
        self._places = [self._places[place] for place in form.places]

    def _merged(self, number: int, circuit: Circuit) -> Interactions:
        """Return a circuit in the way that takes the fewest interactions."""
        is_first = number == 0 and all(jump.to for jump in self._jumps)
        operations = cancelled(circuit.operations())
        forms = []
        for way in self._ways(circuit):
            form = Interactions.of_nothing(self._program.num_qubits)
            add_circuit(form, operations, way)
            merge(form, is_first=is_first, may_relabel=way.may_relabel)
            forms.append(form)
        return min(forms, key=lambda form: len(form.interactions))

    def _ways(self, circuit: Circuit) -> list[Way]:
        """Return the ways that are tried: at opt 2, all that can differ."""
        way = Way(self._options.precision, may_relabel=not self._jumps, shares=True)
        if self._options.opt < 2 or not circuit.paulis.size:
            return [way]
        joined = [way._replace(joins=greed) for greed in GREEDS]
        return [way, way._replace(shares=False), *joined]

    def _left_open(self, number: int) -> list[int]:
        """Return the qubits whose turn about z may matter after a circuit, and cannot be kept."""
        qubits = set(range(self._program.num_qubits))
        steps = self._program.steps
        landings = {jump.to for jump in self._jumps}
        for place in range(number + 1, len(steps)):
            step = steps[place]
            if isinstance(step, Jump) or place in landings:
                return sorted(qubits)
            if isinstance(step, Circuit):
                return []
            if isinstance(step, Measure | Reset):
                qubits.discard(step.qubit)
        return []  # all are measured in the end
