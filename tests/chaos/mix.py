"""What the lottery submits: the kinds of jobs, and what becomes of some of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.builders import BELL, entanglers, rotations

_NOISE = {"model": "aria-1", "seed": 7}
_FIVE = range(5)
_OPENQASM = """\
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q[0];
cx q[0], q[1];
c[0] = measure q[0];
if (c[0]) x q[2];
c[1] = measure q[1];
c[2] = measure q[2];
"""


@dataclass(frozen=True)
class Kind:
    """A job that is submitted again and again, always with the same seed: it has one result.

    Args:
        share: How many of all 100 are of it.
        body: Of POST /v0.4/jobs.
    """

    name: str
    share: int
    body: Mapping[str, Any]


def _kind(name: str, share: int, job_input: object, **fields: object) -> Kind:
    body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": job_input}
    return Kind(name, share, body | {"noise": {"seed": 7}} | fields)


KINDS = (
    _kind("Bell pair", 57, BELL),
    _kind("14 qubits, a file", 5, entanglers(14, 60)),
    _kind("noisy shots", 12, entanglers(5, 40), noise=_NOISE, shots=500),
    _kind("OpenQASM", 8, {"data": _OPENQASM}, type="ionq.qasm3.v1", shots=100),
    _kind("long input", 3, rotations(4, 1000)),
    _kind(
        "5 circuits", 5,
        {"qubits": 3, "circuits": [{"circuit": [{"gate": "x", "target": n % 3}]} for n in _FIVE]},
        type="ionq.multi-circuit.v1",
    ),
    _kind("device", 7, entanglers(4, 8), backend="qpu.aria-1", shots=200),
    _kind("16 qubits, noisy", 2, entanglers(16, 60), noise=_NOISE, shots=200),
    _kind("1 to 3 seconds", 1, entanglers(20, 100), noise=_NOISE, shots=50),
)  # fmt: skip

# What a caller does after submitting, of 100 jobs.
KEEP, CANCEL, DELETE = "keep", "cancel", "delete"
_FATES = {KEEP: 90, CANCEL: 5, DELETE: 5}
# A long job is worth interrupting.
_FATES_OF_LONG = {KEEP: 60, CANCEL: 20, DELETE: 20}
_LONG = KINDS[-2:]


@dataclass(frozen=True)
class Ticket:
    """One job of the lottery.

    Args:
        tag: Its name in the metadata: the server knows it by no other that we choose.
        pause_seconds: From its submission to its cancelation or deletion.
    """

    tag: str
    kind: Kind
    fate: str
    pause_seconds: float

    @property
    def body(self) -> dict[str, Any]:
        return {**self.kind.body, "metadata": {"lottery": self.tag}}


def ticket(seed: int, number: int) -> Ticket:
    """Return the job of a number: the same seed makes the same jobs."""
    drawn = random.Random(f"{seed}-{number}")
    (kind,) = drawn.choices(KINDS, [kind.share for kind in KINDS])
    fates = _FATES_OF_LONG if kind in _LONG else _FATES
    (fate,) = drawn.choices(list(fates), list(fates.values()))
    longest = 0.5 if kind in _LONG else 0.05
    return Ticket(f"{seed}-{number}", kind, fate, drawn.uniform(0, longest))
