"""What a job can be addressed to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend as the catalog describes it.

    Args:
        num_qubits: What it is announced with; SDKs build their targets from it.
        noise_models: Names that `noise.model` may take.
    """

    name: str
    status: str
    num_qubits: int
    noise_models: tuple[str, ...] = ()


def read_backend(text: str) -> Backend:
    """Read a backend from the TOML text of a catalog file."""
    row = tomllib.loads(text)
    return Backend(
        name=row["name"],
        status=row["status"],
        num_qubits=row["num_qubits"],
        noise_models=tuple(row.get("noise_models", ())),
    )
