"""What the faces read alike of requests about backends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request

from ionbox.api.endpoints import Query, within
from ionbox.api.requests import integer_of, service_of
from ionbox.backends.backend import Backend
from ionbox.backends.characterization import MAX_PAGE, Page, Timing

_LIMITS = range(1, MAX_PAGE + 1)
_PAGES = range(1, 1_000_001)

PAGE_QUERY = (
    Query(
        "limit", Annotated[int, within(_LIMITS)], f"How many records a page; {MAX_PAGE} by default."
    ),
    Query("page", Annotated[int, within(_PAGES)], "1 by default."),
)


def backend_of(request: Request) -> Backend:
    """Return the backend that the path names."""
    return service_of(request).catalog.backend(request.path_params["backend"])


def characterizations_of(request: Request, start: datetime | None, end: datetime | None) -> Page:
    """Return the page of characterizations that a request asks for."""
    return service_of(request).catalog.characterizations(
        request.path_params["backend"],
        start,
        end,
        limit=integer_of(request, "limit", default=MAX_PAGE, allowed=_LIMITS),
        page=integer_of(request, "page", default=1, allowed=_PAGES),
    )


class Timings(msgspec.Struct, omit_defaults=True):
    """Durations in seconds, as far as they are known."""

    readout: float
    reset: float
    one_qubit: float | UnsetType = msgspec.field(name="1q", default=UNSET)
    two_qubit: float | UnsetType = msgspec.field(name="2q", default=UNSET)
    t1: float | UnsetType = UNSET
    t2: float | UnsetType = UNSET


def write_timing(timing: Timing) -> Timings:
    """Return the durations of a characterization, which both versions write alike."""
    known = (timing.gate_1q, timing.gate_2q, timing.t1, timing.t2)
    optional = [UNSET if seconds is None else seconds for seconds in known]
    return Timings(timing.readout, timing.reset, *optional)
