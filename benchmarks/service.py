"""Latency and throughput of the service, with what bounds them beside it.

    python -m benchmarks.service [--quick] [--json] [--seconds 60] [--jobs 500] [--stored 1000000]
    python -m benchmarks.service --soak 30

The first prints one table and keeps it, with every figure, in `benchmarks/results/`; with `--quick`
it takes under 50 s and keeps nothing. `--soak` prints each minute how much memory the server has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests
from tests.builders import entanglers

from benchmarks.load import Arrivals, latencies, open_loop, saturate, target
from benchmarks.stored import measure_stored
from ionbox import LocalServer, __version__
from ionbox.machine import num_cores

RESULTS = Path(__file__).parent / "results"
CONNECTIONS = 32
GOAL_A_CORE = 750  # jobs a second
QUICK = {"seconds": 8.0, "jobs": 200, "open_seconds": 5.0, "stored": 30_000, "requests": 50}
WHOLE = {"seconds": 60.0, "jobs": 500, "open_seconds": 60.0, "stored": 1_000_000, "requests": 500}
# The longest that its job may take: 5,000 gates that no engine can merge.
WIDE_QUBITS, WIDE_GATES = 26, 5000


def main() -> None:
    options = _options()
    if options.soak:
        soak(options.soak, options.rate)
        return
    figures = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "ionbox": __version__,
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cores": num_cores(),
        "seconds": options.seconds,
        "rate": options.rate,
        "loop_ms": loop_ms(),
        "fdatasync_ms": _fdatasync_ms(),
        **_service(options.jobs, options.seconds),
        **_open_loops(Arrivals(options.rate, options.open_seconds)),
        **measure_stored(options.stored, options.requests),
        **_aer(options.jobs),
    }
    print(json.dumps(figures) if options.json else table(figures))
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "service.json").write_text(json.dumps(figures, indent=2) + "\n")
        (RESULTS / "service.md").write_text(table(figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in under 50 s; nothing is kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    parser.add_argument("--seconds", type=float, help="how long to submit as fast as possible")
    parser.add_argument("--jobs", type=int, help="how many latencies to take")
    parser.add_argument("--open-seconds", type=float, help="how long to submit at a rate")
    parser.add_argument("--stored", type=int, help="how many jobs to store for lists")
    parser.add_argument("--requests", type=int, help="how many lists of each kind to ask for")
    parser.add_argument(
        "--rate",
        type=float,
        default=GOAL_A_CORE * num_cores() / 2,
        help="jobs a second that come by themselves; half of the goal by default",
    )
    parser.add_argument("--soak", type=int, help="minutes of load; nothing else is measured")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else WHOLE).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def table(figures: dict[str, Any]) -> str:
    """Return the table; goals are those for this number of cores."""
    f = figures
    limit_ms = 2 + 2 * f["fdatasync_ms"]
    at_rate = f"open loop, {f['rate']:.0f} jobs/s, from arrival to results"
    rows = [
        (
            "one connection, idle: POST + waiting GET + results, p50",
            f"{f['p50_ms']:.2f} ms",
            f"≤ {limit_ms:.2f} ms (2 + 2 fdatasync)",
        ),
        ("the same, p99", f"{f['p99_ms']:.2f} ms", ""),
        ("fdatasync of 4 KiB, p50", f"{f['fdatasync_ms']:.2f} ms", ""),
        (
            f"{CONNECTIONS} connections, POST only, {f['seconds']:.0f} s, durable completions",
            f"{f['jobs_per_second']:.0f} /s",
            f"≥ {GOAL_A_CORE * f['cores']} /s",
        ),
        ("… of them accepted while submitting", f"{f['accepted_per_second']:.0f} /s", ""),
        ("… backlog left when submitting ended", f"{f['drain_seconds']:.2f} s", "0"),
        ("… processor time taken by other machines", f"{f['stolen_percent']:.0f} %", ""),
        (f"{at_rate}, p50", f"{f['open_p50_ms']:.2f} ms", "≤ 4 ms"),
        ("the same, p99", f"{f['open_p99_ms']:.2f} ms", "≤ 15 ms"),
        (
            f"the same beside a {WIDE_QUBITS}-qubit job, p50",
            f"{f['beside_p50_ms']:.2f} ms",
            "≤ 4 ms",
        ),
        ("… p99", f"{f['beside_p99_ms']:.2f} ms", "≤ 15 ms"),
        *(
            (f"{f['stored_jobs']:,} stored jobs, {kind}, p99", f"{ms:.2f} ms", "≤ 20 ms")
            for kind, ms in f["stored"].items()
        ),
        ("this machine: 10^6 Python additions, best of 5", f"{f['loop_ms']:.0f} ms", ""),
    ]
    if "aer_p50_ms" in f:
        rows.append(
            ("the same circuit, Qiskit Aer in-process, p50", f"{f['aer_p50_ms']:.2f} ms", "")
        )
    lines = ["| what | measured | goal |", "|---|---|---|"]
    lines += [f"| {what} | {measured} | {goal} |" for what, measured, goal in rows]
    machine = f"{f['cpu']}, {f['cores']} cores, Python {f['python']}"
    return f"# Service: {f['date'][:10]}, {machine}\n\n" + "\n".join(lines) + "\n"


def _service(num_jobs: int, seconds: float) -> dict[str, float]:
    with LocalServer() as server:
        at = target(server)
        latencies(at, 50)
        taken = latencies(at, num_jobs)
        before = psutil.cpu_times()
        load = saturate(at, connections=CONNECTIONS, seconds=seconds)
        after = psutil.cpu_times()
    return {
        "stolen_percent": 100 * (_steal(after) - _steal(before)) / (sum(after) - sum(before)),
        **_percentiles("", taken),
        "jobs": load.num_jobs,
        "jobs_per_second": load.num_jobs / load.seconds,
        "accepted_per_second": load.num_jobs / load.submit_seconds,
        "drain_seconds": load.seconds - load.submit_seconds,
    }


def _open_loops(arrivals: Arrivals) -> dict[str, float]:
    """Return the latencies of jobs that come by themselves, also beside a wide one."""
    with LocalServer() as server:
        at = target(server)
        latencies(at, 50)
        alone = open_loop(at, arrivals)
        with _wide_job(server):
            beside = open_loop(at, arrivals)
    return {**_percentiles("open_", alone), **_percentiles("beside_", beside)}


@contextmanager
def _wide_job(server: LocalServer) -> Iterator[None]:
    """Have a job of 26 qubits run meanwhile."""
    jobs, headers = f"{server.url}/v0.4/jobs", {"Authorization": f"apiKey {server.key}"}
    body = {"type": "ionq.circuit.v1", "input": entanglers(WIDE_QUBITS, WIDE_GATES)}
    answer = requests.post(jobs, data=json.dumps(body), headers=headers, timeout=60)
    job = f"{jobs}/{answer.json()['id']}"

    def status() -> str:
        return str(requests.get(job, headers=headers, timeout=60).json()["status"])

    while status() != "started":
        time.sleep(0.01)
    yield
    assert status() == "started", "the wide job has ended too soon"
    requests.put(f"{job}/status/cancel", headers=headers, timeout=60)


def soak(minutes: int, rate: float) -> None:
    """Print each minute what memory the server has under load that comes by itself."""
    with LocalServer() as server:
        at, process = target(server), psutil.Process(server.pid)
        latencies(at, 50)
        print("minute  server MB  workers MB  p50 ms  p99 ms  jobs")
        for minute in range(1, minutes + 1):
            taken = open_loop(at, Arrivals(rate, 60, seed=minute))
            found = _percentiles("", taken)
            print(
                f"{minute:6}  {_megabytes(process):9.1f}  "
                f"{sum(map(_megabytes, process.children())):10.1f}  "
                f"{found['p50_ms']:6.2f}  {found['p99_ms']:6.2f}  {len(taken):4}",
                flush=True,
            )


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _percentiles(prefix: str, seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        f"{prefix}p50_ms": 1000 * statistics.median(ordered),
        f"{prefix}p99_ms": 1000 * ordered[int(0.99 * len(ordered))],
    }


def _steal(times: Any) -> float:  # noqa: ANN401 - its fields differ from system to system
    return float(getattr(times, "steal", 0.0))


def _aer(num_jobs: int) -> dict[str, float]:
    """Return nothing where it is not installed: `make bench` does that."""
    try:
        from qiskit import QuantumCircuit  # noqa: PLC0415 - slow, and measured apart
        from qiskit_aer import AerSimulator  # noqa: PLC0415
    except ImportError:
        return {}

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
