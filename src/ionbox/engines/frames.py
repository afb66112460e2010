"""Pauli frames: how runs of a Clifford program differ from one run of it, the reference.

A run differs by a Pauli word that is carried through the operations, all runs at once, one column
each. Where the reference makes a random choice, a run makes another one if it is changed by an
operator that the reference state cannot tell from none: Z on a qubit that is in a basis state. So Z
is put, or not, on each qubit at the start and after each measurement and reset.

Source:
    Gidney, Quantum 5, 497 (2021), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import Measure, Program, Reset
from ionbox.engines.clifford import images, quarter_turns, stim_text
from ionbox.engines.control import start_of_end
from ionbox.engines.engine import Workload
from ionbox.engines.errors import Errors, draw_errors, misread
from ionbox.engines.progress import Progress
from ionbox.engines.streams import Streams
from ionbox.engines.structure import Kind, kinds

if TYPE_CHECKING:
    import stim

Column: TypeAlias = NDArray[np.bool_]


class Frames:
    """The X and Z parts of the words, shape (num_qubits, runs) each.

    Args:
        num_qubits: Of the program.
        runs: How many.
    """

    def __init__(self, num_qubits: int, runs: int) -> None:
        self.x = np.zeros((num_qubits, runs), np.bool_)
        self.z = np.zeros((num_qubits, runs), np.bool_)

    def apply(self, kind: Kind, qubits: Sequence[int]) -> None:
        """Carry the words through a Clifford operation."""
        rows = [part[qubit] for qubit in qubits for part in (self.x, self.z)]
        words = _odd_words(kind)
        if words is None:
            changed = [
                (rows[place], np.bitwise_xor.reduce([rows[source] for source in sources]))
                for place, sources in _changes(kind)
            ]
            for row, new in changed:
                row[...] = new
            return
        for word in words:
            _turn(rows, word)

    def flip(self, qubits: Sequence[int], errors: Errors) -> None:
        """Multiply the words of some runs by Pauli errors on these qubits."""
        for place, qubit in enumerate(qubits):
            letters = errors.paulis >> np.uint64(2 * place) & np.uint64(3)
            self.x[qubit, errors.shots] ^= (letters == 1) | (letters == 2)
            self.z[qubit, errors.shots] ^= letters >= 2


@lru_cache(maxsize=4096)
def _odd_words(kind: Kind) -> tuple[str, ...] | None:
    """Return the words of a pauliexp on many qubits that it turns by an odd number of pi/4."""
    turns = quarter_turns(kind)
    return None if turns is None else tuple(term for term, number in turns if number % 2)


def _turn(rows: list[Column], term: str) -> None:
    """Multiply by a word whatever does not commute with it."""
    letters = list(enumerate(reversed(term)))
    places = [2 * place for place, letter in letters if letter in "YZ"]
    places += [2 * place + 1 for place, letter in letters if letter in "XY"]
    if not places:
        return
    is_odd = np.bitwise_xor.reduce([rows[place] for place in places])
    for place in places:
        rows[place ^ 1] ^= is_odd


@lru_cache(maxsize=4096)
def _changes(kind: Kind) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return which rows an operation replaces, and by the sum of which; rows as X0 Z0 X1 Z1."""
    found = images(kind.operation().unitary()) or ()
    changes = []
    for place in range(len(found)):
        letters = "ZY" if place % 2 else "XY"
        sources = tuple(
            source for source, image in enumerate(found) if image[1 + place // 2] in letters
        )
        if sources != (place,):
            changes.append((place, sources))
    return tuple(changes)


# --- programs --------------------------------------------------------------------------------


def num_choices(program: Program) -> int:
    """Return how many random choices a run makes before only measurements are left."""
    steps = program.steps[: start_of_end(program)]
    return program.num_qubits + sum(isinstance(step, Measure | Reset) for step in steps)


def directions(program: Program) -> NDArray[np.uint8]:
    """Return what each random choice changes: shape (choices, qubits + bits)."""
    size = num_choices(program)
    units = _units(size)
    return _flips(program, size, lambda: next(units)).T.astype(np.uint8)


def _units(size: int) -> Iterator[Column]:
    """Yield the unit vectors one by one: all together may be more than memory has room for."""
    for place in range(size):
        unit = np.zeros(size, np.bool_)
        unit[place] = True
        yield unit


def noisy_runs(
    workload: Workload, noise: NoiseModel, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """Return what is read in each shot: all qubits at the end, then all bits, a row a shot."""
    counted = progress or Progress()
    counted.expect(sum(workload.program.gate_counts()))
    program, drawn = workload.program, _Drawn(workload)

    def run(frames: Frames, circuit: Circuit) -> None:
        channels = noisy_circuit(noise, circuit).channels
        errors = drawn.errors(channels)
        starts = errors.channels.searchsorted(range(len(channels) + 1))
        number = 0
        for place, (kind, qubits) in enumerate((*kinds(circuit), (None, ()))):
            while number < len(channels) and channels[number].after == place:
                own = slice(starts[number], starts[number + 1])
                frames.flip(channels[number].qubits, errors.picked(own))
                number += 1
            if kind is not None:
                frames.apply(kind, qubits)
                counted.advance()

    flips = _flips(program, workload.shots, drawn.coins, run)
    return _misread(flips.T ^ reference(program), workload, noise)


class _Drawn:
    """The random numbers of all shots, event after event."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._streams = Streams(workload.seed, workload.shots)
        self._event = 0

    def coins(self) -> Column:
        """Toss a coin for each shot."""
        self._event += 1
        return self._streams.choices(self._event - 1) < 0.5

    def errors(self, channels: Sequence[Channel]) -> Errors:
        """Return the Pauli errors of a circuit, ascending by channel."""
        workload = self._workload
        if workload.program.circuit is not None:
            return draw_errors(channels, workload.shots, workload.seed).by_channel()
        self._event += len(channels)
        all_shots = np.arange(workload.shots)
        return self._streams.errors(self._event - len(channels), channels, all_shots)


def _misread(found: NDArray[np.uint8], workload: Workload, noise: NoiseModel) -> NDArray[np.uint8]:
    """Return what is read where runs find this; a qubit and a bit at the end are read as one."""
    if not noise.has_readout_errors:
        return found
    program = workload.program
    end, num_qubits = start_of_end(program), program.num_qubits
    measured = {
        num_qubits + step.bit: (place, step.qubit)
        for place, step in enumerate(program.steps)
        if isinstance(step, Measure) and step.bit is not None
    }
    midway = {column: qubit for column, (place, qubit) in measured.items() if place < end}
    columns, qubits = [*range(num_qubits), *midway], [*range(num_qubits), *midway.values()]
    read = found.copy()
    read[:, columns] = misread(found[:, columns], noise, workload.seed, qubits)
    for column, (_, qubit) in measured.items():
        if column not in midway:
            read[:, column] = read[:, qubit]
    return read


def _run_ideal(frames: Frames, circuit: Circuit) -> None:
    for kind, qubits in kinds(circuit):
        frames.apply(kind, qubits)


def _flips(
    program: Program,
    runs: int,
    choose: Callable[[], Column],
    run: Callable[[Frames, Circuit], None] = _run_ideal,
) -> NDArray[np.bool_]:
    """Follow all runs: what differs in each qubit at the end, and in each bit."""
    frames, end = Frames(program.num_qubits, runs), start_of_end(program)
    bits = np.zeros((program.num_bits, runs), np.bool_)
    for qubit in range(program.num_qubits):
        frames.z[qubit] = choose()
    for place, step in enumerate(program.steps):
        if isinstance(step, Circuit):
            run(frames, step)
        elif isinstance(step, Measure):
            if step.bit is not None:
                bits[step.bit] = frames.x[step.qubit]
            if place < end:
                frames.z[step.qubit] = choose()
        elif isinstance(step, Reset):
            frames.x[step.qubit] = False
            frames.z[step.qubit] = choose()
    return np.concatenate([frames.x, bits])


def reference(program: Program) -> NDArray[np.uint8]:
    """Return one run without noise: all qubits at the end, then all bits.

    Of two outcomes that are alike it takes 0, on every machine.
    """
    import stim  # noqa: PLC0415 - there are systems without it

    simulator = stim.TableauSimulator()
    simulator.set_num_qubits(program.num_qubits)
    bits = np.zeros(program.num_bits, np.uint8)
    for step in program.steps:
        if isinstance(step, Circuit):
            simulator.do(stim.Circuit(stim_text(step)))
        elif isinstance(step, Measure):
            found = _measured(simulator, step.qubit)
            if step.bit is not None:
                bits[step.bit] = found
        elif isinstance(step, Reset):
            _measured(simulator, step.qubit)
            simulator.reset(step.qubit)
    qubits = [_measured(simulator, qubit) for qubit in range(program.num_qubits)]
    return np.concatenate([np.array(qubits, np.uint8), bits])


def _measured(simulator: stim.TableauSimulator, qubit: int) -> int:
    """Measure a qubit; it is found in |0> if it can be."""
    sign = simulator.peek_z(qubit)
    if not sign:
        simulator.postselect_z(qubit, desired_value=False)
    return int(sign < 0)
