"""Keys, for the operator: the command line speaks to this while a server runs."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import body_of, decode_body, require_operator, service_of
from ionbox.service.access import Key


class KeyCreation(msgspec.Struct):
    """What a new key is called."""

    name: str


class KeyBody(msgspec.Struct):
    """A key as it is remembered."""

    id: str
    name: str
    prefix: str
    project_id: str
    created_at: datetime
    revoked_at: datetime | None


class KeyCreated(msgspec.Struct):
    """A new key and its secret, shown this once."""

    key: KeyBody
    secret: str


_key_creation = msgspec.json.Decoder(KeyCreation)


async def list_keys(request: Request) -> Response:
    """GET /keys."""
    require_operator(request)
    return json_response(list(map(_write, service_of(request).accounts.keys())))


async def create_key(request: Request) -> Response:
    """POST /keys."""
    require_operator(request)
    name = decode_body(await body_of(request), _key_creation).name
    key, secret = await asyncio.to_thread(service_of(request).accounts.create_key, name)
    return json_response(KeyCreated(_write(key), secret))


async def revoke_key(request: Request) -> Response:
    """DELETE /keys/{id}."""
    require_operator(request)
    await asyncio.to_thread(service_of(request).accounts.revoke_key, request.path_params["id"])
    return Response(status_code=204)


def _write(key: Key) -> KeyBody:
    return KeyBody(key.id, key.name, key.prefix, key.project_id, key.created_at, key.revoked_at)


ENDPOINTS = (
    Endpoint("GET", "/ionbox/v1/keys", list_keys, "List the keys.", list[KeyBody]),
    Endpoint("POST", "/ionbox/v1/keys", create_key, "Make a key.", KeyCreated, body=KeyCreation),
    Endpoint("DELETE", "/ionbox/v1/keys/{id}", revoke_key, "Revoke a key.", None, errors=(404,)),
)
