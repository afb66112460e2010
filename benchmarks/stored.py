"""How long lists and look-ups take among a million stored jobs.

The jobs are written straight into the database of a server that is stopped: copies of one that ran,
of several projects, sessions, backends and ends.
"""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.load import Target, latencies, target
from ionbox import LocalServer
from ionbox.jobs.job import new_job_id

STATUSES = {"completed": 92, "failed": 5, "canceled": 3}
BACKENDS = {"simulator": 97, "qpu.aria-1": 2, "qpu.forte-1": 1}
OURS_SHARE = 0.6  # of the caller's project; seven others have the rest
NUM_OTHERS = 7
NUM_SESSIONS = 1000
_SESSION_SHARE = 0.02
_BATCH = 20_000
_TABLES = ("job_inputs", "job_results", "job_plans")  # what a job has beside its row


@dataclass(frozen=True)
class Library:
    """What of the stored jobs is asked for.

    Args:
        ids: Of some jobs of the caller's project.
    """

    ids: list[str]
    session_ids: list[str]
    submitter_id: str


def measure_stored(num_jobs: int, num_requests: int) -> dict[str, Any]:
    """Return the p99 in milliseconds of each kind of request among so many jobs."""
    with tempfile.TemporaryDirectory(prefix="ionbox-bench-") as directory:
        data = Path(directory, "data")
        with LocalServer(data=data) as server:
            latencies(target(server), 1)
        start = time.perf_counter()
        library = fill(data / "ionbox.sqlite", num_jobs)
        fill_seconds = time.perf_counter() - start
        with LocalServer(data=data) as server:
            latencies(target(server), 5)  # what a start is still busy with
            taken = uvloop.run(_ask(target(server), library, num_requests))
    figures = {name: 1000 * sorted(seconds)[int(0.99 * len(seconds))] for name, seconds in taken}
    return {
        "stored_jobs": num_jobs,
        "stored_fill_seconds": fill_seconds,
        "stored_p99_ms": max(figures.values()),
        "stored": figures,
    }


def requests(library: Library) -> Mapping[str, Callable[[random.Random], str]]:
    """Return a path of each kind, drawn at random."""
    page = "/v0.4/jobs"
    return {
        "a job": lambda drawn: f"{page}/{drawn.choice(library.ids)}",
        "first page": lambda _: page,
        "a page in the middle": lambda drawn: f"{page}?next={drawn.choice(library.ids)}",
        "the oldest": lambda _: f"{page}?next={min(library.ids)}",
        "completed": lambda _: f"{page}?status=completed",
        "failed, in the middle": lambda drawn: (
            f"{page}?status=failed&next={drawn.choice(library.ids)}"
        ),
        "unfinished, of which there are none": lambda _: f"{page}?status=submitted,ready,started",
        "an unknown status": lambda _: f"{page}?status=queued",
        "of a session": lambda drawn: f"{page}?session_id={drawn.choice(library.session_ids)}",
        "a session's own list": lambda drawn: (
            f"/v0.4/sessions/{drawn.choice(library.session_ids)}/jobs"
        ),
        "of a backend without jobs": lambda _: f"{page}?target=qpu.harmony",
        "of a submitter without jobs": lambda _: f"{page}?submitter_id=nobody",
        "25 by their ids": lambda drawn: f"{page}?ids={','.join(drawn.sample(library.ids, 25))}",
        "children of a job": lambda drawn: f"{page}?parent_job_id={drawn.choice(library.ids)}",
    }


async def _ask(at: Target, library: Library, num_requests: int) -> list[tuple[str, list[float]]]:
    """Return the seconds of each request, by its kind; slow kinds are asked less often."""
    connection, drawn, taken = await at.connect(), random.Random(1), []  # noqa: S311
    for name, path in requests(library).items():
        seconds: list[float] = []
        while len(seconds) < num_requests and sum(seconds) < 5:
            request = at.request("GET", path(drawn))
            start = time.perf_counter()
            answer = await connection.ask(request)
            seconds.append(time.perf_counter() - start)
            assert answer.status == 200, answer
        taken.append((name, seconds))
    connection.close()
    return taken


def fill(path: Path, num_jobs: int) -> Library:
    """Write so many jobs into the database of a server that is stopped."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = OFF")
        model = dict(database.execute("SELECT * FROM jobs WHERE status = 'completed'").fetchone())
        projects = [model["project_id"], *_projects(database, model["project_id"])]
        session_ids = _sessions(database, model)
        parts = {
            table: dict(row)
            for table in _TABLES
            if (row := database.execute(f"SELECT * FROM {table}").fetchone())  # noqa: S608
        }
        jobs, ids = _jobs(model, projects, session_ids, num_jobs), []
        while batch := list(islice(jobs, _BATCH)):
            _insert(database, "jobs", batch)
            for table, part in parts.items():
                _insert(database, table, [part | {"job_id": job["id"]} for job in batch])
            database.commit()
            ids += [job["id"] for job in batch if job["project_id"] == projects[0]][::50]
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Library(ids, session_ids, model["submitter_id"])


def _jobs(
    model: Mapping[str, Any], projects: list[str], session_ids: list[str], num_jobs: int
) -> Iterator[dict[str, Any]]:
    """Yield rows of jobs, oldest first: one every few seconds until now."""
    drawn = random.Random(1)  # noqa: S311
    start = datetime.now(UTC) - timedelta(seconds=5 * num_jobs)
    words = [drawn.choices(list(rates), list(rates.values()), k=997)
             for rates in (STATUSES, BACKENDS)]  # fmt: skip
    for number in range(num_jobs):
        now = start + timedelta(seconds=5 * number)
        microseconds = int(now.timestamp() * 1e6)
        is_ours = drawn.random() < OURS_SHARE
        is_in_session = is_ours and drawn.random() < _SESSION_SHARE
        status = words[0][number % 997]
        yield {
            **model,
            "id": new_job_id(now, drawn.getrandbits(62)),
            "project_id": projects[0] if is_ours else drawn.choice(projects[1:]),
            "status": status,
            "backend": words[1][number * 7 % 997],
            "session_id": drawn.choice(session_ids) if is_in_session else None,
            "submitted_at": microseconds,
            "started_at": microseconds + 500,
            "completed_at": microseconds + 900,
        }


def _projects(database: sqlite3.Connection, ours: str) -> list[str]:
    project = dict(database.execute("SELECT * FROM projects WHERE id = ?", [ours]).fetchone())
    others = [str(uuid.uuid4()) for _ in range(NUM_OTHERS)]
    _insert(database, "projects", [project | {"id": other, "name": other} for other in others])
    return others


def _sessions(database: sqlite3.Connection, model: Mapping[str, Any]) -> list[str]:
    times = {"created_at": 0, "started_at": 0, "ended_at": 1}
    sessions = [
        {
            "id": new_job_id(datetime.now(UTC), number),
            "project_id": model["project_id"],
            "creator_id": model["submitter_id"],
            "backend": "simulator",
            "num_jobs": 0,
            "settings": json.dumps({}),
            **times,
        }
        for number in range(NUM_SESSIONS)
    ]
    _insert(database, "sessions", sessions)
    return [session["id"] for session in sessions]


def _insert(database: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    database.executemany(statement, [tuple(row.values()) for row in rows])
