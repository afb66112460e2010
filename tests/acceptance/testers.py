"""What those who test an SDK ask of a server for them (`--testing`)."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.client import Api

from ionbox import LocalServer

ROOM = "/ionbox/v1/testing"


def log_of(server: LocalServer) -> str:
    return (server.data.parent / "log").read_text()


def operate(server: LocalServer, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
    """Ask for what only the operator may; return the answer's JSON, if it has any."""
    token = json.loads((server.data / "server.json").read_text())["operator_token"]
    headers = {"Authorization": f"operator {token}"}
    answer = Api.of(server).call(method, f"/ionbox/v1/{path}", body, headers=headers)
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


def with_new_key(server: LocalServer) -> Api:
    made = operate(server, "POST", "keys", {"name": "tester"})
    return Api(server.url, made["secret"], server.pid)


def revoke_keys(server: LocalServer, *, named: str) -> None:
    for key in operate(server, "GET", "keys"):
        if key["name"] == named:
            operate(server, "DELETE", f"keys/{key['id']}")


def ask(api: Api, method: str, room: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    answer = api.call(method, f"{ROOM}/{room}", body)
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


def status_of(api: Api, job_id: str, version: str = "v0.4") -> str:
    status: str = api.get(f"/{version}/jobs/{job_id}")["status"]
    return status


def journal(api: Api) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = ask(api, "GET", "requests")
    return records
