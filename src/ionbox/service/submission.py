"""What a caller asks for, as the records of jobs: one, or a parent and its children."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from ionbox.backends.backend import Backend
from ionbox.backends.noise import IDEAL
from ionbox.errors import InvalidInputError
from ionbox.formats.inputs import INPUT_TYPES, read_registers
from ionbox.formats.multi_circuit import CircuitPart
from ionbox.jobs.job import MULTI_CIRCUIT, URGENCY, Job, new_job_id
from ionbox.service.access import Caller
from ionbox.service.device_settings import read_device_settings
from ionbox.service.targets import Targets

MAX_SHOTS = 1_000_000
MAX_SEED = 2**31 - 1
# Types that IonQ names, and that ionbox does not run: why.
REFUSED_TYPES: Mapping[str, str] = {
    "qctrl.qaoa.v1": "it is solved by Q-CTRL's own service, which ionbox does not have; "
    "send the circuits of the ansatz instead",
}
_MICROSECOND = timedelta(microseconds=1)


class Submission(msgspec.Struct, frozen=True):
    """What a caller asks for.

    Args:
        job_type: As API v0.4 names it.
        data: The input's text, as it came.
        seed: None to have one drawn.
    """

    backend: str
    job_type: str
    data: bytes
    shots: int
    seed: int | None = None
    noise_model: str = IDEAL
    name: str | None = None
    metadata: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None
    error_mitigation: Mapping[str, Any] | None = None
    registers: Mapping[str, Any] | None = None
    session_id: str | None = None
    is_dry_run: bool = False
    urgency: int = URGENCY


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a clone has other than its original; None where it has the same."""

    backend: str | None = None
    shots: int | None = None
    seed: int | None = None
    noise_model: str | None = None
    name: str | None = None
    metadata: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None
    session_id: str | None = None
    is_dry_run: bool | None = None
    urgency: int | None = None


def check(submission: Submission, targets: Targets) -> Backend:
    """Refuse what can be told without reading the input; return the backend.

    Raises:
        InvalidInputError: Naming the field in v0.4's words.
    """
    if submission.job_type in REFUSED_TYPES:
        message = f"'{submission.job_type}' is not served: {REFUSED_TYPES[submission.job_type]}"
        raise InvalidInputError("type", message)
    if submission.job_type not in (*INPUT_TYPES, MULTI_CIRCUIT):
        known = ", ".join((*INPUT_TYPES, MULTI_CIRCUIT))
        raise InvalidInputError("type", f"'{submission.job_type}' is not one of: {known}")
    backend = targets.backends.get(submission.backend)
    if backend is None:
        known = ", ".join(targets.backends)
        raise InvalidInputError("backend", f"'{submission.backend}' is not one of: {known}")
    if not 1 <= submission.shots <= MAX_SHOTS:
        raise InvalidInputError("shots", f"{submission.shots} is not within 1 to {MAX_SHOTS}")
    if submission.noise_model not in targets.noise_names:
        known = ", ".join(targets.noise_names)
        message = f"'{submission.noise_model}' is not one of: {known}"
        raise InvalidInputError("noise.model", message)
    read_registers(submission.registers)
    if not backend.is_simulator:
        settings, mitigation = submission.settings, submission.error_mitigation
        read_device_settings(settings, mitigation, submission.shots)
    return backend


def new_job(  # noqa: PLR0913 - what is asked for, and what is drawn for it
    caller: Caller,
    submission: Submission,
    *,
    characterization_id: str | None,
    seed: int,
    entropy: int,
    now: datetime,
) -> Job:
    """Return the record of a job that is asked for.

    Args:
        characterization_id: The newest one of its backend, which it keeps.
        seed: The one that was drawn, where the submission has none.
        entropy: 62 random bits, for the id.
    """
    return Job(
        id=new_job_id(now, entropy),
        project_id=caller.project_id,
        submitter_id=caller.submitter_id,
        backend=submission.backend,
        job_type=submission.job_type,
        shots=submission.shots,
        seed=seed if submission.seed is None else submission.seed,
        submitted_at=now,
        name=submission.name,
        metadata=submission.metadata,
        noise_model=submission.noise_model,
        settings=submission.settings,
        error_mitigation=submission.error_mitigation,
        registers=submission.registers,
        session_id=submission.session_id,
        is_dry_run=submission.is_dry_run,
        urgency=submission.urgency,
        characterization_id=characterization_id,
    )


def new_children(
    parent: Job, parts: Sequence[CircuitPart], entropy: Callable[[], int]
) -> list[Job]:
    """Return the record of a job for each circuit of a parent; their ids ascend as the circuits.

    Each has a seed of its own, so that two equal circuits are sampled independently.

    Args:
        entropy: Returns 62 random bits, for an id.
    """
    return [
        replace(
            parent,
            id=new_job_id(parent.submitted_at + (index + 1) * _MICROSECOND, entropy()),
            job_type="ionq.circuit.v1",
            parent_id=parent.id,
            name=part.name,
            metadata=None,
            registers=read_registers(part.registers),
            seed=_seed_of_child(parent.seed, index),
            num_circuits=1,
        )
        for index, part in enumerate(parts)
    ]


def _seed_of_child(seed: int, index: int) -> int:
    """Return a seed that is unrelated to those of its siblings, and of parents with other seeds."""
    (word,) = np.random.SeedSequence((seed, index)).generate_state(1)
    return int(word) & MAX_SEED


def resubmission(job: Job, data: bytes, overrides: Overrides) -> Submission:
    """Return what was once asked for, with some of it changed; a session is not joined again."""
    backend = overrides.backend or job.backend
    return Submission(
        backend=backend,
        job_type=job.job_type,
        data=data,
        shots=job.shots if overrides.shots is None else overrides.shots,
        seed=job.seed if overrides.seed is None else overrides.seed,
        noise_model=overrides.noise_model or job.noise_model,
        name=job.name if overrides.name is None else overrides.name,
        metadata=job.metadata if overrides.metadata is None else overrides.metadata,
        settings=job.settings if overrides.settings is None else overrides.settings,
        error_mitigation=job.error_mitigation,
        registers=job.registers,
        session_id=overrides.session_id,
        is_dry_run=job.is_dry_run if overrides.is_dry_run is None else overrides.is_dry_run,
        urgency=job.urgency if overrides.urgency is None else overrides.urgency,
    )
