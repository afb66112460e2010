"""A server to be killed: `ionbox serve` on one directory and one port, and its workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

READY_SECONDS = 60.0
GONE_SECONDS = 5.0
_WORKER = "ionbox.executors.worker"
# Whatever a server starts inherits its environment: so its descendants are known anywhere.
_MARK = "CHAOS_MARK"


class Server:
    """One server process after another on the same data.

    Args:
        directory: Holds the data directory and the log.
        options: Of `ionbox serve`, beside port and data.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.data, self.log = directory / "data", directory / "server.log"
        self.port = free_port()
        self.num_starts = 0
        self._mark = uuid.uuid4().hex
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.data / "api-key").read_text().strip()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def launch(self) -> None:
        """Start a process, and do not wait for it."""
        self.num_starts += 1
        environment = {name: value for name, value in os.environ.items() if _is_neutral(name)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ionbox", "serve", f"--port={self.port}",
                 f"--data={self.data}", "--no-calibrate", *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment | {_MARK: self._mark},
            )  # fmt: skip

    def start(self) -> None:
        """Start a process and wait until it answers."""
        self.launch()
        ready = self.data / "server.json"
        wait_until(
            lambda: self.process.poll() is not None or _pid_in(ready) == self.process.pid,
            READY_SECONDS,
            "the server is ready",
        )
        if self.process.poll() is not None:
            raise ServerEndedError(f"the server ended by itself: {self.tail()}")

    def kill(self) -> list[psutil.Process]:
        """Kill the process with SIGKILL; return what of it is left after a while."""
        self.process.kill()
        self.process.wait()
        return self.leftovers()

    def stop(self) -> int:
        """Have the process end in peace; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_SECONDS)

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes that live now."""
        return [each for each in self._descendants() if _WORKER in _command(each)]

    def leftovers(self) -> list[psutil.Process]:
        """Return what the process left behind, after the time that it has to go."""
        deadline = time.monotonic() + GONE_SECONDS
        while (left := self._descendants()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return left

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def _descendants(self) -> list[psutil.Process]:
        """Return every process with our mark, but the server."""
        return [
            each
            for each in psutil.process_iter()
            if each.pid != self.process.pid and _mark_of(each) == self._mark
        ]


class ServerEndedError(Exception):
    """The server ended, and nobody had killed it."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s it is still not so that {what}")
        time.sleep(0.01)


def _is_neutral(name: str) -> bool:
    """Settings of the user's own are none of the test's."""
    return not name.startswith("IONBOX_") and name != "IONQ_API_KEY"


def _pid_in(path: Path) -> int | None:
    try:
        pid: int = json.loads(path.read_text())["pid"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return pid


def _mark_of(process: psutil.Process) -> str | None:
    """A zombie has no environment, and holds nothing."""
    try:
        mark: str | None = process.environ().get(_MARK)
    except (psutil.Error, OSError):
        return None
    return mark


def _command(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return command
