"""What every engine must do, asked of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox._kernel import kernel
from ionbox.backends.noise import NoiseModel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL, Constant, Program, ProgramBuilder
from ionbox.engines.clifford import is_clifford
from ionbox.engines.engine import Engine, Estimate, Outcome, Refusal, Workload
from ionbox.engines.mps import MatrixProductEngine
from ionbox.engines.planner import ENGINES, engine_named
from ionbox.engines.progress import Progress
from ionbox.engines.shallow import ShallowEngine
from ionbox.engines.sparse import SparseEngine
from ionbox.engines.stabilizer import HAS_STIM, StabilizerEngine
from ionbox.engines.structure import kind_of
from ionbox.formats.results import (
    Exact,
    Probabilities,
    Sampled,
    Shots,
    encode,
)

T = TypeVar("T")
SHOTS = 4000
SILENT = NoiseModel("silent", 48, 0.0, 0.0, "this test")


@dataclass(frozen=True)
class Asked:
    """An engine, and how a circuit becomes a workload that it serves.

    Args:
        noise: A model without errors, for an engine that wants one.
        is_program: Whether the circuit is followed by an assignment that changes nothing.
        is_exact: Whether it lists probabilities.
        is_clifford: Whether it takes Clifford operations only.
        has_vector: Whether it holds all amplitudes.
        may_sample: Whether it samples what it cannot list.
        takes_noise: Whether it runs noisy circuits, too.
        lists_noise: Whether it is asked for the probabilities of noisy runs.
    """

    engine: Engine
    noise: NoiseModel | None = None
    is_program: bool = False
    is_exact: bool = True
    is_clifford: bool = False
    has_vector: bool = True
    may_sample: bool = True
    takes_noise: bool = False
    lists_noise: bool = False

    def workload(self, circuit: Circuit, **options: object) -> Workload:
        program = program_of(circuit, is_program=self.is_program)
        values = {"shots": SHOTS, "seed": 7, "noise": self.noise, **options}
        values["lists_noise"] = self.lists_noise
        return Workload(program, **values)  # type: ignore[arg-type]

    def run(self, circuit: Circuit, **options: object) -> Outcome:
        workload = self.workload(circuit, **options)
        answer = self.engine.assess(workload)
        if is_left(answer):
            reject()
        assert isinstance(answer, Estimate)
        return self.engine.run(workload)

    def bound(self, expected: NDArray[np.float64], exact: float) -> NDArray[np.float64]:
        """How far a frequency may be off: 6 sigma, and two shots where almost none is expected."""
        if self.is_exact:
            return np.full(expected.shape, exact)
        return 6 * np.sqrt(np.clip(expected * (1 - expected), 0, 1) / SHOTS) + 2 / SHOTS


def is_left(answer: Estimate | Refusal) -> bool:
    """Tell whether an engine leaves a circuit to others; a rule without examples then fails."""
    return isinstance(answer, Refusal) and answer.is_moot


CLIFFORD = Asked(StabilizerEngine(0), is_clifford=True, has_vector=False, takes_noise=True)
ASKED = (
    *((CLIFFORD,) if HAS_STIM else ()),
    Asked(SparseEngine(0, 0), has_vector=False, may_sample=False),
    Asked(
        engine_named("density_matrix"),
        noise=SILENT,
        has_vector=False,
        may_sample=False,
        takes_noise=True,
        lists_noise=True,
    ),
    *((Asked(engine_named("kernel")),) if kernel is not None else ()),
    Asked(engine_named("statevector")),
    Asked(engine_named("branches"), is_program=True, may_sample=False),
    Asked(engine_named("trajectories"), noise=SILENT, is_exact=False),
    Asked(MatrixProductEngine(0), is_exact=False, has_vector=False),
    Asked(ShallowEngine(0), noise=SILENT, is_exact=False, has_vector=False),
)


def test_every_engine_is_asked() -> None:
    assert [asked.engine.name for asked in ASKED] == [engine.name for engine in ENGINES]


def of(engines: list[Asked]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("asked", engines, ids=lambda asked: asked.engine.name)


every_engine = of(list(ASKED))
every_exact_engine = of([asked for asked in ASKED if asked.is_exact])
every_sampling_engine = of([asked for asked in ASKED if asked.may_sample])
every_vector_engine = of([asked for asked in ASKED if asked.has_vector])
every_exact_vector_engine = of([asked for asked in ASKED if asked.has_vector and asked.is_exact])
every_ideal_engine = of([asked for asked in ASKED if asked.is_exact and not asked.takes_noise])
every_universal_engine = of([asked for asked in ASKED if not asked.is_clifford])
VECTOR = next(asked for asked in ASKED if asked.has_vector)
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


def ghz(num_qubits: int) -> Circuit:
    links = [Operation(gate("cnot"), (qubit,), (qubit - 1,)) for qubit in range(1, num_qubits)]
    return qis(num_qubits, Operation(gate("h"), (0,)), *links)


def superposition(num_qubits: int) -> Circuit:
    return qis(num_qubits, *(Operation(gate("h"), (qubit,)) for qubit in range(num_qubits)))


def program_of(circuit: Circuit, *, is_program: bool = False) -> Program:
    """Measure each qubit but the last into a register, the highest one first."""
    builder = ProgramBuilder(circuit.num_qubits, circuit.gateset)
    builder.add_circuit(circuit)
    if is_program:
        builder.assign((), Constant(0))
    register = builder.add_register("rest", circuit.num_qubits - 1)
    for place in range(register.size):
        builder.measure(circuit.num_qubits - 2 - place, register.start + place)
    return builder.build()


def dense(outcome: Outcome, register: str = OUTPUT_ALL) -> NDArray[np.float64]:
    """Return probabilities, or frequencies, of all contents of a register."""
    if isinstance(outcome.result, Sampled):
        return frequencies(outcome.result.registers[register])
    read = probabilities(outcome, register)
    if read.basis_states is None:
        return read.values.astype(np.float64)
    values = np.zeros(2**read.num_qubits)
    values[read.basis_states] = read.values
    return values


def frequencies(shots: Shots) -> NDArray[np.float64]:
    bits = np.unpackbits(shots.rows, axis=1, bitorder="little")[:, : shots.num_bits]
    states = bits @ (1 << np.arange(shots.num_bits))
    return np.bincount(states, minlength=2**shots.num_bits) / len(bits)


def probabilities(outcome: Outcome, register: str = OUTPUT_ALL) -> Probabilities:
    assert isinstance(outcome.result, Exact)
    return outcome.result.registers[register]


def assert_close(asked: Asked, outcome: Outcome, expected: NDArray[np.float64]) -> None:
    assert np.all(np.abs(dense(outcome) - expected) <= asked.bound(expected, 1e-12))


QUARTERS = {
    "radians": [quarter * math.pi / 2 for quarter in range(-3, 6)],
    "turns": [quarter / 4 for quarter in range(-3, 6)],
    "1": [0.0, math.pi / 4, math.pi / 2, 1.0],
}


@st.composite
def operations(
    draw: st.DrawFn, row: Gate, num_qubits: int, *, has_quarters: bool = False
) -> Operation:
    qubits = draw(st.permutations(range(num_qubits)))
    num_targets = row.num_targets or draw(st.integers(1, num_qubits))
    most_controls = min(3, num_qubits - num_targets) if row.controllable else 0
    num_controls = draw(st.integers(row.min_controls, most_controls))
    terms: tuple[str, ...] = ()
    if row.num_targets is None:
        word = st.text("IXYZ", min_size=num_targets, max_size=num_targets)
        terms = tuple(draw(st.lists(word, min_size=1, max_size=3)))
    params = [
        draw(st.sampled_from(QUARTERS[param.unit]) if has_quarters else NUMBERS)
        for param in row.params
        for _ in range(len(terms) if param.size is None else param.size)
    ]
    return Operation(
        row,
        tuple(qubits[:num_targets]),
        tuple(qubits[num_targets : num_targets + num_controls]),
        tuple(params),
        terms,
    )


def circuits_for(asked: Asked, *, smallest: int = 1) -> st.SearchStrategy[Circuit]:
    return circuits(smallest=smallest, only_clifford=asked.is_clifford)


@st.composite
def circuits(draw: st.DrawFn, *, smallest: int = 1, only_clifford: bool = False) -> Circuit:
    num_qubits = draw(st.integers(smallest, 6))
    gateset = draw(st.sampled_from(["qis", "native"]))
    rows = [
        row
        for row in GATES
        if row.gateset == gateset and (row.num_targets or 1) + row.min_controls <= num_qubits
    ]
    drawn = st.sampled_from(rows).flatmap(
        lambda row: operations(row, num_qubits, has_quarters=only_clifford)
    )
    found = draw(st.lists(drawn, max_size=12))
    kept = [each for each in found if not only_clifford or is_clifford(kind_of(each))]
    return Circuit.from_operations(num_qubits, gateset, kept)


@every_engine
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
@given(data=st.data())
@thorough
def test_outcomes_are_those_of_the_oracle(
    asked: Asked, precision: Literal["float64", "float32"], tolerance: float, data: st.DataObject
) -> None:
    circuit = data.draw(circuits_for(asked))
    expected = np.abs(state_vector(circuit)) ** 2

    outcome = asked.run(circuit, precision=precision)

    assert np.all(np.abs(dense(outcome) - expected) <= asked.bound(expected, tolerance))
    is_sampled = not asked.is_exact and asked.noise is None
    assert bool(outcome.warnings) == is_sampled


@every_universal_engine
@every_gate
@given(data=st.data())
@settings(thorough, max_examples=20)
def test_every_gate_acts_between_random_rotations_as_the_oracle_says(
    asked: Asked, gate: Gate, data: st.DataObject
) -> None:
    turn = GATE_BY_NAME[gate.gateset, "ry" if gate.gateset == "qis" else "gpi2"]
    angles = np.linspace(0.3, 1.1, 10).tolist()
    turns = [Operation(turn, (place % 5,), (), (angle,)) for place, angle in enumerate(angles)]
    tested = data.draw(operations(gate, 5))
    circuit = Circuit.from_operations(5, gate.gateset, [*turns[:5], tested, *turns[5:]])

    assert_close(asked, asked.run(circuit), np.abs(state_vector(circuit)) ** 2)


@every_engine
@given(data=st.data())
@settings(thorough, max_examples=30)
def test_a_register_holds_the_qubits_that_were_measured_into_it(
    asked: Asked, data: st.DataObject
) -> None:
    circuit = data.draw(circuits_for(asked, smallest=2))

    outcome = asked.run(circuit)

    width = circuit.num_qubits - 1
    states = np.arange(2**circuit.num_qubits)
    contents = sum((states >> (width - 1 - place) & 1) << place for place in range(width))
    expected = np.bincount(contents, dense(outcome), 2**width)
    assert np.allclose(dense(outcome, "rest"), expected, rtol=0, atol=1e-12)


@every_engine
def test_output_all_comes_before_the_registers(asked: Asked) -> None:
    result = asked.run(bell()).result

    assert isinstance(result, Exact | Sampled)
    assert list(result.registers) == ["output_all", "rest"]


@every_engine
def test_qubit_0_is_the_lowest_bit(asked: Asked) -> None:
    circuit = qis(3, Operation(gate("x"), (1,)), Operation(gate("h"), (0,)))

    assert np.flatnonzero(dense(asked.run(circuit))).tolist() == [2, 3]


@every_exact_engine
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_bell_pair_is_exactly_a_half(asked: Asked, precision: str) -> None:
    assert dense(asked.run(bell(), precision=precision)).tolist() == [0.5, 0, 0, 0.5]


@every_engine
def test_a_circuit_without_operations_stays_where_it_starts(asked: Asked) -> None:
    assert dense(asked.run(qis(3))).tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


class Recorded(Progress):
    """What an observer would read who looks after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: list[float | None] = []

    def advance(self, steps: float = 1) -> None:
        super().advance(steps)
        self.shares.append(self.share)

    def each(self, steps: Iterable[T]) -> Iterator[T]:
        for step in super().each(steps):
            self.shares.append(self.share)
            yield step


@every_engine
@pytest.mark.parametrize("noise", [None, SILENT])
def test_progress_where_it_is_told_only_grows_and_ends_at_1(
    asked: Asked, noise: NoiseModel | None
) -> None:
    options = {} if noise is None else {"noise": noise}
    workload, progress = asked.workload(ghz(9), **options), Recorded()
    if isinstance(asked.engine.assess(workload), Refusal):
        return
    assert progress.share is None
    asked.engine.run(workload, progress=progress)

    shares = [*progress.shares, progress.share]
    if asked.engine.name in {"density_matrix", "stabilizer"} and progress.share is None:
        return  # the kernel mixes, stim finds: neither tells
    told = [share for share in shares if share is not None]
    assert told == sorted(told)
    assert math.isclose(told[-1], 1, rel_tol=1e-9)


@every_vector_engine
def test_auto_is_float64_to_20_qubits_and_float32_above(asked: Asked) -> None:
    answers = [asked.engine.assess(asked.workload(qis(width))) for width in (20, 21)]

    assert [getattr(answer, "precision", None) for answer in answers] == ["float64", "float32"]


@every_exact_vector_engine
def test_digits_follow_the_precision(asked: Asked) -> None:
    narrow, wide = asked.run(qis(20)), asked.run(qis(21))

    assert probabilities(narrow).significant_digits == 15
    assert probabilities(wide).significant_digits == 7


def test_more_outcomes_than_the_limit_are_sampled_and_the_job_is_told() -> None:
    outcome = VECTOR.run(superposition(11), max_outcomes=1024, shots=100)

    assert outcome.warnings == (
        "sampled with 100 shots: 2^11 possible outcomes exceed the limit of 2^10",
    )
    counts = probabilities(outcome).values * 100
    assert np.allclose(counts, np.rint(counts))
    assert math.isclose(probabilities(outcome).values.sum(), 1)


def test_few_outcomes_of_a_wide_circuit_are_listed_exactly() -> None:
    circuit = qis(11, *bell().operations())
    workload = VECTOR.workload(circuit, max_outcomes=2)

    estimate = VECTOR.engine.assess(workload)

    assert isinstance(estimate, Estimate)
    assert not estimate.is_exact
    found = dense(VECTOR.engine.run(workload))
    assert {state: found[state] for state in np.flatnonzero(found).tolist()} == {0: 0.5, 3: 0.5}


@every_sampling_engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(asked: Asked) -> None:
    def stored(seed: int) -> bytes:
        return encode(asked.run(superposition(8), seed=seed, max_outcomes=10).result)

    assert stored(7) == stored(7)
    assert stored(7) != stored(8)


@every_ideal_engine
def test_noise_is_left_to_the_engine_that_knows_it(asked: Asked) -> None:
    answer = asked.engine.assess(asked.workload(bell(), noise=SILENT))

    assert isinstance(answer, Refusal)
    assert answer.is_moot


@every_vector_engine
def test_a_circuit_too_wide_for_any_machine_is_refused_before_anything_is_allocated(
    asked: Asked,
) -> None:
    answer = asked.engine.assess(asked.workload(qis(5000)))

    assert isinstance(answer, Refusal)
    assert answer.is_too_large
    assert answer.reason.startswith("5000 qubits; ")


@every_engine
@given(data=st.data())
@settings(thorough, max_examples=30)
def test_an_estimate_grows_with_the_circuit(asked: Asked, data: st.DataObject) -> None:
    circuit = data.draw(
        st.one_of(circuits_for(asked), st.just(qis(24 if asked.has_vector else 13)))
    )
    twice = Circuit.from_operations(
        circuit.num_qubits, circuit.gateset, [*circuit.operations(), *circuit.operations()]
    )

    one, two = (asked.engine.assess(asked.workload(each)) for each in (circuit, twice))

    if is_left(one) or is_left(two):
        reject()
    assert isinstance(one, Estimate)
    assert isinstance(two, Estimate)
    assert 0 < one.seconds <= two.seconds
    least = 2**circuit.num_qubits if asked.has_vector else 0
    assert least < one.memory_bytes <= two.memory_bytes
