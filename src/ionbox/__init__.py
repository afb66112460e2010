"""IonQ's quantum job API on your own machine: the same requests, real results, no account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ionbox.local_server import LocalServer

__all__ = ["LocalServer", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the public classes when they are first asked for: `--version` must not wait."""
    if name == "LocalServer":
        from ionbox.local_server import LocalServer  # noqa: PLC0415

        return LocalServer
    raise AttributeError(name)
