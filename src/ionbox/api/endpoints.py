"""A face as a table of endpoints: routes and the OpenAPI document are both printed from it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ionbox.api.problems import Problem

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query."""

    name: str
    type: type
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Args:
        path: With its version, such as `/v0.3/jobs/{id}`.
        answer: The type of the body on success; None where there is none.
        body: The type of the request's body, if it has one.
        needs_key: Whether a caller must show a key.
        success: The status of the answer.
        errors: The statuses, beside 401, that a wrong request gets.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Any
    body: Any = None
    query: tuple[Query, ...] = ()
    needs_key: bool = True
    success: int = 200
    errors: tuple[int, ...] = ()


def json_response(body: object, *, status: int = 200) -> Response:
    """Return a body as the answer of a handler."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return the router's rows: one for each path, so that a 405 names all its methods."""
    handlers: dict[str, dict[str, Handler]] = {}
    for endpoint in endpoints:
        handlers.setdefault(endpoint.path, {})[endpoint.method] = endpoint.handler
    return [
        Route(path, _by_method(of_path), methods=list(of_path))
        for path, of_path in handlers.items()
    ]


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return handle


def openapi(
    endpoints: Sequence[Endpoint], *, title: str, version: str, also: Sequence[type] = ()
) -> dict[str, Any]:
    """Return the OpenAPI document of a face.

    Args:
        also: Types that the bodies refer to by name.

    Source:
        OpenAPI Specification 3.1.0.
    """
    bodies = (body for e in endpoints for body in (e.answer, e.body) if body is not None)
    types = [Problem, *also, *bodies]
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, schema_of
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "The word `apiKey`, a space, and the key.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint, schema_of: Mapping[str, Any]) -> dict[str, Any]:
    statuses = sorted({*endpoint.errors, *([401] if endpoint.needs_key else [])})
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": endpoint.handler.__name__,
        "security": [{"apiKey": []}] if endpoint.needs_key else [],
        "parameters": [*_path_parameters(endpoint.path), *map(_query_parameter, endpoint.query)],
        "responses": {
            **_success(endpoint, schema_of),
            **{str(s): _content("What is wrong", schema_of[repr(Problem)]) for s in statuses},
        },
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            **_content("The request", schema_of[repr(endpoint.body)]),
        }
    return operation


def _success(endpoint: Endpoint, schema_of: Mapping[str, Any]) -> dict[str, Any]:
    if endpoint.answer is None:
        return {"204": {"description": "Done"}}
    return {str(endpoint.success): _content("The answer", schema_of[repr(endpoint.answer)])}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameter(query: Query) -> dict[str, Any]:
    return {
        "name": query.name,
        "in": "query",
        "description": query.description,
        "schema": msgspec.json.schema(query.type),
    }


def _content(description: str, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return {"description": description, "content": {"application/json": {"schema": schema}}}
