from __future__ import annotations

import pytest

from ionbox.backends.noise import Flips
from ionbox.backends.noise_file import read_noise_model
from ionbox.errors import SettingsError

WHOLE = """
name = "lab"
num_qubits = 5
rates = { 1q = 0.001, 2q = 0.02 }
gates = { rz = 0.0 }
qubits = { 3 = 0.004 }
pairs = { 1-0 = 0.03 }
[readout]
of_zero = 0.002
of_one = 0.005
qubits = { 4 = [0.01, 0.02] }
[idling]
t1 = 10
t2 = 1.0
1q = 0.0001
2q = 0.0006
parallel = true
"""
HEAD = 'name = "lab"\nnum_qubits = 5\n'


def test_every_key_is_read() -> None:
    model = read_noise_model(WHOLE)

    assert (model.name, model.num_qubits, model.r1q, model.r2q) == ("lab", 5, 0.001, 0.02)
    assert (model.gates, model.qubits, model.pairs) == ({"rz": 0.0}, {3: 0.004}, {(0, 1): 0.03})
    assert model.readout(0) == Flips(0.002, 0.005)
    assert model.readout(4) == Flips(0.01, 0.02)
    assert model.idling is not None
    assert (model.idling.t1, model.idling.gate_2q, model.idling.is_parallel) == (10, 0.0006, True)


def test_what_is_not_told_does_not_happen() -> None:
    model = read_noise_model(HEAD)

    assert (model.r1q, model.r2q, model.idling) == (0, 0, None)
    assert not model.has_readout_errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", "noise model: Expected '='"),
        (HEAD + "rates = { 1q = 2 }", "`$.rates.1q`"),
        (HEAD + "rate = 1", "unknown field `rate`"),
        (HEAD.replace("5", "33"), "`$.num_qubits`"),
        (HEAD.replace("lab", "aria-1"), "name: 'aria-1' is one of ionbox's own"),
        (HEAD + "gates = { hadamard = 0.1 }", "gates.hadamard: not one of: "),
        (HEAD + "qubits = { 5 = 0.1 }", "qubits.5: not a qubit of 0 to 4"),
        (HEAD + "pairs = { 01 = 0.1 }", "pairs.01: not two qubits, such as 0-1"),
        (HEAD + "pairs = { 1-1 = 0.1 }", "pairs.1-1: not two qubits"),
        (HEAD + "pairs = { 1-0 = 0.1, 0-1 = 0.1 }", "pairs.0-1: the pair is there already"),
        (HEAD + "pairs = { 1-x = 0.1 }", "pairs.x: not a qubit of 0 to 4"),
        (HEAD + "[readout]\nqubits = { 9 = [0, 0] }", "readout.qubits.9: not a qubit"),
        (HEAD + "[idling]\nt1 = 1\nt2 = 3\n1q = 1\n2q = 1", "idling: t2: 3 s; at most twice t1"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_noise_model(text)

    assert message in str(caught.value)
