"""The trajectory engine: noise, and whatever happens between circuits, sampled shot by shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log2

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel, NoisyCircuit, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import OUTPUT_ALL, Measure, Program, Register, Reset
from ionbox.engines import apparatus
from ionbox.engines.apparatus import NUMPY, Apparatus
from ionbox.engines.calibration import (
    ONE_CORE,
    REFERENCE,
    Calibration,
    KernelWork,
    Machine,
)
from ionbox.engines.control import jumps_back, start_of_end
from ionbox.engines.costs import (
    Cost,
    circuit_cost,
    operation_passes,
    sampling_bytes,
    tile_bytes,
)
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, resolve_precision
from ionbox.engines.errors import misread_states
from ionbox.engines.histories import Histories, Record
from ionbox.engines.kernel import RUN_OPERATIONS, is_known, packed_by, run_bytes
from ionbox.engines.patterns import Groups, columns, single_errors
from ionbox.engines.progress import Progress
from ionbox.engines.registers import frequencies, wide_register
from ionbox.engines.streams import Ahead, Streams, cache_bytes
from ionbox.engines.vectors import AMPLITUDE_TYPES, too_wide
from ionbox.formats.results import Exact, Sampled, Shots

# In operations: the numbers of all shots for one event, and what it takes to split a group off, and
# to read it out.
_EVENT, _GROUP = 1.3, 8.0
# In bytes: one of those numbers, and what it takes to draw a shot and to write it down.
_NUMBER_BYTES, _DRAW_BYTES = 150, 9000
_OBSERVE_PASSES = 3  # to measure a qubit
_COPY_PASSES = 4  # to split a group off, and to read it out
_ERROR_BYTES = 120  # an error that is drawn, while all of them are put together
# Of a noisy circuit in the kernel, in operations of NumPy: what a run takes, and each channel.
_RUN, _CHANNEL = 25.0, 0.4
# In bytes: to find the pattern of a shot, and to read it out; and to draw an error.
_SHOT_BYTES, _DRAWN_BYTES = 500, 1200
# In operations of the kernel: one act on a small state, and what is done for each pattern.
_SWEEP, _PATTERN = 0.03, 0.5
_READ_STEPS = 12  # over a small state, to copy it and to read it out
_STEPS, _PARTING_PASSES = 0.5, 3  # over a large one, for each act; and where patterns part
_MOST_SMALL_BYTES = 1 << 18
_MOST_SHARED_QUBITS = 20  # with more, threads work on one state together
_RECORD_BYTES = 160  # of a shot
_LEAST_SHARED_SECONDS = 5e-3  # a shorter run is not worth a second thread
_LOOP_RUNS = 10  # how often a loop is taken to run, which nobody knows

_MOOT = Refusal(
    "trajectories",
    "trajectories are for noise, and for programs that are not one circuit",
    is_moot=True,
)


_LISTING = Refusal("trajectories", "noisy runs are sampled, not listed", is_moot=True)


@dataclass(frozen=True, slots=True)
class TrajectoryEngine:
    """Shots that share a history share a state vector: noisy programs, and any ideal program."""

    apparatus: Apparatus = NUMPY

    @property
    def name(self) -> str:
        return "trajectories"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; refuse programs wider than the device that is modelled."""
        if refusal := _refusal(workload):
            return refusal
        costs = [circuit_cost(step) for step in _circuits(workload.program)]
        for cost in costs:
            if isinstance(cost, str):
                return Refusal(self.name, cost)
        estimate = self._estimate_in_kernel(workload, machine)
        if estimate is not None:
            return estimate
        fitting = [cost for cost in costs if isinstance(cost, Cost)]
        return self._estimate(workload, fitting, machine.calibration)

    def _estimate_in_kernel(self, workload: Workload, machine: Machine) -> Estimate | None:
        """Say what a noisy circuit costs that the kernel runs; None if it does not."""
        circuit, extension = workload.program.circuit, self.apparatus.extension
        if workload.noise is None or circuit is None or extension is None:
            return None
        noisy = noisy_circuit(workload.noise, circuit)
        if not is_known(noisy.circuit):
            return None
        single = single_errors(extension, noisy)
        groups = single.groups(workload.shots)
        walk = _Walk(workload, noisy.channels, groups, single.bits)
        seconds = walk.seconds(machine.calibration, 1)
        threads = machine.cores if seconds > _LEAST_SHARED_SECONDS else 1
        return Estimate(
            self.name,
            walk.memory_bytes(threads),
            walk.seconds(machine.calibration, threads),
            threads,
            resolve_precision(workload),
            is_exact=False,
            reference_seconds=walk.seconds(REFERENCE, 1),
        )

    def _estimate(self, workload: Workload, costs: list[Cost], speeds: Calibration) -> Estimate:
        precision = resolve_precision(workload)
        program, shots = workload.program, workload.shots
        size, itemsize = 1 << program.num_qubits, AMPLITUDE_TYPES[precision].itemsize
        circuits = _circuits(program)
        effort, is_loop = _effort(workload), jumps_back(program)
        # The innermost part, of one shot, is the one that needs the temporaries.
        vectors = log2(max(shots, 1)) + max(cost.vectors for cost in costs)
        memory_bytes = (
            int(vectors * size * itemsize)
            + tile_bytes(program.num_qubits)
            + sampling_bytes(shots)
            + cache_bytes(shots, inf if is_loop else effort.events)
            + int(_ERROR_BYTES * shots * effort.errors)
            + 2 * shots * (program.num_bits + 8)
            + self.apparatus.memory_bytes(circuits)
        )
        in_kernel = self.apparatus.knows(circuits)
        seconds, on_reference = (
            effort.seconds(size, itemsize, each, in_kernel=in_kernel)
            * (_LOOP_RUNS if is_loop else 1)
            for each in (speeds, REFERENCE)
        )
        return Estimate(
            self.name,
            memory_bytes,
            seconds,
            1,
            precision,
            is_exact=False,
            reference_seconds=on_reference,
        )

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Outcome:
        """Follow all shots; the shots themselves with noise, their frequencies without.

        Raises:
            InvalidCircuitError: If a loop does not end.
        """
        counted = progress or Progress()
        if workload.noise is not None:
            circuit = workload.program.circuit
            if circuit is not None:
                noisy = noisy_circuit(workload.noise, circuit)
                record = self._of_one_circuit(workload, noisy, threads, counted)
            else:
                record = self._of_histories(workload, counted)
            return Outcome(_sampled(record, workload.program))
        warning = (
            f"sampled with {workload.shots} shots: the program measures, resets or jumps before "
            "its end in more ways than can be followed"
        )
        return Outcome(_exact(self._of_histories(workload, counted), workload.program), (warning,))

    def _of_histories(self, workload: Workload, progress: Progress) -> Record:
        streams = Streams(workload.seed, workload.shots)
        return Histories(workload, streams, self.apparatus).run(progress)

    def _of_one_circuit(
        self, workload: Workload, noisy: NoisyCircuit, threads: int, progress: Progress
    ) -> Record:
        """Return the shots of a program that is one circuit: all errors are drawn at once."""
        ahead = Ahead(noisy.channels, workload.shots, workload.seed)
        extension, noise = self.apparatus.extension, workload.noise
        if extension is None or not is_known(noisy.circuit) or noise is None:
            return Histories(workload, ahead, self.apparatus).run(progress)
        states = np.empty(workload.shots, np.uint64)
        counter = extension.Progress()
        progress.follow(counter)
        extension.follow(
            packed_by(extension, noisy.circuit),
            *columns(noisy.channels),
            *ahead.drawn,
            ahead.outcomes,
            states,
            is_double=resolve_precision(workload) == "float64",
            threads=threads,
            progress=counter,
        )
        num_qubits = workload.program.num_qubits
        states = misread_states(states, num_qubits, noise, workload.seed)
        return Record(states, _measured_bits(states, workload.program))


def _measured_bits(states: NDArray[np.uint64], program: Program) -> NDArray[np.uint8]:
    """Return all classical bits of a program that is one circuit, given what qubits are read as."""
    bits = np.zeros((states.size, program.num_bits), np.uint8)
    if program.measured:
        places = np.array([*program.measured.values()], np.uint64)
        bits[:, [*program.measured]] = states[:, np.newaxis] >> places & np.uint64(1)
    return bits


def _refusal(workload: Workload) -> Refusal | None:
    """Refuse what others serve, and what is too wide."""
    if workload.noise is not None and workload.lists_noise:
        return _LISTING
    is_ideal = workload.noise is None
    if workload.observable is not None or (is_ideal and workload.program.circuit is not None):
        return _MOOT
    if reason := _too_wide(workload):
        return Refusal("trajectories", reason, is_too_large=True)
    if is_ideal and (reason := wide_register(workload.program)):
        return Refusal("trajectories", reason)
    return None


def _too_wide(workload: Workload) -> str:
    """Say why there are too many qubits; empty if there are not."""
    num_qubits, noise = workload.program.num_qubits, workload.noise
    if noise is not None and num_qubits > noise.num_qubits:
        return f"{num_qubits} qubits; noise model '{noise.name}' has {noise.num_qubits}"
    return too_wide(num_qubits)


def _circuits(program: Program) -> list[Circuit]:
    return [step for step in program.steps if isinstance(step, Circuit)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the kernel does with a noisy circuit.

    Args:
        channels: Of the circuit.
        groups: Of the shots.
        bits: That tell patterns of errors apart.
    """

    workload: Workload
    channels: Sequence[Channel]
    groups: Groups
    bits: int

    @property
    def state_bytes(self) -> int:
        """Return the size of a state."""
        itemsize = AMPLITUDE_TYPES[resolve_precision(self.workload)].itemsize
        return itemsize << self.workload.program.num_qubits

    def seconds(self, speeds: Calibration, threads: int) -> float:
        """Predict the time."""
        shots = self.workload.shots
        errors = self._errors
        alone = speeds.numpy.operation * (_RUN + _CHANNEL * len(self.channels))
        alone += speeds.numpy.near_byte * shots * (_SHOT_BYTES + _DRAWN_BYTES * errors)
        work = self._small() if self.state_bytes <= _MOST_SMALL_BYTES else self._large()
        return alone + speeds.kernel.seconds(work, 1) / speeds.kernel.speed_up(threads)

    @property
    def _errors(self) -> float:
        """Return how many errors are expected in a shot."""
        return sum(channel.probability for channel in self.channels)

    def _small(self) -> KernelWork:
        _, applied, patterns = self.groups
        operations = _SWEEP * applied + _PATTERN * patterns
        return KernelWork(operations, applied + _READ_STEPS * patterns, 0, self.state_bytes)

    def _large(self) -> KernelWork:
        """Where patterns part, a state is copied, and two circuits are planned."""
        _, applied, patterns = self.groups
        operations = applied + 2 * RUN_OPERATIONS * patterns
        steps, passes = _STEPS * applied, _PARTING_PASSES * patterns
        return KernelWork(operations, steps, passes, self.state_bytes)

    def memory_bytes(self, threads: int) -> int:
        """Return the most that is allocated at once."""
        num_qubits, shots = self.workload.program.num_qubits, self.workload.shots
        walks = threads if num_qubits <= _MOST_SHARED_QUBITS else 1
        states = walks * (log2(max(self.groups.patterns, 1)) + 2)
        return (
            int(states * self.state_bytes)
            + run_bytes(num_qubits, self.groups.acts, threads)
            + tile_bytes(num_qubits)
            + int(shots * (_RECORD_BYTES + _ERROR_BYTES * self._errors))
            + shots * (self.bits // 8 + 2 * self.workload.program.num_bits)
            + sampling_bytes(shots)
        )


@dataclass(slots=True)
class _Effort:
    """What a run is expected to take, added up from step to step.

    Args:
        actions: Operations applied, over all groups.
        circuit_passes: Over a state vector, by them.
        circuits: How many there are.
        passes: Over a state vector, by measurements and resets.
        events: Random events on the way of one shot; the last one draws the basis state.
        errors: Expected in one shot.
        patterns: How many single errors are possible.
        ways: Of the measurements and resets so far, as a power of two.
    """

    workload: Workload
    actions: float = 0.0
    circuit_passes: float = 0.0
    circuits: int = 0
    passes: float = 0.0
    events: int = 1
    errors: float = 0.0
    patterns: float = 0.0
    ways: int = 0

    def add_circuit(self, circuit: Circuit) -> None:
        """Add the operations, each for as many groups as there are when it comes."""
        noise = self.workload.noise
        around: Sequence[Channel] = ()
        if noise is not None:
            circuit, around = noisy_circuit(noise, circuit)
        errors, patterns = _error_counts(around, circuit.num_operations)
        groups = self.groups(self.errors + errors[:-1], self.patterns + patterns[:-1])
        self.actions += float(groups.sum())
        self.circuit_passes += float(groups @ operation_passes(circuit))
        self.circuits += 1
        self.errors += float(errors[-1])
        self.patterns += float(patterns[-1])
        self.events += len(around)

    def add_observation(self) -> None:
        """Add a measurement or a reset."""
        self.ways += 1
        self.passes += _OBSERVE_PASSES * self.num_groups
        self.events += 1

    @property
    def num_groups(self) -> float:
        """Predict how many groups there are after all that was added."""
        return float(self.groups(np.array(self.errors), np.array(self.patterns)))

    def groups(
        self, errors: NDArray[np.float64], patterns: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Predict how many groups there are after so many expected errors in a shot (Poisson).

        Shots with one error share the possible patterns; one with more is taken to be on its own.
        """
        shots = self.workload.shots
        one = shots * errors * np.exp(-errors)
        more = shots * (1 - np.exp(-errors) * (1 + errors))
        shared = patterns * -np.expm1(-one / np.maximum(patterns, 1))
        ways = 2.0 ** min(self.ways, 63)
        return np.asarray(np.minimum(shots, ways * (1 + shared + more)), np.float64)

    def seconds(self, size: int, itemsize: int, speeds: Calibration, *, in_kernel: bool) -> float:
        """Predict the time."""
        shots, num_groups, speed = self.workload.shots, self.num_groups, speeds.numpy
        operations = _EVENT * self.events + _GROUP * num_groups
        num_bytes = shots * (_NUMBER_BYTES * self.events + _DRAW_BYTES)
        passes = self.passes + _COPY_PASSES * num_groups
        # Each group goes through all circuits, and is stopped where it splits.
        runs = num_groups * (self.circuits + 1)
        circuits = apparatus.Effort(self.actions, self.circuit_passes, runs)
        return (
            apparatus.seconds(circuits, size, itemsize, speeds, in_kernel=in_kernel)
            + speed.operation * operations
            + speed.near_byte * num_bytes
            + speed.passes(passes, size, itemsize)
        )


def _effort(workload: Workload) -> _Effort:
    """Predict the effort of a program each of whose steps is taken once."""
    effort = _Effort(workload)
    for step in workload.program.steps[: start_of_end(workload.program)]:
        if isinstance(step, Circuit):
            effort.add_circuit(step)
        elif isinstance(step, Measure | Reset):
            effort.add_observation()
    return effort


def _error_counts(
    around: Sequence[Channel], num_operations: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count errors before each operation, and before the end: expected in a shot, and possible."""
    expected, possible = np.zeros(num_operations + 1), np.zeros(num_operations + 1)
    for channel in around:
        expected[channel.after] += channel.probability
        possible[channel.after] += 4.0 ** len(channel.qubits) - 1
    return np.cumsum(expected), np.cumsum(possible)


def _sampled(record: Record, program: Program) -> Sampled:
    """Return the shots of output_all and of each register."""
    registers = {OUTPUT_ALL: _shots_of_states(record.basis_states, program.num_qubits)}
    for register in program.registers:
        rows = np.packbits(_bits_of(record, register), axis=1, bitorder="little")
        registers[register.name] = Shots(register.size, rows)
    return Sampled(registers)


def _shots_of_states(basis_states: NDArray[np.uint64], num_qubits: int) -> Shots:
    lowest_first = basis_states.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    return Shots(num_qubits, np.ascontiguousarray(lowest_first[:, : -(-num_qubits // 8)]))


def _bits_of(record: Record, register: Register) -> NDArray[np.uint8]:
    return record.bits[:, register.start : register.start + register.size]


def _exact(record: Record, program: Program) -> Exact:
    """Return the frequencies of output_all and of each register, of at most 64 bits."""
    registers = {OUTPUT_ALL: frequencies(record.basis_states, program.num_qubits)}
    for register in program.registers:
        keys = np.zeros(len(record.bits), np.uint64)
        for place, column in enumerate(_bits_of(record, register).T):
            keys |= column.astype(np.uint64) << np.uint64(place)
        registers[register.name] = frequencies(keys, register.size)
    return Exact(registers)
