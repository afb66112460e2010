from __future__ import annotations

from concurrent.futures import Future

import pytest

from ionbox.service.futures import and_then, resolved, then


def failed(error: Exception) -> Future[str]:
    future: Future[str] = Future()
    future.set_exception(error)
    return future


def refuse(*_: object) -> Future[str]:
    raise OSError("refused")


def test_the_first_result_is_told_once_the_second_is_there() -> None:
    second: Future[str] = Future()
    both = and_then(resolved("first"), lambda: second)
    was_done = both.done()
    second.set_result("second")

    assert (was_done, both.result(0)) == (False, "first")


@pytest.mark.parametrize(
    "future",
    [
        and_then(resolved("first"), refuse),
        and_then(resolved("first"), lambda: failed(OSError("refused"))),
        and_then(failed(OSError("refused")), lambda: resolved("second")),
        then(resolved("first"), refuse),
        then(failed(OSError("refused")), lambda text: text),
    ],
)
def test_whatever_goes_wrong_is_told(future: Future[object]) -> None:
    with pytest.raises(OSError, match="refused"):
        future.result(0)
