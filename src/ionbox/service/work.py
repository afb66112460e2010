"""What a worker does with a task, and what it answers. Pure: the executor moves the bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from ionbox.circuits.circuit import Circuit
from ionbox.engines.engine import Estimate, Workload
from ionbox.engines.planner import engine_named, plan
from ionbox.errors import InvalidInputError
from ionbox.formats import ionq, results
from ionbox.jobs.job import Failure, FailureCode, Job
from ionbox.jobs.lifecycle import Effect, JobEvent, step

# Job type, as API v0.4 names it → how its input is read.
READERS: Mapping[str, Callable[[bytes], Circuit]] = {"ionq.circuit.v1": ionq.read_circuit}


class Task(msgspec.Struct, frozen=True):
    """What a worker is asked to do.

    Args:
        engine: Which engine runs it, as planned; None to only read the input and plan.
        memory_bytes: What a plan may take.
        draft: Path at which a large outcome is left.
        process_memory_bytes: What the worker may take beyond what it has; None for no limit.
        timeout_seconds: When to give up on the worker; None for never.
        niceness: How far to step back for others, as in nice(1).
    """

    job_id: str
    engine: str | None
    job_type: str
    data: bytes
    shots: int
    seed: int
    noise_model: str
    memory_bytes: int
    draft: str
    niceness: int = 0
    process_memory_bytes: int | None = None
    timeout_seconds: float | None = None


class Assessed(msgspec.Struct, frozen=True, tag=True):
    """What is known of an input once it was read and planned."""

    num_qubits: int
    gate_counts: tuple[int, int]
    engine: str | None = None
    precision: str | None = None
    predicted_seconds: float = 0.0
    memory_bytes: int = 0
    failure: Failure | None = None


class Finished(msgspec.Struct, frozen=True, tag=True):
    """An outcome: its encoded bytes, or None where they were left in the task's draft."""

    encoded: bytes | None
    warnings: tuple[str, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The task cannot be done, now or ever."""

    failure: Failure


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The worker died, or was ended, before it answered."""

    reason: str


Reply = Assessed | Finished | Failed | Lost


class Conditions(NamedTuple):
    """What decides, beside the circuit, how it can be run."""

    shots: int
    seed: int
    noise_model: str
    memory_bytes: int


def read_input(job_type: str, data: bytes) -> Circuit:
    """Read the circuit of a job.

    Args:
        job_type: A row of `READERS`.

    Raises:
        InvalidInputError: If the text is not a circuit.
    """
    try:
        return READERS[job_type](data)
    except InvalidInputError as error:
        raise InvalidInputError(error.path or "input", error.message) from error


def assess(circuit: Circuit, conditions: Conditions) -> Assessed:
    """Plan a circuit: which engine, how long, how many bytes, or why not at all."""
    answer = plan(_workload(circuit, conditions), memory_bytes=conditions.memory_bytes)
    known = Assessed(circuit.num_qubits, circuit.gate_counts())
    if answer.chosen is None:
        code = (
            FailureCode.NOT_ENOUGH_QUBITS if answer.is_too_large else FailureCode.SIMULATION_ERROR
        )
        return msgspec.structs.replace(known, failure=Failure(code, answer.refusal))
    return _with_estimate(known, answer.chosen)


def perform(task: Task) -> Assessed | Finished | Failed:
    """Do a task: read the input, then plan it or run it."""
    conditions = Conditions(task.shots, task.seed, task.noise_model, task.memory_bytes)
    try:
        circuit = read_input(task.job_type, task.data)
    except InvalidInputError as error:
        return Failed(Failure(FailureCode.INVALID_INPUT, str(error)))
    if task.engine is None:
        return assess(circuit, conditions)
    outcome = engine_named(task.engine).run(_workload(circuit, conditions))
    return Finished(results.encode(outcome.probabilities), outcome.warnings)


def accept(job: Job, assessed: Assessed, now: datetime) -> tuple[Job, tuple[Effect, ...]]:
    """Return a submitted job with what is known of its input: ready, or failed and why."""
    known = msgspec.structs.replace(
        job,
        num_qubits=assessed.num_qubits,
        gate_counts=assessed.gate_counts,
        engine=assessed.engine,
        precision=assessed.precision,
        predicted_seconds=assessed.predicted_seconds,
        memory_bytes=assessed.memory_bytes,
    )
    if assessed.failure is not None:
        return step(known, JobEvent.FAIL, now, failure=assessed.failure)
    return step(known, JobEvent.ACCEPT, now)


def _workload(circuit: Circuit, conditions: Conditions) -> Workload:
    return Workload(circuit, conditions.shots, conditions.seed, noise_model=conditions.noise_model)


def _with_estimate(known: Assessed, estimate: Estimate) -> Assessed:
    return msgspec.structs.replace(
        known,
        engine=estimate.engine,
        precision=estimate.precision,
        predicted_seconds=estimate.seconds,
        memory_bytes=estimate.memory_bytes,
    )
