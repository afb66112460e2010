"""The command line. Each command imports what it needs when it runs: `--version` is instant."""

from __future__ import annotations

import importlib
from typing import Any

import click

from ionbox import __version__
from ionbox.errors import IonboxError

# Command → module below this package that holds a click command of the same name.
COMMANDS = ("backends", "demo", "env", "explain", "keys", "serve")


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"ionbox.cli.{cmd_name}"), cmd_name
        )
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        """Run a command; an error of ours is one line on standard error, and exit status 1."""
        try:
            return super().invoke(ctx)
        except IonboxError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ionbox")
def main() -> None:
    """Serve IonQ's quantum job API from your own machine."""
