"""Brings ready jobs and idle workers together, and records what came of each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ionbox.jobs.job import Failure, FailureCode, Job, JobStatus
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.ports import Executor, ResultStore, Store, StoredResult
from ionbox.service.ready_queue import Entry, ReadyQueue
from ionbox.service.work import Assessed, Failed, Finished, Lost, Reply, Task

# A job below this runs on any worker, also on the one kept free for such jobs, and its claim is
# recorded together with its end: two commits instead of three.
SHORT_SECONDS = 0.005
# A job above this steps back for the server and for short jobs.
NICE_SECONDS = 0.1
NICENESS = 10
MAX_ATTEMPTS = 3
RETRY_SECONDS = 1.0

# The limits of a worker that reads an input too large for the server's own process.
PREFLIGHT_MEMORY_BYTES = 1 << 30
PREFLIGHT_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What jobs may take together."""

    cores: int
    memory_bytes: int


@dataclass(slots=True)
class _Grant:
    """What one busy worker holds.

    `stored` is the job as the store has it, `job` as it is in truth: the claim of a short job is
    not written on its own.
    """

    entry: Entry
    is_unwanted: bool = False
    stored: Job | None = None
    job: Job | None = None


class Dispatcher:
    """Orders the ready jobs, grants workers, threads and memory, and records outcomes.

    Worker 0 is kept for short jobs; the others take what is next. Every public method may be
    called from any thread.
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
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._short = ReadyQueue()
        self._long = ReadyQueue()
        self._grants: dict[int, _Grant] = {}
        self._is_stopping = False

    def start(self) -> None:
        """Start the workers and queue every job that an earlier server left unfinished."""
        self._executor.start(self._load, self._done)
        for job in self._store.unfinished_jobs():
            self._recover(job)

    def stop(self) -> None:
        """End the workers; what they were at goes back to the queue in the store."""
        with self._lock:
            self._is_stopping = True
        self._executor.stop()

    def queue(self, job: Job, *, is_recovered: bool = False) -> None:
        """Put a job where workers look."""
        entry = Entry(job.id, job.project_id, *_predicted(job), is_recovered=is_recovered)
        with self._lock:
            (self._short if _is_short(entry) else self._long).push(entry)
            self._assign()

    def stop_work(self, job_id: str) -> None:
        """End the worker that is at this job, if one is."""
        with self._lock:
            for worker, grant in self._grants.items():
                if grant.entry.job_id == job_id:
                    grant.is_unwanted = True
                    self._executor.kill(worker)

    def _recover(self, job: Job) -> None:
        if job.status is JobStatus.STARTED:
            self._lose(job, job, "the server ended while it ran")
        else:
            self.queue(job, is_recovered=True)

    def _assign(self) -> None:
        """Give idle workers what fits; the caller holds the lock."""
        if self._is_stopping:
            return
        for worker in range(self._executor.num_workers):
            if worker in self._grants:
                continue
            entry = self._short.pop(self._has_memory) or (
                self._long.pop(self._has_room) if worker else None
            )
            if entry is not None:
                self._grants[worker] = _Grant(entry)
                self._executor.execute(worker)

    def _has_memory(self, entry: Entry) -> bool:
        granted = sum(grant.entry.memory_bytes for grant in self._grants.values())
        return granted + entry.memory_bytes <= self._capacity.memory_bytes

    def _has_room(self, entry: Entry) -> bool:
        """Every long job is granted one thread; the short ones do not count."""
        busy = sum(not _is_short(grant.entry) for grant in self._grants.values())
        return busy < self._capacity.cores and self._has_memory(entry)

    def _load(self, worker: int) -> Task | None:
        """Claim the job that a worker was granted, and return its task."""
        grant = self._grants[worker]
        entry = grant.entry
        stored = self._store.job(entry.project_id, entry.job_id)
        if stored is None or stored.status not in (JobStatus.SUBMITTED, JobStatus.READY):
            return None
        data = self._store.job_input(entry.job_id)
        if data is None:
            return None
        grant.stored = grant.job = stored
        if stored.status is JobStatus.READY and not self._claim(grant, stored):
            return None
        return self._task(stored, data, self._results.draft(stored.id, grant.job.attempt))

    def _claim(self, grant: _Grant, stored: Job) -> bool:
        grant.job, _ = step(stored, JobEvent.CLAIM, self._clock())
        # A recovered job may be what killed the last server, so its attempt is counted first.
        if _is_short(grant.entry) and not grant.entry.is_recovered:
            return True
        if not self._store.put_job(grant.job, expected=stored).result():
            return False
        grant.stored = grant.job
        return True

    def _task(self, job: Job, data: bytes, draft: Path) -> Task:
        is_preflight = job.status is JobStatus.SUBMITTED
        return Task(
            job_id=job.id,
            is_preflight=is_preflight,
            input_format=job.input_format,
            data=data,
            shots=job.shots,
            seed=job.seed,
            noise_model=job.noise_model,
            memory_bytes=self._capacity.memory_bytes,
            draft=str(draft),
            niceness=NICENESS if job.predicted_seconds > NICE_SECONDS else 0,
            process_memory_bytes=PREFLIGHT_MEMORY_BYTES if is_preflight else None,
            timeout_seconds=PREFLIGHT_SECONDS if is_preflight else None,
        )

    def _done(self, worker: int, reply: Reply | None) -> None:
        """Free what a worker held, give it the next job, then record its reply."""
        with self._lock:
            grant = self._grants.pop(worker)
            self._assign()
        if reply is None or grant.is_unwanted:
            return
        if grant.job is not None and grant.stored is not None:
            self._record(grant.job, grant.stored, reply)

    def _record(self, job: Job, stored: Job, reply: Reply) -> None:
        now = self._clock()
        match reply:
            case Finished():
                after, _ = step(replace(job, warnings=reply.warnings), JobEvent.FINISH, now)
                self._put(after, stored, self._keep(job, reply))
            case Failed():
                self._put(step(job, JobEvent.FAIL, now, failure=reply.failure)[0], stored)
            case Assessed():
                self._put(accept(job, reply, now)[0], stored)
            case Lost():
                self._lose(job, stored, reply.reason)

    def _keep(self, job: Job, reply: Finished) -> StoredResult:
        if reply.encoded is not None:
            return StoredResult(inline=reply.encoded)
        return StoredResult(blob=self._results.keep(self._results.draft(job.id, job.attempt)))

    def _lose(self, job: Job, stored: Job, reason: str) -> None:
        """Have a job run again, unless it has cost too many workers already."""
        now = self._clock()
        after, _ = step(job, JobEvent.LOSE, now)
        if after.attempt >= MAX_ATTEMPTS and not self._is_stopping:
            after, _ = step(job, JobEvent.FAIL, now, failure=_poisonous(job, reason))
        _log.warning("job %s, attempt %d: %s", job.id, job.attempt, reason)
        self._put(after, stored)

    def _put(self, after: Job, stored: Job, result: StoredResult | None = None) -> None:
        future = self._store.put_job(after, expected=stored, result=result)
        future.add_done_callback(partial(self._put_done, after, stored, result))

    def _put_done(
        self, after: Job, stored: Job, result: StoredResult | None, future: Future[bool]
    ) -> None:
        error = future.exception()
        if error is not None:
            _log.error("job %s could not be recorded and will run again: %s", after.id, error)
            threading.Timer(RETRY_SECONDS, self.queue, (stored,), {"is_recovered": True}).start()
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


def _is_short(entry: Entry) -> bool:
    return entry.predicted_seconds < SHORT_SECONDS


def _poisonous(job: Job, reason: str) -> Failure:
    code = (
        FailureCode.PREFLIGHT_ERROR
        if job.status is JobStatus.SUBMITTED
        else FailureCode.INTERNAL_ERROR
    )
    return Failure(code, f"given up after {MAX_ATTEMPTS} attempts; the last one: {reason}")
