"""What must hold once all is over: asked of the server, then of the files that it left."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.caller import Caller
from tests.chaos.player import Record, told_of

from ionbox.service.admission import MAX_BATCH
from ionbox.service.endings import MAX_ATTEMPTS

_GIVEN_UP = "given up after"


def given_up(records: Sequence[Record]) -> list[Record]:
    """Return the jobs that failed because too many workers died with them: a legitimate end."""
    return [record for record in records if record.told and _GIVEN_UP in _failure_of(record)]


def failures(records: Sequence[Record]) -> Iterator[str]:
    """Yield every job that failed by no fault of ours: none of the lottery's may."""
    for record in records:
        if record.told and record.told.status == "failed" and _GIVEN_UP not in _failure_of(record):
            yield f"job {record.job_id} ({record.ticket.kind.name}) failed: {_failure_of(record)}"


def unexplained(records: Sequence[Record], num_workers_lost: int) -> Iterator[str]:
    """Yield whether more jobs were given up than workers that died can explain.

    Args:
        num_workers_lost: How many were killed, by themselves or with their server. Each had a
            load of a few jobs at most, and a job is given up when it has lost several workers.
    """
    is_possible = num_workers_lost >= MAX_ATTEMPTS
    most = num_workers_lost * MAX_BATCH // MAX_ATTEMPTS if is_possible else 0
    number = len(given_up(records))
    if number > most:
        yield f"{number} jobs were given up; {num_workers_lost} lost workers explain {most}"


def _failure_of(record: Record) -> str:
    return json.dumps(record.told.job["failure"]) if record.told else ""


def changes(records: Sequence[Record], callers: Sequence[Caller]) -> Iterator[str]:
    """Yield every job that is told otherwise now than when its end was read first."""
    shares = [records[start :: len(callers)] for start in range(len(callers))]
    with ThreadPoolExecutor(len(callers)) as threads:
        for found in threads.map(_changes, shares, callers):
            yield from found


def _changes(records: Sequence[Record], caller: Caller) -> list[str]:
    found = []
    for record in records:
        answer = caller.job(record.job_id)
        if record.told is None:
            if answer.status != 404:
                found.append(f"job {record.job_id} came back after its deletion")
        elif answer.status != 200:
            found.append(f"job {record.job_id} is lost: {answer.status}")
        elif (now := told_of(caller, answer)) != record.told:
            found.append(f"job {record.job_id} changed from {record.told} to {now}")
    return found


def differences(records: Sequence[Record]) -> Iterator[str]:
    """Yield every job whose result is not that of the others of its kind."""
    usual: dict[str, bytes] = {}
    for record in records:
        if record.told and record.told.outcome is not None:
            kind = record.ticket.kind.name
            if usual.setdefault(kind, record.told.outcome) != record.told.outcome:
                yield f"job {record.job_id} ({kind}) has another result than those before it"


# Each selects what must not be, with what is wrong with it.
_RULES = {
    "is not ended": "SELECT id, status FROM jobs"
    " WHERE status NOT IN ('completed', 'failed', 'canceled')",
    "is completed without a result": "SELECT id, job_type FROM jobs WHERE status = 'completed'"
    " AND job_type <> 'ionq.multi-circuit.v1' AND NOT is_dry_run"
    " AND id NOT IN (SELECT job_id FROM job_results)",
    "has a result and is not completed": "SELECT id, status FROM jobs"
    " WHERE status <> 'completed' AND id IN (SELECT job_id FROM job_results)",
    "is completed and was never attempted": "SELECT id, attempt FROM jobs"
    " WHERE status = 'completed' AND job_type <> 'ionq.multi-circuit.v1' AND attempt < 1",
    "was attempted too often": f"SELECT id, attempt FROM jobs WHERE attempt > {MAX_ATTEMPTS}",  # noqa: S608 - ours
    "is still held": "SELECT job_id, attempt FROM leases",
    "was last told of otherwise than it is": "SELECT jobs.id, told.status FROM jobs JOIN"
    " (SELECT job_id, status, max(id) FROM events GROUP BY job_id) AS told ON job_id = jobs.id"
    " WHERE told.status <> jobs.status",
    "has no end, or ends before it began": "SELECT id, completed_at FROM jobs"
    " WHERE completed_at IS NULL OR completed_at < coalesce(started_at, submitted_at)",
    "has not all its children": "SELECT id, num_circuits FROM jobs AS parent"
    " WHERE job_type = 'ionq.multi-circuit.v1'"
    " AND num_circuits <> (SELECT count(*) FROM jobs WHERE parent_id = parent.id)",
    "is completed, and a child of it is not": "SELECT id, status FROM jobs AS parent"
    " WHERE job_type = 'ionq.multi-circuit.v1' AND status = 'completed'"
    " AND EXISTS (SELECT 1 FROM jobs WHERE parent_id = parent.id AND status <> 'completed')",
}


class Audit:
    """The data directory of a server that has stopped."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def violations(self, records: Sequence[Record], *, is_once: bool) -> Iterator[str]:
        """Yield what is wrong with the files.

        Args:
            is_once: Whether a submission that is repeated with the same key makes one job.
        """
        with contextlib.closing(sqlite3.connect(self._data / "ionbox.sqlite")) as database:
            yield from _damages(database)
            for wrong, query in _RULES.items():
                for job_id, fact in database.execute(query):
                    yield f"job {job_id} {wrong} ({fact})"
            yield from _miscounts(database, records, is_once=is_once)
            yield from self._strays(database)

    def attempts(self) -> Counter[int]:
        """Return how many completed jobs took how many attempts."""
        query = (
            "SELECT attempt, count(*) FROM jobs WHERE status = 'completed'"
            " AND job_type <> 'ionq.multi-circuit.v1' GROUP BY attempt"
        )
        with contextlib.closing(sqlite3.connect(self._data / "ionbox.sqlite")) as database:
            return Counter(dict(database.execute(query)))

    def _strays(self, database: sqlite3.Connection) -> Iterator[str]:
        named = {blob for (blob,) in database.execute("SELECT blob FROM job_results") if blob}
        there = {path.name for path in (self._data / "results").iterdir()}
        yield from (f"the file results/{name} belongs to no job" for name in there - named)
        yield from (f"the file results/{name} is missing" for name in named - there)


def _damages(database: sqlite3.Connection) -> Iterator[str]:
    for (line,) in database.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"integrity_check: {line}"
    for row in database.execute("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {row}"


def _miscounts(
    database: sqlite3.Connection, records: Sequence[Record], *, is_once: bool
) -> Iterator[str]:
    """Yield every submission that is there more often, or less, than it was accepted."""
    query = (
        "SELECT json_extract(echo, '$.metadata.lottery') AS tag, count(*) FROM jobs"
        " WHERE parent_id IS NULL GROUP BY tag"
    )
    there = dict(database.execute(query))
    for record in records:
        tag, wanted = record.ticket.tag, int(record.told is not None)
        most = wanted if is_once else wanted + record.num_lost
        number = there.pop(tag, 0)
        if not wanted <= number <= most:
            yield f"submission {tag} is there {number} times, not {wanted} to {most}"
    yield from (f"nobody was told of submission {tag}" for tag in there if tag is not None)
