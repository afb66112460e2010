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

_log = logging.getLogger(__name__)


class _Held(NamedTuple):
    """What one submission made and nobody has queued: a job, or the children of one."""

    jobs: tuple[Job, ...]
    scenario: Scenario
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
        # Key → the job that was submitted → what of it waits.
        self._held: dict[str, dict[str, _Held]] = {}

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
        """Return whether new jobs, a family or one alone, are not to be queued now."""
        scenario = self._scenarios.get(caller.key_id)
        if scenario is None or not jobs or (scenario.is_at_once and scenario.failure is None):
            return False
        head = jobs[0].parent_id or jobs[0].id
        with self._lock:
            self._held.setdefault(caller.key_id, {})[head] = _Held(tuple(jobs), scenario)
        if scenario.is_at_once:
            self._let_go(caller.key_id, head)
        elif scenario.after_seconds is not None:
            self._alarm.after(scenario.after_seconds, partial(self._let_go, caller.key_id, head))
        return True

    def poll(self, key_id: str, job_ids: Iterable[str]) -> list[str]:
        """Count a read of each of these jobs; return those that it has let go."""
        due = [job_id for job_id in job_ids if self._is_last_poll(key_id, job_id)]
        for job_id in due:
            self._let_go(key_id, job_id)
        return due

    def clear(self, key_id: str) -> None:
        """Forget a key's scenario, and have what it holds run as usual."""
        self.play(key_id, None)
        with self._lock:
            held = self._held.pop(key_id, {})
        for one in held.values():
            self._run(one)

    def close(self) -> None:
        """Let nothing go any more; the next server queues what is held."""
        self._alarm.stop()

    def _is_last_poll(self, key_id: str, job_id: str) -> bool:
        with self._lock:
            of_key = self._held.get(key_id, {})
            held = of_key.get(job_id)
            if held is None or held.scenario.after_polls is None:
                return False
            of_key[job_id] = held._replace(num_polls=held.num_polls + 1)
            return held.num_polls >= held.scenario.after_polls

    def _let_go(self, key_id: str, head: str) -> None:
        """Have what is held of a submission run, or fail; nothing where it is held no more."""
        with self._lock:
            held = self._held.get(key_id, {}).pop(head, None)
        if held is None:
            return
        if held.scenario.failure is None:
            self._run(held)
        else:
            self._fail(held.jobs, failure_of(held.scenario.failure))

    def _run(self, held: _Held) -> None:
        for job in held.jobs:
            self._queue(job)

    def _fail(self, jobs: Sequence[Job], failure: Failure) -> None:
        now = self._clock()

        def fail(job: Job) -> tuple[Job, tuple[Effect, ...]]:
            if job.status not in (JobStatus.SUBMITTED, JobStatus.READY):  # canceled meanwhile
                return job, ()
            return step(job, JobEvent.FAIL, now, failure=failure)

        ids = [job.id for job in jobs]
        failed = self._store.change_jobs(jobs[0].project_id, ids, fail, now)
        failed.add_done_callback(_report)


def _report(done: Future[list[tuple[Job, tuple[Effect, ...]]]]) -> None:
    if error := done.exception():
        _log.error("jobs that were to fail were not recorded so: %s", error)
