"""The process of one engine: it reads requests as lines of JSON, and answers each with a line.

    python -m benchmarks.peers.worker <engine> <threads>

A process of its own keeps the runtimes of OpenMP apart, and an engine that dies when memory runs
out takes nobody with it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from benchmarks.peers.rows import Build, Row, Run

Answer = dict[str, Any]

SMALL_SECONDS = 0.2  # how long a small circuit is repeated


class Worker:
    """An engine, and the circuit that it holds.

    Args:
        builds: What builds a circuit, for each variant of the engine.
        threads: How many a run uses.
    """

    def __init__(self, builds: Mapping[str, Build], threads: int) -> None:
        self._builds = builds
        self._threads = threads
        self._runs: dict[str, Run] = {}
        self._circuit: tuple[int, Sequence[Row]] = (0, ())

    def prepare(self, num_qubits: int, rows: list[list[Any]]) -> Answer:
        """Build a circuit; only the last one is kept."""
        self._circuit = num_qubits, [Row(*row) for row in rows]
        self._runs = {
            name: build(*self._circuit, self._threads) for name, build in self._builds.items()
        }
        return {"variants": list(self._runs)}

    def run(self, variant: str) -> Answer:
        """Simulate once; say how long it took and how much memory came on top."""
        before = _reset_peak_bytes()
        start = time.perf_counter()
        found = self._runs[variant]()
        seconds = time.perf_counter() - start
        del found
        peak = _status_bytes("VmHWM")
        return {"milliseconds": 1e3 * seconds, "peak_bytes": peak and before and peak - before}

    def found(self, variant: str) -> Answer:
        """Simulate once; say what came out."""
        return {"found": self._runs[variant]().tolist()}

    def small(self, variant: str) -> Answer:
        """Build and run a small circuit again and again."""
        build, run = self._builds[variant], self._runs[variant]
        return {
            "build_us": _median_us(lambda: build(*self._circuit, self._threads)),
            "run_us": _median_us(run),
        }


def _median_us(work: Callable[[], object]) -> float:
    taken = []
    end = time.perf_counter() + SMALL_SECONDS
    while (start := time.perf_counter()) < end:
        work()
        taken.append(time.perf_counter() - start)
    return 1e6 * statistics.median(taken)


def _reset_peak_bytes() -> int | None:
    """Start to watch the peak of memory anew; return what is in use. Linux tells, others do not."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status_bytes("VmRSS")


def _status_bytes(field: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), None)


def _answer(worker: Worker, line: str) -> Answer:
    request = json.loads(line)
    try:
        answer: Answer = getattr(worker, request.pop("do"))(**request)
    except Exception as error:  # noqa: BLE001 - whatever an engine raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}
    return answer


def _serve(worker: Worker, answers: TextIO) -> None:
    for line in sys.stdin:
        print(json.dumps(_answer(worker, line)), file=answers, flush=True)


def main() -> None:
    """Say which version answers, then answer."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints is no answer
    engine = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    version = importlib.metadata.version(engine.DISTRIBUTION)
    print(json.dumps({"version": version}), file=answers, flush=True)
    _serve(Worker(engine.VARIANTS, int(sys.argv[2])), answers)


if __name__ == "__main__":
    main()
