"""What was measured, as one object of JSON; the tables are made of it alone."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from statistics import geometric_mean

from benchmarks.cells import Cell
from benchmarks.circuits import CIRCUITS
from benchmarks.comparison import Figures
from benchmarks.limits import AMPLITUDE_BYTES, LEAST_QUBITS, Limits
from benchmarks.peers import ours
from benchmarks.peers.process import ENGINES, OURS, PEERS, Engine
from benchmarks.service import cpu_name
from ionbox.circuits.circuit import Circuit

GOAL_QUBITS = (20, 24, 26)  # the geometric mean is over these


@dataclass(frozen=True)
class Small:
    """What a small circuit takes on one thread, in microseconds: to build it, and to run it."""

    circuit: str
    engine: Engine
    variant: str
    build_us: float
    run_us: float

    @property
    def total_us(self) -> float:
        return self.build_us + self.run_us


def figures_of(
    cells: Sequence[Cell],
    small: Iterable[Small],
    limits: Mapping[int, Limits],
    versions: Mapping[str, str],
    threads: int,
) -> Figures:
    """Return all figures; `geomean_vs_best_peer` is None where no peer was measured."""
    rows = [_cell_figures(cell, limits, threads) for cell in cells]
    ratios = [row["ratio"] for row in rows if row["ratio"] and row["qubits"] in GOAL_QUBITS]
    return {
        "geomean_vs_best_peer": geometric_mean(ratios) if ratios else None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "python": platform.python_version(),
        "threads": threads,
        "versions": dict(versions),
        "limits": {str(number): _named(found) for number, found in limits.items()},
        "cells": rows,
        "small": _small_figures(small),
    }


def _named(limits: Limits) -> Figures:
    """Return limits as JSON has them, where every key is a string."""
    return asdict(limits) | {"passes": {str(q): speed for q, speed in limits.passes.items()}}


def _cell_figures(cell: Cell, limits: Mapping[int, Limits], threads: int) -> Figures:
    best = {
        engine.name: runs for engine in ENGINES if (runs := cell.best(engine, threads)) is not None
    }
    times = {name: runs.median for name, runs in best.items() if isfinite(runs.median)}
    peer = min((each.name for each in PEERS if each.name in times), key=times.get, default=None)  # type: ignore[arg-type]
    own = best[OURS.name]
    alone = cell.best(OURS, 1)
    return {
        "circuit": cell.circuit,
        "qubits": cell.num_qubits,
        "ms": times,
        "variants": {name: runs.variant for name, runs in best.items() if runs.variant},
        "rounds": {name: len(runs.milliseconds) for name, runs in best.items()},
        "failures": {name: runs.failure for name, runs in best.items() if runs.failure},
        "best_peer": peer,
        "ratio": times[peer] / own.median if peer else None,
        "one_thread_ms": alone.median if alone and alone is not own else None,
        "peak_bytes": own.peak_bytes,
        "peak_vectors": own.peak_bytes and own.peak_bytes / (AMPLITUDE_BYTES << cell.num_qubits),
        **_limit_figures(cell, limits[threads], own.median),
    }


def _limit_figures(cell: Cell, limits: Limits, milliseconds: float) -> Figures:
    """Return what the passes over memory and the arithmetic take at least."""
    if cell.num_qubits < LEAST_QUBITS:
        return {}
    operations = CIRCUITS[cell.circuit](cell.num_qubits)
    passes, flops = ours.effort(Circuit.from_operations(cell.num_qubits, "qis", operations))
    memory_ms = passes * limits.pass_milliseconds(cell.num_qubits)
    arithmetic_ms = 1e3 * flops / limits.flops
    return {
        "passes": passes,
        "flops": flops,
        "memory_limit_ms": memory_ms,
        "arithmetic_limit_ms": arithmetic_ms,
        "times_memory_limit": milliseconds / memory_ms,
        "times_arithmetic_limit": milliseconds / arithmetic_ms,
    }


def _small_figures(small: Iterable[Small]) -> list[Figures]:
    """Return the best variant of each engine."""
    best: dict[tuple[str, str], Small] = {}
    for each in small:
        key = each.circuit, each.engine.name
        if key not in best or each.total_us < best[key].total_us:
            best[key] = each
    return [asdict(each) | {"engine": each.engine.name} for each in best.values()]
