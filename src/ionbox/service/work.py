"""What a worker does with a task, and what it answers. Pure: the executor moves the bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from ionbox.backends.noise import NoiseModel
from ionbox.backends.pricing import billed_gate_counts
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import Jump, Program
from ionbox.engines.planner import Plan, engine_named, plan
from ionbox.engines.progress import Progress
from ionbox.errors import EngineMissingError, InvalidInputError
from ionbox.formats import results
from ionbox.formats.inputs import Input, read_input
from ionbox.jobs.job import Failure, FailureCode
from ionbox.jobs.output import Output
from ionbox.service.device_settings import DeviceRun
from ionbox.service.planning import Rules, encode_answers
from ionbox.service.preparation import Conditions, Prepared, gather, misfit, prepare

# A task that is only to be read is run at once where that takes no longer and no more than this.
RUN_AT_ONCE_SECONDS = 0.1
RUN_AT_ONCE_BYTES = 16 << 20


class Task(msgspec.Struct, frozen=True):
    """What a worker is asked to do.

    Args:
        engine: Which engine runs it, as planned; None to read the input and plan, first of all.
        noise: Of a job on the simulator; None for an ideal run.
        device: Of a job on a device.
        failure: Why it cannot be done, if it is known already.
        may_run: Whether it may be run at once where the engine is not planned yet.
        rules: How it is planned, and what it is computed in.
        threads: How many it may use.
        draft: Path at which a large outcome is left.
        process_memory_bytes: What the worker may take beyond what it has to read and plan;
            None for no limit.
        memory_bytes: What the run is planned with; what it may take follows from it.
        timeout_seconds: When to give up on the worker; None for never.
        niceness: How far to step back for others, as in nice(1).
    """

    job_id: str
    engine: str | None
    job_type: str
    data: bytes
    shots: int
    seed: int
    rules: Rules
    draft: str
    noise: NoiseModel | None = None
    device: DeviceRun | None = None
    failure: Failure | None = None
    registers: dict[str, Any] | None = None
    may_run: bool = False
    threads: int = 1
    niceness: int = 0
    process_memory_bytes: int | None = None
    memory_bytes: int = 0
    timeout_seconds: float | None = None


class Assessed(msgspec.Struct, frozen=True, tag=True):
    """What is known of an input once it was read and planned.

    Args:
        gate_counts: Operations on one qubit, and on two or more.
        billed_gate_counts: Gates on one qubit, and on two, that a price counts.
        max_controls: The most controls of an operation.
        has_jumps: Whether what it does depends on what it measured.
        warnings: What the caller should know of how it was read.
        threads: How many the plan can make use of.
        answers: What each engine said, as `planning.encode_answers` writes it.
        output: What compiling made of it, if it was compiled.
        failure: Why no engine takes it, or why its device cannot.
    """

    num_qubits: int
    gate_counts: tuple[int, int]
    billed_gate_counts: tuple[int, int] = (0, 0)
    max_controls: int = 0
    has_jumps: bool = False
    warnings: tuple[str, ...] = ()
    engine: str | None = None
    precision: str | None = None
    predicted_seconds: float = 0.0
    memory_bytes: int = 0
    threads: int = 1
    answers: str | None = None
    output: Output | None = None
    failure: Failure | None = None


class Finished(msgspec.Struct, frozen=True, tag=True):
    """An outcome: its encoded bytes, or None where they were left in the task's draft.

    Args:
        seconds: How long the engine ran.
        assessed: What is known of an input that was read and run at once.
        memory_bytes: The most that the run took; 0 where it was too short to be measured.
    """

    encoded: bytes | None
    seconds: float = 0.0
    memory_bytes: int = 0
    warnings: tuple[str, ...] = ()
    assessed: Assessed | None = None


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The task cannot be done, now or ever."""

    failure: Failure


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The worker died, or was ended, before it answered.

    Args:
        memory_bytes: What the task took when the worker was last heard of; None if it never was.
    """

    reason: str
    memory_bytes: int | None = None


Reply = Assessed | Finished | Failed | Lost


class Beat(msgspec.Struct, frozen=True, tag=True):
    """What a worker says about once a second while it is at a load of tasks: that it lives.

    Args:
        job_id: Of the task it is at.
        progress: How much of the engine's work is done, 0 to 1; None where nobody can tell.
        memory_bytes: The most that the task has taken beyond what the worker had before.
    """

    job_id: str
    progress: float | None
    memory_bytes: int


def assess(given: Input, conditions: Conditions) -> Assessed:
    """Plan an input: which engine, how long, how many bytes, or why not at all."""
    unfit = _unfit(given, conditions)
    return unfit or _assessed(given, conditions, prepare(given, conditions))


def _unfit(given: Input, conditions: Conditions) -> Assessed | None:
    """Return what is known of an input that its device cannot run."""
    failure = None if conditions.device is None else misfit(given, conditions.device)
    if failure is None:
        return None
    return replace(_size(given.program, given.warnings), failure=failure)


def _assessed(given: Input, conditions: Conditions, prepared: Prepared) -> Assessed:
    size, device = _size(prepared.program, given.warnings), conditions.device
    if device is not None:
        submitted = _size(given.program, ())
        size = replace(size, output=prepared.output, max_controls=submitted.max_controls)
        if device.is_dry:
            return size
    return _planned(size, make_plan(prepared, conditions.rules))


def make_plan(prepared: Prepared, rules: Rules) -> Plan:
    """Ask the engines about an input, and choose; all variants are run as the first one."""
    workload, num_parts = prepared.parts[0].workload, len(prepared.parts)
    made = plan(workload, memory_bytes=rules.memory_bytes, machine=rules.machine)
    return made if num_parts == 1 else made.times(num_parts)


class Watch(NamedTuple):
    """What is told of a task beside its outcome.

    Args:
        clock: Returns seconds, from wherever it counts.
        progress: Where another thread can read how far the engine is.
        begin: Called with the bytes that the run is planned with, once it is about to begin:
            what comes before is reading and planning.
    """

    clock: Callable[[], float]
    progress: Progress
    begin: Callable[[int], None]


def perform(task: Task, watch: Watch) -> Assessed | Finished | Failed:
    """Do a task: read the input, then plan it or run it, or both where it is soon done."""
    if task.failure is not None:
        return Failed(task.failure)
    conditions = Conditions(task.shots, task.seed, task.rules, task.noise, task.device)
    try:
        given = read_input(task.job_type, task.data, task.registers)
        return _unfit(given, conditions) or _perform(given, conditions, task, watch)
    except InvalidInputError as error:
        return Failed(Failure(FailureCode.INVALID_INPUT, str(error)))
    except EngineMissingError as error:
        return Failed(Failure(FailureCode.SIMULATION_ERROR, str(error)))


def _perform(given: Input, conditions: Conditions, task: Task, watch: Watch) -> Assessed | Finished:
    prepared = prepare(given, conditions)
    if task.engine is not None:
        watch.begin(task.memory_bytes)
        return _run(prepared, task, task.engine, watch)
    assessed = _assessed(given, conditions, prepared)
    if assessed.engine is None or not _is_soon_done(task, assessed):
        return assessed
    watch.begin(assessed.memory_bytes)
    return replace(_run(prepared, task, assessed.engine, watch), assessed=assessed)


def _run(prepared: Prepared, task: Task, engine: str, watch: Watch) -> Finished:
    runner, progress, start = engine_named(engine), watch.progress, watch.clock()
    outcomes = [
        runner.run(part.workload, threads=task.threads, progress=progress)
        for part in progress.parts(prepared.parts)
    ]
    whole = gather(prepared, [outcome.result for outcome in outcomes], task.seed)
    told = [warning for outcome in (*outcomes, whole) for warning in outcome.warnings]
    return Finished(
        results.encode(whole.result), watch.clock() - start, warnings=tuple(dict.fromkeys(told))
    )


def _is_soon_done(task: Task, assessed: Assessed) -> bool:
    # It was predicted for all the threads that it can make use of, and runs on one; and nobody can
    # tell how often a loop that waits for a measurement goes round.
    seconds = assessed.predicted_seconds * assessed.threads
    is_short = seconds <= RUN_AT_ONCE_SECONDS and not assessed.has_jumps
    return task.may_run and is_short and assessed.memory_bytes <= RUN_AT_ONCE_BYTES


def _size(program: Program, warnings: tuple[str, ...]) -> Assessed:
    """Return what is known of a program before anybody is asked to run it."""
    circuits = [step for step in program.steps if isinstance(step, Circuit)]
    sizes = [circuit.size() for circuit in circuits]
    gate_counts = billed = sum(size.num_1q for size in sizes), sum(size.num_2q for size in sizes)
    if any(size.widest > 2 for size in sizes):
        each = [billed_gate_counts(circuit) for circuit in circuits]
        billed = (sum(one for one, _ in each), sum(two for _, two in each))
    return Assessed(
        program.num_qubits,
        gate_counts,
        billed_gate_counts=billed,
        max_controls=max(size.max_controls for size in sizes),
        has_jumps=any(isinstance(step, Jump) for step in program.steps),
        warnings=warnings,
    )


def _planned(size: Assessed, made: Plan) -> Assessed:
    """Return what is known of a program with its plan."""
    estimate = made.chosen
    if estimate is None:
        return replace(size, answers=encode_answers(made.answers), failure=_failure(made))
    return replace(
        size,
        engine=estimate.engine,
        precision=estimate.precision,
        predicted_seconds=estimate.seconds,
        memory_bytes=estimate.memory_bytes,
        threads=estimate.threads,
        answers=encode_answers(made.answers),
    )


def _failure(made: Plan) -> Failure:
    code = FailureCode.NOT_ENOUGH_QUBITS if made.is_too_large else FailureCode.SIMULATION_ERROR
    return Failure(code, made.refusal)
