"""Every setting of a server, in one table: the fields of `Settings`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from ionbox.circuits.circuit import MAX_QUBITS
from ionbox.errors import SettingsError

AUTH_MODES = ("key", "none")
LIMITS_MODES = ("open", "ionq")
Precision = Literal["auto", "float64", "float32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
DEFAULT_PORT = 8000
LARGEST_PORT = 65535
MOST_OUTCOMES = 2**40  # more cannot be kept
# What settings are at least, where they are given.
_LEAST = {
    "workers": 2,
    "key_running": 1,
    "key_waiting": 1,
    "project_running": 1,
    "project_waiting": 1,
}
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
        default=None, metadata={"help": "Worker processes; by default two more than cores."}
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
    precision: Precision = field(
        default="auto",
        metadata={
            "help": "'float64' or 'float32' for every job; 'auto' is float64 to 20 qubits and for "
            "expectation values, float32 above. The engines stabilizer, sparse, density_matrix, "
            "mps and shallow always compute in float64."
        },
    )
    max_outcomes: int = field(
        default=2**24,
        metadata={"help": "More possible outcomes than this are sampled instead of listed."},
    )
    simulator_qubits: int = field(
        default=29,
        metadata={
            "help": "How many qubits the simulator is said to have; wider circuits get a warning, "
            "or are refused with '--limits ionq'."
        },
    )
    calibrate: bool = field(
        default=True,
        metadata={"help": "Measure once, in the background, how fast this machine computes."},
    )
    noise_model: tuple[Path, ...] = field(
        default=(),
        metadata={"help": "TOML file with a noise model of your own; may be repeated."},
    )
    key_running: int | None = field(
        default=None, metadata={"help": "How many jobs of one key run at once; by default any."}
    )
    key_waiting: int | None = field(
        default=None,
        metadata={"help": "How many jobs of one key wait at once; more are refused with 429."},
    )
    project_running: int | None = field(
        default=None, metadata={"help": "How many jobs of one project run at once."}
    )
    project_waiting: int | None = field(
        default=None, metadata={"help": "How many jobs of one project wait at once."}
    )
    allow_host: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "A further host name under which this server may be addressed; may be repeated."
        },
    )

    testing: bool = field(
        default=False,
        metadata={
            "help": "Let each key ask, under /ionbox/v1/testing/, for how its jobs end and its "
            "requests fail, and keep a journal of them."
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
        if self.precision not in PRECISIONS:
            known = ", ".join(PRECISIONS)
            raise SettingsError(f"precision: '{self.precision}' is not one of: {known}")
        if not 1 <= self.max_outcomes <= MOST_OUTCOMES:
            allowed = f"1 to {MOST_OUTCOMES}"
            raise SettingsError(f"max_outcomes: {self.max_outcomes} given; {allowed} is allowed")
        if not 1 <= self.simulator_qubits <= MAX_QUBITS:
            given = self.simulator_qubits
            allowed = f"1 to {MAX_QUBITS}"
            raise SettingsError(f"simulator_qubits: {given} given; {allowed} is allowed")
        if not 0 <= self.port <= LARGEST_PORT:
            raise SettingsError(f"port: {self.port} is not within 0 to {LARGEST_PORT}")
        for name, least in _LEAST.items():
            given = getattr(self, name)
            if given is not None and given < least:
                raise SettingsError(f"{name}: {given} given; {least} or more are needed")

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
