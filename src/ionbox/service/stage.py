"""Holds the jobs of testers until they are to end; each key for itself.

A held job is a job like any other that nobody has queued yet: it can be read, canceled and deleted,
and a server that starts again queues it, as it does with all that have not ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import NamedTuple

from ionbox.jobs.job import Failure, Job, JobStatus
from ionbox.jobs.lifecycle import Effect, JobEvent, step
from ionbox.service.access import Caller
from ionbox.service.alarm import Alarm
from ionbox.service.ports import Store
from ionbox.service.scenarios import Scenario, failure_of

# How soon jobs are to fail once more, where the store did not take it.
RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class _Held(NamedTuple):
    """What one submission made: a job, or the children of one.

    Args:
        jobs: All of them, as they were submitted.
        waiting: Those that are ready by now, and that nobody has queued.
    """

    key_id: str
    jobs: tuple[Job, ...]
    scenario: Scenario
    waiting: tuple[Job, ...] = ()
    num_polls: int = 0


class Stage:
    """Holds what was submitted under a scenario, and lets it go when its time has come.

    Args:
        queue: Puts a job where workers look.
        clock: Returns the time, aware.
    """

    def __init__(
        self, store: Store, queue: Callable[[Job], None], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._alarm = Alarm()
        self._lock = threading.Lock()
        self._scenarios: dict[str, Scenario] = {}
        # By the job that was submitted: a parent, or one alone.
        self._held: dict[str, _Held] = {}

    def scenario(self, key_id: str) -> Scenario | None:
        """Return how the next jobs of a key end; None where they do as always."""
        return self._scenarios.get(key_id)

    def play(self, key_id: str, scenario: Scenario | None) -> None:
        """Have the next jobs of a key end so; what is held already stays held as it is."""
        with self._lock:
            if scenario is None:
                self._scenarios.pop(key_id, None)
            else:
                self._scenarios[key_id] = scenario

    def hold(self, caller: Caller, jobs: Sequence[Job]) -> bool:
        """Return whether new jobs, a family or one alone, are not to be queued now.

        What a worker is to read first is queued for that; `keeps` holds it when it was read.
        """
        scenario = self._scenarios.get(caller.key_id)
        if scenario is None or not jobs or (scenario.is_at_once and scenario.failure is None):
            return False
        head, family = _head_of(jobs[0]), tuple(jobs)
        is_read = all(job.status is JobStatus.READY for job in jobs)
        held = _Held(caller.key_id, family, scenario, family if is_read else ())
        with self._lock:
            self._held[head] = held
        if scenario.is_at_once:
            self._let_go(head)
        elif scenario.after_seconds is not None:
            self._alarm.after(scenario.after_seconds, partial(self._let_go, head))
        return is_read or scenario.is_at_once

    def keeps(self, job: Job) -> bool:
        """Return whether a job is held; one that is ready is let go with its family from now on."""
        with self._lock:
            held = self._held.get(_head_of(job))
            if held is not None and job.status is JobStatus.READY:
                self._held[_head_of(job)] = held._replace(waiting=(*held.waiting, job))
        return held is not None

    def holds(self, job_id: str) -> bool:
        """Return whether a job, or the family that it belongs to, is held."""
        with self._lock:
            return job_id in self._held or any(
                job_id == job.id for held in self._held.values() for job in held.jobs
            )

    def forget(self, job_id: str) -> None:
        """Hold a job no longer that has ended or was deleted, or the family of such a parent."""
        with self._lock:
            self._held.pop(job_id, None)

    def poll(self, key_id: str, job_ids: Iterable[str]) -> list[str]:
        """Count a read of each of these jobs; return those that it has let go."""
        due = [job_id for job_id in job_ids if self._is_last_poll(key_id, job_id)]
        for job_id in due:
            self._let_go(job_id)
        return due

    def clear(self, key_id: str) -> None:
        """Forget a key's scenario, and have what it holds run as usual."""
        self.play(key_id, None)
        with self._lock:
            due = {head: held for head, held in self._held.items() if held.key_id == key_id}
            for head in due:
                del self._held[head]
        for held in due.values():
            self._run(held)

    def close(self) -> None:
        """Let nothing go any more; the next server queues what is held."""
        self._alarm.stop()

    def _is_last_poll(self, key_id: str, job_id: str) -> bool:
        with self._lock:
            held = self._held.get(job_id)
            if held is None or held.key_id != key_id or held.scenario.after_polls is None:
                return False
            self._held[job_id] = held._replace(num_polls=held.num_polls + 1)
            return held.num_polls >= held.scenario.after_polls

    def _let_go(self, head: str) -> None:
        """Have what is held of a submission run, or fail; nothing where it is held no more."""
        with self._lock:
            held = self._held.pop(head, None)
        if held is None:
            return
        if held.scenario.failure is None:
            self._run(held)
        else:
            self._fail(head, held, failure_of(held.scenario.failure))

    def _run(self, held: _Held) -> None:
        for job in held.waiting:
            self._queue(job)

    def _fail(self, head: str, held: _Held, failure: Failure) -> None:
        now = self._clock()

        def fail(job: Job) -> tuple[Job, tuple[Effect, ...]]:
            if job.status not in (JobStatus.SUBMITTED, JobStatus.READY):  # canceled meanwhile
                return job, ()
            return step(job, JobEvent.FAIL, now, failure=failure)

        def hold_again(done: Future[list[tuple[Job, tuple[Effect, ...]]]]) -> None:
            if error := done.exception():
                _log.error("%d jobs that are to fail are held on: %s", len(held.jobs), error)
                with self._lock:
                    self._held[head] = held
                # Also what has ended meanwhile: it is let go as well, and nothing is written then.
                self._alarm.after(RETRY_SECONDS, partial(self._let_go, head))

        ids = [job.id for job in held.jobs]
        failed = self._store.change_jobs(held.jobs[0].project_id, ids, fail, now)
        failed.add_done_callback(hold_again)


def _head_of(job: Job) -> str:
    return job.parent_id or job.id
