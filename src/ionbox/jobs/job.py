"""The record of a job: what was asked, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from ionbox.backends.noise import IDEAL


class JobStatus(StrEnum):
    """Where a job stands; the words of the API v0.4."""

    SUBMITTED = "submitted"
    READY = "ready"
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class FailureCode(StrEnum):
    """Why a job failed; those of IonQ's codes that ionbox has a use for."""

    INVALID_INPUT = "InvalidInput"
    NOT_ENOUGH_QUBITS = "NotEnoughQubits"
    TOO_MANY_CONTROLS = "TooManyControls"
    UNSUPPORTED_GATE = "UnsupportedGate"
    PREFLIGHT_ERROR = "PreflightError"
    QUOTA_EXHAUSTED = "QuotaExhaustedError"
    SIMULATION_ERROR = "SimulationError"
    QUANTUM_COMPUTER_ERROR = "QuantumComputerError"
    INTERNAL_ERROR = "InternalError"


class Failure(msgspec.Struct, frozen=True):
    """Why a job failed, for programs (`code`) and for people (`message`)."""

    code: str
    message: str


MULTI_CIRCUIT = "ionq.multi-circuit.v1"
# RFC 9218, section 4.1: of 0, the most urgent, to 7.
URGENCY = 3
_UUID_GROUPS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))


class Job(msgspec.Struct, frozen=True):
    """One job. A change makes a new record, through `lifecycle.step`.

    A Struct and not a dataclass: made and changed several times in the life of every job, which a
    frozen dataclass does ten times slower.

    Args:
        backend: What it is addressed to.
        job_type: As API v0.4 names it, such as `ionq.circuit.v1`.
        seed: What makes its sampling repeatable; drawn at submit when the caller gave none.
        parent_id: The job of many circuits that it is one circuit of.
        session_id: The session that it belongs to.
        is_dry_run: Whether it is only read, checked and priced.
        num_circuits: How many child jobs it has, if it is a parent; 1 otherwise.
        settings: What the caller sent for the compiler and mitigation, echoed as it came.
        characterization_id: The record that a device is taken to be like; None on a simulator.
        registers: Names of classical registers, echoed as they came.
        num_qubits: 0 until the circuit was read.
        gate_counts: Operations on one qubit, and on two or more.
        engine: The method that the planner chose; None until the circuit was read.
        precision: `float64` or `float32`, as the planner chose.
        predicted_seconds: How long the plan expects it to run.
        memory_bytes: How much memory the plan expects it to take.
        threads: How many the plan can make use of.
        run_threads: How many it was granted; None until it has run.
        run_seconds: How long the engine took; None until it has run.
        cost_micros: What it costs, in millionths of the price book's currency.
        attempt: How often a worker has claimed it.
        urgency: Which of its submitter's jobs goes first: the one with the lowest number.
        predicted_wait_seconds: How long it was expected to wait when it began to; None before.
        peak_bytes: How much memory its run took, if it was measured.
    """

    id: str
    project_id: str
    submitter_id: str
    backend: str
    job_type: str
    shots: int
    seed: int
    submitted_at: datetime
    status: JobStatus = JobStatus.SUBMITTED
    name: str | None = None
    metadata: Mapping[str, str] | None = None
    noise_model: str = IDEAL
    settings: Mapping[str, Any] | None = None
    error_mitigation: Mapping[str, Any] | None = None
    registers: Mapping[str, Any] | None = None
    parent_id: str | None = None
    session_id: str | None = None
    is_dry_run: bool = False
    num_circuits: int = 1
    characterization_id: str | None = None
    num_qubits: int = 0
    gate_counts: tuple[int, int] = (0, 0)
    engine: str | None = None
    precision: str | None = None
    predicted_seconds: float = 0.0
    memory_bytes: int = 0
    threads: int = 1
    run_threads: int | None = None
    run_seconds: float | None = None
    cost_micros: int = 0
    attempt: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    urgency: int = URGENCY
    predicted_wait_seconds: float | None = None
    peak_bytes: int | None = None

    @property
    def is_parent(self) -> bool:
        """Whether it is a job of many circuits, each run as a child job."""
        return self.job_type == MULTI_CIRCUIT

    @property
    def is_sampled(self) -> bool:
        """Whether its results are shots; those of an ideal job are exact probabilities."""
        return self.noise_model != IDEAL or self.is_on_device

    @property
    def is_on_device(self) -> bool:
        """Whether it is compiled for a device, and run on its twin."""
        return self.characterization_id is not None

    @property
    def execution_seconds(self) -> float | None:
        """How long it ran, 0 if it never started; None until it ended."""
        if self.completed_at is None:
            return None
        return (self.completed_at - (self.started_at or self.completed_at)).total_seconds()


def new_job_id(now: datetime, entropy: int) -> str:
    """Return a UUID that sorts by time.

    Args:
        now: The time of submission, aware.
        entropy: At least 62 random bits.

    Source:
        RFC 9562, section 5.7, with the sub-millisecond fraction of section 6.2, method 3.
    """
    microseconds = int(now.timestamp() * 1_000_000)
    milliseconds, fraction = divmod(microseconds, 1000)
    twelfth_bits = fraction * 4096 // 1000
    high = milliseconds << 16 | 0x7 << 12 | twelfth_bits
    low = 0b10 << 62 | entropy & ((1 << 62) - 1)
    digits = f"{high << 64 | low:032x}"
    return "-".join(digits[a:b] for a, b in _UUID_GROUPS)
