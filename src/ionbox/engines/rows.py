"""Outcomes of any width, and results made of them.

Rows are those of `Shots`. The same filled up to whole words of 64 bits are called words: bit k of
an outcome is bit k % 64 of word k // 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.program import OUTPUT_ALL, Program
from ionbox.engines.registers import qubits_of
from ionbox.formats.results import (
    NARROW_BITS,
    Exact,
    FloatArray,
    Probabilities,
    Sampled,
    Shots,
    histogram,
)

Rows: TypeAlias = NDArray[np.uint8]
Words: TypeAlias = NDArray[np.uint64]

_UNPACKED_BYTES: Final = 1 << 24  # bits of some rows at a time, one a byte
# What a bit of a register takes, in each row: unpacked, picked, packed and counted.
REGISTER_BIT_BYTES: Final = 2


def rows_of_bits(bits: NDArray[np.uint8]) -> Rows:
    """Pack bits, one a byte, shape (count, num_bits)."""
    return np.packbits(bits, axis=1, bitorder="little")


def picked_bits(rows: Rows, places: Sequence[int | None]) -> NDArray[np.uint8]:
    """Return the bits at some places of each row, one a byte; None is a bit that is 0."""
    bits = np.unpackbits(rows, axis=1, bitorder="little")
    found = np.zeros((len(rows), len(places)), np.uint8)
    columns = [column for column, place in enumerate(places) if place is not None]
    found[:, columns] = bits[:, [place for place in places if place is not None]]
    return found


def picked(rows: Rows, places: Sequence[int | None]) -> Rows:
    """Return rows of the bits at some places of each row; None is a bit that is 0."""
    step = max(1, _UNPACKED_BYTES // (8 * rows.shape[1] + len(places)))
    parts = [
        rows_of_bits(picked_bits(rows[start : start + step], places))
        for start in range(0, max(len(rows), 1), step)
    ]
    return np.concatenate(parts)


def words_of_rows(rows: Rows) -> Words:
    """Fill rows up to whole words."""
    padded = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.view("<u8").astype(np.uint64, copy=False)


def words_of_bits(bits: NDArray[np.uint8]) -> Words:
    """Pack bits, one a byte, shape (count, num_bits)."""
    return words_of_rows(rows_of_bits(bits))


def rows_of_words(words: Words, num_bits: int) -> Rows:
    """Cut words off behind the last byte that is needed."""
    lowest_first = words.astype("<u8", copy=False).view(np.uint8)
    return np.ascontiguousarray(lowest_first[:, : -(-num_bits // 8)])


def of_words(words: Words, values: FloatArray, num_bits: int) -> Probabilities:
    """Return the probabilities of contents; these ascend, and each is there once."""
    if num_bits > NARROW_BITS:
        return Probabilities(num_bits, rows_of_words(words, num_bits), values)
    if 2 * len(words) > 1 << num_bits:  # dense is smaller
        weights = np.zeros(1 << num_bits)
        weights[words[:, 0]] = values
        return Probabilities(num_bits, None, weights)
    return Probabilities(num_bits, words[:, 0], values)


def row_frequencies(rows: Rows, num_bits: int) -> Probabilities:
    """Return how often each row is there, as a share of all."""
    distinct, counts = histogram(Shots(num_bits, rows))
    return of_words(words_of_rows(distinct), counts / counts.sum(), num_bits)


def shots_of_rows(rows: Rows, program: Program) -> Sampled:
    """Return the shots of output_all and of each register of a program of one circuit.

    Args:
        rows: All qubits, one row for each shot.
    """
    registers = {OUTPUT_ALL: Shots(program.num_qubits, rows)}
    measured = program.measured
    for register in program.registers:
        shown = picked(rows, qubits_of(register, measured))
        registers[register.name] = Shots(register.size, shown)
    return Sampled(registers)


def sampled_rows(rows: Rows, program: Program) -> Exact:
    """Return the frequencies of output_all and of each register of a program of one circuit.

    Args:
        rows: All qubits, one row for each shot.
    """
    output_all = row_frequencies(rows, program.num_qubits)
    registers = {OUTPUT_ALL: output_all}
    measured = program.measured
    for register in program.registers:
        qubits = qubits_of(register, measured)
        if qubits == list(range(program.num_qubits)):
            registers[register.name] = output_all
        else:
            registers[register.name] = row_frequencies(picked(rows, qubits), register.size)
    return Exact(registers)
