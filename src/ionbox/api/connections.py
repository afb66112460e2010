"""One connection, and what is asked of who opens it: whole requests, soon, of bounded size.

uvicorn's protocol waits for a request without end and reads a head without limit. What never
becomes a request is answered here with IonQ's body of an error, as far as it can be answered.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ionbox.api.problems import Problem
from ionbox.api.requests import MAX_DRAINED_BYTES

_KIBIBYTE: Final = 1024
# How long what comes after a refusal is read and dropped: an answer to a client that still sends
# is lost otherwise, as the system resets a connection that is closed with something unread.
_LINGER_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What is asked of a connection.

    Args:
        connections: How many may be open at once.
        head_seconds: For a request's line and headers, from its first byte or, where none has
            come yet, from the opening of the connection.
        body_seconds: For the whole request, from its first byte.
        body_bytes_per_second: A large body has a second more for each so many of its bytes.
        stall_seconds: For an answer of which the client takes nothing more.
        url_bytes: Of the path with its query.
        head_bytes: Of line and headers together.
        headers: How many there may be.
        request_bytes: Read of one request at most, whatever becomes of it.
        pipelined: Requests that wait for the answer to the one before.
    """

    connections: int = 4000
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    body_bytes_per_second: int = 16 * _KIBIBYTE
    stall_seconds: float = 60.0
    url_bytes: int = 32 * _KIBIBYTE
    head_bytes: int = 64 * _KIBIBYTE
    headers: int = 100
    request_bytes: int = 2 * MAX_DRAINED_BYTES
    pipelined: int = 100


class RefusedError(Exception):
    """Raised through the parser, which calls us, to stop it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Connection(HttpToolsProtocol):
    """A connection within limits; `connection_class` makes the one for a server."""

    limits: ClassVar[ConnectionLimits]
    # Who owes us a request, or the rest of one, in the order since when.
    debtors: ClassVar[dict[Connection, None]]

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as uvicorn calls
        super().__init__(*arguments, **options)
        self.url = b""
        self._is_open = False  # a request has begun, and is not complete
        self._has_head = False  # … and its head is
        self._is_again = False  # its head is to be read again, without a wish to upgrade
        self._received = 0  # bytes of it
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._refusal: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of one that owes a request if there are too many."""
        super().connection_made(transport)
        self._began = self.loop.time()
        self._is_open = True
        self._arm(self.limits.head_seconds)
        if len(self.connections) > self.limits.connections:
            self._make_room()
        self.debtors[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._disarm()
        self._forget_stall()
        self.debtors.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a request that is not complete by then has a time to become so."""
        self._unset_keepalive_if_required()
        if not self._is_open:
            self._open()
        self._received += len(data)
        if self._refusal is not None:
            if self._received > self.limits.request_bytes:
                self.transport.abort()
            return
        try:
            self._feed(data)
            if self._received > self.limits.head_bytes:
                self._check_size()
        except RefusedError as error:
            self._refuse(error.problem)
        except httptools.HttpParserError as error:
            self._refuse(_problem_of(error))
        if self._is_open and self._timer is None:
            self._arm(self.limits.head_seconds)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._has_head = False
        if not self._is_open:  # the one before ended in the same piece of data
            self._open()
            self._received = 1  # or more: enough to owe us the rest

    def on_headers_complete(self) -> None:
        """Check a head before anything is made of it."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._is_again = True
            return
        limits = self.limits
        if len(self.url) > limits.url_bytes:
            raise RefusedError(_url_too_long(limits))
        if len(self.headers) > limits.headers:
            raise RefusedError(_head_too_large(f"more than {limits.headers} headers"))
        if self._received > limits.head_bytes and self._head_bytes() > limits.head_bytes:
            raise RefusedError(_head_too_large(f"more than {limits.head_bytes} bytes"))
        if len(self.pipeline) >= limits.pipelined:
            message = f"more than {limits.pipelined} requests wait for an answer on one connection"
            raise RefusedError(Problem(429, HTTPStatus(429).phrase, message))
        super().on_headers_complete()
        self._has_head = True
        if self.expect_100_continue:
            # Refused before it is read, such a body never comes: no next request could be told.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """End a request."""
        if self._is_again:
            return
        super().on_message_complete()
        self._is_open = False
        self._received = 0
        self._disarm()
        if not self.cycle.response_complete:
            self.debtors.pop(self, None)

    def on_response_complete(self) -> None:
        """Wait for the next request, or say what was wrong with it."""
        is_last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            return  # lost already, perhaps: it must not be remembered again
        if is_last and self._refusal is not None:
            self._leave(self._refusal)
        self.debtors[self] = None

    def _feed(self, data: bytes) -> None:
        """Have the parser read; it drops the body of who would rather speak something else."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self._is_again = False
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """Return the head as who may not upgrade would have sent it."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def pause_writing(self) -> None:
        """Begin to watch whether the client takes the answer."""
        super().pause_writing()
        self._watch_answer()

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        self._forget_stall()

    def _watch_answer(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(
            self.limits.stall_seconds, self._look_at_answer, unsent
        )

    def _look_at_answer(self, unsent: int) -> None:
        if self.transport.get_write_buffer_size() < unsent:
            self._watch_answer()
        else:
            self.transport.abort()

    def _forget_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _open(self) -> None:
        self._is_open = True
        self._has_head = False
        self._began = self.loop.time()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _check_size(self) -> None:
        """Stop at a head or a body without end: the parser tells of whole headers only."""
        if not self._is_open:
            return
        if self._has_head:
            if self._received > self.limits.request_bytes:
                message = f"more than {self.limits.request_bytes} bytes in one request"
                raise RefusedError(Problem(413, "Request Entity Too Large", message))
        elif len(self.url) > self.limits.url_bytes:
            raise RefusedError(_url_too_long(self.limits))
        else:
            raise RefusedError(_head_too_large(f"more than {self.limits.head_bytes} bytes"))

    def _make_room(self) -> None:
        """Close who has owed a request for longest; where all are being answered, go oneself."""
        oldest = next(iter(self.debtors), None)
        if oldest is not None:
            del self.debtors[oldest]
            oldest.transport.close()
            return
        most = self.limits.connections
        message = f"{most} connections are being answered, more than which are not held open"
        self._refusal = Problem(503, HTTPStatus(503).phrase, message)
        self._write(self._refusal)
        self.transport.close()

    def _arm(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """See whether a request that is not complete yet has any time left."""
        self._timer = None
        left = self._began + self._seconds_allowed() - self.loop.time()
        if self.transport.is_closing() or not self._is_open or self._refusal is not None:
            return
        if self.flow.read_paused:  # by ourselves: it is not the client who is slow
            self._arm(self.limits.head_seconds)
        elif left > 0:
            self._arm(left)
        elif self._received == 0:
            self.transport.close()  # nobody asked anything
        else:
            part = "body" if self._has_head else "head"
            message = f"the request's {part} did not arrive within {self._seconds_allowed():.0f} s"
            self._refuse(Problem(408, HTTPStatus(408).phrase, message))

    def _seconds_allowed(self) -> float:
        if not self._has_head:
            return self.limits.head_seconds
        return self.limits.body_seconds + self._received / self.limits.body_bytes_per_second

    def _refuse(self, problem: Problem) -> None:
        """Answer what will not become a whole request, after those before it."""
        _log.debug("%s: %s", problem.status_code, problem.message)
        self._refusal = problem
        cycle = self.cycle
        if self._has_head and self.pipeline:
            self.pipeline.popleft()  # this very request: those before it are answered first
        elif self._has_head:  # the application has this request already
            is_answered = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            self._leave(None if is_answered else problem)
        elif cycle is None or cycle.response_complete:
            self._leave(problem)

    def _leave(self, problem: Problem | None) -> None:
        """Say why, send no more, and close as soon as the client does."""
        self._disarm()
        if problem is not None:
            self._write(problem)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _write(self, problem: Problem) -> None:
        body = msgspec.json.encode(problem)
        status = problem.status_code
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


def connection_class(limits: ConnectionLimits) -> type[Connection]:
    """Return the connections of one server."""
    shared = {"limits": limits, "debtors": {}}
    return type("LimitedConnection", (Connection,), shared)


def _problem_of(error: httptools.HttpParserError) -> Problem:
    """Return what to say of what the parser, or we through it, found wrong."""
    if isinstance(error.__context__, RefusedError):
        return error.__context__.problem
    if error.__context__ is not None:
        return Problem(400, "Bad Request", "the request's target is not a path")
    return Problem(400, "Bad Request", f"this is not HTTP/1.1: {error}")


def _url_too_long(limits: ConnectionLimits) -> Problem:
    message = f"the path with its query is longer than {limits.url_bytes} bytes"
    return Problem(414, "URI Too Long", message)


def _head_too_large(message: str) -> Problem:
    word = "Request Header Fields Too Large"
    return Problem(431, word, f"the request's head has {message}")
