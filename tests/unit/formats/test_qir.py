from __future__ import annotations

import base64
import math
import sys
from collections.abc import Sequence

import numpy as np
import pyqir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.circuits import oracle
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import Jump, Measure, Program, Register, Reset, evaluate
from ionbox.errors import InvalidCircuitError
from ionbox.formats import qir
from ionbox.formats.qir import QIR_GATES, read_qir

ENTRY = 'attributes #0 = { "entry_point" "qir_profiles"="base_profile" %s }'
PI_OVER_2 = "0x3FF921FB54442D18"

# As CUDA-Q 0.16 sends it (LLVM 22): rx(0.1, q0), ry(-0.7, q1), rz(1.3, q0), r1(0.4, q1),
# u3(0.1, 0.2, 0.3, q0) and the inverse of rx(0.25, q0).
CUDAQ = """
QkPA3jUUAAAFAAAAYgwwJEpZvqZt+7WPC1GATAEAAAAhDAAARQIAAAsCIQACAAAAIgAAAAeBI5FByARJBhAyOZIBhAwlBQgZHgSL
YoAQRQJCkgtChBAyFDgIGEsKMkKISLBkIUOGiARHHDJCJHHICBEkKUCGjBBLATJkhAiSHCAjRIjlABkhQgQZKigqkFFcICO5QIYM
GcMHyxUZQoyMJAcZMmIsOciQESPIEogOHTpkREfIECJDRgIZGgCJIAAADQAAACJmBBCyQoIJEVJCggmRccJQSAoJJkTGBUJCJggS
GgEoQQwBlCEGBgLmCMBgjiCYIwAFAABRGAAAJQAAABt8Ifj/////YSgHd6AHeciHX4CHd0gHd6AHgHiHeqAHeKgHevgFdggHcSgH
dkgHdziHX5iHcUCHcmiHcADmYRzQoRzaIRx+IR3IASDiIR3k4RfgQR7ewRzSgR3KYR4AcQiHeSiHX4AHeXgHc0gHdigHgJCHcoiH
ekgHeSgHcoiFehCHdKCHeQDkANhACAJwBgAAAABJGAAAAgAAABOCYEIgAAAAEzB8wAM7+AU7oIM2qAd3WAd3eId7cIc2YId0cId6
wIc2OAd3qIcNr1AObdAOelAObQAPcnAHcKAHcyAHejAHctAG8CAHdxAHejAHcqAHcyAHbQAPcnAHcqAHdkAHemAHdNAG6WAHdKAH
dkAHbZAOcSAHeKAHcSAHeNAG5oAHcKAHcSAHeNAG7oAHehAHdqAHcyAHemAHdNAGsxAHcoAHGiEMGZXla3YIsBDCZDoDtRBDKmAN
BAAAAgAAAAEAAAAAgDUAhlRrgBFAAAAAAAACAAAAAABrAAypRgEjgAAAAAAABAAAAAAA1gAYUu0CRgABAAAAAAgAAAAAAKwBILFB
oGiSAABAFggABwAAADIemBAZEUyQjAkmR8YEQ7IiKIMSKIcRALoRAACxGAAA4QAAADMIgBzE4RxmFAE9iEM4hMOMQoAHeXgHc5hx
DOYAD+0QDvSADjMMQh7CwR3OoRxmMAU9iEM4hIMbzAM9yEM9jAM9zHiMdHAHewgHeUiHcHAHenADdniHcCCHGcwRDuyQDuEwD24w
D+PwDvBQDjMQxB3eIRzYIR3CYR5mMIk7vIM70EM5tAM8vIM8hAM7zPAUdmAHe2gHN2iHcmgHN4CHcJCHcGAHdigHdvgFdniHd4CH
XwiHcRiHcpiHeZiBLO7wDu7gDvXADuwwA2LIoRzkoRzMoRzkoRzcYRzKIRzEgR3KYQbWkEM5yEM5mEM5yEM5uMM4lEM4iAM7lMMv
vIM8/II71AM7sMMMx2mHcFiHcnCDdGgHeGCHdBiHdKCHGc5TD+4AD/JQDuSQDuNAD+EgDuxQDjMgKB3cwR7CQR7SIRzcgR7c4Bzk
4R3qAR5mGFE4sEM6nIM7zFAkdmAHe2gHN2CHd3gHeJhRTPSQD/BQDjMeah7KYRzoIR3ewR1+AR7koRzMIR3wYQZUhYM4zMM7sEM9
0EM5/MI85EM7iMM7sMOMxQqHeZiHdxiHdAgHeigHcpiBXOMQDuzADuVQDvMwI8HSQR7k4RfY4R3eAR5mSBk7sIM9tIMbhMM4jEM5
zMM8uME5yMM71AM8zEi0cQgHdmAHcQiHcViHGdvGDuxgD+3gBvAgD+UwD+UgD/ZQDm4QDuMwDuUwD/PgBungDuRQDvgwI+LsYRzC
gR3Y4RfsIR3mIR3EIR3YIR3oIR9mIJ07vEM9uAM5lIM5zFi8cHAHd3gHeggHekiHd3CHGcvnDu8wD+HgDulAD+mgD+UwwwEDc6gH
dxiHX5iHcHCHdKCHdNCHcpiBhEE54MM4sEM9kEM5zEDEoB3KoR3gQR7ewRxmJGMwDuHADuwwD+lAD+UwQyGDdRgHc0iHX6CHfICH
cpixlAE8jMM8lMM40EM6vIM7zMOMxQxIIRVCYR7mIR3OwR1SgRRmTGcwDu8gD+/gBu9QD/QwD+lADuXgBuYgD+HQDuUwo0CDdmgH
eQiHGVIauMM7hAM7pEM4zIMbhAM5kIM8zAM8hMM4lMMMRg3GIRzYgR3KoRx+gR7yAR7KYcaxBu7wDuYgD+VQDjMSNhiHcIAHeqgH
eSiHeZjBtEE4sAM7vMM4/AI9vMM6lIM7zGjcIB3aAR7YIR3GIR3owQ3koRzMAQAAAHkgAAA3AAAAkh5IIEOIDBkJZGTIySCBjAQy
RkZGE4FCoJDxxMgIOUKGjGJBpAMAAFIUYRlEZWJ1ZyBJbmZvIFZlcnNpb25xaXJfbWFqb3JfdmVyc2lvbnFpcl9taW5vcl92ZXJz
aW9uZHluYW1pY19xdWJpdF9tYW5hZ2VtZW50ZHluYW1pY19yZXN1bHRfbWFuYWdlbWVudAAAACMIBjGCYBQjCIYxgmAcIwgGMoJw
JDMMRnDMMCACMsOQDMoMA0IsMwxIschIYIIyYmOza3NpeyOrYytzMWMLO5sbpViYxnkAAKkYAAA3AAAACwpyKId3gAd6WHCYQz24
wziwQznQw4LmHMahDehBHsLBHeYhHeghHd7BHRY042AO51AP4SAP5EAP4SAP51AO9LCAgQd5KIdwYAd2eIdxCAd6KAdyWHCcwzi0
ATukgz2UwwJrHNghHNzhHNwgHORhHNwgHOiBHsJhHNChHMhhHMKBHdhhwQEP9CAP4VAP9IAOC4h1GAdzSIcFzzi8gzvYQznIwzmU
gzuMQzmMAz3IAzssKMKBHdLhHNxhwUQO5RAO40AP6WAP4UAP6fAO7tAG85AP7SAO78AOAAAAANEQAAAGAAAAB8w8pIM7nAM7lAM9
oIM8lEM4kMMBAAAAYSgAADcAAAAjCIKwQAAAABoAAACEJUAwAmCKCjRjBDprzjlrzjnr/sMYgTnnrDnnrDnn/zJGoLPmnLPmnLP2
P4wR6Kw556w556z/D2MEOLqipNr+Yer/wxgBjq4oqbZ/mPr/Mkags+acs+acs/I/jBGAIAiCIAiCIP0vAEMMDCAEwYCgEGWIgSGE
IBgQ05EMMTCEEAQDQjKSIQYGEIJgQEiFMsTAAEIQDAiKUIYYGEAIggEhIcoQAwMIQTAgqEEZYmAAIQgGhCQoQwwMIATBgKAChQUH
AgAAAQAAAAcQ0AAAAAAAcSAAAAMAAAAyDhAihACQBAAAAAAAAAAAZQwAADEAAAASA5R4AQAAAAMAAABzAAAALwAAAEwAAAABAAAA
WAAAAAAAAABYAAAABAAAALgAAAAAAAAAogAAABgAAAC6AAAAEQAAACsAAAAAAAAAuAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAKwAA
AAAAAAArAAAA/////wAkAAArAAAAGAAAACsAAAAYAAAA/////wgkAABDAAAAGAAAAEMAAAAYAAAA/////wgkAABbAAAAGAAAAFsA
AAAYAAAA/////wgkAAAAAAAAXQwAADYAAAASA5SrAQAAAF9fbnZxcHBfX21saXJnZW5fX3JvdGF0aW9ucy4uMHg3ZmExM2I3YTQ2
NTBfX3F1YW50dW1fX3Fpc19fcnhfX2JvZHlfX3F1YW50dW1fX3Fpc19fcnlfX2JvZHlfX3F1YW50dW1fX3Fpc19fcnpfX2JvZHky
Mi4xLjQgZGVmMTQzYTZjNjI0ZGM5Yjk5MWViZmRmZWM1YzM2YTcwODQxNzFlYng4Nl82NC11bmtub3duLWxpbnV4LWdudUxMVk1E
aWFsZWN0TW9kdWxlAAAAAAA=
"""

# As PyQIR 0.8 writes it (LLVM 14, pointers like %Qubit*): h, cnot, rx(0.1), s adjoint, and mz of
# qubits 1 and 2 into results 0 and 1.
TYPED_POINTERS = """
QkPA3jUUAAAFAAAAYgwwJEpZvmaN+7SvC1GATAEAAAAhDAAAqgEAAAsCIQACAAAAFgAAAAeBI5FByARJBhAyOZIBhAwlBQgZHgSL
YoAURQJCkgtCpBAyFDgIGEsKMlKISHDEISNEEoeMEEGSAmTICLEUIENGiCDJATJShBgqKCqQMXywXJEgxcgAAACJIAAAFwAAADIi
SAkgYkYAISskmBQhJSSYFBknDIWkkGBSZFwgJGWCgBoBMAGggIVKBcg0RgDQMAIgVMwACKEzBGAGkAgpNFZCopZpjAAgZgZAGrmB
gDkCMJgjCOYIQAEAAAAAURgAADAAAAAb1iH4/////2EoB3egB3nIh1+Ah3dIB3egB4Bwh3poh1+Qh3KIh3pIB3koB3L4hXioB3FI
B3qYB2AOAMId6qEdfkEeyiEe6iEd5KEcyOEX5KEc5qEe2IEe5gGQA2B4h3qgB3ioB3r4BXYIB3EoB3ZIB3c4h1+Yh3FAh3Joh3AA
iHhIB3n4BXiQh3cwh3Rgh3KYB2Ac6mEe6OEd2gHYAAn/////PwzpIA/yUA72UA7yMA/pIA7sUA7ABmIQADoAAABJGAAAAgAAABOC
YIIgDAAAGiEMWUzYQwxDKoAIAAAIAAAAAAAAAAAACGBIRVwFEAAAAAAAAAAAAAAAAQypNu0AAgAAAAAAAAAAAAAggCFVHWAKEAAA
AAAAAAAAAAAAAQypWsEqgAAAAAAAAAAAAAAACGBINQ6YAwSAAAAAAAAAAAAAQAASGwSKugYAAGSBAAAHAAAAMh6YEBkRTJCMCSZH
xgRDiiVQDiMAJEcAAAAAALEYAACXAAAAMwiAHMThHGYUAT2IQziEw4xCgAd5eAdzmHEM5gAP7RAO9IAOMwxCHsLBHc6hHGYwBT2I
QziEgxvMAz3IQz2MAz3MeIx0cAd7CAd5SIdwcAd6cAN2eIdwIIcZzBEO7JAO4TAPbjAP4/AO8FAOMxDEHd4hHNghHcJhHmYwiTu8
gzvQQzm0Azy8gzyEAzvM8BR2YAd7aAc3aIdyaAc3gIdwkIdwYAd2KAd2+AV2eId3gIdfCIdxGIdymId5mIEs7vAO7uAO9cAO7DAD
YsihHOShHMyhHOShHNxhHMohHMSBHcphBtaQQznIQzmYQznIQzm4wziUQziIAzuUwy+8gzz8gjvUAzuwwwzHaYdwWIdycIN0aAd4
YId0GId0oIcZzlMP7gAP8lAO5JAO40AP4SAO7FAOMyAoHdzBHsJBHtIhHNyBHtzgHOThHeoBHmYYUTiwQzqcgzvMUCR2YAd7aAc3
YId3eAd4mFFM9JAP8FAOMx5qHsphHOghHd7BHX4BHuShHMwhHfBhBlSFgzjMwzuwQz3QQzn8wjzkQzuIwzuww4zFCod5mId3GId0
CAd6KAdymIFc4xAO7MAO5VAO8zAjwdJBHuThF9jhHd4BHmZIGTuwgz20gxuEwziMQznMwzy4wTnIwzvUAzzMSLRxCAd2YAdxCIdx
WIcZ28YO7GAP7eAG8CAP5TAP5SAP9lAObhAO4zAO5TAP8+AG6eAO5FAO+DAj4uxhHMKBHdjhF+whHeYhHcQhHdghHeghH2YgnTu8
Qz24AzmUgznMWLxwcAd3eAd6CAd6SId3cAcAAHkgAAAuAAAAch5IIEOIDBkJcjJIICOBjJGR0USgEChkPDEyQo6QIaNIELcAUYRl
AHFpcl9tYWpvcl92ZXJzaW9ucWlyX21pbm9yX3ZlcnNpb25keW5hbWljX3F1Yml0X21hbmFnZW1lbnRkeW5hbWljX3Jlc3VsdF9t
YW5hZ2VtZW50ACMIkTGCEB0jCBEygiAlMwxFUMwwGMIxw1AMyAxDQSAyEpigjNjY7Npc2t7I6tjKXMzYws7mRiGQRFkAAKkYAAAh
AAAACwpyKId3gAd6WHCYQz24wziwQznQw4LmHMahDehBHsLBHeYhHeghHd7BHRY042AO51AP4SAP5EAP4SAP51AO9LCAgQd5KIdw
YAd2eIdxCAd6KAdyWHCcwzi0ATukgz2UwwJrHNghHNzhHNwgHORhHNwgHOiBHsJhHNChHMhhHMKBHdgB0RAAAAYAAAAHzDykgzuc
AzuUAz2ggzyUQziQwwEAAABhIAAAHgAAABMEQSwQAAAACAAAADRLoAiImE6FEQDTuUBpjEBnzTlnzTln3X+gNgJgOhUAIwYFAIJg
UETFiIEBgCAYHFBhjBgYAAiCgfIMxIhBAYAgGBSOMWJgACAIBk5jCCMGBgCCYOA0RKDhQAAAAgAAAAdQEM0UYQAAAAAAAHEgAAAD
AAAAMg4QIoQAjgMAAAAAAAAAAF0MAAAvAAAAEgOUbwEAAABtYWluX19xdWFudHVtX19xaXNfX2hfX2JvZHlfX3F1YW50dW1fX3Fp
c19fY25vdF9fYm9keV9fcXVhbnR1bV9fcWlzX19yeF9fYm9keV9fcXVhbnR1bV9fcWlzX19zX19hZGpfX3F1YW50dW1fX3Fpc19f
bXpfX2JvZHkxNC4wLjYgZjI4YzAwNmE1ODk1ZmMwZTMyOWZlMTVmZWFkODFlMzc0NTdjYjFkMXR5cGVkAAAAAAA=
"""


def pointer(number: int) -> str:
    return "ptr null" if number == 0 else f"ptr inttoptr (i64 {number} to ptr)"


def call(function: str, *numbers: int, angle: str = "", returns: str = "void") -> str:
    arguments = [f"double {angle}"] * bool(angle) + [pointer(number) for number in numbers]
    return f"call {returns} @__quantum__{function}({', '.join(arguments)})"


def encode(ir: str) -> str:
    bitcode = pyqir.Module.from_ir(pyqir.Context(), ir).bitcode
    return base64.b64encode(bitcode).decode()


def declarations(lines: Sequence[str]) -> str:
    found = {}
    for line in lines:
        before, at, rest = line.partition("call ")[2].partition("@")
        name, _, arguments = rest.rpartition(")")[0].partition("(")
        types = [
            argument.split()[0]
            for argument in arguments.replace("i64 1 to ptr", "").split(", ")
            if argument
        ]
        if at:
            found[name] = f"declare {before}@{name}({', '.join(types)})"
    return "\n".join(found.values())


def module(*lines: str, attributes: str = '"required_num_qubits"="3"') -> str:
    body = "\n".join(lines)
    ir = f"define void @main() #0 {{\n{body}\nret void\n}}\n{declarations(lines)}\n"
    return encode(ir + ENTRY % attributes)


def circuit_of(program: Program) -> Circuit:
    assert program.circuit is not None
    return program.circuit


def operation(
    name: str, *targets: int, controls: tuple[int, ...] = (), params: tuple[float, ...] = ()
) -> Operation:
    return Operation(GATE_BY_NAME["qis", name], targets, controls, params)


GATE_CALLS = [
    (call("qis__x__body", 1), operation("x", 1)),
    (call("qis__y__body", 1), operation("y", 1)),
    (call("qis__z__body", 1), operation("z", 1, params=(math.pi,))),
    (call("qis__h__body", 0), operation("h", 0)),
    (call("qis__s__body", 2), operation("s", 2)),
    (call("qis__s__adj", 2), operation("si", 2)),
    (call("qis__t__body", 2), operation("t", 2)),
    (call("qis__t__adj", 2), operation("ti", 2)),
    (call("qis__sx__body", 0), operation("v", 0)),
    (call("qis__sx__adj", 0), operation("vi", 0)),
    (call("qis__rx__body", 1, angle="2.5e-1"), operation("rx", 1, params=(0.25,))),
    (call("qis__ry__body", 1, angle=PI_OVER_2), operation("ry", 1, params=(math.pi / 2,))),
    (call("qis__rz__body", 0, angle="-0.0"), operation("rz", 0, params=(0.0,))),
    (call("qis__r1__body", 0, angle="0.5"), operation("z", 0, params=(0.5,))),
    (call("qis__cnot__body", 0, 2), operation("x", 2, controls=(0,))),
    (call("qis__cx__body", 2, 0), operation("x", 0, controls=(2,))),
    (call("qis__cy__body", 1, 0), operation("y", 0, controls=(1,))),
    (call("qis__cz__body", 1, 0), operation("z", 0, controls=(1,), params=(math.pi,))),
    (call("qis__ccx__body", 2, 0, 1), operation("x", 1, controls=(2, 0))),
    (call("qis__swap__body", 0, 2), operation("swap", 0, 2)),
    (call("qis__cswap__body", 1, 0, 2), operation("swap", 0, 2, controls=(1,))),
    (call("qis__rxx__body", 0, 1, angle="0.25"), operation("xx", 0, 1, params=(0.25,))),
    (call("qis__ryy__body", 0, 1, angle="0.25"), operation("yy", 0, 1, params=(0.25,))),
    (call("qis__rzz__body", 0, 1, angle="0.25"), operation("zz", 0, 1, params=(0.25,))),
]


def test_every_row_of_the_gate_table_is_tested_here() -> None:
    tested = {line.partition("__qis__")[2].partition("(")[0] for line, _ in GATE_CALLS}

    assert tested == set(QIR_GATES)


@pytest.mark.parametrize(("line", "expected"), GATE_CALLS)
def test_a_function_is_read_as_its_gate(line: str, expected: Operation) -> None:
    circuit = circuit_of(read_qir(module(line)))

    assert list(circuit.operations()) == [expected]


@settings(max_examples=20)
@given(st.lists(st.sampled_from(GATE_CALLS), max_size=30))
def test_operations_keep_their_order(calls: list[tuple[str, Operation]]) -> None:
    program = read_qir(module(*(line for line, _ in calls)))

    assert list(circuit_of(program).operations()) == [expected for _, expected in calls]


def test_a_bell_pair_of_the_specification_is_read_with_its_results() -> None:
    ir = """
        @0 = internal constant [3 x i8] c"r1\\00"
        define i64 @Entry_Point_Name() #0 {
        entry:
          call void @__quantum__rt__initialize(ptr null)
          br label %body
        measurements:
          call void @__quantum__qis__mz__body(ptr null, ptr writeonly null)
          call void @__quantum__qis__mz__body(
            ptr inttoptr (i64 1 to ptr), ptr writeonly inttoptr (i64 1 to ptr))
          br label %output
        body:
          call void @__quantum__qis__h__body(ptr null)
          call void @__quantum__qis__barrier__body()
          call void @__quantum__qis__cnot__body(ptr null, ptr inttoptr (i64 1 to ptr))
          br label %measurements
        output:
          call void @__quantum__rt__tuple_record_output(i64 2, ptr @0)
          call void @__quantum__rt__array_record_output(i64 2, ptr @0)
          call void @__quantum__rt__result_record_output(ptr null, ptr @0)
          ret i64 0
        }
        declare void @__quantum__qis__h__body(ptr)
        declare void @__quantum__qis__barrier__body()
        declare void @__quantum__qis__cnot__body(ptr, ptr)
        declare void @__quantum__qis__mz__body(ptr, ptr writeonly)
        declare void @__quantum__rt__initialize(ptr)
        declare void @__quantum__rt__tuple_record_output(i64, ptr)
        declare void @__quantum__rt__array_record_output(i64, ptr)
        declare void @__quantum__rt__result_record_output(ptr, ptr)
        """
    attributes = '"required_num_qubits"="2" "required_num_results"="2"'

    program = read_qir(encode(ir + ENTRY % attributes))

    state_vector = oracle.state_vector(circuit_of(program))
    np.testing.assert_allclose(state_vector, np.array([1, 0, 0, 1]) / math.sqrt(2), atol=1e-15)
    assert program.registers == (Register("result", 0, 2),)
    assert program.measured == {0: 0, 1: 1}


def test_bitcode_of_cuda_q_is_read() -> None:
    quarter = math.pi / 2
    u3 = [("rx", 0, quarter), ("rz", 0, 0.1), ("rx", 0, -quarter), ("rz", 0, 0.2)]
    rotations = [("rx", 0, 0.1), ("ry", 1, -0.7), ("rz", 1, 0.4), ("rz", 0, 1.6), *u3]

    program = read_qir(CUDAQ)

    assert list(circuit_of(program).operations()) == [
        operation(name, qubit, params=(angle,))
        for name, qubit, angle in [*rotations, ("rx", 0, -0.25)]
    ]
    assert (program.num_qubits, program.registers) == (2, ())


def test_bitcode_with_typed_pointers_is_read() -> None:
    expected = [
        operation("h", 0),
        operation("x", 1, controls=(0,)),
        operation("rx", 2, params=(0.1,)),
        operation("si", 1),
    ]

    program = read_qir(TYPED_POINTERS)

    assert list(circuit_of(program).operations()) == expected
    assert program.num_qubits == 3
    assert program.measured == {0: 1, 1: 2}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", 2),
        ('"required_num_qubits"="5"', 5),
        ('"num_required_qubits"="5"', 5),
        ('"requiredQubits"="5"', 5),
    ],
)
def test_the_width_is_the_required_one_or_follows_from_the_qubits(
    attributes: str, expected: int
) -> None:
    program = read_qir(module(call("qis__h__body", 1), attributes=attributes))

    assert program.num_qubits == expected


def test_results_are_ordered_by_number_and_unmeasured_ones_stay() -> None:
    attributes = '"required_num_qubits"="2" "required_num_results"="4"'
    lines = [call("qis__m__body", 0, 2), call("qis__mz__body", 1, 0)]

    program = read_qir(module(*lines, attributes=attributes))

    assert program.registers == (Register("result", 0, 4),)
    assert program.measured == {2: 0, 0: 1}


@pytest.mark.parametrize(
    "lines",
    [
        [call("qis__mz__body", 0, 0), call("qis__reset__body", 0)],
        [call("qis__mresetz__body", 0, 0)],
    ],
)
def test_a_measured_qubit_can_be_reset(lines: list[str]) -> None:
    program = read_qir(module(call("qis__h__body", 0), *lines))

    assert program.steps[1:] == (Measure(0, 0), Reset(0))


READ = f"%r = {call('rt__read_result', 0, returns='i1')}"
MEASURE = call("qis__mz__body", 0, 0)


def run_on_bits(program: Program, num_qubits: int) -> list[int]:
    """Run a program of x gates and measurements; return the qubits at the end."""
    qubits, bits, place = [0] * num_qubits, [0] * program.num_bits, 0
    while place < len(program.steps):
        step = program.steps[place]
        place += 1
        match step:
            case Circuit():
                for gate in step.operations():
                    qubits[gate.targets[0]] ^= 1
            case Measure(qubit, int(bit)):
                bits[bit] = qubits[qubit]
            case Jump(to, unless):
                place = to if unless is None or not evaluate(unless, bits) else place
    return qubits


@pytest.mark.parametrize("flips", [0, 1])
@pytest.mark.parametrize(
    ("computed", "condition"),
    [
        ("", lambda bit: bit),
        ("%c = xor i1 %r, true", lambda bit: not bit),
        ("%c = and i1 %r, %r", lambda bit: bit),
        ("%c = or i1 %r, false", lambda bit: bit),
        ("%c = icmp eq i1 %r, false", lambda bit: not bit),
        ("%c = icmp ne i1 %r, false", lambda bit: bit),
    ],
)
def test_a_branch_on_a_result_takes_the_way_of_the_result(
    flips: int, computed: str, condition: object
) -> None:
    value = "%c" if computed else "%r"
    text = module(
        *[call("qis__x__body", 0)] * flips,
        MEASURE,
        READ,
        computed,
        f"br i1 {value}, label %then, label %else",
        "else:",
        call("qis__x__body", 2),
        "br label %end",
        "then:",
        call("qis__x__body", 1),
        "br label %end",
        "end:",
    )
    assert callable(condition)
    holds = bool(condition(flips))

    qubits = run_on_bits(read_qir(text), 3)

    assert qubits == [flips, int(holds), int(not holds)]


def test_a_branch_may_end_the_program() -> None:
    text = module(
        call("qis__x__body", 0),
        MEASURE,
        READ,
        "br i1 %r, label %then, label %else",
        "then:",
        call("qis__x__body", 1),
        "ret void",
        "else:",
        call("qis__x__body", 2),
    )

    assert run_on_bits(read_qir(text), 3) == [1, 1, 0]


H = call("qis__h__body", 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("QkPA3g=", "not base64"),
        ("\N{BULLET}", "not base64"),
        (base64.b64encode(b"define void @main()").decode(), "not LLVM bitcode"),
        ("A" * 4 * 6 * 2**20, "bytes of bitcode; at most 16777216"),
        (base64.b64encode(base64.b64decode(module(H))[:1000]).decode(), "LLVM does not read"),
        (base64.b64encode(base64.b64decode(module(H))[:8]).decode(), "LLVM does not read"),
        (
            base64.b64encode(base64.b64decode(module(H)).replace(b"__h__", b"__\xff__")).decode(),
            "pyqir gives this bitcode up: .*Utf8Error",
        ),
    ],
)
def test_what_is_no_bitcode_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidCircuitError, match=message) as caught:
        read_qir(text)

    assert caught.value.path == "data"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([H, call("qis__foo__body", 0)], "2, __quantum__qis__foo__body: unknown function"),
        (["call void @h__body(ptr null)"], "h__body: unknown function"),
        ([call("rt__qubit_allocate", returns="ptr")], "qubit_allocate: unknown function"),
        ([call("qis__h__body", 0, 1)], "h__body: takes 1 arguments, not 2"),
        ([call("qis__cnot__body", 1, 1)], "cnot__body: qubit 1 is already a target"),
        ([call("qis__h__body", 3)], "h__body: qubit 3 of 3 that the entry point requires"),
        ([call("qis__mz__body", 9, 0)], "mz__body: qubit 9 of 3"),
        ([call("qis__rx__body", 0, angle="0x7FF8000000000000")], "rx__body: nan must be finite"),
        ([call("qis__rx__body", 0, angle="undef")], "rx__body: its angle is not a number"),
        ([H, call("rt__initialize", 0)], "initialize: comes after operations"),
        (["call void @__quantum__qis__h__body(ptr undef)"], "'ptr undef' is no number"),
        (["call void @__quantum__qis__h__body(ptr @main)"], "is no number of a qubit"),
        (
            ["call void @__quantum__qis__h__body(ptr getelementptr (i8, ptr null, i64 1))"],
            "is no number of a qubit",
        ),
        (["%q = inttoptr i64 1 to ptr"], "int_to_ptr: not of a profile"),
        ([READ], "read_result: nothing before it measures result 0"),
        ([MEASURE, READ, MEASURE], "measures again result 0, which was read before"),
        ([MEASURE, READ, "%c = add i1 %r, %r"], "add: not of a profile"),
        (["%c = fcmp oeq double 0.0, 1.0"], "fcmp: not of a profile"),
        (["br i1 undef, label %a, label %b", "a:", "ret void", "b:"], "br: its value comes"),
        (["br label %again", "again:", "br label %again", "end:"], "br: a loop"),
        ([call("qis__mz__body", 0, 200000)], "200001 classical bits; at most 100000"),
    ],
)
def test_what_the_profiles_do_not_have_is_refused_by_name(lines: list[str], message: str) -> None:
    with pytest.raises(InvalidCircuitError, match=message) as caught:
        read_qir(module(*lines))

    assert caught.value.path == "data"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("", "0 qubits; a circuit has at least 1"),
        ('"required_num_qubits"="0"', "0 qubits; a circuit has at least 1"),
        ('"required_num_qubits"="20000"', "20000 qubits; a circuit has at most 10000"),
        ('"required_num_qubits"="-1"', "required_num_qubits='-1' is not a number"),
    ],
)
def test_a_width_that_cannot_be_is_refused(attributes: str, message: str) -> None:
    with pytest.raises(InvalidCircuitError, match=message):
        read_qir(module(attributes=attributes))


@pytest.mark.parametrize(
    ("ir", "message"),
    [
        ("define void @main() {\nret void\n}", "no function has the attribute entry_point"),
        (
            "define void @a() #0 {\nret void\n}\ndefine void @b() #0 {\nret void\n}\n",
            "several functions .* entry_point: a, b; allowed is one",
        ),
        ("define void @a(i64 %n) #0 {\nret void\n}\n", "a: takes parameters"),
        ("declare void @a() #0\n", "a: is declared, but not defined"),
    ],
)
def test_a_module_has_one_entry_point_without_parameters(ir: str, message: str) -> None:
    attributes = ENTRY % "" if "#0" in ir else ""

    with pytest.raises(InvalidCircuitError, match=message):
        read_qir(encode(ir + attributes))


def test_a_value_that_grows_without_end_is_refused() -> None:
    doubling = [f"%v{n + 1} = xor i1 %v{n}, %v{n}" for n in range(40)]
    read = READ.replace("%r", "%v0")

    with pytest.raises(InvalidCircuitError, match="xor: a value of over 500 operators"):
        read_qir(module(MEASURE, read, *doubling))


def test_too_many_operations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qir, "MAX_OPERATIONS", 3)

    assert circuit_of(read_qir(module(H, H, H))).num_operations == 3
    with pytest.raises(InvalidCircuitError, match="more than 3 gates, measurements and resets"):
        read_qir(module(H, H, H, H))


def test_line_breaks_in_base64_do_no_harm() -> None:
    text = module(H)

    program = read_qir(f"{text[:76]}\r\n{text[76:]}\n")

    assert list(circuit_of(program).operations()) == [operation("h", 0)]


def test_without_pyqir_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = module(H)
    monkeypatch.setitem(sys.modules, "pyqir", None)

    with pytest.raises(InvalidCircuitError, match=r"pip install 'ionbox\[qir\]'"):
        read_qir(text)
