from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import listed, outcome_by, peak_bytes, qis, workload

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.chain import Bonds, Chain, parts
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload
from ionbox.engines.mps import MatrixProductEngine
from ionbox.engines.planner import plan
from ionbox.engines.structure import kinds
from ionbox.formats.results import Exact, encode

ENGINE = MatrixProductEngine()
GIB = 1 << 30
steady = settings(derandomize=True, deadline=None)


def brickwork(num_qubits: int, num_layers: int, seed: int = 1) -> Circuit:
    generator = np.random.default_rng(seed)
    operations = []
    for layer in range(num_layers):
        for qubit in range(num_qubits):
            operations.append(qis("ry", (qubit,), float(generator.uniform(0, 6))))
            operations.append(qis("rz", (qubit,), float(generator.uniform(0, 6))))
        for one, two in list(pairwise(range(num_qubits)))[layer % 2 :: 2]:
            operations.append(qis("cnot", (two,), controls=(one,)))
    return Circuit.from_operations(num_qubits, "qis", operations)


def run(circuit: Circuit, registers: Any = None, **options: Any) -> Outcome:  # noqa: ANN401
    return outcome_by(ENGINE, workload(circuit, registers, **options))


def followed(circuit: Circuit) -> tuple[Chain, Bonds]:
    chain, bonds = Chain(circuit.num_qubits), Bonds(circuit.num_qubits)
    for kind, qubits in kinds(circuit):
        for part in parts(kind) or ():
            chain.apply(part, [qubits[place] for place in part.places])
            bonds.apply(part, [qubits[place] for place in part.places])
    return chain, bonds


def amplitudes(chain: Chain) -> np.ndarray[Any, np.dtype[np.complex128]]:
    """Multiply all tensors, and put the qubits in order: qubit 0 the lowest bit."""
    whole = np.ones((1, 1), np.complex128)
    for tensor in chain._tensors:
        whole = np.tensordot(whole, tensor, axes=1).reshape(-1, tensor.shape[2])
    num_qubits = len(chain._tensors)
    sites = chain.order.sites(range(num_qubits))
    return whole.reshape((2,) * num_qubits).transpose(sites[::-1]).reshape(-1)


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    """Draw operations on qubits that are not neighbours, with controls and with Pauli words."""
    operations = []
    for place in range(draw(st.integers(0, 10))):
        one, two, three, *_ = draw(st.permutations(range(6)))
        turn = 0.3 + place
        operations += [
            qis("ry", (one,), turn),
            draw(
                st.sampled_from(
                    [
                        qis("cnot", (two,), controls=(one,)),
                        qis("swap", (one, three)),
                        qis("xx", (three, one), turn),
                        qis("rx", (one,), turn, controls=(two, three)),
                        pauliexp((one, two, three), "XYZ", "ZZI", angle=turn),
                        pauliexp((5, 3, 1, 0, 2), "XYZIZ", angle=turn),
                    ]
                )
            ),
        ]
    return Circuit.from_operations(6, "qis", operations)


def pauliexp(targets: tuple[int, ...], *terms: str, angle: float) -> Operation:
    params = (*([angle] * len(terms)), 1.0)
    return Operation(GATE_BY_NAME["qis", "pauliexp"], targets, (), params, terms)


@given(circuits())
@settings(steady, max_examples=60)
def test_the_chain_is_the_state_that_the_oracle_makes(circuit: Circuit) -> None:
    chain, _ = followed(circuit)

    overlap = np.vdot(amplitudes(chain), state_vector(circuit))

    assert abs(overlap) == pytest.approx(1, abs=1e-12)


@given(circuits())
@settings(steady, max_examples=60)
def test_no_bond_is_larger_than_its_bound(circuit: Circuit) -> None:
    chain, bonds = followed(circuit)

    sizes = [len(values) for values in chain._values]

    assert all(size <= 2**bits for size, bits in zip(sizes, bonds.bits, strict=False))
    assert max(sizes) <= 2**bonds.largest


@given(circuits())
@settings(steady, max_examples=30)
def test_tensors_are_right_orthonormal_after_every_operation(circuit: Circuit) -> None:
    chain, _ = followed(circuit)

    for tensor in chain._tensors:
        product = np.einsum("lbr,mbr->lm", tensor, tensor.conj())
        assert np.allclose(product, np.eye(len(product)), rtol=0, atol=1e-10)


def test_frequencies_are_those_of_the_exact_probabilities() -> None:
    circuit = brickwork(8, 6)
    shots = 100_000
    outcome = MatrixProductEngine(0).run(workload(circuit, shots=shots))

    assert isinstance(outcome.result, Exact)
    expected = np.abs(state_vector(circuit)) ** 2
    counts = np.zeros(256)
    for state, share in listed(outcome.result.registers[OUTPUT_ALL]).items():
        counts[state] = share * shots
    chi_squared = ((counts - shots * expected) ** 2 / (shots * expected)).sum()
    assert abs(chi_squared - 255) < 4 * np.sqrt(2 * 255)


def test_a_brickwork_of_100_qubits_has_the_local_probabilities_of_its_light_cone() -> None:
    """Qubits 40 to 42 after 2 layers depend on at most 2 qubits more on each side."""
    wide = brickwork(100, 2)
    shots = 20_000
    outcome = run(wide, {"c": [40, 41, 42]}, shots=shots)

    near = range(36, 47)
    kept = [
        Operation(
            each.gate,
            tuple(target - 36 for target in each.targets),
            tuple(control - 36 for control in each.controls),
            each.params,
        )
        for each in wide.operations()
        if all(qubit in near for qubit in (*each.targets, *each.controls))
    ]
    weights = np.abs(state_vector(Circuit.from_operations(11, "qis", kept))) ** 2
    expected = weights.reshape(16, 8, 16).sum(axis=(0, 2))
    assert isinstance(outcome.result, Exact)
    found = listed(outcome.result.registers["c"])
    for state, probability in enumerate(expected.tolist()):
        sigma = np.sqrt(probability * (1 - probability) / shots)
        assert abs(found.get(state, 0.0) - probability) < 5 * sigma + 1 / shots


def test_the_seed_decides_and_the_job_is_told_that_it_was_sampled() -> None:
    first, again, other = (run(brickwork(50, 4), seed=seed) for seed in (7, 7, 8))

    assert encode(first.result) == encode(again.result)
    assert encode(first.result) != encode(other.result)
    (warning,) = first.warnings
    assert warning.startswith("sampled with 1000 shots: the outcomes of 50 qubits")


@pytest.mark.parametrize(
    ("circuit", "reason"),
    [
        (brickwork(24, 1), "matrix product states are for 25 qubits or more"),
        (
            brickwork(50, 20),
            "the qubits may be more entangled than a bond of 512 can hold",
        ),
        (
            Circuit.from_operations(30, "qis", [qis("x", (0,), controls=(1, 2, 3, 4))]),
            "circuit[0], gate x: on more than 4 qubits",
        ),
    ],
)
def test_what_may_entangle_too_much_is_left_to_others(circuit: Circuit, reason: str) -> None:
    assert ENGINE.assess(workload(circuit)) == Refusal("mps", reason, is_moot=True)


@pytest.mark.parametrize(
    "given",
    [
        workload(brickwork(40, 4), shots=1000),
        workload(brickwork(26, 12), {"c": [0, 5]}, shots=3000),
        workload(brickwork(50, 1), {"c": [0, 5] * 500}, shots=10_000),
    ],
    ids=["little entanglement", "more", "a wide register"],
)
def test_a_run_stays_within_its_estimate(given: Workload) -> None:
    estimate = ENGINE.assess(given)
    assert isinstance(estimate, Estimate)
    ENGINE.run(given)

    assert peak_bytes(lambda: ENGINE.run(given)) <= estimate.memory_bytes


@pytest.mark.parametrize(
    ("num_qubits", "engine"), [(24, "kernel"), (28, "kernel"), (30, "mps"), (100, "mps")]
)
def test_the_planner_turns_to_it_where_a_vector_would_be_very_large(
    num_qubits: int, engine: str
) -> None:
    pytest.importorskip("ionbox._kernel.statevector")

    chosen = plan(workload(brickwork(num_qubits, 4)), memory_bytes=64 * GIB).chosen

    assert chosen is not None
    assert chosen.engine == engine
