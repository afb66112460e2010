"""A load generator that costs little: raw HTTP/1.1 on persistent connections, one event loop."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import cast

import uvloop

from ionbox import LocalServer

# Of POST /v0.4/jobs.
BELL = json.dumps(
    {
        "type": "ionq.circuit.v1",
        "backend": "simulator",
        "input": {
            "gateset": "qis",
            "qubits": 2,
            "circuit": [
                {"gate": "h", "target": 0},
                {"gate": "cnot", "control": 0, "target": 1},
            ],
        },
    }
).encode()
# Of a job that is waited for: a server that does not hold the request is asked again.
WAIT = "Prefer: wait=5\r\n"
# Hundreds of jobs at once must not keep the server busy with being asked.
_PAUSE_SECONDS = 0.002
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

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server hung up"))

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

    def request(self, method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{headers}"
            f"Authorization: apiKey {self.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def target(server: LocalServer) -> Target:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return Target(host, int(port), server.key)


def latencies(at: Target, num_jobs: int) -> list[float]:
    """Return the seconds from submit to results, one job after the other on one connection."""

    async def measure() -> list[float]:
        connection = await at.connect()
        seconds = []
        for _ in range(num_jobs):
            start = time.perf_counter()
            await run(at, connection)
            seconds.append(time.perf_counter() - start)
        connection.close()
        return seconds

    return uvloop.run(measure())


async def run(at: Target, connection: Connection, *, pause_seconds: float = 0.0) -> None:
    """Submit a Bell pair by v0.4, wait for its end and read its results.

    Args:
        pause_seconds: Before a server that does not hold the request is asked again.
    """
    answer = await connection.ask(at.request("POST", "/v0.4/jobs", BELL))
    assert answer.status == 201, answer
    path = f"/v0.4/jobs/{json.loads(answer.body)['id']}"
    wait = at.request("GET", path, headers=WAIT)
    while b'"status":"completed"' not in (answer := await connection.ask(wait)).body:
        assert answer.status == 200, answer
        assert b'"status":"failed"' not in answer.body, answer
        await asyncio.sleep(pause_seconds)
    results = await connection.ask(at.request("GET", f"{path}/results/probabilities"))
    assert json.loads(results.body) == {"0": 0.5, "3": 0.5}, results


@dataclass(frozen=True)
class Arrivals:
    """When jobs come: at a rate, at random moments of a seed, whatever the server does."""

    rate: float
    seconds: float
    seed: int = 1

    def times(self) -> list[float]:
        drawn, now, times = random.Random(self.seed), 0.0, []  # noqa: S311
        while (now := now + drawn.expovariate(self.rate)) < self.seconds:
            times.append(now)
        return times


def open_loop(at: Target, arrivals: Arrivals) -> list[float]:
    """Return the seconds of each job from its arrival to its results.

    A job that has to wait until the generator or the server gets to it has waited: the time counts
    from when it was to come.
    """

    async def measure() -> list[float]:
        start, taken, idle = time.perf_counter() + 0.1, list[float](), list[Connection]()

        async def arrive(due: float) -> None:
            connection = idle.pop() if idle else await at.connect()
            await run(at, connection, pause_seconds=_PAUSE_SECONDS)
            taken.append(time.perf_counter() - due)
            idle.append(connection)

        await at_times([start + moment for moment in arrivals.times()], arrive)
        for connection in idle:
            connection.close()
        return taken

    return uvloop.run(measure())


async def at_times(times: list[float], act: Callable[[float], Coroutine[None, None, None]]) -> None:
    """Start something at each time, and wait until all has ended."""
    async with asyncio.TaskGroup() as tasks:
        for due in times:
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.to_thread(time.sleep, ahead)  # an event loop's own is late by 1 ms
            tasks.create_task(act(due))


@dataclass(frozen=True)
class Saturation:
    """What came of submitting as fast as the server takes it.

    `seconds` ends when every accepted job is completed, durably.
    """

    num_jobs: int
    submit_seconds: float
    seconds: float


def saturate(at: Target, *, connections: int, seconds: float) -> Saturation:
    """Submit over many connections for so long, then wait until no job is unfinished."""

    async def submit(deadline: float) -> int:
        connection = await at.connect()
        request = at.request("POST", "/v0.4/jobs", BELL)
        num_jobs = 0
        while time.perf_counter() < deadline:
            answer = await connection.ask(request)
            assert answer.status == 201, answer
            num_jobs += 1
        connection.close()
        return num_jobs

    async def measure() -> Saturation:
        start = time.perf_counter()
        counts = await asyncio.gather(*(submit(start + seconds) for _ in range(connections)))
        submitted = time.perf_counter()
        connection = await at.connect()
        unfinished = at.request("GET", "/v0.4/jobs?limit=1&status=submitted,ready,started")
        while json.loads((await connection.ask(unfinished)).body)["jobs"]:
            pass
        connection.close()
        return Saturation(sum(counts), submitted - start, time.perf_counter() - start)

    return uvloop.run(measure())
