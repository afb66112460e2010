"""The released clients against this server, each with the versions that its users have.

Every environment is a virtual environment of its own, made from requirements-clients/<name>.txt.
Names given on the command line limit the run: `python -m tests.clients.run latest v03`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.clients.checks import FAILED, PASSED

from ionbox import LocalServer

ROOT = Path(__file__).parents[2]
# Environment → the API version that its clients speak, and their check files.
ENVIRONMENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ionq-core": ("v0.4", ("ionq_core",)),
    "latest": ("v0.4", ("qiskit", "cirq", "pennylane")),
    "v03": ("v0.3", ("qiskit", "cirq")),
}
LIMIT_SECONDS = 300


def prepare(name: str) -> Path:
    """Return the environment's Python; install anew if its requirements changed."""
    directory = ROOT / ".venv-clients" / name
    wanted = (ROOT / "requirements-clients" / f"{name}.txt").read_text()
    python, installed = directory / "bin" / "python", directory / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        print(f"Installing {', '.join(wanted.split())} into {directory} ...", flush=True)
        venv.create(directory, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted.split()], check=True)
        installed.write_text(wanted)
    return python


def results(name: str, server: LocalServer) -> Iterator[str]:
    """Run an environment's checks and yield what they print."""
    python = prepare(name)
    version, clients = ENVIRONMENTS[name]
    for client in clients:
        try:
            done = subprocess.run(
                [python, "-m", "tests.clients.checks", client],
                cwd=ROOT, env=_variables(server, version), timeout=LIMIT_SECONDS, check=False,
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            yield f"{FAILED} {client}: still running after {LIMIT_SECONDS} s"
            continue
        yield from done.stdout.splitlines()
        if done.returncode not in {0, 1} or PASSED not in done.stdout:
            yield f"{FAILED} {client}: ended with {done.returncode}"


def _variables(server: LocalServer, version: str) -> dict[str, str]:
    """What a user sets; nothing that this shell has set for another server remains."""
    kept = {name: value for name, value in os.environ.items() if "IONQ" not in name}
    return kept | {
        "IONBOX_URL": server.url,
        "IONQ_API_KEY": server.key,
        "IONQ_API_URL": f"{server.url}/{version}",
        "IONQ_REMOTE_HOST": server.url,
        "PYTHONWARNINGS": "ignore",
    }


def main() -> int:
    """Run the named environments, or all of them."""
    passed = failed = 0
    with LocalServer(workers=2) as server:
        for name in sys.argv[1:] or ENVIRONMENTS:
            for line in results(name, server):
                print(f"{name:10}{line}", flush=True)
                passed += line.startswith(PASSED)
                failed += line.startswith(FAILED)
    print(f"{passed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
