from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES
from ionbox.circuits.program import Assign, Constant, Program, ProgramBuilder, program_of
from ionbox.formats.ionq import read_circuit
from ionbox.formats.native import write_native, write_openqasm
from ionbox.formats.openqasm import read_openqasm
from ionbox.formats.schemas import NATIVE_CIRCUIT, SCHEMAS

NATIVE = [gate for gate in GATES if gate.gateset == "native"]
steady = settings(derandomize=True, deadline=None)


@st.composite
def circuits(draw: st.DrawFn, num_qubits: int = 4) -> Circuit:
    operations = []
    for gate in draw(st.lists(st.sampled_from(NATIVE), min_size=1, max_size=8)):
        targets = draw(st.permutations(range(num_qubits)))[: gate.num_targets]
        size = sum(param.size or 1 for param in gate.params)
        turns = draw(st.lists(st.floats(-1, 1), min_size=size, max_size=size))
        operations.append(Operation(gate, tuple(targets), (), tuple(turns)))
    return Circuit.from_operations(num_qubits, "native", operations)


def bell() -> Circuit:
    gates = [("gpi2", (0,), (0.25,)), ("zz", (0, 1), (-0.125,)), ("gpi", (1,), (0.0,))]
    return Circuit.from_operations(
        2,
        "native",
        [Operation(GATE_BY_NAME["native", name], targets, (), params)
         for name, targets, params in gates],
    )  # fmt: skip


def with_resets() -> Program:
    builder = ProgramBuilder(2, "native")
    early, q = builder.add_register("early", 1), builder.add_register("q", 2)
    gpi = GATES.index(GATE_BY_NAME["native", "gpi"])
    builder.add_operation(gpi, [0], params=[0.5])
    builder.measure(0, early.start)
    builder.measure(1, None)
    builder.reset(0)
    builder.add_operation(gpi, [0], params=[-1e-9])
    builder.add_operation(gpi, [1], params=[0.1])
    builder.measure(1, q.start)
    builder.measure(0, q.start + 1)
    return builder.build()


@given(circuits())
@steady
def test_what_is_written_as_native_json_is_read_back_as_the_same_circuit(circuit: Circuit) -> None:
    back = read_circuit(write_native(circuit).encode())

    assert (back.num_qubits, back.gateset) == (circuit.num_qubits, "native")
    assert list(back.operations()) == list(circuit.operations())


@given(circuits())
@steady
def test_native_json_is_what_its_schema_says(circuit: Circuit) -> None:
    Draft202012Validator(SCHEMAS[NATIVE_CIRCUIT]).validate(json.loads(write_native(circuit)))


@given(circuits())
@steady
def test_what_is_written_as_openqasm_is_read_back_as_the_same_circuit(circuit: Circuit) -> None:
    text = write_openqasm(program_of(circuit))

    assert text is not None
    back = read_openqasm(text.encode()).circuit
    assert back is not None
    assert (back.num_qubits, back.gateset) == (circuit.num_qubits, "native")
    assert list(back.operations()) == list(circuit.operations())


def test_openqasm_has_native_gates_in_turns_and_includes_nothing() -> None:
    text = write_openqasm(program_of(bell(), {"c": [1, None]}))

    assert text == (
        "OPENQASM 3.0;\nqubit[2] q;\nbit[2] c;\ngpi2(0.25) q[0];\nzz(-0.125) q[0], q[1];\n"
        "gpi(0.0) q[1];\nc[0] = measure q[1];\n"
    )


def test_a_program_that_measures_and_resets_is_read_back_step_by_step() -> None:
    program = with_resets()

    text = write_openqasm(program)

    assert text is not None
    back = read_openqasm(text.encode())
    assert back.registers == program.registers
    assert [step for step in back.steps if not isinstance(step, Circuit)] == [
        step for step in program.steps if not isinstance(step, Circuit)
    ]
    assert [operations(step) for step in back.steps] == [operations(step) for step in program.steps]


def operations(step: object) -> list[Operation]:
    return list(step.operations()) if isinstance(step, Circuit) else []


def test_the_qubits_have_a_name_that_no_register_has() -> None:
    text = write_openqasm(program_of(bell(), {"q": [0], "q_": [1]}))

    assert text is not None
    assert "qubit[2] q__;" in text
    assert [register.name for register in read_openqasm(text.encode()).registers] == ["q", "q_"]


@pytest.mark.parametrize(
    "program",
    [
        Program(2, "native", (bell(), Assign((), Constant(1)))),
        program_of(bell(), {"two words": [0]}),
        program_of(bell(), {"gpi": [0]}),
    ],
)
def test_what_cannot_be_said_in_openqasm_here_is_not_written(program: Program) -> None:
    assert write_openqasm(program) is None
