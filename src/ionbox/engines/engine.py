"""The port that every simulation method serves: say what a workload costs, then run it."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from ionbox.backends.noise import NoiseModel
from ionbox.circuits.observable import Observable
from ionbox.circuits.program import Program
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.progress import Progress
from ionbox.formats.results import Result

Precision = Literal["auto", "float64", "float32"]
ResolvedPrecision = Literal["float64", "float32"]

AUTO_FLOAT64_QUBITS = 20  # the widest circuit that "auto" computes in float64


class Workload(msgspec.Struct, frozen=True):
    """All that an outcome depends on.

    Args:
        program: What is run, from all qubits in |0>.
        shots: How often, where the outcome is sampled.
        seed: What makes sampling repeatable; not negative.
        noise: Which errors follow the operations; None for an ideal run.
        observable: Whose expectation value is asked for, instead of outcomes.
        max_outcomes: More possible outcomes than this are sampled instead of listed.
        precision: Of a real number; an amplitude is two of them.
        lists_noise: Whether the probabilities themselves of a noisy run are asked for, not shots.
    """

    program: Program
    shots: int
    seed: int
    noise: NoiseModel | None = None
    observable: Observable | None = None
    max_outcomes: int = 2**24
    precision: Precision = "auto"
    lists_noise: bool = False


class Estimate(msgspec.Struct, frozen=True, tag=True):
    """What an engine would need for a workload.

    Args:
        engine: Its name.
        memory_bytes: The most it allocates at once.
        seconds: Predicted time, good to a factor of a few.
        threads: How many it can make use of, of the machine's cores.
        precision: What it would compute in.
        is_exact: Whether all outcomes are sure to be listed, so that none is sampled.
        reference_seconds: Where it is sampled with noise, the time on one core of the reference
            machine: by it an engine is chosen, the same one everywhere.
    """

    engine: str
    memory_bytes: int
    seconds: float
    threads: int
    precision: ResolvedPrecision
    is_exact: bool
    reference_seconds: float = 0.0


class Refusal(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Why an engine does not take a workload; a value, because the planner shows it.

    Args:
        is_too_large: The program has more qubits than the engine, or the memory, takes.
        is_moot: Another engine's answer counts: this one does not serve workloads of this kind,
            or takes more memory.
    """

    engine: str
    reason: str
    is_too_large: bool = False
    is_moot: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What came out, and what the caller should be told about it."""

    result: Result
    warnings: tuple[str, ...] = ()


class Engine(Protocol):
    """One simulation method."""

    @property
    def name(self) -> str:
        """Return the name that plans and settings use."""

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs, from its size alone: nothing is allocated.

        Args:
            machine: Where it is to run. An estimate depends on it, a refusal does not.
        """

    def run(
        self, workload: Workload, *, threads: int = 1, progress: Progress | None = None
    ) -> Outcome:
        """Run a workload that `assess` did not refuse.

        Args:
            threads: At most so many; the outcome is the same, to the bit, for any number.
            progress: Where it says how far it is, if it can tell and somebody wants to know.
        """


def paced(estimate: Estimate, machine: Machine) -> Estimate:
    """Return an estimate that was made for the reference machine as one for another."""
    seconds = estimate.seconds * machine.pace
    return replace(estimate, seconds=seconds, reference_seconds=estimate.seconds)


def resolve_precision(workload: Workload) -> ResolvedPrecision:
    """Return the precision asked for.

    "auto" is float64 to 20 qubits and for expectation values, float32 above.
    """
    if workload.precision != "auto":
        return workload.precision
    is_narrow = workload.program.num_qubits <= AUTO_FLOAT64_QUBITS
    return "float64" if is_narrow or workload.observable is not None else "float32"
