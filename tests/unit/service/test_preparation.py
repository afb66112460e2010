from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.builders import make_targets

from ionbox.backends.noise import NOISE_MODELS
from ionbox.backends.twins import Twin
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.engine import Estimate, Outcome
from ionbox.engines.planner import ENGINES, engine_named, plan
from ionbox.formats.inputs import Input, read_input
from ionbox.formats.results import Result, Sampled, Shots, basis_states_of
from ionbox.jobs.output import MOST_COUNTED, Output, SymmetryOutput
from ionbox.service.device_settings import DeviceRun, DeviceSettings
from ionbox.service.planning import Rules
from ionbox.service.preparation import Conditions, Prepared, gather, misfit, prepare

RULES = Rules(memory_bytes=1 << 30)
# All qubits end in a state of their own, so that exchanged qubits are seen.
ASYMMETRIC: list[dict[str, Any]] = [
    {"gate": "x", "target": 0},
    {"gate": "swap", "targets": [0, 2]},
    {"gate": "x", "target": 1},
]


def given_of(circuit: list[dict[str, Any]], qubits: int = 3, **more: Any) -> Input:  # noqa: ANN401
    body = {"gateset": "qis", "qubits": qubits, "circuit": circuit} | more
    return read_input("ionq.circuit.v1", msgspec.json.encode(body))


def on_device(name: str = "qpu.forte-1", **settings: Any) -> DeviceRun:  # noqa: ANN401 - fields
    backend = make_targets().backends[name]
    twin = backend.twin(backend.characterization_id)
    assert twin is not None
    return DeviceRun(twin, DeviceSettings(**settings))


def conditions(shots: int = 2000, device: DeviceRun | None = None) -> Conditions:
    return Conditions(shots, 7, RULES, device=device or on_device())


def outcomes(prepared: Prepared) -> list[Result]:
    def run(part: Any) -> Outcome:  # noqa: ANN401 - a part
        chosen = plan(part.workload, memory_bytes=RULES.memory_bytes).chosen
        assert chosen is not None
        return engine_named(chosen.engine).run(part.workload)

    return [run(part).result for part in prepared.parts]


def gathered(prepared: Prepared) -> Sampled:
    result = gather(prepared, outcomes(prepared), 7).result
    assert isinstance(result, Sampled)
    return result


def states(result: Sampled) -> NDArray[np.uint64]:
    return basis_states_of(result.registers[OUTPUT_ALL].rows)


def test_a_job_on_the_simulator_is_one_workload_as_it_was_submitted() -> None:
    given = given_of(ASYMMETRIC)

    prepared = prepare(given, Conditions(10, 7, RULES, NOISE_MODELS["aria-1"]))

    (part,) = prepared.parts
    assert part.workload.program is given.program
    assert part.workload.noise is NOISE_MODELS["aria-1"]
    assert (prepared.output, part.final_qubits) == (None, None)


@pytest.mark.parametrize("opt", [0, 1])
@pytest.mark.parametrize("name", ["qpu.forte-1", "qpu.aria-1"])
def test_outcomes_are_in_the_order_of_the_submitted_qubits(name: str, opt: int) -> None:
    prepared = prepare(given_of(ASYMMETRIC), conditions(device=on_device(name, opt=opt)))

    found = states(gathered(prepared))

    assert found.size == 2000
    assert np.count_nonzero(found == 0b110) > 1800


def test_the_shots_of_variants_sum_to_those_of_the_job_and_are_mixed() -> None:
    prepared = prepare(given_of(ASYMMETRIC), conditions(1003))

    result = gathered(prepared)

    assert prepared.output is not None
    shares = [variant.shots for variant in prepared.output.variants]
    assert len(shares) == 32
    assert sum(shares) == 1003
    assert result.variants is not None
    assert np.bincount(result.variants).tolist() == shares
    assert np.any(np.diff(result.variants.astype(int)) < 0)
    assert len({variant.qubit_map for variant in prepared.output.variants}) == 32


def test_variants_have_seeds_of_their_own() -> None:
    parts = prepare(given_of(ASYMMETRIC), conditions()).parts

    assert len({part.workload.seed for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("shots", "debiasing", "gateset", "number"),
    [
        (499, None, "qis", 1),
        (500, None, "qis", 32),
        (500, False, "qis", 1),
        (500, None, "native", 1),
        (500, True, "native", 32),
    ],
)
def test_circuits_of_qis_with_shots_enough_are_debiased_unless_told(
    shots: int, debiasing: bool | None, gateset: str, number: int
) -> None:
    flip: list[dict[str, Any]] = [{"gate": "gpi", "target": 0, "phase": 0}]
    given = given_of(flip if gateset == "native" else ASYMMETRIC, gateset=gateset)

    prepared = prepare(given, conditions(shots, on_device(debiasing=debiasing)))

    assert len(prepared.parts) == number
    assert prepared.output is not None
    assert len(prepared.output.variants) == (number if number > 1 else 0)


def test_an_ion_errs_wherever_a_qubit_is_put_on_it() -> None:
    first, second = prepare(given_of(ASYMMETRIC), conditions()).parts[:2]

    assert first.workload.noise is not None
    assert second.workload.noise is not None
    assert set(first.workload.noise.qubits) == {0, 1, 2}
    assert first.workload.noise.pairs != second.workload.noise.pairs


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            given_of([{"gate": "x", "target": 36}], 37),
            "NotEnoughQubits",
            "37 qubits; qpu.forte-1 has 36",
        ),
        (
            given_of([{"gate": "ms", "targets": [0, 1], "phases": [0, 0]}], gateset="native"),
            "UnsupportedGate",
            "native gate 'ms'; qpu.forte-1 knows gpi, gpi2, zz",
        ),
    ],
)
def test_what_a_device_cannot_run_is_told(given: Input, code: str, message: str) -> None:
    failure = misfit(given, on_device())

    assert failure is not None
    assert (failure.code, failure.message) == (code, message)
    assert misfit(given_of(ASYMMETRIC), on_device()) is None


def test_what_compiling_made_is_told() -> None:
    output = prepare(given_of([{"gate": "h", "target": 0}]), conditions(10)).output

    assert output is not None
    assert (output.gate_basis, output.opt, output.precision) == ("ZZ", 1, 1e-3)
    assert '"gpi2"' in output.native
    assert output.device_seconds > 10 * 1e-4


def test_where_no_shot_keeps_the_symmetries_all_are_shown_and_it_is_told() -> None:
    flips: list[dict[str, Any]] = [{"gate": "x", "targets": [0, 1, 2]}]
    prepared = prepare(given_of(flips), conditions(5, on_device(symmetry_verification=True)))
    wrong = Sampled({OUTPUT_ALL: Shots(3, np.full((5, 1), 6, np.uint8))})

    outcome = gather(prepared, [wrong], 7)

    assert outcome.result is wrong
    assert outcome.warnings == ("no shot keeps the symmetries of the circuit: all are shown",)


def test_more_allowed_states_than_can_be_kept_are_told_as_many_as_can() -> None:
    backend = make_targets().backends["qpu.forte-1"]
    record = replace(backend.characterizations[0], num_qubits=70)
    settings = DeviceSettings(symmetry_verification=True)
    given = given_of([{"gate": "h", "targets": list(range(70))}], 70)

    device = DeviceRun(Twin(backend.native_gates, record), settings)
    output = prepare(given, conditions(10, device)).output

    assert output is not None
    assert output.symmetry == SymmetryOutput(MOST_COUNTED, is_applied=False)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(output), type=Output) == output


@pytest.mark.parametrize("name", ["qpu.forte-1", "qpu.aria-1"])
def test_the_engine_that_takes_one_variant_takes_all(name: str) -> None:
    backend = make_targets().backends[name]
    twin = Twin(backend.native_gates, backend.characterizations[0])
    generator = np.random.default_rng(3)
    gates: list[dict[str, Any]] = []
    for _ in range(60):
        control, target = generator.choice(15, 2, replace=False).tolist()
        gates.append({"gate": str(generator.choice(["h", "s", "v", "y"])), "target": target})
        gates.append({"gate": "cnot", "control": control, "target": target})

    device = DeviceRun(twin, DeviceSettings())
    parts = prepare(given_of(gates, 15), conditions(1000, device)).parts

    taking = [e for e in ENGINES if isinstance(e.assess(parts[0].workload), Estimate)]
    assert {engine.name for engine in taking} >= {"stabilizer", "trajectories"}
    for engine in taking:
        assert all(isinstance(engine.assess(part.workload), Estimate) for part in parts)
