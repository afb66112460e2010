"""A load generator that costs little: raw HTTP/1.1 on persistent connections, one event loop."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import cast

import uvloop

from ionbox import LocalServer

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """The status and the body of a response."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection; a request is sent when the answer to the one before is there."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(rest) < int(length[1]):
            return
        self._buffer = b""
        if self._waiting is not None:
            self._waiting.set_result(Answer(int(head[9:12]), rest))

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; the future holds its answer."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        self._transport.close()


@dataclass(frozen=True)
class Target:
    """A server to ask."""

    host: str
    port: int
    key: str

    async def connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return connection

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: apiKey {self.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def target(server: LocalServer) -> Target:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return Target(host, int(port), server.key)


def latencies(at: Target, body: bytes, num_jobs: int) -> list[float]:
    """Return the seconds from submit to results, one job after the other on one connection."""

    async def measure() -> list[float]:
        connection = await at.connect()
        submit = at.request("POST", "/v0.3/jobs", body)
        seconds = []
        for _ in range(num_jobs):
            start = time.perf_counter()
            job_id = json.loads((await connection.ask(submit)).body)["id"]
            poll = at.request("GET", f"/v0.3/jobs/{job_id}")
            while json.loads((await connection.ask(poll)).body)["status"] != "completed":
                pass
            results = await connection.ask(at.request("GET", f"/v0.3/jobs/{job_id}/results"))
            seconds.append(time.perf_counter() - start)
            assert json.loads(results.body) == {"0": 0.5, "3": 0.5}
        connection.close()
        return seconds

    return uvloop.run(measure())


@dataclass(frozen=True)
class Saturation:
    """What came of submitting as fast as the server takes it.

    `seconds` ends when every accepted job is completed, durably.
    """

    num_jobs: int
    submit_seconds: float
    seconds: float


def saturate(at: Target, body: bytes, *, connections: int, seconds: float) -> Saturation:
    """Submit over many connections for so long, then wait until no job is unfinished."""

    async def submit(deadline: float) -> int:
        connection = await at.connect()
        request = at.request("POST", "/v0.3/jobs", body)
        num_jobs = 0
        while time.perf_counter() < deadline:
            answer = await connection.ask(request)
            assert answer.status == 200, answer
            num_jobs += 1
        connection.close()
        return num_jobs

    async def measure() -> Saturation:
        start = time.perf_counter()
        counts = await asyncio.gather(*(submit(start + seconds) for _ in range(connections)))
        submitted = time.perf_counter()
        connection = await at.connect()
        unfinished = at.request("GET", "/v0.3/jobs?limit=1&status=submitted,ready,running")
        while json.loads((await connection.ask(unfinished)).body)["jobs"]:
            pass
        connection.close()
        return Saturation(sum(counts), submitted - start, time.perf_counter() - start)

    return uvloop.run(measure())
