"""How commands speak to a server on this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ionbox import assembly
from ionbox.config import Settings, default_directory
from ionbox.service.service import Service

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="IONBOX_DATA",
    default=default_directory,
    help="The server's data directory.",
)

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


def ask(
    data: Path,
    room: str,
    *,
    over_http: Callable[[Callable[[str, str, Any], Any]], Any],
    directly: Callable[[Service], Any],
) -> Any:  # noqa: ANN401 - whatever was asked for
    """Ask the server that uses a data directory; the directory itself where none runs.

    Args:
        room: Below /ionbox/v1/; what `over_http` gets takes a method, a path below it and a body.
    """
    running = assembly.running_server(data)
    if running is not None:
        url, authorization = f"{running.url}/ionbox/v1/{room}", f"operator {running.operator_token}"
        return over_http(
            lambda method, path, body: call(
                method, url + path, authorization=authorization, body=body
            )
        )
    if not assembly.is_in_use(data):
        raise click.ClickException(f"{data} holds nothing yet; 'ionbox serve' makes the first key")
    with assembly.open_house(Settings(data=data)) as house:
        return directly(house.service)
