"""The OpenAPI document of a face, printed from its table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from ionbox.api.endpoints import Endpoint, Header, Link, Query, Schema
from ionbox.api.inputs import INPUTS
from ionbox.api.problems import Problem
from ionbox.formats.schemas import SCHEMAS

_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
# What may stand in a path; other names are of any text.
_PATH_PARAMETERS: Final[Mapping[str, Schema]] = {
    "id": _UUID,
    "session_id": _UUID,
    "format": {"type": "string", "enum": list(SCHEMAS)},
    "kind": {"type": "string", "enum": ["probabilities", "histogram", "shots"]},
    "language": {"type": "string", "enum": ["native", "qasm3"]},
}
# Status → what it means; each is told by a Problem.
_PROBLEMS: Final[Mapping[int, str]] = {
    400: "The request is wrong; `validation` names the field.",
    401: "There is no key, or one that is not known here.",
    403: "The key may not do this.",
    404: "There is no such thing, it is not ready, or it is another project's.",
    409: "Another request was made with the same Idempotency-Key.",
    410: "The job that this Idempotency-Key made was deleted.",
    413: "The body is over 10 MiB.",
    429: "The key, or its project, has as many jobs waiting as it may, or would have.",
    507: "The disk is full; nothing was stored.",
}
# Status → the headers that go with it.
_HEADERS: Final[Mapping[int, Mapping[str, Schema]]] = {
    401: {"WWW-Authenticate": {"const": "apiKey"}},
    429: {"Retry-After": {"type": "integer", "minimum": 0}},
}
_INTRODUCTION: Final = """\
Every answer carries an `x-request-id`. Beside the answers listed, a request that names a foreign \
`Host`, or comes from a foreign page, gets 403; a method that a path lacks 405; and a mistake of \
ionbox itself 500. Their bodies are a `Problem` as well."""
# A document as an answer.
DOCUMENT: Final[Schema] = {"type": "object", "required": ["openapi", "info", "paths"]}
_SCHEMAS: Final = "#/components/schemas/"
_BODY: Final = re.compile(rf'(?<={_SCHEMAS})(\w+)Body(?=")')
_NUMBERED: Final = {"x-request-id": {"$ref": "#/components/headers/x-request-id"}}


def openapi(
    endpoints: Sequence[Endpoint], *, title: str, version: str, also: Sequence[type] = ()
) -> dict[str, Any]:
    """Return the OpenAPI document of a face.

    Args:
        also: Types that the bodies refer to by name.

    Source:
        OpenAPI Specification 3.1.0.
    """
    schema_of, components = _schemas([Problem, *also, *_types(endpoints)])
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = {
            **_operation(endpoint, schema_of),
            "responses": {**_success(endpoint, endpoints, schema_of), **_problems(endpoint)},
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {**components, **INPUTS}, **_components(schema_of)},
    }


def _types(endpoints: Sequence[Endpoint]) -> Iterator[Any]:
    for endpoint in endpoints:
        for body in (endpoint.answer, endpoint.body):
            if body is not None and not isinstance(body, Mapping):
                yield body


def _schemas(types: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of each type by its repr, and the named ones that they refer to.

    What our types call a JobBody is a Job to the reader.
    """
    given = msgspec.json.schema_components(types, ref_template=f"{_SCHEMAS}{{name}}")
    text = _BODY.sub(r"\1", msgspec.json.encode(given).decode())
    schemas, components = msgspec.json.decode(text)
    named = {
        name.removesuffix("Body"): {**schema, "title": name.removesuffix("Body")}
        for name, schema in components.items()
    }
    return dict(zip(map(repr, types), schemas, strict=True)), named


def _components(schema_of: Schema) -> dict[str, Any]:
    problem = schema_of[repr(Problem)]
    return {
        "responses": {
            str(status): {**_content(text, problem), "headers": _headers(status)}
            for status, text in _PROBLEMS.items()
        },
        "headers": {
            "x-request-id": {
                "description": "The number of this request, for the server's log.",
                "required": True,
                "schema": {"type": "string"},
            }
        },
        "securitySchemes": {
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "The word `apiKey`, a space, and the key. `ionbox env` shows yours.",
            }
        },
    }


def _headers(status: int) -> dict[str, Any]:
    own = _HEADERS.get(status, {})
    return {**_NUMBERED, **{name: {"required": True, "schema": own[name]} for name in own}}


def _operation(endpoint: Endpoint, schema_of: Schema) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [endpoint.path.split("/")[2]],
        "summary": endpoint.summary,
        "operationId": endpoint.handler.__name__,
        "security": [{"apiKey": []}] if endpoint.needs_key else [],
        "parameters": [
            *_path_parameters(endpoint.path),
            *map(_query_parameter, endpoint.query),
            *map(_header_parameter, endpoint.headers),
        ],
    }
    if endpoint.body is not None:
        body = _content("The request", schema_of[repr(endpoint.body)])
        if endpoint.examples:
            body["content"]["application/json"]["examples"] = {
                name: {"value": value} for name, value in endpoint.examples.items()
            }
        operation["requestBody"] = {"required": endpoint.needs_body, **body}
    return operation


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    statuses = sorted({*endpoint.errors, *([401] if endpoint.needs_key else [])})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _success(
    endpoint: Endpoint, endpoints: Sequence[Endpoint], schema_of: Schema
) -> dict[str, Any]:
    if endpoint.answer is None:
        return {"204": {"description": "Done", "headers": _NUMBERED}}
    is_schema = isinstance(endpoint.answer, Mapping)
    schema = endpoint.answer if is_schema else schema_of[repr(endpoint.answer)]
    response = {**_content("The answer", schema), "headers": _NUMBERED}
    links = {
        other.handler.__name__: _link(link, other)
        for link in endpoint.links
        for other in endpoints
        if link.leads_to(other)
    }
    return {str(endpoint.success): {**response, **({"links": links} if links else {})}}


def _link(link: Link, other: Endpoint) -> dict[str, Any]:
    body = {} if link.body is None else {"requestBody": link.body}
    parameters = {"parameters": dict(link.parameters)} if link.parameters else {}
    return {"operationId": other.handler.__name__, **parameters, **body}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PATH_PARAMETERS.get(name, {"type": "string"}),
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameter(query: Query) -> dict[str, Any]:
    return {
        "name": query.name,
        "in": "query",
        "description": query.description,
        **({"required": True} if query.is_required else {}),
        "schema": msgspec.json.schema(query.type),
    }


def _header_parameter(header: Header) -> dict[str, Any]:
    return {
        "name": header.name,
        "in": "header",
        "description": header.description,
        "schema": msgspec.json.schema(header.type),
    }


def _content(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
