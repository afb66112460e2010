"""The use cases of keys and projects: who calls, and what a key gives access to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ionbox.errors import NotFoundError, UnauthorizedError
from ionbox.service.access import Caller, Key, Project, hash_secret, new_key, new_secret
from ionbox.service.ports import Store


class Accounts:
    """Every use case of keys and projects.

    Args:
        clock: Returns the time, aware.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        # Who holds each key in use: this server alone revokes, so it can remember.
        self._callers: dict[bytes, Caller] = {}
        self._callers_lock = threading.Lock()
        self._num_revocations = 0

    def project(self, caller: Caller) -> Project:
        """Return the project that a caller's key reaches."""
        return self._store.project(caller.project_id)

    def caller(self, secret: str) -> Caller:
        """Return who holds a key.

        Raises:
            UnauthorizedError: If the key is not known, or revoked.
        """
        key_hash = hash_secret(secret)
        return self._callers.get(key_hash) or self._look_up(key_hash)

    def key(self, caller: Caller) -> Key:
        """Return the key that a caller showed."""
        every = self._store.keys()
        return next(key for key in every if key.id == caller.key_id)

    def is_key(self, secret: str) -> bool:
        """Return whether a key opens anything."""
        key = self._store.key(hash_secret(secret))
        return key is not None and key.revoked_at is None

    def keys(self) -> list[Key]:
        """Return every key."""
        return self._store.keys()

    def create_key(self, name: str) -> tuple[Key, str]:
        """Make a key for the first project; return it and its secret, which is not kept."""
        secret = new_secret()
        return self.add_key(name, secret), secret

    def add_key(self, name: str, secret: str) -> Key:
        """Remember a key that somebody else made, by its hash; a known one stays as it is."""
        known = self._store.key(hash_secret(secret))
        if known is not None:
            return known
        key = new_key(self._first_project(), name, secret, self._clock())
        return self._store.insert_key(key, hash_secret(secret)).result()

    def revoke_key(self, key_id: str) -> None:
        """Have a key open nothing any more."""
        if not self._store.revoke_key(key_id, self._clock()).result():
            raise NotFoundError("key", key_id)
        with self._callers_lock:
            self._num_revocations += 1
            self._callers.clear()

    def _first_project(self) -> str:
        known = self._store.first_project()
        return known or self._store.create_project("local", "default").result()

    def _look_up(self, key_hash: bytes) -> Caller:
        before = self._num_revocations
        key = self._store.key(key_hash)
        if key is None or key.revoked_at is not None:
            raise UnauthorizedError("this key is not known here")
        caller = Caller(key.id, key.project_id, key.submitter_id)
        with self._callers_lock:
            if self._num_revocations == before:  # what was read is still true
                self._callers[key_hash] = caller
        return caller
