"""ionbox itself, installed in one environment with the clients of today."""

from __future__ import annotations

import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import cirq_ionq
import pennylane_ionq
import qbraid
import qiskit_ionq
from tests.clients.checks import URL

import ionbox


def get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url) as answer:  # noqa: S310 - a server of ours
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def check_it_shares_an_environment_with_clients() -> None:
    modules = (ionbox, cirq_ionq, pennylane_ionq, qbraid, qiskit_ionq)
    done = subprocess.run([sys.executable, "-m", "pip", "check"], check=False, capture_output=True)

    assert all(str(module.__file__).startswith(sys.prefix) for module in modules)
    assert done.returncode == 0, done.stdout.decode()


def check_a_server_starts_there() -> None:
    with ionbox.LocalServer() as server:
        status, backends = get(f"{server.url}/v0.4/backends")

    assert status == 200
    assert '"simulator"' in backends
    assert '"qpu.forte-1"' in backends


def check_versions_that_are_gone_say_what_is_served() -> None:
    """What ProjectQ and Tangelo ask for first."""
    for path in ("/v0.2/jobs", "/v0.2/backends", "/v0.1/jobs"):
        status, text = get(f"{URL}{path}")
        assert (status, "/v0.3" in text) == (404, True), text
