from __future__ import annotations

import asyncio
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message

from ionbox.api.app import Edge

HOST = "127.0.0.1:8000"


def answer_of(app: ASGIApp, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to one GET."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    start, *bodies = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], answered, b"".join(message["body"] for message in bodies)


def status_of(headers: dict[str, str], *hosts: str) -> int:
    return answer_of(Edge(PlainTextResponse("inside"), hosts), headers)[0]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", HOST, "localhost", "LocalHost:1", "[::1]:8000", "[::1]", "10.1.2.3:80", "box",
     "BOX:8000", "box.example"],
)  # fmt: skip
def test_a_host_of_ours_is_served(host: str) -> None:
    assert status_of({"Host": host}, "box", "Box.Example") == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "box.evil", "xbox",
     "evil@box:x@evil", "box evil", "[", "[evil]", "]", ":", "127.0.0.1@evil.example"],
)  # fmt: skip
def test_a_host_that_is_not_ours_is_forbidden(host: str) -> None:
    status, headers, body = answer_of(Edge(PlainTextResponse("inside"), ["box"]), {"Host": host})

    assert status == 403
    assert json.loads(body) == {
        "statusCode": 403,
        "error": "Forbidden",
        "message": f"host '{host}' is not known here; allow it with --allow-host",
    }
    assert headers["content-type"] == "application/json"


def test_a_request_without_a_host_is_forbidden() -> None:
    assert status_of({}) == 403


@pytest.mark.parametrize("origin", [f"http://{HOST}", f"HTTP://{HOST}", f"https://{HOST}"])
def test_a_page_of_ours_is_served(origin: str) -> None:
    assert status_of({"Host": HOST, "Origin": origin}) == 200


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8001", HOST,
     f"http://{HOST}.evil.example", f"http://evil.example/{HOST}", "http://[", "http://[x]"],
)  # fmt: skip
def test_a_foreign_page_is_forbidden(origin: str) -> None:
    status, headers, body = answer_of(
        Edge(PlainTextResponse("inside"), []), {"Host": HOST, "Origin": origin}
    )

    assert status == 403
    assert json.loads(body)["message"] == f"requests from pages of '{origin}' are not served"
    assert "access-control-allow-origin" not in headers


def test_every_answer_is_numbered() -> None:
    edge = Edge(PlainTextResponse("inside"), [])

    numbers = {
        answer_of(edge, {"Host": host})[1]["x-request-id"] for host in (HOST, HOST, "evil.example")
    }

    assert len(numbers) == 3
