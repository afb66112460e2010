"""What jobs are addressed to: the backends, and the noise models of the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from ionbox.backends.backend import Backend
from ionbox.backends.noise import IDEAL, NoiseModel
from ionbox.jobs.job import Failure, FailureCode, Job
from ionbox.service.device_settings import DeviceRun, read_device_settings


class Target(NamedTuple):
    """What a job runs with beside its circuit; nothing for an ideal run.

    Args:
        noise: Of a job on the simulator.
        device: Of a job on a device.
        failure: Why it cannot run any more: what it names is gone.
    """

    noise: NoiseModel | None = None
    device: DeviceRun | None = None
    failure: Failure | None = None


_IDEAL = Target()


class Targets:
    """Finds what a job names.

    Args:
        backends: By name; they may change while the server runs.
        noise_models: By name.
    """

    def __init__(
        self, backends: Mapping[str, Backend], noise_models: Mapping[str, NoiseModel]
    ) -> None:
        self.backends = backends
        self.noise_models = noise_models

    @property
    def noise_names(self) -> tuple[str, ...]:
        """What `noise.model` may say."""
        return (IDEAL, *self.noise_models)

    def of(self, job: Job) -> Target:
        """Return what a job runs with."""
        if job.is_on_device:
            return self._device(job)
        if job.noise_model == IDEAL:
            return _IDEAL
        noise = self.noise_models.get(job.noise_model)
        if noise is None:
            return _gone(FailureCode.SIMULATION_ERROR, f"noise model '{job.noise_model}'")
        return Target(noise=noise)

    def _device(self, job: Job) -> Target:
        backend = self.backends.get(job.backend)
        twin = backend.twin(job.characterization_id) if backend is not None else None
        if twin is None:
            what = f"characterization {job.characterization_id} of {job.backend}"
            return _gone(FailureCode.QUANTUM_COMPUTER_ERROR, what)
        settings = read_device_settings(job.settings, job.error_mitigation, job.shots)
        if backend is not None and "debiasing" not in backend.error_mitigations:
            settings = replace(settings, debiasing=False)
        return Target(device=DeviceRun(twin, settings, is_dry=job.is_dry_run))


def _gone(code: FailureCode, what: str) -> Target:
    return Target(failure=Failure(code, f"this server does not know {what} any more"))
