"""Debiasing helps against errors that are always the same, and only against those.

Hellinger fidelity to the ideal outcome, at equal shots, of 20 circuits on 10 dates: a debiased job
less one that is run on one map of its qubits. A difference of nothing would exceed 5 standard
errors once in 3 million times.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.builders import make_targets

from ionbox.backends.twins import PERFECT, Imperfections, Twin
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.planner import engine_named, plan
from ionbox.formats.inputs import Input, read_input
from ionbox.formats.results import Sampled, basis_states_of
from ionbox.service.device_settings import DeviceRun, DeviceSettings
from ionbox.service.planning import Rules
from ionbox.service.preparation import Conditions, gather, prepare

NUM_QUBITS, NUM_CIRCUITS, NUM_DATES, SHOTS = 4, 20, 10, 1500
RULES = Rules(memory_bytes=1 << 30)
DEVICE = make_targets().backends["qpu.aria-1"]


def random_circuit(generator: np.random.Generator) -> Input:
    """Return six layers of random rotations and a brickwork of cnots."""
    gates: list[dict[str, Any]] = []
    for layer in range(6):
        for qubit in range(NUM_QUBITS):
            gate, rotation = generator.choice(["rx", "ry", "rz"]), generator.uniform(-3, 3)
            gates.append({"gate": str(gate), "target": qubit, "rotation": float(rotation)})
        gates += [
            {"gate": "cnot", "control": qubit, "target": qubit + 1}
            for qubit in range(layer % 2, NUM_QUBITS - 1, 2)
        ]
    body = {"gateset": "qis", "qubits": NUM_QUBITS, "circuit": gates}
    return read_input("ionq.circuit.v1", msgspec.json.encode(body))


def frequencies(given: Input, twin: Twin, seed: int, *, debiasing: bool) -> NDArray[np.float64]:
    device = DeviceRun(twin, DeviceSettings(debiasing=debiasing))
    prepared = prepare(given, Conditions(SHOTS, seed, RULES, device=device))
    chosen = plan(prepared.parts[0].workload, memory_bytes=RULES.memory_bytes).chosen
    assert chosen is not None
    engine = engine_named(chosen.engine)
    results = [engine.run(part.workload).result for part in prepared.parts]
    result = gather(prepared, results, seed).result
    assert isinstance(result, Sampled)
    states = basis_states_of(result.registers[OUTPUT_ALL].rows).astype(np.int64)
    return np.bincount(states, minlength=1 << NUM_QUBITS) / SHOTS


def gains(flaws: Imperfections) -> NDArray[np.float64]:
    """Return the fidelity that debiasing gains, for each circuit and date."""
    generator = np.random.default_rng(3)
    found: list[float] = []
    for _ in range(NUM_CIRCUITS):
        given = random_circuit(generator)
        assert given.program.circuit is not None
        ideal = np.abs(state_vector(given.program.circuit)) ** 2
        for record in DEVICE.characterizations[:NUM_DATES]:
            twin = Twin(DEVICE.native_gates, record, flaws)
            debiased, plain = (
                np.sqrt(frequencies(given, twin, len(found), debiasing=debiasing) * ideal).sum()
                ** 2
                for debiasing in (True, False)
            )
            found.append(debiased - plain)
    return np.array(found)


def in_standard_errors(differences: NDArray[np.float64]) -> float:
    return float(differences.mean() / (differences.std(ddof=1) / np.sqrt(differences.size)))


@pytest.mark.parametrize(
    ("flaws", "least", "most"),
    [(DEVICE.imperfections, 5, np.inf), (PERFECT, -3, 3)],
    ids=["over-rotations", "depolarizing only"],
)
def test_debiasing_helps_against_over_rotations_alone(
    flaws: Imperfections, least: float, most: float
) -> None:
    assert least <= in_standard_errors(gains(flaws)) <= most
