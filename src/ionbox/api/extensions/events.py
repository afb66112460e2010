"""Server-sent events: what becomes of a project's jobs, as it happens.

Source:
    HTML Living Standard, section 9.2.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ionbox.api.bell import Bell
from ionbox.api.endpoints import Endpoint, Header, Query
from ionbox.api.requests import caller_by_now, caller_of, service_of, values_of
from ionbox.errors import InvalidInputError, UnauthorizedError
from ionbox.service.events import News, Progress
from ionbox.service.ports import Event

MEDIA_TYPE = "text/event-stream"
# Proxies close what is silent for longer; clients come back after so long.
QUIET_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
_MAX_DIGITS = 18
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_QUIET = b": nothing new\n\n"
LAST_EVENT_ID = Header(
    "Last-Event-ID", str, "The id that was seen last: what came after it is told first."
)


class EventBody(msgspec.Struct):
    """What became of a job: its new status, `deleted` if it is gone, and how often it was begun."""

    id: str
    status: str
    parent_job_id: str | None
    attempt: int


class ProgressBody(msgspec.Struct):
    """How much of a running job is done, from 0 to 1, and for how many seconds it has run."""

    id: str
    progress: float
    seconds: float | None


class EventStream(StreamingResponse):
    """An answer without an end; who follows is forgotten as soon as the client hangs up."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(chunks, headers=_HEADERS, media_type=MEDIA_TYPE)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes."""
        async with contextlib.aclosing(self._chunks):
            await super().__call__(scope, receive, send)


async def stream_events(request: Request) -> Response:
    """GET /events."""
    events, caller = service_of(request).events, caller_of(request)
    after, job_ids = _last_event_id(request), values_of(request, JOB_ID.name)
    if request.method == "HEAD":
        return Response(headers=_HEADERS, media_type=MEDIA_TYPE)
    # From here on nothing is missed: the answer begins after this was read.
    start = events.newest() if after is None else after
    wanted = None if job_ids is None else frozenset(job_ids)
    return EventStream(_told(request, caller.project_id, start, wanted))


def _last_event_id(request: Request) -> int | None:
    """Return the id that a client saw last, if it is one that comes back."""
    text = request.headers.get(LAST_EVENT_ID.name)
    if not text:  # browsers send none where they have none, some clients an empty one
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        message = f"'{text}' is not the id of an event, which is an integer"
        raise InvalidInputError(LAST_EVENT_ID.name, message, source="headers")
    return int(text)


async def _told(
    request: Request, project_id: str, at: int, wanted: frozenset[str] | None
) -> AsyncGenerator[bytes, None]:
    """Yield what a client is told, until the server stops or its key is revoked."""
    loop, bell, events = asyncio.get_running_loop(), Bell(), service_of(request).events
    yield b"retry: %d\n" % RETRY_MILLISECONDS + write_place(at)
    with events.following(project_id, bell.ring) as follower:
        silent_since = loop.time()
        while not events.is_closed and _is_welcome(request):
            news = events.news(project_id, at)
            at = news.at
            progress, silence = follower.progress(), loop.time() - silent_since
            text = write_told(news, progress, wanted, is_due=silence >= QUIET_SECONDS)
            if text:
                yield text
                silent_since, silence = loop.time(), 0
            if news.is_all:
                await bell.rung(QUIET_SECONDS - silence)


def _is_welcome(request: Request) -> bool:
    """Return whether the key that opened an answer is still good."""
    try:
        caller_by_now(request)
    except UnauthorizedError:
        return False
    return True


def write_told(
    news: News, progress: list[Progress], wanted: frozenset[str] | None, *, is_due: bool
) -> bytes:
    """Return what is told of the wanted jobs, or of all.

    What has no id is told with the place where the client is to go on: the ids of others' events
    are behind it already.

    Args:
        is_due: Whether something has to be told, if only that there is nothing new.
    """
    passing = write_progress(progress, wanted)
    if not passing and is_due:
        passing = _QUIET
    place = write_place(news.at) if passing else b""
    return write_news(news, wanted) + place + passing


def write_place(at: int) -> bytes:
    """Return where to go on, which a client remembers as if it were the id of an event."""
    return b"id: %d\n\n" % at


def write_news(news: News, wanted: frozenset[str] | None = None) -> bytes:
    """Return news as server-sent events: those of the wanted jobs, or of all."""
    if news.is_gap:
        return b"id: %d\nevent: reset\ndata: {}\n\n" % news.at
    return b"".join(
        b"id: %d\nevent: job\ndata: %s\n\n" % (event.id, _job(event))
        for event in news.events
        if wanted is None or event.job_id in wanted
    )


def write_progress(told: list[Progress], wanted: frozenset[str] | None = None) -> bytes:
    """Return progress as server-sent events, which have no ids: they are not told again."""
    return b"".join(
        b"event: progress\ndata: %s\n\n" % msgspec.json.encode(ProgressBody(*one))
        for one in told
        if wanted is None or one.job_id in wanted
    )


def _job(event: Event) -> bytes:
    body = EventBody(event.job_id, event.status, event.parent_id, event.attempt)
    return msgspec.json.encode(body)


JOB_ID = Query("job_id", list[str], "Only what becomes of these jobs; may be repeated.")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/ionbox/v1/events",
        stream_events,
        "Tell what becomes of jobs, as it happens.",
        {"type": "string"},
        query=(JOB_ID,),
        headers=(LAST_EVENT_ID,),
        errors=(400,),
    ),
)
