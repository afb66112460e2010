"""`ionbox serve`."""

from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ionbox.config import AUTH_MODES, LIMITS_MODES, PRECISIONS, Settings

if TYPE_CHECKING:
    from ionbox.assembly import Welcome

_TYPES: dict[str, Any] = {
    "auth": click.Choice(AUTH_MODES),
    "data": click.Path(file_okay=False, path_type=Path),
    "host": str,
    "limits": click.Choice(LIMITS_MODES),
    "precision": click.Choice(PRECISIONS),
    "calibrate": bool,
    "testing": bool,
    "prices": click.Path(dir_okay=False, path_type=Path),
    "noise_model": click.Path(dir_okay=False, path_type=Path),
    "allow_host": str,
}


def _options(command: click.decorators.FC) -> click.decorators.FC:
    """Give a command one option for each setting."""
    for row in reversed(dataclasses.fields(Settings)):
        option = click.option(
            _flag(row),
            default=row.default,
            type=_TYPES.get(row.name, int),
            multiple=isinstance(row.default, tuple),
            envvar=f"IONBOX_{row.name.upper()}",
            show_envvar=True,
            show_default=row.default not in (None, ()),
            help=row.metadata["help"],
        )
        command = option(command)
    return command


def _flag(row: dataclasses.Field[Any]) -> str:
    """Return how an option is written; one that is true or false has a word for each."""
    name = row.name.replace("_", "-")
    return f"--{name}/--no-{name}" if row.type == "bool" else f"--{name}"


@click.command()
@_options
@click.option(
    "--until-eof", is_flag=True, hidden=True, help="Stop when standard input ends; for LocalServer."
)
def serve(*, until_eof: bool, **options: Any) -> None:  # noqa: ANN401 - one for each setting
    """Serve the API until Ctrl-C.

    Everything is kept in the data directory: jobs, results and keys outlive the server.
    """
    settings = Settings(**options)
    from ionbox import assembly  # noqa: PLC0415 - half a second, and a wrong option needs none

    if until_eof:
        threading.Thread(target=_stop_at_eof, daemon=True).start()
    where = "" if settings.data is None else f" --data {shlex.quote(str(settings.data))}"
    assembly.serve(settings, lambda welcome: _print_banner(welcome, f"{_program()} env{where}"))
    click.echo("Stopped. Jobs, results and keys are kept.")


def _print_banner(welcome: Welcome, env_command: str) -> None:
    click.echo(
        f"ionbox is ready at {welcome.url}\n"
        f"  key      {welcome.key}\n"
        f"  data     {welcome.directory}\n"
        f"  address  {welcome.address}\n"
        f"  kernel   {welcome.kernel}\n"
        f'Point your SDK here with: eval "$({env_command})"     Stop with Ctrl-C.'
    )
    sys.stdout.flush()


def _program() -> str:
    """Return how this program was called, so that it can be called again."""
    return sys.argv[0] if sys.argv[0].endswith("ionbox") else f"{sys.executable} -m ionbox"


def _stop_at_eof() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
