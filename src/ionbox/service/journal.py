"""What each key's requests were and how they were answered, for testers to look at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

MAX_RECORDS = 1000
MAX_BODY_BYTES = 64 * 1024


class RequestRecord(msgspec.Struct, frozen=True):
    """One request as it came, and what came of it.

    Args:
        body: None where it is longer than is kept.
        body_bytes: How long it was.
        ignored_keys: Where in the body keys stand that nothing reads.
        status: None where the connection was dropped without an answer.
        job_id: The job that it made.
    """

    at: datetime
    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes | None
    body_bytes: int
    ignored_keys: tuple[str, ...]
    status: int | None
    job_id: str | None


class Journal:
    """Remembers the last requests of each key, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, deque[RequestRecord]] = {}

    def write(self, key_id: str, record: RequestRecord) -> None:
        """Remember a request, and forget the oldest where there are too many."""
        with self._lock:
            self._records.setdefault(key_id, deque(maxlen=MAX_RECORDS)).append(record)

    def read(self, key_id: str) -> list[RequestRecord]:
        """Return what is remembered of a key."""
        with self._lock:
            return list(self._records.get(key_id, ()))

    def clear(self, key_id: str) -> None:
        """Forget what a key's requests were."""
        with self._lock:
            self._records.pop(key_id, None)
