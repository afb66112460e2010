"""The header `Idempotency-Key`: a submission that is sent again makes nothing again."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Header, json_response
from ionbox.errors import InvalidInputError
from ionbox.service.ports import Once

NAME: Final = "Idempotency-Key"
_RAW_NAME: Final = NAME.lower().encode()  # as ASGI has it
REPLAYED: Final = "Idempotency-Replayed"
_MAX_LENGTH: Final = 255
_KEY: Final = re.compile(f"[\x21-\x7e]{{1,{_MAX_LENGTH}}}")
# What a request with the header may be answered, beside what it is without.
ERRORS: Final = (409, 410)
_SCHEMA: Final = {"minLength": 1, "maxLength": _MAX_LENGTH, "pattern": "^[!-~]+$"}
HEADER: Final = Header(
    NAME,
    Annotated[str, msgspec.Meta(extra_json_schema=_SCHEMA)],
    "A name of the caller's for this request. Sent again within 24 hours it makes no second job.",
)


def once_of(request: Request, body: bytes) -> Once | None:
    """Return what a submission is known by when it is sent again; None without the header.

    Raises:
        InvalidInputError: If the header is no key, or is there twice.
    """
    given = [value for name, value in request.scope["headers"] if name == _RAW_NAME]
    if not given:
        return None
    key = given[0].decode("latin-1")
    if len(given) > 1 or not _KEY.fullmatch(key):
        message = f"one key of 1 to {_MAX_LENGTH} visible ASCII characters is allowed"
        raise InvalidInputError(NAME, message, source="headers")
    line = f"{request.method} {request.url.path}\n"
    return Once(key, hashlib.sha256(line.encode() + body).digest())


def created_response(body: object, *, is_repeat: bool, status: int) -> Response:
    """Return the answer to a submission; a repeat is answered as the first, and says so."""
    if not is_repeat:
        return json_response(body, status=status)
    content = msgspec.json.encode(body)
    return Response(content, status, {REPLAYED: "true"}, media_type="application/json")
