"""What it means that two circuits do the same, and random circuits to ask it of."""

from __future__ import annotations

from itertools import islice
from math import pi, tau
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES
from ionbox.circuits.oracle import state_vector, unitary
from ionbox.circuits.program import Program, program_of
from ionbox.circuits.unitaries import Matrix
from ionbox.compiler.compilation import Compiled, Options, Target, compile_variants

Bits: TypeAlias = NDArray[np.int64]

MS = Target(("gpi", "gpi2", "ms"))
ZZ = Target(("gpi", "gpi2", "zz"))
TARGETS = [MS, ZZ]

_GATES = [gate for gate in GATES if gate.gateset == "qis"]


def compiled(
    circuit: Circuit, target: Target, opt: int, variant: int = 0, precision: float = 1e-3
) -> tuple[Compiled, Circuit]:
    """Compile a circuit, and return it beside the native circuit."""
    options = Options(opt, precision)
    found = variant_of(program_of(circuit), target, options, variant)
    native = found.program.circuit
    assert native is not None
    return found, native


def variant_of(program: Program, target: Target, options: Options, number: int) -> Compiled:
    """Return one of the ways in which a program can be compiled."""
    return next(islice(compile_variants(program, target, options), number, None))


def unitary_error(circuit: Circuit, target: Target, variant: int = 0) -> float:
    """Return how far the unitary at opt 0 is off, but for a turn about z of each qubit."""
    found, native = compiled(circuit, target, 0, variant)
    assert found.final_qubits == tuple(range(circuit.num_qubits))
    between = unitary(native) @ unitary(circuit).conj().T
    return float(np.abs(between - _product_of_phases(np.diag(between))).max())


def state_error(
    circuit: Circuit, target: Target, opt: int, variant: int = 0, precision: float = 1e-3
) -> float:
    """Return how far the final state is off, but for places and turns about z."""
    found, native = compiled(circuit, target, opt, variant, precision)
    expected = state_vector(circuit)
    state = state_vector(native)[moved(circuit.num_qubits, found.final_qubits)]
    return float(np.abs(state - _best_phases(state, expected) * expected).max())


def moved(num_qubits: int, final_qubits: tuple[int, ...]) -> Bits:
    """Return the compiled basis state of each basis state."""
    states = np.arange(1 << num_qubits)
    found = np.zeros_like(states)
    for qubit, place in enumerate(final_qubits):
        found |= (states >> qubit & 1) << place
    return found


def _product_of_phases(phases: Matrix) -> Matrix:
    """Return the diagonal matrix of turns about z that has the phases of |0>, |1>, |2>, |4> ..."""
    found: Matrix = np.ones(1, np.complex128) * phases[0]
    while found.size < phases.size:
        found = np.concatenate([found, found * phases[found.size] / phases[0]])
    diagonal: Matrix = np.diag(found)
    return diagonal


def _best_phases(state: Matrix, expected: Matrix) -> Matrix:
    """Return the turns about z, and the phase, that take one state closest to another.

    One qubit after the other is turned to where the overlap is largest, from several beginnings.
    """
    num_qubits = state.size.bit_length() - 1
    bits = np.arange(state.size)[:, np.newaxis] >> np.arange(num_qubits) & 1
    products = state.conj() * expected
    random = np.random.default_rng(1)
    found = [_climbed(products, bits, random.uniform(0, tau, num_qubits)) for _ in range(8)]
    best = max(found, key=lambda phases: abs((products * phases).sum()))
    best *= np.exp(-1j * np.angle((products * best).sum()))
    return best


def _climbed(products: Matrix, bits: Bits, phases: NDArray[np.float64]) -> Matrix:
    for _ in range(20):
        for qubit in range(bits.shape[1]):
            terms = products * np.exp(1j * (bits @ phases))
            zero, one = terms[bits[:, qubit] == 0].sum(), terms[bits[:, qubit] == 1].sum()
            phases[qubit] -= np.angle(one * zero.conjugate())
    turned: Matrix = np.exp(1j * (bits @ phases))
    for _ in range(3):  # the last digits by least squares, as climbing only comes closer
        turned *= np.exp(-1j * np.angle((products * turned).sum()))
        weights = np.sqrt(np.abs(products))
        columns = np.column_stack([np.ones(len(bits)), bits])
        left = np.angle(products * turned) * weights
        steps = np.linalg.lstsq(columns * weights[:, np.newaxis], left, rcond=1e-9)[0]
        turned *= np.exp(-1j * (columns @ steps))
    return turned


@st.composite
def operations(draw: st.DrawFn, num_qubits: int, max_controls: int = 3) -> Operation:
    """Draw an operation of the gateset qis, its angles often multiples of pi/4."""
    spare = min(max_controls, num_qubits - 1)
    fitting = [g for g in _GATES if (g.num_targets or 1) + g.min_controls <= num_qubits]
    gate = draw(st.sampled_from(fitting))
    qubits = draw(st.permutations(range(num_qubits)))
    num_targets = gate.num_targets or draw(st.integers(1, min(num_qubits, 4)))
    most = min(spare, num_qubits - num_targets)
    num_controls = draw(st.integers(gate.min_controls, most))
    angle = st.one_of(
        st.integers(-8, 8).map(lambda eighth: eighth * pi / 4), st.floats(-7, 7, width=32)
    )
    if gate.num_targets is None:
        word = st.text("IXYZ", min_size=num_targets, max_size=num_targets)
        terms: tuple[str, ...] = (draw(word),)
        params = [draw(angle), draw(st.sampled_from([0.5, 1.0]))]
    else:
        terms = ()
        params = [draw(angle) for _ in gate.params]
    ends = num_targets, num_targets + num_controls
    return Operation(
        gate, tuple(qubits[: ends[0]]), tuple(qubits[ends[0] : ends[1]]), tuple(params), terms
    )


@st.composite
def circuits(draw: st.DrawFn, max_qubits: int = 5, max_operations: int = 12) -> Circuit:
    """Draw a circuit of the gateset qis."""
    num_qubits = draw(st.integers(1, max_qubits))
    drawn = draw(st.lists(operations(num_qubits), max_size=max_operations))
    return Circuit.from_operations(num_qubits, "qis", drawn)
