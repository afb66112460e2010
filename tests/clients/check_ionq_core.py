"""ionq-core, the official client. It has no simulator: what is sent is known or undoes itself."""

from __future__ import annotations

import json
import random
from importlib import import_module
from math import cos, pi
from typing import Any

import ionq_core
from ionq_core.models import CircuitJobCreationPayload, JobsBulkOperationRequest
from ionq_core.models.qis_gate import QIS_GATE_VALUES
from tests.clients.checks import API, KEY, METADATA, URL, raises, same

CLIENT = ionq_core.IonQClient(base_url=f"{URL}/{API}")
BELL = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
SLOW = [{"gate": "ry", "target": i % 24, "rotation": 0.1 + i} for i in range(5_000)]


def call(endpoint: str, *args: Any, client: Any = CLIENT, **kwargs: Any) -> Any:
    return import_module(f"ionq_core.api.{endpoint}").sync(*args, client=client, **kwargs)


def submit(circuit: list[Any], num_qubits: int, gateset: str = "qis", **more: Any) -> str:
    written = {"gateset": gateset, "qubits": num_qubits, "circuit": circuit}
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": written, **more}
    return str(call("default.create_job", body=CircuitJobCreationPayload.from_dict(body)).id)


def finished(job_id: str) -> Any:
    return ionq_core.wait_for_job(CLIENT, job_id, poll_interval=0.05)


def probabilities(*circuit: Any) -> dict[int, float]:
    job = finished(submit(*circuit))
    sent = call("default.get_job_probabilities", job.id).additional_properties
    return {int(state): p for state, p in sent.items()}


def check_bell_and_ghz() -> None:
    ladder = [{"gate": "cnot", "control": i, "target": i + 1} for i in range(4)]

    assert probabilities(BELL, 2) == {0: 0.5, 3: 0.5}
    assert probabilities([BELL[0], *ladder], 5) == {0: 0.5, 31: 0.5}


def check_every_qis_gate_is_undone_by_its_inverse() -> None:
    rng, circuit, undone = random.Random(7), [], []
    inverse = {"s": "si", "si": "s", "t": "ti", "ti": "t", "v": "vi", "vi": "v"}
    for name in sorted(QIS_GATE_VALUES - {"pauliexp"}) * 3:  # its model drops the terms
        first, second = rng.sample(range(4), 2)
        gate: dict[str, Any] = {"gate": name, "target": first}
        if name in {"swap", "xx", "yy", "zz"}:
            gate = {"gate": name, "targets": [first, second]}
        if name == "cnot":
            gate["control"] = second
        rotation = rng.uniform(-3, 3)
        turns = name in {"rx", "ry", "rz", "xx", "yy", "zz"}
        circuit.append(gate | ({"rotation": rotation} if turns else {}))
        back = gate | {"gate": inverse.get(name, name)}
        undone.append(back | ({"rotation": -rotation} if turns else {}))

    same(probabilities([{"gate": "x", "target": 2}, *circuit, *undone[::-1]], 4), {4: 1.0})


def check_native_gates() -> None:
    circuit = [
        {"gate": "gpi", "target": 2, "phase": 0.3},
        {"gate": "gpi2", "target": 3, "phase": 0.1},
        {"gate": "zz", "targets": [3, 2], "angle": 0.25},  # a quarter turn back
        {"gate": "gpi2", "target": 3, "phase": -0.15},  # 0.1 would follow without it
        {"gate": "ms", "targets": [0, 1], "phases": [0.2, 0.7], "angle": 0.1},
    ]
    kept = cos(pi * 0.1) ** 2

    same(probabilities(circuit, 4, "native"), {12: kept, 15: 1 - kept})


def check_a_job_comes_back_as_it_was_sent() -> None:
    job = finished(submit(BELL, 2, metadata=METADATA, name="bell", shots=250))

    assert job.metadata.additional_properties == METADATA
    assert (job.name, job.shots, job.stats.qubits) == ("bell", 250, 2)
    assert call("default.get_job_cost", job.id).cost.value == 0


def check_artifacts() -> None:
    job = finished(submit(BELL, 2))
    artifact = job.results.to_dict()["ionq.result.probabilities.json.v2"]["id"]
    get = import_module("ionq_core.api.default.get_job_artifact").sync_detailed

    registers = json.loads(get(job.id, artifact, client=CLIENT).content)["probabilities"]
    assert registers == {"registers": {"output_all": {"00": 0.5, "11": 0.5}}}


def check_list_follows_the_pages() -> None:
    job_ids = [submit(BELL, 2) for _ in range(5)]
    listed = [job.id for job in ionq_core.iter_jobs(CLIENT, limit=2)]

    assert listed[:5] == job_ids[::-1]
    assert len(listed) == len(set(listed))


def check_cancel_one_and_many() -> None:
    first, *others = [submit(SLOW, 24) for _ in range(3)]

    assert call("default.cancel_job", first).status == "canceled"
    call("default.cancel_jobs", body=JobsBulkOperationRequest(ids=others))
    for job_id in (first, *others):
        assert call("default.get_job", job_id).status == "canceled"


def check_delete_one_and_many() -> None:
    first, *others = [submit(BELL, 2) for _ in range(3)]

    assert call("default.delete_job", first).status == "deleted"
    call("default.delete_jobs", body=JobsBulkOperationRequest(ids=others))
    for job_id in (first, *others):
        raises(ionq_core.NotFoundError, call, "default.get_job", job_id)


def check_errors_are_the_clients_own() -> None:
    stranger = ionq_core.IonQClient(base_url=f"{URL}/{API}", api_key=KEY[:-1])
    outside = [{"gate": "h", "target": 7}]

    raises(ionq_core.BadRequestError, submit, outside, 2, saying="circuit[0]")
    raises(ionq_core.JobFailedError, finished, submit(BELL, 60), saying="60 qubits")
    raises(ionq_core.AuthenticationError, call, "whoami.get_whoami", client=stranger)


def check_who_the_key_belongs_to() -> None:
    assert call("whoami.get_whoami").key_id.version


def check_backends_need_no_key() -> None:
    nobody = ionq_core.Client(base_url=f"{URL}/{API}")
    measured = call("characterizations.get_characterizations_for_backend", "simulator")

    assert call("backends.get_backend", "simulator", client=nobody).qubits >= 20
    assert "simulator" in [b.backend for b in call("backends.get_backends", client=nobody)]
    assert measured.characterizations == []
