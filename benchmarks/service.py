"""Latency and throughput of the service, with what bounds them beside it.

    python -m benchmarks.service [--seconds 60] [--jobs 500]

Prints one table and keeps it, with every figure, in `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load import latencies, saturate, target
from ionbox import LocalServer, __version__
from ionbox.cli.demo import BELL
from ionbox.machine import num_cores

RESULTS = Path(__file__).parent / "results"
CONNECTIONS = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to submit")
    parser.add_argument("--jobs", type=int, default=500, help="how many latencies to take")
    options = parser.parse_args()
    figures = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "ionbox": __version__,
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cores": num_cores(),
        "seconds": options.seconds,
        "loop_ms": loop_ms(),
        "fdatasync_ms": _fdatasync_ms(),
        **_service(options.jobs, options.seconds),
        **_aer(options.jobs),
    }
    text = table(figures)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "service.json").write_text(json.dumps(figures, indent=2) + "\n")
    (RESULTS / "service.md").write_text(text)


def table(figures: dict[str, Any]) -> str:
    """Return the table; goals are those for this number of cores."""
    f = figures
    rows = [
        ("one connection, idle: POST + polls + results, p50", f"{f['p50_ms']:.2f} ms", "≤ 4 ms"),
        ("the same, p99", f"{f['p99_ms']:.2f} ms", ""),
        ("fdatasync of 4 KiB, p50", f"{f['fdatasync_ms']:.2f} ms", ""),
        (
            f"{CONNECTIONS} connections, POST only, {f['seconds']:.0f} s, durable completions",
            f"{f['jobs_per_second']:.0f} /s",
            f"≥ {500 * f['cores']} /s",
        ),
        ("… of them accepted while submitting", f"{f['accepted_per_second']:.0f} /s", ""),
        ("… backlog left when submitting ended", f"{f['drain_seconds']:.2f} s", "0"),
        ("… processor time taken by other machines", f"{f['stolen_percent']:.0f} %", ""),
        ("the same circuit, Qiskit Aer in-process, p50", f"{f['aer_p50_ms']:.2f} ms", ""),
        ("this machine: 10^6 Python additions, best of 5", f"{f['loop_ms']:.0f} ms", ""),
    ]
    lines = ["| what | measured | goal |", "|---|---|---|"]
    lines += [f"| {what} | {measured} | {goal} |" for what, measured, goal in rows]
    machine = f"{f['cpu']}, {f['cores']} cores, Python {f['python']}"
    return f"# Service: {f['date'][:10]}, {machine}\n\n" + "\n".join(lines) + "\n"


def _service(num_jobs: int, seconds: float) -> dict[str, float]:
    body = json.dumps(BELL).encode()
    with LocalServer() as server:
        at = target(server)
        latencies(at, body, 50)
        taken = sorted(latencies(at, body, num_jobs))
        before = psutil.cpu_times()
        load = saturate(at, body, connections=CONNECTIONS, seconds=seconds)
        after = psutil.cpu_times()
    return {
        "stolen_percent": 100 * (_steal(after) - _steal(before)) / (sum(after) - sum(before)),
        "p50_ms": 1000 * statistics.median(taken),
        "p99_ms": 1000 * taken[int(0.99 * len(taken))],
        "jobs": load.num_jobs,
        "jobs_per_second": load.num_jobs / load.seconds,
        "accepted_per_second": load.num_jobs / load.submit_seconds,
        "drain_seconds": load.seconds - load.submit_seconds,
    }


def _steal(times: Any) -> float:  # noqa: ANN401 - its fields differ from system to system
    return float(getattr(times, "steal", 0.0))


def _aer(num_jobs: int) -> dict[str, float]:
    from qiskit import QuantumCircuit  # noqa: PLC0415 - slow, and measured apart
    from qiskit_aer import AerSimulator  # noqa: PLC0415

    simulator = AerSimulator(method="statevector")
    taken = []
    for _ in range(num_jobs):
        start = time.perf_counter()
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.save_probabilities_dict()
        result = simulator.run(circuit, shots=1).result()
        assert result.success
        taken.append(time.perf_counter() - start)
    return {"aer_p50_ms": 1000 * statistics.median(taken)}


def _fdatasync_ms(num_writes: int = 300) -> float:
    taken = []
    with tempfile.TemporaryFile() as file:
        for place in range(num_writes):
            os.pwrite(file.fileno(), bytes(4096), 4096 * place)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def loop_ms() -> float:
    """Return what a fixed piece of Python takes: shared machines differ from hour to hour."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)


def cpu_name() -> str:
    """Return what this machine's processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
