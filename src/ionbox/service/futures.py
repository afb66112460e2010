"""What follows a write, once it is durable: futures of futures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Before = TypeVar("Before")
After = TypeVar("After")


def resolved(value: After) -> Future[After]:
    """Return a future of what is known already."""
    future: Future[After] = Future()
    future.set_result(value)
    return future


def then(future: Future[Before], act: Callable[[Before], After]) -> Future[After]:
    """Return a future of what `act` makes of another future's result."""
    following: Future[After] = Future()
    following.set_running_or_notify_cancel()

    def resolve(done: Future[Before]) -> None:
        try:
            following.set_result(act(done.result()))
        except Exception as error:  # noqa: BLE001 - it is handed to who waits
            following.set_exception(error)

    future.add_done_callback(resolve)
    return following


def and_then(future: Future[Before], start: Callable[[], Future[After]]) -> Future[Before]:
    """Return a future of the same result, resolved once what `start` begins then is done too."""
    following: Future[Before] = Future()
    following.set_running_or_notify_cancel()

    def resolve(done: Future[After]) -> None:
        error = done.exception()
        if error is None:
            following.set_result(future.result())
        else:
            following.set_exception(error)

    def go_on(done: Future[Before]) -> None:
        try:
            done.result()
            start().add_done_callback(resolve)
        except Exception as error:  # noqa: BLE001 - it is handed to who waits
            following.set_exception(error)

    future.add_done_callback(go_on)
    return following
