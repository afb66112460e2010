"""The kernel beside NumPy: from a circuit to its outcome, on one thread, medians in milliseconds.

python -m benchmarks.kernel [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.circuits import CIRCUITS
from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import program_of
from ionbox.engines.calibration import Machine
from ionbox.engines.engine import Engine, Estimate, Precision, Workload
from ionbox.engines.kernel import KernelEngine
from ionbox.engines.statevector import StateVectorEngine

PRECISIONS: tuple[Precision, ...] = ("float32", "float64")
NUMPY_SECONDS = 20.0  # what NumPy is expected to need longer for is left out


def milliseconds(engine: Engine, workload: Workload, rounds: int, threads: int = 1) -> list[float]:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        engine.run(workload, threads=threads)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def expected_seconds(engine: Engine, workload: Workload, threads: int = 1) -> float:
    answer = engine.assess(workload, Machine(threads))
    assert isinstance(answer, Estimate)
    return answer.seconds


def print_row(ours: Engine, name: str, workload: Workload, threads: int) -> None:
    found = statistics.median(milliseconds(ours, workload, 5, threads))
    numpy = "-"
    ratio = "-"
    if expected_seconds(StateVectorEngine(), workload) <= NUMPY_SECONDS:
        slow = statistics.median(milliseconds(StateVectorEngine(), workload, 3))
        numpy, ratio = f"{slow:.2f}", f"{slow / found:.1f}"
    expected = 1e3 * expected_seconds(ours, workload, threads)
    width = workload.program.num_qubits
    cells = (name, width, workload.precision, f"{found:.2f}", f"{expected:.2f}", numpy, ratio)
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2, 8 and 16 qubits only")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    assert kernel is not None, "the kernel was not built"
    ours = KernelEngine(kernel)
    print(f"variant {kernel.variants()[0]}, {options.threads} thread(s)\n")
    print("| circuit | qubits | precision | kernel ms | expected ms | NumPy ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for width in (2, 8, 16) if options.quick else (2, 8, 16, 20, 22):
        for precision in PRECISIONS:
            for name, operations in CIRCUITS.items():
                circuit = Circuit.from_operations(width, "qis", operations(width))
                workload = Workload(program_of(circuit), 100, 7, precision=precision)
                print_row(ours, name, workload, options.threads)


if __name__ == "__main__":
    main()
