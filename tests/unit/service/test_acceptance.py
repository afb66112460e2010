from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from tests.builders import NOW, make_acceptance, make_job

from ionbox.assembly import catalog
from ionbox.backends.pricing import FREE, Price, PriceBook
from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.lifecycle import Effect
from ionbox.service.acceptance import Acceptance, is_mitigated
from ionbox.service.work import Assessed

PLANNED = Assessed(2, (3, 1), billed_gate_counts=(3, 1), engine="statevector", memory_bytes=5)


def submitted(**changes: Any) -> Job:  # noqa: ANN401 - any field of a job
    return make_job(**{"status": JobStatus.SUBMITTED} | changes)


def assessed(**changes: Any) -> Assessed:  # noqa: ANN401 - any field
    return msgspec.structs.replace(PLANNED, **changes)


def failure_of(job: Job, facts: Assessed, *, is_strict: bool = False) -> Failure | None:
    after, _ = make_acceptance(is_strict=is_strict).accept(job, facts, NOW)
    return after.failure


def test_a_planned_job_is_ready_and_knows_its_size() -> None:
    job, effects = make_acceptance().accept(submitted(), PLANNED, NOW)

    assert (job.status, effects) == (JobStatus.READY, (Effect.QUEUE,))
    assert (job.num_qubits, job.gate_counts, job.engine) == (2, (3, 1), "statevector")
    assert job.warnings == ()


def test_what_no_engine_takes_fails_on_the_simulator() -> None:
    refusal = Failure("NotEnoughQubits", "too large")

    assert failure_of(submitted(), assessed(engine=None, failure=refusal)) == refusal


@pytest.mark.parametrize(
    ("facts", "code", "text"),
    [
        (
            assessed(num_qubits=30),
            "NotEnoughQubits",
            "30 qubits on the simulator, which has 29",
        ),
        (assessed(max_controls=8), "TooManyControls", "8 controls in one gate; 7 at most"),
        (assessed(has_jumps=True), "PreflightError", "control flow that depends on measurements"),
    ],
)
def test_what_ionq_refuses_runs_with_a_warning_or_fails(
    facts: Assessed, code: str, text: str
) -> None:
    job, _ = make_acceptance().accept(submitted(), facts, NOW)

    assert (job.status, job.warnings) == (JobStatus.READY, (f"IonQ refuses this: {text}",))
    failure = failure_of(submitted(), facts, is_strict=True)
    assert failure == Failure(code, f"{text} (--limits ionq)")


def test_what_ionq_takes_runs_under_its_limits() -> None:
    facts = assessed(num_qubits=29, max_controls=7)

    assert failure_of(submitted(), facts, is_strict=True) is None


@pytest.mark.parametrize(
    ("facts", "code", "message"),
    [
        (assessed(num_qubits=37), "NotEnoughQubits", "37 qubits; qpu.forte-1 has 36"),
        (assessed(native_gates=("gpi", "ms")), "UnsupportedGate", "native gate 'ms'; .* gpi, gpi2"),
        (PLANNED, "QuantumComputerError", "qpu.forte-1 takes dry runs only"),
    ],
)
def test_a_machine_refuses_what_it_cannot_do(facts: Assessed, code: str, message: str) -> None:
    failure = failure_of(submitted(backend="qpu.forte-1"), facts)

    assert failure is not None
    assert failure.code == code
    assert re.search(message, failure.message)


def test_a_dry_run_ends_once_it_was_read_whatever_an_engine_says() -> None:
    dry = submitted(backend="qpu.forte-1", is_dry_run=True)
    facts = assessed(native_gates=("gpi", "nop", "zz"), engine=None, failure=Failure("x", "y"))
    job, effects = make_acceptance().accept(dry, facts, NOW)

    assert (job.status, job.started_at, effects) == (JobStatus.COMPLETED, None, ())
    assert not make_acceptance().may_run(dry)
    assert not make_acceptance().may_run(submitted(backend="qpu.forte-1"))
    assert make_acceptance().may_run(submitted())


def test_a_job_costs_its_gates_times_its_shots_but_at_least_the_minimum() -> None:
    backends = {backend.name: backend for backend in catalog()}
    prices = dict.fromkeys(backends, FREE) | {"qpu.forte-1": Price(2, 10, 1_000, 5_000)}
    acceptance = Acceptance(backends, PriceBook("book", "usd", prices))

    def cost(**changes: Any) -> int:  # noqa: ANN401 - any field of a job
        job = submitted(**{"backend": "qpu.forte-1", "is_dry_run": True} | changes)
        return acceptance.accept(job, PLANNED, NOW)[0].cost_micros

    debiased = {"error_mitigation": {"debiasing": True}}
    assert cost(shots=100) == 100 * (3 * 2 + 1 * 10)
    assert cost(shots=10) == 1_000
    assert cost(shots=10, settings=debiased) == 5_000
    assert cost(backend="simulator") == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"settings": {"error_mitigation": {"debiasing": True}}}, True),
        ({"settings": {"error_mitigation": {"debiasing": False}}}, False),
        ({"settings": {"error_mitigation": None}}, False),
        ({"error_mitigation": {"debias": True}}, True),
        ({"error_mitigation": {"debias": "yes"}}, False),
    ],
)
def test_mitigation_is_asked_for_in_the_words_of_either_version(
    fields: dict[str, Any], expected: bool
) -> None:
    assert is_mitigated(make_job(**fields)) is expected
