"""The extension in C++, where it was built: simulation, read-out, sampling, results as text.

`kernel` is None where an install could not build it, where it cannot be loaded, and where the
environment says IONBOX_KERNEL=0: ionbox then runs on NumPy, and `why_not` says why. All functions
let other Python threads run meanwhile, and what they return is the same for any number of threads.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray


class Packed(Protocol):
    """A circuit as the kernel holds it: views of the arrays it was made of."""


class Progress(Protocol):
    """How far a run is: tiles done, of `total`, which grows as more of the run is planned."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


_Progress: TypeAlias = Progress  # within `Kernel` the name is that of its member


class Kernel(Protocol):
    """What the extension offers."""

    @property
    def Progress(self) -> type[_Progress]:  # noqa: N802 - a class
        """Whose objects begin as a progress that nothing has been done of."""

    def variants(self) -> Sequence[str]:
        """Return the instruction sets that this processor has, the best one first."""

    def gate_rows(self) -> Sequence[str]:
        """Return the rows of the gate table that it knows, in their order, as gateset.name."""

    def pack(  # noqa: PLR0913, PLR0917 - the packed arrays of a circuit
        self,
        num_qubits: int,
        gates: NDArray[np.int16],
        qubits: NDArray[np.int32],
        qubit_starts: NDArray[np.int32],
        num_targets: NDArray[np.int32],
        params: NDArray[np.float64],
        param_starts: NDArray[np.int32],
        paulis: NDArray[np.uint8],
        pauli_starts: NDArray[np.int32],
    ) -> Packed:
        """Return the arrays of an `ionbox.circuits.circuit.Circuit` as the kernel holds them."""

    def simulate(
        self,
        circuit: Packed,
        *,
        is_double: bool,
        threads: int = 1,
        variant: str = "",
        progress: _Progress | None = None,
    ) -> NDArray[np.float32 | np.float64]:
        """Return the squared magnitudes of all 2**n amplitudes that a circuit makes of |0...0>.

        Args:
            circuit: Its words in a pauliexp on more than 2 targets commute.
            is_double: Whether amplitudes are two float64, and not two float32.
            threads: At most so many.
            variant: An instruction set; empty for the best one.
            progress: What another thread can read how far the run is from.

        Raises:
            ValueError: If the arrays do not fit together.
            MemoryError: If there is no room.
        """

    def evolve(
        self,
        state: NDArray[np.complex64 | np.complex128],
        circuit: Packed,
        *,
        live: int = 2**64 - 1,
        threads: int = 1,
        variant: str = "",
    ) -> None:
        """Apply a circuit to a state vector in place.

        Args:
            state: 2**n amplitudes; qubit 0 is the lowest bit.
            circuit: As for `simulate`.
            live: A mask of the qubits that may be 1. Amplitudes where another qubit is 1 must be
                zero; they are not read.
            threads: At most so many.
            variant: An instruction set; empty for the best one.

        Raises:
            ValueError: If the arrays do not fit together.
            MemoryError: If there is no room for a tile; nothing is changed.
        """

    def follow(  # noqa: PLR0913, PLR0917 - channels, errors and shots, a column each
        self,
        circuit: Packed,
        after: NDArray[np.int32],
        qubits: NDArray[np.int32],
        qubit_starts: NDArray[np.int32],
        shots: NDArray[np.int64],
        channels: NDArray[np.int64],
        paulis: NDArray[np.uint64],
        uniforms: NDArray[np.float64],
        drawn: NDArray[np.uint64],
        *,
        is_double: bool,
        threads: int = 1,
        variant: str = "",
        progress: _Progress | None = None,
    ) -> None:
        """Write the basis state that is found in each noisy shot of a circuit.

        It is the one at the shot's uniform in the cumulated probabilities of its own final state.

        Args:
            circuit: As for `simulate`.
            after: Of each channel, how many operations come before it; ascending.
            qubits: Of the channels.
            qubit_starts: Where those of each channel start, and the end.
            shots: In which shot each error happens; ascending.
            channels: Of which channel it is; ascending within a shot.
            paulis: Which one, as in `ionbox.engines.errors.Errors`.
            uniforms: In [0, 1), one for each shot.
            drawn: What is written.
            is_double: Whether amplitudes are two float64, and not two float32.
            threads: At most so many.
            variant: An instruction set; empty for the best one.
            progress: Counts shots.

        Raises:
            ValueError: If the columns do not fit together.
            MemoryError: If there is no room; what is written then is not complete.
        """

    def patterns(  # noqa: PLR0913, PLR0917 - channels and errors, a column each
        self,
        circuit: Packed,
        after: NDArray[np.int32],
        qubits: NDArray[np.int32],
        qubit_starts: NDArray[np.int32],
        shots: NDArray[np.int64],
        channels: NDArray[np.int64],
        paulis: NDArray[np.uint64],
        num_shots: int,
    ) -> tuple[int, int, Sequence[int], Sequence[int]]:
        """Return which shots `follow` would simulate together.

        Returns:
            How many acts on a state the circuit is; how many bits tell one pattern from another;
            of each shot, the number of its pattern; and of each pattern, the first act that it
            changes, past all of them if there is none.
        """

    def probability_of_one(
        self, state: NDArray[np.complex64 | np.complex128], qubit: int, *, threads: int = 1
    ) -> float:
        """Return the share of the squared norm in which a qubit is 1, summed in float64."""

    def collapse(  # noqa: PLR0913 - a state, and what becomes of it
        self,
        state: NDArray[np.complex64 | np.complex128],
        qubit: int,
        outcome: int,
        factor: float,
        *,
        is_reset: bool = False,
        threads: int = 1,
    ) -> None:
        """Multiply the amplitudes in which a qubit has that value, and clear the others, in place.

        Args:
            is_reset: Whether what is kept is moved to where the qubit is 0.
        """

    def mix(  # noqa: PLR0913 - the packed arrays of channels
        self,
        circuit: Packed,
        after: NDArray[np.int32],
        qubits: NDArray[np.int32],
        starts: NDArray[np.int32],
        factors: NDArray[np.float64],
        *,
        threads: int = 1,
        variant: str = "",
    ) -> NDArray[np.float64]:
        """Return the probabilities of all 2**n basis states after a noisy circuit.

        Where they are 0, rounding may leave a trace, of either sign.

        Args:
            circuit: As for `simulate`, of at most 16 qubits.
            after: How many operations come before each channel, ascending.
            qubits: Of the channels; those of channel k are from `starts[k]` to `starts[k + 1]`.
            starts: One more than there are channels.
            factors: Three for each channel: what is left of the expectation values of X, Y and Z.
                On more than one qubit the first holds for all Pauli words but I.
            threads: At most so many.
            variant: An instruction set; empty for the best one.

        Raises:
            ValueError: If the arrays do not fit together.
            MemoryError: If there is no room.
        """

    def effort(
        self, circuit: Packed, *, is_double: bool, variant: str = ""
    ) -> tuple[int, float, float, float]:
        """Return what `simulate` would take.

        Returns:
            Stages, each a pass over memory; passes over the whole state, reading and writing it;
            steps on the whole state in registers, a visit without any counted as one; and
            floating-point operations.
        """

    def survey(
        self, weights: NDArray[np.float32 | np.float64], share: float, *, threads: int = 1
    ) -> tuple[float, float, int, float]:
        """Return what `ionbox.formats.weights.Survey` holds.

        Raises:
            ValueError: If there are no weights.
        """

    def rescale(
        self,
        weights: NDArray[np.float32 | np.float64],
        least: float,
        total: float,
        *,
        threads: int = 1,
    ) -> None:
        """Divide weights that are at least `least` by `total`, in place; the others become 0."""

    def gather(  # noqa: PLR0913 - two columns are written
        self,
        weights: NDArray[np.float32 | np.float64],
        least: float,
        total: float,
        basis_states: NDArray[np.uint64],
        values: NDArray[np.float32 | np.float64],
        *,
        threads: int = 1,
    ) -> None:
        """Write the places of the weights that are at least `least`, and those rescaled.

        Raises:
            ValueError: If the columns are not exactly as long as what is written.
        """

    def locate(
        self,
        weights: NDArray[np.float32 | np.float64],
        uniforms: NDArray[np.float64],
        drawn: NDArray[np.uint64],
        *,
        threads: int = 1,
    ) -> None:
        """Write the basis state of each of the uniforms in [0, 1), which ascend.

        Raises:
            ValueError: If the columns differ in length, or there are no weights.
        """

    def print_members(  # noqa: PLR0913 - the columns, and how they are printed
        self,
        values: NDArray[np.float32 | np.float64 | np.int64],
        *,
        keys: NDArray[np.uint64] | None = None,
        first: int = 0,
        num_bits: int = 0,
        digits: int = 15,
        threads: int = 1,
    ) -> bytes:
        """Print `,"key":value` for every value that is not zero.

        Args:
            values: Integers must not be negative.
            keys: One for each value; None for `first` and those that follow it.
            first: The key of the first value.
            num_bits: Of a key as a bitstring, bit 0 leftmost, at most 64; 0 prints integers.
            digits: Of numbers, 15 or 7: they are printed as by `%.15g` or `%.7g`.
            threads: At most so many.
        """

    def print_strings(self, keys: NDArray[np.uint64], *, threads: int = 1) -> bytes:
        """Print `,"key"` for every integer."""

    def print_shots(
        self,
        blank: bytes,
        registers: Sequence[tuple[int, int, NDArray[np.uint8]]],
        *,
        threads: int = 1,
    ) -> bytes:
        """Print the text of every shot.

        Args:
            blank: The text of a shot whose bits are all 0.
            registers: Of each one where its bits start in the text, a character apart; how many
                they are; and its rows, as in `ionbox.formats.results.Shots`.
            threads: At most so many.

        Raises:
            ValueError: If a register does not fit into the text, or registers differ in shots.
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
