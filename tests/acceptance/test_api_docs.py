from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.client import Api

ROUTES = {
    ("post", "/v0.3/jobs"),
    ("get", "/v0.3/jobs"),
    ("delete", "/v0.3/jobs"),
    ("put", "/v0.3/jobs/status/cancel"),
    ("get", "/v0.3/jobs/{id}"),
    ("delete", "/v0.3/jobs/{id}"),
    ("get", "/v0.3/jobs/{id}/results"),
    ("put", "/v0.3/jobs/{id}/status/cancel"),
    ("get", "/v0.3/backends"),
    ("get", "/v0.3/backends/{backend}"),
    ("get", "/v0.3/api-docs"),
}
OPEN_TO_ALL = {"/v0.3/backends", "/v0.3/backends/{backend}", "/v0.3/api-docs"}


@pytest.fixture
def docs(api: Api) -> Any:  # noqa: ANN401 - JSON
    return Api(api.url, "no key at all", api.pid).get("/v0.3/api-docs")


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_api_docs_are_openapi_3_1_and_name_every_route(docs: dict[str, Any]) -> None:
    named = {(method, path) for path, methods in docs["paths"].items() for method in methods}

    assert docs["openapi"] == "3.1.0"
    assert set(docs["info"]) >= {"title", "version"}
    assert named == ROUTES


def test_every_reference_in_the_api_docs_leads_to_a_schema(docs: dict[str, Any]) -> None:
    found = set(references(docs))

    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in docs["components"]["schemas"]


def test_the_api_docs_say_of_each_operation_what_it_needs_and_answers(docs: dict[str, Any]) -> None:
    operations = [
        (path, operation)
        for path, methods in docs["paths"].items()
        for operation in methods.values()
    ]

    assert len({operation["operationId"] for _, operation in operations}) == len(ROUTES)
    for path, operation in operations:
        needs_key = path not in OPEN_TO_ALL
        assert operation["summary"]
        assert operation["security"] == ([{"apiKey": []}] if needs_key else [])
        assert ("401" in operation["responses"]) == needs_key
        assert "200" in operation["responses"]
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_documented_route_is_served(api: Api) -> None:
    for method, path in ROUTES:
        answer = api.call(
            method.upper(), path.replace("{id}", "x").replace("{backend}", "simulator")
        )

        assert answer.status_code in {200, 400, 404}, (method, path)
        assert "ionbox serves /v0.3" not in answer.text, (method, path)
