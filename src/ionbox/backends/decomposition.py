"""How many gates on two qubits a wide operation stands for: in its price, and in its noise."""

from __future__ import annotations

from collections.abc import Iterable


def gates_of_width(num_qubits: int) -> int:
    """Return the gates on two qubits that an operation on so many stands for: 6 (n - 2) above 2."""
    return 6 * (num_qubits - 2) if num_qubits > 2 else max(num_qubits - 1, 0)


def gates_of_terms(weights: Iterable[int], num_controls: int) -> int:
    """Return the gates on two qubits that a pauliexp on more than two stands for.

    Each term is a ladder of 2 (weight - 1) around a rotation, which takes the controls.

    Args:
        weights: Of each term, the number of letters that are not I.
    """
    return sum(
        2 * max(weight - 1, 0) + gates_of_width(num_controls + min(weight, 1)) for weight in weights
    )
