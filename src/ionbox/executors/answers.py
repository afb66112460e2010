"""A task done within its limits of memory, and answered whatever happens."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from msgspec.structs import replace

from ionbox.engines.planner import size_text
from ionbox.engines.progress import Progress
from ionbox.executors.memory import Memory, run_limit_bytes
from ionbox.jobs.job import Failure, FailureCode
from ionbox.service.work import Failed, Finished, Lost, Reply, Task, Watch, perform

# Outcomes up to this size travel in the reply and lie in the job's row.
INLINE_BYTES = 64 * 1024
# To ask the system what a shorter run took would be a part of what it takes.
LEAST_MEASURED_SECONDS = 0.01
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_PAUSE_SECONDS = 1.0


def answer(task: Task, memory: Memory, progress: Progress) -> Reply:
    """Do a task, and say what came of it.

    Args:
        memory: Of this process, which only this task uses now.
        progress: Where another thread reads how far it is.
    """
    if not task.niceness:
        return _Answering(task, memory, progress).reply()
    # On Linux niceness belongs to a thread and cannot be taken back: the thread ends with the task.
    replies: list[Reply] = []

    def answer_nicely() -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), task.niceness)
        replies.append(_Answering(task, memory, progress).reply())

    thread = threading.Thread(target=answer_nicely)
    thread.start()
    thread.join()
    return replies[0]


class _Answering:
    """One task at work."""

    def __init__(self, task: Task, memory: Memory, progress: Progress) -> None:
        self._task = task
        self._memory = memory
        self._watch = Watch(time.perf_counter, progress, self._begin)
        self._planned_bytes: int | None = None  # once it runs

    def reply(self) -> Reply:
        """Do the task."""
        if self._task.process_memory_bytes is None:
            self._memory.unmark()  # it was read before: this is soon done
        else:
            self._memory.mark(self._task.process_memory_bytes)
        try:
            reply = perform(self._task, self._watch)
            if isinstance(reply, Finished) and reply.seconds >= LEAST_MEASURED_SECONDS:
                reply = replace(reply, memory_bytes=self._memory.peak_bytes())
            return _leave_draft(reply, self._task)
        except MemoryError:
            self._memory.lift()  # before anything else: even to say so takes memory
            return self._out_of_memory()
        except OSError as error:
            return Lost(f"its outcome could not be written: {error}")
        except Exception as error:  # noqa: BLE001 - the outer loop: whatever it is, the job failed
            traceback.print_exception(error)
            text = "ionbox made a mistake with this job; its log says which"
            return Failed(Failure(FailureCode.INTERNAL_ERROR, text))
        finally:
            self._memory.lift()

    def _begin(self, planned_bytes: int) -> None:
        """Count and limit anew: what was read stays, and what comes now was predicted."""
        self._planned_bytes = planned_bytes
        self._memory.mark(run_limit_bytes(planned_bytes, self._task.threads))

    def _out_of_memory(self) -> Failed:
        planned_bytes, task = self._planned_bytes, self._task
        if planned_bytes is not None:
            allowed = run_limit_bytes(planned_bytes, task.threads)
            text = f"planned with {size_text(planned_bytes)}, needed more than {size_text(allowed)}"
            return Failed(Failure(FailureCode.SIMULATION_ERROR, f"out of memory: {text}"))
        code = FailureCode.PREFLIGHT_ERROR if task.engine is None else FailureCode.SIMULATION_ERROR
        allowed = task.process_memory_bytes or task.rules.memory_bytes
        text = f"to read and plan it takes more than {size_text(allowed)}"
        return Failed(Failure(code, f"out of memory: {text}"))


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
