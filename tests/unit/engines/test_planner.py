from __future__ import annotations

from dataclasses import dataclass

import pytest

from ionbox.circuits.circuit import Circuit
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, refuse_noise
from ionbox.engines.planner import ENGINES, engine_named, plan

GIB = 1 << 30


@dataclass(frozen=True)
class Answering:
    """An engine that gives one answer to everything."""

    name: str
    answer: Estimate | Refusal

    def assess(self, workload: Workload) -> Estimate | Refusal:  # noqa: ARG002 - the port's
        return self.answer

    def run(self, workload: Workload) -> Outcome:
        raise NotImplementedError


def estimating(name: str, *, seconds: float = 1.0, memory_bytes: int = 1024) -> Answering:
    return Answering(name, Estimate(name, memory_bytes, seconds, 1, "float64", is_exact=True))


def refusing(name: str, reason: str) -> Answering:
    return Answering(name, Refusal(name, reason))


def make_workload(num_qubits: int = 2, noise_model: str = "ideal") -> Workload:
    circuit = Circuit.from_operations(num_qubits, "qis", [])
    return Workload(circuit, shots=100, seed=7, noise_model=noise_model)


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
        "large", "2 qubits need 2.0 GiB; 1.0 GiB are available", is_too_large=True
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


def test_noise_is_refused_by_the_whole_house_in_one_sentence() -> None:
    made = plan(make_workload(noise_model="aria-1"), memory_bytes=GIB)

    assert made.refusal == "noise model 'aria-1' is not available yet; known: ideal"
    assert made.answers == tuple(refuse_noise(engine.name, "aria-1") for engine in ENGINES)


def test_33_qubits_do_not_fit_into_a_laptop() -> None:
    made = plan(make_workload(33), memory_bytes=16 * GIB)

    assert made.refusal == "33 qubits need 96.0 GiB; 16.0 GiB are available"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_is_found_by_the_name_that_its_plan_tells(engine: Answering) -> None:
    assert engine_named(engine.name) is engine


def test_an_unknown_engine_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="abacus"):
        engine_named("abacus")
