"""Every setting of a server, in one table: the fields of `Settings`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ionbox.errors import SettingsError

AUTH_MODES = ("key", "none")
LIMITS_MODES = ("open", "ionq")
DEFAULT_PORT = 8000
LARGEST_PORT = 65535
# Where a user's own key may be, in the order in which it is looked for.
KEY_VARIABLES = ("IONBOX_API_KEY", "IONQ_API_KEY")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server runs. Every field is an option of `ionbox serve` and `IONBOX_<FIELD>`.

    Raises:
        SettingsError: If the settings do not go together.
    """

    host: str = field(default="127.0.0.1", metadata={"help": "Address to listen on."})
    port: int = field(
        default=DEFAULT_PORT, metadata={"help": "Port to listen on; 0 takes a free one."}
    )
    data: Path | None = field(
        default=None,
        metadata={
            "help": "Directory that holds everything; by default in the user's data directory."
        },
    )
    workers: int | None = field(
        default=None, metadata={"help": "Worker processes; by default one more than cores."}
    )
    auth: str = field(
        default="key", metadata={"help": "'key', or 'none' to accept any key (on loopback only)."}
    )
    seed: int | None = field(
        default=None, metadata={"help": "Makes the seeds that are drawn for jobs repeatable."}
    )
    limits: str = field(
        default="open",
        metadata={
            "help": "'open' runs what IonQ refuses, with a warning; 'ionq' refuses it as well."
        },
    )
    prices: Path | None = field(
        default=None, metadata={"help": "TOML file with the prices; by default ionbox's own."}
    )
    allow_host: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "A further host name under which this server may be addressed; may be repeated."
        },
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.auth not in AUTH_MODES:
            raise SettingsError(f"auth: '{self.auth}' is not one of: {', '.join(AUTH_MODES)}")
        if self.auth == "none" and not is_loopback(self.host):
            raise SettingsError(f"auth: 'none' is for loopback addresses, not for {self.host}")
        if self.limits not in LIMITS_MODES:
            raise SettingsError(f"limits: '{self.limits}' is not one of: {', '.join(LIMITS_MODES)}")
        if not 0 <= self.port <= LARGEST_PORT:
            raise SettingsError(f"port: {self.port} is not within 0 to {LARGEST_PORT}")
        if self.workers is not None and self.workers < 2:
            raise SettingsError(f"workers: {self.workers} given; at least 2 are needed")

    @property
    def directory(self) -> Path:
        """The data directory."""
        return self.data or default_directory()


def default_directory() -> Path:
    """Return where a user's data belongs on this system."""
    import platformdirs  # noqa: PLC0415 - `--version` must not wait for it

    return platformdirs.user_data_path("ionbox")


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def key_from_environment(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the name and value of the variable that holds the user's own key, if one does."""
    for name in KEY_VARIABLES:
        key = environment.get(name, "").strip()
        if key:
            return name, key
    return None
