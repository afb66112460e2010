"""The released clients, and the environments that they run in.

An environment is a virtual environment of its own with exactly the versions that stand in
requirements-clients/<name>.txt: the clients first, then all that they need. To renew one, install
the clients anew and write down what `pip freeze` says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURSELVES = "ionbox"
# Holds this checkout as well, as it is installed beside clients.
TOGETHER = "latest"


@dataclass(frozen=True)
class Client:
    """A released client: its name on PyPI, the files of its checks, the API version it speaks."""

    name: str
    checks: str
    environment: str
    api: str

    @property
    def version(self) -> str:
        """The version that is pinned."""
        return pins(self.environment).get(self.name, "this checkout")


CLIENTS = (
    Client("qiskit-ionq", "qiskit", "latest", "v0.4"),
    Client("cirq-ionq", "cirq", "latest", "v0.4"),
    Client("PennyLane-IonQ", "pennylane", "latest", "v0.4"),
    Client("qbraid", "qbraid", "latest", "v0.4"),
    Client(OURSELVES, "ionbox", "latest", "v0.4"),
    Client("qiskit-ionq", "qiskit", "v03", "v0.3"),
    Client("cirq-ionq", "cirq", "v03", "v0.3"),
    Client("PennyLane-IonQ", "pennylane", "v03", "v0.3"),
    Client("ionq", "ionq_sdk", "ionq-sdk", "v0.4"),
    Client("cuda-quantum-cu12", "cudaq", "cudaq", "v0.3"),
    Client("ionq-core", "ionq_core", "ionq-core", "v0.4"),
)
ENVIRONMENTS = tuple(dict.fromkeys(client.environment for client in CLIENTS))


def pins(environment: str) -> Mapping[str, str]:
    """Return the packages of an environment with their versions."""
    lines = _requirements(environment).read_text().splitlines()
    return dict(line.split("==") for line in lines if line)


def prepare(environment: str) -> Path:
    """Return the environment's Python; install anew if its requirements changed.

    Raises:
        subprocess.CalledProcessError: If something cannot be installed; pip has said what.
    """
    directory, requirements = ROOT / ".venv-clients" / environment, _requirements(environment)
    python, installed = directory / "bin" / "python", directory / "installed.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        venv.create(directory, clear=True, with_pip=True)
        # CUDA-Q asks for 2 GB of CUDA that it does not need here.
        _install(python, requirements, "--no-deps", "--requirement", requirements)
        shutil.copy(requirements, installed)
    if environment == TOGETHER:
        _install(python, requirements, ROOT)
    return python


def _requirements(environment: str) -> Path:
    return ROOT / "requirements-clients" / f"{environment}.txt"


def _install(python: Path, constraint: Path, *what: str | Path) -> None:
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check")
    subprocess.run(
        [python, "-m", "pip", "install", *quiet, *what],
        # As a variable it also pins the build backend.
        env=os.environ | {"PIP_CONSTRAINT": str(constraint)}, check=True,
    )  # fmt: skip
