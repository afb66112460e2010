"""What a tester may ask for: how a key's next jobs end, what befalls its requests. Pure."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from ionbox.errors import InvalidInputError
from ionbox.jobs.job import Failure, FailureCode

LONGEST_SECONDS: Final = 600.0
MOST_TIMES: Final = 1_000_000
FAULT_STATUSES: Final = range(400, 600)
# All of IonQ's codes: those that ionbox itself uses, and the others of its API.
FAILURE_CODES: Final = tuple(
    sorted(
        {
            *FailureCode,
            "CompilationError",
            "ContractExpiredError",
            "DebiasingError",
            "OptimizationError",
            "QuantumCircuitComplexityError",
            "SimulationTimeout",
            "SystemCancel",
            "TooLongPredictedExecutionTime",
            "TooManyGates",
            "TooManyShots",
            "UnknownBillingError",
        }
    )
)


class WantedFailure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The failure that a job is to end with; `code` is one of IonQ's."""

    code: str
    message: str = "failed as its tester asked"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How and when a key's next jobs end: at once, unless one of the two times is given.

    With a `failure` they fail then; else they run.
    """

    after_polls: int | None = None
    after_seconds: float | None = None
    failure: WantedFailure | None = None

    @property
    def is_at_once(self) -> bool:
        """Whether a submission is answered only once the job has ended."""
        return self.after_polls is None and self.after_seconds is None


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What befalls the next requests of a method and a path; it is used up after so many `times`.

    A path that ends with `*` stands for all that begin so; without method or path, any is meant.
    With a `status` a request is answered so, and not carried out. `drop` closes the connection
    without an answer: `before` the request is carried out, or `after_accept`, when it was.
    `delay_seconds` is how much later the client sees whatever it sees.
    """

    status: int | None = None
    message: str = "a fault that this key's tester asked for"
    retry_after: int | None = None
    drop: Literal["before", "after_accept"] | None = None
    delay_seconds: float = 0.0
    times: int = 1
    method: str | None = None
    path: str | None = None

    def befalls(self, method: str, path: str) -> bool:
        """Return whether it is meant for a request."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.path is None:
            return True
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


def check_scenario(scenario: Scenario) -> None:
    """Refuse a scenario that cannot be.

    Raises:
        InvalidInputError: Which says what is allowed.
    """
    polls, seconds, failure = scenario.after_polls, scenario.after_seconds, scenario.failure
    if polls is not None and seconds is not None:
        raise InvalidInputError("after_polls", "given together with after_seconds")
    if polls is not None and not 0 <= polls <= MOST_TIMES:
        raise InvalidInputError("after_polls", f"{polls} is not within 0 to {MOST_TIMES}")
    if seconds is not None:
        _check_seconds("after_seconds", seconds)
    if failure is not None and failure.code not in FAILURE_CODES:
        known = ", ".join(FAILURE_CODES)
        raise InvalidInputError("failure.code", f"'{failure.code}' is not one of: {known}")


def check_fault(fault: Fault) -> None:
    """Refuse a fault that cannot be.

    Raises:
        InvalidInputError: Which says what is allowed.
    """
    if fault.status is not None and fault.status not in FAULT_STATUSES:
        allowed = f"{FAULT_STATUSES[0]} to {FAULT_STATUSES[-1]}"
        raise InvalidInputError("status", f"{fault.status} is not within {allowed}")
    if fault.status is not None and fault.drop is not None:
        raise InvalidInputError("drop", "given together with status: there is an answer, or none")
    if fault.status is None and fault.drop is None and not fault.delay_seconds:
        raise InvalidInputError("", "one of status, drop and delay_seconds is needed")
    if fault.retry_after is not None and (fault.status is None or fault.retry_after < 0):
        raise InvalidInputError("retry_after", "seconds of at least 0, beside a status")
    if not 1 <= fault.times <= MOST_TIMES:
        raise InvalidInputError("times", f"{fault.times} is not within 1 to {MOST_TIMES}")
    _check_seconds("delay_seconds", fault.delay_seconds)


def _check_seconds(name: str, seconds: float) -> None:
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise InvalidInputError(name, f"{seconds:g} is not within 0 to {LONGEST_SECONDS:g}")


def take(
    faults: tuple[Fault, ...], method: str, path: str
) -> tuple[Fault | None, tuple[Fault, ...]]:
    """Return the first fault that befalls a request, and the faults that are left after it."""
    for index, fault in enumerate(faults):
        if fault.befalls(method, path):
            left = (replace(fault, times=fault.times - 1),) if fault.times > 1 else ()
            return fault, (*faults[:index], *left, *faults[index + 1 :])
    return None, faults


def failure_of(wanted: WantedFailure) -> Failure:
    """Return the failure of a job that is to fail."""
    return Failure(wanted.code, wanted.message)
