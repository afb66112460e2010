"""The branching engine: ideal programs that measure or reset before their end, exactly.

Both outcomes of every measurement and reset are followed, each with its probability as weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import OUTPUT_ALL, Measure, Program, Register, Reset
from ionbox.engines import apparatus
from ionbox.engines.apparatus import NUMPY, Apparatus
from ionbox.engines.calibration import ONE_CORE, REFERENCE, Calibration, Machine, NumpySpeed
from ionbox.engines.control import Control, start, start_of_end
from ionbox.engines.costs import Cost, circuit_cost, tile_bytes
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, resolve_precision
from ionbox.engines.progress import Progress
from ionbox.engines.registers import (
    listed,
    marginal,
    measured_at_end,
    merged,
    qubits_of,
    wide_register,
)
from ionbox.engines.vectors import (
    AMPLITUDE_TYPES,
    Amplitudes,
    AmplitudeType,
    ground_state,
    take_weights,
    too_wide,
)
from ionbox.errors import InvalidCircuitError
from ionbox.formats.results import Exact, Probabilities, read_out

MOST_BRANCHES = 1 << 12
_MOST_STEPS = 1 << 16  # on all branches, while they are counted
_MOST_JUMPS = 1 << 17
_MOST_BRANCH_BITS = 1 << 26  # classical bits, on all branches
_MOST_SECONDS = 60.0  # longer programs are sampled

# What is less likely is not followed. A branch that gets a copy of the vector has at most half of
# the weight, so that no more than log2(1 / _LEAST_WEIGHT) copies live at once.
_LEAST_WEIGHT = 1e-15
_MOST_COPIES = 50

_BRANCH = 2.0  # in operations: the read-out of a branch
_OBSERVE_PASSES = 5
_BRANCH_PASSES = 4
_KEY_BYTES = 64  # for each content of a register: keys and values, and what merging them needs
_GATHERED = 1 << 20  # contents that are kept before they are merged


@dataclass(frozen=True, slots=True)
class _Tree:
    """All ways through a program, without regard to what is possible.

    Args:
        branches: How many there are.
        steps: How often each quantum step is met, by its place.
        depth: The most measurements and resets on one way.
    """

    branches: int
    steps: Mapping[int, int]
    depth: int


def _count(program: Program) -> _Tree | None:
    """Walk all ways through a program; None if they are too many, or too long."""
    most = min(MOST_BRANCHES, _MOST_BRANCH_BITS // max(program.num_bits, 1))
    steps: dict[int, int] = {}
    branches = num_steps = num_jumps = deepest = 0
    waiting = [(start(program), 0)]
    while waiting:
        control, depth = waiting.pop()
        while (step := control.quantum_step()) is not None:
            steps[control.place] = steps.get(control.place, 0) + 1
            num_steps += 1
            if num_steps > _MOST_STEPS or branches + len(waiting) >= most:
                return None
            if not isinstance(step, Circuit):
                depth += 1
                waiting.append((_after(control, step, 1), depth))
                control = _after(control, step, 0)
            else:
                control.place += 1
        branches += 1
        num_jumps += control.jumps
        if num_jumps > _MOST_JUMPS:
            return None
        deepest = max(deepest, depth)
    return _Tree(branches, steps, deepest)


def _after(control: Control, step: Measure | Reset, outcome: int) -> Control:
    """Return the control behind a measurement or reset with that outcome."""
    after = control.copy()
    after.place += 1
    if isinstance(step, Measure) and step.bit is not None:
        after.bits[step.bit] = outcome
    return after


_MOOT = Refusal(
    "branches", "branches are for ideal programs that are not one circuit", is_moot=True
)


@dataclass(frozen=True, slots=True)
class BranchEngine:
    """Every outcome of every mid-circuit measurement, exactly, where they are not too many."""

    apparatus: Apparatus = NUMPY

    @property
    def name(self) -> str:
        return "branches"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; what cannot be listed is left to be sampled."""
        program = workload.program
        if (
            workload.noise is not None
            or workload.observable is not None
            or program.circuit is not None
        ):
            return _MOOT
        if reason := too_wide(program.num_qubits):
            return Refusal(self.name, reason, is_too_large=True)
        if reason := wide_register(program):
            return Refusal(self.name, reason)
        if 1 << program.num_qubits > workload.max_outcomes:
            return self._leave(f"more than {workload.max_outcomes} possible outcomes")
        costs = _costs(program)
        if isinstance(costs, str):
            return Refusal(self.name, costs)
        return self._with_tree(workload, costs, machine.calibration)

    def _leave(self, reason: str) -> Refusal:
        return Refusal(self.name, reason, is_moot=True)

    def _with_tree(
        self, workload: Workload, costs: Mapping[int, Cost], speeds: Calibration
    ) -> Estimate | Refusal:
        try:
            tree = _count(workload.program)
        except InvalidCircuitError as error:  # one way has a loop without end
            return self._leave(error.message)
        if tree is None:
            return self._leave(f"more than {MOST_BRANCHES} branches, or a loop of unknown length")
        # What is listed on one machine must not be sampled on another, be it without the kernel.
        seconds = _seconds(workload, costs, tree, REFERENCE, in_kernel=False)
        if seconds > _MOST_SECONDS:
            return self._leave(f"{tree.branches} branches take {seconds:.0f} s")
        return self._estimate(workload, costs, tree, speeds)

    def _estimate(
        self, workload: Workload, costs: Mapping[int, Cost], tree: _Tree, speeds: Calibration
    ) -> Estimate:
        program, precision = workload.program, resolve_precision(workload)
        size = 1 << program.num_qubits
        itemsize = AMPLITUDE_TYPES[precision].itemsize
        vector_bytes = size * itemsize
        circuits = [step for step in program.steps if isinstance(step, Circuit)]
        copies = min(tree.depth, _MOST_COPIES)
        vectors = copies + max(cost.vectors for cost in costs.values())
        memory_bytes = (
            int(vectors * vector_bytes)
            + tile_bytes(program.num_qubits)
            + 16 * size  # the weights of all branches, and those of one
            + _register_bytes(program, tree)
            + self.apparatus.memory_bytes(circuits)
        )
        in_kernel = self.apparatus.knows(circuits)
        seconds = _seconds(workload, costs, tree, speeds, in_kernel=in_kernel)
        return Estimate(self.name, memory_bytes, seconds, 1, precision, is_exact=True)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Follow all branches, and add up what they leave in each register."""
        amplitude_type = AMPLITUDE_TYPES[resolve_precision(workload)]
        branches = _Branches(workload.program, amplitude_type, self.apparatus)
        return Outcome(branches.run(progress or Progress()))


def _seconds(
    workload: Workload,
    costs: Mapping[int, Cost],
    tree: _Tree,
    speeds: Calibration,
    *,
    in_kernel: bool,
) -> float:
    """Predict the time of following all branches."""
    program, size = workload.program, 1 << workload.program.num_qubits
    itemsize = AMPLITUDE_TYPES[resolve_precision(workload)].itemsize
    circuits = _circuit_effort(program, costs, tree)
    beside = _effort(program, tree).seconds(size, itemsize, speeds.numpy)
    return beside + apparatus.seconds(circuits, size, itemsize, speeds, in_kernel=in_kernel)


def _register_bytes(program: Program, tree: _Tree) -> int:
    """Return the memory that the contents of all registers take."""
    num_measured = len(program.steps) - start_of_end(program)
    total = 0
    for register in program.registers:
        added = tree.branches << min(num_measured, register.size)
        total += _KEY_BYTES * (min(1 << register.size, added) + min(_GATHERED, added))
    return total


class _Effort(NamedTuple):
    """What following all branches takes beside circuits: operations, and passes over a vector."""

    operations: float
    passes: float

    def seconds(self, size: int, itemsize: int, speed: NumpySpeed) -> float:
        """Predict the time."""
        return speed.operation * self.operations + speed.passes(self.passes, size, itemsize)


def _effort(program: Program, tree: _Tree) -> _Effort:
    """Predict the effort of following all branches, beside their circuits."""
    observed = sum(
        times
        for place, times in tree.steps.items()
        if not isinstance(program.steps[place], Circuit)
    )
    read_out = _BRANCH * tree.branches * (1 + len(program.registers))
    return _Effort(read_out, _OBSERVE_PASSES * observed + _BRANCH_PASSES * tree.branches)


def _circuit_effort(program: Program, costs: Mapping[int, Cost], tree: _Tree) -> apparatus.Effort:
    """Predict the effort of the circuits on all branches."""
    passes, actions, runs = 0.0, 0, 0
    for place, times in tree.steps.items():
        step = program.steps[place]
        if isinstance(step, Circuit):
            passes += costs[place].passes * times
            actions += step.num_operations * times
            runs += times
    return apparatus.Effort(actions, passes, runs)


def _costs(program: Program) -> Mapping[int, Cost] | str:
    """Return the cost of each circuit by its place, or why one would take too long."""
    costs = {}
    for place, step in enumerate(program.steps):
        if isinstance(step, Circuit):
            cost = circuit_cost(step)
            if isinstance(cost, str):
                return cost
            costs[place] = cost
    return costs


@dataclass(slots=True)
class _Branch:
    """One history, and its probability."""

    vector: Amplitudes
    control: Control
    weight: float


class _Branches:
    """All branches of a program, followed depth first, the likelier one in place."""

    def __init__(
        self, program: Program, amplitude_type: AmplitudeType, apparatus: Apparatus
    ) -> None:
        self._program = program
        self._apparatus = apparatus
        self._amplitude_type = amplitude_type
        self._ready = {
            place: apparatus.ready(step)
            for place, step in enumerate(program.steps)
            if isinstance(step, Circuit)
        }
        self._weights = np.zeros(1 << program.num_qubits)
        self._registers = [_Gathered(register) for register in program.registers]
        self._progress = Progress()

    def run(self, progress: Progress) -> Exact:
        """Follow all branches; once."""
        # Nobody knows how many there are; what was followed of all probability, everybody.
        self._progress = progress
        progress.expect(1)
        vector = ground_state(self._program.num_qubits, self._amplitude_type)
        real_type = np.dtype(f"f{vector.itemsize // 2}")
        self._follow(_Branch(vector, start(self._program), 1.0))
        registers = {
            OUTPUT_ALL: read_out(self._weights.astype(real_type), self._program.num_qubits)
        }
        for gathered in self._registers:
            registers[gathered.register.name] = gathered.probabilities(real_type)
        return Exact(registers)

    def _follow(self, branch: _Branch) -> None:
        while (step := branch.control.quantum_step()) is not None:
            if isinstance(step, Circuit):
                self._ready[branch.control.place].apply(branch.vector)
                branch.control.place += 1
            else:
                self._observe(branch, step)
        end = self._program.steps[branch.control.place :]
        weights = take_weights(branch.vector).astype(np.float64, copy=False)
        weights *= branch.weight
        self._weights += weights
        self._progress.advance(branch.weight)
        for gathered in self._registers:
            gathered.add(weights, measured_at_end(end), branch.control.bits)

    def _observe(self, branch: _Branch, step: Measure | Reset) -> None:
        """Follow the less likely outcome to its end, and take the branch on to the other."""
        one = self._apparatus.probability_of_one(branch.vector, step.qubit)
        likely = int(one >= 0.5)
        less = min(one, 1 - one)
        if branch.weight * less >= _LEAST_WEIGHT:
            self._follow_copy(branch, step, 1 - likely, less)
        self._take(branch, step, likely, 1 - less)

    def _follow_copy(
        self, branch: _Branch, step: Measure | Reset, outcome: int, chance: float
    ) -> None:
        """Follow another outcome on a copy; it is gone when this returns."""
        other = _Branch(branch.vector.copy(), branch.control, branch.weight)
        self._take(other, step, outcome, chance)
        self._follow(other)

    def _take(self, branch: _Branch, step: Measure | Reset, outcome: int, chance: float) -> None:
        """Take a branch on to one outcome of a step, which has that chance."""
        change = self._apparatus.reset if isinstance(step, Reset) else self._apparatus.collapse
        change(branch.vector, step.qubit, outcome, chance)
        branch.control = _after(branch.control, step, outcome)
        branch.weight *= chance


class _Gathered:
    """Probabilities of the contents of a register, as they come in."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self._keys = [np.zeros(0, np.uint64)]
        self._values = [np.zeros(0)]
        self._num_waiting = 0

    def add(
        self, weights: NDArray[np.float64], measured: Mapping[int, int], bits: bytearray
    ) -> None:
        """Add a branch: weights of its basis states, what is still to be measured, its bits."""
        qubits = qubits_of(self.register, measured)
        held = sum(
            bits[self.register.start + place] << place
            for place, qubit in enumerate(qubits)
            if qubit is None
        )
        keys, values = marginal(weights, qubits)
        self._keys.append(keys | np.uint64(held))
        self._values.append(values.astype(np.float64, copy=False))
        self._num_waiting += keys.size
        if self._num_waiting > _GATHERED:
            self._merge()

    def _merge(self) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
        keys, values = merged(np.concatenate(self._keys), np.concatenate(self._values))
        self._keys, self._values, self._num_waiting = [keys], [values], 0
        return keys, values

    def probabilities(self, real_type: np.dtype[np.float64 | np.float32]) -> Probabilities:
        """Return what came in, added up, with values of that type."""
        keys, values = self._merge()
        return listed(keys, values.astype(real_type), self.register.size)
