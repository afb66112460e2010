"""`ionbox keys`: over HTTP while a server runs, on the data directory itself otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from ionbox import assembly
from ionbox.cli.local import call
from ionbox.config import Settings, default_directory
from ionbox.service.service import Service

_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="IONBOX_DATA",
    default=default_directory,
    help="The server's data directory.",
)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name")
@_data_option
def create(name: str, data: Path) -> None:
    """Make a key and print it; it is shown this once."""
    click.echo(
        _ask(
            data,
            over_http=lambda ask: ask("POST", "", {"name": name})["secret"],
            directly=lambda service: service.accounts.create_key(name)[1],
        )
    )


@keys.command("list")
@_data_option
def list_keys(data: Path) -> None:
    """List the keys."""
    rows = _ask(
        data,
        over_http=lambda ask: ask("GET", "", None),
        directly=lambda service: msgspec.to_builtins(service.accounts.keys()),
    )
    for row in rows:
        status = "revoked" if row["revoked_at"] else "valid"
        click.echo(f"{row['id']}  {status:8}{row['prefix'] or '-':13}{row['name']}")


@keys.command()
@click.argument("key_id")
@_data_option
def revoke(key_id: str, data: Path) -> None:
    """Have a key open nothing any more; KEY_ID as in the list."""
    _ask(
        data,
        over_http=lambda ask: ask("DELETE", f"/{key_id}", None),
        directly=lambda service: service.accounts.revoke_key(key_id),
    )


def _ask(
    data: Path,
    *,
    over_http: Callable[[Callable[[str, str, Any], Any]], Any],
    directly: Callable[[Service], Any],
) -> Any:  # noqa: ANN401 - whatever was asked for
    running = assembly.running_server(data)
    if running is not None:
        url, authorization = f"{running.url}/ionbox/v1/keys", f"operator {running.operator_token}"
        return over_http(
            lambda method, path, body: call(
                method, url + path, authorization=authorization, body=body
            )
        )
    if not assembly.is_in_use(data):
        raise click.ClickException(f"{data} holds nothing yet; 'ionbox serve' makes the first key")
    with assembly.open_house(Settings(data=data)) as house:
        return directly(house.service)
