"""`ionbox backends`: over HTTP while a server runs, on the data directory itself otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from ionbox.api.extensions.backends import write_loaded
from ionbox.cli.local import ask, data_option
from ionbox.errors import SettingsError


@click.group()
def backends() -> None:
    """Bring backends of your own, from their characterizations."""


@backends.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
def load(file: Path, data: Path) -> None:
    """Make a twin of the device that FILE characterizes.

    FILE is JSON as API v0.4 writes characterizations: one, or a page of them. What a twin makes up
    beside them, native gates and imperfections, says a file of the same name that ends in .toml;
    without one, what was said of the backend before still holds.
    """
    document = file.read_bytes()
    beside = file.with_suffix(".toml")
    try:
        additions = beside.read_text() if beside.exists() else None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{beside}: {error}") from error
    body = {"document": _json(document), "additions": additions}
    loaded = ask(
        data,
        "backends",
        over_http=lambda call: call("POST", "", body),
        directly=lambda service: msgspec.to_builtins(
            write_loaded(service.catalog.load(document, additions))
        ),
    )
    gates, number = ", ".join(loaded["native_gates"]), len(loaded["dates"])
    click.echo(f"{loaded['backend']}: {loaded['qubits']} qubits, {gates}; records: {number}")


@backends.command()
@click.argument("name")
@data_option
def unload(name: str, data: Path) -> None:
    """Forget what was loaded of the backend NAME."""
    ask(
        data,
        "backends",
        over_http=lambda call: call("DELETE", f"/{name}", None),
        directly=lambda service: service.catalog.unload(name),
    )


@backends.command("list")
@data_option
def list_backends(data: Path) -> None:
    """List the backends, with the date of the newest record of each."""
    rows = ask(
        data,
        "backends",
        over_http=lambda call: call("GET", "", None),
        directly=lambda service: msgspec.to_builtins(
            list(map(write_loaded, service.catalog.backends()))
        ),
    )
    for row in rows:
        gates, dates = ", ".join(row["native_gates"]), row["dates"]
        newest = dates[0][:10] if dates else "-"
        click.echo(f"{row['backend']:26}{row['qubits']:4} qubits  {newest:12}{gates}")


def _json(document: bytes) -> object:
    try:
        return json.loads(document)
    except ValueError as error:
        raise SettingsError(f"not JSON: {error}") from error
