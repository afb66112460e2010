"""The state-vector kernel in C++, where it was built.

`kernel` is None where an install could not build it, where it cannot be loaded, and where the
environment says IONBOX_KERNEL=0: ionbox then runs on NumPy, and `why_not` says why.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray


class Kernel(Protocol):
    """What the extension offers."""

    def variants(self) -> Sequence[str]:
        """Return the instruction sets that this processor has, the best one first."""

    def evolve(  # noqa: PLR0913, PLR0917 - the packed arrays of a circuit
        self,
        state: NDArray[np.complex64 | np.complex128],
        qubits: NDArray[np.int32],
        qubit_starts: NDArray[np.int32],
        num_targets: NDArray[np.int32],
        entries: NDArray[np.complex128],
        entry_starts: NDArray[np.int32],
        *,
        weights: NDArray[np.float32 | np.float64] | None = None,
        live: int = 2**64 - 1,
        threads: int = 1,
        variant: str = "",
    ) -> None:
        """Apply operations to a state vector in place; other Python threads run meanwhile.

        Args:
            state: 2**n amplitudes; qubit 0 is the lowest bit.
            qubits: Targets, then controls, of one operation after the other.
            qubit_starts: Where each operation's qubits start, and where the last one's end.
            num_targets: How many of an operation's qubits are targets.
            entries: Of an operation's matrix, row after row, on 1 or 2 targets (target k is bit k
                of a row or column number); or two factors, for an even and for an odd number of
                targets that are 1.
            entry_starts: As `qubit_starts`.
            weights: Zeros, of the state's precision. The squared magnitudes of the amplitudes are
                written here, and the state is used up.
            live: A mask of the qubits that may be 1. Amplitudes where another qubit is 1 must be
                zero; they are not read.
            threads: At most so many; the outcome is the same for any number.
            variant: An instruction set; empty for the best one.

        Raises:
            ValueError: If the arrays do not fit together.
            MemoryError: If there is no room for a tile; nothing is changed.
        """


def _load() -> tuple[Kernel | None, str]:
    """Return the extension, or else the reason why there is none."""
    if os.environ.get("IONBOX_KERNEL") == "0":
        return None, "the environment says IONBOX_KERNEL=0"
    try:
        return cast("Kernel", importlib.import_module(f"{__name__}.statevector")), ""
    except ModuleNotFoundError:
        return None, f"it was not built: {_install_failure()}"
    except ImportError as error:  # built for another Python, or another system
        return None, f"it cannot be loaded: {error}"


def _install_failure() -> str:
    """Return what the install has left of its failure."""
    try:
        return Path(__file__).with_name("not-built.txt").read_text().strip()
    except FileNotFoundError:
        return "the install left no reason"


kernel, why_not = _load()
