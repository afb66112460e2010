from __future__ import annotations

import re
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
    "v0.3": {
        ("get", "/characterizations/backends/{backend}"),
        ("get", "/characterizations/backends/{backend}/current"),
        ("get", "/characterizations/{id}"),
        ("get", "/jobs/{id}/results"),
        ("get", "/report/organizations/{organization}"),
    },
    "v0.4": {
        ("get", "/backends/{backend}/characterizations"),
        ("get", "/backends/{backend}/characterizations/{id}"),
        ("get", "/jobs/estimate"),
        ("get", "/jobs/{id}/artifacts/{artifact}"),
        ("get", "/jobs/{id}/circuits/{language}"),
        ("post", "/jobs/{id}/clone"),
        ("get", "/jobs/{id}/cost"),
        ("post", "/jobs/{id}/move"),
        ("get", "/jobs/{id}/results/histogram"),
        ("get", "/jobs/{id}/results/probabilities"),
        ("get", "/jobs/{id}/results/probabilities/aggregated"),
        ("get", "/jobs/{id}/results/shots"),
        ("get", "/jobs/{id}/variants/{variant}/results/{kind}"),
        ("get", "/organizations/{organization}/usage"),
        ("get", "/projects"),
        ("get", "/schemas/formats/{format}"),
        ("get", "/sessions"),
        ("post", "/sessions"),
        ("get", "/sessions/{session_id}"),
        ("post", "/sessions/{session_id}/end"),
        ("get", "/sessions/{session_id}/jobs"),
        ("get", "/whoami"),
    },
}
OPEN_TO_ALL = ("/backends", "/characterizations", "/api-docs")
REFERENCE = "/ionbox/reference"


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


def test_every_reference_in_the_api_docs_leads_somewhere(docs: dict[str, Any]) -> None:
    found = set(references(docs))

    assert found
    for reference in found:
        _, _, kind, name = reference.split("/")
        assert name in docs["components"][kind]


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
        needs_key = not f"/{path.split('/', 2)[2]}".startswith(OPEN_TO_ALL)
        assert operation["summary"]
        assert operation["security"] == ([{"apiKey": []}] if needs_key else [])
        assert ("401" in operation["responses"]) == needs_key
        assert {"200", "201"} & set(operation["responses"])
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_documented_route_is_served(api: Api, routes: set[tuple[str, str]]) -> None:
    for method, path in routes:
        place = path.replace("{backend}", "simulator").replace("{", "").replace("}", "")
        answer = api.call(method.upper(), place)

        assert answer.status_code in {200, 400, 403, 404}, (method, path)
        assert "there is no such path" not in answer.text, (method, path)


def test_every_link_leads_to_an_operation_and_names_its_parameters(docs: dict[str, Any]) -> None:
    operations = {
        operation["operationId"]: operation
        for methods in docs["paths"].values()
        for operation in methods.values()
    }
    links = [
        link
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert links
    for link in links:
        known = {parameter["name"] for parameter in operations[link["operationId"]]["parameters"]}
        assert set(link.get("parameters", ())) <= known


def test_the_greeting_leads_to_the_reference_page(api: Api) -> None:
    assert REFERENCE in api.call("GET", "/").text


def test_the_reference_page_and_what_it_loads_come_from_this_server(api: Api) -> None:
    page = api.call("GET", REFERENCE)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.headers["content-type"].startswith("text/html")
    assert len([path for path in loaded if path.startswith(REFERENCE)]) == 5
    for path in loaded:
        assert path.startswith(("/", "data:,"))
        if path.startswith("/"):
            assert api.call("GET", path).status_code == 200, path


def test_the_reference_page_runs_no_script_that_stands_in_it(api: Api) -> None:
    page = api.call("GET", REFERENCE)

    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL) == ["", "", ""]
    assert "<style" not in page.text


def test_a_file_of_the_reference_page_is_sent_once(api: Api) -> None:
    path = f"{REFERENCE}/swagger_bundle.js"
    tag = api.call("GET", path).headers["etag"]
    again = api.call("GET", path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")


def test_the_reference_page_serves_no_other_file(api: Api) -> None:
    for name in ("redoc.js", "__init__.py", "..%2F__init__.py", "%2Fetc%2Fpasswd"):
        assert api.call("GET", f"{REFERENCE}/{name}").status_code == 404


def test_the_api_docs_name_the_headers_that_are_read_and_too_many_jobs(
    docs: dict[str, Any], version: str
) -> None:
    makes = {"/jobs"} if version == "v0.3" else {"/jobs", "/jobs/{id}/clone", "/jobs/{id}/move"}
    for path in makes:
        operation = docs["paths"][f"/{version}{path}"]["post"]
        waits = {"Prefer"} if path == "/jobs" else set()
        assert headers_of(operation) == {"Idempotency-Key", "Priority"} | waits
        assert {"409", "410", "429", "507"} <= set(operation["responses"])
    assert "Retry-After" in docs["components"]["responses"]["429"]["headers"]

    results = "/results" if version == "v0.3" else "/results/probabilities"
    for path in ("/jobs/{id}", f"/jobs/{{id}}{results}"):
        assert headers_of(docs["paths"][f"/{version}{path}"]["get"]) == {"Prefer"}


def headers_of(operation: dict[str, Any]) -> set[str]:
    return {given["name"] for given in operation["parameters"] if given["in"] == "header"}
