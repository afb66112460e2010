"""The released clients against this server, each with the versions that its users have.

Names of environments limit the run: `python -m tests.clients.run latest v03`. A run of all writes
docs/reference/clients.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.clients.checks import FAILED, PASSED, Outcome, outcome_of
from tests.clients.environments import CLIENTS, ENVIRONMENTS, ROOT, Client, prepare
from tests.clients.report import write_report

from ionbox import LocalServer

LIMIT_SECONDS = 300
AT_A_TIME = 2
Outcomes = Mapping[Client, Sequence[Outcome]]


def run_environment(environment: str) -> Outcomes:
    """Run the clients of an environment, one after the other, against a server of their own."""
    clients = [client for client in CLIENTS if client.environment == environment]
    try:
        python = prepare(environment)
    except subprocess.CalledProcessError as error:
        line = f"{FAILED} cannot be installed: pip ended with {error.returncode}"
        return {client: _printed(client, [line]) for client in clients}
    with LocalServer(workers=2) as server:
        return {client: _printed(client, _lines(client, python, server)) for client in clients}


def _lines(client: Client, python: Path, server: LocalServer) -> Iterator[str]:
    """Run the checks of a client and yield what they print."""
    try:
        done = subprocess.run(
            [python, "-m", "tests.clients.checks", client.checks],
            cwd=ROOT, env=_variables(server, client.api), timeout=LIMIT_SECONDS, check=False,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        yield from (error.stdout or b"").decode().splitlines()
        yield f"{FAILED} to end within {LIMIT_SECONDS} s"
        return
    yield from done.stdout.splitlines()
    if done.returncode not in {0, 1} or PASSED not in done.stdout:
        yield f"{FAILED} as a whole: ended with {done.returncode}"


def _printed(client: Client, lines: Iterator[str] | Sequence[str]) -> Sequence[Outcome]:
    outcomes = []
    for line in lines:
        print(f"{client.name} {client.version}: {line}", flush=True)
        if outcome := outcome_of(line):
            outcomes.append(outcome)
    return outcomes


def _variables(server: LocalServer, api: str) -> dict[str, str]:
    """What a user sets; nothing that this shell has set for another server remains."""
    kept = {name: value for name, value in os.environ.items() if "IONQ" not in name}
    return kept | {
        "IONBOX_URL": server.url,
        "IONQ_API_KEY": server.key,
        "IONQ_API_URL": f"{server.url}/{api}",
        "IONQ_REMOTE_HOST": server.url,
        "PYTHONWARNINGS": "ignore",
    }


def main() -> int:
    """Run the named environments, or all of them."""
    environments = sys.argv[1:] or ENVIRONMENTS
    outcomes: dict[Client, Sequence[Outcome]] = {}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for of_environment in pool.map(run_environment, environments):
            outcomes |= of_environment
    passed = [outcome.is_passed for of_client in outcomes.values() for outcome in of_client]
    if outcomes.keys() == set(CLIENTS):
        write_report(outcomes)
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
