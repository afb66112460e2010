"""What IonQ refuses and ionbox can do: it runs with a warning, or fails as it would there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

from ionbox import LocalServer

CONTROLS: dict[str, Any] = {
    "qubits": 9,
    "circuit": [
        {"gate": "x", "targets": list(range(8))},
        {"gate": "x", "target": 8, "controls": list(range(8))},
    ],
}
BRANCH = (
    'OPENQASM 3; include "stdgates.inc"; qubit q; bit b; h q; b = measure q; if (b) { x q; } '
    "b = measure q;"
)


@pytest.fixture(scope="module")
def strict() -> Iterator[Api]:
    with LocalServer(workers=2, limits="ionq") as server:
        yield Api.of(server)


def test_more_controls_than_ionq_takes(api: Api, strict: Api) -> None:
    text = "8 controls in one gate; 7 at most"
    job, refused = api.created(CONTROLS), strict.created(CONTROLS)

    assert job["warning"]["messages"] == [f"IonQ refuses this: {text}"]
    assert api.get(job["results"]["probabilities"]["url"]) == {"511": 1}
    assert refused["failure"]["code"] == "TooManyControls"
    assert refused["failure"]["message"] == f"{text} (--limits ionq)"


def test_control_flow(api: Api, strict: Api) -> None:
    job = api.created({"data": BRANCH}, type="ionq.qasm3.v1")
    refused = strict.created({"data": BRANCH}, type="ionq.qasm3.v1")

    assert api.get(job["results"]["probabilities"]["url"]) == {"0": 1}
    assert refused["failure"]["code"] == "PreflightError"


def test_more_qubits_than_ionqs_simulator_has(strict: Api) -> None:
    wide = {"qubits": 30, "circuit": [{"gate": "x", "target": 29}]}

    assert strict.created(wide)["failure"]["code"] == "NotEnoughQubits"


def test_what_ionq_takes_runs(strict: Api) -> None:
    assert strict.created(BELL)["status"] == "completed"
