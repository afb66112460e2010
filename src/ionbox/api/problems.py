"""Which error becomes which HTTP answer. Every body is IonQ's: statusCode, error, message."""

from __future__ import annotations

import http
from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ionbox.errors import (
    BodyTooLargeError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    IonboxError,
    NotFoundError,
    StoreFullError,
    TooManyJobsError,
    UnauthorizedError,
)


class Validation(msgspec.Struct, frozen=True):
    """Which keys of which part of the request are wrong."""

    keys: list[str]
    source: str


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body of every answer that is an error."""

    status_code: int
    error: str
    message: str
    validation: Validation | None = None


# The nearest class in an error's ancestry decides. The words are those of IonQ's own examples.
PROBLEMS: Mapping[type[IonboxError], tuple[int, str]] = {
    IonboxError: (500, "Internal Server Error"),
    InvalidInputError: (400, "Bad Request"),
    UnauthorizedError: (401, "Unauthorized Error"),
    ForbiddenError: (403, "Forbidden"),
    NotFoundError: (404, "Not Found Error"),
    ConflictError: (409, "Conflict"),
    GoneError: (410, "Gone"),
    BodyTooLargeError: (413, "Request Entity Too Large"),
    TooManyJobsError: (429, "Too Many Requests"),
    StoreFullError: (507, "Insufficient Storage"),
}
# What goes with a status, whatever the error.
_HEADERS: Mapping[int, Mapping[str, str]] = {
    http.HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "apiKey"},
    http.HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "1"},
}
SERVER_ERROR = Problem(500, "Internal Server Error", "ionbox made a mistake; its log says which")


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return the HTTP answer of a problem."""
    return Response(
        msgspec.json.encode(problem),
        problem.status_code,
        headers=headers,
        media_type="application/json",
    )


def on_error(_: Request, error: Exception) -> Response:
    """Answer an error that was raised on purpose."""
    status, word = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    validation = None
    if isinstance(error, InvalidInputError):
        validation = Validation([error.path] if error.path else [], error.source)
    return answer(Problem(status, word, str(error), validation), _HEADERS.get(status))


def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the router found wrong: an unknown path, or a method that a path lacks."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    path = request.url.path
    word = http.HTTPStatus(error.status_code).phrase
    message = f"{request.method} {path}: {error.detail}"
    if error.status_code == http.HTTPStatus.NOT_FOUND:
        word = "Not Found Error"
        message += f"; {_hint(path)}; /v0.3/api-docs and /v0.4/api-docs list what is served"
    return answer(Problem(error.status_code, word, message), error.headers)


def _hint(path: str) -> str:
    if path.startswith(("/v0.1", "/v0.2")):
        return "this version is retired: use v0.3, whose jobs are closest to it, or v0.4"
    if path.startswith("/ionbox/v1/testing"):
        return "only a server started with --testing has such paths, and not this one"
    return "no path ends with a slash" if path.endswith("/") else "there is no such path"


def on_disconnect(_: Request, __: Exception) -> Response:
    """Answer nobody: the client hung up in the middle of its request."""
    return Response(status_code=400)


def on_exception(_: Request, __: Exception) -> Response:
    """Answer what nobody expected; the server's log holds the traceback."""
    return answer(SERVER_ERROR)
