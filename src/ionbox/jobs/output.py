"""What compiling and error mitigation did to a job, kept with it to be told."""

from __future__ import annotations

import uuid

import msgspec


class VariantOutput(msgspec.Struct, frozen=True):
    """One of the circuits that a job with debiasing was run as.

    Args:
        id: As `variant_id` makes it.
        qubit_map: Qubit → the ion that it was on.
        shots: How many it ran.
    """

    id: str
    qubit_map: tuple[int, ...]
    shots: int


class SymmetryOutput(msgspec.Struct, frozen=True):
    """What came of symmetry verification.

    Args:
        num_allowed_states: How many basis states a run without errors can end in.
        is_applied: Whether shots were held against them.
        num_dropped: How many shots ended in another state, and are not in the results.
    """

    num_allowed_states: int
    is_applied: bool
    num_dropped: int = 0


class Output(msgspec.Struct, frozen=True):
    """What a job became on its way to a device.

    Args:
        gate_basis: The entangling gate that it was compiled to, `ZZ` or `MS`.
        opt: The level of optimization.
        precision: Rotations of an angle below this, in radians, are left out.
        native: The compiled circuit in `ionq.native.v1`; empty where that cannot hold it.
        openqasm: The compiled program in OpenQASM 3, where `native` is empty; else empty.
        variants: In the order of their numbers; none without debiasing.
        symmetry: None where it was not asked for.
    """

    gate_basis: str
    opt: int
    precision: float
    native: str
    openqasm: str = ""
    variants: tuple[VariantOutput, ...] = ()
    symmetry: SymmetryOutput | None = None


def variant_id(job_id: str, number: int) -> str:
    """Return the id of a job's variant: nothing but the job and the number decides it."""
    return str(uuid.uuid5(uuid.UUID(job_id), f"variant {number}"))
