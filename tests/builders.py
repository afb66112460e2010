"""What tests build from: whole values with one thing changed."""

from __future__ import annotations

import itertools
import json
import sqlite3
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ionbox._kernel import kernel
from ionbox.assembly import catalog
from ionbox.backends.noise import NOISE_MODELS
from ionbox.backends.pricing import FREE, PriceBook
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.circuits.unitaries import Matrix
from ionbox.engines.engine import Engine, Estimate, Outcome, Workload
from ionbox.formats.results import Exact, Probabilities, decode, integers
from ionbox.jobs.job import Job, JobStatus, new_job_id
from ionbox.service.acceptance import Acceptance
from ionbox.service.targets import Targets
from ionbox.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)

# The engine of ideal circuits, which depends on whether the kernel was built.
IDEAL_ENGINE = "statevector" if kernel is None else "kernel"

# What a module may find where the kernel would be: what it does must be the same with each.
KERNELS = [None] if kernel is None else [None, kernel]

BELL: dict[str, Any] = {
    "qubits": 2,
    "circuit": [
        {"gate": "h", "target": 0},
        {"gate": "cnot", "control": 0, "target": 1},
    ],
}

# I, X, Y, Z
PAULIS: tuple[Matrix, ...] = (
    np.eye(2, dtype=np.complex128),
    np.array([[0, 1], [1, 0]], np.complex128),
    np.array([[0, -1j], [1j, 0]], np.complex128),
    np.diag([1, -1]).astype(np.complex128),
)


def qis(
    name: str, targets: Sequence[int], *params: float, controls: Sequence[int] = ()
) -> Operation:
    return Operation(GATE_BY_NAME["qis", name], tuple(targets), tuple(controls), params)


def workload(circuit: Circuit, registers: Any = None, **options: Any) -> Workload:  # noqa: ANN401
    values = {"shots": 1000, "seed": 7, **options}
    return Workload(program_of(circuit, registers), **values)


def outcome_by(engine: Engine, given: Workload) -> Outcome:
    """Run what an engine must not refuse."""
    assert isinstance(engine.assess(given), Estimate)
    return engine.run(given)


def peak_bytes(run: Callable[[], object]) -> int:
    """Return how much memory a run takes at most, beyond what was there."""
    tracemalloc.start()
    try:
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak


def bell_bytes() -> bytes:
    return json.dumps(BELL).encode()


def make_job(**changes: Any) -> Job:  # noqa: ANN401 - any field of a job
    """Return a job that is ready, with these fields instead."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": new_job_id(NOW + timedelta(milliseconds=number), number),
        "project_id": "project-1",
        "submitter_id": "0123456789abcdef01234567",
        "backend": "simulator",
        "job_type": "ionq.circuit.v1",
        "shots": 100,
        "seed": 7,
        "submitted_at": NOW,
        "status": JobStatus.READY,
    }
    return Job(**values | changes)


def make_acceptance(*, is_strict: bool = False) -> Acceptance:
    """Return the rules for all backends of the catalog, which cost nothing."""
    backends = {backend.name: backend for backend in catalog()}
    prices = PriceBook("free", "usd", dict.fromkeys(backends, FREE))
    return Acceptance(backends, prices, is_strict=is_strict)


def make_targets() -> Targets:
    """Return all backends of the catalog, and ionbox's own noise models."""
    return Targets({backend.name: backend for backend in catalog()}, NOISE_MODELS)


def rotations(num_qubits: int, num_gates: int) -> dict[str, Any]:
    """Return a circuit of so many gates, to be small, large or long."""
    gates = [
        {"gate": "rx", "target": number % num_qubits, "rotation": 0.5}
        for number in range(num_gates)
    ]
    return {"qubits": num_qubits, "circuit": gates}


def entanglers(num_qubits: int, num_gates: int) -> dict[str, Any]:
    """Return a circuit of so many gates that no engine can merge."""
    gates = []
    for number in range(num_gates):
        rounds, first = divmod(number, num_qubits)
        second = (first + 1 + rounds % (num_qubits - 1)) % num_qubits
        gates.append({"gate": "xx", "targets": [first, second], "rotation": 0.5})
    return {"qubits": num_qubits, "circuit": gates}


# Takes very long: for jobs that are to be met while they run.
ENDLESS = entanglers(24, 5000)


def outcome(stored: bytes | memoryview | None) -> Probabilities:
    """Return the probabilities of all qubits in a stored exact result."""
    result = decode(stored or b"")
    assert isinstance(result, Exact)
    return result.registers[OUTPUT_ALL]


def listed(register: Probabilities) -> dict[int, float]:
    """Return the basis states of a register that are there, as integers, with their values."""
    states = register.basis_states
    if states is None:
        keys = list(range(register.values.size))
    else:
        keys = integers(states.astype(np.uint8)) if states.ndim == 2 else states.tolist()
    pairs = zip(keys, register.values.tolist(), strict=True)
    return {key: value for key, value in pairs if value}


# No machine has room for it: no Clifford circuit, and everything is entangled with everything.
TOO_WIDE = entanglers(45, 990)


def limit_pages(store: SqliteStore, more: int) -> None:
    """Have SQLite find no room beyond so many more pages, as on a full disk."""

    def limit(database: sqlite3.Connection) -> None:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + more}")

    store._writer.submit(limit).result()
