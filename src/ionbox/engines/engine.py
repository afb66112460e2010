"""The port that every simulation method serves: say what a workload costs, then run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from ionbox.circuits.circuit import Circuit
from ionbox.formats.results import Probabilities

Precision = Literal["auto", "float64", "float32"]
ResolvedPrecision = Literal["float64", "float32"]

AUTO_FLOAT64_QUBITS = 20  # the widest circuit that "auto" computes in float64
IDEAL = "ideal"
NOISE_MODELS = (IDEAL,)  # what the engines know; the catalog of devices adds to it later


@dataclass(frozen=True, slots=True)
class Workload:
    """All that an outcome depends on.

    Args:
        circuit: What is run, from all qubits in |0>.
        shots: How often, where the outcome is sampled.
        seed: What makes sampling repeatable; not negative.
        noise_model: A row of `NOISE_MODELS`.
        max_outcomes: More possible outcomes than this are sampled instead of listed.
        precision: Of a real number; an amplitude is two of them.
    """

    circuit: Circuit
    shots: int
    seed: int
    noise_model: str = IDEAL
    max_outcomes: int = 2**24
    precision: Precision = "auto"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an engine would need for a workload.

    Args:
        engine: Its name.
        memory_bytes: The most it allocates at once.
        seconds: Predicted time, good to a factor of a few.
        threads: How many it would use.
        precision: What it would compute in.
        is_exact: Whether all outcomes are sure to be listed, so that none is sampled.
    """

    engine: str
    memory_bytes: int
    seconds: float
    threads: int
    precision: ResolvedPrecision
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an engine does not take a workload; a value, because the planner shows it.

    Args:
        is_too_large: The circuit has more qubits than the engine, or the memory, takes.
    """

    engine: str
    reason: str
    is_too_large: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out, and what the caller should be told about it."""

    probabilities: Probabilities
    warnings: tuple[str, ...]


class Engine(Protocol):
    """One simulation method."""

    @property
    def name(self) -> str:
        """Return the name that plans and settings use."""

    def assess(self, workload: Workload) -> Estimate | Refusal:
        """Say what the workload costs, from its size alone: nothing is allocated."""

    def run(self, workload: Workload) -> Outcome:
        """Run a workload that `assess` did not refuse."""


def resolve_precision(workload: Workload) -> ResolvedPrecision:
    """Return the precision asked for; "auto" is float64 to 20 qubits, float32 above."""
    if workload.precision != "auto":
        return workload.precision
    return "float64" if workload.circuit.num_qubits <= AUTO_FLOAT64_QUBITS else "float32"


def refuse_noise(engine: str, noise_model: str) -> Refusal:
    """Return the refusal of a noise model that is not here."""
    known = ", ".join(NOISE_MODELS)
    return Refusal(engine, f"noise model '{noise_model}' is not available yet; known: {known}")
