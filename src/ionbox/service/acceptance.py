"""What is decided of a job once its input was read: by the limits, its backend and the prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from ionbox.backends.backend import Backend
from ionbox.backends.noise import IDEAL
from ionbox.backends.pricing import PriceBook, estimate
from ionbox.jobs.job import Failure, FailureCode, Job
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.device_settings import is_mitigation_asked_for, unknown_settings
from ionbox.service.work import Assessed

_MAX_CONTROLS = 7


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that IonQ refuses and ionbox can do.

    Args:
        code: How IonQ's failure would be called.
        exceeds: Returns what exceeds the limit, in words; empty if nothing does.
    """

    code: FailureCode
    exceeds: Callable[[Assessed, Backend], str]


def _too_wide(assessed: Assessed, backend: Backend) -> str:
    if assessed.num_qubits <= backend.num_qubits or not backend.is_simulator:
        return ""
    return f"{assessed.num_qubits} qubits on the simulator, which has {backend.num_qubits}"


def _too_many_controls(assessed: Assessed, _: Backend) -> str:
    if assessed.max_controls <= _MAX_CONTROLS:
        return ""
    return f"{assessed.max_controls} controls in one gate; {_MAX_CONTROLS} at most"


def _control_flow(assessed: Assessed, _: Backend) -> str:
    return "control flow that depends on measurements" if assessed.has_jumps else ""


IONQ_LIMITS = (
    Limit(FailureCode.NOT_ENOUGH_QUBITS, _too_wide),
    Limit(FailureCode.TOO_MANY_CONTROLS, _too_many_controls),
    Limit(FailureCode.PREFLIGHT_ERROR, _control_flow),
)


class Acceptance:
    """Turns a submitted job into one that is ready, or done, or failed.

    Args:
        is_strict: Whether what IonQ refuses fails, or runs with a warning.
    """

    def __init__(
        self, backends: Mapping[str, Backend], prices: PriceBook, *, is_strict: bool = False
    ) -> None:
        self._backends = backends
        self._prices = prices
        self._is_strict = is_strict

    def may_run(self, job: Job) -> bool:
        """Return whether a job is for an engine, so that it may run as soon as it is read."""
        return not job.is_dry_run

    def accept(self, job: Job, assessed: Assessed, now: datetime) -> tuple[Job, tuple[Effect, ...]]:
        """Return a submitted job with what is known of its input."""
        backend = self._backends.get(job.backend)
        if backend is None:  # unloaded since
            text = f"this server does not know {job.backend} any more"
            failure = Failure(FailureCode.QUANTUM_COMPUTER_ERROR, text)
            return step(job, JobEvent.FAIL, now, failure=failure)
        exceeded = [
            (limit.code, text)
            for limit in IONQ_LIMITS
            if (text := limit.exceeds(assessed, backend))
        ]
        told = () if self._is_strict else exceeded
        known = replace(
            job,
            num_qubits=assessed.num_qubits,
            gate_counts=assessed.gate_counts,
            engine=assessed.engine,
            precision=assessed.precision,
            predicted_seconds=assessed.predicted_seconds,
            memory_bytes=assessed.memory_bytes,
            threads=assessed.threads,
            warnings=(
                *assessed.warnings,
                *_ignored(job),
                *(f"IonQ refuses this: {text}" for _, text in told),
            ),
            cost_micros=self._cost_micros(job, assessed),
        )
        if self._is_strict and exceeded:
            code, text = exceeded[0]
            return step(known, JobEvent.FAIL, now, failure=Failure(code, f"{text} (--limits ionq)"))
        if assessed.failure is not None:
            return step(known, JobEvent.FAIL, now, failure=assessed.failure)
        if job.is_dry_run:
            return step(known, JobEvent.FINISH, now)
        return step(known, JobEvent.ACCEPT, now)

    def _cost_micros(self, job: Job, assessed: Assessed) -> int:
        if self._prices.price(job.backend).is_free:
            return 0
        output = assessed.output
        cost = estimate(
            self._prices,
            job.backend,
            gate_counts=assessed.billed_gate_counts,
            shots=job.shots,
            error_mitigation=output is not None and bool(output.variants),
        )
        return cost.total_micros


def _ignored(job: Job) -> Iterator[str]:
    """Yield what a job asks for in vain."""
    if job.is_on_device:
        for path in unknown_settings(job.settings, job.error_mitigation):
            yield f"{path} is ignored: there is no such setting"
    if job.is_on_device and job.noise_model != IDEAL:
        yield f"noise.model is ignored: {job.backend} errs as its characterization says"
    if not job.is_on_device and is_mitigation_asked_for(job.settings, job.error_mitigation):
        yield f"error mitigation is ignored: {job.backend} is no device"
