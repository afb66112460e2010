from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, Link, Query, Uuid, one_of, routes, within
from ionbox.api.extensions import backends, events, exact, keys, plans
from ionbox.api.inputs import INPUTS
from ionbox.api.openapi import openapi
from ionbox.api.v03.routes import ENDPOINTS as V03
from ionbox.api.v04.output import ArtifactBody
from ionbox.api.v04.routes import ENDPOINTS as V04
from ionbox.api.v04.wire import Value

FACES = {
    "v03": V03,
    "v04": V04,
    "keys": keys.ENDPOINTS,
    "plans": plans.ENDPOINTS,
    "exact": exact.ENDPOINTS,
    "backends": backends.ENDPOINTS,
    "events": events.ENDPOINTS,
}


class ThingBody(msgspec.Struct):
    """Something."""

    id: Uuid


async def find_thing(_: Request) -> Response:
    return Response()


async def make_thing(_: Request) -> Response:
    return Response()


FIND = Endpoint(
    "GET", "/v1/things/{id}", find_thing, "Find a thing.", ThingBody, errors=(404,),
    query=(
        Query("size", Annotated[int, within(range(1, 9))], "How large."),
        Query("kind", Annotated[str, one_of(("a", "b"))], "What kind.", is_required=True),
    ),
)  # fmt: skip
MAKE = Endpoint(
    "POST", "/v1/things", make_thing, "Make a thing.", ThingBody, body=ThingBody,
    needs_key=False, examples={"small": {"id": "x"}},
    links=(Link("/v1/things/{id}", {"id": "$response.body#/id"}),),
)  # fmt: skip


def operation(endpoint: Endpoint) -> dict[str, Any]:
    document = openapi([FIND, MAKE, endpoint], title="Things", version="1")
    found: dict[str, Any] = document["paths"][endpoint.path][endpoint.method.lower()]
    return found


def test_a_document_says_what_it_describes() -> None:
    document = openapi([FIND, MAKE], title="Things", version="1")

    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "Things")
    assert set(document["paths"]) == {"/v1/things/{id}", "/v1/things"}
    assert set(document["components"]["schemas"]) - set(INPUTS) == {
        "Problem",
        "Thing",
        "Validation",
    }


def test_an_operation_lists_its_parameters_from_path_and_query() -> None:
    path, size, kind = operation(FIND)["parameters"]

    assert path == {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    assert size == {
        "name": "size",
        "in": "query",
        "description": "How large.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 8},
    }
    assert (kind["required"], kind["schema"]["enum"]) == (True, ["a", "b"])


def test_an_operation_lists_its_answers() -> None:
    responses = operation(FIND)["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]

    assert schema == {"$ref": "#/components/schemas/Thing"}
    assert set(responses) == {"200", "401", "404"}
    assert responses["404"] == {"$ref": "#/components/responses/404"}


def test_an_answer_links_to_what_can_be_asked_about_it() -> None:
    assert operation(MAKE)["responses"]["200"]["links"] == {
        "find_thing": {
            "operationId": "find_thing",
            "parameters": {"id": "$response.body#/id"},
        }
    }
    assert "links" not in operation(FIND)["responses"]["200"]


@pytest.mark.parametrize(
    ("path", "is_met"),
    [
        ("/jobs/{id}", True),
        ("/jobs/{id}/cost", True),
        ("/jobs/{id}/artifacts/{artifact}", False),
        ("/jobs", False),
        ("/jobs/{id}s", False),
    ],
)
def test_a_link_leads_to_a_path_and_to_what_is_below_it(path: str, is_met: bool) -> None:
    link, endpoint = Link("/jobs/{id}"), Endpoint("GET", path, find_thing, "", None)

    assert link.leads_to(endpoint) is is_met


def test_an_operation_open_to_all_needs_no_key() -> None:
    assert operation(FIND)["security"] == [{"apiKey": []}]
    assert operation(MAKE)["security"] == []
    assert set(operation(MAKE)["responses"]) == {"200"}


def test_an_operation_with_a_body_requires_it() -> None:
    content = operation(MAKE)["requestBody"]["content"]["application/json"]

    assert content["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert content["examples"] == {"small": {"value": {"id": "x"}}}
    assert "requestBody" not in operation(FIND)


@pytest.mark.parametrize("face", FACES)
def test_the_routes_of_a_face_are_those_of_its_document(face: str) -> None:
    document = openapi(FACES[face], title=face, version="1")
    served = {
        (route.path, method)
        for route in routes(FACES[face])
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert served == {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }


@pytest.mark.parametrize("face", FACES)
def test_every_example_is_as_its_schema_says(face: str) -> None:
    document = openapi(FACES[face], title=face, version="1", also=(ArtifactBody, Value))
    for endpoint in FACES[face]:
        if endpoint.body is None:
            continue
        found = document["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]
        schema = found["content"]["application/json"]["schema"]
        checker = Draft202012Validator({**schema, "components": document["components"]})

        for example in endpoint.examples.values():
            checker.validate(example)


@pytest.mark.parametrize("face", FACES)
def test_every_handler_says_its_method_and_path(face: str) -> None:
    for endpoint in FACES[face]:
        first_line = (endpoint.handler.__doc__ or "").splitlines()[0]
        path = endpoint.path
        for prefix in ("/v0.3", "/v0.4", "/ionbox/v1"):
            path = path.removeprefix(prefix)

        assert first_line.startswith(f"{endpoint.method} {path}"), endpoint.handler
