"""What submits the jobs of the lottery, follows each to its end and notes what it was told."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.caller import ENDED, Answer, Caller
from tests.chaos.mix import CANCEL, DELETE, Ticket

# Submitted one after the other before the first is followed: so there is a queue.
BATCH = 8
# What must never change of a job that has ended.
_LASTING = (
    "status", "submitted_at", "started_at", "completed_at", "execution_duration_ms", "failure",
    "child_job_ids", "shots", "noise",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the server said of a job that has ended.

    Args:
        job: What must not change of it.
        result: A digest of the bytes of its results, if it has any.
        outcome: The same without the ids of children, to compare with others of its kind.
    """

    job: Mapping[str, Any]
    result: bytes | None = None
    outcome: bytes | None = None

    @property
    def status(self) -> str:
        return str(self.job["status"])


@dataclass(frozen=True)
class Record:
    """A job that was accepted.

    Args:
        num_lost: Answers to its submission that were lost: each may have made another job.
        told: None of a job that was deleted.
    """

    ticket: Ticket
    job_id: str
    num_lost: int
    told: Told | None


class Table:
    """What all players share: the tickets, and what came of them."""

    def __init__(self, tickets: Iterator[Ticket]) -> None:
        self._tickets = tickets
        self._lock = threading.Lock()
        self.num_accepted = 0
        self.records: list[Record] = []
        self.violations: list[str] = []

    def take(self) -> list[Ticket]:
        """Return the next few tickets; none at the end."""
        with self._lock:
            return list(itertools.islice(self._tickets, BATCH))


def play(table: Table, caller: Caller) -> None:
    """Take tickets until there are none."""
    while tickets := table.take():
        accepted = [(each, *submit(table, caller, each)) for each in tickets]
        for each, job_id, num_lost in accepted:
            if job_id is not None:
                try:
                    table.records.append(follow(table, caller, each, job_id, num_lost))
                except Exception as error:  # noqa: BLE001 - a violation like any other
                    table.violations.append(f"job {job_id} ({each.kind.name}): {error!r}")


def submit(table: Table, caller: Caller, ticket: Ticket) -> tuple[str | None, int]:
    """Return the id of a new job, and how many answers were lost before the one that told it."""
    answer = caller.ask("POST", "/v0.4/jobs", ticket.body, Idempotency_Key=ticket.tag)
    if answer.status != 201:
        table.violations.append(f"{ticket.kind.name} was not accepted: {_text(answer)}")
        return None, answer.num_lost
    table.num_accepted += 1
    return answer.json()["id"], answer.num_lost


def follow(table: Table, caller: Caller, ticket: Ticket, job_id: str, num_lost: int) -> Record:
    """Have a job's fate happen to it, and return what was told of it at its end."""
    if ticket.fate == DELETE:
        time.sleep(ticket.pause_seconds)
        gone = caller.ask("DELETE", f"/v0.4/jobs/{job_id}")
        if gone.status != 200 and not (gone.status == 404 and gone.num_lost):
            table.violations.append(f"job {job_id} was not deleted: {_text(gone)}")
        if (still := caller.job(job_id)).status != 404:
            table.violations.append(f"job {job_id} is there after its deletion: {_text(still)}")
        return Record(ticket, job_id, num_lost, None)
    if ticket.fate == CANCEL:
        time.sleep(ticket.pause_seconds)
        answer = caller.ask("PUT", f"/v0.4/jobs/{job_id}/status/cancel")
        if answer.status != 200 or caller.job(job_id).json()["status"] not in ENDED:
            table.violations.append(f"job {job_id} goes on after it was canceled: {_text(answer)}")
    told = told_of(caller, caller.ended(job_id))
    if told.status == "completed" and told.result is None:
        table.violations.append(f"job {job_id} is completed and has no results")
    return Record(ticket, job_id, num_lost, told)


def told_of(caller: Caller, answer: Answer) -> Told:
    """Return what lasts of a job that has ended."""
    assert answer.status == 200, _text(answer)
    job = answer.json()
    lasting = {name: job.get(name) for name in _LASTING}
    if job["status"] != "completed":
        return Told(lasting)
    result = caller.ask("GET", f"/v0.4/jobs/{job['id']}/results/probabilities")
    if result.status != 200:
        return Told(lasting)
    return Told(lasting, _digest(result.body), _digest(_without_ids(result, job)))


def _without_ids(result: Answer, job: Mapping[str, Any]) -> bytes:
    """Results of a family are listed by the ids of its children."""
    children = job["child_job_ids"]
    if not children:
        return result.body
    by_child = result.json()
    return json.dumps([by_child.get(child) for child in children]).encode()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _text(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:300].decode(errors='replace')}"
