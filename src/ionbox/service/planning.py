"""By what rules a server plans its jobs, and what is kept of a plan."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from ionbox.engines.calibration import ONE_CORE, Calibration, Machine
from ionbox.engines.engine import Estimate, Precision, Refusal
from ionbox.jobs.job import Job
from ionbox.jobs.output import Output

Answer = Estimate | Refusal

_answers: Final = msgspec.json.Decoder(tuple[Answer, ...])
_output: Final = msgspec.json.Decoder(Output)


class Rules(msgspec.Struct, frozen=True):
    """What decides, beside a job itself, how it is run.

    Args:
        memory_bytes: What a run may take.
        machine: Where it runs.
        precision: Which one is asked for.
        max_outcomes: More possible outcomes than this are sampled instead of listed.
    """

    memory_bytes: int
    machine: Machine = ONE_CORE
    precision: Precision = "auto"
    max_outcomes: int = 2**24


class Rulebook:
    """The rules as they are now: a calibration may change them while the server runs."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def calibrate(self, calibration: Calibration) -> None:
        """Plan with another calibration from now on."""
        machine = replace(self.rules.machine, calibration=calibration)
        self.rules = replace(self.rules, machine=machine)


class JobPlan(NamedTuple):
    """A job, and what each engine answered when it was planned; nothing before that."""

    job: Job
    answers: tuple[Answer, ...]


def encode_answers(answers: tuple[Answer, ...]) -> str:
    """Return answers as the text that is kept."""
    return msgspec.json.encode(answers).decode()


def decode_answers(text: str | None) -> tuple[Answer, ...]:
    """Return the answers of a text that was kept, if one was."""
    return () if text is None else _answers.decode(text)


def encode_output(output: Output | None) -> str | None:
    """Return what compiling made of a job as the text that is kept."""
    return None if output is None else msgspec.json.encode(output).decode()


def decode_output(text: str) -> Output:
    """Return what compiling made of a job, of the text that was kept."""
    return _output.decode(text)
