"""Long-poll: answers that are held until a job has ended, where the request prefers that.

Source:
    RFC 7240, sections 2, 3 and 4.3.
"""

from __future__ import annotations

import asyncio
import re
from functools import wraps

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ionbox.api.bell import Bell
from ionbox.api.endpoints import Handler, Header
from ionbox.api.requests import caller_by_now, caller_of, service_of
from ionbox.jobs.job import Job
from ionbox.jobs.lifecycle import TERMINAL
from ionbox.service.access import Caller
from ionbox.service.service import Service

MAX_WAIT_SECONDS = 60
PREFER = Header(
    "Prefer",
    str,
    f"`wait=N`, as in RFC 7240: for how many seconds, {MAX_WAIT_SECONDS} at most, the answer may "
    "be held until the job has ended.",
)
_WAIT = re.compile(r"""\s*wait\s*=\s*("?)(\d{1,9})\1\s*(;.*)?""", re.IGNORECASE | re.ASCII)


def preferred_wait(request: Request) -> int | None:
    """Return for how many seconds at most a request prefers to wait; None where it does not say.

    Other preferences, and what is none, are ignored. Of several the first counts.
    """
    for line in request.headers.getlist(PREFER.name):
        for preference in line.split(","):
            match = _WAIT.fullmatch(preference)
            if match is not None:
                return min(int(match[2]), MAX_WAIT_SECONDS)
    return None


def held(handler: Handler) -> Handler:
    """Return a handler that first waits for the end of the job that the path names."""

    @wraps(handler)
    async def hold(request: Request) -> Response:
        if preferred_wait(request) is None:
            return await handler(request)
        await _end(request, request.path_params["id"])
        return preference_applied(request, await handler(request))

    return hold


async def ended(request: Request, job_id: str) -> Job:
    """Return a job of the caller's once it has ended, or has had the time that is preferred.

    Raises:
        NotFoundError: If there is no such job, or no longer.
        UnauthorizedError: If the key was revoked meanwhile.
        ClientDisconnect: If the client hangs up meanwhile.
    """
    await _end(request, job_id)
    return service_of(request).jobs.job(caller_of(request), job_id)


async def _end(request: Request, job_id: str) -> None:
    """Wait for the end of a job, or as long as is preferred; see `ended`."""
    seconds, bell = preferred_wait(request), Bell()
    if not seconds:
        return
    hanging_up = asyncio.create_task(_hung_up(request))
    hanging_up.add_done_callback(lambda _: bell.ring())
    try:
        await await_end(service_of(request), caller_of(request), job_id, seconds, bell)
    finally:
        hanging_up.cancel()
    if hanging_up.done():
        raise ClientDisconnect
    caller_by_now(request)


async def await_end(
    service: Service, caller: Caller, job_id: str, seconds: float, bell: Bell
) -> None:
    """Wait until a job has ended or was deleted, the bell rings, or so many seconds have passed.

    Raises:
        NotFoundError: If there is no such job.
    """
    with service.events.awaiting(job_id, bell.ring):
        job = service.jobs.job(caller, job_id)
        if job.status not in TERMINAL and not service.events.is_closed:
            await bell.rung(seconds)


def preference_applied(request: Request, response: Response) -> Response:
    """Return an answer that says how its request's preference was applied, if it had one."""
    seconds = preferred_wait(request)
    if seconds is not None:
        response.raw_headers.append((b"preference-applied", b"wait=%d" % seconds))
    return response


async def _hung_up(request: Request) -> None:
    """Return when the client has hung up; its body, if it has one, was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
