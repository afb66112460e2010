"""What is decided of a job once its input was read: by the limits, its backend and the prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from ionbox.backends.backend import Backend
from ionbox.backends.pricing import PriceBook, estimate
from ionbox.jobs.job import Failure, FailureCode, Job
from ionbox.jobs.lifecycle import Effect, JobEvent, step
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
        return self._backends[job.backend].is_simulator and not job.is_dry_run

    def accept(self, job: Job, assessed: Assessed, now: datetime) -> tuple[Job, tuple[Effect, ...]]:
        """Return a submitted job with what is known of its input."""
        backend = self._backends[job.backend]
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
                *(f"IonQ refuses this: {text}" for _, text in told),
            ),
            cost_micros=self._cost_micros(job, assessed),
        )
        if self._is_strict and exceeded:
            code, text = exceeded[0]
            return step(known, JobEvent.FAIL, now, failure=Failure(code, f"{text} (--limits ionq)"))
        failure = next(_failures(known, backend, assessed), None)
        if failure is not None:
            return step(known, JobEvent.FAIL, now, failure=failure)
        if job.is_dry_run:
            return step(known, JobEvent.FINISH, now)
        return step(known, JobEvent.ACCEPT, now)

    def _cost_micros(self, job: Job, assessed: Assessed) -> int:
        if self._prices.prices[job.backend].is_free:
            return 0
        cost = estimate(
            self._prices,
            job.backend,
            gate_counts=assessed.billed_gate_counts,
            shots=job.shots,
            error_mitigation=is_mitigated(job),
        )
        return cost.total_micros


def _failures(job: Job, backend: Backend, assessed: Assessed) -> Iterator[Failure]:
    """Yield why a job cannot be done by its backend."""
    if backend.is_simulator:
        if assessed.failure is not None:
            yield assessed.failure
        return
    if assessed.num_qubits > backend.num_qubits:
        text = f"{assessed.num_qubits} qubits; {backend.name} has {backend.num_qubits}"
        yield Failure(FailureCode.NOT_ENOUGH_QUBITS, text)
    unknown = sorted(set(assessed.native_gates) - {"nop", *backend.native_gates})
    if unknown:
        known = ", ".join(backend.native_gates)
        text = f"native gate '{unknown[0]}'; {backend.name} knows {known}"
        yield Failure(FailureCode.UNSUPPORTED_GATE, text)
    if not job.is_dry_run:
        text = (
            f"{backend.name} takes dry runs only, so far (dry_run: true); the simulator runs jobs"
        )
        yield Failure(FailureCode.QUANTUM_COMPUTER_ERROR, text)


def is_mitigated(job: Job) -> bool:
    """Return whether a job asks for debiasing, in the words of either API version."""
    settings = (job.settings or {}).get("error_mitigation")
    asked = [
        mitigation.get(word)
        for mitigation, word in ((settings, "debiasing"), (job.error_mitigation, "debias"))
        if isinstance(mitigation, Mapping)
    ]
    return any(value is True for value in asked)
