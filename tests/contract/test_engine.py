"""What every engine must do, asked of each."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.circuits.oracle import state_vector
from ionbox.engines.engine import Engine, Estimate, Outcome, Refusal, Workload
from ionbox.engines.planner import ENGINES
from ionbox.formats.results import encode, probabilities_v1

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
every_gate = pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.gateset}-{gate.name}")
thorough = settings(derandomize=True, deadline=None, max_examples=150)

NUMBERS = st.one_of(
    st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0, math.pi / 2, math.pi]), st.floats(0, 2)
)


def gate(name: str, gateset: str = "qis") -> Gate:
    return GATE_BY_NAME[gateset, name]


def qis(num_qubits: int, *operations: Operation) -> Circuit:
    return Circuit.from_operations(num_qubits, "qis", operations)


def bell() -> Circuit:
    return qis(2, Operation(gate("h"), (0,)), Operation(gate("cnot"), (1,), (0,)))


def superposition(num_qubits: int) -> Circuit:
    return qis(num_qubits, *(Operation(gate("h"), (qubit,)) for qubit in range(num_qubits)))


def run(engine: Engine, circuit: Circuit, **options: object) -> Outcome:
    workload = Workload(circuit, **{"shots": 100, "seed": 7, **options})  # type: ignore[arg-type]
    assert isinstance(engine.assess(workload), Estimate)
    return engine.run(workload)


def dense(outcome: Outcome) -> NDArray[np.float64]:
    probabilities = outcome.probabilities
    if probabilities.basis_states is None:
        return probabilities.values.astype(np.float64)
    values = np.zeros(2**probabilities.num_qubits)
    values[probabilities.basis_states] = probabilities.values
    return values


def json(outcome: Outcome) -> bytes:
    return b"".join(probabilities_v1(outcome.probabilities))


@st.composite
def operations(draw: st.DrawFn, row: Gate, num_qubits: int) -> Operation:
    qubits = draw(st.permutations(range(num_qubits)))
    num_targets = row.num_targets or draw(st.integers(1, num_qubits))
    most_controls = min(3, num_qubits - num_targets) if row.controllable else 0
    num_controls = draw(st.integers(row.min_controls, most_controls))
    terms: tuple[str, ...] = ()
    if row.num_targets is None:
        word = st.text("IXYZ", min_size=num_targets, max_size=num_targets)
        terms = tuple(draw(st.lists(word, min_size=1, max_size=3)))
    num_params = sum(len(terms) if param.size is None else param.size for param in row.params)
    return Operation(
        row,
        tuple(qubits[:num_targets]),
        tuple(qubits[num_targets : num_targets + num_controls]),
        tuple(draw(NUMBERS) for _ in range(num_params)),
        terms,
    )


@st.composite
def circuits(draw: st.DrawFn, *, smallest: int = 1) -> Circuit:
    num_qubits = draw(st.integers(smallest, 6))
    gateset = draw(st.sampled_from(["qis", "native"]))
    rows = [
        row
        for row in GATES
        if row.gateset == gateset and (row.num_targets or 1) + row.min_controls <= num_qubits
    ]
    operation = st.sampled_from(rows).flatmap(lambda row: operations(row, num_qubits))
    return Circuit.from_operations(num_qubits, gateset, draw(st.lists(operation, max_size=12)))


@every_engine
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
@given(circuit=circuits())
@thorough
def test_probabilities_are_those_of_the_oracle(
    engine: Engine,
    precision: Literal["float64", "float32"],
    tolerance: float,
    circuit: Circuit,
) -> None:
    expected = np.abs(state_vector(circuit)) ** 2

    outcome = run(engine, circuit, precision=precision)

    assert np.max(np.abs(dense(outcome) - expected)) <= tolerance
    assert outcome.warnings == ()


@every_engine
@every_gate
@given(data=st.data())
@settings(thorough, max_examples=20)
def test_every_gate_acts_between_random_rotations_as_the_oracle_says(
    engine: Engine, gate: Gate, data: st.DataObject
) -> None:
    turn = GATE_BY_NAME[gate.gateset, "ry" if gate.gateset == "qis" else "gpi2"]
    angles = np.linspace(0.3, 1.1, 10).tolist()
    turns = [Operation(turn, (place % 5,), (), (angle,)) for place, angle in enumerate(angles)]
    tested = data.draw(operations(gate, 5))
    circuit = Circuit.from_operations(5, gate.gateset, [*turns[:5], tested, *turns[5:]])

    outcome = run(engine, circuit)

    expected = np.abs(state_vector(circuit)) ** 2
    assert np.max(np.abs(dense(outcome) - expected)) <= 1e-12


@every_engine
def test_qubit_0_is_the_lowest_bit(engine: Engine) -> None:
    circuit = qis(3, Operation(gate("x"), (1,)), Operation(gate("h"), (0,)))

    assert json(run(engine, circuit)) == b'{"2":0.5,"3":0.5}'


@every_engine
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_bell_pair_is_exactly_a_half(engine: Engine, precision: str) -> None:
    assert json(run(engine, bell(), precision=precision)) == b'{"0":0.5,"3":0.5}'


@every_engine
def test_a_circuit_without_operations_stays_where_it_starts(engine: Engine) -> None:
    assert json(run(engine, qis(3))) == b'{"0":1}'


@every_engine
def test_auto_is_float64_to_20_qubits_and_float32_above(engine: Engine) -> None:
    narrow, wide = run(engine, qis(20)), run(engine, qis(21))

    assert narrow.probabilities.significant_digits == 15
    assert wide.probabilities.significant_digits == 7


@every_engine
def test_more_outcomes_than_the_limit_are_sampled_and_the_job_is_told(engine: Engine) -> None:
    outcome = run(engine, superposition(11), max_outcomes=1024)

    assert outcome.warnings == (
        "sampled with 100 shots: 2^11 possible outcomes exceed the limit of 2^10",
    )
    counts = outcome.probabilities.values * 100
    assert np.allclose(counts, np.rint(counts))
    assert math.isclose(outcome.probabilities.values.sum(), 1)


@every_engine
def test_few_outcomes_of_a_wide_circuit_are_listed_exactly(engine: Engine) -> None:
    circuit = qis(11, *bell().operations())
    workload = Workload(circuit, shots=100, seed=7, max_outcomes=2)

    estimate = engine.assess(workload)

    assert isinstance(estimate, Estimate)
    assert not estimate.is_exact
    assert json(engine.run(workload)) == b'{"0":0.5,"3":0.5}'


@every_engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(engine: Engine) -> None:
    def stored(seed: int) -> bytes:
        outcome = run(engine, superposition(8), seed=seed, shots=1000, max_outcomes=10)
        return encode(outcome.probabilities)

    assert stored(7) == stored(7)
    assert stored(7) != stored(8)


@every_engine
def test_a_noise_model_that_is_not_here_is_refused_by_name(engine: Engine) -> None:
    answer = engine.assess(Workload(bell(), shots=100, seed=7, noise_model="aria-1"))

    assert answer == Refusal(engine.name, "noise model 'aria-1' is not available yet; known: ideal")


@every_engine
@given(circuit=circuits())
@settings(thorough, max_examples=30)
@example(circuit=qis(48))
def test_an_estimate_grows_with_the_circuit(engine: Engine, circuit: Circuit) -> None:
    twice = Circuit.from_operations(
        circuit.num_qubits, circuit.gateset, [*circuit.operations(), *circuit.operations()]
    )

    one = engine.assess(Workload(circuit, shots=100, seed=7))
    two = engine.assess(Workload(twice, shots=100, seed=7))

    assert isinstance(one, Estimate)
    assert isinstance(two, Estimate)
    assert 0 < one.seconds <= two.seconds
    assert 2**circuit.num_qubits < one.memory_bytes <= two.memory_bytes
