"""The stabilizer engine: programs of Clifford operations, exactly, thousands of qubits wide.

The outcomes of a circuit are an affine space of bit strings, each as likely as any other: one
outcome, and the flips that the stabilizers make of it. So they are listed, or sampled, without any
state vector. The stabilizers are followed by stim. Of a program that measures or resets before its
end it is the flips that its random choices make, which Pauli frames follow; noise only adds flips.

Source:
    Aaronson & Gottesman, Phys. Rev. A 70, 052328 (2004); Gidney, Quantum 5, 497 (2021), for
    following the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import log2
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import OUTPUT_ALL, Assign, Jump, Program
from ionbox.engines.affine import AffineSpace, affine_space
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.clifford import first_other, stim_text
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.frames import directions, noisy_runs, num_choices, reference
from ionbox.engines.progress import Progress
from ionbox.engines.readout import most_listed, sampled_outcome
from ionbox.engines.registers import qubits_of, wide_register
from ionbox.engines.rows import (
    REGISTER_BIT_BYTES,
    Rows,
    of_words,
    picked,
    row_frequencies,
    rows_of_bits,
)
from ionbox.engines.streams import cache_bytes
from ionbox.engines.structure import kinds, most_amplitudes, spread
from ionbox.formats.results import NARROW_BITS, Exact, Probabilities, Sampled, Shots

if TYPE_CHECKING:
    import stim

# Measured on one core of a cloud server; good to a factor of a few.
_RUN_SECONDS = 400e-6
_OPERATION_SECONDS = 2e-6
_CUBED_QUBIT_SECONDS = 30e-12  # elimination, where all qubits are random
_SQUARED_QUBIT_SECONDS = 6e-9
_LISTED_BYTE_SECONDS = 0.6e-9
_SHOT_BYTE_SECONDS = 0.2e-9  # for each basis vector, too
_SHOT_COPIES = 8  # of a row, while shots are counted
_FRAME_SECONDS = 10e-6  # for each operation
_FRAMED_SECONDS = 0.3e-9  # for each frame of it
_EVENT_SECONDS = 25e-6  # the numbers of all shots for one random event
_NUMBER_SECONDS = 8e-9  # one of them
_CHANNEL_SECONDS = 10e-6  # to multiply words by the errors of a channel
_RECORD_BIT_SECONDS = 10e-9  # to write down what came out
_EVENT_BYTES = 32
_ERROR_BYTES = 120  # while all of them are drawn and put in order
_READ_BYTES = 26  # of a qubit that may be misread
_FRAME_COPIES = 6  # of a bit: X, Z, and what is made of them
_SQUARED_QUBIT_BYTES = 6  # stim's tableau twice, and the stabilizers as bits
_LEAST_BYTES = 1 << 20

# Where more outcomes than may be listed were feared, so many at most are: the job is charged for
# them, and for its shots, whichever it turns out to be.
_MOST_UNSURE = 2**16

HAS_STIM = find_spec("stim") is not None

_MOOT = Refusal(
    "stabilizer",
    "the stabilizer engine runs programs of Clifford operations without assignments and jumps",
    is_moot=True,
)
_SMALL = Refusal(
    "stabilizer", "the stabilizer engine is for ideal circuits of more qubits", is_moot=True
)


@dataclass(frozen=True, slots=True)
class StabilizerEngine:
    """Clifford programs of any width: all outcomes where they are few, else samples of them.

    With noise, whose errors are Pauli words, shots.

    Args:
        least_qubits: Of an ideal circuit; below, a vector of all amplitudes is as good, and
            looking at each operation would take longer than running it.
    """

    least_qubits: int = 12

    @property
    def name(self) -> str:
        return "stabilizer"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what is no Clifford program."""
        program = workload.program
        if workload.observable is not None or any(
            isinstance(step, Assign | Jump) for step in program.steps
        ):
            return _MOOT
        if self._is_small(workload):
            return _SMALL
        if workload.noise is not None and (reason := _unfit_noise(workload, workload.noise)):
            return Refusal(self.name, reason, is_moot=True)
        for step in program.steps:
            if isinstance(step, Circuit) and (other := first_other(step)):
                return Refusal(self.name, f"{other}: no Clifford operation", is_moot=True)
        return paced(self._estimate(workload), machine)

    def _is_small(self, workload: Workload) -> bool:
        """Tell whether others list all outcomes of a circuit at once, whatever they are."""
        circuit = workload.program.circuit
        return (
            workload.noise is None
            and circuit is not None
            and circuit.num_qubits < self.least_qubits
            and 1 << circuit.num_qubits <= workload.max_outcomes
            and not wide_register(workload.program)
        )

    def _estimate(self, workload: Workload) -> Estimate:
        if workload.noise is not None:
            return self._noisy_estimate(workload)
        program, shots = workload.program, workload.shots
        num_qubits = program.num_qubits
        dimension = _most_dimensions(program)
        is_exact = _is_sure(dimension, workload)
        limit = most_listed(workload) if is_exact else _most_unsure(workload)
        listed_bytes = _listed_bytes(workload) * min(2.0 ** min(dimension, 63), limit)
        width = num_qubits + program.num_bits
        shot_bytes = 0 if is_exact else _SHOT_COPIES * (8 + width // 8)
        num_framed = 0 if program.circuit is not None else num_choices(program)
        seconds = (
            _RUN_SECONDS
            + _operation_seconds(program, num_framed)
            + _SQUARED_QUBIT_SECONDS * num_qubits**2
            + _CUBED_QUBIT_SECONDS * num_qubits * dimension**2
            + _LISTED_BYTE_SECONDS * listed_bytes
            + _SHOT_BYTE_SECONDS * shots * shot_bytes * (8 + dimension / 8)
        )
        memory_bytes = (
            _LEAST_BYTES
            + _SQUARED_QUBIT_BYTES * num_qubits**2
            + _FRAME_COPIES * num_framed * width
            + int(listed_bytes)
            + shots * shot_bytes
            + (0 if is_exact else REGISTER_BIT_BYTES * shots * program.num_bits)
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact)

    def _noisy_estimate(self, workload: Workload) -> Estimate:
        program, shots, noise = workload.program, workload.shots, workload.noise
        assert noise is not None  # noqa: S101 - whose estimate it is
        expected = sum(
            channel.probability
            for step in program.steps
            if isinstance(step, Circuit)
            for channel in noisy_circuit(noise, step).channels
        )
        num_read = program.num_qubits * noise.has_readout_errors
        num_events, num_channels = num_choices(program), 2 * sum(program.gate_counts())
        if program.circuit is None:
            num_events += num_channels
        seconds = (
            _RUN_SECONDS
            + _operation_seconds(program, shots)
            + _CHANNEL_SECONDS * num_channels
            + num_events * (_EVENT_SECONDS + _NUMBER_SECONDS * shots)
            + _RECORD_BIT_SECONDS * shots * (program.num_qubits + program.num_bits)
        )
        memory_bytes = (
            _LEAST_BYTES
            + cache_bytes(shots, num_events)
            + int(_ERROR_BYTES * shots * expected)
            + shots
            * (
                _EVENT_BYTES
                + _READ_BYTES * num_read
                + _FRAME_COPIES * (program.num_qubits + program.num_bits)
            )
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact=False)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Find the outcomes and list them, or sample where they are too many."""
        program, noise = workload.program, workload.noise
        if noise is not None:
            return Outcome(_shots(rows_of_bits(noisy_runs(workload, noise, progress)), program))
        circuit = program.circuit
        if circuit is not None:
            return _ideal(outcomes(circuit), workload, _places(program, program.measured))
        bits = range(program.num_qubits, program.num_qubits + program.num_bits)
        space = affine_space(reference(program), directions(program))
        return _ideal(space, workload, _places(program, dict(enumerate(bits))))


def _unfit_noise(workload: Workload, noise: NoiseModel) -> str:
    """Say what noise is not for Pauli frames; empty if it is."""
    if workload.lists_noise:
        return "noisy runs are sampled, not listed"
    if workload.program.num_qubits > noise.num_qubits:
        return "wider than the device that is modelled"
    return "gates that turn too far are no Clifford ones" if noise.has_over_rotations else ""


def _places(program: Program, place_of: Mapping[int, int]) -> dict[str, list[int | None]]:
    """Return where in a run the bits of each register are found."""
    registers = {register.name: qubits_of(register, place_of) for register in program.registers}
    return {OUTPUT_ALL: list(range(program.num_qubits)), **registers}


def _ideal(
    space: AffineSpace, workload: Workload, places: Mapping[str, Sequence[int | None]]
) -> Outcome:
    """List the contents of each register, or sample where one of them has too many."""
    spaces = {name: space.picked(taken) for name, taken in places.items()}
    num_outcomes = max(1 << each.dimension for each in spaces.values())
    limit = most_listed(workload)
    if num_outcomes > _MOST_UNSURE and not _is_sure(_most_dimensions(workload.program), workload):
        limit = _most_unsure(workload)
    if num_outcomes <= limit:
        return Outcome(Exact({name: _uniform(each) for name, each in spaces.items()}))
    rows = space.sample(workload.shots, workload.seed)
    frequencies = {
        name: row_frequencies(picked(rows, taken), len(taken)) for name, taken in places.items()
    }
    return sampled_outcome(Exact(frequencies), workload.shots, num_outcomes, limit)


def _is_sure(dimension: float, workload: Workload) -> bool:
    """Tell whether a bound on the dimension promises that all outcomes are listed."""
    return dimension <= log2(most_listed(workload))


def _most_unsure(workload: Workload) -> int:
    """Return how many outcomes are listed where that is not promised."""
    return min(most_listed(workload), _MOST_UNSURE)


def _shots(rows: Rows, program: Program) -> Sampled:
    """Return the shots of output_all and of each register: runs, all qubits and then all bits."""
    bits = range(program.num_qubits, program.num_qubits + program.num_bits)
    places = _places(program, dict(enumerate(bits)))
    return Sampled({name: Shots(len(taken), picked(rows, taken)) for name, taken in places.items()})


def _most_dimensions(program: Program) -> float:
    """Return a bound on the dimension of the space of all qubits and bits.

    Every random choice is made possible by an operation that mixes; measuring adds none.
    """
    circuits = [step for step in program.steps if isinstance(step, Circuit)]
    if program.circuit is not None:
        return most_amplitudes(program.circuit)
    mixed = sum(spread(kind).growth for circuit in circuits for kind, _ in kinds(circuit))
    return min(mixed, num_choices(program), program.num_qubits + program.num_bits)


def _operation_seconds(program: Program, num_framed: int) -> float:
    """Predict the time of all operations, on so many frames."""
    num_operations = sum(program.gate_counts())
    each = _FRAME_SECONDS + _FRAMED_SECONDS * num_framed if num_framed else 0.0
    return (_OPERATION_SECONDS + each) * num_operations


def _listed_bytes(workload: Workload) -> int:
    """Return the memory that one outcome takes in all registers: words, rows and values."""
    program = workload.program
    sizes = [program.num_qubits, *(register.size for register in program.registers)]
    return sum(24 if size <= NARROW_BITS else 16 * -(-size // 64) + 8 for size in sizes)


def outcomes(circuit: Circuit) -> AffineSpace:
    """Return what can be measured after a circuit of Clifford operations: all alike."""
    import stim  # noqa: PLC0415 - there are systems without it

    simulator = stim.TableauSimulator(seed=0)  # any one outcome serves, the space is the same
    simulator.set_num_qubits(circuit.num_qubits)
    simulator.do(stim.Circuit(stim_text(circuit)))
    flips = _flips(simulator, circuit.num_qubits)
    member = np.array(simulator.measure_many(*range(circuit.num_qubits)), np.uint8)
    return affine_space(member, flips)


def _flips(simulator: stim.TableauSimulator, num_qubits: int) -> NDArray[np.uint8]:
    """Return the X parts of the stabilizers as bits, one stabilizer a row.

    They are the block z→x of the tableau. The inverse, which is what stim holds, has the same
    block transposed, as the inverse of any symplectic matrix has.
    """
    inverse = simulator.current_inverse_tableau()
    _, _, z_to_x, *_ = inverse.to_numpy(bit_packed=True)
    bits = np.unpackbits(z_to_x, axis=1, count=num_qubits, bitorder="little")
    return np.ascontiguousarray(bits.T)


def _uniform(space: AffineSpace) -> Probabilities:
    count = 1 << space.dimension
    return of_words(space.members(), np.full(count, 1 / count), space.num_bits)
