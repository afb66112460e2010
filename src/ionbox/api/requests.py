"""What every face needs of a request: who calls, the body, lists in the query."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec
from starlette.requests import Request

from ionbox.api.endpoints import Header
from ionbox.errors import BodyTooLargeError, InvalidInputError, UnauthorizedError
from ionbox.formats.decoding import decode
from ionbox.service.access import Caller
from ionbox.service.rehearsal import Rehearsal
from ionbox.service.service import Service

MAX_BODY_BYTES = 10 * 1024 * 1024
# A client that still sends would take an early answer for a broken connection.
MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES
_SCHEME = "apikey"
# Where a request remembers who sent it: it is asked for more than once.
_CALLER = "ionbox.caller"
PRIORITY = Header(
    "Priority",
    str,
    "`u=N`, as in RFC 9218: which of its key's jobs goes first, from 0, the most urgent, to 7.",
)
_URGENCY_PARAMETER = re.compile(r"(?:^|,)\s*u=([0-7])\s*(?:,|;|$)")
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What the application holds for its handlers.

    Args:
        key_hint: Where the key of this server lies, for callers on this machine.
        operator_token: What the command line on this machine shows in place of a key.
        anyone: Who every caller is where no key is asked for.
        rehearsal: What testers ask for, where the server is one to test against.
        exact_lock: Held while exact probabilities are computed.
    """

    service: Service
    started_at: datetime
    key_hint: str
    operator_token: str
    anyone: Caller | None = None
    rehearsal: Rehearsal | None = None
    exact_lock: asyncio.Lock = field(default_factory=asyncio.Lock)


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
    known: Caller | None = request.scope.get(_CALLER)
    if known is None:
        known = request.scope[_CALLER] = caller_by_now(request)
    return known


def caller_by_now(request: Request) -> Caller:
    """Return who calls, where much time may have passed since `caller_of` remembered it.

    Raises:
        UnauthorizedError: As `caller_of`; the key may have been revoked meanwhile.
    """
    return caller_who_shows(request.headers.get("authorization", ""), context_of(request))


def caller_who_shows(authorization: str, context: Context) -> Caller:
    """Return who sends a header `Authorization`.

    Raises:
        UnauthorizedError: As `caller_of`.
    """
    if context.anyone is not None:
        return context.anyone
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != _SCHEME or not secret.strip():
        fault = f"the scheme '{scheme}' is not 'apiKey'" if secret else "no key"
        raise UnauthorizedError(
            f"{fault}: send the header 'Authorization: apiKey <key>'. {context.key_hint}"
        )
    try:
        return context.service.accounts.caller(secret.strip())
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
        elif size > MAX_DRAINED_BYTES:
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


def is_true(request: Request, name: str) -> bool:
    """Return a boolean from the query, false where it is absent; clients in Python write `True`.

    Raises:
        InvalidInputError: If it is neither true nor false.
    """
    text = request.query_params.get(name, "false")
    if text.lower() not in {"true", "false"}:
        raise InvalidInputError(name, f"'{text}' is not true or false", source="query")
    return text.lower() == "true"


def urgency_of(request: Request) -> int | None:
    """Return how urgent a submission is; None where no header says so that can be read.

    Source:
        RFC 9218, section 4.1.
    """
    found = _URGENCY_PARAMETER.search(request.headers.get(PRIORITY.name, ""))
    return None if found is None else int(found[1])


def time_of(request: Request, name: str) -> datetime | None:
    """Return a time from the query, in RFC 3339 or as a date; None where it is absent.

    Raises:
        InvalidInputError: If it is no time.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that was not encoded
    except ValueError as error:
        message = f"'{text}' is not a time such as 2026-11-22T12:00:00Z"
        raise InvalidInputError(name, message, source="query") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def date_of(request: Request, name: str, *, default: date | None = None) -> date:
    """Return a day from the query.

    Raises:
        InvalidInputError: If it is no day, so far away that there is no day before or after it,
            or absent without a default.
    """
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        day = date.fromisoformat(text or "")
    except ValueError as error:
        message = f"'{text}' is not a day such as 2026-11-22" if text else "missing"
        raise InvalidInputError(name, message, source="query") from error
    if not _FIRST_DAY <= day <= _LAST_DAY:
        message = f"{day} is not a day from {_FIRST_DAY} to {_LAST_DAY}"
        raise InvalidInputError(name, message, source="query")
    return day


def choice_of(request: Request, name: str, allowed: Collection[str]) -> str:
    """Return a word from the query.

    Raises:
        InvalidInputError: If it is not one of those allowed.
    """
    text = request.query_params.get(name)
    if text is None or text not in allowed:
        given = "missing" if text is None else f"'{text}'"
        message = f"{given}; allowed are {', '.join(allowed)}"
        raise InvalidInputError(name, message, source="query")
    return text
