"""ionq-core on the twins of devices."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import ionq_core
from ionq_core.models import CloneJobPayload
from tests.clients.checks import DEVICES, LEAST_RIGHT, SHOTS, mostly, raises, same
from tests.clients.ionq_core_jobs import (
    BELL,
    CLIENT,
    EITHER,
    artifact,
    call,
    downloaded,
    finished,
    probabilities_of,
    settings,
    submit,
    submit_many,
    submit_text,
)

SEEDED = {"shots": SHOTS, "noise": {"model": "ideal", "seed": 7}}  # a device has its own noise


def on_device(name: str, circuit: list[Any] = EITHER, **more: Any) -> Any:
    return finished(submit(circuit, 3, backend=name, **{**SEEDED, **more}))


def check_dry_run_cost_and_estimate() -> None:
    """So many shots are debiased unless that is refused, which has a price of its own."""
    asked: dict[str, Any] = {"backend": "qpu.forte-1", "shots": 1_000}
    dry, paid = (finished(submit(BELL, 2, **asked, dry_run=is_dry)) for is_dry in (True, False))
    cost, charged = (call("default.get_job_cost", job.id) for job in (dry, paid))
    estimate = call("default.estimate_job_cost", **asked, qubits=2, field_1q_gates=1,
                    field_2q_gates=1, error_mitigation=True)  # fmt: skip

    assert (dry.dry_run, dry.results, cost.dry_run, cost.estimated_cost.unit) == (
        True, None, True, "usd",
    )  # fmt: skip
    assert cost.estimated_cost.value == charged.cost.value > 0
    assert cost.estimated_cost.value == estimate.estimated_total_cost
    assert estimate.estimate_context.backend == "qpu.forte-1"


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        job = on_device(name)
        mostly(artifact(job, "ionq.result.histogram.json.v1"), "1", "2")
        found = probabilities_of(job)
        assert LEAST_RIGHT < found[1] + found[2] < 1
        assert (job.backend, job.failure, job.stats.qubits) == (name, None, 3)


def check_circuits_of_the_gates_of_a_device() -> None:
    native = [
        *({"gate": "gpi2", "target": qubit, "phase": 0.25} for qubit in (0, 1)),
        {"gate": "zz", "targets": [0, 1], "angle": 0.25},
        {"gate": "gpi2", "target": 1, "phase": 0},  # 0 or 3
        {"gate": "gpi", "target": 1, "phase": 0},
    ]
    job = finished(submit(native, 3, "native", backend="qpu.forte-1", **SEEDED))
    unknown = submit(native, 3, "native", backend="qpu.aria-1")

    mostly(artifact(job, "ionq.result.histogram.json.v1"), "1", "2")
    assert job.output.error_mitigation.debiasing is False
    raises(ionq_core.JobFailedError, finished, unknown, saying="native gate 'zz'")


def check_debiasing_and_its_aggregations() -> None:
    job = on_device("qpu.harmony")
    mitigation = job.output.error_mitigation
    variants = mitigation.debiasing.variants
    of_format = "ionq.result.histogram.json.v2"

    parts = [downloaded(job, variant.results[of_format]) for variant in variants]
    sums = [sum(part["histogram"]["registers"]["output_all"].values()) for part in parts]
    assert sums == [variant.shots for variant in variants]
    assert sum(sums) == SHOTS
    assert len({tuple(variant.qubit_map) for variant in variants}) == len(variants) > 20
    aggregations = mitigation.aggregations
    average, voting = (
        downloaded(job, row)["histogram"]["registers"]["output_all"]
        for row in (aggregations.average, aggregations.voting)
    )
    mostly(average, "100", "010")  # of version 2, q[0] is the left one
    assert set(voting) == {"100", "010"}
    for word in ("dnl", "majority"):
        counts = downloaded(job, getattr(aggregations, word))["histogram"]["registers"]
        assert sum(counts["output_all"].values()) == SHOTS
    for sharpen, counts in ((False, average), (True, voting)):
        sent = probabilities_of(job, sharpen=sharpen)
        assert abs(sent[1] - counts["100"] / SHOTS) < 1e-9
    plain = on_device("qpu.harmony", **settings(debiasing=False))
    assert plain.output.error_mitigation.debiasing is False


def check_symmetry_verification() -> None:
    mitigated = settings(debiasing=False, symmetry_verification=True)
    job = on_device("qpu.harmony", **mitigated)
    found = job.output.error_mitigation.symmetry_verification
    counts = artifact(job, "ionq.result.histogram.json.v1")

    assert (found.num_allowed_states, found.applied) == (2, True)
    assert set(counts) == {"1", "2"}
    assert LEAST_RIGHT * SHOTS < sum(counts.values()) < SHOTS


def check_compiled_circuits() -> None:
    for name, gate in (("qpu.aria-1", "ms"), ("qpu.forte-1", "zz")):
        job = on_device(name, dry_run=True)
        compiled = job.output.compilation.compiled_circuits
        native = downloaded(job, compiled["ionq.native.v1"])
        gates = [operation["gate"] for operation in native["circuit"]]

        assert (job.dry_run, job.results, gates.count(gate)) == (True, None, 1)
        for again in (
            submit(native["circuit"], 3, "native"),
            submit_text(downloaded(job, compiled["ionq.qasm3.v1"])),
        ):
            same(probabilities_of(finished(again)), {1: 0.5, 2: 0.5})


def check_a_device_repeats_with_a_seed() -> None:
    def shots(seed: int) -> Any:
        job = on_device("qpu.aria-2", noise={"model": "ideal", "seed": seed})
        return artifact(job, "ionq.result.shots.json.v1")

    assert shots(7) == shots(7) != shots(8)


def check_many_circuits_and_openqasm_on_a_device() -> None:
    many = finished(submit_many(BELL, [{"gate": "x", "target": 1}], backend="qpu.aria-1", **SEEDED))
    found = call("default.get_job_probabilities", many.id, sharpen=True).additional_properties
    text = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[1] early; bit[1] late;
        x q[0]; early[0] = measure q[0]; reset q[0]; x q[1]; late[0] = measure q[1];"""
    job = finished(submit_text(text, backend="qpu.forte-1", **SEEDED))
    registers = artifact(job, "ionq.result.histogram.json.v2")["histogram"]["registers"]

    assert [set(states) for states in found.values()] == [{"0", "3"}, {"2"}]
    mostly(registers["early"], "1")
    mostly(registers["late"], "1")
    mostly(registers["output_all"], "01")


def check_sessions_on_a_device() -> None:
    with ionq_core.SessionManager(CLIENT, "qpu.aria-1", max_jobs=1) as session:
        job = on_device("qpu.aria-1", session_id=session.session_id)
        assert job.session_id == session.session_id
        more = {"backend": "qpu.aria-1", "session_id": session.session_id}
        raises(ionq_core.BadRequestError, submit, BELL, 2, **more, saying="1 job")

    assert session.status() == "ended"


def check_clones_go_from_the_simulator_to_a_device() -> None:
    origin = finished(submit(EITHER, 3, shots=SHOTS))
    clone = CloneJobPayload.from_dict({"backend": "qpu.forte-1", "noise": SEEDED["noise"]})
    cloned = finished(call("default.clone_job", origin.id, body=clone).id)

    mostly(artifact(cloned, "ionq.result.histogram.json.v1"), "1", "2")


def check_characterizations() -> None:
    get = import_module("ionq_core.api.characterizations.get_characterization").sync
    for name in DEVICES:
        device = call("backends.get_backend", name)
        (newest,) = call(
            "characterizations.get_characterizations_for_backend", name, limit=1
        ).characterizations

        assert get(name, newest.id, client=CLIENT) == newest
        assert (str(newest.id), newest.qubits) == (device.characterization_id, device.qubits)
        assert 0.9 < newest.fidelity.spam.median <= 1
        assert device.status == "available"
