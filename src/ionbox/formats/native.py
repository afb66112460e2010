"""Compiled circuits as text: `ionq.native.v1`, and OpenQASM 3 with native gates.

Both write angles and phases in turns, so that what is read back is the same circuit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES
from ionbox.circuits.program import Measure, Program, Register, Reset, Step
from ionbox.formats.ionq import write_circuit

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN: Final = {gate.name for gate in GATES if gate.gateset == "native"}


def write_native(circuit: Circuit) -> str:
    """Return the JSON text of a circuit of native gates."""
    return msgspec.json.encode(write_circuit(circuit)).decode()


def write_openqasm(program: Program) -> str | None:
    """Return a program of native gates in OpenQASM 3, with nothing to include.

    Returns:
        None where it branches or computes, which is not written here, and where a register has a
        name that would mean something else.
    """
    names = {register.name for register in program.registers}
    is_plain = all(isinstance(step, Circuit | Measure | Reset) for step in program.steps)
    if not is_plain or not all(map(_NAME.fullmatch, names)) or names & _TAKEN:
        return None
    qubits = "q"
    while qubits in names:
        qubits += "_"
    lines = ["OPENQASM 3.0;", f"qubit[{program.num_qubits}] {qubits};"]
    lines += [f"bit[{register.size}] {register.name};" for register in program.registers]
    for step in program.steps:
        lines += _statements(step, qubits, program.registers)
    return "\n".join([*lines, ""])


def _statements(step: Step, qubits: str, registers: tuple[Register, ...]) -> Iterator[str]:
    match step:
        case Circuit():
            for operation in step.operations():
                yield _call(operation, qubits)
        case Reset():
            yield f"reset {qubits}[{step.qubit}];"
        case Measure():
            measured = f"measure {qubits}[{step.qubit}];"
            yield measured if step.bit is None else f"{_place(step.bit, registers)} = {measured}"


def _call(operation: Operation, qubits: str) -> str:
    params = ", ".join(map(repr, operation.params))
    targets = ", ".join(f"{qubits}[{target}]" for target in operation.targets)
    return f"{operation.gate.name}{f'({params})' if params else ''} {targets};"


def _place(bit: int, registers: tuple[Register, ...]) -> str:
    register = next(one for one in registers if one.start <= bit < one.start + one.size)
    return f"{register.name}[{bit - register.start}]"
