"""What every face needs of a request: who calls, the body, lists in the query."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
from starlette.requests import Request

from ionbox.errors import BodyTooLargeError, InvalidInputError, UnauthorizedError
from ionbox.formats.decoding import decode
from ionbox.service.access import Caller
from ionbox.service.service import Service

MAX_BODY_BYTES = 10 * 1024 * 1024
# A client that still sends would take an early answer for a broken connection.
_MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES
_SCHEME = "apikey"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What the application holds for its handlers.

    Args:
        key_hint: Where the key of this server lies, for callers on this machine.
        operator_token: What the command line on this machine shows in place of a key.
        anyone: Who every caller is where no key is asked for.
    """

    service: Service
    started_at: datetime
    key_hint: str
    operator_token: str
    anyone: Caller | None = None


def context_of(request: Request) -> Context:
    """Return what the application holds for its handlers."""
    context: Context = request.app.state.context
    return context


def service_of(request: Request) -> Service:
    """Return the core."""
    return context_of(request).service


def caller_of(request: Request) -> Caller:
    """Return who calls.

    Raises:
        UnauthorizedError: If the request shows no key, or one that is not known here.
    """
    context = context_of(request)
    if context.anyone is not None:
        return context.anyone
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not secret.strip():
        fault = f"the scheme '{scheme}' is not 'apiKey'" if secret else "no key"
        raise UnauthorizedError(
            f"{fault}: send the header 'Authorization: apiKey <key>'. {context.key_hint}"
        )
    try:
        return context.service.caller(secret.strip())
    except UnauthorizedError as error:
        raise UnauthorizedError(f"invalid key. {context.key_hint}") from error


def require_operator(request: Request) -> None:
    """Let only the user pass who runs the server: the token lies in the data directory."""
    given = request.headers.get("authorization", "").partition(" ")[2]
    if not secrets.compare_digest(given.encode(), context_of(request).operator_token.encode()):
        raise UnauthorizedError("this is for the operator: use 'ionbox keys' on the server")


async def body_of(request: Request) -> bytes:
    """Return the request's body.

    Raises:
        BodyTooLargeError: If it is over the limit.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
        elif size > _MAX_DRAINED_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise BodyTooLargeError(MAX_BODY_BYTES)
    return b"".join(chunks)


async def durable(future: Future[T]) -> T:
    """Wait until a write of the core is durable, and return what came of it.

    Half the price of `asyncio.wrap_future`, and a client that hangs up cannot cancel the write.
    """
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(wake))
    await waiter
    return future.result()


def decode_body(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return a JSON body as its type.

    Raises:
        InvalidInputError: If it is not JSON, or not of that type.
    """
    return decode(data, decoder, whole="body")


def values_of(request: Request, *names: str) -> tuple[str, ...] | None:
    """Return a list from the query, however its client spells lists; None where it is absent.

    `ids=a&ids=b`, `ids[]=a&ids[]=b` and `ids=a,b` mean the same.
    """
    given = [
        value
        for name in names
        for key in (name, f"{name}[]")
        for value in request.query_params.getlist(key)
    ]
    return tuple(_split(given)) if given else None


def _split(values: Iterable[str]) -> Iterable[str]:
    return (part for value in values for part in value.split(",") if part)


def integer_of(request: Request, name: str, *, default: int, allowed: range) -> int:
    """Return an integer from the query.

    Raises:
        InvalidInputError: If it is no integer, or out of range.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    is_short = len(text) <= len(str(allowed[-1]))
    if not (is_short and text.isascii() and text.isdecimal() and int(text) in allowed):
        message = f"'{text}' is not an integer from {allowed[0]} to {allowed[-1]}"
        raise InvalidInputError(name, message, source="query")
    return int(text)
