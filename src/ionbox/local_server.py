"""A server of your own for the length of a `with` block: in scripts, tests and notebooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ionbox.config import KEY_VARIABLES, key_from_environment
from ionbox.errors import IonboxError

_POLL_SECONDS = 0.01
_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0


class LocalServerError(IonboxError):
    """The server did not start; says what it printed."""


class LocalServer:
    """An ionbox server in a process of its own, on a free port of this machine.

    It ends with this object or with the process that made it, whichever is first.

    >>> with LocalServer() as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True

    Args:
        data: Directory that keeps the jobs; by default a temporary one.
        port: 0 takes a free one.
        seed: Makes the seeds that are drawn for jobs repeatable.
        calibrate: Whether to measure how fast this machine is; a short life is not worth it.
        options: Further options of `ionbox serve`, such as `workers=2`.
    """

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        port: int = 0,
        seed: int | None = None,
        calibrate: bool = False,
        **options: object,
    ) -> None:
        named = {"port": port, "seed": seed, "calibrate": calibrate}
        self._options = [
            _option(name.replace("_", "-"), value)
            for name, given in (named | options).items()
            for value in (given if isinstance(given, (tuple, list)) else [given])
            if value is not None
        ]
        self._given_data = None if data is None else Path(data)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start the server and return once it answers.

        Raises:
            LocalServerError: If it does not come up.
        """
        if self._process is not None:
            return self
        self._temporary = tempfile.TemporaryDirectory(prefix="ionbox-")
        self._data = self._given_data or Path(self._temporary.name, "data")
        self._log = Path(self._temporary.name, "log").open("w+")  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            # -P: a file beside your script is none of the server's modules.
            [sys.executable, "-P", "-m", "ionbox", "serve", "--until-eof",
             f"--data={self._data}", *self._options],
            stdin=subprocess.PIPE, stdout=self._log, stderr=self._log, text=True,
            env=_environment(self._given_data),
        )  # fmt: skip
        try:
            self._url = self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server; a temporary data directory is deleted."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._log.close()
        self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalServer {self._url if self._process else 'not running'}>"

    @property
    def url(self) -> str:
        """Where it answers, such as `http://127.0.0.1:40123`; API versions follow it."""
        self._require_running()
        return self._url

    @property
    def key(self) -> str:
        """A key for it: its own, or yours where its data directory began with that."""
        self._require_running()
        path = self._data / "api-key"
        if path.exists():
            return path.read_text().strip()
        given = key_from_environment(os.environ)
        if given is None:
            raise LocalServerError(f"{self._data} began with a key of yours; it is not known here")
        return given[1]

    @property
    def data(self) -> Path:
        """The directory that keeps its jobs."""
        self._require_running()
        return self._data

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._require_running().pid

    def _require_running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise LocalServerError("the server is not running; call start() or use 'with'")
        return self._process

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> str:
        """Return the URL that the server writes into its data directory."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._log.seek(0)
                raise LocalServerError(f"the server ended at once: {self._log.read().strip()}")
            url = _ready_url(self._data / "server.json", process.pid)
            if url is not None:
                return url
            time.sleep(_POLL_SECONDS)
        raise LocalServerError(f"the server was not ready within {_READY_SECONDS:.0f} s")


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name}={value}"


def _ready_url(path: Path, pid: int) -> str | None:
    """A file that an earlier server left tells another process."""
    try:
        running = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return str(running["url"]) if running["pid"] == pid else None


def _environment(given_data: Path | None) -> dict[str, str]:
    """Settings are given, not found around; on data of its own the server makes its own key."""
    kept = KEY_VARIABLES if given_data else ()
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not (name in KEY_VARIABLES or name.startswith("IONBOX_"))
    }
