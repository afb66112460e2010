"""The bandwidth and the arithmetic of this machine, by `kernel/benchmark/limits.cpp`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "kernel" / "benchmark" / "limits.cpp"
AMPLITUDE_BYTES = 8
LEAST_QUBITS = 14  # a shorter vector is passed in no time


@dataclass(frozen=True)
class Limits:
    """What a number of threads reaches.

    Args:
        flops: Floating-point operations in float32 a second; a fused one is two.
        passes: Bytes read and written a second, by the number of qubits of a vector.
        touch: Bytes of new memory a second, filled with zeros by the system.
    """

    flops: float
    passes: dict[int, float]
    touch: float

    def pass_milliseconds(self, num_qubits: int) -> float:
        """Return what reading and writing all amplitudes once takes at least."""
        return 1e3 * 2 * (AMPLITUDE_BYTES << num_qubits) / self.passes[num_qubits]


def measure_limits(threads: int, widths: Sequence[int]) -> dict[int, Limits]:
    """Return the limits of one thread, and of `threads`."""
    wanted = [str(width) for width in sorted({max(width, LEAST_QUBITS) for width in widths})]
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "limits")
        compiler = os.environ.get("CXX") or shutil.which("c++") or "g++"
        flags = ("-std=c++20", "-O3", "-march=native", "-pthread")
        subprocess.run([compiler, *flags, "-o", program, SOURCE], check=True)
        done = subprocess.run([program, str(threads), *wanted], check=True, stdout=subprocess.PIPE)
    return {
        int(number): Limits(
            found["flops"],
            {int(width): speed for width, speed in found["passes"].items()},
            found["touch"],
        )
        for number, found in json.loads(done.stdout).items()
    }
