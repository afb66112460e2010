"""The engine of matrix product states: ideal circuits that entangle little, sampled.

It takes a circuit whose bonds are sure to stay small, from counting what crosses each of them. So
nothing but rounding is ever left out: the samples are those of the exact state.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import GATES
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.chain import MATRIX_QUBITS, Bonds, Chain, parts
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.progress import Progress
from ionbox.engines.rows import REGISTER_BIT_BYTES, rows_of_bits, sampled_rows
from ionbox.engines.structure import kinds

_MOST_BITS: Final = 9  # a bond of 512
_CHUNK_SHOTS: Final = 1024

# Measured on one core of a cloud server; good to a factor of a few.
_RUN_SECONDS: Final = 1e-3
_OPERATION_SECONDS: Final = 15e-6
_CUT_SECONDS: Final = 80e-6
_PRODUCT_SECONDS: Final = 2e-9  # singular values
_SITE_SECONDS: Final = 60e-6  # for each chunk of shots
_AMPLITUDE_SECONDS: Final = 2e-9  # of a tensor, for each shot
_REGISTER_BIT_SECONDS: Final = 4e-9  # for each shot
_TENSOR_BYTES: Final = 32
_CUT_BYTES: Final = 16 * 4 * 8  # a product of two tensors, and what its singular values need
_STATE_BYTES: Final = 16 * 8
_SHOT_BIT_BYTES: Final = 12  # uniforms, bits, and rows while they are counted
_LEAST_BYTES: Final = 4 << 20

_MOOT = Refusal(
    "mps",
    "matrix product states are for ideal circuits that measure at the end only",
    is_moot=True,
)


@dataclass(frozen=True, slots=True)
class MatrixProductEngine:
    """Samples of circuits that entangle little, however many qubits.

    Args:
        least_qubits: Below, others list all outcomes, since they can hold all amplitudes.
    """

    least_qubits: int = 25

    @property
    def name(self) -> str:
        return "mps"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what may entangle too much."""
        circuit = workload.program.circuit
        if workload.noise is not None or workload.observable is not None or circuit is None:
            return _MOOT
        if circuit.num_qubits < self.least_qubits:
            reason = f"matrix product states are for {self.least_qubits} qubits or more"
            return Refusal(self.name, reason, is_moot=True)
        bonds = _bonds(circuit)
        if isinstance(bonds, str):
            return Refusal(self.name, bonds, is_moot=True)
        return paced(self._estimate(workload, circuit, bonds), machine)

    def _estimate(self, workload: Workload, circuit: Circuit, bonds: Bonds) -> Estimate:
        num_qubits, shots = circuit.num_qubits, workload.shots
        num_bits = workload.program.num_bits
        tensors = sum(2.0 ** (left + right + 1) for left, right in pairwise(bonds.bits))
        num_chunks = -(-shots // _CHUNK_SHOTS)
        seconds = (
            _RUN_SECONDS
            + _OPERATION_SECONDS * circuit.num_operations
            + _CUT_SECONDS * bonds.num_cuts
            + _PRODUCT_SECONDS * bonds.products
            + _SITE_SECONDS * num_qubits * num_chunks
            + _AMPLITUDE_SECONDS * tensors * shots
            + _REGISTER_BIT_SECONDS * num_bits * shots
        )
        largest = 2**bonds.largest
        memory_bytes = (
            _LEAST_BYTES
            + _TENSOR_BYTES * num_qubits * largest**2
            + _CUT_BYTES * largest**2
            + _STATE_BYTES * _CHUNK_SHOTS * largest
            + _SHOT_BIT_BYTES * shots * num_qubits
            + REGISTER_BIT_BYTES * shots * num_bits
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact=False)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Run all operations, then sample."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        counted = progress or Progress()
        counted.expect(circuit.num_operations + -(-workload.shots // _CHUNK_SHOTS))
        bits = _sampled_bits(_evolve(circuit, counted), workload, counted)
        warning = (
            f"sampled with {workload.shots} shots: the outcomes of {circuit.num_qubits} qubits as "
            "a matrix product state are not listed"
        )
        return Outcome(sampled_rows(rows_of_bits(bits), workload.program), (warning,))


def _bonds(circuit: Circuit) -> Bonds | str:
    """Return the bounds on all bonds, or why the circuit is not served."""
    bonds = Bonds(circuit.num_qubits)
    for place, (kind, qubits) in enumerate(kinds(circuit)):
        factors = parts(kind)
        if factors is None:
            name = GATES[kind.row].name
            return f"circuit[{place}], gate {name}: on more than {MATRIX_QUBITS} qubits"
        for part in factors:
            bonds.apply(part, [qubits[place] for place in part.places])
        if bonds.largest > _MOST_BITS:
            return f"the qubits may be more entangled than a bond of {2**_MOST_BITS} can hold"
    return bonds


def _evolve(circuit: Circuit, progress: Progress) -> Chain:
    """Return what a circuit makes of |0...0>."""
    chain = Chain(circuit.num_qubits)
    for kind, qubits in progress.each(kinds(circuit)):
        for part in parts(kind) or ():
            chain.apply(part, [qubits[place] for place in part.places])
    return chain


def _sampled_bits(chain: Chain, workload: Workload, progress: Progress) -> NDArray[np.uint8]:
    """Measure all qubits in all shots; the first shots do not depend on how many there are."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(workload.seed)))
    sizes = [
        min(_CHUNK_SHOTS, workload.shots - start)
        for start in range(0, workload.shots, _CHUNK_SHOTS)
    ]
    width = workload.program.num_qubits
    return np.concatenate(
        [chain.sample(generator.random((size, width))) for size in progress.each(sizes)]
    )
