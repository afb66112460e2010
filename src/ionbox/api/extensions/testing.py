"""What a server for testers (`--testing`) offers each key: scenarios, faults and a journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, json_response
from ionbox.api.requests import body_of, caller_of, context_of, decode_body
from ionbox.service.journal import RequestRecord
from ionbox.service.rehearsal import Rehearsal
from ionbox.service.scenarios import Fault, Scenario

PREFIX: Final = "/ionbox/v1/testing/"


class RequestBody(msgspec.Struct):
    """A request that was made; `body` is JSON where it was, else text, null if over 64 KiB.

    `status` is null where the connection was dropped. `ignored_keys` are where in the body keys
    stand that nothing reads.
    """

    at: datetime
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    body_bytes: int
    ignored_keys: list[str]
    status: int | None
    job_id: str | None


_scenario = msgspec.json.Decoder(Scenario)
_fault = msgspec.json.Decoder(Fault)


def _asked(request: Request) -> tuple[Rehearsal, str]:
    """Return what testers ask for, and the key of the one who asks now."""
    rehearsal = context_of(request).rehearsal
    assert rehearsal is not None  # noqa: S101 - without it there are no such routes
    return rehearsal, caller_of(request).key_id


async def get_scenario(request: Request) -> Response:
    """GET /testing/jobs."""
    rehearsal, key_id = _asked(request)
    return json_response(rehearsal.stage.scenario(key_id))


async def put_scenario(request: Request) -> Response:
    """PUT /testing/jobs."""
    rehearsal, key_id = _asked(request)
    scenario = decode_body(await body_of(request), _scenario)
    rehearsal.play(key_id, scenario)
    return json_response(scenario)


async def delete_scenario(request: Request) -> Response:
    """DELETE /testing/jobs."""
    rehearsal, key_id = _asked(request)
    rehearsal.stage.play(key_id, None)
    return Response(status_code=204)


async def list_faults(request: Request) -> Response:
    """GET /testing/faults."""
    rehearsal, key_id = _asked(request)
    return json_response(rehearsal.faults.of(key_id))


async def add_fault(request: Request) -> Response:
    """POST /testing/faults."""
    rehearsal, key_id = _asked(request)
    fault = decode_body(await body_of(request), _fault)
    rehearsal.faults.add(key_id, fault)
    return json_response(fault, status=201)


async def delete_faults(request: Request) -> Response:
    """DELETE /testing/faults."""
    rehearsal, key_id = _asked(request)
    rehearsal.faults.clear(key_id)
    return Response(status_code=204)


async def list_requests(request: Request) -> Response:
    """GET /testing/requests."""
    rehearsal, key_id = _asked(request)
    return json_response(list(map(_write, rehearsal.journal.read(key_id))))


async def delete_requests(request: Request) -> Response:
    """DELETE /testing/requests."""
    rehearsal, key_id = _asked(request)
    rehearsal.journal.clear(key_id)
    return Response(status_code=204)


async def reset(request: Request) -> Response:
    """POST /testing/reset."""
    rehearsal, key_id = _asked(request)
    rehearsal.reset(key_id)
    return Response(status_code=204)


def _write(record: RequestRecord) -> RequestBody:
    fields = msgspec.structs.asdict(record)
    return RequestBody(**fields | {"body": _body(record.body)})


def _body(data: bytes | None) -> object:
    """Return JSON as it is, anything else as text."""
    if not data:
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data.decode(errors="replace")


ENDPOINTS = (
    Endpoint("GET", f"{PREFIX}jobs", get_scenario, "Tell how the next jobs end; null as always.",
             Scenario | None),
    Endpoint("PUT", f"{PREFIX}jobs", put_scenario, "Have the next jobs end so.", Scenario,
             body=Scenario, errors=(400,)),
    Endpoint("DELETE", f"{PREFIX}jobs", delete_scenario, "Have the next jobs end as always.", None),
    Endpoint("GET", f"{PREFIX}faults", list_faults, "List the faults that are still to come.",
             list[Fault]),
    Endpoint("POST", f"{PREFIX}faults", add_fault, "Have a fault befall the next requests.", Fault,
             body=Fault, success=201, errors=(400,)),
    Endpoint("DELETE", f"{PREFIX}faults", delete_faults, "Have no more faults.", None),
    Endpoint("GET", f"{PREFIX}requests", list_requests, "List the last requests, oldest first.",
             list[RequestBody]),
    Endpoint("DELETE", f"{PREFIX}requests", delete_requests, "Forget the requests.", None),
    Endpoint("POST", f"{PREFIX}reset", reset,
             "Forget scenario, faults and requests, and have held jobs run.", None),
)  # fmt: skip
