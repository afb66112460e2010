"""`ionbox explain`: which engine would run a file, and what the others say; without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from ionbox import calibration
from ionbox.api.extensions.plans import AnswerBody, write_answers
from ionbox.api.v03 import wire as v03
from ionbox.api.v04 import wire as v04
from ionbox.backends.noise import IDEAL, NOISE_MODELS
from ionbox.config import PRECISIONS, Precision
from ionbox.engines.calibration import REFERENCE, Machine
from ionbox.engines.planner import Plan, size_text
from ionbox.errors import InvalidInputError
from ionbox.formats.inputs import Input, read_input, read_registers
from ionbox.jobs.job import MULTI_CIRCUIT
from ionbox.machine import memory_for_jobs, num_cores
from ionbox.service.device_settings import DeviceRun, read_device_settings
from ionbox.service.planning import Rules
from ionbox.service.preparation import Conditions, Prepared, misfit, prepare
from ionbox.service.submission import MAX_SHOTS, Submission
from ionbox.service.work import make_plan

_GIB = 1 << 30


def _read_json(data: bytes) -> Submission:
    """Read the body of a request to either API version, or an `input` alone."""
    try:
        text = data.decode("utf-8-sig")
        body = json.loads(text)
    except ValueError as error:
        raise InvalidInputError("", f"not JSON: {error}") from error
    except RecursionError as error:
        raise InvalidInputError("", "nested too deeply") from error
    data = text.encode()
    if isinstance(body, dict) and "type" in body and "input" in body:
        return v04.read_submission(data)
    is_body = isinstance(body, dict) and not {"input", "body"}.isdisjoint(body)
    return v03.read_submission(data if is_body else b'{"input":%s}' % data)


def _of_text(job_type: str, text: str) -> Submission:
    body = {"type": job_type, "input": {"data": text}}
    return v04.read_submission(json.dumps(body).encode())


def _read_qasm(data: bytes) -> Submission:
    return _of_text("ionq.qasm3.v1", data.decode("utf-8-sig", errors="replace"))


def _read_qir(data: bytes) -> Submission:
    return _of_text("ionq.qir.v1", base64.b64encode(data).decode())


# How a file's name ends → how it is read; anything else is JSON.
READERS: Mapping[str, Callable[[bytes], Submission]] = {
    ".qasm": _read_qasm,
    ".qasm3": _read_qasm,
    ".bc": _read_qir,
}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--shots", type=click.IntRange(1, MAX_SHOTS), help="Instead of those in the file.")
@click.option("--noise", type=click.Choice([IDEAL, *NOISE_MODELS]), help="As --shots.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    show_default=True,
    envvar="IONBOX_PRECISION",
    show_envvar=True,
    help="What to compute in; as the setting of a server.",
)
@click.option(
    "--max-outcomes",
    type=click.IntRange(1),
    default=2**24,
    show_default=True,
    envvar="IONBOX_MAX_OUTCOMES",
    show_envvar=True,
    help="More possible outcomes are sampled instead of listed; as the setting of a server.",
)
@click.option("--threads", type=click.IntRange(1), help="By default as many as there are cores.")
@click.option(
    "--memory",
    type=click.FloatRange(0, min_open=True),
    metavar="GIB",
    help="What a run may take; by default 80 % of what is free.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON instead of a table.")  # fmt: skip
def explain(  # noqa: PLR0913 - one for each option
    *,
    file: Path,
    shots: int | None,
    noise: str | None,
    precision: Precision,
    max_outcomes: int,
    threads: int | None,
    memory: float | None,
    is_json: bool,
) -> None:
    """Tell which engine would run FILE, what it would take, and why not the others.

    FILE is the body of a request or its input, in JSON; or OpenQASM (.qasm), or QIR bitcode (.bc).
    """
    submission = READERS.get(file.suffix, _read_json)(file.read_bytes())
    if submission.job_type == MULTI_CIRCUIT:
        raise InvalidInputError("circuits", "many circuits; a plan is for one of them")
    given = read_input(submission.job_type, submission.data, read_registers(submission.registers))
    shots = shots or submission.shots
    rules = replace(_rules(threads, memory), precision=precision, max_outcomes=max_outcomes)
    noise = noise or submission.noise_model
    if noise not in (IDEAL, *NOISE_MODELS):
        known = ", ".join((IDEAL, *NOISE_MODELS))
        raise InvalidInputError("noise.model", f"'{noise}' is not one of: {known}")
    conditions = Conditions(
        shots, submission.seed or 0, rules, NOISE_MODELS.get(noise), _device(submission, shots)
    )
    prepared = _prepared(given, conditions)
    made = make_plan(prepared, rules)
    head = _head(prepared, conditions, noise)
    click.echo(_as_json(made) if is_json else _as_text(made, head))
    if made.chosen is None:
        raise click.ClickException(f"no engine takes it: {made.refusal}")


def _device(submission: Submission, shots: int) -> DeviceRun | None:
    """Return what a job on a device runs with: the newest record of a backend of the catalog."""
    from ionbox.assembly import catalog  # noqa: PLC0415 - `--help` must not wait for it

    backends = {backend.name: backend for backend in catalog()}
    backend = backends.get(submission.backend)
    if backend is None:
        raise InvalidInputError(
            "backend", f"'{submission.backend}' is not one of: {', '.join(backends)}"
        )
    twin = backend.twin(backend.characterization_id)
    if twin is None:
        return None
    settings = read_device_settings(submission.settings, submission.error_mitigation, shots)
    return DeviceRun(twin, settings)


def _prepared(given: Input, conditions: Conditions) -> Prepared:
    failure = None if conditions.device is None else misfit(given, conditions.device)
    if failure is not None:
        raise click.ClickException(failure.message)
    return prepare(given, conditions)


def _rules(threads: int | None, memory: float | None) -> Rules:
    """Return the rules of this machine, or of the one that is asked for."""
    known = calibration.remembered() or REFERENCE
    return Rules(
        memory_bytes=memory_for_jobs() if memory is None else int(memory * _GIB),
        machine=Machine(threads or num_cores(), known),
    )


def _answers(made: Plan) -> list[AnswerBody]:
    return write_answers(made.answers, made.chosen.engine if made.chosen else None)


def _as_json(made: Plan) -> str:
    chosen = made.chosen.engine if made.chosen else None
    body = {"chosen": chosen, "answers": msgspec.to_builtins(_answers(made))}
    return json.dumps(body, indent=2)


def _head(prepared: Prepared, conditions: Conditions, noise: str) -> str:
    device, num_parts = conditions.device, len(prepared.parts)
    where = f"noise model {noise}" if device is None else f"twin of {device.twin.record.backend}"
    if num_parts > 1:
        where += f", debiased with {num_parts} variants"
    return (
        f"{prepared.program.num_qubits} qubits, {conditions.shots} shots, {where}, "
        f"{size_text(conditions.rules.memory_bytes)} of memory"
    )


def _as_text(made: Plan, head: str) -> str:
    answers = _answers(made)
    estimates = [row for row in answers if row.estimate is not None]
    refusals = [row for row in answers if row.refusal is not None]
    lines = [head]
    if estimates:
        heads = ("", "engine", "time", "memory", "threads", "precision", "outcomes")
        lines += ["", *_columns([heads, *map(_row, estimates)])]
    if refusals:
        lines += ["", *_columns([("", row.engine, row.refusal or "") for row in refusals])]
    return "\n".join(lines)


def _row(answer: AnswerBody) -> tuple[str, ...]:
    estimate = answer.estimate
    assert estimate is not None  # noqa: S101 - only estimates are rows
    return (
        "*" if answer.is_chosen else "",
        answer.engine,
        _time_text(estimate.seconds),
        size_text(estimate.memory_bytes),
        str(estimate.threads),
        estimate.precision,
        "all, exactly" if estimate.is_exact else "sampled",
    )


def _columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines, each column as wide as its widest cell."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _time_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
