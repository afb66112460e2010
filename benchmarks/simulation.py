"""Simulation beside other engines: from a built circuit to exact probabilities, on all cores.

    make bench-simulation        or        python -m benchmarks.simulation [--quick] [--json]

Engines run in turn, each in a process of its own; medians. A run of all prints its table and keeps
it, with every figure, in `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np

from benchmarks.cells import Cell, Patience, Runs, is_far_behind, measure
from benchmarks.circuits import CIRCUITS, SMALL_CIRCUITS, rows
from benchmarks.comparison import Comparison, Progress
from benchmarks.limits import measure_limits
from benchmarks.peers.process import (
    ENGINES,
    OURS,
    EngineFailedError,
    EngineProcess,
)
from benchmarks.simulation_figures import Small, figures_of
from benchmarks.simulation_table import table
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.oracle import state_vector

COMPARISON = Comparison(
    name="simulation",
    description=__doc__,
    circuits=tuple(CIRCUITS),
    qubits=((4, 8, 12, 16, 20, 24, 26), (20, 24)),
    rounds=(7, 3),
)
CELL_SECONDS, QUICK_CELL_SECONDS = 60.0, 5.0
DROP_FROM = 20  # qubits; below, overhead decides
SCALING_FROM = 24  # qubits from which one thread is measured, too
CHECK_QUBITS = 6
TOLERANCE = 1e-4


class Engines:
    """The processes of all engines, and who is no longer asked what.

    Args:
        threads: How many each may use; ours is there with one thread as well.
    """

    def __init__(self, threads: int) -> None:
        self.all = [EngineProcess(engine, threads) for engine in ENGINES]
        self.alone = EngineProcess(OURS, 1)
        self._dropped: set[tuple[str, str]] = set()

    def close(self) -> None:
        for process in (*self.all, self.alone):
            process.close()

    def candidates(self, circuit: str, num_qubits: int) -> Iterator[Runs]:
        """Prepare a circuit everywhere and yield the variants to run."""
        processes = list(self.all)
        if num_qubits >= SCALING_FROM and processes[0].threads > 1:
            processes.append(self.alone)
        for process in processes:
            if (process.engine.name, circuit) not in self._dropped:
                yield from _prepared(process, circuit, num_qubits)

    def drop(self, cell: Cell) -> None:
        """Leave out, at more qubits, who failed here or is far behind."""
        for process in self.all:
            runs = cell.best(process.engine, process.threads)
            if runs is not None and (runs.failure or is_far_behind(runs, cell.runs)):
                self._dropped.add((process.engine.name, cell.circuit))


def _prepared(process: EngineProcess, circuit: str, num_qubits: int) -> list[Runs]:
    operations = rows(circuit, CIRCUITS[circuit](num_qubits), is_ours=process.engine == OURS)
    try:
        return [Runs(process, variant) for variant in process.prepare(num_qubits, operations)]
    except EngineFailedError as error:
        return [Runs(process, "", failure=str(error))]


def check(engines: Engines, circuits: Sequence[str]) -> None:
    """End the program if an engine's probabilities are not those of the definition."""
    for name in circuits:
        circuit = Circuit.from_operations(CHECK_QUBITS, "qis", CIRCUITS[name](CHECK_QUBITS))
        expected = np.abs(state_vector(circuit)) ** 2
        for runs in engines.candidates(name, CHECK_QUBITS):
            if runs.failure:
                sys.exit(f"{runs.process.engine.name}, {name}: {runs.failure}")
            found = runs.process.ask("found", runs.variant)["found"]
            if not np.allclose(found, expected, rtol=0, atol=TOLERANCE):
                sys.exit(f"{runs.process.engine.name} {runs.variant} is wrong about {name}")


def measure_cells(engines: Engines, options: argparse.Namespace) -> Iterator[Cell]:
    """Yield one circuit after the other, small ones first."""
    seconds = QUICK_CELL_SECONDS if options.quick else CELL_SECONDS
    patience = Patience(options.rounds, seconds, DROP_FROM)
    for num_qubits in sorted(options.qubits):
        for circuit in options.circuits:
            candidates = list(engines.candidates(circuit, num_qubits))
            cell = measure(circuit, num_qubits, candidates, patience)
            if num_qubits >= DROP_FROM:
                engines.drop(cell)
            yield cell


def measure_small() -> Iterator[Small]:
    """Yield what building and running small circuits takes on one thread."""
    for engine in ENGINES:
        with closing(EngineProcess(engine, 1)) as process:
            for name, (num_qubits, operations) in SMALL_CIRCUITS.items():
                packed = rows(name, operations(num_qubits), is_ours=engine == OURS)
                for variant in process.prepare(num_qubits, packed):
                    answer = process.ask("small", variant)
                    yield Small(name, engine, variant, answer["build_us"], answer["run_us"])


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures."""
    with ExitStack() as stack:
        engines = stack.enter_context(closing(Engines(options.threads)))
        tell = Progress()
        tell("checking that all engines agree")
        check(engines, options.circuits)
        cells = []
        for cell in measure_cells(engines, options):
            cells.append(cell)
            tell(f"{cell.circuit} on {cell.num_qubits} qubits")
        versions = {process.engine.name: process.version for process in engines.all}
    small = list(measure_small())
    tell("small circuits")
    limits = measure_limits(options.threads, options.qubits)
    tell("limits")
    return figures_of(cells, small, limits, versions, options.threads)


if __name__ == "__main__":
    COMPARISON.main(run, table)
