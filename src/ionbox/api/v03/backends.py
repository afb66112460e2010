"""Backends and characterizations, as API v0.3 writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.backends import PAGE_QUERY, Timings, backend_of, characterizations_of, write_timing
from ionbox.api.endpoints import Endpoint, Query, Uuid, json_response, within
from ionbox.api.requests import context_of, integer_of, service_of
from ionbox.api.v03.wire import seconds_of
from ionbox.backends.backend import Backend, BackendStatus
from ionbox.backends.characterization import Characterization, Fidelity

_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999
_MILLISECONDS = range(_LAST_MILLISECOND + 1)
_Milliseconds = Annotated[int, within(_MILLISECONDS)]


class BackendBody(msgspec.Struct, omit_defaults=True):
    """A backend; `last_updated` in seconds since 1970, `average_queue_time` in milliseconds."""

    backend: str
    status: str
    qubits: int
    average_queue_time: int
    last_updated: int
    degraded: bool
    has_access: bool
    characterization_id: Uuid | UnsetType = UNSET
    characterization_url: str | UnsetType = UNSET
    noise_models: list[str] | UnsetType = UNSET


class Mean(msgspec.Struct):
    """A fidelity, a ratio."""

    mean: float


class Fidelities(msgspec.Struct):
    """Fidelities of operations on one qubit and two, and of preparation and measurement."""

    one_qubit: Mean = msgspec.field(name="1q")
    two_qubit: Mean = msgspec.field(name="2q")
    spam: Mean


class CharacterizationBody(msgspec.Struct):
    """What is known of a backend at a date, in seconds since 1970."""

    id: Uuid
    backend: str
    date: int
    qubits: int
    connectivity: list[tuple[int, int]]
    fidelity: Fidelities
    timing: Timings


class Characterizations(msgspec.Struct):
    """A page of characterizations, newest first, and how many pages follow."""

    characterizations: list[CharacterizationBody]
    pages: int


async def list_backends(request: Request) -> Response:
    """GET /backends."""
    status = request.query_params.get("status")
    started_at = context_of(request).started_at
    bodies = [
        write_backend(backend, started_at) for backend in service_of(request).catalog.backends()
    ]
    return json_response([body for body in bodies if status in (None, body.status)])


async def get_backend(request: Request) -> Response:
    """GET /backends/{backend}."""
    return json_response(write_backend(backend_of(request), context_of(request).started_at))


async def list_characterizations(request: Request) -> Response:
    """GET /characterizations/backends/{backend}."""
    page = characterizations_of(request, _time_of(request, "start"), _time_of(request, "end"))
    records = list(map(write_characterization, page.records))
    return json_response(Characterizations(records, page.num_remaining))


async def get_current_characterization(request: Request) -> Response:
    """GET /characterizations/backends/{backend}/current."""
    catalog = service_of(request).catalog
    newest = catalog.newest_characterization(request.path_params["backend"])
    return json_response(write_characterization(newest))


async def get_characterization(request: Request) -> Response:
    """GET /characterizations/{id}."""
    record = service_of(request).catalog.characterization(request.path_params["id"])
    return json_response(write_characterization(record))


def write_backend(backend: Backend, last_updated: datetime) -> BackendBody:
    """Return a backend as v0.3 writes it; it has no word for a retired one."""
    record = backend.characterization_id
    is_available = backend.status is BackendStatus.AVAILABLE
    return BackendBody(
        backend=backend.name,
        status=(BackendStatus.AVAILABLE if is_available else BackendStatus.UNAVAILABLE).value,
        qubits=backend.num_qubits,
        average_queue_time=0,
        last_updated=seconds_of(last_updated),
        degraded=backend.is_degraded,
        has_access=True,
        characterization_id=record or UNSET,
        characterization_url=f"/characterizations/{record}" if record else UNSET,
        noise_models=list(backend.noise_models) if backend.is_simulator else UNSET,
    )


def write_characterization(record: Characterization) -> CharacterizationBody:
    """Return a characterization as v0.3 writes it."""
    return CharacterizationBody(
        id=record.id,
        backend=record.backend,
        date=seconds_of(record.date),
        qubits=record.num_qubits,
        connectivity=list(record.pairs),
        fidelity=Fidelities(_mean(record.gate_1q), _mean(record.gate_2q), _mean(record.spam)),
        timing=write_timing(record.timing),
    )


def _mean(fidelity: Fidelity) -> Mean:
    return Mean(fidelity.median)


def _time_of(request: Request, name: str) -> datetime | None:
    if name not in request.query_params:
        return None
    milliseconds = integer_of(request, name, default=0, allowed=_MILLISECONDS)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


_HISTORY_QUERY = (
    Query("start", _Milliseconds, "From then on, in milliseconds since 1970."),
    Query("end", _Milliseconds, "Until then, included, in milliseconds since 1970."),
    *PAGE_QUERY,
)

ENDPOINTS = (
    Endpoint("GET", "/v0.3/backends", list_backends, "List the backends.", list[BackendBody],
             query=(Query("status", str, "Only backends of this status."),), needs_key=False),
    Endpoint("GET", "/v0.3/backends/{backend}", get_backend, "Get a backend.", BackendBody,
             needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.3/characterizations/backends/{backend}", list_characterizations,
             "List what is known of a backend, newest first.", Characterizations,
             query=_HISTORY_QUERY, needs_key=False, errors=(400, 404)),
    Endpoint("GET", "/v0.3/characterizations/backends/{backend}/current",
             get_current_characterization, "Get what is known of a backend now.",
             CharacterizationBody, needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.3/characterizations/{id}", get_characterization,
             "Get a characterization.", CharacterizationBody, needs_key=False, errors=(404,)),
)  # fmt: skip
