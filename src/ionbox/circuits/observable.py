"""An observable: a weighted sum of Pauli words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observable:
    """A sum of coefficient times Pauli word, over all qubits of a program.

    Args:
        terms: Words of the letters I, X, Y and Z, as long as the program has qubits; the
            rightmost letter is qubit 0, as in pauliexp. The word of only I is a constant.
        coefficients: One a term.
    """

    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
