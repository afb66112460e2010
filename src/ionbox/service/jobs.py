"""The use cases of jobs: submit, read, cancel, delete, clone."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from ionbox.errors import InvalidInputError, NotFoundError, ResultsNotReadyError
from ionbox.formats.inputs import INPUT_TYPES, read_input, read_registers
from ionbox.formats.multi_circuit import CircuitPart, in_circuit, read_circuits
from ionbox.formats.results import Exact, Result, decode
from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import TERMINAL, Effect, JobEvent, follow, statuses_of, step, sum_up
from ionbox.jobs.output import Output
from ionbox.service.acceptance import Acceptance
from ionbox.service.access import Caller
from ionbox.service.dispatcher import Dispatcher
from ionbox.service.exact import exact
from ionbox.service.futures import and_then, resolved, then
from ionbox.service.planning import JobPlan, Rulebook, decode_answers, decode_output
from ionbox.service.ports import Inserted, JobQuery, NewJob, Once, ResultStore, Store, StoredResult
from ionbox.service.preparation import Conditions
from ionbox.service.submission import (
    Overrides,
    Submission,
    check,
    new_children,
    new_job,
    resubmission,
)
from ionbox.service.targets import Targets
from ionbox.service.waits import Wait
from ionbox.service.work import assess

# Longer inputs are read by a worker, under limits, while the job is `submitted`: nobody else is
# answered while one is planned here.
MAX_INPUT_BYTES_HERE = 32 * 1024
MAX_PAULIEXP_BYTES_HERE = 8 * 1024


_UNFINISHED = tuple(status for status in JobStatus if status not in TERMINAL)


class _Planned(NamedTuple):
    """A new job, and what is due once it is remembered."""

    new: NewJob
    effects: tuple[Effect, ...]


# Whether new jobs, a family or one alone, are held by somebody who queues them later.
Hold = Callable[[Caller, Sequence[Job]], bool]


class Jobs:
    """Every use case of jobs, within the caller's project.

    Args:
        rulebook: By what jobs are planned.
        clock: Returns the time, aware.
        seed: Makes the seeds that are drawn for jobs repeatable from one start to the next.
        hold: Asked before new jobs are queued; without it they always are.
        holds: Whether a job is held.
    """

    def __init__(  # noqa: PLR0913 - it holds the core together
        self,
        store: Store,
        results: ResultStore,
        dispatcher: Dispatcher,
        acceptance: Acceptance,
        *,
        targets: Targets,
        rulebook: Rulebook,
        clock: Callable[[], datetime],
        seed: int | None = None,
        hold: Hold | None = None,
        holds: Callable[[str], bool] | None = None,
    ) -> None:
        self._store = store
        self._results = results
        self._dispatcher = dispatcher
        self._acceptance = acceptance
        self._targets = targets
        self._rulebook = rulebook
        self._clock = clock
        self._hold = hold
        self._holds = holds or (lambda _: False)
        self._seeds = random.Random(seed)  # noqa: S311 - for physics, not for secrets
        # Ids are to differ, not to be secret; asking the system each time lets other threads in.
        self._ids = random.Random(secrets.randbits(128))  # noqa: S311

    # --- submit --------------------------------------------------------------------------

    def submit(
        self, caller: Caller, submission: Submission, once: Once | None = None
    ) -> Future[Inserted]:
        """Remember a job, with a child for each circuit of many, and queue it once that is durable.

        Args:
            once: What it is known by, if it came before: then it makes nothing.

        Raises:
            InvalidInputError: If the submission cannot be; nothing is remembered then. What only
                its session knows, the future raises.
            TooManyJobsError: If the key, or its project, has too many waiting already.
            ConflictError: If another submission came with its key.
            GoneError: If it came before, and what it made was deleted.
        """
        return self._repeated(caller, once) or self._submit(caller, submission, once)

    def _repeated(self, caller: Caller, once: Once | None) -> Future[Inserted] | None:
        """Return what a submission made when it came before, without the work of making it."""
        if once is None:
            return None
        job = self._store.repeated(caller.project_id, once, self._clock())
        return None if job is None else resolved(Inserted(job, is_repeat=True))

    def _submit(
        self, caller: Caller, submission: Submission, once: Once | None
    ) -> Future[Inserted]:
        backend = check(submission, self._targets)
        now = self._clock()
        job = new_job(
            caller,
            submission,
            characterization_id=backend.characterization_id,
            seed=self._seeds.getrandbits(31),
            entropy=self._entropy(),
            now=now,
        )
        if job.is_parent:
            planned = self._planned_family(job, submission.data)
        else:
            planned = [self._planned(NewJob(job, submission.data))]
        coming = (job.project_id, job.submitter_id, len(_to_run(planned)))
        self._dispatcher.expect(*coming)
        inserted = self._store.insert_jobs([one.new for one in planned], now, once)

        def carry_out(done: Future[Inserted]) -> None:
            if done.exception() is not None or done.result().is_repeat:
                return
            if not self._is_held(caller, planned):
                for one in planned:
                    self._carry_out(one.new.job, one.effects, one.new.data)

        inserted.add_done_callback(carry_out)
        inserted.add_done_callback(lambda _: self._dispatcher.expect_no_more(*coming))
        return inserted

    def clone(
        self, caller: Caller, job_id: str, overrides: Overrides, once: Once | None = None
    ) -> Future[Inserted]:
        """Submit what was submitted once more, with some of it changed."""
        # The original may be gone when the request comes again.
        return self._repeated(caller, once) or self._clone(caller, job_id, overrides, once)

    def _clone(
        self, caller: Caller, job_id: str, overrides: Overrides, once: Once | None
    ) -> Future[Inserted]:
        found = self._store.job_and_input(caller.project_id, job_id)
        if found is None:
            raise NotFoundError("job", job_id)
        return self._submit(caller, resubmission(*found, overrides), once)

    def move(
        self, caller: Caller, job_id: str, overrides: Overrides, once: Once | None = None
    ) -> Future[Inserted]:
        """Submit a job elsewhere, then cancel it here if it has not ended.

        A request that comes again cancels, too: the first may have been cut off before.
        """
        cloned = self.clone(caller, job_id, overrides, once)
        return and_then(cloned, lambda: self.cancel(caller, [job_id]))

    def _planned(self, new: NewJob, *, is_for_a_worker: bool | None = None) -> _Planned:
        """Read and plan an input that is short enough; a longer one is a worker's to read."""
        job, data, _ = new
        if is_for_a_worker is None:
            is_for_a_worker = not INPUT_TYPES[job.job_type].is_quick or _is_long(data)
        if is_for_a_worker:
            return _Planned(new, (Effect.QUEUE,))
        given = read_input(job.job_type, data, read_registers(job.registers))
        if job.is_on_device:  # to compile takes longer than to read, and is a worker's to do
            return _Planned(new, (Effect.QUEUE,))
        noise = self._targets.of(job).noise
        conditions = Conditions(job.shots, job.seed, self._rulebook.rules, noise)
        assessed = assess(given, conditions)
        accepted, effects = self._acceptance.accept(job, assessed, job.submitted_at)
        if accepted.status is JobStatus.READY and accepted.parent_id is None:
            wait_seconds = self._dispatcher.forecast(accepted, data).seconds
            accepted = replace(accepted, predicted_wait_seconds=wait_seconds)
        return _Planned(NewJob(accepted, data, assessed.answers), effects)

    def _planned_family(self, parent: Job, data: bytes) -> list[_Planned]:
        """Return a parent, which nobody runs, and its children."""
        parts = _within_input(data)
        children = [
            NewJob(child, part.data)
            for child, part in zip(new_children(parent, parts, self._entropy), parts, strict=True)
        ]
        is_long, planned = _is_long(data), []
        for index, child in enumerate(children):
            try:
                planned.append(self._planned(child, is_for_a_worker=is_long))
            except InvalidInputError as error:
                raise in_circuit(index, error) from error
        jobs = [one.new.job for one in planned]
        parent = follow(parent, statuses_of(jobs), parent.submitted_at)
        parent = replace(sum_up(parent, jobs), num_circuits=len(jobs))
        return [_Planned(NewJob(parent, data), ()), *planned]

    def _is_held(self, caller: Caller, planned: Sequence[_Planned]) -> bool:
        return self._hold is not None and self._hold(caller, _to_run(planned))

    def _entropy(self) -> int:
        return self._ids.getrandbits(62)

    # --- read ----------------------------------------------------------------------------

    def job(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's project."""
        job = self._store.job(caller.project_id, job_id)
        if job is None:
            raise NotFoundError("job", job_id)
        return job

    def plan(self, caller: Caller, job_id: str) -> JobPlan:
        """Return a job of the caller's project, with what the engines answered."""
        found = self._store.job_and_plan(caller.project_id, job_id)
        if found is None:
            raise NotFoundError("job", job_id)
        job, answers = found
        return JobPlan(job, decode_answers(answers))

    def wait(self, caller: Caller, job_id: str) -> Wait:
        """Return how long a job waits and for what; of a parent, how long its last child does."""
        job = self.job(caller, job_id)
        one = self._last_child(job) if job.is_parent else job
        forecast = self._dispatcher.forecast(one) if self._dispatcher.waits(one.id) else None
        beat, is_held = self._dispatcher.beat_of(one.id), self._holds(one.id)
        return Wait(job, one, forecast, beat, self._clock(), is_held=is_held)

    def _last_child(self, parent: Job) -> Job:
        """Return the last child that has not ended; a parent without such stands for itself."""
        query = JobQuery(parent.project_id, 1, parent_id=parent.id, statuses=_UNFINISHED)
        return next(iter(self._store.jobs(query)), parent)

    def output(self, caller: Caller, job: Job) -> Output | None:
        """Return what compiling and mitigation made of a job, if it was compiled."""
        text = self._store.output(caller.project_id, job.id) if job.is_on_device else None
        return None if text is None else decode_output(text)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Return a page of jobs, newest first."""
        return self._store.jobs(query)

    def child_ids(self, parent: Job) -> list[str]:
        """Return the ids of a parent's children, in the order of its circuits."""
        return self._store.child_ids(parent.id)

    def result(self, caller: Caller, job_id: str) -> Result:
        """Return the outcome of a completed job that is no parent.

        Raises:
            ResultsNotReadyError: If the job has none.
        """
        stored = self._store.result(caller.project_id, job_id)
        if stored is None:
            job = self.job(caller, job_id)
            raise ResultsNotReadyError(job_id, job.status, is_dry_run=job.is_dry_run)
        data = stored.inline if stored.blob is None else self._results.open(stored.blob)
        if data is None:  # deleted since it was found
            raise NotFoundError("job", job_id)
        return decode(data)

    def exact(self, caller: Caller, job_id: str) -> Exact:
        """Compute the probabilities themselves of a noisy job, whatever its status.

        It may take much of the memory: callers see that it is done once at a time.

        Raises:
            InvalidInputError: If the job has no noise, or is too large, or many circuits.
        """
        found = self._store.job_and_input(caller.project_id, job_id)
        if found is None:
            raise NotFoundError("job", job_id)
        job, data = found
        if job.is_parent:
            raise InvalidInputError("", "many circuits; ask for each of its child jobs")
        if not INPUT_TYPES[job.job_type].is_quick or _is_long(data):  # a worker's to read
            text = (
                f"exact probabilities are computed of circuits in JSON, of {MAX_INPUT_BYTES_HERE}"
            )
            raise InvalidInputError(
                "", f"{text} bytes at most ({MAX_PAULIEXP_BYTES_HERE} with pauliexp)"
            )
        target = self._targets.of(job)
        if target.failure is not None:
            raise InvalidInputError("", target.failure.message)
        rules = self._rulebook.rules
        conditions = Conditions(job.shots, job.seed, rules, target.noise, target.device)
        given = read_input(job.job_type, data, read_registers(job.registers))
        return exact(given, conditions)

    def child_results(self, caller: Caller, parent: Job) -> Iterator[tuple[str, Result]]:
        """Yield the outcome of each child of a completed parent, in the order of its circuits.

        Raises:
            ResultsNotReadyError: If the parent is not completed, or was only a dry run.
        """
        if parent.status is not JobStatus.COMPLETED or parent.is_dry_run:
            raise ResultsNotReadyError(parent.id, parent.status, is_dry_run=parent.is_dry_run)
        # One by one: thousands of outcomes together may be more than memory has room for.
        return ((child_id, self.result(caller, child_id)) for child_id in self.child_ids(parent))

    # --- end -----------------------------------------------------------------------------

    def cancel(self, caller: Caller, job_ids: Sequence[str]) -> Future[list[str]]:
        """Cancel those of the jobs that have not ended, with their children; return those found."""
        now = self._clock()
        changed = self._store.change_jobs(
            caller.project_id, job_ids, lambda job: step(job, JobEvent.CANCEL, now), now
        )

        def carry_out(changed: list[tuple[Job, tuple[Effect, ...]]]) -> list[str]:
            for job, effects in changed:
                self._carry_out(job, effects)
            return _asked_for(job_ids, [job.id for job, _ in changed])

        return then(changed, carry_out)

    def delete(self, caller: Caller, job_ids: Sequence[str]) -> Future[list[str]]:
        """Delete jobs with all that belongs to them, children too; return the ids found."""

        def forget(deleted: list[tuple[str, StoredResult | None]]) -> list[str]:
            for job_id, result in deleted:
                self._dispatcher.stop_work(job_id)
                if result is not None and result.blob is not None:
                    self._results.drop(result.blob)
            return _asked_for(job_ids, [job_id for job_id, _ in deleted])

        return then(self._store.delete_jobs(caller.project_id, job_ids, self._clock()), forget)

    def _carry_out(self, job: Job, effects: tuple[Effect, ...], data: bytes | None = None) -> None:
        if Effect.QUEUE in effects:
            self._dispatcher.queue(job, data)
        if Effect.STOP_WORK in effects:
            self._dispatcher.stop_work(job.id)


def _to_run(planned: Sequence[_Planned]) -> list[Job]:
    return [one.new.job for one in planned if Effect.QUEUE in one.effects]


def _within_input(data: bytes) -> list[CircuitPart]:
    try:
        return read_circuits(data)
    except InvalidInputError as error:
        raise InvalidInputError(error.path or "input", error.message) from error


def _asked_for(asked: Sequence[str], found: Sequence[str]) -> list[str]:
    """Return the ids that were found, without those that came along."""
    known = set(found)
    return [job_id for job_id in dict.fromkeys(asked) if job_id in known]


def _is_long(data: bytes) -> bool:
    """Planning a pauliexp looks at its terms, so a long one would hold up everybody."""
    return len(data) > (MAX_PAULIEXP_BYTES_HERE if b"pauliexp" in data else MAX_INPUT_BYTES_HERE)
