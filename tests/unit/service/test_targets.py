from __future__ import annotations

from tests.builders import make_job, make_targets

from ionbox.jobs.job import FailureCode
from ionbox.service.targets import Target, Targets


def test_an_ideal_job_runs_with_nothing_beside_its_circuit() -> None:
    assert make_targets().of(make_job()) == Target()


def test_a_noisy_job_runs_with_its_model() -> None:
    targets = make_targets()

    assert targets.of(make_job(noise_model="aria-1")).noise is targets.noise_models["aria-1"]


def test_a_job_on_a_device_runs_with_the_record_that_it_was_submitted_under() -> None:
    targets = make_targets()
    backend = targets.backends["qpu.aria-1"]
    older = backend.characterizations[3]

    target = targets.of(
        make_job(backend="qpu.aria-1", characterization_id=older.id, is_dry_run=True)
    )

    assert target.device is not None
    assert target.device.twin.record == older
    assert target.device.twin.native_gates == backend.native_gates
    assert target.device.is_dry


def test_a_job_whose_target_is_gone_fails_and_says_so() -> None:
    none = Targets({}, {})

    lost = none.of(make_job(backend="qpu.lab", characterization_id="x")).failure
    model = none.of(make_job(noise_model="lab")).failure

    assert lost is not None
    assert lost.code == FailureCode.QUANTUM_COMPUTER_ERROR
    assert lost.message == "this server does not know characterization x of qpu.lab any more"
    assert model is not None
    assert model.message == "this server does not know noise model 'lab' any more"
