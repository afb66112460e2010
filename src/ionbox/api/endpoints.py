"""A face as a table of endpoints: routes and the OpenAPI document are both printed from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
Schema: TypeAlias = Mapping[str, Any]

Uuid = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]


def within(allowed: range) -> msgspec.Meta:
    """Return what makes an integer one of a range; documented, and not checked."""
    return msgspec.Meta(extra_json_schema={"minimum": allowed[0], "maximum": allowed[-1]})


def one_of(words: Iterable[str | None]) -> msgspec.Meta:
    """Return what makes a text one of these words; documented, and not checked."""
    return msgspec.Meta(extra_json_schema={"enum": list(words)})


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query."""

    name: str
    type: Any
    description: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A header that a request may have."""

    name: str
    type: Any
    description: str


@dataclass(frozen=True, slots=True)
class Link:
    """What an answer tells that the endpoints at a path, and below it, ask for.

    Args:
        path: Such as `/v0.4/jobs/{id}`.
        parameters: Parameters of that path → where they stand, as a runtime expression.
        body: The body that the endpoint takes, made in the same way.
        method: Links to this method alone, and not to what is below the path.
    """

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    method: str | None = None

    def leads_to(self, endpoint: Endpoint) -> bool:
        """Return whether it is an endpoint that this link gives all that it needs."""
        if self.method is not None:
            return (endpoint.method, endpoint.path) == (self.method, self.path)
        below = endpoint.path.removeprefix(self.path)
        return endpoint.path.startswith(self.path) and below[:1] in {"", "/"} and "{" not in below


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Args:
        path: With its version, such as `/v0.3/jobs/{id}`.
        answer: The body on success, as a type or a JSON Schema; None where there is none.
        body: The type of the request's body, if it has one.
        headers: What may be sent beside the key.
        needs_key: Whether a caller must show a key.
        success: The status of the answer.
        errors: The statuses, beside 401, that a wrong request gets.
        examples: Bodies that may be sent, by what they show.
        links: Where the answer leads.
        needs_body: Whether the body, if there is one, may not be left out.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Any
    body: Any = None
    query: tuple[Query, ...] = ()
    headers: tuple[Header, ...] = ()
    needs_key: bool = True
    success: int = 200
    errors: tuple[int, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    needs_body: bool = True


class JsonResponse(Response):
    """A body that is JSON text already; its two headers are written as they are sent."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers; there are no others."""
        assert headers is None  # noqa: S101 - whoever needs others makes a plain Response
        length = str(len(self.body)).encode()
        self.raw_headers = [(b"content-length", length), (b"content-type", b"application/json")]


def json_response(body: object, *, status: int = 200) -> Response:
    """Return a body as the answer of a handler."""
    return JsonResponse(msgspec.json.encode(body), status)


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return the router's rows: one for each path, so that a 405 names all its methods."""
    handlers: dict[str, dict[str, Handler]] = {}
    for endpoint in endpoints:
        handlers.setdefault(endpoint.path, {})[endpoint.method] = endpoint.handler
    return [
        Route(path, _Path(of_path), methods=list(of_path)) for path, of_path in handlers.items()
    ]


class _Path:
    """The methods of one path. An ASGI application, since Starlette wraps functions once more."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers | ({"HEAD": handlers["GET"]} if "GET" in handlers else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of one of the methods."""
        response = await self._handlers[scope["method"]](Request(scope, receive, send))
        await response(scope, receive, send)
