from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from ionbox.api.bell import Bell
from ionbox.api.waiting import preferred_wait


def preferring(*lines: str) -> Request:
    headers = [(b"prefer", line.encode("latin-1")) for line in lines]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("wait=10", 10),
        ("wait=0", 0),
        ("WAIT = 10", 10),
        ('wait="10"', 10),
        ("wait=10; how=long", 10),
        ("respond-async, wait=10", 10),
        ("wait=10, wait=20", 10),
        ("wait=x, wait=20", 20),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=999999999", 60),
    ],
)
def test_a_preference_to_wait_is_read(line: str, seconds: int) -> None:
    assert preferred_wait(preferring(line)) == seconds


@pytest.mark.parametrize(
    "line",
    ["", "wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "await=1", "wait=1 2", "wait=\xb2",
     'wait="1', "wait=1'", f"wait={'9' * 5000}", "respond-async", "return=minimal"],
)  # fmt: skip
def test_what_is_no_preference_to_wait_is_ignored(line: str) -> None:
    assert preferred_wait(preferring(line)) is None


def test_preferences_may_be_in_several_headers() -> None:
    assert preferred_wait(preferring("return=minimal", "wait=7")) == 7
    assert preferred_wait(preferring()) is None


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_is_preferred_is_read_or_ignored(line: str) -> None:
    assert preferred_wait(preferring(line)) in {None, *range(61)}


# --- bells -------------------------------------------------------------------------------------


def test_a_bell_is_heard_from_another_thread() -> None:
    async def wait() -> bool:
        bell = Bell()
        thread = threading.Thread(target=bell.ring)
        thread.start()
        was_rung = await bell.rung(10)
        thread.join()
        return was_rung

    assert asyncio.run(wait())


def test_a_bell_that_does_not_ring_is_waited_for_no_longer_than_said() -> None:
    async def wait() -> list[bool]:
        bell = Bell()
        first = await bell.rung(0.01)
        bell.ring()
        return [first, await bell.rung(10), await bell.rung(0.01)]

    assert asyncio.run(wait()) == [False, True, False]


def test_a_ring_before_the_wait_is_not_lost_and_rings_are_one() -> None:
    async def wait() -> list[bool]:
        bell = Bell()
        bell.ring()
        bell.ring()
        await asyncio.sleep(0)
        return [await bell.rung(10), await bell.rung(0.01)]

    assert asyncio.run(wait()) == [True, False]


def test_a_bell_may_ring_when_its_loop_has_ended() -> None:
    async def make() -> Bell:
        return Bell()

    asyncio.run(make()).ring()
