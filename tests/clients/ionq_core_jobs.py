"""Jobs as ionq-core sends and reads them, for its checks."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import ionq_core
from ionq_core.models import CircuitJobCreationPayload, JSONMultiCircuitJob
from tests.clients.checks import API, URL

CLIENT = ionq_core.IonQClient(base_url=f"{URL}/{API}")
BELL = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
EITHER = [*BELL, {"gate": "x", "target": 1}]  # of three qubits: 1 or 2


def call(endpoint: str, *args: Any, client: Any = CLIENT, **kwargs: Any) -> Any:
    return import_module(f"ionq_core.api.{endpoint}").sync(*args, client=client, **kwargs)


def submit(circuit: list[Any], num_qubits: int, gateset: str = "qis", **more: Any) -> str:
    written = {"gateset": gateset, "qubits": num_qubits, "circuit": circuit}
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": written, **more}
    return str(call("default.create_job", body=CircuitJobCreationPayload.from_dict(body)).id)


def submit_many(*circuits: list[Any], **more: Any) -> str:
    named = [{"name": f"circuit {i}", "circuit": circuit} for i, circuit in enumerate(circuits)]
    written = {"gateset": "qis", "qubits": 2, "circuits": named}
    body = {"type": "ionq.multi-circuit.v1", "backend": "simulator", "input": written, **more}
    return str(call("default.create_job", body=JSONMultiCircuitJob.from_dict(body)).id)


def submit_text(program: str, **more: Any) -> str:
    body = {"type": "ionq.qasm3.v1", "backend": "simulator", "input": {"data": program}, **more}
    return str(call("default.create_job", body=CircuitJobCreationPayload.from_dict(body)).id)


def artifact(job: Any, result_format: str) -> Any:
    """Return a result by the id that the job gives for its format."""
    return downloaded(job, job.results[result_format])


def downloaded(job: Any, descriptor: Any) -> Any:
    get = import_module("ionq_core.api.default.get_job_artifact").sync_detailed
    content = get(job.id, descriptor.id, client=CLIENT).content
    return json.loads(content) if "json" in descriptor.media_type else content.decode()


def settings(**mitigation: bool) -> dict[str, Any]:
    return {"settings": {"error_mitigation": mitigation}}


def finished(job_id: str) -> Any:
    return ionq_core.wait_for_job(CLIENT, job_id, poll_interval=0.05)


def probabilities(*circuit: Any) -> dict[int, float]:
    return probabilities_of(finished(submit(*circuit)))


def probabilities_of(job: Any, **query: Any) -> dict[int, float]:
    sent = call("default.get_job_probabilities", job.id, **query).additional_properties
    return {int(state): p for state, p in sent.items()}
