from __future__ import annotations

import numpy as np
import pytest
from tests.builders import qis

from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, ROW_BY_NAME
from ionbox.circuits.program import OUTPUT_ALL, Program, ProgramBuilder
from ionbox.engines.apparatus import NUMPY, Apparatus, part
from ionbox.engines.branches import BranchEngine
from ionbox.engines.engine import Workload
from ionbox.engines.vectors import AMPLITUDE_TYPES, Amplitudes, ground_state
from ionbox.formats.results import Exact

if kernel is None:
    pytest.skip("the kernel was not built, or is switched off", allow_module_level=True)

IN_KERNEL = Apparatus(kernel)
NUM_QUBITS = 6


def pauliexp(targets: tuple[int, ...], terms: tuple[str, str]) -> Operation:
    return Operation(GATE_BY_NAME["qis", "pauliexp"], targets, (), (0.4, 0.7, 1.1), terms)


def mixing() -> Circuit:
    """Return a circuit of gates with and without parameters and Pauli words."""
    operations = [qis("ry", (qubit,), 0.3 + qubit) for qubit in range(NUM_QUBITS)]
    words = pauliexp((0, 3, 5), ("XYZ", "ZIX"))
    operations += [words, qis("cnot", (2,), controls=(4,)), qis("h", (1,))]
    return Circuit.from_operations(NUM_QUBITS, "qis", operations)


def not_commuting() -> Circuit:
    words = pauliexp((0, 1, 2), ("XXI", "ZIY"))
    return Circuit.from_operations(NUM_QUBITS, "qis", [qis("h", (0,)), words])


def vector() -> Amplitudes:
    state = ground_state(NUM_QUBITS, AMPLITUDE_TYPES["float64"])
    NUMPY.ready(mixing()).apply(state)
    return state


@pytest.mark.parametrize("circuit", [mixing(), not_commuting()], ids=["known", "for NumPy"])
def test_a_circuit_does_what_it_does_in_numpy(circuit: Circuit) -> None:
    found, expected = vector(), vector()

    IN_KERNEL.ready(circuit).apply(found)
    NUMPY.ready(circuit).apply(expected)

    assert np.allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("apparatus", [IN_KERNEL, NUMPY], ids=["kernel", "numpy"])
@pytest.mark.parametrize("cut", [0, 1, 6, 7, 9])
def test_two_parts_of_a_circuit_are_the_whole(apparatus: Apparatus, cut: int) -> None:
    found, expected = vector(), vector()
    ready = apparatus.ready(mixing())

    ready.apply(found, 0, cut)
    ready.apply(found, cut)
    ready.apply(expected)

    assert np.allclose(found, expected, rtol=0, atol=1e-14)


def test_a_part_holds_the_operations_between() -> None:
    circuit = mixing()

    assert list(part(circuit, 4, 8).operations()) == list(circuit.operations())[4:8]


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("change", ["collapse", "reset"])
def test_what_is_measured_or_reset_is_so_in_both(change: str, outcome: int) -> None:
    found, expected = vector(), vector()

    assert IN_KERNEL.probability_of_one(found, 3) == pytest.approx(
        NUMPY.probability_of_one(expected, 3), abs=1e-14
    )
    for apparatus, state in ((IN_KERNEL, found), (NUMPY, expected)):
        getattr(apparatus, change)(state, 3, outcome, 0.25)
    assert np.allclose(found, expected, rtol=0, atol=1e-14)


def program() -> Program:
    builder = ProgramBuilder(3, "qis")
    bits = builder.add_register("c", 2).start
    for qubit in range(3):
        builder.add_operation(ROW_BY_NAME["qis", "ry"], (qubit,), (), (0.4 + qubit,))
    builder.measure(0, bits)
    builder.add_operation(ROW_BY_NAME["qis", "x"], (1,), (0,), ())
    builder.reset(1)
    builder.add_operation(ROW_BY_NAME["qis", "h"], (1,), (), ())
    builder.measure(2, bits + 1)
    builder.add_operation(ROW_BY_NAME["qis", "h"], (2,), (), ())
    return builder.build()


def test_branches_are_the_same_in_both() -> None:
    workload = Workload(program(), shots=100, seed=7)

    found, expected = (
        BranchEngine(apparatus).run(workload).result for apparatus in (IN_KERNEL, NUMPY)
    )

    assert isinstance(found, Exact)
    assert isinstance(expected, Exact)
    for name in (OUTPUT_ALL, "c"):
        values, others = found.registers[name].values, expected.registers[name].values
        assert np.allclose(values, others, rtol=0, atol=1e-14)
