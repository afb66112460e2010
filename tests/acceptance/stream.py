"""A reader of server-sent events."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.acceptance.client import PATIENCE_SECONDS, Api

PATH = "/ionbox/v1/events"


class Told(NamedTuple):
    """One event."""

    id: int | None
    kind: str
    data: dict[str, Any]


class Stream:
    """An open stream of events."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.place: int | None = None  # where to go on, as browsers keep it

    def __iter__(self) -> Iterator[Told]:
        """Yield events until the server ends the stream."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
                continue
            number = int(fields["id"]) if "id" in fields else None
            self.place = self.place if number is None else number
            if "event" in fields:
                yield Told(number, fields["event"], json.loads(fields["data"]))
            fields = {}

    def opening(self) -> list[bytes]:
        """Return the lines before the first event, which say where the stream begins."""
        lines = list(iter(self.response.readline, b"\n"))
        self.place = next(int(line[4:]) for line in lines if line.startswith(b"id: "))
        return lines

    def until(self, is_enough: Callable[[Told], bool]) -> list[Told]:
        """Return what is told up to the first event that is enough."""
        told = []
        for event in self:
            told.append(event)
            if is_enough(event):
                return told
        raise AssertionError(told)

    def until_ended(self, job_id: str) -> list[Told]:
        """Return what is told up to the completion of a job."""
        end = {"id": job_id, "status": "completed"}
        return self.until(lambda event: end.items() <= event.data.items())


@contextlib.contextmanager
def stream_of(api: Api, *, after: int | str | None = None, query: str = "") -> Iterator[Stream]:
    """Open a stream, after an event that was seen."""
    connection = http.client.HTTPConnection(
        api.url.removeprefix("http://"), timeout=PATIENCE_SECONDS
    )
    headers = {"Authorization": f"apiKey {api.key}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    connection.request("GET", f"{PATH}{query}", headers=headers)
    try:
        yield Stream(connection.getresponse())
    finally:
        connection.close()


def statuses(told: list[Told], job_id: str) -> list[str]:
    """Return what was told of one job."""
    return [event.data["status"] for event in told if event.data.get("id") == job_id]
