from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import listed, outcome_by, qis
from tests.unit.compiler.equivalence import (
    MS,
    TARGETS,
    ZZ,
    circuits,
    compiled,
    operations,
    state_error,
    unitary_error,
    variant_of,
)

from ionbox.backends.noise import NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, ROW_BY_NAME, Gate
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import (
    OUTPUT_ALL,
    Bits,
    Constant,
    Expression,
    Program,
    ProgramBuilder,
    program_of,
)
from ionbox.compiler.compilation import Options, Target, compile_program
from ionbox.engines.branches import BranchEngine
from ionbox.engines.clifford import first_other
from ionbox.engines.engine import Workload
from ionbox.engines.statevector import StateVectorEngine
from ionbox.errors import InvalidCircuitError
from ionbox.formats.results import Exact

EXACT = 1e-9
QIS = [gate for gate in GATES if gate.gateset == "qis"]


def cnot(control: int, target: int) -> Operation:
    return qis("cnot", (target,), controls=(control,))


def example(gate: Gate, num_controls: int) -> Circuit:
    """Return a circuit of one gate, every parameter different."""
    terms = ("XZY",) if gate.num_targets is None else ()
    num_targets = gate.num_targets or 3
    num_params = sum(param.size or 1 for param in gate.params)
    operation = Operation(
        gate,
        tuple(range(num_targets)),
        tuple(range(num_targets, num_targets + num_controls)),
        tuple(0.7 + 1.1 * k for k in range(num_params)),
        terms,
    )
    return Circuit.from_operations(num_targets + num_controls, "qis", [operation])


@pytest.mark.parametrize("target", TARGETS, ids=["ms", "zz"])
@pytest.mark.parametrize("num_controls", range(4))
@pytest.mark.parametrize("gate", QIS, ids=lambda gate: gate.name)
def test_every_gate_is_compiled_with_any_controls(
    gate: Gate, num_controls: int, target: Target
) -> None:
    circuit = example(gate, max(num_controls, gate.min_controls))

    assert unitary_error(circuit, target) < EXACT
    assert state_error(circuit, target, 1) < EXACT


@pytest.mark.parametrize("rotation", [1e6 + 0.3, -3e9, 5 * pi, -pi / 2])
def test_a_rotation_may_be_of_any_size(rotation: float) -> None:
    gates = [qis("xx", (0, 1), rotation), qis("ry", (1,), rotation, controls=(0,))]

    assert unitary_error(Circuit.from_operations(2, "qis", gates), MS) < EXACT


@pytest.mark.parametrize("name", ["x", "ry", "z"])
def test_a_gate_may_have_seven_controls(name: str) -> None:
    assert unitary_error(example(GATE_BY_NAME["qis", name], 7), ZZ) < EXACT


@pytest.mark.parametrize(
    ("name", "num_controls", "expected"),
    [
        ("x", 1, 1),
        ("x", 2, 5),
        ("x", 3, 13),
        ("x", 4, 27),
        ("rz", 1, 1),
        ("rz", 2, 4),
        ("rz", 3, 8),
    ],
)
def test_controls_take_few_interactions(name: str, num_controls: int, expected: int) -> None:
    _, native = compiled(example(GATE_BY_NAME["qis", name], num_controls), MS, 0)

    assert native.size().num_2q == expected


@settings(deadline=None, max_examples=60)
@given(circuits(), st.sampled_from(TARGETS), st.integers(0, 7))
def test_gate_by_gate_the_unitary_is_the_same(
    circuit: Circuit, target: Target, variant: int
) -> None:
    assert unitary_error(circuit, target, variant) < EXACT


@settings(deadline=None, max_examples=60)
@given(circuits(), st.sampled_from(TARGETS), st.integers(1, 2), st.integers(0, 7))
def test_as_a_whole_the_final_state_is_the_same(
    circuit: Circuit, target: Target, opt: int, variant: int
) -> None:
    assert state_error(circuit, target, opt, variant) < EXACT


@settings(deadline=None, max_examples=5)
@given(circuits(max_qubits=8, max_operations=20), st.sampled_from(TARGETS), st.integers(1, 2))
def test_so_it_is_on_eight_qubits(circuit: Circuit, target: Target, opt: int) -> None:
    assert state_error(circuit, target, opt) < EXACT


@settings(deadline=None, max_examples=40)
@given(circuits(max_operations=20), st.sampled_from(TARGETS), st.integers(1, 7))
def test_a_variant_has_as_many_gates_on_two_qubits(
    circuit: Circuit, target: Target, variant: int
) -> None:
    for opt in range(3):
        plain, other = (compiled(circuit, target, opt, k)[1] for k in (0, variant))
        again = compiled(circuit, target, opt, variant)[1]

        assert other.size().num_2q == plain.size().num_2q
        assert list(other.operations()) == list(again.operations())


@pytest.mark.parametrize("target", TARGETS, ids=["ms", "zz"])
def test_variants_turn_the_other_way(target: Target) -> None:
    circuit = Circuit.from_operations(2, "qis", [qis("ry", (0,), 0.4), cnot(0, 1)])
    found = [list(compiled(circuit, target, 1, variant)[1].operations()) for variant in range(8)]

    assert len({tuple(each) for each in found}) >= 6


def test_in_variants_an_interaction_turns_too_far_either_way() -> None:
    circuit = Circuit.from_operations(2, "qis", [qis("xx", (0, 1), pi / 2)] * 8)
    model = NoiseModel("", 2, 0.0, 0.0, pair_over_rotations={(0, 1): 0.1})
    found = []
    for variant in range(9):
        native = compiled(circuit, ZZ, 0, variant)[1]
        found.append(abs(state_vector(noisy_circuit(model, native).circuit)[0]) ** 2)

    # All 8 the same way, or a random walk of 8 steps, which has a variance of 8.
    assert found[0] == pytest.approx(np.cos(8 * 0.05) ** 2)
    assert np.mean(found[1:]) == pytest.approx(1 - 8 * 0.05**2, abs=0.02)


@settings(deadline=None, max_examples=40)
@given(circuits(max_operations=20), st.sampled_from(TARGETS), st.integers(0, 3))
def test_angles_and_phases_are_as_devices_take_them(
    circuit: Circuit, target: Target, variant: int
) -> None:
    for opt in range(3):
        for operation in compiled(circuit, target, opt, variant)[1].operations():
            match operation.gate.name:
                case "ms":
                    *phases, angle = operation.params
                    assert 0 < angle <= 0.25
                case "zz":
                    phases = []
                    assert 0 < abs(operation.params[0]) <= 0.25
                case _:
                    phases = list(operation.params)
            assert all(0 <= phase < 1 for phase in phases)


def test_a_turn_about_z_is_no_pulse() -> None:
    turns = [qis("rz", (0,), 0.3), qis("t", (1,)), qis("z", (0,), 0.1), qis("s", (0,))]
    circuit = Circuit.from_operations(2, "qis", turns)

    assert all(compiled(circuit, MS, opt)[1].num_operations == 0 for opt in range(3))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["rx", "ry", "rz"]), st.floats(-7, 7)), max_size=8))
def test_turns_of_one_qubit_are_two_pulses_at_most(turns: list[tuple[str, float]]) -> None:
    operations = [qis(name, (0,), rotation) for name, rotation in turns]
    circuit = Circuit.from_operations(1, "qis", operations)

    assert compiled(circuit, ZZ, 1)[1].num_operations <= 2
    assert state_error(circuit, ZZ, 1) < EXACT


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        (qis("x", (0,)), ["gpi"]),
        (qis("h", (0,)), ["gpi2"]),
        (qis("v", (0,)), ["gpi2"]),
        (qis("ry", (0,), 0.3), ["gpi2", "gpi2"]),
    ],
)
def test_a_gate_is_as_few_pulses_as_can_be(operation: Operation, names: list[str]) -> None:
    native = compiled(Circuit.from_operations(1, "qis", [operation]), MS, 0)[1]

    assert [each.gate.name for each in native.operations()] == names


def test_native_circuits_are_left_as_they_are() -> None:
    gates = [
        Operation(GATE_BY_NAME["native", "gpi"], (0,), (), (0.3,)),
        Operation(GATE_BY_NAME["native", "gpi"], (0,), (), (0.3,)),
        Operation(GATE_BY_NAME["native", "nop"], (1,)),
    ]
    program = program_of(Circuit.from_operations(2, "native", gates))

    for opt in range(3):
        found = variant_of(program, MS, Options(opt), opt)
        assert found.program is program
        assert found.final_qubits == (0, 1)


def test_a_native_gate_that_the_device_has_not_is_refused() -> None:
    gate = Operation(GATE_BY_NAME["native", "zz"], (0, 1), (), (0.1,))
    program = program_of(Circuit.from_operations(2, "native", [gate]))

    message = "gate: gate zz is none of this backend, which has gpi, gpi2, ms"
    with pytest.raises(InvalidCircuitError, match=message):
        compile_program(program, MS)


def test_a_device_without_a_gate_on_two_qubits_is_none_to_compile_to() -> None:
    program = program_of(Circuit.from_operations(1, "qis", []))

    with pytest.raises(ValueError, match="no gate on two qubits in gpi, gpi2"):
        compile_program(program, Target(("gpi", "gpi2")))


def test_bits_are_measured_where_the_states_are() -> None:
    circuit = Circuit.from_operations(3, "qis", [qis("x", (0,)), qis("swap", (0, 2))])

    found = compile_program(program_of(circuit, {"c": [2, None, 0]}), ZZ)

    assert found.final_qubits == (2, 1, 0)
    assert found.program.measured == {0: 0, 2: 2}
    native = found.program.circuit
    assert native is not None
    assert native.num_operations == 1


def exact(program: Program, final_qubits: Sequence[int] | None = None) -> dict[str, Any]:
    """Return all registers of a program, its qubits by their first names."""
    engine = StateVectorEngine() if program.circuit is not None else BranchEngine()
    result = outcome_by(engine, Workload(program, 1, 1, precision="float64")).result
    assert isinstance(result, Exact)
    found = {name: listed(register) for name, register in result.registers.items()}
    if final_qubits is not None:
        found[OUTPUT_ALL] = {
            sum((state >> place & 1) << qubit for qubit, place in enumerate(final_qubits)): value
            for state, value in found[OUTPUT_ALL].items()
        }
    return found


@st.composite
def programs(draw: st.DrawFn, num_qubits: int = 3, num_bits: int = 3) -> Program:
    """Draw a program that measures, resets, and acts if a bit is 1."""
    builder = ProgramBuilder(num_qubits, "qis")
    builder.add_register("c", num_bits)
    qubits, bits = st.integers(0, num_qubits - 1), st.integers(0, num_bits - 1)

    def add_gates(most: int) -> None:
        for operation in draw(st.lists(operations(num_qubits, 1), min_size=1, max_size=most)):
            row = ROW_BY_NAME["qis", operation.gate.name]
            builder.add_operation(row, *fields(operation))

    for step in draw(st.lists(st.sampled_from(["gates", "measure", "reset", "if"]), max_size=8)):
        if step == "gates":
            add_gates(4)
        elif step == "measure":
            builder.measure(draw(qubits), draw(bits))
        elif step == "reset":
            builder.reset(draw(qubits))
        else:
            past = builder.jump(Expression("==", (Bits((draw(bits),)), Constant(1))))
            add_gates(2)
            builder.land(past)
    return builder.build()


def fields(operation: Operation) -> tuple[Any, ...]:
    return operation.targets, operation.controls, operation.params, operation.terms


def assert_same_outcomes(program: Program, target: Target, opt: int, variant: int = 0) -> None:
    found = variant_of(program, target, Options(opt), variant)
    expected, registers = exact(program), exact(found.program, found.final_qubits)
    for name, values in expected.items():
        for state in {*values, *registers[name]}:
            assert abs(values.get(state, 0.0) - registers[name].get(state, 0.0)) < EXACT


@settings(deadline=None, max_examples=80)
@given(programs(), st.sampled_from(TARGETS), st.integers(0, 2), st.integers(0, 3))
def test_a_program_has_the_same_outcomes(
    program: Program, target: Target, opt: int, variant: int
) -> None:
    assert_same_outcomes(program, target, opt, variant)


def teleportation() -> Program:
    """Teleport ry(0.7) with a phase, so that a correction left out or doubled shows."""
    builder = ProgramBuilder(3, "qis")
    builder.add_register("c", 3)
    steps = [qis("ry", (0,), 0.7), qis("t", (0,)), qis("h", (1,)), cnot(1, 2), cnot(0, 1)]
    for operation in (*steps, qis("h", (0,))):
        builder.add_operation(ROW_BY_NAME["qis", operation.gate.name], *fields(operation))
    for bit in (0, 1):
        builder.measure(bit, bit)
    for bit, name in ((1, "x"), (0, "z")):
        past = builder.jump(Expression("==", (Bits((bit,)), Constant(1))))
        builder.add_operation(ROW_BY_NAME["qis", name], (2,), (), (pi,) if name == "z" else ())
        builder.land(past)
    builder.add_operation(ROW_BY_NAME["qis", "ti"], (2,))
    builder.add_operation(ROW_BY_NAME["qis", "ry"], (2,), (), (-0.7,))
    builder.measure(2, 2)
    return builder.build()


@pytest.mark.parametrize("target", TARGETS, ids=["ms", "zz"])
@pytest.mark.parametrize("opt", range(3))
def test_phases_are_kept_across_measurements_and_jumps(opt: int, target: Target) -> None:
    assert_same_outcomes(teleportation(), target, opt)
    found = compile_program(teleportation(), target, Options(opt))
    assert sum(exact(found.program)["c"].get(k, 0) for k in range(4)) > 1 - EXACT


def test_without_jumps_names_are_exchanged_across_measurements() -> None:
    builder = ProgramBuilder(2, "qis")
    builder.add_register("c", 2)
    builder.add_operation(ROW_BY_NAME["qis", "x"], (0,))
    builder.add_operation(ROW_BY_NAME["qis", "swap"], (0, 1))
    builder.measure(0, 0)
    builder.add_operation(ROW_BY_NAME["qis", "swap"], (0, 1))
    builder.measure(0, 1)
    program = builder.build()

    found = compile_program(program, ZZ)

    assert found.program.gate_counts() == (1, 0)
    assert exact(found.program)["c"] == pytest.approx({2: 1.0})


def test_a_circuit_of_too_many_interactions_is_refused() -> None:
    term = Operation(
        GATE_BY_NAME["qis", "pauliexp"], (0, 1, 2), (), (0.9, 1.0, 40.0), ("XIZ", "ZXI")
    )
    circuit = Circuit.from_operations(3, "qis", [term] * 200)

    with pytest.raises(InvalidCircuitError, match="gates on two qubits once it is compiled"):
        compile_program(program_of(circuit), ZZ)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("opt", [0, 1, 2])
def test_a_clifford_circuit_stays_one(target: Target, opt: int) -> None:
    generator = np.random.default_rng(7)
    for _ in range(25):
        num_qubits = int(generator.integers(2, 7))
        operations = []
        for _ in range(int(generator.integers(2, 25))):
            control, qubit = generator.choice(num_qubits, 2, replace=False).tolist()
            name = str(generator.choice(["h", "s", "v", "y"]))
            operations.append(Operation(GATE_BY_NAME["qis", name], (qubit,)))
            operations.append(Operation(GATE_BY_NAME["qis", "cnot"], (qubit,), (control,)))
        circuit = Circuit.from_operations(num_qubits, "qis", operations)

        _, native = compiled(circuit, target, opt)

        assert not first_other(native)
