"""What it costs to be asked where a job stands, as clients do hundreds of times a second.

    python -m benchmarks.polling [--seconds 10] [--runs 3]

A C load generator (`wrk`) asks as fast as it can; what is told is the processor time of the server
for one request, and what 4,000 of them a second would cost. Kept in `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
from datetime import UTC, datetime

import psutil
import requests

from benchmarks.load import latencies, target
from benchmarks.service import RESULTS, cpu_name, loop_ms
from ionbox import LocalServer
from ionbox.machine import num_cores

REQUESTS_A_SECOND = 4000
GOAL_CORES = 0.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="how long a run is")
    parser.add_argument("--runs", type=int, default=3, help="how many runs of each path")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: 'apt-get install wrk', or another package of that name")
    rows = measure(options.seconds, options.runs)
    lines = ["| request | requests/s at most | µs of processor each | cores at 4,000/s |"]
    lines += ["|---|---|---|---|", *rows]
    machine = f"{cpu_name()}, {num_cores()} cores; 10^6 Python additions: {loop_ms():.0f} ms"
    date = datetime.now(UTC).date()
    text = f"# Polling: {date}, {machine}\n\n" + "\n".join(lines) + "\n"
    text += f"\nMedians of {options.runs} runs; the goal is {GOAL_CORES} of a core.\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "polling.md").write_text(text)


def measure(seconds: float, runs: int) -> list[str]:
    """Return a row for a job's status by each version of the API."""
    with LocalServer() as server:
        at = target(server)
        latencies(at, 5)
        job_id = _a_job(server)
        rows = []
        for path in (f"/v0.4/jobs/{job_id}", f"/v0.3/jobs/{job_id}"):
            taken = [_run(server, path, seconds) for _ in range(runs)]
            rate = statistics.median(rate for rate, _ in taken)
            cpu = statistics.median(cpu for _, cpu in taken)
            name = path.replace(job_id, "{id}")
            rows.append(
                f"| `GET {name}` | {rate:.0f} | {1e6 * cpu:.0f} | {REQUESTS_A_SECOND * cpu:.2f} |"
            )
    return rows


def _a_job(server: LocalServer) -> str:
    headers = {"Authorization": f"apiKey {server.key}"}
    listed = requests.get(f"{server.url}/v0.4/jobs", headers=headers, timeout=10).json()
    return str(listed["jobs"][0]["id"])


def _run(server: LocalServer, path: str, seconds: float) -> tuple[float, float]:
    """Return requests a second, and the server's processor time for one."""
    process = psutil.Process(server.pid)
    before = process.cpu_times()
    key = f"Authorization: apiKey {server.key}"
    wrk = ["wrk", "-t1", "-c4", f"-d{seconds:.0f}s", "-H", key, server.url + path]
    output = subprocess.run(wrk, check=True, capture_output=True, text=True).stdout
    after = process.cpu_times()
    if "Non-2xx" in output:
        sys.exit(output)
    match = re.search(r"(\d+) requests in", output)
    assert match is not None
    number = int(match[1])
    used = after.user + after.system - before.user - before.system
    return number / seconds, used / number


if __name__ == "__main__":
    main()
