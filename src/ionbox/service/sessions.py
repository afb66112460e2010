"""The use cases of sessions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime

from ionbox.backends.backend import Backend
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.jobs.job import new_job_id
from ionbox.jobs.sessions import Session, SessionSettings
from ionbox.service.access import Caller
from ionbox.service.ports import Store

# Jobs, minutes (four thousand years of them), or units of the currency.
MAX_LIMIT = 2**31 - 1


class Sessions:
    """Every use case of sessions, within the caller's project.

    Args:
        clock: Returns the time, aware.
        currency: That of the price book.
    """

    def __init__(
        self,
        store: Store,
        backends: Mapping[str, Backend],
        clock: Callable[[], datetime],
        currency: str,
    ) -> None:
        self._store = store
        self._backends = backends
        self._clock = clock
        self._currency = currency

    def create(self, caller: Caller, backend: str, settings: SessionSettings) -> Future[Session]:
        """Begin a session on a backend.

        Raises:
            InvalidInputError: If there is no such backend, or a limit cannot be.
        """
        if backend not in self._backends:
            known = ", ".join(self._backends)
            raise InvalidInputError("backend", f"'{backend}' is not one of: {known}")
        _check(settings, self._currency)
        now = self._clock()
        return self._store.insert_session(
            Session(
                id=new_job_id(now, secrets.randbits(62)),
                project_id=caller.project_id,
                creator_id=caller.submitter_id,
                backend=backend,
                created_at=now,
                settings=settings,
            )
        )

    def session(self, caller: Caller, session_id: str) -> Session:
        """Return a session of the caller's project."""
        session = self._store.session(caller.project_id, session_id)
        if session is None:
            raise NotFoundError("session", session_id)
        return session

    def sessions(self, caller: Caller) -> list[Session]:
        """Return the sessions of the caller's project, newest first."""
        return self._store.sessions(caller.project_id)

    def end(self, caller: Caller, session_id: str) -> Future[Session | None]:
        """End a session, if it has not ended; None where there is none of that id."""
        return self._store.end_session(
            caller.project_id, session_id, caller.submitter_id, self._clock()
        )


def _check(settings: SessionSettings, currency: str) -> None:
    for name in ("job_count_limit", "duration_limit_min"):
        limit = getattr(settings, name)
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            message = f"{limit} is not within 1 to {MAX_LIMIT}"
            raise InvalidInputError(f"settings.{name}", message)
    cost = settings.cost_limit
    if cost is not None and not 0 <= cost.value <= MAX_LIMIT:
        message = f"{cost.value} is not within 0 to {MAX_LIMIT}"
        raise InvalidInputError("settings.cost_limit.value", message)
    if cost is not None and cost.unit.lower() != currency:
        message = f"costs are in '{currency}' here, and nothing converts them"
        raise InvalidInputError("settings.cost_limit.unit", message)
