"""Other compilers: reads circuits as JSON from stdin, writes what they make of them to stdout.

Each is to return interactions exp(-i angle Z@Z) of any angle, and gates on one qubit; any pair may
interact, and qubits may end in other places.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

# Name, targets, controls, params and terms, as an Operation has them.
Gate: TypeAlias = tuple[str, list[int], list[int], list[float], list[str]]
Figures: TypeAlias = tuple[int, float]  # gates on two qubits, and milliseconds

MODULES = ("tket", "qiskit_transpiler")
ROUNDS = 3
SHORT_SECONDS = 1.0  # what takes longer runs once


def measure(build: Callable[[], Any], run: Callable[[Any], int]) -> Figures:
    """Compile a circuit a few times."""
    taken: list[float] = []
    num_2q = 0
    while len(taken) < ROUNDS and sum(taken) < SHORT_SECONDS:
        circuit = build()
        start = time.perf_counter()
        num_2q = run(circuit)
        taken.append(time.perf_counter() - start)
    return num_2q, 1e3 * statistics.median(taken)


def main() -> None:
    circuits: dict[str, tuple[int, list[Gate]]] = json.load(sys.stdin)
    imports: dict[str, float] = {}
    figures: dict[str, dict[str, Figures]] = {name: {} for name in circuits}
    for name in MODULES:
        start = time.perf_counter()
        module = importlib.import_module(f"benchmarks.peers.{name}")
        version = importlib.metadata.version(module.DISTRIBUTION)
        imports[f"{module.DISTRIBUTION} {version}"] = time.perf_counter() - start
        for circuit, (num_qubits, gates) in circuits.items():
            build = partial(module.build, num_qubits, gates)
            figures[circuit] |= {way: measure(build, run) for way, run in module.RUNS.items()}
            print(f"{name}: {circuit}", file=sys.stderr)
    json.dump({"imports": imports, "circuits": figures}, sys.stdout)


if __name__ == "__main__":
    main()
