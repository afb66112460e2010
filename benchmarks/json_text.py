"""Results as JSON: by the kernel, without it, and by libraries; and read over HTTP. Milliseconds.

    python -m benchmarks.json_text [--qubits 16 20 22 24]

Keeps its tables in `benchmarks/results/`. A figure is the least of some runs: whatever else the
machine does only adds to it, and hardly anything to the time of the processor, in brackets.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
import requests

from benchmarks.service import RESULTS, cpu_name
from ionbox import LocalServer
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.engine import AUTO_FLOAT64_QUBITS
from ionbox.formats import rendering
from ionbox.formats.rendering import formats_of, probabilities_v1, probabilities_v2
from ionbox.formats.results import Exact, Sampled, Shots, read_out
from ionbox.machine import num_cores

SLOW_QUBITS = 20  # what needs seconds, and many bytes an outcome, is not run beyond
SHOTS = 1_000_000
HTTP_QUBITS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qubits", type=int, nargs="+", default=[16, 20, 22, 24])
    options = parser.parse_args()
    text = f"# Results as JSON: {datetime.now(UTC).date()}, {cpu_name()}, {num_cores()} cores\n\n"
    text += (
        "`python -m benchmarks.json_text`: milliseconds, in brackets those of the processor; the\n"
        f"least of some runs, on a machine with a load of {psutil.getloadavg()[0]:.1f}. Values\n"
        f"are float64 with 15 digits to {AUTO_FLOAT64_QUBITS} qubits, float32 with 7 above.\n"
    )
    text += "\n## Probabilities\n\n" + "\n".join(probability_rows(options.qubits))
    text += f"\n\n## A million shots of {HTTP_QUBITS} qubits\n\n" + "\n".join(shot_rows())
    text += f"\n\n## Over HTTP\n\n{over_http()}\n"
    print(text)
    (RESULTS / "json.md").write_text(text)


def probability_rows(qubits: list[int]) -> list[str]:
    columns = "1 thread", "2 threads", "without the kernel", "json.dumps", "orjson", "MB", "peak MB"
    rows = [f"| qubits | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for num_qubits in qubits:
        result = dense(num_qubits)
        for version, render in ((1, probabilities_v1), (2, probabilities_v2)):
            figures = probability_figures(result, num_qubits, render)
            rows.append(f"| {num_qubits}, v{version} | {' | '.join(figures)} |")
    return rows


def probability_figures(
    result: Exact, num_qubits: int, render: Callable[..., Iterator[bytes]]
) -> list[str]:
    is_slow = num_qubits > SLOW_QUBITS
    return [
        ms(lambda: drain(render(result))),
        ms(lambda: drain(render(result, threads=2))),
        "-" if is_slow else ms(lambda: without_kernel(partial(render, result)), 2),
        "-" if is_slow else ms(lambda: json.dumps(as_mapping(result)), 2),
        "-" if is_slow else orjson_ms(result),
        f"{drain(render(result)) / 1e6:.0f}",
        f"{peak_megabytes(lambda: drain(render(result))):.1f}",
    ]


def shot_rows() -> list[str]:
    rows = np.random.default_rng(7).integers(0, 256, (SHOTS, 3), np.uint8)
    rows[:, 2] &= 15
    result = Sampled({OUTPUT_ALL: Shots(HTTP_QUBITS, rows)})
    table = ["| format | kernel | without it | MB |", "|---|---|---|---|"]
    for row in formats_of(result):
        render = partial(row.render, result)
        figures = ms(lambda: drain(render())), ms(lambda: without_kernel(render), 2)  # noqa: B023
        table.append(f"| {row.id} | {' | '.join(figures)} | {drain(render()) / 1e6:.0f} |")
    return table


def over_http() -> str:
    """Say how long it takes to read a result from a server, until its last byte is there."""
    turns = [{"gate": "ry", "target": k, "rotation": 0.3 + 0.1 * k} for k in range(HTTP_QUBITS)]
    job: dict[str, Any] = {
        "input": {"qubits": HTTP_QUBITS, "circuit": turns},
        "target": "simulator",
    }
    with LocalServer() as server, requests.Session() as session:
        session.headers["Authorization"] = f"apiKey {server.key}"
        url = f"{server.url}/v0.3/jobs"
        answer = session.post(url, json=job, timeout=10)
        path = f"{url}/{answer.json()['id']}"
        while session.get(path, timeout=10).json()["status"] != "completed":
            time.sleep(0.05)
        size = len(session.get(f"{path}/results", timeout=60).content)
        taken = ms(lambda: session.get(f"{path}/results", timeout=60).content)
    return (
        f"2^{HTTP_QUBITS} probabilities (v0.3, {size / 1e6:.0f} MB): {taken} ms until the client, "
        "whose processor time this is, has the last byte."
    )


def dense(num_qubits: int) -> Exact:
    dtype = np.float64 if num_qubits <= AUTO_FLOAT64_QUBITS else np.float32
    weights = np.random.default_rng(7).standard_exponential(1 << num_qubits, dtype)
    return Exact({OUTPUT_ALL: read_out(weights, num_qubits)})


def as_mapping(result: Exact) -> dict[str, float]:
    values = result.registers[OUTPUT_ALL].values.tolist()
    return {str(key): value for key, value in enumerate(values) if value}


def orjson_ms(result: Exact) -> str:
    try:
        orjson: ModuleType = importlib.import_module("orjson")
    except ImportError:
        return "-"
    return ms(lambda: orjson.dumps(as_mapping(result)), 2)


def without_kernel(render: Callable[[], Iterator[bytes]]) -> None:
    with patch.object(rendering, "kernel", None):
        drain(render())


def drain(chunks: Iterator[bytes]) -> int:
    return sum(map(len, chunks))


def peak_megabytes(run: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def ms(run: Callable[[], object], times: int = 9) -> str:
    """Return the time that passes, and in brackets that of the processor, of all threads."""
    taken = []
    for _ in range(times):
        start, used = time.perf_counter(), time.process_time()
        run()
        taken.append((time.perf_counter() - start, time.process_time() - used))
    passed, worked = (min(column) for column in zip(*taken, strict=True))
    return f"{1e3 * passed:.0f} ({1e3 * worked:.0f})"


if __name__ == "__main__":
    main()
