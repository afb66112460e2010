"""`ionbox keys`: over HTTP while a server runs, on the data directory itself otherwise."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from ionbox.cli.local import ask, data_option


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name")
@data_option
def create(name: str, data: Path) -> None:
    """Make a key and print it; it is shown this once."""
    click.echo(
        ask(
            data,
            "keys",
            over_http=lambda call: call("POST", "", {"name": name})["secret"],
            directly=lambda service: service.accounts.create_key(name)[1],
        )
    )


@keys.command("list")
@data_option
def list_keys(data: Path) -> None:
    """List the keys."""
    rows = ask(
        data,
        "keys",
        over_http=lambda call: call("GET", "", None),
        directly=lambda service: msgspec.to_builtins(service.accounts.keys()),
    )
    for row in rows:
        status = "revoked" if row["revoked_at"] else "valid"
        click.echo(f"{row['id']}  {status:8}{row['prefix'] or '-':13}{row['name']}")


@keys.command()
@click.argument("key_id")
@data_option
def revoke(key_id: str, data: Path) -> None:
    """Have a key open nothing any more; KEY_ID as in the list."""
    ask(
        data,
        "keys",
        over_http=lambda call: call("DELETE", f"/{key_id}", None),
        directly=lambda service: service.accounts.revoke_key(key_id),
    )
