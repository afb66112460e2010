"""Brings ready jobs and idle workers together, and records what came of each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from ionbox.jobs.job import Failure, FailureCode, Job, JobStatus
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.admission import SHORT_SECONDS, Admission, Capacity, is_short
from ionbox.service.ports import Executor, ResultStore, Store, StoredResult
from ionbox.service.ready_queue import Entry
from ionbox.service.work import Assessed, Failed, Finished, Lost, Reply, Task

# A job above this steps back for the server and for short jobs.
NICE_SECONDS = 0.1
NICENESS = 10
MAX_ATTEMPTS = 3
RETRY_SECONDS = 1.0
# About how much of the inputs of waiting jobs is kept at hand.
KEPT_BYTES = 32 << 20

# The limits of a worker that reads an input too large for the server's own process.
PREFLIGHT_MEMORY_BYTES = 1 << 30
PREFLIGHT_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A job that a worker has: as the store has it, and as it is in truth.

    They differ where the claim of a short job is not written on its own.
    """

    stored: Job
    job: Job


class Dispatcher:
    """Has admitted jobs run and records what came of them.

    Every public method may be called from any thread.
    """

    def __init__(
        self,
        store: Store,
        results: ResultStore,
        executor: Executor,
        *,
        capacity: Capacity,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._results = results
        self._executor = executor
        self._clock = clock
        self._lock = threading.Lock()  # of the admission and of what is unwanted
        self._admission = Admission(capacity, executor.num_workers)
        self._memory_bytes = capacity.memory_bytes
        self._unwanted: set[str] = set()
        # Worker → what it claimed; only the worker's own thread looks at it.
        self._claims: dict[int, list[_Claim]] = {}
        self._is_stopping = False

    def start(self) -> None:
        """Start the workers and queue every job that an earlier server left unfinished."""
        self._executor.start(self._load, self._done)
        for job in self._store.unfinished_jobs():
            self._recover(job, "the server ended while it ran")

    def stop(self) -> None:
        """End the workers; what they were at goes back to the queue in the store."""
        with self._lock:
            self._is_stopping = True
        self._executor.stop()

    def queue(self, job: Job, data: bytes | None = None, *, is_recovered: bool = False) -> None:
        """Put a job where workers look.

        Args:
            data: Its input, where it is at hand; else it is read when a worker takes the job.
        """
        seconds, memory_bytes = _predicted(job)
        memory_bytes = min(memory_bytes, self._memory_bytes)
        with self._lock:
            is_kept = data is not None and len(data) * self._admission.num_waiting < KEPT_BYTES
            known = (job, data) if data is not None and is_kept else None
            entry = Entry(job.id, job.project_id, seconds, memory_bytes, is_recovered, known)
            self._admission.push(entry)
            self._assign()

    def stop_work(self, job_id: str) -> None:
        """End the worker that is at this job, if one is; its other jobs run again."""
        with self._lock:
            worker = self._admission.worker_of(job_id)
            if worker is not None:
                self._unwanted.add(job_id)
                self._executor.kill(worker)

    def _assign(self) -> None:
        """Set idle workers to work; the caller holds the lock."""
        if not self._is_stopping:
            for worker in self._admission.assign():
                self._executor.execute(worker)

    def _recover(self, job: Job, reason: str) -> None:
        """Have a stored job that nobody works on run again, for a reason if it had started."""
        if job.status is JobStatus.STARTED:
            self._lose(_Claim(job, job), reason)
        elif job.memory_bytes > self._memory_bytes:
            self._put(step(job, JobEvent.FAIL, self._clock(), failure=self._too_large(job))[0], job)
        else:
            self.queue(job, is_recovered=True)

    def _too_large(self, job: Job) -> Failure:
        """There was more memory when the job was accepted."""
        return Failure(
            FailureCode.NOT_ENOUGH_QUBITS,
            f"{job.num_qubits} qubits need {job.memory_bytes} bytes; "
            f"{self._memory_bytes} are available",
        )

    def _load(self, worker: int) -> list[Task]:
        """Claim the jobs that a worker was granted, and return their tasks."""
        claimed = [self._claim(entry) for entry in self._admission.grants[worker]]
        self._claims[worker] = [claim for claim, _ in filter(None, claimed)]
        return [task for _, task in filter(None, claimed)]

    def _claim(self, entry: Entry) -> tuple[_Claim, Task] | None:
        """Claim one job; none where it has meanwhile ended, or is somebody else's."""
        found = entry.known or self._store.job_and_input(entry.project_id, entry.job_id)
        if found is None or found[0].status not in (JobStatus.SUBMITTED, JobStatus.READY):
            return None
        stored, data = found
        job = stored
        if stored.status is JobStatus.READY:
            job, _ = step(stored, JobEvent.CLAIM, self._clock())
            # The claim of a short job is recorded with its end: two commits instead of three. A
            # recovered job may be what killed the last server: its attempt is counted first.
            if entry.is_recovered or not is_short(entry):
                if not self._store.put_job(job, expected=stored).result():
                    return None
                stored = job
        return _Claim(stored, job), self._task(job, data)

    def _task(self, job: Job, data: bytes) -> Task:
        is_preflight = job.status is JobStatus.SUBMITTED
        return Task(
            job_id=job.id,
            engine=job.engine,
            input_format=job.input_format,
            data=data,
            shots=job.shots,
            seed=job.seed,
            noise_model=job.noise_model,
            memory_bytes=self._memory_bytes,
            draft=str(self._results.draft(job.id, job.attempt)),
            niceness=NICENESS if job.predicted_seconds > NICE_SECONDS else 0,
            process_memory_bytes=PREFLIGHT_MEMORY_BYTES if is_preflight else None,
            timeout_seconds=PREFLIGHT_SECONDS if is_preflight else None,
        )

    def _done(self, worker: int, replies: list[Reply]) -> None:
        """Free what a worker held, give it the next jobs, then record its replies."""
        claims = self._claims.pop(worker)
        with self._lock:
            unwanted = self._unwanted & {entry.job_id for entry in self._admission.release(worker)}
            self._unwanted -= unwanted
            self._assign()
        for claim, reply in zip(claims, replies, strict=True):
            if claim.job.id not in unwanted:
                self._record(claim, reply)

    def _record(self, claim: _Claim, reply: Reply) -> None:
        job, now = claim.job, self._clock()
        match reply:
            case Finished():
                after, _ = step(replace(job, warnings=reply.warnings), JobEvent.FINISH, now)
                self._put(after, claim.stored, self._keep(job, reply))
            case Failed():
                after, _ = step(job, JobEvent.FAIL, now, failure=reply.failure)
                self._put(after, claim.stored)
            case Assessed():
                self._put(accept(job, reply, now)[0], claim.stored)
            case Lost():
                self._lose(claim, reply.reason)

    def _keep(self, job: Job, reply: Finished) -> StoredResult:
        if reply.encoded is not None:
            return StoredResult(inline=reply.encoded)
        return StoredResult(blob=self._results.keep(self._results.draft(job.id, job.attempt)))

    def _lose(self, claim: _Claim, reason: str) -> None:
        """Have a job run again, unless it has cost too many workers already."""
        job, now = claim.job, self._clock()
        level = logging.INFO if self._is_stopping else logging.WARNING
        _log.log(level, "job %s, attempt %d: %s", job.id, job.attempt, reason)
        after, _ = step(job, JobEvent.LOSE, now)
        if after.attempt >= MAX_ATTEMPTS and not self._is_stopping:
            after, _ = step(job, JobEvent.FAIL, now, failure=_poisonous(job, reason))
        self._put(after, claim.stored)

    def _put(self, after: Job, stored: Job, result: StoredResult | None = None) -> None:
        future = self._store.put_job(after, expected=stored, result=result)
        future.add_done_callback(partial(self._put_done, after, stored, result))

    def _put_done(
        self, after: Job, stored: Job, result: StoredResult | None, future: Future[bool]
    ) -> None:
        error = future.exception()
        if error is not None:
            _log.error("job %s could not be recorded and will run again: %s", after.id, error)
            threading.Timer(
                RETRY_SECONDS, self._recover, (stored, "its end was not written")
            ).start()
        elif not future.result():
            if result is not None and result.blob is not None:
                self._results.drop(result.blob)
        elif after.status in (JobStatus.READY, JobStatus.SUBMITTED):
            self.queue(after, is_recovered=stored.status is not JobStatus.SUBMITTED)


def accept(job: Job, assessed: Assessed, now: datetime) -> tuple[Job, tuple[Effect, ...]]:
    """Return a submitted job with what is known of its input: ready, or failed and why."""
    known = replace(
        job,
        num_qubits=assessed.num_qubits,
        gate_counts=assessed.gate_counts,
        engine=assessed.engine,
        precision=assessed.precision,
        predicted_seconds=assessed.predicted_seconds,
        memory_bytes=assessed.memory_bytes,
    )
    if assessed.failure is not None:
        return step(known, JobEvent.FAIL, now, failure=assessed.failure)
    return step(known, JobEvent.ACCEPT, now)


def _predicted(job: Job) -> tuple[float, int]:
    """Return the seconds and bytes to reckon with; reading an input is never short."""
    if job.status is JobStatus.SUBMITTED:
        return SHORT_SECONDS * 2, PREFLIGHT_MEMORY_BYTES
    return job.predicted_seconds, job.memory_bytes


def _poisonous(job: Job, reason: str) -> Failure:
    code = (
        FailureCode.PREFLIGHT_ERROR
        if job.status is JobStatus.SUBMITTED
        else FailureCode.INTERNAL_ERROR
    )
    return Failure(code, f"given up after {MAX_ATTEMPTS} attempts; the last one: {reason}")
