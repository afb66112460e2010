"""Many bad requests at one server: its memory stays flat, its log readable, and it works on.

    python -m tests.soak.bad_requests [--requests 100000] [--connections 16]

It fails if the server's memory grew by over 5 % and 10 MiB after the first tenth, if there is a
traceback or more than a line for a hundred requests in the log, if an answer was 500, or if a good
job does not run at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
from tests.acceptance.client import Api
from tests.acceptance.raw import answers_in
from tests.acceptance.test_bad_input import REFUSED
from tests.acceptance.test_raw_http import BROKEN, STRANGE, posted, request
from tests.builders import BELL
from tests.unit.formats.hostile import ATOMS, RAW_BYTES

from ionbox import LocalServer

MEBIBYTE = 2**20
MOST_GROWTH = 0.05
MOST_GROWTH_BYTES = 10 * MEBIBYTE
# Bodies larger than this are rarer than here: 100,000 of them would measure the loopback device.
LARGEST_BYTES = 200_000
PATIENCE_SECONDS = 30.0
CUT_OFF, SILENCE = "cut off by the client", "closed without an answer"
KEYS = ("target", "shots", "noise", "name", "metadata", "settings", "input", "registers", "ids")
PATHS = (
    "GET /v0.3/jobs/%00", "GET /v0.4/jobs?limit=%ff", "GET /v0.4/jobs?next=x", "GET /nowhere",
    "PATCH /v0.3/jobs", "GET /v0.3/jobs/x/results", "DELETE /v0.3/jobs", "PUT /v0.4/jobs/x/cancel",
    "GET /v0.4/backends/x", "GET /ionbox/v1/jobs/x/plan", "POST /ionbox/v1/keys", "OPTIONS *",
)  # fmt: skip


@dataclass(frozen=True)
class Bad:
    """What to send, and whether to leave before the answer."""

    data: bytes
    leaves: bool = False


def main() -> int:
    """Print the figures; return whether one of them is bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with TemporaryDirectory() as directory, LocalServer(workers=2, data=directory) as server:
        faults = soaked(server, options.requests, options.connections)
    sys.stdout.write(f"faults: {'; '.join(faults) or 'none'}\n")
    return min(len(faults), 1)


def soaked(server: LocalServer, num_requests: int, num_connections: int) -> list[str]:
    """Send it all; print the figures and return what is wrong with them."""
    api, log, began = Api.of(server), Path(server._log.name), time.monotonic()
    api.probabilities(BELL)
    warm_up = num_requests // 10
    outcomes = asyncio.run(sent(api, warm_up, num_connections, seed=0))
    before, lines_before = resident(api), lines_of(log)
    outcomes += asyncio.run(sent(api, num_requests - warm_up, num_connections, seed=1))
    after, lines = resident(api), lines_of(log)[len(lines_before) :]
    seconds = time.monotonic() - began
    growth = 100 * (after / before - 1)
    memory = f"{before / MEBIBYTE:.1f} MiB after the first {warm_up}, {after / MEBIBYTE:.1f} MiB"
    report = [
        f"{sum(outcomes.values())} bad requests in {seconds:.0f} s",
        *(f"  {count:7} {what}" for what, count in outcomes.most_common()),
        f"resident memory: {memory} at the end ({growth:+.1f} %)",
        f"log: {log.stat().st_size} bytes; {len(lines)} lines since the first {warm_up}",
        *(f"  {line}" for line in lines[:20]),
    ]
    sys.stdout.write("\n".join(report) + "\n")
    return faults_in(api, outcomes, after - before * (1 + MOST_GROWTH), lines)


def faults_in(api: Api, outcomes: Counter[str], growth: float, lines: Sequence[str]) -> list[str]:
    """Return which of the figures are bad."""
    checks = {
        "memory grew": growth > MOST_GROWTH_BYTES,
        "answers of 500": outcomes["500"] > 0,
        "a traceback in the log": any("Traceback" in line for line in lines),
        "the log is flooded": len(lines) > sum(outcomes.values()) / 100,
        "a good job does not run": api.probabilities(BELL) != {"0": 0.5, "3": 0.5},
    }
    return [fault for fault, is_so in checks.items() if is_so]


def resident(api: Api) -> int:
    """Return the memory of the server process, when it has come to rest."""
    time.sleep(3)
    return int(psutil.Process(api.pid).memory_info().rss)


def lines_of(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()


async def sent(api: Api, num_requests: int, num_connections: int, *, seed: int) -> Counter[str]:
    """Send so many requests, each of a new connection; return how they ended."""
    rng = random.Random(seed)  # noqa: S311 - what is sent is no secret
    outcomes: Counter[str] = Counter()
    makers = makers_of(api)
    left = iter(range(num_requests))

    async def send_some() -> None:
        for _ in left:
            outcomes[await ending(api.url, rng.choice(makers)(rng))] += 1

    await asyncio.gather(*(send_some() for _ in range(num_connections)))
    return outcomes


async def ending(url: str, bad: Bad) -> str:
    """Send one request; return the status it is answered with, or what happened instead."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(bad.data)
        if bad.leaves:
            return CUT_OFF
        await writer.drain()
        return await asyncio.wait_for(status_of(reader), PATIENCE_SECONDS)
    except ConnectionError:
        return SILENCE
    finally:
        writer.transport.abort()


async def status_of(reader: asyncio.StreamReader) -> str:
    received = b""
    while piece := await reader.read(65536):
        received += piece
        if answers := answers_in(received):
            return str(answers[-1].status)
    return SILENCE


def makers_of(api: Api) -> list[Callable[[random.Random], Bad]]:
    """Return the kinds of bad requests, each of which is as frequent as any other."""
    stranger = Api(api.url, "wrong", api.pid)
    bodies = [b if isinstance(b, bytes) else json.dumps(b).encode() for b, _, _ in REFUSED.values()]
    bodies = [body for body in bodies if len(body) <= LARGEST_BYTES]
    atoms = [atom.encode("utf-8", "surrogatepass") for atom in ATOMS]
    broken, strange = list(BROKEN.values()), [data for data, _ in STRANGE.values()]

    def job(body: bytes, *headers: str, caller: Api = api) -> bytes:
        return posted(caller, f"Content-Length: {len(body)}", *headers, body=body)

    def bad_atom(rng: random.Random) -> Bad:
        return Bad(job(b'{"input":%b,"%b":%b}' % (
            rng.choice(atoms), rng.choice(KEYS).encode(), rng.choice(atoms)
        )))  # fmt: skip

    def spoiled(rng: random.Random) -> Bad:
        body = rng.choice(bodies)
        at = rng.randrange(len(body) + 1)
        return Bad(job(body[:at] + rng.choice(RAW_BYTES) + body[at:]))

    def cut_off(rng: random.Random) -> Bad:
        data = job(rng.choice(bodies))
        return Bad(data[: rng.randrange(len(data))], leaves=True)

    def broken_head(rng: random.Random) -> Bad:
        headers, body, _ = rng.choice(broken)
        return Bad(posted(api, *headers, body=body))

    return [
        bad_atom,
        spoiled,
        cut_off,
        broken_head,
        lambda rng: Bad(job(rng.choice(bodies))),
        lambda rng: Bad(job(rng.choice(bodies), caller=stranger)),
        lambda rng: Bad(job(rng.choice(bodies), f"Content-Encoding: {rng.choice(['gzip', 'br'])}")),
        lambda rng: Bad(rng.choice(strange)),
        lambda rng: Bad(rng.randbytes(rng.randrange(1, 500)) + b"\r\n\r\n"),
        lambda rng: Bad(request(api, rng.choice(PATHS))),
        lambda rng: Bad(request(api, "GET /", *["X: a"] * rng.randrange(100, 2000))),
        lambda rng: Bad(request(api, "GET /", f"X: {'a' * rng.randrange(2**16, 2**18)}")),
        lambda rng: Bad(request(api, f"GET /{'a' * rng.randrange(2**15, 2**17)}")),
        lambda rng: Bad(request(api, "GET /", f"Origin: http://{rng.randrange(10**9)}.example")),
        lambda _: Bad(request(api, "GET /v0.4/jobs", "Upgrade: h2c", "Connection: Upgrade")),
    ]


if __name__ == "__main__":
    sys.exit(main())
