"""CUDA-Q, which sends QIR bitcode, against its own simulator `qpp-cpu`."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from typing import Any

import cudaq
from tests.clients.checks import DEVICES, KEY, LEAST_RIGHT, PAIRS, URL, raises

SHOTS = 1_000_000  # counts are floor(probability * shots): this is exact to 1e-6
FIXED = ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "cx", "cy", "cz", "ch", "cs", "ct", "swap")
ROTATIONS = ("rx", "ry", "rz", "r1", "crx", "cry", "crz", "cr1")


def served(kernel: Any, *arguments: Any, shots: int = SHOTS, **options: Any) -> dict[str, int]:
    """Return the counts from the server; qubit 0 is the left bit."""
    cudaq.set_target("ionq", url=URL, **options)
    try:
        return dict(cudaq.sample(kernel, *arguments, shots_count=shots).items())
    finally:
        cudaq.reset_target()


def simulated(kernel: Any, *arguments: Any) -> dict[str, float]:
    cudaq.set_target("qpp-cpu")
    state = cudaq.get_state(kernel, *arguments)
    width = (len(state) - 1).bit_length()
    return {format(i, f"0{width}b"): abs(a) ** 2 for i, a in enumerate(state)}


def same_counts(kernel: Any, *arguments: Any) -> None:
    counts, expected = served(kernel, *arguments), simulated(kernel, *arguments)
    for bits, probability in expected.items():
        difference = abs(counts.get(bits, 0) - probability * SHOTS)
        assert difference <= 1 + 1e-6, f"{difference:.3g} at {bits}: {counts} != {expected}"


def dense(num_qubits: int) -> Any:
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(num_qubits)
    for control, target in PAIRS:
        kernel.cx(qubits[control], qubits[target])
        kernel.rx(0.5, qubits[target])
    return kernel


def bell(num_qubits: int = 2) -> Any:
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(num_qubits)
    kernel.h(qubits[0])
    for pair in pairwise(range(num_qubits)):
        kernel.cx(*(qubits[i] for i in pair))
    return kernel


def either() -> Any:
    """Return a kernel that turns three qubits to 100 or 010."""
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(3)
    kernel.h(qubits[0])
    kernel.cx(qubits[0], qubits[1])
    kernel.x(qubits[1])
    return kernel


def share(counts: dict[str, int], shots: int) -> float:
    """Return how much is right; what a count is more than an integer, the client leaves out."""
    assert shots - len(counts) <= sum(counts.values()) <= shots, counts
    return (counts.get("100", 0) + counts.get("010", 0)) / shots


def check_bell_and_ghz() -> None:
    assert served(bell(), shots=100) == {"00": 50, "11": 50}
    assert served(bell(5), shots=100) == {"00000": 50, "11111": 50}


def check_bits_are_in_the_clients_order() -> None:
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(3)
    kernel.x(qubits[0])
    kernel.cx(qubits[0], qubits[1])

    assert served(kernel, shots=100) == {"110": 100}


def check_random_circuits_of_every_gate() -> None:
    for seed in range(3):
        same_counts(random_circuit(random.Random(seed)))


def random_circuit(rng: random.Random) -> Any:
    """Every gate of a kernel, in random order, on an uneven state."""
    kernel = cudaq.make_kernel()
    register = kernel.qalloc(4)
    qubits = [register[i] for i in range(4)]
    for qubit in qubits:
        kernel.ry(rng.uniform(0.3, 1.3), qubit)
    for name in rng.sample(FIXED + ROTATIONS, len(FIXED + ROTATIONS)):
        params = [rng.uniform(-3, 3)] if name in ROTATIONS else []
        num_qubits = 2 if name == "swap" or name[0] == "c" else 1
        getattr(kernel, name)(*params, *rng.sample(qubits, num_qubits))
    kernel.u3(*(rng.uniform(-3, 3) for _ in range(3)), rng.choice(qubits))
    kernel.exp_pauli(rng.uniform(-3, 3), register, "XYZI")
    one, two, three, four = rng.sample(qubits, 4)
    kernel.cx([one, two], three)
    kernel.cz([two, three], four)
    return kernel


@cudaq.kernel  # type: ignore[untyped-decorator]
def ladder(num_qubits: int, angle: float) -> None:
    """CUDA-Q reads this source; its gates are no names of Python."""
    qubits = cudaq.qvector(num_qubits)
    for i in range(num_qubits):
        ry(angle * (i + 1), qubits[i])  # type: ignore[name-defined]  # noqa: F821
    for i in range(num_qubits - 1):
        x.ctrl(qubits[i], qubits[i + 1])  # type: ignore[name-defined]  # noqa: F821


def check_a_kernel_with_arguments_and_loops() -> None:
    same_counts(ladder, 4, 0.3)


def check_measurement_of_some_qubits() -> None:
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(3)
    kernel.x(qubits[1])
    kernel.mz(qubits[1])
    kernel.mz(qubits[2])

    assert served(kernel, shots=100) == {"10": 100}


def check_noise() -> None:
    counts = served(bell(), shots=10_000, noise="aria-1")

    assert 0 < counts["01"] + counts["10"] < 200
    assert counts["00"] + counts["11"] > 9_700


def check_every_device_runs_kernels() -> None:
    for name in DEVICES:
        counts = served(either(), shots=1_000, qpu=name)
        assert LEAST_RIGHT < share(counts, 1_000) < 1, (name, counts)
        assert min(counts["100"], counts["010"]) > 300, (name, counts)


def check_debiasing_and_sharpening() -> None:
    def found(**options: bool) -> float:
        return share(served(either(), shots=1_000, qpu="qpu.harmony", **options), 1_000)

    assert LEAST_RIGHT < found(debias=True) < 0.99
    assert found(debias=True, sharpen=True) > 0.99
    assert LEAST_RIGHT < found(debias=False, sharpen=True) < 0.99, "there are no variants"


def check_expectation_values_on_a_device() -> None:
    cudaq.set_target("ionq", url=URL, qpu="qpu.forte-1")
    energy = 2 * cudaq.spin.x(0) * cudaq.spin.x(1) + cudaq.spin.z(0) * cudaq.spin.z(1)
    value = cudaq.observe(bell(), energy, shots_count=2_000).expectation()
    cudaq.reset_target()

    assert 3 * 0.9 < value < 3


def check_jobs_that_are_waited_for_later() -> None:
    cudaq.set_target("ionq", url=URL)
    waiting = [cudaq.sample_async(bell(width), shots_count=100) for width in (2, 3)]
    found = [dict(job.get().items()) for job in waiting]
    cudaq.reset_target()

    assert found == [{"00": 50, "11": 50}, {"000": 50, "111": 50}]


def check_expectation_values() -> None:
    cudaq.set_target("ionq", url=URL)
    energy = 2 * cudaq.spin.x(0) * cudaq.spin.x(1) + cudaq.spin.z(0) * cudaq.spin.z(1)
    value = cudaq.observe(bell(), energy, shots_count=1_000).expectation()
    cudaq.reset_target()

    assert abs(value - 3) < 1e-9


def check_errors_are_the_clients_own() -> None:
    raises(RuntimeError, served, bell(), qpu="qpu.nowhere", saying="qpu.nowhere")
    raises(RuntimeError, served, dense(60), saying="60 qubits")
    raises(RuntimeError, served, bell(12), qpu="qpu.harmony", saying="qpu.harmony has 11")
    too_few = {"shots": 100, "debias": True}
    raises(RuntimeError, served, bell(), qpu="qpu.forte-1", **too_few, saying="at least 500")
    os.environ["IONQ_API_KEY"] = KEY[:-1]
    raises(RuntimeError, served, bell(), saying="invalid key")
    os.environ["IONQ_API_KEY"] = KEY
