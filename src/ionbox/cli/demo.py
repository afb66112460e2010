"""`ionbox demo`: the notebook's job, from submit to histogram, on a server of its own."""

from __future__ import annotations

import time
from typing import Any

import click

from ionbox.cli.local import call
from ionbox.local_server import LocalServer

BELL = {
    "name": "Bell pair",
    "shots": 100,
    "target": "simulator",
    "input": {
        "format": "ionq.circuit.v0",
        "gateset": "qis",
        "qubits": 2,
        "circuit": [
            {"gate": "h", "target": 0},
            {"gate": "cnot", "control": 0, "target": 1},
        ],
    },
}
_BAR_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@click.command()
def demo() -> None:
    """Run a Bell pair on a server that lives just for this."""
    click.echo("Starting an ionbox server ...")
    with LocalServer() as server:
        click.echo(f"POST {server.url}/v0.3/jobs")
        job_id = _call(server, "/jobs", BELL)["id"]
        while (job := _call(server, f"/jobs/{job_id}"))["status"] != "completed":
            if job["status"] == "failed":
                raise click.ClickException(job["failure"]["error"])
            time.sleep(0.01)
        click.echo(f"GET  {server.url}/v0.3/jobs/{job_id}/results")
        probabilities = _call(server, f"/jobs/{job_id}/results")
    click.echo(f"\n{probabilities}\n\n{histogram(probabilities, num_qubits=job['qubits'])}")


def histogram(probabilities: dict[str, float], *, num_qubits: int) -> str:
    """Return a bar chart in text: one line for each basis state, qubit 0 rightmost."""
    largest = max(probabilities.values())
    return "\n".join(
        f"  |{int(state):0{num_qubits}b}⟩ {_bar(p / largest):{_BAR_WIDTH}} {p:.4f}"
        for state, p in probabilities.items()
    )


def _bar(share: float) -> str:
    whole, eighths = divmod(round(share * _BAR_WIDTH * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def _call(server: LocalServer, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    method = "GET" if body is None else "POST"
    authorization = f"apiKey {server.key}"
    return call(method, f"{server.url}/v0.3{path}", authorization=authorization, body=body)
