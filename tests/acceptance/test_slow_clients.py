"""Clients that send slowly, or nothing, or come in thousands: others are served meanwhile."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.acceptance.client import Api, until
from tests.acceptance.raw import answers_in, answers_of, connected, rest_of, said
from tests.builders import BELL

from ionbox import LocalServer
from ionbox.api.connections import Connection, ConnectionLimits, connection_class

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOON = ConnectionLimits(
    connections=4, head_seconds=0.4, body_seconds=0.8, body_bytes_per_second=1000, stall_seconds=0.5
)
LARGE = b"x" * 2**26  # more than the system holds for who does not fetch it


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body; a path may say not to wait for it, or to take some time."""
    if scope["type"] == "http":
        path = scope["path"]
        body = b"" if path == "/early" else await Request(scope, receive).body()
        body = LARGE if path == "/large" else body
        await asyncio.sleep(1.5 if path == "/slow" else 0)
        await PlainTextResponse(body or b"nothing")(scope, receive, send)


@contextmanager
def serving(limits: ConnectionLimits, kind: type[Connection] | None = None) -> Iterator[str]:
    """Serve with other limits than the server's own, which no test can wait for."""
    config = uvicorn.Config(
        echo, http=kind or connection_class(limits), ws="none", lifespan="off", log_level="warning"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=[server.serve([listener])])
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(SOON) as url:
        yield url


def drip(connection: socket.socket, data: bytes, *, seconds: float) -> bytes:
    """Send a byte at a time until the server has something to say; return all it says."""
    connection.settimeout(seconds)
    for byte in data:
        connection.sendall(bytes([byte]))
        try:
            first = connection.recv(65536)
        except TimeoutError:
            continue
        connection.settimeout(10)
        return first + rest_of(connection)
    raise AssertionError("the server had nothing to say")


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(url: str) -> None:
    began = time.monotonic()

    with connected(url) as connection:
        (answer,) = answers_in(drip(connection, GET + b"X: a\r\n" * 50, seconds=0.05))

    assert 0.4 <= time.monotonic() - began < 2
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.message == "the request's head did not arrive within 0 s"


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(url: str) -> None:
    began = time.monotonic()

    with connected(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        (answer,) = answers_in(drip(connection, b"x" * 1000, seconds=0.05))

    assert 0.8 <= time.monotonic() - began < 3
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.message == "the request's body did not arrive within 1 s"


def test_a_large_body_may_take_its_time(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"x" * 300)
            time.sleep(0.12)

        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_a_connection_that_says_nothing_is_closed_in_silence(url: str) -> None:
    with connected(url) as connection:
        assert rest_of(connection) == b""


def test_a_second_request_has_a_time_of_its_own(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(GET)
        assert answers_of(connection)[0].status == 200
        time.sleep(0.8)  # longer than a head may take: between requests nobody is hurried
        connection.sendall(GET[:-2])
        time.sleep(0.2)
        connection.sendall(GET[-2:] + GET[:5])
        first, second = answers_of(connection, count=2)

    assert (first.status, second.status) == (200, 408)


def test_a_body_is_not_waited_for_though_its_request_was_answered(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(b"POST /early HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        began = time.monotonic()

        assert [answer.status for answer in answers_of(connection, count=2)] == [200]
        assert 0.7 < time.monotonic() - began < 3


def test_a_slow_answer_is_nobodys_fault(url: str) -> None:
    (first, second) = said(url, b"GET /slow HTTP/1.1\r\n\r\n", GET, count=2)

    assert (first.status, second.status) == (200, 200)


def test_an_answer_that_is_not_fetched_is_given_up(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        time.sleep(1.5)

        assert len(rest_of(connection)) < len(LARGE)


def test_an_answer_that_is_fetched_slowly_arrives(url: str) -> None:
    began = time.monotonic()
    with connected(url) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = 0
        while piece := connection.recv(2**21):
            received += len(piece)
            time.sleep(0.02)

    assert received > len(LARGE)
    assert time.monotonic() - began > 0.5


def test_where_there_is_no_room_who_waited_longest_makes_it(url: str) -> None:
    with ExitStack() as stack:
        idle = stack.enter_context(connected(url))
        idle.sendall(GET)
        assert answers_of(idle)[0].status == 200
        silent = [stack.enter_context(connected(url)) for _ in range(3)]

        assert [said(url, GET)[0].status for _ in range(3)] == [200] * 3
        assert rest_of(idle) == b""
        assert [rest_of(connection) for connection in silent] == [b""] * 3


def test_where_all_are_being_answered_nobody_makes_room(url: str) -> None:
    with ExitStack() as stack:
        busy = [stack.enter_context(connected(url)) for _ in range(4)]
        for connection in busy:
            connection.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        time.sleep(0.2)

        (answer,) = said(url, GET)

        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert answer.message.startswith("4 connections are being answered")
        assert [connection.recv(15) for connection in busy] == [b"HTTP/1.1 200 OK"] * 4


def test_hundreds_of_slow_clients_keep_nobody_waiting() -> None:
    with LocalServer(workers=2) as server, ExitStack() as stack:
        api = Api.of(server)
        slow = [stack.enter_context(connected(server.url)) for _ in range(300)]
        began = time.monotonic()
        for number, connection in enumerate(slow):
            connection.sendall(GET[: number % 20])

        assert api.probabilities(BELL) == {"0": 0.5, "3": 0.5}
        assert time.monotonic() - began < 5
        ends = [answers_in(rest_of(connection)) for connection in slow]
        assert 9 < time.monotonic() - began < 20
        # Who has sent nothing yet is not answered either.
        assert [len(answers) for answers in ends] == [int(k % 20 > 0) for k in range(300)]
        assert {answer.status for answers in ends for answer in answers} == {408}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process: Linux alone")
def test_without_file_descriptors_the_server_lives_and_goes_on(tmp_path: Path) -> None:
    with LocalServer(workers=2, data=tmp_path) as server, ExitStack() as stack:
        api = Api.of(server)
        before = api.probabilities(BELL)
        log = Path(server._log.name).read_text()
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (60, hard))

        for _ in range(200):
            stack.enter_context(connected(server.url))
        time.sleep(0.5)
        stack.close()

        until(lambda: said(server.url, GET), lambda answers: len(answers) == 1)
        assert api.probabilities(BELL) == before
        assert Path(server._log.name).read_text() == log


def test_who_left_before_a_pipelined_answer_is_forgotten() -> None:
    kind = connection_class(SOON)
    with serving(SOON, kind) as url:
        for _ in range(20):
            with connected(url) as connection:
                connection.sendall(b"GET /slow HTTP/1.1\r\n\r\n" + GET)
        time.sleep(2)

        assert said(url, GET)[0].status == 200
        until(lambda: len(kind.debtors), lambda number: number == 0)
