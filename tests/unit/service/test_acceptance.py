from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.builders import NOW, make_acceptance, make_job

from ionbox.assembly import catalog
from ionbox.backends.pricing import FREE, Price, PriceBook
from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.lifecycle import Effect
from ionbox.jobs.output import Output, VariantOutput
from ionbox.service.acceptance import Acceptance
from ionbox.service.work import Assessed

PLANNED = Assessed(2, (3, 1), billed_gate_counts=(3, 1), engine="statevector", memory_bytes=5)


def submitted(**changes: Any) -> Job:  # noqa: ANN401 - any field of a job
    return make_job(**{"status": JobStatus.SUBMITTED} | changes)


def assessed(**changes: Any) -> Assessed:  # noqa: ANN401 - any field
    return msgspec.structs.replace(PLANNED, **changes)


def on_device(**changes: Any) -> Job:  # noqa: ANN401 - any field of a job
    return submitted(**{"backend": "qpu.forte-1", "characterization_id": "id"} | changes)


def priced() -> Acceptance:
    backends = {backend.name: backend for backend in catalog()}
    backends["qpu.loaded"] = backends["qpu.forte-1"]
    prices = {"simulator": FREE, "qpu.forte-1": Price(2, 10, 1_000, 5_000)}
    return Acceptance(backends, PriceBook("book", "usd", prices))


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


def test_what_its_device_cannot_do_fails() -> None:
    refusal = Failure("UnsupportedGate", "native gate 'ms'")

    assert failure_of(on_device(), assessed(engine=None, failure=refusal)) == refusal


def test_a_dry_run_ends_once_it_was_compiled() -> None:
    dry = on_device(is_dry_run=True)
    job, effects = make_acceptance().accept(dry, assessed(engine=None), NOW)

    assert (job.status, job.started_at, effects) == (JobStatus.COMPLETED, None, ())
    assert not make_acceptance().may_run(dry)
    assert make_acceptance().may_run(on_device())
    assert make_acceptance().may_run(submitted())


def test_a_job_whose_backend_was_unloaded_fails() -> None:
    failure = failure_of(on_device(backend="qpu.gone"), PLANNED)

    assert failure == Failure("QuantumComputerError", "this server does not know qpu.gone any more")


@pytest.mark.parametrize(
    ("job", "warnings"),
    [
        (on_device(), ()),
        (
            on_device(noise_model="aria-1"),
            ("noise.model is ignored: qpu.forte-1 errs as its characterization says",),
        ),
        (
            submitted(settings={"error_mitigation": {"debiasing": True}}),
            ("error mitigation is ignored: simulator is no device",),
        ),
        (
            submitted(error_mitigation={"debias": True}),
            ("error mitigation is ignored: simulator is no device",),
        ),
        (submitted(settings={"error_mitigation": {"debiasing": False}}), ()),
        (submitted(settings={"error_mitigation": None}), ()),
        (submitted(error_mitigation={"debias": "yes"}), ()),
    ],
)
def test_what_is_asked_for_in_vain_is_told(job: Job, warnings: tuple[str, ...]) -> None:
    assert make_acceptance().accept(job, PLANNED, NOW)[0].warnings == warnings


def test_a_job_costs_its_gates_times_its_shots_but_at_least_the_minimum() -> None:
    def cost(**changes: Any) -> int:  # noqa: ANN401 - any field of a job
        return priced().accept(on_device(**changes), PLANNED, NOW)[0].cost_micros

    assert cost(shots=100) == 100 * (3 * 2 + 1 * 10)
    assert cost(shots=10) == 1_000
    assert cost(backend="simulator") == 0
    assert cost(backend="qpu.loaded") == 0


def test_a_debiased_job_has_a_minimum_of_its_own() -> None:
    output = Output(
        "ZZ", 1, 1e-3, "", variants=(VariantOutput((0, 1), 5), VariantOutput((2, 3), 5))
    )
    facts = assessed(output=output)

    after, _ = priced().accept(on_device(shots=10), facts, NOW)

    assert after.cost_micros == 5_000
