"""A disk that runs full under a server, on a small file system in memory.

    python -m tests.chaos.disk_full

What finds no room is refused with 507 and leaves nothing torn; what runs is recorded when there is
room; deleting makes room, on a full disk too. Needs a mount of its own, which `unshare` gives to
anybody on most Linux systems; elsewhere this is skipped, loudly.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.builders import BELL, entanglers
from tests.chaos.audit import Audit
from tests.chaos.caller import Answer, Caller
from tests.chaos.server import Server

DISK_BYTES = 48 << 20
# Beside a full disk stands some room that SQLite has already: so many submissions may find it.
MOST_SUBMISSIONS = 20_000
_INSIDE = "CHAOS_DISK"
_NAMESPACE = ("unshare", "--map-root-user", "--mount")
_BELL = {"type": "ionq.circuit.v1", "input": BELL}
# Its outcome lies in a file of 128 KiB.
_FILE_BYTES = 128 << 10
_FILE = {"type": "ionq.circuit.v1", "input": entanglers(14, 60)}
_SLOW = {
    "type": "ionq.circuit.v1", "shots": 20, "noise": {"model": "aria-1", "seed": 7},
    "input": entanglers(16, 60),
}  # fmt: skip


def main() -> None:
    if _INSIDE in os.environ:
        _check_all(Path(os.environ[_INSIDE]))
        return
    with tempfile.TemporaryDirectory(prefix="ionbox-chaos-") as directory:
        mount = f"mount -t tmpfs -o size={DISK_BYTES} tmpfs {directory}"
        if not _may(mount):
            print(f"SKIPPED: no small disk can be had here, '{' '.join(_NAMESPACE)}' is refused")
            return
        command = f'{mount} && exec "{sys.executable}" -m tests.chaos.disk_full'
        environment = os.environ | {_INSIDE: directory}
        done = subprocess.run([*_NAMESPACE, "sh", "-c", command], env=environment, check=False)
    sys.exit(done.returncode)


def _may(mount: str) -> bool:
    try:
        tried = subprocess.run([*_NAMESPACE, "sh", "-c", mount], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def _check_all(disk: Path) -> None:
    server = Server(disk, "--workers=2")
    server.log = Path(tempfile.gettempdir()) / f"ionbox-disk-full-{os.getpid()}.log"
    server.start()
    try:
        for check in (refuses, records_later, waits_for_room, deletes, goes_on, starts, forgets):
            began = time.monotonic()
            check(server, disk)
            print(f"{check.__doc__}: ok, {time.monotonic() - began:.1f} s", flush=True)
        assert server.stop() in {0, -signal.SIGTERM}
    except BaseException:
        print(server.tail())
        raise
    finally:
        server.kill()
    assert list(Audit(server.data).violations([], is_once=True)) == []
    assert "Traceback" not in server.tail()
    server.log.unlink()


def refuses(server: Server, disk: Path) -> None:
    """A submission that finds no room is refused with 507, one that is accepted is kept"""
    caller = _caller(server)
    before = _accepted(caller, _FILE)
    assert _end(caller, before) == "completed"
    _fill(disk)
    accepted = _submit_until_refused(caller)

    assert caller.job(before).status == 200
    assert caller.ask("GET", f"/v0.4/jobs/{before}/results/probabilities").status == 200
    assert caller.ask("GET", "/v0.4/jobs?limit=1000").status == 200
    for _ in range(20):
        refused = caller.ask("POST", "/v0.4/jobs", _BELL)
        assert refused.status == 507, _text(refused)
        assert "Insufficient Storage" in refused.body.decode()
    _filler(disk).unlink()
    for job_id in accepted:
        assert _end(caller, job_id) == "completed"


def records_later(server: Server, disk: Path) -> None:
    """What ran while the disk was full is completed when there is room again"""
    caller = _caller(server)
    with _frozen(server):
        running = [_accepted(caller, body) for body in (_SLOW, _FILE, _BELL, _FILE)]
        _fill(disk)
        _submit_until_refused(caller)
    time.sleep(5)  # long enough for every outcome to find no room, several times

    told = [caller.job(job_id).json()["status"] for job_id in running]
    assert "failed" not in told, told
    _filler(disk).unlink()
    for job_id in running:
        assert _end(caller, job_id) == "completed", caller.job(job_id).body


def waits_for_room(server: Server, disk: Path) -> None:
    """An outcome too large for the room that is left costs its job no attempt"""
    caller = _caller(server)
    with _frozen(server):
        waiting = _accepted(caller, _FILE)
        _fill(disk, but=_FILE_BYTES // 2)
    time.sleep(5)  # long enough to use three attempts up
    assert caller.job(waiting).json()["status"] in {"ready", "started"}, caller.job(waiting).body
    _filler(disk).unlink()
    assert _end(caller, waiting) == "completed", caller.job(waiting).body


def deletes(server: Server, disk: Path) -> None:
    """On a full disk jobs can be deleted, and that makes room"""
    caller = _caller(server)
    files = [_accepted(caller, _FILE) for _ in range(20)]
    assert {_end(caller, job_id) for job_id in files} == {"completed"}
    _fill(disk)
    _submit_until_refused(caller)

    for job_id in files:
        gone = caller.ask("DELETE", f"/v0.4/jobs/{job_id}")
        assert gone.status == 200, _text(gone)
        assert caller.job(job_id).status == 404
    assert _end(caller, _accepted(caller, _BELL)) == "completed"
    assert _end(caller, _accepted(caller, _FILE)) == "completed"


def goes_on(server: Server, disk: Path) -> None:
    """A server that is killed on a full disk starts again, deletes, and goes on"""
    caller = _caller(server)
    kept = _accepted(caller, _BELL)
    assert _end(caller, kept) == "completed"
    _fill(disk)
    _submit_until_refused(caller)
    assert server.kill() == []
    server.start()

    assert caller.job(kept).json()["status"] == "completed"
    gone = caller.ask("DELETE", f"/v0.4/jobs/{kept}")
    assert gone.status == 200, _text(gone)
    _filler(disk).unlink()
    assert _end(caller, _accepted(caller, _FILE)) == "completed"


def starts(server: Server, disk: Path) -> None:
    """A server that was stopped starts on a disk that has run full since, again and again"""
    caller = _caller(server)
    jobs = [_accepted(caller, _BELL) for _ in range(3)]
    assert {_end(caller, job_id) for job_id in jobs} == {"completed"}
    for job_id in jobs:
        assert server.stop() in {0, -signal.SIGTERM}
        _fill(disk)
        server.start()
        _submit_until_refused(caller)

        gone = caller.ask("DELETE", f"/v0.4/jobs/{job_id}")
        assert gone.status == 200, _text(gone)
    _filler(disk).unlink()
    assert _end(caller, _accepted(caller, _FILE)) == "completed"


def forgets(server: Server, disk: Path) -> None:
    """A server that is killed on a full disk starts again, with keys to forget"""
    caller = _caller(server)
    for number in range(200):
        caller.ask("POST", "/v0.4/jobs", _BELL, Idempotency_Key=f"{number:0>200}")
    kept = _accepted(caller, _BELL)
    assert _end(caller, kept) == "completed"
    with contextlib.closing(sqlite3.connect(server.data / "ionbox.sqlite")) as database, database:
        database.execute("UPDATE idempotency_keys SET created_at = 1")
    _fill(disk)
    _submit_until_refused(caller)
    assert server.kill() == []
    server.start()

    gone = caller.ask("DELETE", f"/v0.4/jobs/{kept}")
    assert gone.status == 200, _text(gone)
    _filler(disk).unlink()
    assert _end(caller, _accepted(caller, _FILE)) == "completed"


def _caller(server: Server) -> Caller:
    return Caller(server.port, server.key)


def _accepted(caller: Caller, body: object) -> str:
    answer = caller.ask("POST", "/v0.4/jobs", body)
    assert answer.status == 201, _text(answer)
    job_id: str = answer.json()["id"]
    return job_id


def _end(caller: Caller, job_id: str) -> str:
    return str(caller.ended(job_id).json()["status"])


def _submit_until_refused(caller: Caller) -> list[str]:
    """Return the ids of those that were accepted before the first refusal."""
    accepted: list[str] = []
    for _ in range(MOST_SUBMISSIONS):
        answer = caller.ask("POST", "/v0.4/jobs", _BELL)
        if answer.status != 201:
            assert answer.status == 507, _text(answer)
            return accepted
        accepted.append(answer.json()["id"])
    raise AssertionError(f"{MOST_SUBMISSIONS} submissions found room on a full disk")


def _fill(disk: Path, *, but: int = 0) -> None:
    """Write a file beside the data until not a byte more finds room than these."""
    with _filler(disk).open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            _write_until_full(partial(file.write, bytes(size)))
        file.truncate(file.tell() - but)


def _write_until_full(write: Callable[[], object]) -> None:
    try:
        while True:
            write()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _filler(disk: Path) -> Path:
    return disk / "filler"


@contextmanager
def _frozen(server: Server) -> Iterator[None]:
    """Have no worker do anything meanwhile."""
    workers = server.workers()
    assert workers, "there are no workers"
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)


def _text(answer: Answer) -> str:
    return f"{answer.status} {json.dumps(answer.body.decode(errors='replace'))}"


if __name__ == "__main__":
    main()
