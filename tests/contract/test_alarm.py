"""What is to be done later, in its order and with a real clock."""

from __future__ import annotations

import queue

from ionbox.service.alarm import Alarm

PATIENCE_SECONDS = 10


def test_what_is_due_first_is_done_first() -> None:
    done: queue.Queue[str] = queue.Queue()
    alarm = Alarm()
    alarm.after(0.2, lambda: done.put("last"))
    alarm.after(0.1, lambda: done.put("second"))
    alarm.after(0.0, lambda: done.put("first"))

    seen = [done.get(timeout=PATIENCE_SECONDS) for _ in range(3)]

    assert seen == ["first", "second", "last"]
    alarm.stop()


def test_nothing_is_done_after_the_end() -> None:
    done: list[str] = []
    alarm = Alarm()
    alarm.after(0.05, lambda: done.append("late"))
    alarm.stop()

    assert not alarm._thread.is_alive()
    assert done == []
