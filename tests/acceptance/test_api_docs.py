from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.client import Api

ALIKE = {
    ("post", "/jobs"),
    ("get", "/jobs"),
    ("delete", "/jobs"),
    ("put", "/jobs/status/cancel"),
    ("get", "/jobs/{id}"),
    ("delete", "/jobs/{id}"),
    ("put", "/jobs/{id}/status/cancel"),
    ("get", "/backends"),
    ("get", "/backends/{backend}"),
    ("get", "/api-docs"),
}
OF_ONE = {
    "v0.3": {("get", "/jobs/{id}/results")},
    "v0.4": {
        ("get", "/whoami"),
        ("get", "/backends/{backend}/characterizations"),
        ("get", "/jobs/{id}/cost"),
        ("get", "/jobs/{id}/results/probabilities"),
        ("get", "/jobs/{id}/artifacts/{artifact}"),
    },
}
OPEN_TO_ALL = {
    "/backends",
    "/backends/{backend}",
    "/backends/{backend}/characterizations",
    "/api-docs",
}


@pytest.fixture(params=sorted(OF_ONE))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def routes(version: str) -> set[tuple[str, str]]:
    return {(method, f"/{version}{path}") for method, path in ALIKE | OF_ONE[version]}


@pytest.fixture
def docs(api: Api, version: str) -> Any:  # noqa: ANN401 - JSON
    return Api(api.url, "no key at all", api.pid).get(f"/{version}/api-docs")


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_api_docs_are_openapi_3_1_and_name_every_route(
    docs: dict[str, Any], routes: set[tuple[str, str]]
) -> None:
    named = {(method, path) for path, methods in docs["paths"].items() for method in methods}

    assert docs["openapi"] == "3.1.0"
    assert set(docs["info"]) >= {"title", "version"}
    assert named == routes


def test_every_reference_in_the_api_docs_leads_to_a_schema(docs: dict[str, Any]) -> None:
    found = set(references(docs))

    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in docs["components"]["schemas"]


def test_the_api_docs_say_of_each_operation_what_it_needs_and_answers(
    docs: dict[str, Any], routes: set[tuple[str, str]]
) -> None:
    operations = [
        (path, operation)
        for path, methods in docs["paths"].items()
        for operation in methods.values()
    ]

    assert len({operation["operationId"] for _, operation in operations}) == len(routes)
    for path, operation in operations:
        needs_key = f"/{path.split('/', 2)[2]}" not in OPEN_TO_ALL
        assert operation["summary"]
        assert operation["security"] == ([{"apiKey": []}] if needs_key else [])
        assert ("401" in operation["responses"]) == needs_key
        assert {"200", "201"} & set(operation["responses"])
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_documented_route_is_served(api: Api, routes: set[tuple[str, str]]) -> None:
    for method, path in routes:
        answer = api.call(
            method.upper(), path.replace("{id}", "x").replace("{backend}", "simulator")
        )

        assert answer.status_code in {200, 400, 404}, (method, path)
        assert "ionbox serves" not in answer.text, (method, path)
