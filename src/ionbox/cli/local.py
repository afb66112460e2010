"""How commands speak to a server on this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

# A proxy has no business between a machine and itself, least of all with a key to read.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method: str, url: str, *, authorization: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Return the decoded answer; None where it has no body.

    Raises:
        click.ClickException: With the server's message, if it refuses.
    """
    request = urllib.request.Request(  # noqa: S310 - a URL of our own
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": authorization, "Content-Type": "application/json"},
        method=method,
    )
    try:
        with _opener.open(request) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.load(error)["message"]) from error
    return json.loads(answer) if answer else None
