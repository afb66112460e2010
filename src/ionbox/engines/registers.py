"""The read-out of registers: what classical bits hold, given the weights of the basis states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.program import OUTPUT_ALL, Measure, Program, Register, Step
from ionbox.engines.vectors import block, layout, num_qubits_of
from ionbox.formats.results import NARROW_BITS, FloatArray, Probabilities, read_out

_CONTENT_BYTES: Final = 24  # a key and a value, and one of them copied

Keys = NDArray[np.uint64]


def wide_register(program: Program) -> str:
    """Say which register is too wide to list its outcomes; empty if none is."""
    for register in program.registers:
        if register.size > NARROW_BITS:
            return (
                f"register '{register.name}' has {register.size} bits; "
                f"probabilities are listed of at most {NARROW_BITS}"
            )
    return ""


def measured_at_end(steps: Iterable[Step]) -> Mapping[int, int]:
    """Return bit → the qubit it is measured from, of steps that only measure."""
    measurements = [step for step in steps if isinstance(step, Measure)]
    return {step.bit: step.qubit for step in measurements if step.bit is not None}


def qubits_of(register: Register, measured: Mapping[int, int]) -> list[int | None]:
    """Return the qubit that each bit of a register is measured from; None for the others."""
    return [measured.get(bit) for bit in range(register.start, register.start + register.size)]


def marginal(weights: FloatArray, qubits: Sequence[int | None]) -> tuple[Keys, FloatArray]:
    """Sum weights over the qubits that a register does not hold.

    Args:
        weights: One for each basis state.
        qubits: The qubit of each bit of the register, at most 64; None for a bit that is 0. One
            qubit may be the source of several bits.

    Returns:
        All contents that the register can have, ascending, and the weight of each in the type
        of `weights`.
    """
    masks: dict[int, int] = {}
    for place, qubit in enumerate(qubits):
        if qubit is not None:
            masks[qubit] = masks.get(qubit, 0) | 1 << place
    # Masks share no bit, so in ascending order they give ascending keys.
    sources = sorted(masks, key=masks.__getitem__)
    whole = block(weights, layout(num_qubits_of(weights), tuple(sources)))
    others = tuple(range(len(sources), whole.ndim))
    summed = whole.sum(axis=others, dtype=np.float64).reshape(-1)
    keys = np.zeros(1, np.uint64)
    for qubit in sources:
        keys = np.concatenate([keys, keys | np.uint64(masks[qubit])])
    return keys, summed.astype(weights.dtype, copy=False)


def marginal_bytes(program: Program) -> int:
    """Return the memory that listing the registers takes, beside the weights of all qubits."""
    measured, all_qubits = program.measured, list(range(program.num_qubits))
    widths = [
        len({qubit for qubit in qubits if qubit is not None})
        for register in program.registers
        if (qubits := qubits_of(register, measured)) != all_qubits
    ]
    return sum(_CONTENT_BYTES << width for width in widths)


def listed(keys: Keys, values: FloatArray, num_bits: int) -> Probabilities:
    """Return probabilities of the contents of a register, as `read_out` does of basis states.

    Args:
        keys: Ascending.
        values: The weight of each.
        num_bits: The width of the register.
    """
    found = read_out(values, num_bits)
    if values.size == 1 << num_bits:
        return found  # every content is there, so that a key is its own place
    places = found.values.nonzero()[0] if found.basis_states is None else found.basis_states
    kept = found.values[places] if found.basis_states is None else found.values
    return replace(found, basis_states=keys[places], values=kept)


def exact_registers(
    weights: FloatArray, program: Program, *, threads: int = 1
) -> dict[str, Probabilities]:
    """List output_all and each register of a program that is one circuit; use up the weights."""
    measured = program.measured
    parts = {
        register.name: listed(*marginal(weights, qubits), register.size)
        for register in program.registers
        if (qubits := qubits_of(register, measured)) != list(range(program.num_qubits))
    }
    output_all = read_out(weights, program.num_qubits, threads=threads)
    names = [register.name for register in program.registers]
    return {OUTPUT_ALL: output_all, **{name: parts.get(name, output_all) for name in names}}


def sampled_registers(
    basis_states: Keys, counts: NDArray[np.int64], program: Program
) -> dict[str, Probabilities]:
    """Return the frequencies of output_all and of each register of a program of one circuit."""
    registers = {OUTPUT_ALL: frequencies(basis_states, program.num_qubits, counts)}
    measured = program.measured
    for register in program.registers:
        keys = np.zeros_like(basis_states)
        for place, qubit in enumerate(qubits_of(register, measured)):
            if qubit is not None:
                keys |= (basis_states >> np.uint64(qubit) & np.uint64(1)) << np.uint64(place)
        registers[register.name] = frequencies(keys, register.size, counts)
    return registers


def frequencies(
    keys: Keys, num_bits: int, counts: NDArray[np.int64] | None = None
) -> Probabilities:
    """Return how often each key is there, as a share of all; each counts once, or `counts`."""
    states, inverse = np.unique(keys, return_inverse=True)
    totals = np.bincount(inverse, counts, states.size)
    return Probabilities(num_bits, states, totals / totals.sum())


def merged(keys: Keys, values: NDArray[np.float64]) -> tuple[Keys, NDArray[np.float64]]:
    """Return the keys ascending, each once, and the sum of the values of each."""
    states, inverse = np.unique(keys, return_inverse=True)
    totals: NDArray[np.float64] = np.bincount(inverse, values, states.size).astype(np.float64)
    return states, totals
