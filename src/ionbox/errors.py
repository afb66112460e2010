"""Every error that ionbox raises on purpose. They carry their facts; nothing here knows HTTP.

IonboxError
├── InvalidInputError           something the caller wrote is wrong; says where
│   └── InvalidCircuitError     … inside a circuit
├── UnauthorizedError           no key, or one that is not known here
├── ForbiddenError              a key that does not reach what was asked for
├── NotFoundError               no such job, backend or key within the caller's reach
│   └── ResultsNotReadyError    the job is there, its results are not
├── TooManyJobsError            more waiting jobs than a key or a project may have
├── ConflictError               another request was made with the same Idempotency-Key
├── GoneError                   it was there, and was deleted
├── BodyTooLargeError           more bytes than a request may have
├── EngineMissingError          a job was planned with an engine that is not installed here
├── LifecycleError              an event that a job's status does not allow
├── StoreError                  the store could not do its work
│   └── StoreFullError          … because there is no room
├── DataDirectoryError          in use, of a newer version, or not to be used
└── SettingsError               a setting that cannot be
"""

from __future__ import annotations


class IonboxError(Exception):
    """The root of all errors raised on purpose."""


class InvalidInputError(IonboxError):
    """Something the caller wrote is wrong.

    Args:
        path: Where, in the caller's own document, such as `circuit[3].target` or `shots`.
        message: What was given and what is allowed.
        source: Which part of the request: `payload`, `query`, `params` or `headers`.
    """

    def __init__(self, path: str, message: str, *, source: str = "payload") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message
        self.source = source


class InvalidCircuitError(InvalidInputError):
    """A circuit that cannot be; `path` starts at the `input` of the request."""


class UnauthorizedError(IonboxError):
    """The caller showed no key, or one that is not known here."""


class ForbiddenError(IonboxError):
    """The caller's key does not reach what was asked for."""


class NotFoundError(IonboxError):
    """No such thing within the caller's reach.

    Args:
        kind: What was looked for, such as `job`.
        name: The id or name that was given.
        known: Names that would have been found, where they may be told.
        why: Why it is not there, where that can be told.
    """

    def __init__(self, kind: str, name: str, *, known: tuple[str, ...] = (), why: str = "") -> None:
        hint = f"; known here: {', '.join(known)}" if known else ""
        reason = f": {why}" if why else ""
        super().__init__(f"{kind} '{name}' not found{reason}{hint}")
        self.kind = kind
        self.name = name
        self.known = known


class ResultsNotReadyError(NotFoundError):
    """The job is there; its results are not, or never will be."""

    def __init__(self, job_id: str, status: str, *, is_dry_run: bool = False) -> None:
        reason = "it was a dry run" if is_dry_run else f"its status is '{status}'"
        IonboxError.__init__(self, f"job '{job_id}' has no results: {reason}")
        self.kind, self.name, self.known = "results", job_id, ()
        self.status = status


class TooManyJobsError(IonboxError):
    """More waiting jobs than a key, or a project, may have; it helps to try again later.

    Args:
        whose: `key` or `project`.
        limit: How many may wait.
        waiting: How many do.
        given: How many more were submitted.
    """

    def __init__(self, whose: str, limit: int, waiting: int, given: int) -> None:
        super().__init__(
            f"{given} given, beside {waiting} that wait; {limit} jobs of a {whose} may wait at once"
        )
        self.whose = whose
        self.limit = limit
        self.waiting = waiting
        self.given = given


class ConflictError(IonboxError):
    """What is asked for contradicts what was asked for before."""


class GoneError(IonboxError):
    """What was asked for was there, and was deleted.

    Args:
        kind: What it was, such as `job`.
        name: Its id.
        how: How the caller came to ask for it.
    """

    def __init__(self, kind: str, name: str, how: str) -> None:
        super().__init__(f"{kind} '{name}' was deleted; {how}")
        self.kind = kind
        self.name = name


class BodyTooLargeError(IonboxError):
    """A request body over the limit.

    Args:
        limit_bytes: The most that is read.
    """

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the request body is larger than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class EngineMissingError(IonboxError):
    """A job was planned with an engine that is not installed here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"engine '{name}' is not installed here")
        self.name = name


class LifecycleError(IonboxError):
    """An event that a job's status does not allow."""

    def __init__(self, status: str, event: str) -> None:
        super().__init__(f"a job that is '{status}' does not know the event '{event}'")
        self.status = status
        self.event = event


class StoreError(IonboxError):
    """The store could not do its work; nothing was written."""


class StoreFullError(StoreError):
    """There is no room for what should be written."""


class DataDirectoryError(IonboxError):
    """A data directory in use, written by a newer ionbox, or not to be used."""


class SettingsError(IonboxError):
    """A setting that cannot be; says which, what was given and what is allowed."""
