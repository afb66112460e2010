from __future__ import annotations

from itertools import pairwise
from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import listed, peak_bytes, qis

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.engines.engine import Estimate, Refusal, Workload
from ionbox.engines.planner import plan
from ionbox.engines.sparse import SparseEngine, evolve
from ionbox.formats.results import Exact, Probabilities

ENGINE = SparseEngine()
GIB = 1 << 30


def workload(circuit: Circuit, registers: Any = None, **options: Any) -> Workload:  # noqa: ANN401
    return Workload(program_of(circuit, registers), shots=100, seed=7, **options)


def run(circuit: Circuit, registers: Any = None) -> dict[str, Probabilities]:  # noqa: ANN401
    given = workload(circuit, registers)
    assert isinstance(ENGINE.assess(given), Estimate)
    result = ENGINE.run(given).result
    assert isinstance(result, Exact)
    return dict(result.registers)


def ghz(num_qubits: int) -> list[Operation]:
    chain = [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)]
    return [qis("h", (0,)), *chain]


def adder(num_bits: int, inputs: list[Operation]) -> Circuit:
    """Return b += a as Cuccaro et al. do, quant-ph/0410184; after a carry, b0 a0 b1 a1 ..."""
    b = [1 + 2 * place for place in range(num_bits)]
    a = [2 + 2 * place for place in range(num_bits)]
    triples = list(zip([0, *a[:-1]], b, a, strict=True))
    added = [step for x, y, z in triples for step in majority(x, y, z)]
    carried = [qis("cnot", (2 * num_bits + 1,), controls=(a[-1],))]
    undone = [step for x, y, z in reversed(triples) for step in unmajority(x, y, z)]
    return Circuit.from_operations(2 * num_bits + 2, "qis", [*inputs, *added, *carried, *undone])


def majority(x: int, y: int, z: int) -> list[Operation]:
    return [
        qis("cnot", (y,), controls=(z,)),
        qis("cnot", (x,), controls=(z,)),
        qis("cnot", (z,), controls=(x, y)),
    ]


def unmajority(x: int, y: int, z: int) -> list[Operation]:
    return [
        qis("cnot", (z,), controls=(x, y)),
        qis("cnot", (x,), controls=(z,)),
        qis("cnot", (y,), controls=(x,)),
    ]


def test_an_adder_of_64_qubits_adds_all_numbers_of_a_superposition() -> None:
    inputs = [qis("h", (2 + 2 * place,)) for place in range(5)]  # a from 0 to 31
    inputs += [qis("x", (1 + 2 * place,)) for place in (0, 1, 30)]  # b = 2^30 + 3

    found = listed(run(adder(31, inputs))[OUTPUT_ALL])

    sums = {pack(b=(1 << 30) + 3 + a, a=a): 1 / 32 for a in range(32)}
    assert found == pytest.approx(sums)


def pack(*, b: int, a: int) -> int:
    low = sum((b >> k & 1) << (1 + 2 * k) | (a >> k & 1) << (2 + 2 * k) for k in range(31))
    return low | (b >> 31) << 63


@pytest.mark.parametrize("num_qubits", [40, 64])
def test_a_ghz_state_with_phases_has_two_outcomes(num_qubits: int) -> None:
    phases = [qis("t", (qubit,)) for qubit in range(num_qubits)]
    circuit = Circuit.from_operations(num_qubits, "qis", [*ghz(num_qubits), *phases])

    assert listed(run(circuit)[OUTPUT_ALL]) == pytest.approx({0: 0.5, 2**num_qubits - 1: 0.5})


def test_what_cancels_is_dropped() -> None:
    turn = [qis("ry", (0,), 0.3), *ghz(30)[1:]]
    back = [*reversed(ghz(30)[1:]), qis("ry", (0,), -0.3)]
    circuit = Circuit.from_operations(30, "qis", [*turn, *back] * 5)

    assert evolve(circuit).keys.tolist() == [0]


def test_grovers_oracle_marks_one_of_many_in_50_qubits() -> None:
    mix = [qis("h", (qubit,)) for qubit in range(10)]
    flip = [qis("x", (qubit,)) for qubit in range(10)]
    mirror = qis("z", (0,), pi, controls=tuple(range(1, 10)))
    oracle = [qis("x", (49,), controls=tuple(range(10))), qis("z", (49,), pi)]
    oracle.append(oracle[0])
    circuit = Circuit.from_operations(
        50, "qis", [*mix, *(oracle + mix + flip + [mirror] + flip + mix)]
    )

    found = listed(run(circuit)[OUTPUT_ALL])

    # one of Grover's steps: sin(3 asin(2^-5))^2
    assert found[1023] == pytest.approx(np.sin(3 * np.arcsin(2**-5)) ** 2)
    assert len(found) == 1024


def test_registers_hold_what_was_measured_into_them() -> None:
    registers = run(
        Circuit.from_operations(40, "qis", [qis("h", (3,)), qis("t", (3,)), qis("x", (39,))]),
        {"c": [39, None, 3, 3], "d": [0]},
    )

    assert listed(registers["c"]) == pytest.approx({0b0001: 0.5, 0b1101: 0.5})
    assert listed(registers["d"]) == {0: 1.0}


WORDS = st.lists(st.text("IXYZ", min_size=6, max_size=6), min_size=1, max_size=2)


@given(terms=WORDS, has_control=st.booleans())
@settings(derandomize=True, deadline=None)
def test_long_pauli_words_act_as_the_oracle_says(terms: list[str], has_control: bool) -> None:
    params = (*(0.3 + place for place in range(len(terms))), 0.7)
    controls = (6,) if has_control else ()
    word = Operation(
        GATE_BY_NAME["qis", "pauliexp"], tuple(range(6)), controls, params, tuple(terms)
    )
    turns = [qis("ry", (qubit,), 0.4 + qubit) for qubit in (0, 3, 6)]
    circuit = Circuit.from_operations(7, "qis", [*turns, word])
    engine = SparseEngine(0, 0)
    if isinstance(engine.assess(workload(circuit)), Refusal):
        return  # terms that do not commute

    state = evolve(circuit)

    vector = np.zeros(2**7, np.complex128)
    vector[state.keys] = state.values
    assert np.allclose(vector, state_vector(circuit), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("circuit", "reason"),
    [
        (Circuit.from_operations(11, "qis", []), "the sparse engine is for 12 to 64 qubits"),
        (Circuit.from_operations(65, "qis", []), "the sparse engine is for 12 to 64 qubits"),
        (
            Circuit.from_operations(20, "qis", [qis("h", (qubit,)) for qubit in range(17)]),
            "more than 2^16 amplitudes may be nonzero",
        ),
        (
            Circuit.from_operations(60, "qis", [qis("h", (qubit,)) for qubit in range(25)]),
            "more than 2^24 amplitudes may be nonzero",
        ),
    ],
)
def test_what_may_fill_a_vector_is_left_to_others(circuit: Circuit, reason: str) -> None:
    assert ENGINE.assess(workload(circuit)) == Refusal("sparse", reason, is_moot=True)


@pytest.mark.parametrize("num_mixed", [1, 14, 17])
def test_a_run_stays_within_its_estimate(num_mixed: int) -> None:
    turns = [qis("ry", (qubit,), 0.3) for qubit in range(num_mixed)]
    chain = [qis("cnot", (two,), controls=(one,)) for one, two in pairwise(range(40))]
    given = workload(Circuit.from_operations(40, "qis", [*turns, *chain]), {"c": [0, 39]})
    estimate = ENGINE.assess(given)
    assert isinstance(estimate, Estimate)
    ENGINE.run(given)

    assert peak_bytes(lambda: ENGINE.run(given)) <= estimate.memory_bytes


def test_few_amplitudes_are_quicker_than_all_of_them() -> None:
    phases = [qis("t", (qubit,)) for qubit in range(20)]
    circuit = Circuit.from_operations(20, "qis", [*ghz(20), *phases])

    chosen = plan(workload(circuit), memory_bytes=GIB).chosen

    assert chosen is not None
    assert chosen.engine == "sparse"
