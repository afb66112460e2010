"""Stands around the faces of a server for testers (`--testing`): polls, faults and the journal."""

from __future__ import annotations

import asyncio
import contextlib
import http
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ionbox.api import problems
from ionbox.api.bell import Bell
from ionbox.api.dropping import drop
from ionbox.api.extensions.testing import PREFIX
from ionbox.api.ignored import ignored_keys
from ionbox.api.requests import Context, caller_who_shows, values_of
from ionbox.api.waiting import await_end
from ionbox.errors import NotFoundError, UnauthorizedError
from ionbox.service.access import Caller
from ionbox.service.journal import MAX_BODY_BYTES, RequestRecord
from ionbox.service.rehearsal import Rehearsal
from ionbox.service.scenarios import Fault

# How long a request waits for a job that is to end before it is answered.
PATIENCE_SECONDS: Final = 60.0
HEADERS: Final = ("user-agent", "content-type", "idempotency-key", "prefer")
# More is not read ahead; the face refuses it.
_MAX_READ_BYTES = 40 * 1024 * 1024
_JOB: Final = re.compile(r"/v0\.[34]/jobs/([^/]+)")
_JOBS: Final = re.compile(r"/v0\.[34]/jobs")
_SUBMISSION: Final = re.compile(r"/v0\.[34]/jobs(/[^/]+/(clone|move))?")
_NO_FAULT: Final = Fault()


class _Created(msgspec.Struct):
    """What matters here of the answer to a submission."""

    id: str


_created = msgspec.json.Decoder(_Created)


class Rehearsed:
    """The application as each key asked for it; requests without a known key pass as they are."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        caller = None if scope["type"] != "http" else self._caller(scope)
        if caller is None or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
        else:
            await _Exchange(self._app, self._context, caller, scope).serve(receive, send)

    def _caller(self, scope: Scope) -> Caller | None:
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        try:
            return caller_who_shows(authorization, self._context)
        except UnauthorizedError:
            return None


class _Exchange:
    """One request of a tester, and what becomes of it."""

    def __init__(self, app: ASGIApp, context: Context, caller: Caller, scope: Scope) -> None:
        assert context.rehearsal is not None  # noqa: S101 - else nobody stands around the faces
        self._app = app
        self._service = context.service
        self._rehearsal: Rehearsal = context.rehearsal
        self._caller = caller
        self._scope = scope
        self._request = Request(scope)
        self._method, self._path = scope["method"], scope["path"]
        self._fault = _NO_FAULT
        self._at = datetime.now(UTC)
        self._data = b""
        self._start: Message | None = None  # of an answer whose body is waited for
        self._is_answered = False
        self._is_dropped = False

    async def serve(self, receive: Receive, send: Send) -> None:
        """Carry out the request, unless a fault befalls it first."""
        again, self._data = await _read_ahead(receive)
        taken = self._rehearsal.faults.take(self._caller.key_id, self._method, self._path)
        self._fault = fault = taken or _NO_FAULT

        async def send_on(message: Message) -> None:
            for one in await self._answers(message):
                await send(one)

        if fault.status is not None:
            await _faulty(fault, fault.status)(self._scope, again, send_on)
        elif fault.drop == "before":
            await self._before_answer(None, b"")
        else:
            await self._count_poll()
            await self._app(self._scope, again, send_on)
        if self._is_dropped:
            await drop(self._scope, again)

    async def _answers(self, message: Message) -> list[Message]:
        """Return what of the answer is to be sent now; before its first part, all else is done."""
        if self._is_dropped:
            return []
        if message["type"] == "http.response.start" and self._is_submission:
            self._start = message
            return []
        messages = [message] if self._start is None else [self._start, message]
        self._start = None
        if not self._is_answered:
            self._is_answered = True
            await self._before_answer(messages[0]["status"], message.get("body", b""))
        return [] if self._is_dropped else messages

    @property
    def _is_submission(self) -> bool:
        return self._method == "POST" and _SUBMISSION.fullmatch(self._path) is not None

    async def _before_answer(self, status: int | None, body: bytes) -> None:
        """Do what is due once it is known how a request is answered, and before it is."""
        job_id = _job_id(body) if self._is_submission else None
        scenario = self._rehearsal.stage.scenario(self._caller.key_id)
        if job_id is not None and scenario is not None and scenario.is_at_once:
            await self._end_of(job_id)
        await asyncio.sleep(self._fault.delay_seconds)
        self._is_dropped = self._fault.drop is not None
        self._write_down(None if self._is_dropped else status, job_id)

    async def _count_poll(self) -> None:
        """Have a read that lets a job go see its end."""
        if self._method == "GET":
            for job_id in self._rehearsal.stage.poll(self._caller.key_id, self._polled_ids()):
                await self._end_of(job_id)

    def _polled_ids(self) -> tuple[str, ...]:
        if one := _JOB.fullmatch(self._path):
            return (one[1],)
        return (values_of(self._request, "id", "ids") or ()) if _JOBS.fullmatch(self._path) else ()

    async def _end_of(self, job_id: str) -> None:
        """Wait until a job has ended, or is gone; there is an end to that as well."""
        with contextlib.suppress(NotFoundError):
            await await_end(self._service, self._caller, job_id, PATIENCE_SECONDS, Bell())

    def _write_down(self, status: int | None, job_id: str | None) -> None:
        data, headers = self._data, self._request.headers
        record = RequestRecord(
            at=self._at,
            method=self._method,
            path=self._path,
            query=parse_qs(self._request.url.query, keep_blank_values=True),
            headers={name: headers[name] for name in HEADERS if name in headers},
            body=data if len(data) <= MAX_BODY_BYTES else None,
            body_bytes=len(data),
            ignored_keys=ignored_keys(self._method, self._path, data) if data else (),
            status=status,
            job_id=job_id,
        )
        self._rehearsal.journal.write(self._caller.key_id, record)


async def _read_ahead(receive: Receive) -> tuple[Receive, bytes]:
    """Return the body of a request, and how to receive it once more, with what comes after it."""
    messages: list[Message] = []
    size, is_more = 0, True
    while is_more and size <= _MAX_READ_BYTES:
        messages.append(message := await receive())
        size += len(message.get("body", b""))
        is_more = message.get("more_body", False)
    data = b"".join(message.get("body", b"") for message in messages)
    given = iter(messages)

    async def again() -> Message:
        return next(given, None) or await receive()

    return again, data


def _faulty(fault: Fault, status: int) -> ASGIApp:
    """Return the answer that a fault asks for; its body is that of any error."""
    known = {status.value: status.phrase for status in http.HTTPStatus}
    headers = None if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    word = known.get(status, "Unknown Error")
    return problems.answer(problems.Problem(status, word, fault.message), headers)


def _job_id(body: bytes) -> str | None:
    """Return the job that a submission made; a refusal names none."""
    try:
        return _created.decode(body).id
    except msgspec.MsgspecError:
        return None
