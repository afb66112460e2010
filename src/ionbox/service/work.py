"""What a worker does with a task, and what it answers. Pure: the executor moves the bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from ionbox.backends.noise import NOISE_MODELS
from ionbox.backends.pricing import billed_gate_counts
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import Jump
from ionbox.engines.engine import Workload
from ionbox.engines.planner import Plan, engine_named, plan
from ionbox.errors import EngineMissingError, InvalidInputError
from ionbox.formats import results
from ionbox.formats.inputs import Input, read_input
from ionbox.jobs.job import Failure, FailureCode
from ionbox.service.planning import Rules, encode_answers

# A task that is only to be read is run at once where that takes no longer and no more than this.
RUN_AT_ONCE_SECONDS = 0.1
RUN_AT_ONCE_BYTES = 16 << 20


class Task(msgspec.Struct, frozen=True):
    """What a worker is asked to do.

    Args:
        engine: Which engine runs it, as planned; None to read the input and plan, first of all.
        may_run: Whether it may be run at once where the engine is not planned yet.
        rules: How it is planned, and what it is computed in.
        threads: How many it may use.
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
    rules: Rules
    draft: str
    registers: dict[str, Any] | None = None
    may_run: bool = False
    threads: int = 1
    niceness: int = 0
    process_memory_bytes: int | None = None
    timeout_seconds: float | None = None


class Assessed(msgspec.Struct, frozen=True, tag=True):
    """What is known of an input once it was read and planned.

    Args:
        gate_counts: Operations on one qubit, and on two or more.
        billed_gate_counts: Gates on one qubit, and on two, that a price counts.
        max_controls: The most controls of an operation.
        native_gates: The native gates it uses.
        has_jumps: Whether what it does depends on what it measured.
        warnings: What the caller should know of how it was read.
        threads: How many the plan can make use of.
        answers: What each engine said, as `planning.encode_answers` writes it.
        failure: Why no engine takes it.
    """

    num_qubits: int
    gate_counts: tuple[int, int]
    billed_gate_counts: tuple[int, int] = (0, 0)
    max_controls: int = 0
    native_gates: tuple[str, ...] = ()
    has_jumps: bool = False
    warnings: tuple[str, ...] = ()
    engine: str | None = None
    precision: str | None = None
    predicted_seconds: float = 0.0
    memory_bytes: int = 0
    threads: int = 1
    answers: str | None = None
    failure: Failure | None = None


class Finished(msgspec.Struct, frozen=True, tag=True):
    """An outcome: its encoded bytes, or None where they were left in the task's draft.

    Args:
        seconds: How long the engine ran.
        assessed: What is known of an input that was read and run at once.
    """

    encoded: bytes | None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    assessed: Assessed | None = None


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The task cannot be done, now or ever."""

    failure: Failure


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The worker died, or was ended, before it answered."""

    reason: str


Reply = Assessed | Finished | Failed | Lost


class Conditions(NamedTuple):
    """What decides, beside the input, how it can be run."""

    shots: int
    seed: int
    noise_model: str
    rules: Rules


def assess(given: Input, conditions: Conditions) -> Assessed:
    """Plan an input: which engine, how long, how many bytes, or why not at all."""
    return _assessed(given, make_plan(given, conditions))


def make_plan(given: Input, conditions: Conditions) -> Plan:
    """Ask the engines about an input, and choose."""
    rules, workload = conditions.rules, _workload(given, conditions)
    return plan(workload, memory_bytes=rules.memory_bytes, machine=rules.machine)


def perform(task: Task, clock: Callable[[], float]) -> Assessed | Finished | Failed:
    """Do a task: read the input, then plan it or run it, or both where it is soon done.

    Args:
        clock: Returns seconds, from wherever it counts.
    """
    conditions = Conditions(task.shots, task.seed, task.noise_model, task.rules)
    try:
        given = read_input(task.job_type, task.data, task.registers)
        if task.engine is not None:
            return _run(given, conditions, task.engine, task.threads, clock)
        assessed = assess(given, conditions)
        if assessed.engine is None or not _is_soon_done(task, assessed):
            return assessed
        finished = _run(given, conditions, assessed.engine, task.threads, clock)
        return msgspec.structs.replace(finished, assessed=assessed)
    except InvalidInputError as error:
        return Failed(Failure(FailureCode.INVALID_INPUT, str(error)))
    except EngineMissingError as error:
        return Failed(Failure(FailureCode.SIMULATION_ERROR, str(error)))


def _run(
    given: Input, conditions: Conditions, engine: str, threads: int, clock: Callable[[], float]
) -> Finished:
    workload = _workload(given, conditions)
    start = clock()
    outcome = engine_named(engine).run(workload, threads=threads)
    return Finished(results.encode(outcome.result), clock() - start, outcome.warnings)


def _is_soon_done(task: Task, assessed: Assessed) -> bool:
    # It was predicted for all the threads that it can make use of, and runs on one; and nobody can
    # tell how often a loop that waits for a measurement goes round.
    seconds = assessed.predicted_seconds * assessed.threads
    is_short = seconds <= RUN_AT_ONCE_SECONDS and not assessed.has_jumps
    return task.may_run and is_short and assessed.memory_bytes <= RUN_AT_ONCE_BYTES


def _workload(given: Input, conditions: Conditions) -> Workload:
    return Workload(
        given.program,
        conditions.shots,
        conditions.seed,
        noise=NOISE_MODELS.get(conditions.noise_model),
        observable=given.observable,
        max_outcomes=conditions.rules.max_outcomes,
        precision=conditions.rules.precision,
    )


def _assessed(given: Input, made: Plan) -> Assessed:
    program, estimate = given.program, made.chosen
    circuits = [step for step in program.steps if isinstance(step, Circuit)]
    sizes = [circuit.size() for circuit in circuits]
    gate_counts = billed = sum(size.num_1q for size in sizes), sum(size.num_2q for size in sizes)
    if any(size.widest > 2 for size in sizes):
        each = [billed_gate_counts(circuit) for circuit in circuits]
        billed = (sum(one for one, _ in each), sum(two for _, two in each))
    natives = [circuit.gate_names() for circuit in circuits if circuit.gateset == "native"]
    return Assessed(
        program.num_qubits,
        gate_counts,
        billed_gate_counts=billed,
        max_controls=max(size.max_controls for size in sizes),
        native_gates=tuple(sorted(set().union(*natives))),
        has_jumps=any(isinstance(step, Jump) for step in program.steps),
        warnings=given.warnings,
        engine=estimate.engine if estimate else None,
        precision=estimate.precision if estimate else None,
        predicted_seconds=estimate.seconds if estimate else 0.0,
        memory_bytes=estimate.memory_bytes if estimate else 0,
        threads=estimate.threads if estimate else 1,
        answers=encode_answers(made.answers),
        failure=None if estimate else _failure(made),
    )


def _failure(made: Plan) -> Failure:
    code = FailureCode.NOT_ENOUGH_QUBITS if made.is_too_large else FailureCode.SIMULATION_ERROR
    return Failure(code, made.refusal)
