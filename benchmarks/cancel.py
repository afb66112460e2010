"""How soon a running simulation is gone once it is canceled, and its memory with it.

    python -m benchmarks.cancel [--qubits 28] [--runs 5]

Measured over HTTP, with states in huge pages and, so that it is known what these are good for,
without them. Kept in `benchmarks/results/`. The memory is back when the worker is gone: the server
learns of that last of all, and then starts another one.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import re
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil
import requests

from benchmarks.service import RESULTS, cpu_name, loop_ms
from ionbox import LocalServer
from ionbox.machine import num_cores

GOALS_MS = {"huge": 100, "small": 300}
LAYERS = 400
BELL = {
    "qubits": 2,
    "gateset": "qis",
    "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}],
}
PATIENCE_SECONDS = 120.0
_AMPLITUDE_BYTES = 8  # in float32
_PR_SET_THP_DISABLE = 41


class Cancel(NamedTuple):
    """What one cancel took, in milliseconds since its request was sent.

    Args:
        answered: Until the request was answered.
        freed: Until the worker's memory was given back.
        next_done: Until another job, a Bell pair, was done.
        huge_share: How much of the worker's memory lay in huge pages.
    """

    answered: float
    freed: float
    next_done: float
    huge_share: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qubits", type=int, default=28, help="how wide the simulation is")
    parser.add_argument("--runs", type=int, default=5, help="how many of each kind")
    options = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("what a process holds is read as Linux tells it")
    lines = ["| pages | in huge ones | answered | memory back | goal | next job done |"]
    lines += ["|---|---|---|---|---|---|", *rows(options.qubits, options.runs)]
    machine = f"{cpu_name()}, {num_cores()} cores; 10^6 Python additions: {loop_ms():.0f} ms"
    date = datetime.now(UTC).date()
    text = f"# Cancel: {date}, {machine}\n\n" + "\n".join(lines) + "\n"
    text += f"\n{options.qubits} qubits; medians, and the worst, of {options.runs} runs, in ms "
    text += "from the request to cancel.\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cancel.md").write_text(text)


def rows(num_qubits: int, runs: int) -> list[str]:
    """Return a row for huge pages, and one for small ones."""
    found = []
    for pages, goal in GOALS_MS.items():
        # A process hands this on to those that it starts.
        ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, int(pages == "small"), 0, 0, 0)
        with LocalServer() as server:
            taken = [cancel(server, num_qubits) for _ in range(runs)]
        share = statistics.median(each.huge_share for each in taken)
        cells = [_cell([getattr(each, name) for each in taken]) for name in Cancel._fields[:3]]
        found.append(f"| {pages} | {share:.0%} | {cells[0]} | {cells[1]} | {goal} | {cells[2]} |")
    return found


def _cell(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} ({max(times):.0f})"


def cancel(server: LocalServer, num_qubits: int) -> Cancel:
    """Run a long simulation until all its memory is taken, and cancel it."""
    headers = {"Authorization": f"apiKey {server.key}"}
    job_id = _submit(server, headers, long_circuit(num_qubits))
    worker = _holder(server, _AMPLITUDE_BYTES << num_qubits)
    huge_share = _huge_share(worker)
    url = f"{server.url}/v0.4/jobs/{job_id}/status/cancel"
    with ThreadPoolExecutor() as watchers:
        end = watchers.submit(_end_of_memory, worker)
        start = time.perf_counter()
        requests.put(url, headers=headers, timeout=PATIENCE_SECONDS).raise_for_status()
        answered, freed = time.perf_counter() - start, end.result() - start
    bell = _submit(server, headers, BELL)
    while _status(server, headers, bell) != "completed":
        time.sleep(0.001)
    next_done = time.perf_counter() - start
    return Cancel(1e3 * answered, 1e3 * freed, 1e3 * next_done, huge_share)


def long_circuit(num_qubits: int) -> dict[str, object]:
    """Return a circuit that takes minutes, and all amplitudes from the start."""
    qubits = list(range(num_qubits))
    gates: list[dict[str, object]] = [{"gate": "h", "targets": qubits}]
    for layer in range(LAYERS):
        gates.append({"gate": "rx", "targets": qubits, "rotation": 0.1 + layer / LAYERS})
        gates += [{"gate": "cnot", "control": qubit, "target": qubit + 1} for qubit in qubits[:-1]]
    return {"qubits": num_qubits, "gateset": "qis", "circuit": gates}


def _submit(server: LocalServer, headers: dict[str, str], circuit: object) -> str:
    job = {"type": "ionq.circuit.v1", "backend": "simulator", "shots": 100, "input": circuit}
    answer = requests.post(
        f"{server.url}/v0.4/jobs", json.dumps(job), headers=headers, timeout=PATIENCE_SECONDS
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def _status(server: LocalServer, headers: dict[str, str], job_id: str) -> str:
    url = f"{server.url}/v0.4/jobs/{job_id}"
    return str(requests.get(url, headers=headers, timeout=PATIENCE_SECONDS).json()["status"])


def _holder(server: LocalServer, num_bytes: int) -> int:
    """Return the worker that holds so much, once it does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for worker in psutil.Process(server.pid).children():
            if _resident_bytes(worker.pid) >= num_bytes:
                return int(worker.pid)
        time.sleep(0.01)
    sys.exit(f"no worker took {num_bytes} bytes within {PATIENCE_SECONDS} s")


def _end_of_memory(pid: int) -> float:
    """Return when a process is gone.

    Not when it tells no memory any more: the system lets it forget that before it gives it back.
    """
    while psutil.pid_exists(pid):
        time.sleep(0.001)
    return time.perf_counter()


def _resident_bytes(pid: int) -> int:
    return _kibibytes(pid, "status", "VmRSS") * 1024


def _huge_share(pid: int) -> float:
    huge, resident = (_kibibytes(pid, "smaps_rollup", name) for name in ("AnonHugePages", "Rss"))
    return huge / resident


def _kibibytes(pid: int, file: str, row: str) -> int:
    """Return a row of what the system tells of a process; 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{row}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
