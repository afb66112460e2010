"""One circuit on all engines, in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.peers.process import Engine, EngineFailedError, EngineProcess

BEHIND = 10.0  # times slower than the best engine
OTHER_VARIANT = 1.3  # times slower than the engine's best variant
LEAST_ROUNDS = 3
SHORT_MS = 1000.0


@dataclass
class Runs:
    """What one variant of an engine took.

    Args:
        process: Who ran it.
        variant: Its name.
        seconds: The longest run that is waited for.
        milliseconds: One number for each run.
        peak_bytes: The most memory that a run took on top of what was in use; None if unknown.
        failure: Why there are no more runs.
    """

    process: EngineProcess
    variant: str
    seconds: float = 60.0
    milliseconds: list[float] = field(default_factory=list)
    peak_bytes: int | None = None
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds) if self.milliseconds else float("inf")

    @property
    def least(self) -> float:
        return min(self.milliseconds, default=float("inf"))

    def add(self) -> None:
        """Run once more."""
        try:
            answer = self.process.ask("run", self.variant, seconds=self.seconds)
        except EngineFailedError as error:
            self.failure = str(error)
            return
        self.milliseconds.append(answer["milliseconds"])
        self.peak_bytes = answer["peak_bytes"]


@dataclass(frozen=True)
class Patience:
    """How often and how long engines are asked.

    Args:
        rounds: How often at most.
        seconds: After which no new round of a cell starts, but for the first three.
        drop_from: Qubits from which those far behind are left out; below, overhead decides.
    """

    rounds: int
    seconds: float
    drop_from: int


@dataclass(frozen=True)
class Cell:
    """A circuit on so many qubits, and what every variant of every engine took."""

    circuit: str
    num_qubits: int
    runs: Sequence[Runs]

    def best(self, engine: Engine, threads: int) -> Runs | None:
        """Return the engine's best variant."""
        of_engine = [
            runs
            for runs in self.runs
            if runs.process.engine == engine and runs.process.threads == threads
        ]
        return min(of_engine, key=lambda runs: runs.median, default=None)


def measure(circuit: str, num_qubits: int, candidates: Sequence[Runs], patience: Patience) -> Cell:
    """Run all candidates in turn, again and again.

    Those that are far behind are soon left out, so that the time goes to those that matter.

    Args:
        candidates: With their circuit prepared, and without any runs.
    """
    end = time.monotonic() + patience.seconds
    may_drop = num_qubits >= patience.drop_from
    for number in range(patience.rounds):
        if number >= LEAST_ROUNDS and time.monotonic() > end:
            break
        for runs in list(_still_running(candidates, number, may_drop=may_drop)):
            runs.add()
    return Cell(circuit, num_qubits, candidates)


def _still_running(candidates: Sequence[Runs], number: int, *, may_drop: bool) -> Iterator[Runs]:
    for runs in candidates:
        best_variant = min(each.least for each in candidates if each.process is runs.process)
        is_slow = runs.least > OTHER_VARIANT * best_variant
        # Whoever was slow once, and briefly, may have been unlucky.
        has_another_chance = number == 0 or (number == 1 and runs.least < SHORT_MS)
        is_left_out = is_slow or (may_drop and is_far_behind(runs, candidates))
        if not runs.failure and (has_another_chance or not is_left_out):
            yield runs


def is_far_behind(runs: Runs, candidates: Sequence[Runs]) -> bool:
    """Tell whether the best engine is many times faster, unless this is the best of the others."""
    best = min(each.least for each in candidates)
    others = (each.least for each in candidates if not each.process.engine.is_ours)
    return runs.least > max(BEHIND * best, min(others, default=float("inf")))
