"""What compiling and mitigation made of a job on a device: kept with it, and shown."""

from __future__ import annotations

import msgspec


class VariantOutput(msgspec.Struct, frozen=True):
    """One of the symmetric variants of a debiased circuit.

    Args:
        qubit_map: The ion of each qubit of the compiled circuit.
        shots: How many of the job's shots it gets.
    """

    qubit_map: tuple[int, ...]
    shots: int


class SymmetryOutput(msgspec.Struct, frozen=True):
    """What symmetry verification found.

    Args:
        num_allowed_states: Basis states that the circuit can end in, without noise.
        is_applied: Whether shots in other states are dropped: not if every state is allowed.
    """

    num_allowed_states: int
    is_applied: bool


class Output(msgspec.Struct, frozen=True):
    """What became of a circuit before it was run.

    Args:
        gate_basis: The gate on two qubits, `ZZ` or `MS`.
        opt: The level of optimisation.
        precision: To which approximate synthesis was exact.
        native: The compiled program, as the text of `ionq.native.v1`; empty if it is no circuit.
        device_seconds: How long the device would take for all shots.
        variants: Of a debiased job; empty for others.
        symmetry: Where it was asked for.
    """

    gate_basis: str
    opt: int
    precision: float
    native: str = ""
    device_seconds: float = 0.0
    variants: tuple[VariantOutput, ...] = ()
    symmetry: SymmetryOutput | None = None
