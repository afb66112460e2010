from __future__ import annotations

from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Endpoint, Query, openapi, routes
from ionbox.api.extensions import keys
from ionbox.api.v03.routes import ENDPOINTS as V03

FACES = {"v03": V03, "keys": keys.ENDPOINTS}


class Thing(msgspec.Struct):
    """Something."""

    id: str


async def find_thing(_: Request) -> Response:
    return Response()


FIND = Endpoint(
    "GET", "/things/{id}", find_thing, "Find a thing.", Thing,
    query=(Query("size", int, "How large."),), errors=(404,),
)  # fmt: skip
MAKE = Endpoint("POST", "/things", find_thing, "Make a thing.", Thing, body=Thing, needs_key=False)


def operation(endpoint: Endpoint) -> dict[str, Any]:
    document = openapi([endpoint], title="Things", version="1")
    found: dict[str, Any] = document["paths"][endpoint.path][endpoint.method.lower()]
    return found


def test_a_document_says_what_it_describes() -> None:
    document = openapi([FIND, MAKE], title="Things", version="1")

    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "Things")
    assert set(document["paths"]) == {"/things/{id}", "/things"}
    assert set(document["components"]["schemas"]) == {"Problem", "Thing", "Validation"}


def test_an_operation_lists_its_parameters_from_path_and_query() -> None:
    assert operation(FIND)["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "size", "in": "query", "description": "How large.", "schema": {"type": "integer"}},
    ]


def test_an_operation_lists_its_answers() -> None:
    def schema(status: str) -> Any:  # noqa: ANN401 - JSON
        return operation(FIND)["responses"][status]["content"]["application/json"]["schema"]

    assert set(operation(FIND)["responses"]) == {"200", "401", "404"}
    assert schema("200") == {"$ref": "#/components/schemas/Thing"}
    assert schema("404") == {"$ref": "#/components/schemas/Problem"}


def test_an_operation_open_to_all_needs_no_key() -> None:
    assert operation(FIND)["security"] == [{"apiKey": []}]
    assert operation(MAKE)["security"] == []
    assert set(operation(MAKE)["responses"]) == {"200"}


def test_an_operation_with_a_body_requires_it() -> None:
    content = operation(MAKE)["requestBody"]["content"]["application/json"]

    assert content["schema"] == {"$ref": "#/components/schemas/Thing"}
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
def test_every_handler_says_its_method_and_path(face: str) -> None:
    for endpoint in FACES[face]:
        first_line = (endpoint.handler.__doc__ or "").splitlines()[0]
        path = endpoint.path.removeprefix("/v0.3").removeprefix("/ionbox/v1")

        assert first_line.startswith(f"{endpoint.method} {path}"), endpoint.handler
