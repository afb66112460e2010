from __future__ import annotations

from math import acos, comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.builders import qis
from tests.unit.compiler.equivalence import TARGETS, circuits, compiled

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import state_vector
from ionbox.compiler.compilation import Target
from ionbox.compiler.symmetries import Symmetries, conserved


def of(num_qubits: int, *operations: Operation) -> Symmetries:
    return conserved(Circuit.from_operations(num_qubits, "qis", operations))


def allowed(symmetries: Symmetries) -> list[int]:
    states = np.arange(1 << symmetries.num_qubits, dtype=np.uint64)
    found: list[int] = states[symmetries.is_allowed(states)].tolist()
    return found


def reached(circuit: Circuit) -> NDArray[np.uint64]:
    return np.flatnonzero(np.abs(state_vector(circuit)) ** 2 > 1e-12).astype(np.uint64)


def cnot(control: int, target: int) -> Operation:
    return qis("cnot", (target,), controls=(control,))


def pauliexp(targets: tuple[int, ...], **factors: float) -> Operation:
    params = (*factors.values(), 0.7)
    return Operation(GATE_BY_NAME["qis", "pauliexp"], targets, (), params, tuple(factors))


GHZ = [qis("h", (0,)), *(cnot(qubit, qubit + 1) for qubit in range(4))]


def test_a_ghz_state_has_only_two_outcomes() -> None:
    found = of(5, *GHZ)

    assert allowed(found) == [0, 31]
    assert found.num_allowed_states == 2


def w_state(num_qubits: int) -> list[Operation]:
    operations = [qis("x", (0,))]
    for qubit in range(num_qubits - 1):
        rotation = 2 * acos(sqrt(1 / (num_qubits - qubit)))
        operations += [
            qis("ry", (qubit + 1,), rotation, controls=(qubit,)),
            cnot(qubit + 1, qubit),
        ]
    return operations


def test_a_w_state_has_one_one() -> None:
    found = of(6, *w_state(6))

    assert allowed(found) == [1 << qubit for qubit in range(6)]
    assert found.num_allowed_states == 6


HOPS = {
    "xx and yy": lambda a, b: [qis("xx", (a, b), 0.3), qis("yy", (a, b), 0.3)],
    "pauliexp": lambda a, b: [pauliexp((a, b), XX=0.2, YY=0.2)],
    "cnot": lambda a, b: [cnot(b, a), qis("rx", (b,), 0.4, controls=(a,)), cnot(b, a)],
}


@pytest.mark.parametrize("hop", HOPS)
def test_particles_that_hop_keep_their_number(hop: str) -> None:
    particles = [qis("x", (qubit,)) for qubit in (0, 2, 5)]
    hops = [step for a in range(7) for step in HOPS[hop](a, a + 1)]
    phases = [qis("zz", (1, 3), 0.2), qis("t", (4,)), qis("z", (6,), 0.3, controls=(2,))]
    circuit = Circuit.from_operations(8, "qis", [*particles, *hops, *phases, *(5 * hops)])

    found = conserved(circuit)

    assert found.num_allowed_states == comb(8, 3) == len(allowed(found))
    assert allowed(found) == reached(circuit).tolist()


def test_particles_that_hop_far_keep_their_number_and_parity() -> None:
    words = {"XZZX": 0.2, "YZZY": 0.2, "IXXI": 0.1, "IYYI": 0.1, "ZIIZ": 0.3}

    assert of(4, qis("x", (3,)), pauliexp((0, 1, 2, 3), **words)).weights == ((6, 0), (9, 1))
    assert of(4, pauliexp((0, 1, 2, 3), XZZX=0.2, YZZY=-0.2)).weights == ()
    assert of(4, pauliexp((0, 1, 2, 3), XZZX=0.2, YZZY=-0.2)).parities == ((9, 0), (2, 0), (4, 0))


def test_what_pairs_create_keeps_its_parity_only() -> None:
    found = of(6, *[qis("xx", (qubit, qubit + 1), 0.3) for qubit in range(5)])

    assert found.num_allowed_states == 32
    assert found.parities == ((63, 0),)


def test_each_chain_keeps_its_own_number() -> None:
    chains = [step for a in (0, 1, 3, 4) for step in HOPS["pauliexp"](a, a + 1)]

    found = of(6, qis("x", (1,)), qis("x", (3,)), qis("x", (5,)), *chains, qis("swap", (2, 3)))

    assert found.weights == ((0b001011, 1), (0b110100, 2))
    assert found.num_allowed_states == 9


def test_a_swap_takes_what_is_known_with_it() -> None:
    assert allowed(of(3, qis("h", (0,)), cnot(0, 1), qis("swap", (1, 2)))) == [0, 5]


def test_a_control_in_a_known_state_keeps_nothing_open() -> None:
    assert allowed(of(3, qis("h", (1,), controls=(0,)), qis("x", (2,)))) == [4]
    wide = qis("h", (8,), controls=tuple(range(8)))
    assert conserved(Circuit.from_operations(9, "qis", [wide])).num_allowed_states <= 2


def test_many_qubits_are_counted_without_a_list() -> None:
    particles = [qis("x", (qubit,)) for qubit in range(0, 30, 3)]
    hops = [step for a in range(28, -1, -1) for step in HOPS["xx and yy"](a, a + 1)]

    assert of(30, *particles, *hops).num_allowed_states == comb(29, 10)  # nothing comes to the last
    assert of(100, qis("h", (0,)), *(cnot(q, q + 1) for q in range(99))).num_allowed_states == 2


def test_basis_states_may_be_rows_of_bits() -> None:
    found = of(5, *GHZ)
    rows = np.array([[0] * 5, [1] * 5, [1, 0, 0, 0, 0]], np.uint8)

    assert found.is_allowed(rows).tolist() == [True, True, False]


@settings(deadline=None, max_examples=150)
@given(circuits(max_qubits=6))
def test_what_can_happen_is_allowed(circuit: Circuit) -> None:
    found = conserved(circuit)

    assert found.is_allowed(reached(circuit)).all()
    assert found.num_allowed_states == len(allowed(found))


@settings(deadline=None, max_examples=50)
@given(circuits(max_qubits=4), st.sampled_from(TARGETS))
def test_what_native_gates_can_do_is_allowed(circuit: Circuit, target: Target) -> None:
    _, native = compiled(circuit, target, 1)

    assert conserved(native).is_allowed(reached(native)).all()
