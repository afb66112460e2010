"""What compiling and error mitigation made of a job on a device, kept with it to be told."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

MOST_COUNTED: Final = 2**63 - 1  # larger numbers cannot be kept


class VariantOutput(msgspec.Struct, frozen=True):
    """One of the circuits that a debiased job was run as.

    Args:
        qubit_map: Qubit → the ion that it was on.
        shots: How many it ran.
    """

    qubit_map: tuple[int, ...]
    shots: int


class SymmetryOutput(msgspec.Struct, frozen=True):
    """What came of symmetry verification.

    Args:
        num_allowed_states: How many basis states a run without errors can end in, to
            `MOST_COUNTED`.
        is_applied: Whether shots were held against them: not if all states are allowed.
    """

    num_allowed_states: int
    is_applied: bool


class Output(msgspec.Struct, frozen=True):
    """What a job became on its way to a device.

    Args:
        gate_basis: The entangling gate that it was compiled to, `ZZ` or `MS`.
        opt: The level of optimization.
        precision: To which approximate synthesis was exact.
        native: The compiled circuit in `ionq.native.v1`; empty where that cannot hold it.
        openqasm: The compiled program in OpenQASM 3, where `native` is empty; else empty.
        device_seconds: How long the device would take for all shots.
        variants: In the order of their numbers; none without debiasing.
        symmetry: None where it was not asked for.
    """

    gate_basis: str
    opt: int
    precision: float
    native: str
    openqasm: str = ""
    device_seconds: float = 0.0
    variants: tuple[VariantOutput, ...] = ()
    symmetry: SymmetryOutput | None = None


def variant_id(job_id: str, number: int) -> str:
    """Return the id of a job's variant: nothing but the job and the number decides it."""
    return str(uuid.uuid5(uuid.UUID(job_id), f"variant {number}"))
