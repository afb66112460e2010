"""`ionbox env`: the variables that point each SDK to this machine's server."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from ionbox.config import DEFAULT_PORT, default_directory, key_from_environment

API_VERSION = "v0.4"  # the newest that is served

# Shell → how a variable is set, and how it is unset.
SHELLS: Mapping[str, tuple[Callable[[str, str], str], Callable[[str], str]]] = {
    "sh": (lambda name, value: f"export {name}={shlex.quote(value)}", lambda name: f"unset {name}"),
    "fish": (lambda name, value: f"set -gx {name} {shlex.quote(value)}",
             lambda name: f"set -e {name}"),
    "powershell": (lambda name, value: f"$env:{name} = '{value}'",
                   lambda name: f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
    "dotenv": (lambda name, value: f"{name}={value}", lambda name: f"# {name}="),
}  # fmt: skip


def variables(url: str, key: str) -> dict[str, str]:
    """Return what each SDK reads: the key; URLs with a version; URLs without."""
    return {
        "IONQ_API_KEY": key,
        "IONBOX_URL": url,
        "IONQ_API_URL": f"{url}/{API_VERSION}",
        "IONQ_BASE_URL": f"{url}/{API_VERSION}",
        "IONQ_REMOTE_HOST": url,
        "CIRQ_IONQ_REMOTE_HOST": url,
    }


@click.command()
@click.option("--shell", type=click.Choice(list(SHELLS)), help="Default: that of $SHELL.")
@click.option("--unset", is_flag=True, help="Print how to take it back.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), envvar="IONBOX_DATA",
              help="The server's data directory.")  # fmt: skip
def env(*, shell: str | None, unset: bool, data: Path | None) -> None:
    """Print the lines that point each SDK to the server on this machine.

    Use it as: eval "$(ionbox env)"
    """
    set_line, unset_line = SHELLS[shell or _shell_of(os.environ.get("SHELL", ""))]
    if unset:
        lines = [unset_line(name) for name in variables("", "")]
    else:
        values = variables(*_address_and_key(data or default_directory()))
        lines = [set_line(name, value) for name, value in values.items() if value]
    click.echo("\n".join(lines))


def _shell_of(path: str) -> str:
    return "fish" if Path(path).name == "fish" else "sh"


def _address_and_key(directory: Path) -> tuple[str, str]:
    from ionbox import assembly  # noqa: PLC0415 - only this branch needs it

    running = assembly.running_server(directory)
    if running is None:
        click.echo(f"# no server runs on {directory}; these are the defaults", err=True)
    url = running.url if running else f"http://127.0.0.1:{DEFAULT_PORT}"
    key_file = directory / assembly.KEY_FILE
    if key_file.exists():
        return url, key_file.read_text().strip()
    if not assembly.is_in_use(directory):
        raise click.ClickException(f"no key in {key_file}; start 'ionbox serve' first")
    given = key_from_environment(os.environ)
    if given is None:
        click.echo(
            "# the server was first started with a key of yours: set IONQ_API_KEY to it, "
            "or make another with 'ionbox keys create NAME'",
            err=True,
        )
    return url, given[1] if given else ""
