"""Kills the server and its workers with SIGKILL, at random moments of a seed."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil
from tests.chaos.server import Server


class Killer:
    """A thread that does what nobody should do to a server.

    Args:
        mean_seconds: Between two deeds.
        freeze_seconds: How long a process is stopped at most.
    """

    def __init__(
        self, server: Server, *, seed: int, mean_seconds: float, freeze_seconds: float
    ) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._mean_seconds = mean_seconds
        self._freeze_seconds = freeze_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer")
        self.deeds: Counter[str] = Counter()
        self.num_workers_lost = 0
        self.violations: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the last deed end; the server runs then."""
        self._is_over.set()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        deeds: dict[Callable[[], None], int] = {
            self._kill_server: 3,
            self._kill_server_as_it_starts: 1,
            self._kill_worker: 5,
            self._freeze_worker: 2,
            self._freeze_server: 1,
        }
        try:
            while not self._is_over.wait(self._pause()):
                (deed,) = self._random.choices(list(deeds), list(deeds.values()))
                deed()
        except Exception as error:  # noqa: BLE001 - told at the end, beside what else was wrong
            self.violations.append(f"the server did not come back: {error!r}")

    def _pause(self) -> float:
        drawn = self._random.expovariate(1 / self._mean_seconds)
        return min(max(drawn, 0.3), 3 * self._mean_seconds)

    def _kill_server(self) -> None:
        self._end("server killed")
        self._server.start()

    def _kill_server_as_it_starts(self) -> None:
        self._end("server killed")
        self._server.launch()
        time.sleep(self._random.uniform(0, 1.5))
        self._end("server killed as it started")
        self._server.start()

    def _end(self, deed: str) -> None:
        if self._server.process.poll() is not None:
            status = self._server.process.returncode
            self.violations.append(f"the server ended by itself, status {status}")
        self.num_workers_lost += len(self._server.workers())
        left = self._server.kill()
        self.deeds[deed] += 1
        self.violations += [f"orphan of a killed server: {each}" for each in left]
        for each in left:
            each.kill()

    def _kill_worker(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
                self.deeds["worker killed"] += 1
                self.num_workers_lost += 1

    def _freeze_worker(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            self._freeze(worker)
            self.deeds["worker frozen"] += 1

    def _freeze_server(self) -> None:
        self._freeze(psutil.Process(self._server.process.pid))
        self.deeds["server frozen"] += 1

    def _freeze(self, process: psutil.Process) -> None:
        """Stop a process for a while; it goes on as if no time had passed."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
            time.sleep(self._random.uniform(0, self._freeze_seconds))
            process.send_signal(signal.SIGCONT)

    def _some_worker(self) -> psutil.Process | None:
        workers = sorted(self._server.workers(), key=lambda worker: worker.pid)
        return self._random.choice(workers) if workers else None
