"""Shots run shot by shot in effect, and together as long as they share a history.

A group is the shots to which the same has happened: one state vector and one set of classical
bits stand for all of them. At a random event (a channel, a measurement, a reset) each shot draws
its own number, and the group splits by what came out.

Few vectors live at once. Of the parts of a group the largest keeps the group's vector; each other
one gets a copy, and is followed to the end before the next copy is made. A part that gets a copy
is not the largest, so it has at most half of the shots: with v(m) vectors for m shots,
v(m) <= 1 + v(m / 2) and v(1) = 1, hence v(m) <= 1 + log2(m).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import NEVER, Channel, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import Measure, Reset
from ionbox.engines.apparatus import NUMPY, Apparatus, ReadyCircuit
from ionbox.engines.control import Control, start
from ionbox.engines.engine import Workload, resolve_precision
from ionbox.engines.errors import Errors, misread_states
from ionbox.engines.progress import Progress
from ionbox.engines.sampling import draw
from ionbox.engines.streams import Randomness
from ionbox.engines.vectors import AMPLITUDE_TYPES, Amplitudes, ground_state, take_weights

_Numbers: TypeAlias = NDArray[np.intp]
_PAULIS = tuple(GATE_BY_NAME["qis", letter] for letter in "xyz")


class _Noisy(NamedTuple):
    circuit: ReadyCircuit
    num_operations: int
    channels: Sequence[Channel]

    def apply(self, group: _Group, until: int) -> None:
        """Apply the operations that are not done yet, up to a place."""
        self.circuit.apply(group.vector, group.done, until)
        group.done = until


@dataclass(slots=True)
class _Group:
    """Shots that share a history.

    Args:
        shots: Their numbers, ascending.
        event: How many random events lie behind them.
        done: How many operations of the current circuit do.
        errors: To come in the current circuit, ascending by channel; None if they are not drawn.
    """

    vector: Amplitudes
    control: Control
    shots: _Numbers
    event: int = 0
    done: int = 0
    errors: Errors | None = None

    def part(self, shots: _Numbers) -> _Group:
        """Return a copy for some of the shots, with errors of all."""
        copied = self.vector.copy(), self.control.copy()
        return _Group(*copied, shots, self.event, self.done, self.errors)


_Act: TypeAlias = Callable[[_Group, int], None]


class Record(NamedTuple):
    """What came out of every shot, in order.

    Args:
        basis_states: uint64, shape (shots,): all qubits at the end.
        bits: uint8, shape (shots, num_bits): every classical bit at the end.
    """

    basis_states: NDArray[np.uint64]
    bits: NDArray[np.uint8]


class Histories:
    """All shots of a program, followed depth first.

    Args:
        workload: Without an observable.
        randomness: What decides the random events.
        apparatus: What applies circuits.
    """

    def __init__(
        self, workload: Workload, randomness: Randomness, apparatus: Apparatus = NUMPY
    ) -> None:
        program, shots = workload.program, workload.shots
        self._program = program
        self._noise, self._seed = workload.noise, workload.seed
        self._randomness = randomness
        self._apparatus = apparatus
        self._amplitude_type = AMPLITUDE_TYPES[resolve_precision(workload)]
        self._ready = {
            place: self._noisy(step, workload.noise)
            for place, step in enumerate(program.steps)
            if isinstance(step, Circuit)
        }
        self._errors: dict[tuple[int, tuple[int, ...]], ReadyCircuit] = {}
        self._basis_states = np.zeros(shots, np.uint64)
        self._bits = np.zeros((shots, program.num_bits), np.uint8)
        self._ends = np.zeros(shots, np.intp)  # at which place only measurements were left
        self._is_member = np.zeros(shots, np.bool_)
        self._progress = Progress()

    def _noisy(self, circuit: Circuit, noise: NoiseModel | None) -> _Noisy:
        if noise is None:
            return _Noisy(self._apparatus.ready(circuit), circuit.num_operations, ())
        circuit, channels = noisy_circuit(noise, circuit)
        return _Noisy(self._apparatus.ready(circuit), circuit.num_operations, channels)

    def run(self, progress: Progress | None = None) -> Record:
        """Follow all shots to the end, and count them; once.

        Raises:
            InvalidCircuitError: If a loop does not end.
        """
        if progress is not None:
            self._progress = progress
        self._progress.expect(self._basis_states.size)
        control = start(self._program)
        vector = ground_state(self._program.num_qubits, self._amplitude_type)
        self._follow(_Group(vector, control, np.arange(self._basis_states.size)))
        found = self._basis_states
        if self._noise is not None:
            found = misread_states(found, self._program.num_qubits, self._noise, self._seed)
        for place, step in enumerate(self._program.steps[control.end :], control.end):
            if isinstance(step, Measure) and step.bit is not None:
                shots = np.flatnonzero(self._ends <= place)
                states = found[shots]
                self._bits[shots, step.bit] = states >> np.uint64(step.qubit) & np.uint64(1)
        return Record(found, self._bits)

    def _follow(self, group: _Group) -> None:
        while (step := group.control.quantum_step()) is not None:
            match step:
                case Circuit():
                    self._run_circuit(group, self._ready[group.control.place])
                case Measure() | Reset():
                    self._observe(group, step)
        shots = group.shots
        uniforms = self._randomness.choices(group.event)[shots]
        self._basis_states[shots] = draw(take_weights(group.vector), uniforms)
        self._bits[shots] = np.frombuffer(group.control.bits, np.uint8)
        self._ends[shots] = group.control.place
        self._progress.advance(shots.size)

    def _run_circuit(self, group: _Group, ready: _Noisy) -> None:
        """Apply what is left of a circuit, and split the group at each error."""
        errors = group.errors
        if errors is None:
            errors = self._randomness.errors(group.event, ready.channels, group.shots)
        while errors.channels.size:
            number = int(errors.channels[0])
            channel = ready.channels[number]
            ready.apply(group, channel.after)
            count = int(np.searchsorted(errors.channels, number, side="right"))
            group.errors = errors.picked(slice(count, None))
            paulis = np.zeros(group.shots.size, np.uint64)
            paulis[np.searchsorted(group.shots, errors.shots[:count])] = errors.paulis[:count]
            self._split(group, paulis, self._error_on(channel.qubits))
            errors = group.errors
        ready.apply(group, ready.num_operations)
        group.event += len(ready.channels)
        group.control.place += 1
        group.done, group.errors = 0, None

    def _error_on(self, qubits: tuple[int, ...]) -> _Act:
        def act(group: _Group, pauli: int) -> None:
            if pauli:
                self._error(pauli, qubits).apply(group.vector)

        return act

    def _error(self, pauli: int, qubits: tuple[int, ...]) -> ReadyCircuit:
        """Return an error, all of its letters as one circuit; those on one qubit are kept."""
        ready = self._errors.get((pauli, qubits))
        if ready is None:
            letters = [(qubit, pauli >> 2 * place & 3) for place, qubit in enumerate(qubits)]
            paulis = [_pauli(letter, qubit) for qubit, letter in letters if letter]
            num_qubits = self._program.num_qubits
            ready = self._apparatus.ready(Circuit.from_operations(num_qubits, "qis", paulis))
            if len(qubits) == 1:
                self._errors[pauli, qubits] = ready
        return ready

    def _observe(self, group: _Group, step: Measure | Reset) -> None:
        """Measure a qubit, and note the outcome in a bit, or take the qubit back to |0>."""
        one = self._apparatus.probability_of_one(group.vector, step.qubit)
        outcomes = self._randomness.choices(group.event)[group.shots] < one
        is_misread = self._is_misread(group, step, outcomes)

        def act(part: _Group, event: int) -> None:
            is_wrong, outcome = divmod(event, 2)
            change = self._apparatus.reset if isinstance(step, Reset) else self._apparatus.collapse
            change(part.vector, step.qubit, outcome, one if outcome else 1 - one)
            if isinstance(step, Measure) and step.bit is not None:
                part.control.bits[step.bit] = outcome ^ is_wrong

        group.event += 1
        group.control.place += 1
        self._split(group, outcomes + 2 * is_misread.astype(np.uint64), act)

    def _is_misread(
        self, group: _Group, step: Measure | Reset, outcomes: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return in which shots another outcome is noted than was measured."""
        flips = NEVER if self._noise is None else self._noise.readout(step.qubit)
        if flips == NEVER or isinstance(step, Reset) or step.bit is None:
            return np.zeros_like(outcomes)
        uniforms = self._randomness.readouts(group.event)[group.shots]
        return uniforms < np.where(outcomes, flips.of_one, flips.of_zero)

    def _split(
        self,
        group: _Group,
        outcomes: NDArray[np.uint64],
        act: _Act,
    ) -> None:
        """Divide a group by the outcome of each shot, and follow all but the largest part.

        The largest part is what the group is afterwards; `act` does to a part what an outcome
        does to the qubits and bits.
        """
        different, counts = np.unique(outcomes, return_counts=True)
        largest = different[counts.argmax()]
        for outcome in different[different != largest]:
            self._follow_part(group, outcomes == outcome, act, int(outcome))
        if different.size > 1:
            group.shots = group.shots[outcomes == largest]
            self._keep_errors(group)
        act(group, int(largest))

    def _follow_part(
        self, group: _Group, is_in_part: NDArray[np.bool_], act: _Act, outcome: int
    ) -> None:
        """Follow a copy for some of the shots; it is gone when this returns."""
        part = group.part(group.shots[is_in_part])
        self._keep_errors(part)
        act(part, outcome)
        self._follow(part)

    def _keep_errors(self, group: _Group) -> None:
        """Forget the errors of shots that are not in the group."""
        if group.errors is None:
            return
        self._is_member[group.shots] = True
        kept = self._is_member[group.errors.shots]
        self._is_member[group.shots] = False
        group.errors = group.errors.picked(kept)


def _pauli(letter: int, qubit: int) -> Operation:
    params = (np.pi,) if letter == 3 else ()  # the z of the table takes a rotation
    return Operation(_PAULIS[letter - 1], (qubit,), (), params)
