from __future__ import annotations

import numpy as np
import pytest
from tests.builders import qis

from ionbox._kernel import kernel
from ionbox.backends.noise import NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.engines.errors import draw_errors
from ionbox.engines.kernel import packed_by
from ionbox.engines.patterns import columns, single_errors

pytestmark = pytest.mark.skipif(kernel is None, reason="patterns are counted by the kernel")


def layers(num_qubits: int, depth: int) -> Circuit:
    random = np.random.default_rng(1)
    operations: list[Operation] = []
    for layer in range(depth):
        for qubit in range(num_qubits):
            gate = ["rx", "ry", "rz"][random.integers(3)]
            operations.append(qis(gate, (qubit,), float(random.uniform(0, 6))))
        pairs = range(layer % 2, num_qubits - 1, 2)
        operations += [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in pairs]
    return Circuit.from_operations(num_qubits, "qis", operations)


def ghz(num_qubits: int) -> Circuit:
    chain = [qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(num_qubits - 1)]
    return Circuit.from_operations(num_qubits, "qis", [qis("h", (0,)), *chain])


@pytest.mark.parametrize(("num_qubits", "depth"), [(4, 5), (8, 5), (8, 20)])
@pytest.mark.parametrize("rate", [0.003, 0.02, 0.1])
def test_as_many_patterns_are_predicted_as_there_are(
    num_qubits: int, depth: int, rate: float
) -> None:
    assert kernel is not None
    shots = 5000
    noisy = noisy_circuit(NoiseModel("n", 25, rate / 4, rate), layers(num_qubits, depth))

    predicted = single_errors(kernel, noisy).groups(shots).patterns

    errors = draw_errors(noisy.channels, shots, 7)
    packed = packed_by(kernel, noisy.circuit)
    _, _, _, firsts = kernel.patterns(packed, *columns(noisy.channels), *errors, shots)
    assert 0.6 < predicted / len(firsts) < 1.5


def test_errors_of_clifford_operations_make_no_pattern() -> None:
    assert kernel is not None
    noisy = noisy_circuit(NoiseModel("n", 25, 0.1, 0.1), ghz(5))

    assert single_errors(kernel, noisy).groups(1000).patterns == 1


def test_a_circuit_without_channels_has_one_pattern() -> None:
    assert kernel is not None
    noisy = noisy_circuit(NoiseModel("n", 25, 0.1, 0.1), Circuit.from_operations(2, "qis", []))

    groups = single_errors(kernel, noisy).groups(1000)

    assert (groups.acts, groups.applied, groups.patterns) == (0, 0, 1)
