"""Whether many keys that submit at once wait alike.

    python -m benchmarks.fairness [--keys 200] [--jobs 20] [--seconds 60] [--gates 100] [--json]

Each key submits its jobs of 20 qubits in the same minute; told is the median of what each key's
jobs waited, from `submitted_at` to `started_at`, and how far the keys lie apart. It is more than
the machine can do at once; where it is not, waits are milliseconds, and noise.

Four runs: one job every three seconds, each key in its own step; the same beside one key that
submits 400 jobs at the first moment; all in the first second; and all at random moments of the
minute. In the last one some keys happen to come early, while there is little to wait for, so that
they lie apart however fair the queue is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import requests
import uvloop
from tests.builders import entanglers

from benchmarks.load import Connection, Target, at_times
from benchmarks.service import RESULTS, cpu_name
from ionbox import LocalServer
from ionbox.machine import num_cores

QUBITS = 20
GREEDY_JOBS = 400
GOAL = 2.0
WHOLE: tuple[int, int, float] = (200, 20, 60)  # keys, jobs of each, seconds: such a run is kept
CONNECTIONS = 16
RUNS = ("in step", "in step, beside a greedy key", "at once", "at random moments")


@dataclass(frozen=True)
class Crowd:
    """Who submits what.

    Args:
        seconds: How long each takes to submit its jobs.
        comes: When the jobs of one key come.
    """

    num_keys: int
    num_jobs: int
    seconds: float
    num_gates: int
    comes: Callable[[random.Random, Crowd], list[float]]
    num_greedy: int = 0


def in_step(drawn: random.Random, crowd: Crowd) -> list[float]:
    """One job after the other, as far apart as the time allows."""
    pause = crowd.seconds / crowd.num_jobs
    first = drawn.uniform(0, pause)
    return [first + pause * number for number in range(crowd.num_jobs)]


def at_once(drawn: random.Random, crowd: Crowd) -> list[float]:
    """All in the first second."""
    return [drawn.uniform(0, 1) for _ in range(crowd.num_jobs)]


def at_random(drawn: random.Random, crowd: Crowd) -> list[float]:
    """Whenever it may be."""
    return [drawn.uniform(0, crowd.seconds) for _ in range(crowd.num_jobs)]


@dataclass(frozen=True)
class Waits:
    """What came of a crowd: the median wait of each key, in seconds.

    Args:
        busy_seconds: From the first submission to the last end.
    """

    medians: list[float]
    greedy: float | None
    busy_seconds: float

    @property
    def ratio(self) -> float:
        """How far the keys lie apart."""
        return max(self.medians) / max(min(self.medians), 1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=WHOLE[0])
    parser.add_argument("--jobs", type=int, default=WHOLE[1], help="of each key")
    parser.add_argument("--seconds", type=float, default=WHOLE[2], help="in which all come")
    parser.add_argument("--gates", type=int, default=100, help="of each circuit")
    parser.add_argument("--run", choices=RUNS, help="this one alone; by default all four")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    options = parser.parse_args()
    crowd = Crowd(options.keys, options.jobs, options.seconds, options.gates, in_step)
    changes: dict[str, dict[str, Any]] = {
        "in step": {},
        "in step, beside a greedy key": {"num_greedy": GREEDY_JOBS},
        "at once": {"comes": at_once},
        "at random moments": {"comes": at_random},
    }
    wanted = RUNS if options.run is None else (options.run,)
    runs = {name: replace(crowd, **changes[name]) for name in wanted}
    figures = {name: measure(each) for name, each in runs.items()}
    print(json.dumps(_plain(figures)) if options.json else table(runs, figures))
    if (crowd.num_keys, crowd.num_jobs, crowd.seconds) == WHOLE and options.run is None:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "fairness.md").write_text(table(runs, figures))


def measure(crowd: Crowd) -> Waits:
    """Have a crowd submit to a server of its own."""
    with LocalServer() as server:
        names = [f"key {number}" for number in range(crowd.num_keys + bool(crowd.num_greedy))]
        secrets = _keys(server, names)
        start = time.perf_counter()
        waits = uvloop.run(_submit_and_wait(server, secrets, crowd))
        busy_seconds = time.perf_counter() - start
    medians = [statistics.median(each) for each in waits]
    others, greedy = medians[: crowd.num_keys], medians[crowd.num_keys :]
    return Waits(others, greedy[0] if greedy else None, busy_seconds)


def table(runs: Mapping[str, Crowd], figures: Mapping[str, Waits]) -> str:
    crowd = next(iter(runs.values()))
    lines = [
        "| run | least median wait | greatest | greatest / least | goal | the greedy key | busy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, waits in figures.items():
        greedy = "" if waits.greedy is None else f"{waits.greedy:.2f} s"
        goal = "" if name == "at random moments" else f"≤ {GOAL:.0f}"
        lines.append(
            f"| {name} | {min(waits.medians):.3f} s | {max(waits.medians):.3f} s |"
            f" {waits.ratio:.2f} | {goal} | {greedy} | {waits.busy_seconds:.0f} s |"
        )
    title = (
        f"# Fairness: {crowd.num_keys} keys, {crowd.num_jobs} jobs of {QUBITS} qubits each within "
        f"{crowd.seconds:.0f} s, {cpu_name()}, {num_cores()} cores\n\n"
    )
    return title + "\n".join(lines) + "\n"


def _plain(figures: Mapping[str, Waits]) -> dict[str, Any]:
    return {
        name: {
            "least_s": min(waits.medians),
            "greatest_s": max(waits.medians),
            "ratio": waits.ratio,
            "greedy_s": waits.greedy,
            "busy_s": waits.busy_seconds,
        }
        for name, waits in figures.items()
    }


def _keys(server: LocalServer, names: Sequence[str]) -> list[str]:
    """Make keys as the operator does; return their secrets."""
    token = json.loads((server.data / "server.json").read_text())["operator_token"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"apiKey {token}"
        made = [
            session.post(f"{server.url}/ionbox/v1/keys", data=json.dumps({"name": name}))
            for name in names
        ]
    return [answer.json()["secret"] for answer in made]


async def _submit_and_wait(
    server: LocalServer, secrets: Sequence[str], crowd: Crowd
) -> list[list[float]]:
    """Return what the jobs of each key waited, in seconds."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    callers = [Target(host, int(port), secret) for secret in secrets]
    connections: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        connections.put_nowait(await callers[0].connect())
    job_ids: list[list[str]] = [[] for _ in callers]
    body = _body(crowd.num_gates)
    arrivals = _arrivals(crowd)
    numbers = iter([number for _, number in arrivals])

    async def submit(_: float) -> None:
        number, connection = next(numbers), await connections.get()
        answer = await connection.ask(callers[number].request("POST", "/v0.4/jobs", body))
        connections.put_nowait(connection)
        assert answer.status == 201, answer
        job_ids[number].append(json.loads(answer.body)["id"])

    start = time.perf_counter()
    await at_times([start + moment for moment, _ in arrivals], submit)
    connection = connections.get_nowait()
    return [
        [await _wait_of(caller, connection, job_id) for job_id in ids]
        for caller, ids in zip(callers, job_ids, strict=True)
    ]


def _arrivals(crowd: Crowd) -> list[tuple[float, int]]:
    """Return when who submits; the greedy key, if there is one, comes first with all it has."""
    drawn = random.Random(1)  # noqa: S311
    jobs = [
        (moment, number) for number in range(crowd.num_keys) for moment in crowd.comes(drawn, crowd)
    ]
    return sorted([*jobs, *[(0.0, crowd.num_keys)] * crowd.num_greedy])


def _body(num_gates: int) -> bytes:
    """Return a job whose outcome is one shot: what is measured is the queue, not the disk."""
    job = {
        "type": "ionq.circuit.v1",
        "backend": "simulator",
        "shots": 1,
        "noise": {"model": "aria-1", "seed": 7},
        "input": entanglers(QUBITS, num_gates),
    }
    return json.dumps(job).encode()


async def _wait_of(caller: Target, connection: Connection, job_id: str) -> float:
    """Wait for the end of a job; return what it waited, by the server's word."""
    while True:
        answer = await connection.ask(caller.request("GET", f"/v0.4/jobs/{job_id}"))
        job = json.loads(answer.body)
        assert job["status"] in {"submitted", "ready", "started", "completed"}, job
        if job["status"] == "completed":
            began, came = job["started_at"], job["submitted_at"]
            return (datetime.fromisoformat(began) - datetime.fromisoformat(came)).total_seconds()
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    main()
