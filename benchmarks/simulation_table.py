"""The tables of the simulation benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import geometric_mean

from benchmarks.comparison import Figures
from benchmarks.limits import AMPLITUDE_BYTES
from benchmarks.peers.process import ENGINES, OURS
from benchmarks.simulation_figures import GOAL_QUBITS


def table(figures: Figures) -> str:
    """Return everything as Markdown."""
    cells = figures["cells"]
    parts = [
        _heading(figures),
        _goals(figures),
        *(_of_width(qubits, list(rows)) for qubits, rows in groupby(cells, _qubits)),
        _small(figures["small"]),
        _limits(figures),
        _distances(cells),
        _scaling(cells, figures),
    ]
    return "\n".join(part for part in parts if part)


def _qubits(cell: Figures) -> int:
    return int(cell["qubits"])


def _heading(figures: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    machine = f"{figures['cpu']}, {figures['threads']} threads, Python {figures['python']}"
    return f"# Simulation: {figures['date'][:10]}, {machine}\n\n{versions}\n"


def _goals(figures: Figures) -> str:
    ratios = [cell["ratio"] for cell in figures["cells"] if cell["ratio"] and _qubits(cell) >= 12]
    if not ratios:
        return ""
    lines = [f"Least ratio of all cells from 12 qubits: {min(ratios):.2f}"]
    if mean := figures["geomean_vs_best_peer"]:
        widths = {_qubits(cell) for cell in figures["cells"]} & set(GOAL_QUBITS)
        names = ", ".join(map(str, sorted(widths)))
        lines.insert(0, f"Geometric mean of the ratios at {names} qubits: **{mean:.2f}**\n")
    return "\n".join(lines) + "\n"


def _of_width(qubits: int, cells: Sequence[Figures]) -> str:
    names = [engine.name for engine in ENGINES]
    rows = [
        (cell["circuit"], *(_time(cell, name) for name in names), number(cell["ratio"]))
        for cell in cells
    ]
    ratios = [cell["ratio"] for cell in cells if cell["ratio"]]
    if ratios:
        rows.append(("geometric mean", *[""] * len(names), number(geometric_mean(ratios))))
    heading = f"## {qubits} qubits: milliseconds, and how many times the best other engine takes\n"
    return heading + "\n" + markdown(("circuit", *names, "ratio"), rows)


def _time(cell: Figures, name: str) -> str:
    if name not in cell["ms"]:
        return str(cell["failures"].get(name, "-"))
    return number(cell["ms"][name])


def _small(rows: Sequence[Figures]) -> str:
    """Build + run, as each engine is fed best."""
    circuits = list(dict.fromkeys(row["circuit"] for row in rows))
    cells = {
        (row["circuit"], row["engine"]): f"{row['build_us']:.0f} + {row['run_us']:.0f}"
        for row in rows
    }
    names = [engine.name for engine in ENGINES]
    body = [(circuit, *(cells.get((circuit, name), "-") for name in names)) for circuit in circuits]
    heading = "## Small circuits on one thread: microseconds to build + to run\n\n"
    return heading + markdown(("circuit", *names), body)


def _limits(figures: Figures) -> str:
    rows = []
    for threads, found in figures["limits"].items():
        passes = ", ".join(f"{speed / 1e9:.0f} ({q})" for q, speed in found["passes"].items())
        touch, flops = f"{found['touch'] / 1e9:.1f}", f"{found['flops'] / 1e9:.0f}"
        rows.append((threads, flops, passes, touch))
    columns = (
        "threads",
        "float32 GFLOP/s",
        "GB/s of an in-place pass over a state (of so many qubits)",
        "GB/s of new memory",
    )
    return "## Limits of the machine\n\n" + markdown(columns, rows)


def _distances(cells: Sequence[Figures]) -> str:
    rows = [
        (
            cell["circuit"], cell["qubits"], number(cell["ms"][OURS.name]),
            number(cell["passes"]), number(cell["memory_limit_ms"]),
            number(cell["times_memory_limit"]), f"{cell['flops'] / 1e9:.2f}",
            number(cell["arithmetic_limit_ms"]), number(cell["times_arithmetic_limit"]),
        )
        for cell in cells
        if "passes" in cell
    ]  # fmt: skip
    if not rows:
        return ""
    columns = (
        "circuit", "qubits", "ms", "passes over memory", "their ms at least", "distance",
        "GFLOP", "their ms at least", "distance",
    )  # fmt: skip
    return "## Distance to the limits\n\n" + markdown(columns, rows)


def _scaling(cells: Sequence[Figures], figures: Figures) -> str:
    rows = [
        (
            cell["circuit"], cell["qubits"], number(cell["one_thread_ms"]),
            number(cell["ms"][OURS.name]),
            number(cell["one_thread_ms"] / cell["ms"][OURS.name]),
            *_scaling_of_limits(cell["qubits"], figures),
            "-" if cell["peak_vectors"] is None else number(cell["peak_vectors"]),
        )
        for cell in cells
        if cell["one_thread_ms"]
    ]  # fmt: skip
    if not rows:
        return ""
    threads = figures["threads"]
    columns = (
        "circuit", "qubits", "ms on 1 thread", f"on {threads}", "times faster",
        "bandwidth scales", "arithmetic scales", f"peak memory / {AMPLITUDE_BYTES} x 2^n bytes",
    )  # fmt: skip
    return "## Threads and memory of ionbox\n\n" + markdown(columns, rows)


def _scaling_of_limits(qubits: int, figures: Figures) -> Iterator[str]:
    limits: Mapping[str, Figures] = figures["limits"]
    one, many = limits["1"], limits[str(figures["threads"])]
    yield number(many["passes"][str(qubits)] / one["passes"][str(qubits)])
    yield number(many["flops"] / one["flops"])


def number(value: float | None) -> str:
    """Three significant digits, at most two behind the point."""
    if value is None:
        return "-"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}" if value >= 0.1 else f"{value:.2g}"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
