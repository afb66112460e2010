"""A working day with the server; every answer is held against the official document.

Runs in schemathesis's environment: `python -m tests.schema.answers` asks IONBOX_URL.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
import requests
import schemathesis
from tests.schema.official import document

PATIENCE_SECONDS = 60.0
ENDED = {"completed", "failed", "canceled"}

BELL = {
    "gateset": "qis",
    "qubits": 2,
    "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}],
}
NATIVE = {
    "gateset": "native",
    "qubits": 2,
    "circuit": [
        {"gate": "gpi2", "target": 0, "phase": 0.25},
        {"gate": "zz", "targets": [0, 1], "angle": 0.25},
    ],
}
MANY = {
    "gateset": "qis",
    "qubits": 2,
    "circuits": [{"name": "first", "circuit": BELL["circuit"]}, {"circuit": []}],
}
OPENQASM = {
    "data": 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; c = measure q;'
}
FUNCTION = {
    "data": {
        "type": "hamiltonian-energy",
        "data": {
            "hamiltonian": [{"pauli_string": "ZZ", "coefficient": 1.0}],
            "ansatz": {"data": "OPENQASM 3.0; input float t; qubit[2] q; ry(t) q[0];"},
        },
    },
    "params": [0.5],
}
NOISE = {"model": "aria-1", "seed": 7}
MIDWAY = {
    "data": 'OPENQASM 3.0; include "stdgates.inc"; qubit[1] q; bit[1] c; x q[0]; '
    "c[0] = measure q[0]; reset q[0];"
}
DEBIASED = {"shots": 600, "noise": {"model": "ideal", "seed": 7}}
VERIFIED = {"error_mitigation": {"symmetry_verification": True, "debiasing": False}}
COMPILED = {"compilation": {"opt": 2, "precision": "1E-4", "gate_basis": "ZZ"}}
# What a job is called here → its type, its input, and what else is sent.
JOBS: Mapping[str, tuple[str, Any, Mapping[str, Any]]] = {
    "ideal": ("ionq.circuit.v1", BELL, {"name": "Bell", "metadata": {"a": "b"}}),
    "noisy": ("ionq.circuit.v1", BELL, {"shots": 100, "noise": NOISE}),
    "native": ("ionq.circuit.v1", NATIVE, {}),
    "many": ("ionq.multi-circuit.v1", MANY, {}),
    "openqasm": ("ionq.qasm3.v1", OPENQASM, {}),
    "openqasm, noisy": ("ionq.qasm3.v1", OPENQASM, {"noise": NOISE}),
    "function": ("quantum-function", FUNCTION, {}),
    "dry run": ("ionq.circuit.v1", NATIVE, {"backend": "qpu.forte-1", "dry_run": True}),
    "failed": ("ionq.circuit.v1", NATIVE, {"backend": "qpu.harmony"}),  # which knows no zz
    "debiased": ("ionq.circuit.v1", BELL, {"backend": "qpu.forte-1", **DEBIASED}),
    "verified": (
        "ionq.circuit.v1",
        BELL,
        {"backend": "qpu.harmony", "settings": VERIFIED, **DEBIASED},
    ),
    "native on a device": ("ionq.circuit.v1", NATIVE, {"backend": "qpu.forte-1", **DEBIASED}),
    "dry run, debiased": (
        "ionq.circuit.v1",
        BELL,
        {"backend": "qpu.aria-1", "dry_run": True, "settings": COMPILED, **DEBIASED},
    ),
    "many, debiased": ("ionq.multi-circuit.v1", MANY, {"backend": "qpu.aria-2", **DEBIASED}),
    "openqasm on a device": ("ionq.qasm3.v1", MIDWAY, {"backend": "qpu.forte-1", **DEBIASED}),
    "with settings": (
        "ionq.circuit.v1",
        BELL,
        {"settings": {"error_mitigation": {"debiasing": False}, "compilation": {"opt": 1}}},
    ),
}


@dataclass
class Judge:
    """Sends requests and holds the answers against the document."""

    schema: Any
    url: str
    authorization: str
    faults: list[str] = field(default_factory=list)
    num_answers: int = 0

    def ask(self, method: str, path: str, expected: int = 200, **given: Any) -> Any:  # noqa: ANN401
        """Return the body of an answer.

        Args:
            path: As the document writes it; what stands in braces is taken from what is given.
            given: Beside that, `body` and `query`.
        """
        body, query = given.pop("body", None), given.pop("query", None)
        answer = requests.request(
            method, f"{self.url}/v0.4{path.format(**given)}", json=body, params=query,
            headers={"Authorization": self.authorization}, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        self._judge(method, path, answer, expected)
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def _judge(self, method: str, path: str, answer: requests.Response, expected: int) -> None:
        self.num_answers += 1
        place = f"{method} {path} -> {answer.status_code}"
        if answer.status_code != expected:
            self.faults.append(f"{place}, not {expected}: {answer.text[:300]}")
        try:
            self.schema[path][method].validate_response(answer)
        except* AssertionError as failures:  # what schemathesis's checks raise
            self.faults += [f"{place}: {failure}" for failure in failures.exceptions]

    def judge_artifact(self, body: Any, format_id: str) -> None:  # noqa: ANN401 - JSON
        """Hold the content of an artifact against the schema of its format."""
        components = self.schema.raw_schema["components"]
        name = "".join(part.capitalize() for part in re.split(r"[.-]", format_id))
        reference = {"$ref": f"#/components/schemas/{name}", "components": components}
        try:
            jsonschema_rs.validate(reference, body)
        except jsonschema_rs.ValidationError as error:
            self.faults.append(f"{format_id}: {error}")

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job, and judge every answer on the way."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            job: dict[str, Any] = self.ask("GET", "/jobs/{UUID}", UUID=job_id)
            if job["status"] in ENDED:
                return job
            assert time.monotonic() < deadline, job
            time.sleep(0.05)


def ask_about_jobs(judge: Judge) -> None:
    """Submit a job of every kind, and read all that came of it."""
    for job_type, given, fields in JOBS.values():
        body = {"backend": "simulator", "type": job_type, "input": given, **fields}
        job = judge.ended(judge.ask("POST", "/jobs", 201, body=body)["id"])
        judge.ask("GET", "/jobs/{UUID}/cost", UUID=job["id"])
        _ask_about_results(judge, job)
        for child_id in job["child_job_ids"] or []:
            _ask_about_results(judge, judge.ended(child_id))
    judge.ask("GET", "/jobs")
    judge.ask("GET", "/jobs", query={"limit": 1, "status": "completed"})


def _ask_about_results(judge: Judge, job: Mapping[str, Any]) -> None:
    for row in _artifacts([job["results"], job["output"]]):
        path = "/jobs/{UUID}/artifacts/{artifactId}"
        body = judge.ask("GET", path, UUID=job["id"], artifactId=row["id"])
        judge.judge_artifact(body, row["format"])
    if job["status"] == "completed" and not job["dry_run"]:
        path = "/jobs/{UUID}/results/probabilities"
        for query in ({}, {"sharpen": "true"}, {"aggregation": "dnl"}):
            judge.ask("GET", path, UUID=job["id"], query=query)
        judge.ask("GET", path, 400, UUID=job["id"], query={"aggregation": "mean"})


def _artifacts(tree: Any) -> Iterator[Mapping[str, str]]:  # noqa: ANN401 - JSON
    """Yield the descriptors of all artifacts, wherever they stand."""
    if isinstance(tree, dict) and tree.keys() >= {"id", "format"}:
        yield tree
    elif isinstance(tree, dict | list):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _artifacts(branch)


def ask_about_changes(judge: Judge) -> None:
    """Submit jobs once more, cancel and delete them."""
    body = {"backend": "simulator", "type": "ionq.circuit.v1", "input": BELL}
    job_id = judge.ask("POST", "/jobs", 201, body=body)["id"]
    judge.ended(job_id)
    for change in ("clone", "move"):
        judge.ask("POST", f"/jobs/{{UUID}}/{change}", 201, UUID=job_id, body={"shots": 7})
    judge.ask("PUT", "/jobs/{UUID}/status/cancel", UUID=job_id)
    judge.ask("PUT", "/jobs/status/cancel", body={"ids": [job_id]})
    judge.ask("DELETE", "/jobs/{UUID}", UUID=job_id)
    judge.ask("DELETE", "/jobs", body={"ids": [job_id]})
    judge.ask("GET", "/jobs/{UUID}", 404, UUID=job_id)
    judge.ask("POST", "/jobs", 400, body={})


def ask_about_sessions(judge: Judge) -> None:
    """Begin sessions, run a job in each, end them."""
    for backend in ("simulator", "qpu.aria-1"):
        _ask_about_session(judge, backend)


def _ask_about_session(judge: Judge, backend: str) -> None:
    settings = {"job_count_limit": 3, "duration_limit_min": 5}
    body = {"backend": backend, "settings": settings}
    session_id = judge.ask("POST", "/sessions", 201, body=body)["id"]
    job = {"backend": backend, "type": "ionq.circuit.v1", "input": BELL}
    judge.ended(judge.ask("POST", "/jobs", 201, body={**job, "session_id": session_id})["id"])
    judge.ask("GET", "/sessions/{session_id}", session_id=session_id)
    judge.ask("GET", "/sessions/{session_id}/jobs", session_id=session_id)
    judge.ask("GET", "/sessions", query={"active": "true"})
    judge.ask("POST", "/sessions/{session_id}/end", session_id=session_id)
    judge.ask("GET", "/sessions")


def ask_about_the_rest(judge: Judge) -> None:
    """Ask for backends, characterizations, estimates, formats and usage."""
    judge.ask("GET", "/whoami")
    for backend in judge.ask("GET", "/backends"):
        name = backend["backend"]
        judge.ask("GET", "/backends/{backend}", backend=name)
        page = judge.ask("GET", "/backends/{backend}/characterizations", backend=name)
        for row in page["characterizations"]:
            path = "/backends/{backend}/characterizations/{UUID}"
            judge.ask("GET", path, backend=name, UUID=row["id"])
        judge.ask("GET", "/jobs/estimate", query={"backend": name, "2q_gates": 10})
    for name in judge.schema.raw_schema["components"]["schemas"]["Formats"]["enum"]:
        judge.ask("GET", "/schemas/formats/{format}", format=name)
    organization = judge.ask("GET", "/sessions")["organization_id"]
    for group_by, modality in (("job", "daily"), ("project", "weekly"), ("user", "monthly")):
        days = {"start_date": "2026-01-01", "end_date": "2099-12-31"}
        query = {**days, "group_by": group_by, "modality": modality}
        path = "/organizations/{organization_id}/usage"
        judge.ask("GET", path, organization_id=organization, query=query)


def main() -> int:
    """Ask everything and print what is not as documented."""
    schema = schemathesis.openapi.from_dict(document())
    judge = Judge(schema, os.environ["IONBOX_URL"], os.environ["IONBOX_AUTHORIZATION"])
    for ask in (ask_about_jobs, ask_about_changes, ask_about_sessions, ask_about_the_rest):
        ask(judge)
    print(f"{judge.num_answers} answers, {len(judge.faults)} not as documented")
    for fault in judge.faults:
        print(fault)
    return min(len(judge.faults), 1)


if __name__ == "__main__":
    sys.exit(main())
