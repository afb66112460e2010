from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Message

from ionbox.api.extensions.events import EventStream, write_news, write_progress, write_told
from ionbox.service.events import News, Progress
from ionbox.service.ports import Event

READY = Event(7, "project", "job-1", None, "ready", 0)
DELETED = Event(8, "project", "job-2", "job-1", "deleted", 3)


def news(*events: Event, is_gap: bool = False) -> News:
    return News(list(events), 8, is_gap=is_gap, is_all=True)


def test_events_are_written_with_their_ids() -> None:
    assert write_news(news(READY, DELETED)) == (
        b"id: 7\nevent: job\n"
        b'data: {"id":"job-1","status":"ready","parent_job_id":null,"attempt":0}\n\n'
        b"id: 8\nevent: job\n"
        b'data: {"id":"job-2","status":"deleted","parent_job_id":"job-1","attempt":3}\n\n'
    )


def test_a_gap_is_written_as_a_reset_from_which_to_go_on() -> None:
    assert write_news(news(is_gap=True)) == b"id: 8\nevent: reset\ndata: {}\n\n"


def test_progress_is_written_without_an_id() -> None:
    told = [Progress("job-1", 0.5, 2.0), Progress("job-2", 0.25, None)]

    assert write_progress(told) == (
        b'event: progress\ndata: {"id":"job-1","progress":0.5,"seconds":2.0}\n\n'
        b'event: progress\ndata: {"id":"job-2","progress":0.25,"seconds":null}\n\n'
    )


def test_only_wanted_jobs_are_written() -> None:
    wanted = frozenset({"job-2"})

    assert write_news(news(READY, DELETED), wanted) == write_news(news(DELETED))
    assert write_news(news(READY), wanted) == b""
    assert write_progress([Progress("job-1", 0.5, None)], wanted) == b""


def test_who_hears_nothing_of_its_own_is_told_where_to_go_on() -> None:
    others, half = news(READY, DELETED), [Progress("job-3", 0.5, None)]
    of_one = frozenset({"job-3"})

    assert write_told(others, [], of_one, is_due=False) == b""
    assert write_told(others, [], of_one, is_due=True) == b"id: 8\n\n: nothing new\n\n"
    assert write_told(others, half, of_one, is_due=False) == b"id: 8\n\n" + write_progress(half)
    assert write_told(others, half, None, is_due=True) == (
        write_news(others) + b"id: 8\n\n" + write_progress(half)
    )
    assert write_told(others, [], None, is_due=False) == write_news(others)


def test_a_stream_ends_at_once_when_its_client_hangs_up() -> None:
    ended = []

    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            yield b": hello\n\n"
            await asyncio.Event().wait()
        finally:
            ended.append("at once")

    async def serve() -> list[str]:
        is_sent = asyncio.Event()

        async def receive() -> Message:
            await is_sent.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message.get("body"):
                is_sent.set()

        async with asyncio.timeout(10):
            await EventStream(chunks())({"type": "http"}, receive, send)
        return list(ended)

    assert asyncio.run(serve()) == ["at once"]
