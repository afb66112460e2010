"""The ASGI application: the faces behind one edge."""

from __future__ import annotations

import ipaddress
import itertools
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ionbox.api import problems, reference
from ionbox.api.endpoints import routes
from ionbox.api.extensions import backends, events, exact, keys, plans, testing, waits
from ionbox.api.paths import Paths
from ionbox.api.rehearsal import Rehearsed
from ionbox.api.requests import Context
from ionbox.api.v03.routes import ENDPOINTS as V03
from ionbox.api.v04.routes import ENDPOINTS as V04
from ionbox.errors import IonboxError

# Two of these, and each reader would take another one for the truth.
_SINGLE = (b"host", b"origin", b"authorization", b"content-type", b"content-encoding")
_PLAIN = (b"identity", b"")

# What every server serves.
_FACES = (
    V03,
    V04,
    keys.ENDPOINTS,
    plans.ENDPOINTS,
    waits.ENDPOINTS,
    exact.ENDPOINTS,
    backends.ENDPOINTS,
    events.ENDPOINTS,
)

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def make_app(context: Context, lifespan: Lifespan, hosts: Sequence[str]) -> ASGIApp:
    """Return the application.

    Args:
        hosts: Names, beside IP addresses of its own, under which the server may be addressed.
    """
    faces = _FACES if context.rehearsal is None else (*_FACES, testing.ENDPOINTS)
    app = Starlette(
        routes=[
            Paths([Route("/", greet), *reference.ROUTES, *itertools.chain(*map(routes, faces))])
        ],
        exception_handlers={
            IonboxError: problems.on_error,
            HTTPException: problems.on_http_exception,
            ClientDisconnect: problems.on_disconnect,
            Exception: problems.on_exception,
        },
        lifespan=lifespan,
    )
    # Clients follow no redirects.
    app.router.redirect_slashes = False
    app.state.context = context
    return Edge(app if context.rehearsal is None else Rehearsed(app, context), hosts)


async def greet(_: Request) -> Response:
    """GET /."""
    return PlainTextResponse(
        "This is ionbox. Its API is at /v0.3 and /v0.4, each described by its /api-docs.\n"
        f"To read them, and to try them: {reference.PATH}\n"
    )


class Edge:
    """Refuses requests that a web page of somebody else made, or that nobody could read alike.

    A foreign page cannot set the header `Host` to one of ours (DNS rebinding), and browsers tell
    the `Origin` of what they send. The answers are numbered.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._start = secrets.token_hex(6).encode()  # tells this server's numbers from the last's
        self._numbers = itertools.count(1)
        self._hosts = frozenset({"localhost", *(host.lower() for host in hosts)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = b"%s-%x" % (self._start, next(self._numbers))

        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        headers = dict(scope["headers"])
        refusal = self._foreign(headers.get(b"host", b""), headers.get(b"origin"))
        if refusal is not None:
            answer = problems.answer(problems.Problem(403, "Forbidden", refusal))
        elif len(headers) < len(scope["headers"]) and (name := _given_twice(scope["headers"])):
            message = f"header '{name}': given more than once"
            answer = problems.answer(problems.Problem(400, "Bad Request", message))
        elif headers.get(b"content-encoding", b"identity").lower() not in _PLAIN:
            answer = _compressed(headers[b"content-encoding"].decode("latin-1"))
        else:
            await self._app(scope, receive, send_numbered)
            return
        await answer(scope, receive, send_numbered)

    def _foreign(self, raw_host: bytes, raw_origin: bytes | None) -> str | None:
        host = raw_host.decode("latin-1").lower()
        if _name_of(host) not in self._hosts and not _is_address(_name_of(host)):
            return f"host '{host}' is not known here; allow it with --allow-host"
        if raw_origin is not None:
            origin = raw_origin.decode("latin-1").lower()
            if origin.partition("://")[2] != host:
                return f"requests from pages of '{origin}' are not served"
        return None


def _given_twice(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the first header that is there more than once, though a request has one of it."""
    names = [name for name, _ in headers]
    return next((name.decode() for name in _SINGLE if names.count(name) > 1), None)


def _compressed(encoding: str) -> Response:
    """Answer a body that would have to be unpacked, to no one knows what size.

    Source:
        RFC 9110, section 15.5.16.
    """
    message = f"Content-Encoding '{encoding}' is not read here; send the body as it is"
    problem = problems.Problem(415, "Unsupported Media Type", message)
    return problems.answer(problem, {"Accept-Encoding": "identity"})


def _name_of(host: str) -> str:
    """Return the name in a header `Host`: without the port, and without an address's brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    """An attacker's name can be made to lead here, but an address cannot be a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
