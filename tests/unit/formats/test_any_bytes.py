"""Whatever is sent, a reader returns a value or says what is wrong: nothing else, and at once."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.formats.hostile import ATOMS, documents

from ionbox.api.requests import decode_body
from ionbox.api.v03 import wire as v03
from ionbox.api.v04 import sessions
from ionbox.api.v04 import wire as v04
from ionbox.errors import InvalidInputError
from ionbox.formats.inputs import INPUT_TYPES, read_input, read_registers
from ionbox.formats.ionq import read_circuit
from ionbox.formats.multi_circuit import read_circuits
from ionbox.formats.openqasm import read_openqasm

GATE_KEYS = (
    "gate", "target", "targets", "control", "controls", "rotation", "angle", "phase", "phases",
    "terms", "coefficients", "time",
)  # fmt: skip
CIRCUIT_KEYS = ("circuit", "qubits", "gateset", *GATE_KEYS)
MANY_KEYS = ("circuits", "name", "registers", *CIRCUIT_KEYS)
BODY_KEYS = (
    "type", "input", "backend", "target", "shots", "noise", "model", "seed", "name", "metadata",
    "settings", "error_mitigation", "debiasing", "session_id", "dry_run", "registers", "data",
)  # fmt: skip
FUNCTION_KEYS = (
    "data", "type", "hamiltonian", "pauli_string", "coefficient", "ansatz", "params",
)  # fmt: skip


def _registers(data: bytes) -> object:
    return read_registers(v03.read_submission(b'{"input":{},"registers":' + data + b"}").registers)


def _session(data: bytes) -> object:
    return decode_body(data, sessions._session_creation)


def _openqasm(version: str) -> Callable[[bytes], object]:
    return lambda data: read_openqasm(version.encode() + data)


# Reader → what it reads. QASM and QIR have texts of their own below.
READERS: Mapping[str, tuple[Callable[[bytes], object], tuple[str, ...]]] = {
    "circuit": (read_circuit, CIRCUIT_KEYS),
    "many circuits": (read_circuits, MANY_KEYS),
    "registers": (_registers, ("a", "b")),
    "body of v0.3": (v03.read_submission, BODY_KEYS),
    "body of v0.4": (v04.read_submission, BODY_KEYS),
    "body of a clone": (v04.read_overrides, BODY_KEYS),
    "body of a session": (_session, (*BODY_KEYS, "limits", "cost_limit", "value", "unit")),
    **{f"input of {name}": (partial(read_input, name), FUNCTION_KEYS) for name in INPUT_TYPES},
}
# Generous: a machine that does much else at once must not fail a test.
MOST_SECONDS = 2.0
MOST_BYTES = 64 * 2**20


def is_read_or_refused(read: Callable[[bytes], object], data: bytes) -> None:
    """Read, and hold the reader to its word: a value that can be kept, or the one error."""
    began = time.monotonic()
    try:
        read(data)
    except InvalidInputError as error:
        msgspec.json.encode(str(error))  # as it is answered
    assert time.monotonic() - began < MOST_SECONDS


@pytest.mark.parametrize("name", READERS)
def test_any_json_is_read_or_refused(name: str) -> None:
    read, keys = READERS[name]

    @given(documents(keys))
    @settings(max_examples=40, deadline=None, derandomize=True)
    def check(data: bytes) -> None:
        is_read_or_refused(read, data)

    check()


@pytest.mark.parametrize("name", READERS)
def test_any_atom_in_any_place_is_read_or_refused(name: str) -> None:
    read, keys = READERS[name]

    for atom in ATOMS:
        data = atom.encode("utf-8", "surrogatepass")
        is_read_or_refused(read, data)
        for key in keys:
            is_read_or_refused(read, b'{"input":{},"circuit":[],"%b":%b}' % (key.encode(), data))
            is_read_or_refused(read, b'{"circuit":[{"gate":"h","%b":%b}]}' % (key.encode(), data))


@pytest.mark.parametrize("version", ["", "OPENQASM 2.0;", "OPENQASM 3;"])
def test_any_bytes_are_openqasm_or_refused(version: str) -> None:
    read = _openqasm(version)

    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    @settings(max_examples=40, deadline=None, derandomize=True)
    def check(data: bytes) -> None:
        is_read_or_refused(read, data)

    check()


def test_a_deep_or_long_document_takes_little_memory() -> None:
    documents = [b"[" * 2**20, b'{"a":' * 2**18, b'{"circuit":' + b"[" * 2**20 + b"]" * 2**20]
    documents += [b'{"circuit":[' + b"0," * 2**18 + b"0]}", b'{"qubits":' + b"9" * 2**20 + b"}"]

    tracemalloc.start()
    try:
        for read, _ in READERS.values():
            for data in documents:
                is_read_or_refused(read, data)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [v03.read_submission, v04.read_submission])
def test_of_a_key_that_is_given_twice_the_last_one_counts(read: Callable[[bytes], Any]) -> None:
    twice = b'{"type":"ionq.circuit.v1","shots":1,"input":{"a":1},"shots":2,"input":{"a":2},'
    twice += b'"metadata":{"k":"1","k":"2"},"settings":{"s":1,"s":2}}'

    given = read(twice)

    assert (given.shots, bytes(given.data)) == (2, b'{"a":2}')
    assert (given.metadata, given.settings) == ({"k": "2"}, {"s": 2})


def test_of_a_key_that_is_given_twice_in_a_circuit_the_last_one_counts() -> None:
    twice = b'{"qubits":5,"qubits":2,"circuit":[{"gate":"x","gate":"h","target":0,"target":1}]}'

    circuit = read_circuit(twice)

    assert circuit.num_qubits == 2
    assert [(one.gate.name, one.targets) for one in circuit.operations()] == [("h", (1,))]


@pytest.mark.parametrize("text", [b"-0", b"-0.0", b"0e99"])
def test_a_zero_may_be_written_in_any_way(text: bytes) -> None:
    circuit = read_circuit(b'{"circuit":[{"gate":"rx","target":%b,"rotation":%b}]}' % (text, text))

    assert (circuit.num_qubits, circuit.params.tolist()) == (1, [0.0])


def test_a_text_with_half_a_character_is_refused() -> None:
    for read in (v03.read_submission, v04.read_submission):
        for name in ('"name":"\\ud800"', '"metadata":{"\\udc00":"a"}', '"settings":"\\ud800x"'):
            with pytest.raises(InvalidInputError):
                read(f'{{"type":"ionq.circuit.v1",{name},"input":{{}}}}'.encode())


def test_a_byte_order_mark_is_refused_with_the_place() -> None:
    with pytest.raises(InvalidInputError, match=r"invalid character \(byte 0\)"):
        v04.read_submission(b"\xef\xbb\xbf" + msgspec.json.encode({"type": "x", "input": {}}))


def test_bitcode_with_flipped_bits_is_read_or_refused_or_ends_its_own_process_alone() -> None:
    pytest.importorskip("pyqir", reason="QIR is not tested: pip install 'ionbox[qir]'")

    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.formats.flipped_bits", "150"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:]
