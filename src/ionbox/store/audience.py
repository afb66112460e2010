"""Who listens to what is written."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ionbox.service.ports import Event

_log = logging.getLogger(__name__)


class Audience:
    """One listener, and how much it was told.

    Args:
        at: The id of the newest event that need not be told.
        find: The query of the events after one.
    """

    def __init__(
        self,
        listener: Callable[[Sequence[Event]], None],
        at: int,
        find: Callable[..., Iterable[Any]],
    ) -> None:
        self._listener = listener
        self._at = at
        self._find = find

    def hear(self, database: sqlite3.Connection) -> None:
        """Tell what is new since the last time."""
        try:
            events = [Event(*row) for row in self._find(database, after=self._at)]
        except sqlite3.Error as error:
            _log.error("events will be told with those of the next commit: %s", error)
            return
        if events:
            self._at = events[-1].id
            self._listener(events)
