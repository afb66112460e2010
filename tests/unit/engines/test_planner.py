from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pytest
from msgspec.structs import replace
from tests.builders import IDEAL_ENGINE, qis

from ionbox.backends.noise import NOISE_MODELS
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.circuits.observable import Observable
from ionbox.circuits.program import Program, ProgramBuilder, program_of
from ionbox.engines.calibration import ONE_CORE, REFERENCE, Machine
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload
from ionbox.engines.planner import ENGINES, engine_named, plan
from ionbox.engines.progress import Progress
from ionbox.errors import EngineMissingError

GIB = 1 << 30


@dataclass(frozen=True)
class Answering:
    """An engine that gives one answer to everything."""

    name: str
    answer: Estimate | Refusal

    def assess(self, _: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:  # noqa: ARG002
        return self.answer

    def run(
        self, workload: Workload, *, threads: int = 1, progress: Progress | None = None
    ) -> Outcome:
        raise NotImplementedError


@dataclass(frozen=True)
class Calibrated:
    """An engine that takes what the machine's calibration says of NumPy."""

    name: str
    reference_seconds: float
    is_exact: bool

    def assess(self, _: Workload, machine: Machine = ONE_CORE) -> Estimate:
        seconds = self.reference_seconds
        if machine.calibration != REFERENCE and self.name == "first":
            seconds *= machine.calibration.numpy.operation
        reference = self.reference_seconds
        return Estimate(self.name, 0, seconds, 1, "float64", self.is_exact, reference)

    def run(
        self, workload: Workload, *, threads: int = 1, progress: Progress | None = None
    ) -> Outcome:
        raise NotImplementedError


def estimating(
    name: str, *, seconds: float = 1.0, memory_bytes: int = 1024, is_exact: bool = True
) -> Answering:
    return Answering(name, Estimate(name, memory_bytes, seconds, 1, "float64", is_exact))


def refusing(name: str, reason: str) -> Answering:
    return Answering(name, Refusal(name, reason))


def make_workload(num_qubits: int = 2, noise_model: str | None = None) -> Workload:
    program = program_of(Circuit.from_operations(num_qubits, "qis", [qis("t", (0,))]))
    noise = None if noise_model is None else NOISE_MODELS[noise_model]
    return Workload(program, shots=100, seed=7, noise=noise)


def measuring_midway(num_qubits: int, times: int) -> Program:
    builder = ProgramBuilder(num_qubits, "qis")
    bits = builder.add_register("c", times)
    for bit in range(bits.size):
        builder.add_operation(ROW_BY_NAME["qis", "ry"], (0,), (), (0.3,))
        builder.measure(0, bit)
    builder.add_operation(ROW_BY_NAME["qis", "ry"], (0,), (), (0.3,))
    return builder.build()


def test_the_fastest_engine_that_fits_is_chosen() -> None:
    slow, fast = estimating("slow", seconds=2), estimating("fast", seconds=1)

    made = plan(make_workload(), memory_bytes=GIB, engines=[slow, fast])

    assert made.chosen == fast.answer
    assert made.answers == (slow.answer, fast.answer)
    assert made.refusal == ""


def test_the_fastest_engine_is_passed_over_when_it_does_not_fit() -> None:
    small, large = estimating("small", seconds=9), estimating("large", memory_bytes=2 * GIB)

    made = plan(make_workload(), memory_bytes=GIB, engines=[large, small])

    assert made.chosen == small.answer
    assert made.answers[0] == Refusal(
        "large", "2 qubits need 2.0 GiB; 1.0 GiB are available", is_too_large=True, is_moot=True
    )


@pytest.mark.parametrize(
    ("needed", "available", "text"),
    [
        (192 * GIB, int(18.4 * GIB), "33 qubits need 192.0 GiB; 18.4 GiB are available"),
        (1024, 1023, "33 qubits need 1.0 KiB; 1023 bytes are available"),
        (3 * GIB * 2**20, GIB - 1, "33 qubits need 3.0 PiB; 1024.0 MiB are available"),
        (1 << 90, 0, "33 qubits need 1099511627776.0 PiB; 0 bytes are available"),
    ],
)
def test_a_refusal_says_what_is_needed_and_what_there_is(
    needed: int, available: int, text: str
) -> None:
    engine = estimating("only", memory_bytes=needed)

    made = plan(make_workload(33), memory_bytes=available, engines=[engine])

    assert made.chosen is None
    assert made.refusal == text


def test_an_engine_may_use_all_the_memory() -> None:
    engine = estimating("only", memory_bytes=GIB)

    assert plan(make_workload(), memory_bytes=GIB, engines=[engine]).chosen == engine.answer


def test_a_workload_is_too_large_if_all_refuse_it_for_its_size() -> None:
    too_large = Answering("a", Refusal("a", "too wide", is_too_large=True))
    other = refusing("b", "noise")

    assert plan(make_workload(), memory_bytes=GIB, engines=[too_large, too_large]).is_too_large
    assert not plan(make_workload(), memory_bytes=GIB, engines=[too_large, other]).is_too_large


def test_reasons_are_joined_and_each_is_told_once() -> None:
    engines = [refusing("a", "too wide"), refusing("b", "too noisy"), refusing("c", "too wide")]

    assert plan(make_workload(), memory_bytes=GIB, engines=engines).refusal == "too wide; too noisy"


def test_of_engines_that_sample_the_first_is_chosen_however_fast_the_others_are() -> None:
    first, fast = (
        estimating(name, seconds=seconds, is_exact=False) for name, seconds in (("a", 9), ("b", 1))
    )

    assert plan(make_workload(), memory_bytes=GIB, engines=[first, fast]).chosen == first.answer


def test_of_engines_that_sample_noise_the_fastest_on_the_reference_machine_is_chosen() -> None:
    slow = replace(REFERENCE, numpy=replace(REFERENCE.numpy, operation=1000.0))
    engines = [
        Calibrated("other", 2.0, is_exact=False),
        Calibrated("first", 1.0, is_exact=False),
        Calibrated("as fast", 1.0, is_exact=False),
    ]

    chosen = [
        plan(make_workload(noise_model="aria-1"), memory_bytes=GIB, machine=m, engines=engines)
        for m in (ONE_CORE, Machine(4, slow))
    ]

    assert [made.chosen and made.chosen.engine for made in chosen] == ["first", "first"]
    assert chosen[1].chosen is not None
    assert chosen[1].chosen.seconds == 1000


def test_an_exact_engine_comes_before_a_faster_one_that_samples() -> None:
    exact, fast = estimating("exact", seconds=9), estimating("fast", is_exact=False)

    assert plan(make_workload(), memory_bytes=GIB, engines=[fast, exact]).chosen == exact.answer


@pytest.mark.parametrize(("is_exact", "chosen"), [(True, "second"), (False, "first")])
def test_a_calibration_decides_between_exact_engines_only(*, is_exact: bool, chosen: str) -> None:
    slow = replace(REFERENCE, numpy=replace(REFERENCE.numpy, operation=1000.0))
    engines = [Calibrated("first", 1.0, is_exact), Calibrated("second", 2.0, is_exact)]

    made = plan(
        make_workload(), memory_bytes=GIB, machine=Machine(calibration=slow), engines=engines
    )

    assert made.chosen is not None
    assert made.chosen.engine == chosen
    assert [answer.seconds for answer in made.answers if isinstance(answer, Estimate)] == [1000, 2]


def test_of_answers_that_do_not_count_nothing_is_told() -> None:
    other = Answering("other", Refusal("other", "not mine", is_moot=True))
    small, large = (estimating("any", memory_bytes=size * GIB) for size in (2, 3))
    too_wide = Answering("wide", Refusal("wide", "too wide", is_too_large=True))

    made = plan(make_workload(), memory_bytes=GIB, engines=[other, large, small, too_wide])

    assert made.refusal == "2 qubits need 2.0 GiB; 1.0 GiB are available; too wide"
    assert made.is_too_large


@pytest.mark.parametrize(
    ("workload", "engine"),
    [
        (make_workload(), IDEAL_ENGINE),
        (replace(make_workload(), observable=Observable(("ZZ",), (1.0,))), IDEAL_ENGINE),
        (make_workload(noise_model="aria-1"), "density_matrix"),
        (replace(make_workload(), program=measuring_midway(2, 12)), "branches"),
        (replace(make_workload(), program=measuring_midway(2, 13)), "trajectories"),
        (replace(make_workload(), program=measuring_midway(2, 2), max_outcomes=3), "trajectories"),
    ],
    ids=["ideal", "observable", "noisy", "few branches", "many branches", "many outcomes"],
)
def test_each_kind_of_workload_has_its_engine(workload: Workload, engine: str) -> None:
    made = plan(workload, memory_bytes=GIB)

    assert made.chosen is not None
    assert made.chosen.engine == engine


def test_a_program_wider_than_the_device_that_is_modelled_is_too_large() -> None:
    made = plan(make_workload(26, "aria-1"), memory_bytes=GIB)

    assert made.refusal == "26 qubits; noise model 'aria-1' has 25"
    assert made.is_too_large


def test_a_wide_program_with_measurements_midway_is_too_large_in_one_sentence() -> None:
    workload = replace(make_workload(), program=measuring_midway(28, 2), max_outcomes=2**30)

    made = plan(workload, memory_bytes=GIB)

    assert made.refusal == "28 qubits need 11.0 GiB; 1.0 GiB are available"
    assert made.is_too_large


def test_33_qubits_that_are_all_entangled_do_not_fit_into_a_laptop() -> None:
    pairs = combinations(range(33), 2)
    circuit = Circuit.from_operations(33, "qis", [qis("xx", pair, 0.5) for pair in pairs])
    made = plan(replace(make_workload(), program=program_of(circuit)), memory_bytes=16 * GIB)

    assert made.refusal == "33 qubits need 96.0 GiB; 16.0 GiB are available"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_is_found_by_the_name_that_its_plan_tells(engine: Answering) -> None:
    assert engine_named(engine.name) is engine


def test_the_numpy_engine_stands_in_for_a_kernel_that_was_not_built() -> None:
    without = [engine for engine in ENGINES if engine.name != "kernel"]

    assert engine_named("kernel", without).name == "statevector"


def test_an_engine_that_is_not_installed_is_an_error_that_says_so() -> None:
    with pytest.raises(EngineMissingError, match="engine 'abacus' is not installed here"):
        engine_named("abacus")


def test_nobody_else_is_asked_where_noisy_shots_are_done_at_once() -> None:
    engines = [
        Calibrated("slow", 2.0, is_exact=False),
        Calibrated("at once", 1e-4, is_exact=False),
        Calibrated("not asked", 1e-5, is_exact=False),
    ]

    noisy = plan(make_workload(noise_model="aria-1"), memory_bytes=GIB, engines=engines)
    ideal = plan(make_workload(), memory_bytes=GIB, engines=engines)

    assert noisy.chosen is not None
    assert noisy.chosen.engine == "at once"
    assert noisy.answers[2] == Refusal(
        "not asked", "at once is done sooner than anything else could be planned", is_moot=True
    )
    assert all(isinstance(answer, Estimate) for answer in ideal.answers)
