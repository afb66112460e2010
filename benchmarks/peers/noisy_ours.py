"""ionbox with noise: from a program to shots, by whatever engine is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.ours import circuit_of
from benchmarks.peers.rows import NOISE, SHOTS, Build, Row, Run, Samples, rates, sampling
from ionbox.backends.noise import NoiseModel
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.engines.calibration import Machine
from ionbox.engines.engine import Workload
from ionbox.engines.planner import engine_named, plan
from ionbox.formats.results import Sampled

DISTRIBUTION = "ionbox"

_MEMORY_BYTES = 4 << 30


def build(shots: int, num_qubits: int, rows: Sequence[Row], threads: int) -> Run:
    rate = rates(rows)
    noise = NoiseModel("benchmark", num_qubits, rate.get(1, 0.0), rate.get(2, 0.0))
    circuit = circuit_of(num_qubits, [row for row in rows if row.name != NOISE])
    workload = Workload(program_of(circuit), shots, seed=1, noise=noise)
    machine = Machine(cores=threads)

    def run() -> Samples:
        chosen = plan(workload, memory_bytes=_MEMORY_BYTES, machine=machine).chosen
        assert chosen is not None, "no engine takes it"
        outcome = engine_named(chosen.engine).run(workload, threads=threads)
        assert isinstance(outcome.result, Sampled)
        return _basis_states(outcome.result.registers[OUTPUT_ALL].rows)

    return run


def _basis_states(rows: NDArray[np.uint8]) -> Samples:
    padded = np.zeros((len(rows), 8), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.view("<u8")[:, 0]


VARIANTS: Mapping[str, Build] = {sampling("", shots): partial(build, shots) for shots in SHOTS}
