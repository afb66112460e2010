"""Every use case, once. The faces translate; what is decided is decided here."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ionbox.backends.backend import Backend
from ionbox.errors import InvalidInputError, NotFoundError, ResultsNotReadyError, UnauthorizedError
from ionbox.formats.results import Probabilities, decode
from ionbox.jobs.job import Job, new_job_id
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.access import Caller, Key, hash_secret, new_key, new_secret
from ionbox.service.dispatcher import Dispatcher
from ionbox.service.ports import JobQuery, ResultStore, Store, StoredResult
from ionbox.service.work import Conditions, accept, assess, read_input

# Longer inputs are read by a worker, under limits, while the job is `submitted`.
MAX_INPUT_BYTES_HERE = 256 * 1024
MAX_PAULIEXP_BYTES_HERE = 16 * 1024
MAX_SHOTS = 1_000_000
MAX_SEED = 2**31 - 1

Before = TypeVar("Before")
After = TypeVar("After")


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller asks for.

    Args:
        data: The input's text, as it came.
        seed: None to have one drawn.
    """

    backend: str
    job_type: str
    data: bytes
    shots: int
    seed: int | None = None
    noise_model: str = "ideal"
    name: str | None = None
    metadata: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None
    error_mitigation: Mapping[str, Any] | None = None
    registers: Mapping[str, Any] | None = None


class Service:
    """The use cases of jobs, backends and keys.

    Args:
        memory_bytes: What one job may take.
        clock: Returns the time, aware.
        seed: Makes the seeds that are drawn for jobs repeatable from one start to the next.
    """

    def __init__(  # noqa: PLR0913 - it holds the core together
        self,
        store: Store,
        results: ResultStore,
        dispatcher: Dispatcher,
        *,
        backends: Sequence[Backend],
        memory_bytes: int,
        clock: Callable[[], datetime],
        seed: int | None = None,
    ) -> None:
        self._store = store
        self._results = results
        self._dispatcher = dispatcher
        self._backends = {backend.name: backend for backend in backends}
        self._memory_bytes = memory_bytes
        self._clock = clock
        # Who holds each key in use: this server alone revokes, so it can remember.
        self._callers: dict[bytes, Caller] = {}
        self._callers_lock = threading.Lock()
        self._num_revocations = 0
        self._seeds = random.Random(seed)  # noqa: S311 - for physics, not for secrets

    # --- jobs ----------------------------------------------------------------------------

    def submit_job(self, caller: Caller, submission: Submission) -> Future[Job]:
        """Remember a job and queue it once that is durable.

        Raises:
            InvalidInputError: If the submission cannot be; nothing is remembered then.
        """
        self._check(submission)
        job, effects = self._planned(self._new_job(caller, submission), submission.data)
        future = self._store.insert_job(job, submission.data)

        def carry_out(done: Future[Job]) -> None:
            if done.exception() is None:
                self._carry_out(job, effects, submission.data)

        future.add_done_callback(carry_out)
        return future

    def job(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's project."""
        job = self._store.job(caller.project_id, job_id)
        if job is None:
            raise NotFoundError("job", job_id)
        return job

    def jobs(self, query: JobQuery) -> list[Job]:
        """Return a page of jobs, newest first."""
        return self._store.jobs(query)

    def probabilities(self, caller: Caller, job_id: str) -> Probabilities:
        """Return the outcome of a completed job.

        Raises:
            ResultsNotReadyError: If the job has none.
        """
        result = self._store.result(caller.project_id, job_id)
        if result is None:
            raise ResultsNotReadyError(job_id, self.job(caller, job_id).status)
        data = result.inline if result.blob is None else self._results.open(result.blob)
        if data is None:  # deleted since the line above
            raise NotFoundError("job", job_id)
        return decode(data)

    def cancel_jobs(self, caller: Caller, job_ids: Sequence[str]) -> Future[list[str]]:
        """Cancel those of the jobs that have not ended; return the ids that were found."""
        now = self._clock()
        changed = self._store.change_jobs(
            caller.project_id, job_ids, lambda job: step(job, JobEvent.CANCEL, now)
        )
        return _then(changed, self._carry_out_all)

    def delete_jobs(self, caller: Caller, job_ids: Sequence[str]) -> Future[list[str]]:
        """Delete jobs with all that belongs to them; return the ids that were found."""
        return _then(self._store.delete_jobs(caller.project_id, job_ids), self._forget)

    # --- backends ------------------------------------------------------------------------

    def backends(self) -> list[Backend]:
        """Return every backend."""
        return list(self._backends.values())

    def backend(self, name: str) -> Backend:
        """Return one backend."""
        if name not in self._backends:
            raise NotFoundError("backend", name, known=tuple(self._backends))
        return self._backends[name]

    # --- keys ----------------------------------------------------------------------------

    def caller(self, secret: str) -> Caller:
        """Return who holds a key.

        Raises:
            UnauthorizedError: If the key is not known, or revoked.
        """
        key_hash = hash_secret(secret)
        return self._callers.get(key_hash) or self._look_up(key_hash)

    def key(self, caller: Caller) -> Key:
        """Return the key that a caller showed."""
        every = self._store.keys()
        return next(key for key in every if key.id == caller.key_id)

    def is_key(self, secret: str) -> bool:
        """Return whether a key opens anything."""
        key = self._store.key(hash_secret(secret))
        return key is not None and key.revoked_at is None

    def keys(self) -> list[Key]:
        """Return every key."""
        return self._store.keys()

    def create_key(self, name: str) -> tuple[Key, str]:
        """Make a key for the first project; return it and its secret, which is not kept."""
        secret = new_secret()
        return self.add_key(name, secret), secret

    def add_key(self, name: str, secret: str) -> Key:
        """Remember a key that somebody else made, by its hash; a known one stays as it is."""
        known = self._store.key(hash_secret(secret))
        if known is not None:
            return known
        key = new_key(self._first_project(), name, secret, self._clock())
        return self._store.insert_key(key, hash_secret(secret)).result()

    def revoke_key(self, key_id: str) -> None:
        """Have a key open nothing any more."""
        if not self._store.revoke_key(key_id, self._clock()).result():
            raise NotFoundError("key", key_id)
        with self._callers_lock:
            self._num_revocations += 1
            self._callers.clear()

    def _first_project(self) -> str:
        known = self._store.first_project()
        return known or self._store.create_project("local", "default").result()

    def _look_up(self, key_hash: bytes) -> Caller:
        before = self._num_revocations
        key = self._store.key(key_hash)
        if key is None or key.revoked_at is not None:
            raise UnauthorizedError("this key is not known here")
        caller = Caller(key.id, key.project_id, key.submitter_id)
        with self._callers_lock:
            if self._num_revocations == before:  # what was read is still true
                self._callers[key_hash] = caller
        return caller

    # --- steps ---------------------------------------------------------------------------

    def _check(self, submission: Submission) -> None:
        if submission.backend not in self._backends:
            known = ", ".join(self._backends)
            raise InvalidInputError("backend", f"'{submission.backend}' is not one of: {known}")
        if not 1 <= submission.shots <= MAX_SHOTS:
            raise InvalidInputError("shots", f"{submission.shots} is not within 1 to {MAX_SHOTS}")

    def _new_job(self, caller: Caller, submission: Submission) -> Job:
        now = self._clock()
        seed = submission.seed
        return Job(
            id=new_job_id(now, secrets.randbits(62)),
            project_id=caller.project_id,
            submitter_id=caller.submitter_id,
            backend=submission.backend,
            job_type=submission.job_type,
            shots=submission.shots,
            seed=self._seeds.getrandbits(31) if seed is None else seed,
            submitted_at=now,
            name=submission.name,
            metadata=submission.metadata,
            noise_model=submission.noise_model,
            settings=submission.settings,
            error_mitigation=submission.error_mitigation,
            registers=submission.registers,
        )

    def _planned(self, job: Job, data: bytes) -> tuple[Job, tuple[Effect, ...]]:
        """Read and plan an input that is short enough; a longer one is a worker's to read."""
        if _is_for_a_worker(data):
            return job, (Effect.QUEUE,)
        conditions = Conditions(job.shots, job.seed, job.noise_model, self._memory_bytes)
        circuit = read_input(job.job_type, data)
        return accept(job, assess(circuit, conditions), job.submitted_at)

    def _carry_out_all(self, changed: list[tuple[Job, tuple[Effect, ...]]]) -> list[str]:
        for job, effects in changed:
            self._carry_out(job, effects)
        return [job.id for job, _ in changed]

    def _carry_out(self, job: Job, effects: tuple[Effect, ...], data: bytes | None = None) -> None:
        if Effect.QUEUE in effects:
            self._dispatcher.queue(job, data)
        if Effect.STOP_WORK in effects:
            self._dispatcher.stop_work(job.id)

    def _forget(self, deleted: list[tuple[str, StoredResult | None]]) -> list[str]:
        for job_id, result in deleted:
            self._dispatcher.stop_work(job_id)
            if result is not None and result.blob is not None:
                self._results.drop(result.blob)
        return [job_id for job_id, _ in deleted]


def _is_for_a_worker(data: bytes) -> bool:
    """Planning a pauliexp looks at its terms, so a long one would hold up everybody."""
    return len(data) > (MAX_PAULIEXP_BYTES_HERE if b"pauliexp" in data else MAX_INPUT_BYTES_HERE)


def _then(future: Future[Before], act: Callable[[Before], After]) -> Future[After]:
    """Return a future of what `act` makes of another future's result."""
    following: Future[After] = Future()
    following.set_running_or_notify_cancel()

    def resolve(done: Future[Before]) -> None:
        try:
            following.set_result(act(done.result()))
        except Exception as error:  # noqa: BLE001 - it is handed to who waits
            following.set_exception(error)

    future.add_done_callback(resolve)
    return following
