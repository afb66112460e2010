from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import listed, outcome_by, peak_bytes, qis, workload

from ionbox.backends.noise import NOISE_MODELS
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.circuits.observable import Observable
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.clifford import first_other, is_clifford
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload
from ionbox.engines.stabilizer import StabilizerEngine
from ionbox.engines.structure import kind_of
from ionbox.formats.results import Exact, Probabilities, encode

pytest.importorskip("stim", reason="there is no wheel of it for this machine")

ENGINE = StabilizerEngine(0)
steady = settings(derandomize=True, deadline=None)


def circuit_of(num_qubits: int, *operations: Operation, gateset: str = "qis") -> Circuit:
    return Circuit.from_operations(num_qubits, gateset, operations)


def ghz(num_qubits: int) -> Circuit:
    chain = [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)]
    return circuit_of(num_qubits, qis("h", (0,)), *chain)


def superposition(num_qubits: int) -> Circuit:
    return circuit_of(num_qubits, *(qis("h", (qubit,)) for qubit in range(num_qubits)))


def run(circuit: Circuit, registers: Any = None, **options: Any) -> Outcome:  # noqa: ANN401
    return outcome_by(ENGINE, workload(circuit, registers, **options))


def probabilities(outcome: Outcome, register: str = OUTPUT_ALL) -> Probabilities:
    assert isinstance(outcome.result, Exact)
    return outcome.result.registers[register]


# --- Clifford or not -------------------------------------------------------------------------


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.gateset}-{gate.name}")
@given(data=st.data())
@settings(steady, max_examples=25)
def test_every_gate_that_is_clifford_acts_as_the_oracle_says(
    gate: Gate, data: st.DataObject
) -> None:
    operation = data.draw(quarter_turns(gate))
    if not is_clifford(kind_of(operation)):
        return
    before, after = (
        [each for each in random_cliffords(gate.gateset, seed) if each] for seed in (1, 2)
    )
    circuit = circuit_of(4, *before, operation, *after, gateset=gate.gateset)

    found = listed(probabilities(run(circuit)))

    expected = np.abs(state_vector(circuit)) ** 2
    assert found == pytest.approx(
        {place: value for place, value in enumerate(expected.tolist()) if value > 1e-12}
    )


@st.composite
def quarter_turns(draw: st.DrawFn, gate: Gate) -> Operation:
    """Draw an operation on 4 qubits that is likely to be Clifford."""
    qubits = draw(st.permutations(range(4)))
    num_targets = gate.num_targets or draw(st.integers(1, 4))
    most = int(gate.controllable and num_targets < 4)
    num_controls = draw(st.integers(gate.min_controls, most))
    terms: tuple[str, ...] = ()
    if gate.num_targets is None:
        word = st.text("IXYZ", min_size=num_targets, max_size=num_targets)
        terms = tuple(draw(st.lists(word, min_size=1, max_size=2)))
    unit = {"radians": pi / 2, "turns": 0.25, "1": pi / 4}
    params = [
        unit[param.unit] * draw(st.integers(-4, 4))
        for param in gate.params
        for _ in range(len(terms) if param.size is None else param.size)
    ]
    if terms:
        params[-1] = 1.0
    controls = tuple(qubits[num_targets : num_targets + num_controls])
    return Operation(gate, tuple(qubits[:num_targets]), controls, tuple(params), terms)


def random_cliffords(gateset: str, seed: int) -> list[Operation]:
    generator = np.random.default_rng(seed)
    names = {"qis": ("h", "s", "v"), "native": ("gpi", "gpi2")}[gateset]
    found = []
    for place in range(12):
        gate = GATE_BY_NAME[gateset, names[generator.integers(len(names))]]
        params = (0.25 * int(generator.integers(4)),) if gate.params else ()
        found.append(Operation(gate, (place % 4,), (), params))
        if place % 4 == 3:
            found.append(entangler(gateset, place // 4))
    return found


def entangler(gateset: str, qubit: int) -> Operation:
    if gateset == "qis":
        return qis("cnot", (qubit + 1,), controls=(qubit,))
    return Operation(GATE_BY_NAME["native", "ms"], (qubit, qubit + 1), (), (0.0, 0.25, 0.25))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (qis("rx", (0,), 5 * pi / 2), True),
        (qis("rx", (0,), 5 * pi / 2 + 1e-14), True),
        (qis("rx", (0,), pi / 2 + 1e-9), False),
        (qis("t", (0,)), False),
        (qis("z", (0,), pi, controls=(1,)), True),
        (qis("z", (0,), pi / 2, controls=(1,)), False),
        (qis("y", (0,), controls=(1,)), True),
        (qis("h", (0,), controls=(1,)), False),
        (qis("cnot", (0,), controls=(1, 2)), False),
        (qis("swap", (0, 1)), True),
        (qis("swap", (0, 1), controls=(2,)), False),
        (qis("xx", (0, 1), pi / 2), True),
        (qis("xx", (0, 1), pi / 4), False),
    ],
)
def test_what_is_clifford_is_told_by_the_matrix(operation: Operation, expected: bool) -> None:
    assert is_clifford(kind_of(operation)) is expected


def test_the_first_operation_that_is_not_clifford_is_named() -> None:
    circuit = circuit_of(2, qis("h", (0,)), qis("t", (1,)), qis("rx", (0,), 0.1))

    assert first_other(circuit) == "circuit[1], gate t"
    assert ENGINE.assess(workload(circuit)) == Refusal(
        "stabilizer", "circuit[1], gate t: no Clifford operation", is_moot=True
    )


@pytest.mark.parametrize(
    ("given", "is_left"),
    [
        (workload(ghz(11)), True),
        (workload(ghz(12)), False),
        (workload(ghz(11), noise=NOISE_MODELS["aria-1"]), False),
        (workload(ghz(11), max_outcomes=2**10), False),  # a vector would be sampled
        (workload(ghz(11), {"wide": (0,) * 65}), False),  # no vector serves such a register
    ],
    ids=["11", "12", "noise", "few outcomes", "wide register"],
)
def test_small_ideal_circuits_are_left_to_engines_that_list_them(
    given: Workload, *, is_left: bool
) -> None:
    answer = StabilizerEngine().assess(given)

    assert isinstance(answer, Refusal) is is_left


# --- wide ------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_qubits", [64, 65, 1000])
def test_a_wide_ghz_state_has_two_outcomes(num_qubits: int) -> None:
    outcome = run(ghz(num_qubits))

    assert listed(probabilities(outcome)) == {0: 0.5, 2**num_qubits - 1: 0.5}
    assert outcome.warnings == ()


def test_registers_of_a_wide_circuit_hold_what_was_measured_into_them() -> None:
    circuit = circuit_of(200, qis("h", (0,)), qis("cnot", (150,), controls=(0,)), qis("x", (70,)))
    registers = {"one": [150], "many": [70, 0, None, 0], "wide": [0] * 100, "all": range(200)}

    outcome = run(circuit, registers)

    top = 2**0 + 2**150
    assert listed(probabilities(outcome)) == {2**70: 0.5, 2**70 + top: 0.5}
    assert listed(probabilities(outcome, "all")) == {2**70: 0.5, 2**70 + top: 0.5}
    assert listed(probabilities(outcome, "one")) == {0: 0.5, 1: 0.5}
    assert listed(probabilities(outcome, "many")) == {1: 0.5, 0b1011: 0.5}
    assert listed(probabilities(outcome, "wide")) == {0: 0.5, 2**100 - 1: 0.5}


def test_few_outcomes_are_listed_even_where_many_were_feared() -> None:
    there_and_back = [qis("h", (qubit,)) for _ in range(2) for qubit in range(100)]
    outcome = run(circuit_of(100, *there_and_back))

    assert listed(probabilities(outcome)) == {0: 1.0}


def test_many_outcomes_of_a_wide_circuit_are_sampled_and_the_job_is_told() -> None:
    outcome = run(superposition(1000), {"c": [3, 999]}, shots=500)

    assert outcome.warnings == (
        "sampled with 500 shots: 2^1000 possible outcomes exceed the limit of 2^16",
    )
    found = probabilities(outcome)
    assert found.values.tolist() == [1 / 500] * 500
    ones = sum(key.bit_count() for key in listed(found))
    assert abs(ones - 250_000) < 6 * 354  # sigma = sqrt(500 000 / 4)
    assert set(listed(probabilities(outcome, "c"))) == {0, 1, 2, 3}


@pytest.mark.parametrize(("num_free", "is_listed"), [(16, True), (17, False)])
def test_where_too_many_outcomes_were_feared_fewer_are_listed(
    num_free: int, *, is_listed: bool
) -> None:
    there_and_back = [qis("h", (qubit,)) for _ in range(2) for qubit in range(num_free, 30)]
    free = [qis("h", (qubit,)) for qubit in range(num_free)]
    outcome = run(circuit_of(30, *free, *there_and_back), max_outcomes=2**20)

    text = f"sampled with 1000 shots: 2^{num_free} possible outcomes exceed the limit of 2^16"
    assert outcome.warnings == (() if is_listed else (text,))


def test_one_outcome_is_listed_however_wide_the_circuit_and_low_the_limit() -> None:
    still = circuit_of(1000, qis("x", (999,)))

    assert listed(probabilities(run(still, max_outcomes=1))) == {2**999: 1.0}
    assert run(ghz(1000), max_outcomes=1, shots=10).warnings == (
        "sampled with 10 shots: 2 possible outcomes exceed the limit of 1",
    )


def test_the_same_seed_samples_the_same_bytes() -> None:
    first, again, other = (run(superposition(100), seed=seed) for seed in (7, 7, 8))

    assert encode(first.result) == encode(again.result)
    assert encode(first.result) != encode(other.result)


def test_wide_outcomes_are_listed_as_long_as_they_take_no_more_room_than_narrow_ones() -> None:
    estimates = [ENGINE.assess(workload(wide(num_qubits))) for num_qubits in (64, 128, 129)]

    assert [getattr(estimate, "is_exact", None) for estimate in estimates] == [True, False, False]


def wide(num_qubits: int) -> Circuit:
    """Return a circuit of 2^24 outcomes."""
    return circuit_of(num_qubits, *(qis("h", (qubit,)) for qubit in range(24)))


@pytest.mark.parametrize(
    ("circuit", "register"),
    [
        (ghz(300), [0, 1, 2]),
        (superposition(18), [0, 1, 2]),
        (circuit_of(500, *superposition(12).operations()), [0, 1, 2]),
        (superposition(50), [0, 1] * 500),
    ],
    ids=["two outcomes", "many", "wide", "sampled, with a wide register"],
)
def test_a_run_stays_within_its_estimate(circuit: Circuit, register: list[int]) -> None:
    given = workload(circuit, {"c": register}, shots=5000)
    estimate = ENGINE.assess(given)
    assert isinstance(estimate, Estimate)
    ENGINE.run(given)

    assert peak_bytes(lambda: ENGINE.run(given)) <= estimate.memory_bytes


def test_expectation_values_are_left_to_others() -> None:
    answer = ENGINE.assess(workload(ghz(2), observable=Observable(("ZZ",), (1.0,))))

    assert isinstance(answer, Refusal)
    assert answer.is_moot
