"""Noisy simulation beside other engines: from a built circuit to shots, on all cores.

    make bench-noise        or        python -m benchmarks.noise [--quick] [--json]

A depolarizing channel follows every gate. Engines run in turn, each in a process of its own;
medians. A run of all prints its table and keeps it, with every figure, in `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import Cell, Patience, Runs, measure
from benchmarks.circuits import NOISY_CIRCUITS, cnot, gate, noisy_rows
from benchmarks.comparison import Comparison, Figures, Progress
from benchmarks.peers.process import Engine, EngineFailedError, EngineProcess
from benchmarks.peers.rows import SHOTS, Row, sampling
from benchmarks.service import cpu_name
from benchmarks.simulation_table import markdown, number
from ionbox.backends.noise import NOISE_MODELS, NoiseModel

COMPARISON = Comparison(
    name="noise",
    description=__doc__,
    circuits=tuple(NOISY_CIRCUITS),
    qubits=((4, 11, 16, 20), (4, 11, 20)),
    rounds=(5, 3),
)
RUN_SECONDS, QUICK_RUN_SECONDS = 120.0, 2.0
CELL_SECONDS, QUICK_CELL_SECONDS = 60.0, 2.0
DROP_FROM = 11  # qubits; below, overhead decides
# Two samples of 10,000 shots of 4 outcomes are 0.009 apart; a channel whose rate is the probability
# of an error, or the other way round, adds 0.04 or more.
CHECK_DISTANCE = 0.027
CHECK_QUBITS = 2

NOISE: Final = NOISE_MODELS["aria-1"]
STRONG_NOISE: Final = NoiseModel("strong", CHECK_QUBITS, 0.9, 0.9)
# These leave |00> as it is, but for errors.
CHECKS: Final = {
    "one qubit": (gate("rz", (0,), 1.0), gate("rz", (1,), 1.0)),
    "two qubits": (cnot(0, 1),),
}

OURS = Engine("ionbox", "noisy_ours", is_ours=True)
# The method that an engine is asked to use.
METHODS: Final[Mapping[Engine, str]] = {
    OURS: "",
    Engine("qulacs", "noisy_qulacs"): "",
    Engine("Aer statevector", "noisy_aer"): "statevector",
    Engine("Aer density matrix", "noisy_aer"): "density_matrix",
    Engine("Aer MPS", "noisy_aer"): "matrix_product_state",
    Engine("qsim", "noisy_qsim"): "",
}


class Engines:
    """The processes of all engines, and who is no longer asked what.

    Args:
        threads: How many each may use.
        seconds: The longest run that is waited for.
    """

    def __init__(self, threads: int, seconds: float) -> None:
        self.all = [EngineProcess(engine, threads) for engine in METHODS]
        self._seconds = seconds
        self._dropped: dict[tuple[str, str], tuple[int, str]] = {}

    def close(self) -> None:
        for process in self.all:
            process.close()

    def candidates(
        self, circuit: str, num_qubits: int, rows: Sequence[Row], shots: int
    ) -> Iterator[Runs]:
        """Prepare a circuit everywhere and yield what is to run; who is left out says why."""
        for process in self.all:
            runs = Runs(process, sampling(METHODS[process.engine], shots), self._seconds)
            least, failure = self._dropped.get((process.engine.name, circuit), (shots + 1, ""))
            runs.failure = failure if shots >= least else ""
            try:
                if not runs.failure:
                    process.prepare(num_qubits, rows)
            except EngineFailedError as error:
                runs.failure = str(error)
            yield runs

    def drop(self, cell: Cell, shots: int) -> None:
        """Leave out who failed here, at as many qubits and shots or more."""
        for runs in cell.runs:
            if runs.failure:
                place, found = (runs.process.engine.name, cell.circuit), (shots, runs.failure)
                self._dropped[place] = min(found, self._dropped.get(place, found))


def check(engines: Engines) -> None:
    """End the program if the shots of an engine are not spread as ours."""
    for name, operations in CHECKS.items():
        rows = list(noisy_rows(iter(operations), STRONG_NOISE))
        spread: dict[str, NDArray[np.float64]] = {}
        for runs in engines.candidates(name, CHECK_QUBITS, rows, max(SHOTS)):
            if runs.failure:
                sys.exit(f"{runs.process.engine.name}, {name}: {runs.failure}")
            found = runs.process.ask("found", runs.variant)["found"]
            spread[runs.process.engine.name] = np.bincount(found, minlength=4) / len(found)
        for engine, shares in spread.items():
            if 0.5 * np.abs(shares - spread[OURS.name]).sum() > CHECK_DISTANCE:
                sys.exit(f"{engine} has another idea of noise on {name}")


def measure_cells(engines: Engines, options: argparse.Namespace) -> Iterator[tuple[Cell, int]]:
    """Yield one circuit after the other with its shots, small ones first."""
    seconds = QUICK_CELL_SECONDS if options.quick else CELL_SECONDS
    patience = Patience(options.rounds, seconds, DROP_FROM)
    for num_qubits in sorted(options.qubits):
        for circuit in options.circuits:
            rows = list(noisy_rows(NOISY_CIRCUITS[circuit](num_qubits), NOISE))
            for shots in SHOTS:
                candidates = list(engines.candidates(circuit, num_qubits, rows, shots))
                cell = measure(circuit, num_qubits, candidates, patience)
                engines.drop(cell, shots)
                yield cell, shots


def run(options: argparse.Namespace) -> Figures:
    """Return all figures; `worst_ratio_vs_best_peer` is None where no peer was measured."""
    tell = Progress()
    run_seconds = QUICK_RUN_SECONDS if options.quick else RUN_SECONDS
    with closing(Engines(options.threads, run_seconds)) as engines:
        tell("checking that all engines agree")
        check(engines)
        cells = []
        for cell, shots in measure_cells(engines, options):
            cells.append(_cell_figures(cell, shots, run_seconds))
            tell(f"{cell.circuit} on {cell.num_qubits} qubits, {shots} shots")
        versions = {process.engine.name: process.version for process in engines.all}
    return {
        "worst_ratio_vs_best_peer": min(
            (cell["ratio"] for cell in cells if cell["ratio"]), default=None
        ),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "python": platform.python_version(),
        "threads": options.threads,
        "versions": versions,
        "cells": cells,
    }


def _cell_figures(cell: Cell, shots: int, run_seconds: float) -> Figures:
    """Return the figures of a cell; a run of ours that was not waited for counts as that long."""
    times = {runs.process.engine.name: runs.median for runs in cell.runs if isfinite(runs.median)}
    peer = min((name for name in times if name != OURS.name), key=times.__getitem__, default=None)
    own = times.get(OURS.name, 1e3 * run_seconds)
    return {
        "circuit": cell.circuit,
        "qubits": cell.num_qubits,
        "shots": shots,
        "ms": times,
        "rounds": {runs.process.engine.name: len(runs.milliseconds) for runs in cell.runs},
        "failures": {runs.process.engine.name: runs.failure for runs in cell.runs if runs.failure},
        "best_peer": peer,
        "ratio": times[peer] / own if peer else None,
    }


def table(figures: Figures) -> str:
    """Return everything as Markdown."""
    names = list(figures["versions"])
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    machine = f"{figures['cpu']}, {figures['threads']} threads, Python {figures['python']}"
    rows = [
        (
            cell["circuit"], cell["qubits"], f"{cell['shots']:,}",
            *(_time(cell, name) for name in names), number(cell["ratio"]),
        )
        for cell in figures["cells"]
    ]  # fmt: skip
    parts = (
        f"# Noisy simulation: {figures['date'][:10]}, {machine}\n",
        f"{versions}\n",
        f"Least ratio: **{number(figures['worst_ratio_vs_best_peer'])}**\n",
        "## Milliseconds, and how many times ionbox's the best other engine takes\n",
        markdown(("circuit", "qubits", "shots", *names, "ratio"), rows),
    )
    return "\n".join(parts)


def _time(cell: Figures, name: str) -> str:
    if name in cell["ms"]:
        return number(cell["ms"][name])
    failure = str(cell["failures"].get(name, "-"))
    return failure if failure.startswith(">") else "-"


if __name__ == "__main__":
    COMPARISON.main(run, table)
