"""Who listens to what is written."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence

from ionbox.service.ports import Event
from ionbox.store.queries import QUERIES

# Asked after every commit, without the calls that the library puts around each query.
_NEW_EVENTS = QUERIES.new_events.sql
_log = logging.getLogger(__name__)


class Audience:
    """One listener, and how much it was told.

    Args:
        at: The id of the newest event that need not be told.
    """

    def __init__(self, listener: Callable[[Sequence[Event]], None], at: int) -> None:
        self._listener = listener
        self._at = at

    def hear(self, database: sqlite3.Connection) -> None:
        """Tell what is new since the last time."""
        try:
            events = [Event(*row) for row in database.execute(_NEW_EVENTS, {"after": self._at})]
        except sqlite3.Error as error:
            _log.error("events will be told with those of the next commit: %s", error)
            return
        if events:
            self._at = events[-1].id
            self._listener(events)
