"""The density-matrix engine: noisy circuits of few qubits, exactly.

In the kernel the state is the expectation values of all 4**n Pauli words, which are real, and of
which a channel of Pauli errors changes each by a factor; in NumPy it is the density matrix itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox._kernel import Kernel
from ionbox.backends.noise import Channel, NoiseModel, NoisyCircuit, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.engines.calibration import (
    ONE_CORE,
    REFERENCE,
    Calibration,
    KernelWork,
    Machine,
    NumpySpeed,
)
from ionbox.engines.costs import circuit_cost, operation_passes, sampling_bytes, tile_bytes
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload
from ionbox.engines.errors import Role, generator
from ionbox.engines.kernel import RUN_OPERATIONS, is_known, packed_by
from ionbox.engines.mixed_states import AMPLITUDE_TYPE, mixed_probabilities
from ionbox.engines.progress import Progress
from ionbox.engines.registers import exact_registers, marginal_bytes, wide_register
from ionbox.engines.rows import rows_of_words, shots_of_rows
from ionbox.engines.sampling import draw
from ionbox.engines.vectors import num_qubits_of
from ionbox.formats.results import Exact, FloatArray

Int32s: TypeAlias = NDArray[np.int32]

MOST_QUBITS: Final = 13  # 512 MiB in the kernel
_LEAST: Final = 1e-15  # what rounding leaves of an outcome that cannot be

# In the kernel, by how many qubits an operation has: operations that planning it takes, passes
# through memory (many on one qubit share one), and steps on the words in the caches.
_PLANNED: Final = np.array([0, 2, 10, 100, 10], np.float64)
_PASSES: Final = np.array([0, 0.05, 0.5, 0.5, 2])
_STEPS: Final = np.array([0, 3, 5, 20, 120], np.float64)
_MATRIX_BYTES: Final = np.array([0, 1 << 10, 1 << 13, 1 << 17, 0])
_WORD_BYTES: Final = 64  # of an operation on more qubits, for each word on half of them
_TILE_BYTES: Final = 1 << 17  # of a thread
_SHOT_BYTES: Final = 2000  # in bytes of a pass, what it takes to draw a shot and write it down
_LEAST_PARALLEL: Final = 1 << 16  # words; fewer are not worth a second thread

# In operations of NumPy: to write down an operation or a channel for the kernel, and to run it.
_READ, _RUN = 0.15, 10

# In NumPy: an operation is applied to the rows, the matrix turned over, and then again.
_TURN_PASSES, _CHANNEL_PASSES = 3, 2
_VECTORS: Final = 2.5

_MOOT = Refusal(
    "density_matrix",
    "the density-matrix engine runs noisy circuits that measure at the end only",
    is_moot=True,
)


@dataclass(frozen=True, slots=True)
class DensityMatrixEngine:
    """Noisy circuits of at most 13 qubits: their probabilities, or shots that are drawn from them.

    Args:
        extension: The compiled kernel; None for NumPy.
        variant: The kernel's instruction set; empty for the best one that the processor has.
    """

    extension: Kernel | None = None
    variant: str = ""

    @property
    def name(self) -> str:
        return "density_matrix"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave more qubits to engines that sample."""
        circuit, noise = workload.program.circuit, workload.noise
        if noise is None or circuit is None or workload.observable is not None:
            return _MOOT
        if reason := _too_wide(circuit.num_qubits, noise):
            is_moot = not workload.lists_noise
            return Refusal(self.name, reason, is_too_large=True, is_moot=is_moot)
        if workload.lists_noise and (reason := _too_many(workload)):
            return Refusal(self.name, reason)
        cost = circuit_cost(circuit)
        if isinstance(cost, str):
            return Refusal(self.name, cost)
        return self._estimate(workload, noisy_circuit(noise, circuit), machine)

    def _estimate(self, workload: Workload, noisy: NoisyCircuit, machine: Machine) -> Estimate:
        in_kernel = self._knows(noisy.circuit)
        is_parallel = in_kernel and 1 << 2 * noisy.circuit.num_qubits >= _LEAST_PARALLEL
        threads = machine.cores if is_parallel else 1
        program, shots = workload.program, 0 if workload.lists_noise else workload.shots
        memory_bytes = _kernel_bytes(noisy, threads) if in_kernel else _numpy_bytes(noisy)
        memory_bytes += marginal_bytes(program) + 2 * shots * (
            program.num_qubits + program.num_bits
        )

        def seconds(speeds: Calibration, threads: int) -> float:
            drawing = speeds.numpy.near_byte * _SHOT_BYTES * shots
            if in_kernel:
                return drawing + _kernel_seconds(noisy, speeds, threads)
            return drawing + _numpy_seconds(noisy, speeds.numpy)

        return Estimate(
            self.name,
            memory_bytes + (sampling_bytes(shots) if shots else 0),
            seconds(machine.calibration, threads),
            threads,
            "float64",
            workload.lists_noise,
            seconds(REFERENCE, 1),
        )

    def _knows(self, circuit: Circuit) -> bool:
        return self.extension is not None and is_known(circuit)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Outcome:
        """Follow all errors at once; list what may come out, or draw shots from it."""
        program, circuit, noise = workload.program, workload.program.circuit, workload.noise
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        assert noise is not None  # noqa: S101 - and what has no noise
        noisy = noisy_circuit(noise, circuit)
        weights = misread_weights(self.probabilities(noisy, threads, progress), noise)
        weights[weights < _LEAST] = 0
        if workload.lists_noise:
            return Outcome(Exact(exact_registers(weights, program)))
        uniforms = generator(workload.seed, Role.OUTCOMES).random(workload.shots)
        rows = rows_of_words(draw(weights, uniforms)[:, np.newaxis], program.num_qubits)
        return Outcome(shots_of_rows(rows, program))

    def probabilities(
        self, noisy: NoisyCircuit, threads: int = 1, progress: Progress | None = None
    ) -> FloatArray:
        """Return the probability of each basis state, but for rounding."""
        if self.extension is None or not self._knows(noisy.circuit):
            return mixed_probabilities(noisy, progress or Progress())
        return self.extension.mix(
            packed_by(self.extension, noisy.circuit),
            *_columns(noisy.channels),
            threads=threads,
            variant=self.variant,
        )


def misread_weights(weights: FloatArray, noise: NoiseModel) -> FloatArray:
    """Return how likely each basis state is read out, given how likely each one is."""
    if not noise.has_readout_errors:
        return weights
    for qubit in range(num_qubits_of(weights)):
        flips = noise.readout(qubit)
        zero, one = np.moveaxis(weights.reshape(-1, 2, 1 << qubit), 1, 0)
        read_as_one = flips.of_zero * zero + (1 - flips.of_one) * one
        zero[...] = (1 - flips.of_zero) * zero + flips.of_one * one
        one[...] = read_as_one
    return weights


def _columns(channels: Sequence[Channel]) -> tuple[Int32s, Int32s, Int32s, NDArray[np.float64]]:
    """Return channels as the kernel reads them: after, qubits, starts, factors."""
    widths = [len(channel.qubits) for channel in channels]
    return (
        np.array([channel.after for channel in channels], np.int32),
        np.array([qubit for channel in channels for qubit in channel.qubits], np.int32),
        np.cumsum([0, *widths], dtype=np.int32),
        np.array([factor for channel in channels for factor in _factors(channel)]),
    )


def _factors(channel: Channel) -> tuple[float, float, float]:
    """Return what is left of X, Y and Z; on more qubits than one, of all words but I."""
    if channel.shares is None:
        words = 4 ** len(channel.qubits)
        left = 1 - channel.probability * words / (words - 1)
        return left, left, left
    # A letter changes its sign in the two errors that it does not commute with.
    x, y, z = (2 * channel.probability * share for share in channel.shares)
    return 1 - y - z, 1 - x - z, 1 - x - y


def _too_wide(num_qubits: int, noise: NoiseModel) -> str:
    """Say why there are too many qubits; empty if there are not."""
    if num_qubits > noise.num_qubits:
        return f"{num_qubits} qubits; noise model '{noise.name}' has {noise.num_qubits}"
    if num_qubits > MOST_QUBITS:
        return f"{num_qubits} qubits; a density matrix covers at most {MOST_QUBITS}"
    return ""


def _too_many(workload: Workload) -> str:
    """Say why outcomes cannot be listed; empty if they can."""
    num_outcomes = 1 << workload.program.num_qubits
    if num_outcomes > workload.max_outcomes:
        return f"{num_outcomes} possible outcomes; at most {workload.max_outcomes} are listed"
    return wide_register(workload.program)


def _counts(circuit: Circuit) -> NDArray[np.int64]:
    """Return how many operations have 0, 1, 2, 3 and more qubits.

    A word of a pauliexp on more takes operations on two, about one for each of its letters.
    """
    most = len(_STEPS) - 1
    widths = np.minimum(np.diff(circuit.qubit_starts), most)
    letters = np.diff(circuit.pauli_starts)
    is_word = (letters > 0) & (widths == most)
    counts = np.bincount(widths[~is_word], minlength=most + 1)
    counts[2] += letters[is_word].sum()
    return counts


def _work(noisy: NoisyCircuit) -> KernelWork:
    counts = _counts(noisy.circuit)
    return KernelWork(
        float(_PLANNED @ counts) + RUN_OPERATIONS,
        float(_STEPS @ counts),
        1 + float(_PASSES @ counts),
        8 << 2 * noisy.circuit.num_qubits,
    )


def _kernel_seconds(noisy: NoisyCircuit, speeds: Calibration, threads: int) -> float:
    read = _READ * (noisy.circuit.num_operations + len(noisy.channels)) + _RUN
    return speeds.kernel.seconds(_work(noisy), threads) + speeds.numpy.operation * read


def _kernel_bytes(noisy: NoisyCircuit, threads: int) -> int:
    counts, num_qubits = _counts(noisy.circuit), noisy.circuit.num_qubits
    tables = int(counts[-1]) * _WORD_BYTES << 2 * (-(-num_qubits // 2))
    matrices = int(_MATRIX_BYTES @ counts)
    return (8 << 2 * num_qubits) + threads * _TILE_BYTES + matrices + tables


def _numpy_seconds(noisy: NoisyCircuit, speed: NumpySpeed) -> float:
    circuit, num_channels = noisy.circuit, len(noisy.channels)
    passes = 2 * float(operation_passes(circuit).sum()) + _TURN_PASSES * circuit.num_operations
    passes += _CHANNEL_PASSES * num_channels
    operations = 2 * circuit.num_operations + num_channels
    size = 1 << 2 * circuit.num_qubits
    return speed.operation * operations + speed.passes(passes, size, AMPLITUDE_TYPE.itemsize)


def _numpy_bytes(noisy: NoisyCircuit) -> int:
    num_qubits = noisy.circuit.num_qubits
    matrix = AMPLITUDE_TYPE.itemsize << 2 * num_qubits
    return int(_VECTORS * matrix) + tile_bytes(2 * num_qubits)
