"""What those who test an SDK ask of a server for them (`--testing`)."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.client import Api

from ionbox import LocalServer

ROOM = "/ionbox/v1/testing"


def log_of(server: LocalServer) -> str:
    return (server.data.parent / "log").read_text()


def with_new_key(server: LocalServer) -> Api:
    token = json.loads((server.data / "server.json").read_text())["operator_token"]
    headers = {"Authorization": f"operator {token}"}
    answer = Api.of(server).call("POST", "/ionbox/v1/keys", {"name": "tester"}, headers=headers)
    return Api(server.url, answer.json()["secret"], server.pid)


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
