"""What plans predict beside what runs take, engine by engine.

    python -m benchmarks.predictions [--widths 4 8 12] [--threads 2] [--reference] [--cases]

The machine is measured first, as a server does in the background, or taken as the reference.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.circuits import CIRCUITS
from ionbox import calibration
from ionbox.backends.noise import NOISE_MODELS
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import program_of
from ionbox.engines.calibration import REFERENCE, Machine
from ionbox.engines.engine import Engine, Estimate, Workload
from ionbox.engines.planner import ENGINES

WIDTHS = range(4, 25, 2)
NOISE, SHOTS = "aria-1", 200
LONGEST_SECONDS = 5.0  # what is expected to take longer is left out
SOON_SECONDS = 0.2  # what takes less is run several times


class Case(NamedTuple):
    """What one engine was expected to take for a circuit, and what it took."""

    engine: str
    circuit: str
    num_qubits: int
    predicted: float
    actual: float

    @property
    def ratio(self) -> float:
        return self.actual / self.predicted

    @property
    def is_within_2x(self) -> bool:
        return 0.5 <= self.ratio <= 2


def workloads(num_qubits: int) -> Iterator[tuple[str, Workload]]:
    """Yield each circuit without noise, and with it."""
    for name, operations in CIRCUITS.items():
        circuit = Circuit.from_operations(num_qubits, "qis", operations(num_qubits))
        for noise in (None, NOISE_MODELS[NOISE]):
            yield name, Workload(program_of(circuit), SHOTS, seed=7, noise=noise)


def cases(machine: Machine, widths: list[int], names: list[str]) -> Iterator[Case]:
    for num_qubits in widths:
        for circuit, workload in workloads(num_qubits):
            for engine in [each for each in ENGINES if each.name in names]:
                answer = engine.assess(workload, machine)
                if isinstance(answer, Estimate) and answer.seconds <= LONGEST_SECONDS:
                    actual = seconds(engine, workload, answer.threads)
                    yield Case(engine.name, circuit, num_qubits, answer.seconds, actual)


def seconds(engine: Engine, workload: Workload, threads: int) -> float:
    """Return the least of a few runs: what disturbs one is not for a plan to predict."""
    times: list[float] = []
    while not times or (len(times) < 5 and sum(times) < SOON_SECONDS):
        start = time.perf_counter()
        engine.run(workload, threads=threads)
        times.append(time.perf_counter() - start)
    return min(times)


def table(found: list[Case]) -> str:
    """Return the share of good predictions of each engine, and the worst two."""
    lines = ["| engine | cases | within 2x | actual / predicted |", "|---|---|---|---|"]
    for engine in dict.fromkeys(case.engine for case in found):
        ours = [case for case in found if case.engine == engine]
        ratios = sorted(case.ratio for case in ours)
        share = sum(case.is_within_2x for case in ours) / len(ours)
        lines.append(
            f"| {engine} | {len(ours)} | {share:.0%} | "
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}, median {statistics.median(ratios):.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS))
    parser.add_argument("--engines", nargs="+", default=[engine.name for engine in ENGINES])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--reference", action="store_true", help="do not measure the machine")
    parser.add_argument("--cases", action="store_true", help="print each case")
    options = parser.parse_args()
    known = REFERENCE if options.reference else calibration.measure(time.perf_counter)
    found = []
    for case in cases(Machine(options.threads, known), options.widths, options.engines):
        found.append(case)
        if options.cases:
            mark = "" if case.is_within_2x else "  <--"
            print(f"{case.engine:13}{case.circuit:8}{case.num_qubits:3}"
                  f"{case.predicted * 1e3:12.3f}{case.actual * 1e3:12.3f} ms"
                  f"{case.ratio:7.2f}{mark}", flush=True)  # fmt: skip
    print(table(found))


if __name__ == "__main__":
    main()
