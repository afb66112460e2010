"""A page to read the API's documents on, and to try the API from.

The page is Swagger UI, whose files the package `offapi` brings: of those on PyPI it is the current
one that needs neither a framework nor the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH: Final = "/ionbox/reference"
_PAGE: Final = f"""\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>ionbox: API reference</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="{PATH}/swagger_style.css">
  <link rel="stylesheet" href="{PATH}/start.css">
</head>
<body>
  <div id="reference"></div>
  <noscript>This page needs JavaScript. The documents: <a href="/v0.4/api-docs">v0.4</a>,
  <a href="/v0.3/api-docs">v0.3</a>.</noscript>
  <script src="{PATH}/swagger_bundle.js"></script>
  <script src="{PATH}/swagger_preset.js"></script>
  <script src="{PATH}/start.js"></script>
</body>
</html>
"""
# A key may be given with or without the word before it. The logo has a style of its own within,
# which the policy forbids.
_START: Final = """\
"use strict";
SwaggerUIBundle({
  dom_id: "#reference",
  urls: ["v0.4", "v0.3"].map((name) => ({ name, url: `/${name}/api-docs` })),
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [() => ({ components: { Logo: () => null } })],
  layout: "StandaloneLayout",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  persistAuthorization: false,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const key = request.headers.Authorization;
    if (key && !/^apikey /i.test(key)) {
      request.headers.Authorization = `apiKey ${key}`;
    }
    return request;
  },
});
"""
# Swagger UI has its pictures in its style sheet.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN: Final[Mapping[str, tuple[str, str]]] = {
    "": (_PAGE, "text/html"),
    "start.js": (_START, "text/javascript"),
    "start.css": ("body { margin: 0 }\n", "text/css"),
}
# Files of the package → their media types.
_PACKAGED: Final[Mapping[str, str]] = {
    "swagger_bundle.js": "text/javascript",
    "swagger_preset.js": "text/javascript",
    "swagger_style.css": "text/css",
}


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    media_type: str
    tag: str


@cache
def _file(name: str) -> _File:
    """Return a file of the page; each is read once."""
    if name in _OWN:
        text, media_type = _OWN[name]
        data = text.encode()
    else:
        media_type = _PACKAGED[name]
        data = (_package() / name).read_bytes()
    return _File(data, media_type, f'"{hashlib.sha256(data).hexdigest()[:16]}"')


def _package() -> Path:
    """Return where the package lies; importing it would read all that it has."""
    spec = find_spec("offapi")
    assert spec is not None  # noqa: S101 - a dependency
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent


async def get_reference(request: Request) -> Response:
    """GET /ionbox/reference, and the files that it asks for."""
    name = request.path_params.get("file", "")
    if name not in {*_OWN, *_PACKAGED}:
        raise HTTPException(404)
    file = _file(name)
    headers = {
        "cache-control": "no-cache",  # asked for again by its tag: a new version shows at once
        "content-security-policy": _POLICY,
        "etag": file.tag,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type=file.media_type)


ROUTES: Final = (Route(PATH, get_reference), Route(f"{PATH}/{{file}}", get_reference))
