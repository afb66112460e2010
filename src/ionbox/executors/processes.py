"""Work on this machine: one process a worker, each served by a thread of the server."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import msgspec
import psutil

from ionbox.engines.planner import size_text
from ionbox.executors import frames
from ionbox.service.work import Beat, Lost, Reply, Task

_log = logging.getLogger(__name__)
_RESPAWN_PAUSE_SECONDS = 0.5

_Load = Callable[[int], list[Task]]
_Done = Callable[[int, list[Reply]], None]
_Beat = Callable[[int, Beat], None]


class ProcessExecutor:
    """The port `Executor` on processes started anew, never forked.

    Each worker has a thread that starts it, hands it tasks and waits for replies. Linux kills a
    child when the *thread* that started it ends, so these threads live as long as the executor.
    """

    def __init__(self, num_workers: int) -> None:
        self._num_workers = num_workers
        self._workers: list[_Worker] = []

    @property
    def num_workers(self) -> int:
        """How many tasks can run at once."""
        return self._num_workers

    def start(self, load: _Load, done: _Done, beat: _Beat) -> None:
        """Start the workers; see the port."""
        self._workers = [_Worker(number, load, done, beat) for number in range(self._num_workers)]

    def execute(self, worker: int) -> None:
        """Have an idle worker load and run its task; returns at once."""
        self._workers[worker].inbox.put(True)

    def kill(self, worker: int) -> None:
        """End what a worker does, at once."""
        self._workers[worker].kill()

    def is_working(self, worker: int) -> bool:
        """Return whether a worker has used a processor since this was last asked."""
        return self._workers[worker].is_working()

    def stop(self) -> None:
        """End every worker and return when none is left."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join()


class _Worker:
    """One process and the thread that serves it."""

    def __init__(self, number: int, load: _Load, done: _Done, beat: _Beat) -> None:
        self.inbox: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._number = number
        self._load = load
        self._done = done
        self._beat = beat
        self._seen_bytes: int | None = None  # what a task took when it was last heard of
        self._is_stopping = False
        self._is_killed = False
        self._kill_lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cpu_seconds = 0.0  # that it had used when it was last asked
        self._decoder: msgspec.msgpack.Decoder[list[Reply] | Beat] = msgspec.msgpack.Decoder(
            list[Reply] | Beat
        )
        self._encoder = msgspec.msgpack.Encoder()
        self._thread = threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        with self._kill_lock:
            self._is_killed = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def is_working(self) -> bool:
        with self._kill_lock:
            process = self._process
        if process is None:
            return False
        try:
            times = psutil.Process(process.pid).cpu_times()
        except psutil.Error:
            return False
        before, self._cpu_seconds = self._cpu_seconds, times.user + times.system
        return self._cpu_seconds > before

    def stop(self) -> None:
        self._is_stopping = True
        self.inbox.put(False)
        self.kill()

    def join(self) -> None:
        self._thread.join()

    def _serve(self) -> None:
        self._spawn()
        while self.inbox.get():
            if self._is_dead():  # without harm to these tasks: it was idle
                self._replace()
            tasks = self._load(self._number)
            self._done(self._number, self._run(tasks) if tasks else [])
        self._reap()

    def _is_dead(self) -> bool:
        """Return whether the process ended, or a kill came just after its last answer."""
        return self._is_killed or self._process is None or self._process.poll() is not None

    def _run(self, tasks: list[Task]) -> list[Reply]:
        """Have the process do the tasks; one that dies, or takes too long, loses them all."""
        limits = [task.timeout_seconds for task in tasks if task.timeout_seconds is not None]
        timeout_seconds, self._seen_bytes = min(limits, default=None), None
        try:
            self._connection.settimeout(timeout_seconds)
            frames.send(self._connection, self._encoder.encode(tasks))
            return self._replies(timeout_seconds)
        except TimeoutError:
            reason = f"no answer within {timeout_seconds} s (exit status {self._replace()})"
        except (EOFError, OSError):
            reason = self._death(max(task.memory_bytes for task in tasks))
        return [Lost(reason, self._seen_bytes)] * len(tasks)

    def _death(self, planned_bytes: int) -> str:
        """Replace a process that died at work; say how it did, and what is known of its memory."""
        is_ours, status = self._is_killed, self._replace()
        if is_ours or status != -signal.SIGKILL:
            return f"the worker died (exit status {status})"
        known = [f"planned with {size_text(planned_bytes)}"] if planned_bytes else []
        if self._seen_bytes is not None:
            known.append(f"took {size_text(self._seen_bytes)} when last seen")
        text = f"the worker was killed (exit status {status}), probably for memory"
        return f"{text}: {', '.join(known)}" if known else text

    def _replies(self, timeout_seconds: float | None) -> list[Reply]:
        """Return what the process answers; the time is that of the whole load, beats or not."""
        start = time.monotonic()
        while True:
            message = self._decoder.decode(frames.receive(self._connection))
            if not isinstance(message, Beat):
                return message
            self._seen_bytes = message.memory_bytes
            self._beat(self._number, message)
            if timeout_seconds is not None:
                left_seconds = start + timeout_seconds - time.monotonic()
                if left_seconds <= 0:
                    raise TimeoutError
                self._connection.settimeout(left_seconds)

    def _replace(self) -> int:
        """End the process, whatever it does, and start another; return how it ended."""
        status = self._reap()
        if not self._is_stopping:
            if status != -signal.SIGKILL:
                time.sleep(_RESPAWN_PAUSE_SECONDS)  # what cannot even start must not spin
            self._spawn()
        return status

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-P",  # a file in the current directory is none of our modules
                    "-m",
                    "ionbox.executors.worker",
                    str(theirs.fileno()),
                    str(read_end),
                    str(os.getpid()),
                ],
                pass_fds=(theirs.fileno(), read_end),
                stdin=subprocess.DEVNULL,
                # An engine gets its threads from its grant, not from a library's own pool.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        os.close(read_end)
        self._connection, self._lifeline = ours, os.fdopen(write_end, "wb")
        with self._kill_lock:
            self._process, self._is_killed, self._cpu_seconds = process, False, 0.0
        if self._is_stopping:
            self.kill()

    def _reap(self) -> int:
        """End the process and give back what it held; return its exit status."""
        self.kill()
        with self._kill_lock:
            process, self._process = self._process, None
        self._connection.close()
        self._lifeline.close()
        return process.wait() if process is not None else 0
