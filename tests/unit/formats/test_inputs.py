from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ionbox.errors import InvalidInputError
from ionbox.formats.inputs import INPUT_TYPES, read_input, read_registers

BELL = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
QASM = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
QIR = """
define void @main() #0 {
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__cnot__body(ptr null, ptr inttoptr (i64 1 to ptr))
  ret void
}
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__cnot__body(ptr, ptr)
attributes #0 = { "entry_point" "required_num_qubits"="2" }
"""


def bitcode() -> str:
    import pyqir  # noqa: PLC0415 - an extra

    module = pyqir.Module.from_ir(pyqir.Context(), QIR)
    return base64.b64encode(module.bitcode).decode()


def read(job_type: str, **job_input: Any) -> Any:  # noqa: ANN401 - an Input
    return read_input(job_type, json.dumps(job_input).encode())


def test_the_same_circuit_comes_out_of_every_type() -> None:
    energy = {
        "hamiltonian": [{"pauli_string": "ZZ", "coefficient": 1}],
        "ansatz": {"data": QASM},
    }
    inputs: dict[str, dict[str, Any]] = {
        "ionq.circuit.v1": {"qubits": 2, "circuit": BELL},
        "ionq.qasm3.v1": {"data": QASM},
        "ionq.qir.v1": {"data": bitcode()},
        "quantum-function": {"data": energy},
    }
    assert set(inputs) == set(INPUT_TYPES)

    for job_type, job_input in inputs.items():
        circuit = read(job_type, **job_input).program.circuit
        names = [(operation.gate.name, operation.targets) for operation in circuit.operations()]
        assert names[0] == ("h", (0,))
        assert names[1][0] in {"x", "cnot"}
        assert len(names) == 2


def test_registers_beside_a_circuit_are_measured_at_its_end() -> None:
    data = json.dumps({"qubits": 2, "circuit": BELL}).encode()
    program = read_input("ionq.circuit.v1", data, {"c": [1, None]}).program

    assert [register.name for register in program.registers] == ["c"]
    assert program.measured == {0: 1}


@pytest.mark.parametrize("job_type", INPUT_TYPES)
@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"data": 3}', b'{"data": "?"}'])
def test_a_wrong_input_is_refused_with_a_place(job_type: str, data: bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_input(job_type, data)

    assert caught.value.path


@pytest.mark.parametrize("registers", [None, {}, {"c": []}, {"c": [0, None, 3], "d": [1]}])
def test_registers_are_lists_of_qubits(registers: dict[str, Any] | None) -> None:
    assert read_registers(registers) == registers


@pytest.mark.parametrize("qubits", [3, "0", {}, [True], [1.5], ["0"], [[0]]])
def test_other_registers_are_refused_by_name(qubits: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_registers({"c": qubits})

    assert caught.value.path == "registers.c"
