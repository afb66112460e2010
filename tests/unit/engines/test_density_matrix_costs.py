from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.builders import KERNELS, peak_bytes
from tests.unit.engines.kraus import circuit_of, mixing

from ionbox._kernel import Kernel, kernel
from ionbox.backends.idling import Idling
from ionbox.backends.noise import NOISE_MODELS, Flips, NoiseModel
from ionbox.circuits.program import Program, ProgramBuilder, program_of
from ionbox.engines.density_matrix import MOST_QUBITS, DensityMatrixEngine
from ionbox.engines.engine import Estimate, Refusal, Workload

LOUD = NoiseModel("loud", 25, 0.06, 0.15, "this test")


def answer(program: Program, **options: object) -> Estimate | Refusal:
    values = {"shots": 100, "seed": 7, "noise": LOUD, **options}
    return DensityMatrixEngine(kernel).assess(Workload(program, **values))  # type: ignore[arg-type]


def measured_midway() -> Program:
    builder = ProgramBuilder(2, "qis")
    register = builder.add_register("c", 1)
    builder.measure(0, register.start)
    builder.add_circuit(circuit_of(2, mixing(2)))
    return builder.build()


@pytest.mark.parametrize(
    "given",
    [
        answer(program_of(circuit_of(2, mixing(2))), noise=None),
        answer(measured_midway()),
        answer(program_of(circuit_of(MOST_QUBITS + 1, []))),
    ],
    ids=["ideal", "measured midway", "too wide"],
)
def test_what_others_serve_is_left_to_them(given: Estimate | Refusal) -> None:
    assert isinstance(given, Refusal)
    assert given.is_moot


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            answer(program_of(circuit_of(14, [])), lists_noise=True),
            "14 qubits; a density matrix covers at most 13",
        ),
        (
            answer(program_of(circuit_of(12, [])), lists_noise=True, noise=NOISE_MODELS["harmony"]),
            "12 qubits; noise model 'harmony' has 11",
        ),
        (
            answer(program_of(circuit_of(5, [])), lists_noise=True, max_outcomes=31),
            "32 possible outcomes; at most 31 are listed",
        ),
        (
            answer(program_of(circuit_of(2, []), {"c": [0] * 65}), lists_noise=True),
            "register 'c' has 65 bits; probabilities are listed of at most 64",
        ),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_with_the_reason(
    given: Estimate | Refusal, reason: str
) -> None:
    assert isinstance(given, Refusal)
    assert given.reason == reason
    assert not given.is_moot


@pytest.mark.parametrize(
    "extension", KERNELS, ids=lambda extension: "kernel" if extension else "numpy"
)
@pytest.mark.parametrize("lists_noise", [False, True])
def test_a_run_takes_no_more_memory_than_the_estimate_says(
    extension: Kernel | None, *, lists_noise: bool
) -> None:
    circuit = circuit_of(8, [*mixing(8), *mixing(8, seed=4)])
    idling = Idling(t1=1.0, t2=0.7, gate_1q=0.01, gate_2q=0.04)
    noise = replace(LOUD, idling=idling, flips=Flips(of_zero=0.02, of_one=0.07))
    workload = Workload(
        program_of(circuit, {"c": [0, 3]}),
        shots=3000,
        seed=7,
        noise=noise,
        lists_noise=lists_noise,
    )
    engine = DensityMatrixEngine(extension)
    estimate = engine.assess(workload)
    peak = peak_bytes(lambda: engine.run(workload))

    assert isinstance(estimate, Estimate)
    assert peak < estimate.memory_bytes


def test_an_estimate_grows_with_qubits_and_operations() -> None:
    def seconds(num_qubits: int, times: int) -> float:
        circuit = circuit_of(num_qubits, mixing(num_qubits) * times)
        estimate = answer(program_of(circuit))
        assert isinstance(estimate, Estimate)
        return estimate.seconds

    assert 3 * seconds(9, 1) < seconds(10, 1)
    assert seconds(10, 2) == pytest.approx(2 * seconds(10, 1), rel=0.3)
