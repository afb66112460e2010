"""Noisy shots against the exact state: chi-square, cells with under 10 expected pooled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.builders import PAULIS, qis

from ionbox._kernel import kernel
from ionbox.backends.idling import Idling
from ionbox.backends.noise import Channel, Flips, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import unitary
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.circuits.unitaries import Matrix
from ionbox.engines.engine import Workload
from ionbox.engines.planner import engine_named
from ionbox.formats.results import Sampled

pytestmark = pytest.mark.skipif(kernel is None, reason="so many shots are for the kernel")
ENGINE = engine_named("trajectories")
WORDS = GATE_BY_NAME["qis", "pauliexp"]
SHOTS = 1_000_000
NUM_CIRCUITS = 20
ALPHA_SIGMAS = 4.753  # of a normal variable: one side of alpha = 1e-6


def random_operation(num_qubits: int, random: np.random.Generator) -> Operation:
    one, *others = (int(qubit) for qubit in random.permutation(num_qubits))
    angle = float(random.uniform(0.3, 2.8))
    alone = [
        qis("rx", (one,), angle),
        qis("ry", (one,), angle),
        qis("rz", (one,), angle),
        qis("h", (one,)),
        qis("t", (one,)),
    ]
    if not others or random.random() < 0.5:
        return alone[random.integers(len(alone))]
    pairs = [
        qis("cnot", (one,), controls=(others[0],)),
        qis("swap", (one, others[0])),
        qis("xx", (one, others[0]), angle),
        qis("zz", (one, others[0]), angle),
        qis("ry", (one,), angle, controls=(others[0],)),
        qis("cnot", (one,), controls=tuple(others[:2])),
        Operation(WORDS, (one, others[0]), (), (0.4, 0.3, angle), ("XZ", "YI")),
    ]
    return pairs[random.integers(len(pairs))]


def random_circuit(number: int) -> Circuit:
    random = np.random.default_rng(number)
    num_qubits = 1 + number % 4
    start = [qis("ry", (qubit,), float(random.uniform(0.4, 1.2))) for qubit in range(num_qubits)]
    rest = [random_operation(num_qubits, random) for _ in range(10)]
    return Circuit.from_operations(num_qubits, "qis", [*start, *rest])


def random_noise(number: int) -> NoiseModel:
    random = np.random.default_rng(1000 + number)
    one, two = (float(rate) for rate in random.uniform(0.05, 0.3, 2))
    return NoiseModel("random", 4, one, two)


def applied(rho: Matrix, operation: Operation, num_qubits: int) -> Matrix:
    gate = unitary(Circuit.from_operations(num_qubits, "qis", [operation]))
    return gate @ rho @ gate.conj().T


def erring(rho: Matrix, channel: Channel, num_qubits: int) -> Matrix:
    errors = list(product(PAULIS, repeat=len(channel.qubits)))[1:]
    shares = channel.shares or [1 / len(errors)] * len(errors)
    mixed = np.zeros_like(rho)
    for letters, share in zip(errors, shares, strict=True):
        word = word_matrix(dict(zip(channel.qubits, letters, strict=True)), num_qubits)
        mixed += share * word @ rho @ word.conj().T
    return ((1 - channel.probability) * rho + channel.probability * mixed).astype(np.complex128)


def word_matrix(letters: dict[int, Matrix], num_qubits: int) -> Matrix:
    word: Matrix = np.ones((1, 1), np.complex128)
    for qubit in reversed(range(num_qubits)):
        word = np.kron(word, letters.get(qubit, PAULIS[0])).astype(np.complex128)
    return word


def probabilities(circuit: Circuit, noise: NoiseModel, *, lead: int = 0) -> NDArray[np.float64]:
    """Return the exact ones; `lead` puts each channel so many operations too early."""
    num_qubits, around = circuit.num_qubits, noisy_circuit(noise, circuit).channels
    rho = np.zeros((2**num_qubits, 2**num_qubits), np.complex128)
    rho[0, 0] = 1
    for place, operation in enumerate((*circuit.operations(), None)):
        for channel in around:
            if max(channel.after - lead, 0) == place:
                rho = erring(rho, channel, num_qubits)
        if operation is not None:
            rho = applied(rho, operation, num_qubits)
    return np.diag(rho).real.astype(np.float64)


def counts_of(circuit: Circuit, noise: NoiseModel, seed: int = 7) -> NDArray[np.int64]:
    return np.bincount(states_of(circuit, noise, seed), minlength=2**circuit.num_qubits)


def states_of(
    circuit: Circuit, noise: NoiseModel, seed: int, shots: int = SHOTS
) -> NDArray[np.uint8]:
    result = ENGINE.run(Workload(program_of(circuit), shots=shots, seed=seed, noise=noise)).result
    assert isinstance(result, Sampled)
    return result.registers[OUTPUT_ALL].rows[:, 0]


def excess(counts: NDArray[np.int64], chances: NDArray[np.float64]) -> float:
    """Return chi-square over its bound at alpha = 1e-6 (Wilson & Hilferty); under 1 it passes."""
    expected = chances * counts.sum()
    is_large = expected >= 10
    found = np.append(counts[is_large], counts[~is_large].sum())
    wanted = np.append(expected[is_large], expected[~is_large].sum())
    is_there = wanted > 0
    chi_square = float(((found - wanted)[is_there] ** 2 / wanted[is_there]).sum())
    degrees = max(int(is_there.sum()) - 1, 1)
    spread = 2 / (9 * degrees)
    return chi_square / float(degrees * (1 - spread + ALPHA_SIGMAS * np.sqrt(spread)) ** 3)


@pytest.fixture(scope="module")
def samples() -> list[NDArray[np.int64]]:
    return [counts_of(random_circuit(k), random_noise(k)) for k in range(NUM_CIRCUITS)]


def test_shots_are_those_of_the_density_matrix(samples: list[NDArray[np.int64]]) -> None:
    for number, counts in enumerate(samples):
        exact = probabilities(random_circuit(number), random_noise(number))
        assert excess(counts, exact) < 1, number


Faulty = Callable[[Circuit, NoiseModel], NDArray[np.float64]]
FAULTS: dict[str, Faulty] = {
    "rates of another convention": lambda circuit, noise: probabilities(
        circuit, replace(noise, r1q=4 / 3 * noise.r1q, r2q=4 / 3 * noise.r2q)
    ),
    "channels too early": lambda circuit, noise: probabilities(circuit, noise, lead=3),
    "no errors of one qubit": lambda circuit, noise: probabilities(circuit, replace(noise, r1q=0)),
}


# A uniform channel commutes with the gate that it follows: early is before another one.
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_bound_finds_a_fault(samples: list[NDArray[np.int64]], fault: Faulty) -> None:
    found = [
        excess(counts, fault(random_circuit(number), random_noise(number))) > 1
        for number, counts in enumerate(samples)
    ]

    assert sum(found) > NUM_CIRCUITS / 3


def test_errors_of_waiting_follow_the_exact_probabilities() -> None:
    idling = Idling(t1=30.0, t2=10.0, gate_1q=0.5, gate_2q=2.0)
    circuit, noise = random_circuit(7), random_noise(7)

    counts = counts_of(circuit, replace(noise, idling=idling))

    assert excess(counts, probabilities(circuit, replace(noise, idling=idling))) < 1
    assert excess(counts, probabilities(circuit, noise)) > 1


def test_what_is_read_wrongly_follows_the_exact_probabilities() -> None:
    circuit, noise = random_circuit(3), random_noise(3)
    flips = Flips(0.1, 0.25)
    misreading = np.array([[0.9, 0.25], [0.1, 0.75]])
    read = np.ones((1, 1))
    for _ in range(circuit.num_qubits):
        read = np.kron(read, misreading)

    counts = counts_of(circuit, replace(noise, flips=flips))

    assert excess(counts, read @ probabilities(circuit, noise)) < 1
    assert excess(counts, probabilities(circuit, noise)) > 1


def test_shots_of_neighbouring_seeds_agree_by_chance_only() -> None:
    circuit, noise, shots = random_circuit(3), random_noise(3), 200_000
    chances = probabilities(circuit, noise)
    by_chance = float((chances**2).sum())

    one, other = (states_of(circuit, noise, seed, shots) for seed in (7, 8))

    sigma = np.sqrt(shots * by_chance * (1 - by_chance))
    assert abs(int((one == other).sum()) - shots * by_chance) < 5 * sigma
