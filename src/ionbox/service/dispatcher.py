"""Brings ready jobs and idle workers together, and records what came of each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from ionbox.engines.planner import too_large
from ionbox.errors import InvalidInputError, StoreError, TooManyJobsError
from ionbox.formats.inputs import INPUT_TYPES
from ionbox.jobs.job import Failure, FailureCode, Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.acceptance import Acceptance
from ionbox.service.admission import (
    NO_LIMITS,
    SHORT_SECONDS,
    Admission,
    Capacity,
    Limits,
    is_short,
)
from ionbox.service.endings import Claim, Endings, Loss
from ionbox.service.fair_queue import Entry
from ionbox.service.forecast import Forecast
from ionbox.service.leases import LEASE_SECONDS, Leases
from ionbox.service.planning import Rulebook
from ionbox.service.ports import Change, Executor, ResultStore, Store
from ionbox.service.targets import Targets
from ionbox.service.work import Beat, Finished, Reply, Task

# A job above this steps back for the server and for short jobs.
NICE_SECONDS = 0.1
NICENESS = 10
# How long to wait when the store does not take what it should.
RETRY_SECONDS = 1.0
# About how much of the inputs of waiting jobs is kept at hand.
KEPT_BYTES = 32 << 20

# The limits of a worker that reads an input too large for the server's own process.
PREFLIGHT_MEMORY_BYTES = 1 << 30
PREFLIGHT_SECONDS = 30.0
# What a short input, and running it at once, takes at most; see `work.RUN_AT_ONCE_BYTES`.
SHORT_PREFLIGHT_BYTES = 32 << 20

# Reading a circuit in JSON and planning it, on one core of a cloud server.
_SECONDS_A_BYTE = 0.3e-6

T = TypeVar("T")
_log = logging.getLogger(__name__)


# Of whose running job, and which, how much is done (0 to 1), and for how many seconds it has run.
Tell = Callable[[str, str, float, float], None]


def _nobody(*_: object) -> None:
    """Tell nobody how far a job is."""


class Dispatcher:
    """Has admitted jobs run and records what came of them.

    Every public method may be called from any thread.

    Args:
        keeps: Whether somebody else queues a job once it is read.
    """

    def __init__(  # noqa: PLR0913 - it holds the core together
        self,
        store: Store,
        results: ResultStore,
        executor: Executor,
        acceptance: Acceptance,
        *,
        targets: Targets,
        rulebook: Rulebook,
        clock: Callable[[], datetime],
        limits: Limits = NO_LIMITS,
        lease_seconds: float = LEASE_SECONDS,
        tell: Tell = _nobody,
        keeps: Callable[[Job], bool] | None = None,
    ) -> None:
        self._store = store
        self._results = results
        self._executor = executor
        self._acceptance = acceptance
        self._targets = targets
        self._clock = clock
        self._tell = tell
        self._keeps = keeps or (lambda _: False)
        self._lock = threading.Lock()  # of the admission and of what is unwanted
        self._rulebook = rulebook
        self._memory_bytes = rulebook.rules.memory_bytes
        capacity = Capacity(rulebook.rules.machine.cores, self._memory_bytes)
        self._admission = Admission(capacity, executor.num_workers, limits=limits)
        self._endings = Endings(results, acceptance, clock, self.forecast)
        self._leases = Leases(
            store, clock, lease_seconds, overdue=self._overdue, lost=self.stop_work
        )
        self._heard: dict[int, float] = {}  # worker → when it was last heard of, in its grant
        self._silent: set[int] = set()  # workers that were ended since nothing was heard of them
        # As much is set apart for the worker that is kept for reading; see `memory_for_reading`.
        self._preflight_bytes = min(PREFLIGHT_MEMORY_BYTES, self._memory_bytes // 3)
        self._unwanted: set[str] = set()
        # Worker → what it claimed; only the worker's own thread looks at it.
        self._claims: dict[int, list[Claim]] = {}
        self._beats: dict[str, Beat] = {}  # running job → the last that its worker said of it
        self._is_stopping = False

    def start(self) -> None:
        """Start the workers and queue every job that an earlier server left unfinished."""
        self._executor.start(self._load, self._done, self._beat)
        for job in self._store.unfinished_jobs():
            self._recover(job)
        self._leases.start(self._look)

    def stop(self) -> None:
        """End the workers; what they were at goes back to the queue in the store."""
        with self._lock:
            self._is_stopping = True
        self._leases.stop()
        self._executor.stop()

    @property
    def is_idle(self) -> bool:
        """Whether no job waits or runs."""
        return not self._admission.grants and not self._admission.waiting

    def beat_of(self, job_id: str) -> Beat | None:
        """Return the last that was heard of a running job; None if it runs since a moment only."""
        return self._beats.get(job_id)

    def queue(self, job: Job, data: bytes | None = None, *, is_recovered: bool = False) -> None:
        """Put a job where workers look.

        Args:
            data: Its input, where it is at hand; else it is read when a worker takes the job.
        """
        with self._lock:
            is_kept = data is not None and len(data) * len(self._admission.waiting) < KEPT_BYTES
            known = (job, data) if data is not None and is_kept else None
            entry = self._entry(job, data)
            self._push(replace(entry, is_recovered=is_recovered, known=known))

    def forecast(self, job: Job, data: bytes | None = None) -> Forecast:
        """Return how long a job will wait that waits, or would be queued now, and for what."""
        with self._lock:
            entry = self._admission.waiting.get(job.id) or self._entry(job, data)
            return self._admission.forecast(entry, self._now())

    def waits(self, job_id: str) -> bool:
        """Return whether a job waits for a worker."""
        return job_id in self._admission.waiting

    def expect(self, project_id: str, submitter_id: str, num_jobs: int) -> None:
        """Count jobs that are about to be queued; refuse them if too many wait already.

        Raises:
            InvalidInputError: If so many at once are never allowed.
            TooManyJobsError: If they are too many now; both say whose limit it is.
        """
        limits = self._admission.limits
        with self._lock:
            of_project, of_key = self._admission.num_waiting(project_id, submitter_id)
            rows = (
                ("key", limits.key_waiting, of_key),
                ("project", limits.project_waiting, of_project),
            )
            for whose, most, has in rows:
                if most is not None and num_jobs > most:
                    raise InvalidInputError(
                        "", f"{num_jobs} jobs at once; {most} of a {whose} may wait"
                    )
                if most is not None and has + num_jobs > most:
                    raise TooManyJobsError(whose, most, has, num_jobs)
            self._admission.expect(project_id, submitter_id, num_jobs)

    def expect_no_more(self, project_id: str, submitter_id: str, num_jobs: int) -> None:
        """Count those no more: they are queued, or were not accepted."""
        with self._lock:
            self._admission.expect(project_id, submitter_id, -num_jobs)

    def _entry(self, job: Job, data: bytes | None) -> Entry:
        """Return what decides when a job has its turn; one to be read takes a guess."""
        seconds, memory_bytes = job.predicted_seconds, job.memory_bytes
        if job.status is JobStatus.SUBMITTED:
            seconds = _reading_seconds(job, data)
            is_quick = seconds < SHORT_SECONDS
            memory_bytes = SHORT_PREFLIGHT_BYTES if is_quick else self._preflight_bytes
        return Entry(
            job.id,
            job.project_id,
            seconds,
            memory_bytes,
            threads=job.threads,
            submitter_id=job.submitter_id,
            urgency=job.urgency,
            is_reading=job.status is JobStatus.SUBMITTED,
        )

    def stop_work(self, job_id: str) -> None:
        """See that nobody works on a job: a worker that does is ended, its other jobs run again."""
        with self._lock:
            if self._admission.drop(job_id):
                return
            worker = self._admission.worker_of(job_id)
            if worker is not None:
                self._unwanted.add(job_id)
                self._executor.kill(worker)

    def _push(self, *entries: Entry) -> None:
        """Have jobs wait, and set idle workers to work; the caller holds the lock."""
        for entry in entries:
            self._admission.push(entry)
        if not self._is_stopping:
            for worker in self._admission.assign(self._now()):
                self._executor.execute(worker)

    def _recover(self, job: Job) -> None:
        """Take up a job that an earlier server left; a parent follows its children."""
        if job.is_parent:
            return
        is_planned = job.status is not JobStatus.SUBMITTED
        if is_planned and job.memory_bytes > self._memory_bytes:  # there was more of it then
            text = too_large(job.num_qubits, job.memory_bytes, self._memory_bytes)
            failure = Failure(FailureCode.NOT_ENOUGH_QUBITS, text)
            after, _ = step(job, JobEvent.FAIL, self._clock(), failure=failure)
            self._put((Change(after, job),))
        elif job.status is JobStatus.STARTED:
            self._put((self._endings.taken_back(job, "the server ended while it ran"),))
        else:
            self.queue(job, is_recovered=True)

    # --- in the thread of a worker -------------------------------------------------------

    def _load(self, worker: int) -> list[Task]:
        """Claim the jobs that a worker was granted, and return their tasks."""
        grant = self._admission.grants[worker]
        try:
            claims = list(
                filter(None, [self._claim(entry, grant.threads) for entry in grant.entries])
            )
        except StoreError as error:
            _log.error("%d jobs could not be claimed and wait: %s", len(grant.entries), error)
            _later(self._wait_again, grant.entries)
            claims = []
        tasks = list(map(self._task, claims))
        self._heard[worker] = self._now()  # from here on it is the worker's own time
        self._claims[worker] = claims
        return tasks

    def _claim(self, entry: Entry, threads: int) -> Claim | None:
        """Claim one job; none where it has meanwhile ended."""
        if entry.job_id in self._unwanted:
            return None
        found = entry.known or self._store.job_and_input(entry.project_id, entry.job_id)
        if found is None or found[0].status not in (JobStatus.SUBMITTED, JobStatus.READY):
            return None
        stored, data = found
        now = self._clock()
        if stored.status is JobStatus.SUBMITTED:
            return Claim(stored, stored, data, now, threads)
        job, _ = step(stored, JobEvent.CLAIM, now)
        # The claim of a short job is recorded with its end: two commits instead of three. A
        # recovered job may be what killed the last server: its attempt is counted first.
        if is_short(entry) and not entry.is_recovered:
            return Claim(stored, job, data, now, threads)
        change = Change(job, stored, lease_until=self._leases.until(now))
        if self._store.put_jobs([change]).result() != [True]:
            return None
        self._leases.hold(job)
        return Claim(job, job, data, now, threads)

    def _task(self, claim: Claim) -> Task:
        job, rules = claim.job, self._rulebook.rules
        target = self._targets.of(job)
        is_preflight = job.status is JobStatus.SUBMITTED
        return Task(
            job_id=job.id,
            engine=job.engine,
            job_type=job.job_type,
            data=claim.data,
            shots=job.shots,
            seed=job.seed,
            noise=target.noise,
            device=target.device,
            failure=target.failure,
            rules=rules if job.precision is None else replace(rules, precision=job.precision),
            draft=str(self._endings.draft(job)),
            registers=None if job.registers is None else dict(job.registers),
            may_run=self._acceptance.may_run(job) and not self._keeps(job),
            threads=claim.threads,
            niceness=NICENESS if job.predicted_seconds > NICE_SECONDS else 0,
            process_memory_bytes=self._preflight_bytes if is_preflight else None,
            memory_bytes=job.memory_bytes,
            timeout_seconds=PREFLIGHT_SECONDS if is_preflight else None,
        )

    def _beat(self, worker: int, beat: Beat) -> None:
        """Keep the last that was heard of a running job: who is heard of holds it for longer."""
        self._beats[beat.job_id] = beat
        self._hear(worker, (beat.job_id,))
        if beat.progress is not None:
            claim = next(each for each in self._claims[worker] if each.job.id == beat.job_id)
            seconds = (self._clock() - claim.taken_at).total_seconds()
            self._tell(claim.job.project_id, beat.job_id, beat.progress, seconds)

    def _done(self, worker: int, replies: list[Reply]) -> None:
        """Free what a worker held, give it the next jobs, then record its replies."""
        claims = self._claims.pop(worker)
        answered = list(zip(claims, replies, strict=True))
        for claim in claims:
            self._beats.pop(claim.job.id, None)
        with self._lock:
            if answered and all(_was_run_as_planned(*each) for each in answered):
                self._admission.learn(worker, self._now())
            unwanted = self._unwanted & {entry.job_id for entry in self._admission.release(worker)}
            self._unwanted -= unwanted
            loss = self._loss(worker, is_ours=bool(unwanted))
            self._push()
        for claim in claims:
            if claim.job.id in unwanted:
                self._leases.drop(claim.job.id)
                self._endings.discard(claim.job)
        wanted = [each for each in answered if each[0].job.id not in unwanted]
        if wanted:
            self._put([self._endings.change(claim, reply, loss) for claim, reply in wanted])

    def _loss(self, worker: int, *, is_ours: bool) -> Loss:
        """Return how it comes that a worker is gone, if it is; the caller holds the lock."""
        was_silent = worker in self._silent
        self._silent.discard(worker)
        self._heard.pop(worker, None)
        return Loss(is_harmless=is_ours or self._is_stopping, was_silent=was_silent)

    # --- recording -----------------------------------------------------------------------

    def _put(self, changes: Sequence[Change]) -> None:
        written = self._store.put_jobs(changes, self._clock())
        written.add_done_callback(partial(self._put_done, changes))

    def _put_done(self, changes: Sequence[Change], future: Future[list[bool]]) -> None:
        error = future.exception()
        if error is not None:
            _log.error("the ends of %d jobs are not recorded yet: %s", len(changes), error)
            _later(self._put, changes)
            return
        for change, is_written in zip(changes, future.result(), strict=True):
            self._follow_up(change, is_written=is_written)

    def _follow_up(self, change: Change, *, is_written: bool) -> None:
        """Queue a job that is to run (again); drop an outcome that came too late."""
        job, _, result, *_ = change
        self._leases.drop(job.id)
        if not is_written:
            if result is not None and result.blob is not None:
                self._results.drop(result.blob)
        elif job.status is JobStatus.SUBMITTED or (
            job.status is JobStatus.READY and not self._keeps(job)
        ):
            self.queue(job, is_recovered=job.attempt > 0)  # it has cost a worker before

    # --- in the thread that looks at leases ----------------------------------------------

    def _look(self) -> None:
        """End workers of which nothing was heard for as long as a lease, and that do nothing.

        Short jobs, and inputs that are read, have no lease; their workers are looked at as well.
        """
        now = self._now()
        for worker, grant in dict(self._admission.grants).items():
            if self._executor.is_working(worker):
                self._hear(worker, (entry.job_id for entry in grant.entries))
            elif now - self._heard.get(worker, now) > self._leases.seconds:
                with self._lock:
                    if self._admission.grants.get(worker) is grant:
                        self._silent.add(worker)
                        self._executor.kill(worker)

    def _hear(self, worker: int, job_ids: Iterable[str]) -> None:
        """Note that a worker was heard of: what it is at, it holds for longer."""
        self._heard[worker] = self._now()
        for job_id in job_ids:
            self._leases.renew(job_id)

    def _overdue(self, job: Job) -> None:
        """Take a job back whose lease ran out, if nobody here has it."""
        with self._lock:
            is_at_work = self._admission.worker_of(job.id) is not None
        if self._leases.holds(job.id):
            if not is_at_work:  # its end is being recorded
                self._leases.renew(job.id)
        elif not is_at_work:
            self._leases.hold(job)  # until that is recorded
            self._put([self._endings.taken_back(job, "its lease ran out")])

    def _now(self) -> float:
        """Return the seconds by which the admission counts: no one sets that clock."""
        return time.monotonic()

    def _wait_again(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            self._push(*entries)


def memory_for_reading(memory_bytes: int) -> int:
    """Return what of all memory is set apart for reading an input, beside what jobs may take."""
    return min(PREFLIGHT_MEMORY_BYTES, memory_bytes // 4)


def _was_run_as_planned(claim: Claim, reply: Reply) -> bool:
    return isinstance(reply, Finished) and claim.stored.status is not JobStatus.SUBMITTED


def _reading_seconds(job: Job, data: bytes | None) -> float:
    """Return about how long it takes to read an input; JSON is quick, unless it is compiled."""
    if data is None or job.is_on_device or not INPUT_TYPES[job.job_type].is_quick:
        return 2 * SHORT_SECONDS
    return _SECONDS_A_BYTE * len(data)


def _later(act: Callable[[Sequence[T]], None], what: Sequence[T]) -> None:
    """Do something in a moment, if the server lives that long."""
    timer = threading.Timer(RETRY_SECONDS, act, (what,))
    timer.daemon = True
    timer.start()
