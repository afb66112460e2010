"""A worker process: `python -m ionbox.executors.worker SOCKET LIFELINE PARENT`.

It reads tasks from a socket, a few at a time, and answers each with a reply. It dies with the
server, whatever either of them is doing: by the kernel's word on Linux (PDEATHSIG), and anywhere
by a thread that waits for the end of a pipe which only the server holds open.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ionbox.executors import frames
from ionbox.jobs.job import Failure, FailureCode
from ionbox.service.work import Failed, Finished, Lost, Reply, Task, perform

# Outcomes up to this size travel in the reply and lie in the job's row.
INLINE_BYTES = 64 * 1024
_PR_SET_PDEATHSIG = 1
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_PAUSE_SECONDS = 1.0


def main() -> None:
    """Serve tasks until the server is gone."""
    descriptor, lifeline, parent = map(int, sys.argv[1:])
    _die_with(parent, lifeline)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    connection = socket.socket(fileno=descriptor)
    decoder, encoder = msgspec.msgpack.Decoder(list[Task]), msgspec.msgpack.Encoder()
    while True:
        try:
            tasks = decoder.decode(frames.receive(connection))
            frames.send(connection, encoder.encode([_answer(task) for task in tasks]))
        except (EOFError, ConnectionError):
            return


def _die_with(parent: int, lifeline: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above took effect.
    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def _answer(task: Task) -> Reply:
    if not task.niceness:
        return _perform(task)
    # On Linux niceness belongs to a thread and cannot be taken back: the thread ends with the task.
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(_perform_nicely(task)))
    thread.start()
    thread.join()
    return replies[0]


def _perform_nicely(task: Task) -> Reply:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), task.niceness)
    return _perform(task)


def _perform(task: Task) -> Reply:
    _limit_memory(task.process_memory_bytes)
    try:
        return _leave_draft(perform(task, time.perf_counter), task)
    except MemoryError:
        return _out_of_memory(task)
    except OSError as error:
        return Lost(f"its outcome could not be written: {error}")
    except Exception as error:  # noqa: BLE001 - the outer loop: whatever it is, the job failed
        traceback.print_exception(error)
        text = "ionbox made a mistake with this job; its log says which"
        return Failed(Failure(FailureCode.INTERNAL_ERROR, text))
    finally:
        _limit_memory(None)


def _out_of_memory(task: Task) -> Failed:
    code = FailureCode.PREFLIGHT_ERROR if task.engine is None else FailureCode.SIMULATION_ERROR
    allowed = task.process_memory_bytes or task.rules.memory_bytes
    return Failed(Failure(code, f"out of memory; {allowed} bytes are allowed"))


def _limit_memory(extra_bytes: int | None) -> None:
    """Limit the address space to what is in use and so many bytes more, or lift the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if extra_bytes is None or sys.platform != "linux":
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + extra_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _leave_draft(reply: Reply, task: Task) -> Reply:
    """Write a large outcome to the task's draft, durable, instead of sending it."""
    if not isinstance(reply, Finished) or len(reply.encoded or b"") <= INLINE_BYTES:
        return reply
    while not _is_written(Path(task.draft), reply.encoded or b""):
        time.sleep(_NO_ROOM_PAUSE_SECONDS)  # what was computed is kept until there is room
    return replace(reply, encoded=None)


def _is_written(path: Path, data: bytes) -> bool:
    """Write a file, durable; false where there is no room for it, and then it holds none."""
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        path.unlink(missing_ok=True)
        return False
    return True


if __name__ == "__main__":
    main()
