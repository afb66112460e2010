"""Does things later: one thread for all that wait."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Alarm:
    """Calls what it is given, each when its time has come. What is left at the end is dropped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()  # of two at the same time the first goes first
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._is_stopping = False
        self._thread = threading.Thread(target=self._ring, name="alarm", daemon=True)
        self._thread.start()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Call something in so many seconds."""
        with self._changed:
            due = time.monotonic() + seconds
            heapq.heappush(self._waiting, (due, next(self._numbers), act))
            self._changed.notify()

    def stop(self) -> None:
        """Call nothing more, and return when nothing is being called."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join()

    def _ring(self) -> None:
        while True:
            act = self._next()
            if act is None:
                return
            act()

    def _next(self) -> Callable[[], None] | None:
        """Wait until something is due and return it; None at the end."""
        with self._changed:
            while not self._is_stopping:
                seconds = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if seconds is not None and seconds <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(seconds)
        return None
