"""Many jobs of many kinds, while the server and its workers are killed again and again.

    python -m tests.chaos.lottery [--jobs 10000] [--seconds 60] [--seed 1]

At the end nothing may be lost, be there twice, have changed since it was told, or be left over.
Prints one table; a violation is named, and the data directory is kept.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders import BELL
from tests.chaos.audit import Audit, changes, differences, failures, given_up, unexplained
from tests.chaos.caller import Caller
from tests.chaos.killer import Killer
from tests.chaos.mix import Ticket, ticket
from tests.chaos.player import Record, Table, play
from tests.chaos.server import Server, wait_until

PLAYERS = 24
PROGRESS_SECONDS = 5.0
_MOST_SHOWN = 50
_UNFINISHED = "/v0.4/jobs?limit=1&status=submitted,ready,started"


@dataclass(frozen=True)
class Report:
    """What came of a lottery."""

    rows: list[tuple[str, object]]
    violations: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="how many to submit at most")
    parser.add_argument("--seconds", type=float, help="submit no longer than this")
    parser.add_argument("--mean", type=float, default=3.0, help="seconds between two deeds")
    parser.add_argument("--freeze", type=float, default=1.5, help="seconds, of a freeze at most")
    parser.add_argument("--seed", type=int, default=1, help="of the jobs and of the killing")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="ionbox-chaos-"))
    report = draw(directory, options)
    width = max(len(name) for name, _ in report.rows)
    print("\n".join(f"{name:{width}}  {value}" for name, value in report.rows))
    if report.violations:
        print("\n".join(report.violations[:_MOST_SHOWN]))
        sys.exit(f"{len(report.violations)} violations; the data is in {directory}")
    shutil.rmtree(directory)


def draw(directory: Path, options: argparse.Namespace) -> Report:
    """Run one lottery; whatever happens, nothing of it runs on."""
    server = Server(directory)
    server.start()
    killer = Killer(
        server, seed=options.seed, mean_seconds=options.mean, freeze_seconds=options.freeze
    )
    began = time.monotonic()
    try:
        is_once = _is_once(_caller(server))
        table = Table(_tickets(options))
        _play(server, killer, table)
        seconds = time.monotonic() - began
        found = [*killer.violations, *table.violations, *_online(server, table.records)]
        found += _stopped(server)
    finally:
        server.kill()
    audit = Audit(server.data)
    found += audit.violations(table.records, is_once=is_once)
    found += unexplained(table.records, killer.num_workers_lost)
    rows = _rows(table, killer, audit, is_once=is_once)
    return Report([*rows, ("seconds", round(seconds)), ("violations", len(found))], found)


def _tickets(options: argparse.Namespace) -> Iterator[Ticket]:
    deadline = time.monotonic() + (options.seconds or float("inf"))
    numbers = itertools.takewhile(lambda _: time.monotonic() < deadline, range(options.jobs))
    return (ticket(options.seed, number) for number in numbers)


def _play(server: Server, killer: Killer, table: Table) -> None:
    """Have players play and the killer kill until the last job has ended."""
    players = [
        threading.Thread(target=play, args=(table, _caller(server)), name=f"player-{number}")
        for number in range(PLAYERS)
    ]
    killer.start()
    for player in players:
        player.start()
    began = next_told = time.monotonic()
    while any(player.is_alive() for player in players):
        time.sleep(0.1)
        if time.monotonic() > next_told:
            print(f"{time.monotonic() - began:4.0f} s: {_progress(table, killer)}", flush=True)
            next_told += PROGRESS_SECONDS
    killer.stop()


def _progress(table: Table, killer: Killer) -> str:
    deeds = ", ".join(f"{number} x {deed}" for deed, number in killer.deeds.items())
    return f"{table.num_accepted} accepted, {len(table.records)} ended; {deeds}"


def _caller(server: Server) -> Caller:
    return Caller(server.port, server.key)


def _is_once(caller: Caller) -> bool:
    """Return whether the same submission under the same key makes one job."""
    body = {"type": "ionq.circuit.v1", "input": BELL}
    asked = [
        caller.ask("POST", "/v0.4/jobs", body, Idempotency_Key="is-this-honoured") for _ in range(2)
    ]
    first, second = (answer.json()["id"] for answer in asked)
    return bool(first == second)


def _online(server: Server, records: Sequence[Record]) -> list[str]:
    """Return what is wrong by the server's own word, once nothing waits and nothing runs."""
    caller = _caller(server)
    wait_until(lambda: not caller.ask("GET", _UNFINISHED).json()["jobs"], 120, "all jobs ended")
    found = [*failures(records), *differences(records)]
    return [*found, *changes(records, [_caller(server) for _ in range(PLAYERS // 3)])]


def _stopped(server: Server) -> list[str]:
    """Stop the server; return what is wrong with how it ended."""
    status = server.stop()
    found = [f"orphan of a stopped server: {each}" for each in server.leftovers()]
    if status not in {0, -15}:
        found.append(f"the server ended with status {status}: {server.tail()}")
    if "Traceback" in server.log.read_text(errors="replace"):
        found.append(f"there is a traceback in {server.log}")
    return found


def _rows(table: Table, killer: Killer, audit: Audit, *, is_once: bool) -> list[tuple[str, object]]:
    ends = Counter(record.told.status if record.told else "deleted" for record in table.records)
    kinds = Counter(record.ticket.kind.name for record in table.records)
    lost = sum(record.num_lost > 0 for record in table.records)
    attempts = audit.attempts()
    return [
        ("jobs accepted", table.num_accepted),
        *((f"  {kind}", number) for kind, number in kinds.most_common()),
        *((f"ended {status}", number) for status, number in ends.most_common()),
        ("  of the failed, given up after 3 attempts", len(given_up(table.records))),
        *((f"completed by attempt {attempt}", attempts[attempt]) for attempt in sorted(attempts)),
        *killer.deeds.most_common(),
        ("workers lost", killer.num_workers_lost),
        ("submissions whose answer was lost", lost),
        ("  checked to be there exactly once", "yes" if is_once else "no: keys are not honoured"),
    ]


if __name__ == "__main__":
    main()
