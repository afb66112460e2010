"""Backends that the operator brings: the command line speaks to this while a server runs."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import body_of, decode_body, require_operator, service_of
from ionbox.backends.backend import Backend
from ionbox.errors import InvalidInputError, SettingsError


class BackendLoading(msgspec.Struct):
    """A characterization, or a page of them; and TOML that says what is made up beside it.

    Without that, what was said of the backend before still holds.
    """

    document: msgspec.Raw
    additions: str | None = None


class LoadedBackend(msgspec.Struct):
    """A backend, and the dates of its records, newest first."""

    backend: str
    qubits: int
    native_gates: list[str]
    dates: list[datetime]


_loading = msgspec.json.Decoder(BackendLoading)


async def list_backends(request: Request) -> Response:
    """GET /backends."""
    require_operator(request)
    return json_response(list(map(write_loaded, service_of(request).catalog.backends())))


async def load_backend(request: Request) -> Response:
    """POST /backends."""
    require_operator(request)
    body = decode_body(await body_of(request), _loading)
    load = service_of(request).catalog.load
    try:
        backend = await asyncio.to_thread(load, bytes(body.document), body.additions)
    except SettingsError as error:
        raise InvalidInputError("", str(error)) from error
    return json_response(write_loaded(backend), status=201)


async def unload_backend(request: Request) -> Response:
    """DELETE /backends/{backend}."""
    require_operator(request)
    name = request.path_params["backend"]
    await asyncio.to_thread(service_of(request).catalog.unload, name)
    return Response(status_code=204)


def write_loaded(backend: Backend) -> LoadedBackend:
    """Return a backend as its operator is shown it."""
    return LoadedBackend(
        backend.name,
        backend.num_qubits,
        list(backend.native_gates),
        [record.date for record in backend.characterizations],
    )


ENDPOINTS = (
    Endpoint("GET", "/ionbox/v1/backends", list_backends,
             "List the backends, with the dates of their records.", list[LoadedBackend]),
    Endpoint("POST", "/ionbox/v1/backends", load_backend,
             "Take a backend from its characterizations.", LoadedBackend, body=BackendLoading,
             success=201, errors=(400,)),
    Endpoint("DELETE", "/ionbox/v1/backends/{backend}", unload_backend,
             "Forget what was loaded of a backend.", None, errors=(404,)),
)  # fmt: skip
