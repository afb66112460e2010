"""ionq-core, the official client. It has no simulator: what is sent is known or undoes itself."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tarfile
from datetime import UTC, date, datetime
from importlib.metadata import version
from math import cos, pi
from pathlib import Path
from typing import Any

import ionq_core
from ionq_core.models import (
    CloneJobPayload,
    JobsBulkOperationRequest,
    QuantumFunctionJobCreationPayload,
)
from ionq_core.models.formats import FORMATS_VALUES
from ionq_core.models.qis_gate import QIS_GATE_VALUES
from tests.clients.checks import API, KEY, METADATA, PAIRS, URL, raises, same
from tests.clients.ionq_core_jobs import (
    BELL,
    CLIENT,
    artifact,
    call,
    finished,
    probabilities,
    settings,
    submit,
    submit_many,
    submit_text,
)

SLOW = [{"gate": "ry", "target": i % 24, "rotation": 0.1 + i} for i in range(5_000)]
SLOW_PAIR = [{"gate": "ry", "target": i % 2, "rotation": 0.1 + i} for i in range(50_000)]


def noise(seed: int) -> dict[str, Any]:
    return {"noise": {"model": "aria-1", "seed": seed}}


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
    ideal = finished(submit([{"gate": "x", "target": 0}], 2))
    sampled = finished(submit(BELL, 2, shots=300, **noise(7)))
    shots = artifact(sampled, "ionq.result.shots.json.v1")
    registers = artifact(sampled, "ionq.result.shots.json.v2")["shots"]

    ones = {"registers": {"output_all": {"10": 1}}}  # of version 2, q[0] is the left one
    assert artifact(ideal, "ionq.result.probabilities.json.v1") == {"1": 1}
    assert artifact(ideal, "ionq.result.probabilities.json.v2") == {"probabilities": ones}
    histogram = {state: shots.count(state) for state in set(shots)}
    assert artifact(sampled, "ionq.result.histogram.json.v1") == histogram
    bits = [shot["registers"]["output_all"] for shot in registers]
    assert [str(a + 2 * b) for a, b in bits] == shots


def check_noise_repeats_with_its_seed() -> None:
    def shots(seed: int) -> Any:
        job = finished(submit(BELL, 2, shots=2_000, **noise(seed)))
        return artifact(job, "ionq.result.shots.json.v1")

    assert shots(7) == shots(7) != shots(8)


def check_many_circuits_in_one_job() -> None:
    job = finished(submit_many(BELL, [], [{"gate": "x", "target": 1}], metadata=METADATA))
    found = call("default.get_job_probabilities", job.id).additional_properties
    children = [call("default.get_job", job_id) for job_id in job.child_job_ids]
    listed = call("default.get_jobs", parent_job_id=job.id).jobs

    assert [child.name for child in children] == ["circuit 0", "circuit 1", "circuit 2"]
    assert {child.parent_job_id for child in children} == {job.id}
    assert {child.id for child in listed} == set(job.child_job_ids)
    assert (job.stats.circuits, job.metadata.additional_properties) == (3, METADATA)
    assert list(found) == job.child_job_ids
    assert list(found.values()) == [{"0": 0.5, "3": 0.5}, {"0": 1}, {"2": 1}]
    assert artifact(job, "ionq.result.probabilities-aggregate.json.v1") == found


def check_many_circuits_keep_their_order() -> None:
    circuits = [[{"gate": "x", "target": q} for q in (0, 1) if i >> q & 1] for i in range(300)]
    job = finished(submit_many(*circuits))

    found = call("default.get_job_probabilities", job.id, sharpen=True).additional_properties
    assert list(found) == job.child_job_ids
    assert list(found.values()) == [{str(i % 4): 1} for i in range(300)]


def check_many_circuits_are_canceled_and_deleted_together() -> None:
    canceled, deleted = submit_many(SLOW_PAIR, SLOW_PAIR), finished(submit_many(BELL, BELL))
    call("default.cancel_job", canceled)
    call("default.delete_job", deleted.id)

    parent = call("default.get_job", canceled)
    for job_id in (canceled, *parent.child_job_ids):
        assert call("default.get_job", job_id).status in {"canceled", "completed"}
    assert parent.status == "canceled"
    for job_id in (deleted.id, *deleted.child_job_ids):
        raises(ionq_core.NotFoundError, call, "default.get_job", job_id)


def check_openqasm_with_measurement_in_mid_circuit() -> None:
    program = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[1] early; bit[2] late;
        x q[0]; early[0] = measure q[0]; reset q[0]; h q[1]; cx q[1], q[0]; late = measure q;"""
    job = finished(submit_text(program, shots=500, **noise(7)))
    shots = artifact(job, "ionq.result.shots.json.v2")["shots"]

    likely = ({"early": [1], "late": [bit] * 2, "output_all": [bit] * 2} for bit in (0, 1))
    both = [sum(shot["registers"] == registers for shot in shots) for registers in likely]
    assert min(both) > 200
    assert sum(both) > 475


def check_a_quantum_function() -> None:
    ansatz = "input float[64] a; qubit[2] q; rx(a) q[0]; ctrl @ x q[0], q[1];"
    terms = [{"pauli_string": "ZZ", "coefficient": 2}, {"pauli_string": "IZ", "coefficient": 3}]
    energy = {"hamiltonian": terms, "ansatz": {"data": ansatz}}
    data = {"type": "hamiltonian-energy", "data": energy}
    body = {"type": "quantum-function", "backend": "simulator",
            "input": {"data": data, "params": [0.7]}}  # fmt: skip
    created = call("default.create_job", body=QuantumFunctionJobCreationPayload.from_dict(body))

    # Z on q[0], at the right of the string, or on q[1]: cos(0.7) on either after the CNOT.
    assert abs(finished(created.id).results.value - (2 + 3 * cos(0.7))) < 1e-6


def check_sessions() -> None:
    with ionq_core.SessionManager(CLIENT, "simulator", max_jobs=2, max_time=5) as session:
        begun = session.status()
        first, second = (submit(BELL, 2, session_id=session.session_id) for _ in range(2))
        finished(first)
        jobs = call("default.get_session_jobs", session.session_id).jobs
        assert (begun, session.status()) == ("created", "started")
        assert [job.id for job in jobs] == [second, first]
        assert {job.session_id for job in jobs} == {session.session_id}
        raises(ionq_core.BadRequestError, submit, BELL, 2, session_id=session.session_id)

    assert session.status() == "ended"
    for active in (True, False):
        listed = call("default.get_sessions", active=active).sessions
        assert (session.session_id in {found.id for found in listed}) is not active
    raises(ionq_core.BadRequestError, submit, BELL, 2, session_id=session.session_id)


def check_clone_and_move() -> None:
    origin = finished(submit([{"gate": "x", "target": 1}], 2, name="origin", metadata=METADATA))
    clone = CloneJobPayload.from_dict({"name": "clone", "shots": 30})
    cloned = finished(call("default.clone_job", origin.id, body=clone).id)
    slow = submit(SLOW, 24, name="slow")
    moved = call("default.move_job", slow, body=CloneJobPayload.from_dict({"dry_run": True}))

    assert (cloned.name, cloned.shots, cloned.stats.qubits) == ("clone", 30, 2)
    assert call("default.get_job_probabilities", cloned.id).additional_properties == {"2": 1}
    assert cloned.metadata.additional_properties == METADATA
    assert call("default.get_job", slow).status == "canceled"
    assert (finished(moved.id).name, finished(moved.id).dry_run) == ("slow", True)


def check_usage() -> None:
    finished(submit(BELL, 2))
    today = datetime.now(UTC).date()
    for group in ("project", "user", "job"):
        for modality in ("daily", "weekly", "monthly"):
            usage = _usage(date(today.year, 1, 1), group_by=group, modality=modality)
            assert (usage.group_type, usage.modality) == (group, modality)
            assert usage.usage_data[0].job_count > 0
    assert _usage(today, group_by="project", modality="daily").usage_to.date() > today


def _usage(start: date, **view: str) -> Any:
    today = datetime.now(UTC).date()
    return call("usage.get_usages", _organization(), start_date=start, end_date=today, **view)


def _organization() -> str:
    return str(call("default.get_sessions").organization_id)


def check_schemas_of_formats() -> None:
    for result_format in FORMATS_VALUES:
        schema = call("schemas.get_format_schema", result_format)
        assert schema.to_dict()["$id"].endswith(result_format), schema


def check_the_integration_suite_of_ionq_core_itself() -> None:
    """As its authors run it against the live service; it wants two jobs, one completed."""
    finished(submit(BELL, 2))
    finished(submit(BELL, 2))
    where = {"IONQ_API_URL": f"{URL}/{API}", "IONQ_API_KEY": KEY, "IONQ_ORG_ID": _organization()}
    # Its warnings are errors, and it warns of http.
    allowed = ("ignore:base_url:UserWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/integration", "-m", "integration", "--no-cov",
         "-rs", *(f"-W{warning}" for warning in allowed)],
        cwd=_sources(), env=os.environ | where, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert re.search(r"\b28 passed in ", done.stdout), done.stdout


def _sources() -> Path:
    """Return the client's source distribution, which alone holds its tests."""
    release, directory = f"ionq_core-{version('ionq-core')}", Path(sys.prefix, "sources")
    if not (directory / release).exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--quiet", "--no-deps"]
        wanted = release.replace("-", "==")
        subprocess.run([*pip, "--no-binary=:all:", "--dest", directory, wanted], check=True)
        with tarfile.open(directory / f"{release}.tar.gz") as archive:
            archive.extractall(directory, filter="data")
    return directory / release


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
    dense = [{"gate": "xx", "targets": [a, b], "rotation": 0.5} for a, b in PAIRS]
    raises(ionq_core.JobFailedError, finished, submit(dense, 60), saying="60 qubits")
    twelve = submit(BELL, 12, backend="qpu.harmony")
    raises(ionq_core.JobFailedError, finished, twelve, saying="qpu.harmony has 11")
    few = {"backend": "qpu.aria-1", "shots": 100, **settings(debiasing=True)}
    raises(ionq_core.BadRequestError, submit, BELL, 2, **few, saying="at least 500")
    raises(ionq_core.AuthenticationError, call, "whoami.get_whoami", client=stranger)


def check_who_the_key_belongs_to() -> None:
    assert call("whoami.get_whoami").key_id.version


def check_backends_need_no_key() -> None:
    nobody = ionq_core.Client(base_url=f"{URL}/{API}")
    measured = call("characterizations.get_characterizations_for_backend", "simulator")

    assert call("backends.get_backend", "simulator", client=nobody).qubits >= 20
    assert "simulator" in [b.backend for b in call("backends.get_backends", client=nobody)]
    assert measured.characterizations == []
