"""The stabilizer engine: ideal circuits of Clifford operations, exactly, thousands of qubits wide.

The outcomes of such a circuit are an affine space of bit strings, each as likely as any other: one
outcome, and the flips that the stabilizers make of it. So they are listed, or sampled, without any
state vector. The stabilizers are followed by stim.

Source:
    Aaronson & Gottesman, Phys. Rev. A 70, 052328 (2004); Gidney, Quantum 5, 497 (2021), for
    following the inverse.
"""

from __future__ import annotations

from importlib.util import find_spec
from math import log2
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.affine import AffineSpace, affine_space
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.clifford import first_other, stim_text
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.readout import most_listed, sampled_outcome
from ionbox.engines.registers import qubits_of
from ionbox.engines.rows import of_words, sampled_rows
from ionbox.engines.structure import most_amplitudes
from ionbox.formats.results import NARROW_BITS, Exact, Probabilities

if TYPE_CHECKING:
    import stim

# Measured on one core of a cloud server; good to a factor of a few.
_RUN_SECONDS = 400e-6
_OPERATION_SECONDS = 2e-6
_CUBED_QUBIT_SECONDS = 30e-12  # elimination, where all qubits are random
_SQUARED_QUBIT_SECONDS = 6e-9
_LISTED_BYTE_SECONDS = 0.6e-9
_SHOT_BYTE_SECONDS = 0.2e-9  # for each basis vector, too
_SHOT_COPIES = 8  # of a row, while shots are counted
_SQUARED_QUBIT_BYTES = 6  # stim's tableau twice, and the stabilizers as bits
_LEAST_BYTES = 1 << 20

HAS_STIM = find_spec("stim") is not None

_MOOT = Refusal(
    "stabilizer",
    "the stabilizer engine runs ideal circuits of Clifford operations that measure at the end",
    is_moot=True,
)


class StabilizerEngine:
    """Clifford circuits of any width: all outcomes where they are few, else samples of them."""

    name = "stabilizer"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what is no Clifford circuit."""
        circuit = workload.program.circuit
        if workload.noise is not None or workload.observable is not None or circuit is None:
            return _MOOT
        if other := first_other(circuit):
            return Refusal(self.name, f"{other}: no Clifford operation", is_moot=True)
        return paced(self._estimate(workload, circuit), machine)

    def _estimate(self, workload: Workload, circuit: Circuit) -> Estimate:
        num_qubits, shots = circuit.num_qubits, workload.shots
        dimension = min(most_amplitudes(circuit), num_qubits)
        is_exact = dimension <= log2(most_listed(workload))
        listed_bytes = _listed_bytes(workload) * min(
            2.0 ** min(dimension, 63), most_listed(workload)
        )
        shot_bytes = 0 if is_exact else _SHOT_COPIES * (8 + num_qubits // 8)
        seconds = (
            _RUN_SECONDS
            + _OPERATION_SECONDS * circuit.num_operations
            + _SQUARED_QUBIT_SECONDS * num_qubits**2
            + _CUBED_QUBIT_SECONDS * num_qubits * dimension**2
            + _LISTED_BYTE_SECONDS * listed_bytes
            + _SHOT_BYTE_SECONDS * shots * shot_bytes * (8 + dimension / 8)
        )
        memory_bytes = (
            _LEAST_BYTES
            + _SQUARED_QUBIT_BYTES * num_qubits**2
            + int(listed_bytes)
            + shots * shot_bytes
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact)

    def run(self, workload: Workload, *, threads: int = 1) -> Outcome:  # noqa: ARG002 - the port's
        """Find the outcomes and list them, or sample where they are too many."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        space = outcomes(circuit)
        num_outcomes = 1 << space.dimension
        if num_outcomes > most_listed(workload):
            rows = space.sample(workload.shots, workload.seed)
            return sampled_outcome(sampled_rows(rows, workload.program), num_outcomes, workload)
        registers = {OUTPUT_ALL: _uniform(space)}
        measured = workload.program.measured
        for register in workload.program.registers:
            qubits = qubits_of(register, measured)
            registers[register.name] = _uniform(space.picked(qubits))
        return Outcome(Exact(registers))


def _listed_bytes(workload: Workload) -> int:
    """Return the memory that one outcome takes in all registers: words, rows and values."""
    program = workload.program
    sizes = [program.num_qubits, *(register.size for register in program.registers)]
    return sum(24 if size <= NARROW_BITS else 16 * -(-size // 64) + 8 for size in sizes)


def outcomes(circuit: Circuit) -> AffineSpace:
    """Return what can be measured after a circuit of Clifford operations: all alike."""
    import stim  # noqa: PLC0415 - there are systems without it

    simulator = stim.TableauSimulator(seed=0)  # any one outcome serves, the space is the same
    simulator.set_num_qubits(circuit.num_qubits)
    simulator.do(stim.Circuit(stim_text(circuit)))
    flips = _flips(simulator, circuit.num_qubits)
    member = np.array(simulator.measure_many(*range(circuit.num_qubits)), np.uint8)
    return affine_space(member, flips)


def _flips(simulator: stim.TableauSimulator, num_qubits: int) -> NDArray[np.uint8]:
    """Return the X parts of the stabilizers as bits, one stabilizer a row.

    They are the block z→x of the tableau. The inverse, which is what stim holds, has the same
    block transposed, as the inverse of any symplectic matrix has.
    """
    inverse = simulator.current_inverse_tableau()
    _, _, z_to_x, *_ = inverse.to_numpy(bit_packed=True)
    bits = np.unpackbits(z_to_x, axis=1, count=num_qubits, bitorder="little")
    return np.ascontiguousarray(bits.T)


def _uniform(space: AffineSpace) -> Probabilities:
    count = 1 << space.dimension
    return of_words(space.members(), np.full(count, 1 / count), space.num_bits)
