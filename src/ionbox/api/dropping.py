"""Connections that can be dropped from within a request, for those who test against it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HANG_UP = "ionbox.hang_up"


def dropping_class(connections: type[HttpToolsProtocol]) -> type[HttpToolsProtocol]:
    """Return connections that tell each request, in its `state`, how to close them."""

    class Dropping(connections):  # type: ignore[valid-type, misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            self.app_state: dict[str, Any] = {**self.app_state, _HANG_UP: transport.close}
            super().connection_made(transport)

    return Dropping


async def drop(scope: Scope, receive: Receive) -> None:
    """Close a request's connection without an answer, and return when it is closed.

    The server logs a request that ends without an answer, unless its connection is gone by then.
    """
    hang_up: Callable[[], None] = scope["state"][_HANG_UP]
    hang_up()
    while (await receive())["type"] != "http.disconnect":
        pass
