"""What a worker says while it works: that it lives, how far it is, what it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ionbox.engines.progress import Progress
from ionbox.executors.memory import Memory
from ionbox.service.work import Beat

BEAT_SECONDS = 1.0


class Beater:
    """Sends a beat about once a second for as long as a load of tasks takes.

    It is one thread that lives as long as the process and looks once a second, so that a short
    load costs a few assignments: no thread is started or woken for it. The first beat comes
    `BEAT_SECONDS` after the load began.
    """

    def __init__(self, send: Callable[[Beat], None], memory: Memory) -> None:
        self._send = send
        self._memory = memory
        self._lock = threading.Lock()  # of what is sent: a beat never follows its load's replies
        self._job_id: str | None = None
        self._progress = Progress()
        self._last = 0.0  # when the load began, or the last beat of it was sent
        threading.Thread(target=self._run, name="beats", daemon=True).start()

    def begin(self, job_id: str) -> Progress:
        """Say what is worked at from now on, and return what is read of it; the first is a load."""
        if self._job_id is None:
            self._last = time.monotonic()
        self._progress = Progress()
        self._job_id = job_id
        return self._progress

    def end(self) -> None:
        """Be silent from now on: the load is done."""
        with self._lock:
            self._job_id = None

    def _run(self) -> None:
        while True:
            time.sleep(self._rest_seconds())
            try:
                self._beat()
            except OSError:  # the server is gone
                return
            except MemoryError:  # the task has all it may have; the next beat may find some left
                continue

    def _rest_seconds(self) -> float:
        if self._job_id is None:
            return BEAT_SECONDS
        return min(max(BEAT_SECONDS - (time.monotonic() - self._last), 0), BEAT_SECONDS)

    def _beat(self) -> None:
        with self._lock:
            job_id, now = self._job_id, time.monotonic()
            if job_id is None or now - self._last < BEAT_SECONDS:
                return
            self._last = now
            self._send(Beat(job_id, self._progress.share, self._memory.peak_bytes()))
