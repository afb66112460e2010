"""Who works on a job holds a lease on it; a lease that runs out gives the job back to the queue."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial

from ionbox.errors import StoreError
from ionbox.jobs.job import Job
from ionbox.service.ports import Store

# So long nobody may be heard of who works on a job.
LEASE_SECONDS = 30.0
# A lease is written again once this part of it has passed, and looked at as often.
_PART = 1 / 6

_log = logging.getLogger(__name__)


class Leases:
    """The leases of the jobs that run here.

    Args:
        overdue: Called with each job whose lease ran out, from a thread of its own, again and again
            until somebody renews or ends it.
        lost: Called with the id of a job that somebody else holds now.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        seconds: float,
        *,
        overdue: Callable[[Job], None],
        lost: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._length = timedelta(seconds=seconds)
        self._overdue = overdue
        self._lost = lost
        self._lock = threading.Lock()  # of what is held
        # Job's id → the job as it was claimed, and when its lease was last written.
        self._held: dict[str, tuple[Job, datetime]] = {}
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, look: Callable[[], None]) -> None:
        """Look for leases that run out, from now on.

        Args:
            look: Called before each look, so that who works renews them.
        """
        self._thread = threading.Thread(
            target=self._watch, args=(look,), name="leases", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._is_stopping.set()
        if self._thread is not None:
            self._thread.join()

    def until(self, now: datetime) -> datetime:
        """Return when a lease ends that begins now."""
        return now + self._length

    @property
    def seconds(self) -> float:
        """How long a lease is."""
        return self._length.total_seconds()

    def hold(self, job: Job) -> None:
        """Note that a job was just claimed."""
        with self._lock:
            self._held[job.id] = (job, self._clock())

    def drop(self, job_id: str) -> None:
        """Note that nobody here works on a job any more."""
        with self._lock:
            self._held.pop(job_id, None)

    def holds(self, job_id: str) -> bool:
        """Return whether a job is in somebody's hands here: it runs, or its end is recorded."""
        return job_id in self._held

    def renew(self, job_id: str) -> None:
        """Hold a job for longer: somebody who works on it was heard of."""
        now = self._clock()
        with self._lock:
            job, written_at = self._held.get(job_id, (None, now))
            if job is None or now - written_at < self._length * _PART:
                return
            self._held[job_id] = (job, now)
        renewed = self._store.renew_leases([job], self.until(now))
        renewed.add_done_callback(partial(self._renewed, job_id))

    def _renewed(self, job_id: str, future: Future[list[bool]]) -> None:
        error = future.exception()
        if error is not None:  # the next beat tries again
            _log.warning("the lease of job %s is not renewed yet: %s", job_id, error)
        elif future.result() != [True] and self.holds(job_id):
            self._lost(job_id)

    def _watch(self, look: Callable[[], None]) -> None:
        while not self._is_stopping.wait(self.seconds * _PART):
            look()
            try:
                expired = self._store.expired_leases(self._clock())
            except StoreError as error:
                _log.warning("leases cannot be looked at: %s", error)
                continue
            for job in expired:
                self._overdue(job)
