"""Sessions, as API v0.4 writes them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, Link, Query, Time, Uuid, json_response, one_of
from ionbox.api.requests import (
    body_of,
    caller_of,
    decode_body,
    durable,
    is_true,
    service_of,
)
from ionbox.api.submissions import NOT_STORED
from ionbox.api.v04 import examples
from ionbox.api.v04.wire import time_text
from ionbox.errors import NotFoundError
from ionbox.jobs.sessions import (
    Session,
    SessionSettings,
    SessionStatus,
    end_of,
    status_of,
)


class SessionCreation(msgspec.Struct):
    """The body of POST /sessions."""

    backend: str
    settings: SessionSettings | None = None


_Status = Annotated[str, one_of(SessionStatus)]


class SessionBody(msgspec.Struct, omit_defaults=True):
    """A session. `state` and `usage_time`, in milliseconds, are for qiskit-ionq."""

    id: Uuid
    created_at: Time
    organization_id: str
    project_id: Uuid | None
    creator_id: str | None
    backend: str | None
    active: bool
    status: _Status
    state: _Status
    usage_time: int
    started_at: Time | None
    ended_at: Time | None
    ender_id: str | None
    settings: dict[str, Any] | UnsetType = UNSET


class SessionList(msgspec.Struct):
    """The sessions of a project, newest first."""

    organization_id: str
    sessions: list[SessionBody]


_session_creation = msgspec.json.Decoder(SessionCreation)


async def create_session(request: Request) -> Response:
    """POST /sessions."""
    caller = caller_of(request)
    body = decode_body(await body_of(request), _session_creation)
    # qiskit-ionq names the simulator as its own backend is called.
    backend = body.backend.removeprefix("ionq_")
    settings = body.settings or SessionSettings()
    session = await durable(service_of(request).sessions.create(caller, backend, settings))
    return json_response(_write(request, session), status=201)


async def list_sessions(request: Request) -> Response:
    """GET /sessions."""
    caller = caller_of(request)
    sessions = await asyncio.to_thread(service_of(request).sessions.sessions, caller)
    organization, now = _organization_of(request), datetime.now(UTC)
    if "active" in request.query_params:
        wanted = is_true(request, "active")
        sessions = [one for one in sessions if (end_of(one, now) is None) is wanted]
    bodies = [write_session(session, organization, now) for session in sessions]
    return json_response(SessionList(organization, bodies))


async def get_session(request: Request) -> Response:
    """GET /sessions/{session_id}."""
    session_id = request.path_params["session_id"]
    session = service_of(request).sessions.session(caller_of(request), session_id)
    return json_response(_write(request, session))


async def end_session(request: Request) -> Response:
    """POST /sessions/{session_id}/end; ending twice is no error."""
    caller, session_id = caller_of(request), request.path_params["session_id"]
    await body_of(request)  # clients send null
    session = await durable(service_of(request).sessions.end(caller, session_id))
    if session is None:
        raise NotFoundError("session", session_id)
    return json_response(await asyncio.to_thread(_write, request, session))


def _organization_of(request: Request) -> str:
    return service_of(request).accounts.project(caller_of(request)).organization_id


def _write(request: Request, session: Session) -> SessionBody:
    return write_session(session, _organization_of(request), datetime.now(UTC))


def write_session(session: Session, organization_id: str, now: datetime) -> SessionBody:
    """Return a session as v0.4 writes it."""
    ended_at, status = end_of(session, now), status_of(session, now)
    used = (ended_at or now) - (session.started_at or ended_at or now)
    settings = msgspec.to_builtins(session.settings)
    if session.expires_at is not None:
        settings["expires_at"] = time_text(session.expires_at)
    return SessionBody(
        id=session.id,
        created_at=time_text(session.created_at),
        organization_id=organization_id,
        project_id=session.project_id,
        creator_id=session.creator_id,
        backend=session.backend,
        active=status is not SessionStatus.ENDED,
        status=status.value,
        state=status.value,
        usage_time=round(used.total_seconds() * 1000),
        started_at=None if session.started_at is None else time_text(session.started_at),
        ended_at=None if ended_at is None else time_text(ended_at),
        ender_id=session.ender_id,
        settings=settings or UNSET,
    )


_SESSION = "/v0.4/sessions/{session_id}"
_LINKS = (Link(_SESSION, {"session_id": "$response.body#/id"}),)

_FOUND_LINKS = (
    Link("/v0.4/organizations/{organization}/usage",
         {"organization": "$response.body#/organization_id"}),
)  # fmt: skip

ENDPOINTS = (
    Endpoint("POST", "/v0.4/sessions", create_session, "Begin a session.", SessionBody,
             body=SessionCreation, success=201, errors=(400, 413, *NOT_STORED),
             examples=examples.SESSIONS, links=_LINKS),
    Endpoint("GET", "/v0.4/sessions", list_sessions, "List sessions, newest first.", SessionList,
             query=(Query("active", bool, "Only those that have not ended, or that have."),),
             errors=(400,), links=_FOUND_LINKS),
    Endpoint("GET", "/v0.4/sessions/{session_id}", get_session, "Get a session.", SessionBody,
             errors=(404,)),
    Endpoint("POST", "/v0.4/sessions/{session_id}/end", end_session, "End a session.",
             SessionBody, errors=(404, 413)),
)  # fmt: skip
