"""Writes docs/reference/clients.md: which clients were run, and what was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.clients.checks import Outcome
from tests.clients.environments import ROOT, Client

PAGE = ROOT / "docs" / "reference" / "clients.md"
_TOP = """\
# Clients

`make test-clients` runs released clients against a server, unchanged and in exactly these versions,
and writes this page. Circuits of all gates that a client can send are compared with the simulator
of its own framework, or Qiskit's where it has none, to 1e-6; ionq-core's undo themselves. On the
twins of devices, shots sum to what was asked for, and nearly all, but not all, are right. The first
four clients and ionbox itself share one environment.

Clients of API v0.2 (ProjectQ, Tangelo) are answered with 404, and told which versions are served.

| Client, as on PyPI | Version | API | Checks passed |
| --- | --- | --- | --- |
"""


def write_report(outcomes: Mapping[Client, Sequence[Outcome]]) -> None:
    """Write the page; the same outcomes give the same text."""
    rows = "".join(_row(client, found) for client, found in outcomes.items())
    PAGE.write_text(_TOP + rows + "".join(_sections(outcomes)))


def _row(client: Client, outcomes: Sequence[Outcome]) -> str:
    num_passed = sum(outcome.is_passed for outcome in outcomes)
    return (
        f"| {client.name} | {client.version} | {client.api} | {num_passed} of {len(outcomes)} |\n"
    )


def _sections(outcomes: Mapping[Client, Sequence[Outcome]]) -> Iterator[str]:
    """What is checked, once for each name; in brackets where not all of its versions are."""
    for name in dict.fromkeys(client.name for client in outcomes):
        clients = [client for client in outcomes if client.name == name]
        checked: dict[str, list[str]] = {}
        for client in clients:
            for outcome in outcomes[client]:
                checked.setdefault(outcome.words, []).append(client.version)
        yield f"\n## {name}\n\n"
        for words, versions in checked.items():
            where = "" if len(versions) == len(clients) else f" ({', '.join(versions)})"
            yield f"- {words}{where}\n"
