"""Shots of a job that ran as several variants of its circuit: which to keep, and of which variant.

What becomes of all variants together is `backends.mitigation`'s to say, which knows no registers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ionbox.formats.results import NARROW_BITS, Sampled, Shots, basis_states_of

# From which outcome and which variant each shot is, to how many shots each outcome shall have.
Aggregation: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.uint16]], NDArray[np.int64]]


def select_shots(result: Sampled, is_kept: NDArray[np.bool_]) -> Sampled:
    """Return a result without some of its shots, as when a symmetry forbids their outcomes.

    A selection that leaves nothing says more of itself than of the shots: then all are kept.

    Args:
        is_kept: One entry a shot, in order.
    """
    return _selected(result, is_kept) if is_kept.any() else result


def variant_of(result: Sampled, number: int) -> Sampled:
    """Return what one variant gave: a result by itself, perhaps without any shots."""
    assert result.variants is not None  # noqa: S101 - whoever has a number has variants
    selected = _selected(result, result.variants == number)
    return replace(selected, variants=None, num_variants=0)


def aggregated(result: Sampled, aggregation: Aggregation) -> Sampled:
    """Return as many shots as a result has, distributed as an aggregation of its variants says.

    Each register is aggregated by itself: its shots come sorted by outcome, and those of two
    registers do not belong together. It is to be counted, not to be read shot by shot.
    """
    assert result.variants is not None  # noqa: S101 - without variants there is nothing to do
    registers = {}
    for name, shots in result.registers.items():
        rows, outcomes = distinct(shots)
        counts = aggregation(outcomes, result.variants)
        registers[name] = Shots(shots.num_bits, np.repeat(rows, counts, axis=0))
    return Sampled(registers)


def distinct(shots: Shots) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the distinct rows of a register, and which of them each shot is."""
    width = shots.rows.shape[1]
    if shots.num_bits <= NARROW_BITS:  # integers are quicker to sort
        states, outcomes = np.unique(basis_states_of(shots.rows), return_inverse=True)
        return states.view(np.uint8).reshape(-1, 8)[:, :width], outcomes
    strings = np.ascontiguousarray(shots.rows).view(f"V{width}")[:, 0]
    rows, outcomes = np.unique(strings, return_inverse=True)
    return rows.view(np.uint8).reshape(-1, width), outcomes


def _selected(result: Sampled, is_kept: NDArray[np.bool_]) -> Sampled:
    registers = {
        name: Shots(shots.num_bits, shots.rows[is_kept]) for name, shots in result.registers.items()
    }
    variants = None if result.variants is None else result.variants[is_kept]
    return replace(result, registers=registers, variants=variants)
