"""A worker process: `python -m ionbox.executors.worker SOCKET LIFELINE PARENT`.

It reads tasks from a socket, a few at a time, and answers each with a reply; while that takes
long it beats. It dies with the server, whatever either of them is doing: by the kernel's word on
Linux (PDEATHSIG), and anywhere by a thread that waits for the end of a pipe which only the server
holds open.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading

import msgspec

from ionbox.executors import frames
from ionbox.executors.answers import answer
from ionbox.executors.beats import Beater
from ionbox.executors.memory import Memory
from ionbox.service.work import Task

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve tasks until the server is gone."""
    descriptor, lifeline, parent = map(int, sys.argv[1:])
    _die_with(parent, lifeline)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    connection = socket.socket(fileno=descriptor)
    decoder, encode = msgspec.msgpack.Decoder(list[Task]), msgspec.msgpack.encode
    memory = Memory()
    beater = Beater(lambda beat: frames.send(connection, encode(beat)), memory)
    while True:
        try:
            tasks = decoder.decode(frames.receive(connection))
            replies = [answer(task, memory, beater.begin(task.job_id)) for task in tasks]
            beater.end()
            frames.send(connection, encode(replies))
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


if __name__ == "__main__":
    main()
