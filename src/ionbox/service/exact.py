"""The probabilities themselves of a noisy job, beside the shots that it has: computed when asked.

They are those before error mitigation, and of a debiased job the average over its variants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines.density_matrix import MOST_QUBITS
from ionbox.engines.engine import Estimate
from ionbox.engines.planner import engine_named, size_text
from ionbox.engines.registers import Keys, listed, merged
from ionbox.errors import InvalidInputError
from ionbox.formats.inputs import Input
from ionbox.formats.results import Exact, FloatArray, Probabilities
from ionbox.service.preparation import Conditions, Prepared, misfit, prepare
from ionbox.service.work import make_plan

# Somebody waits for the answer, and the server's own process computes it.
MOST_BYTES: Final = 1 << 30
MOST_SECONDS: Final = 30.0


def exact(given: Input, conditions: Conditions) -> Exact:
    """Compute the probabilities of an input under noise.

    Raises:
        InvalidInputError: If it has no noise, or is too large, or not one circuit; it says what an
            engine would need.
    """
    if conditions.noise is None and conditions.device is None:
        raise InvalidInputError("", "this job has no noise: its results are exact already")
    failure = None if conditions.device is None else misfit(given, conditions.device)
    if failure is not None:
        raise InvalidInputError("", failure.message)
    if given.program.circuit is None:
        text = "exact probabilities are computed of circuits that measure at their end only"
        raise InvalidInputError("", text)
    if (num_qubits := given.program.num_qubits) > MOST_QUBITS:  # before it is compiled
        text = f"{num_qubits} qubits; exact probabilities are computed of at most {MOST_QUBITS}"
        raise InvalidInputError("", text)
    prepared = prepare(given, conditions._replace(lists_noise=True))
    engine = engine_named(_estimate(prepared, conditions).engine)
    sums: dict[str, _Sum] = {}
    for part in prepared.parts:
        result = engine.run(part.workload).result
        assert isinstance(result, Exact)  # noqa: S101 - it was asked for that
        for name, register in result.registers.items():
            keys, values = _columns(register)
            if name == OUTPUT_ALL and part.final_qubits is not None:
                keys = _moved(keys, part.final_qubits)
            sums.setdefault(name, _Sum(register.num_qubits)).add(keys, values, part.workload.shots)
    return Exact({name: whole.probabilities() for name, whole in sums.items()})


def _estimate(prepared: Prepared, conditions: Conditions) -> Estimate:
    """Return what the engine would take that computes the probabilities."""
    made = make_plan(prepared, conditions.rules)
    if made.chosen is None:
        raise InvalidInputError("", f"no exact probabilities: {made.refusal}")
    seconds, needed = made.chosen.seconds, made.chosen.memory_bytes
    if needed > MOST_BYTES or seconds > MOST_SECONDS:
        text = (
            f"exact probabilities of {prepared.program.num_qubits} qubits would take "
            f"{size_text(needed)} and {seconds:.3g} s; {size_text(MOST_BYTES)} and "
            f"{MOST_SECONDS:g} s are allowed"
        )
        raise InvalidInputError("", text)
    return made.chosen


@dataclass(slots=True)
class _Sum:
    """Probabilities of a register, as those of one variant after the other come in."""

    num_bits: int
    keys: list[Keys] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, keys: Keys, values: FloatArray, shots: int) -> None:
        """Add a variant, weighted by its shots."""
        self.keys.append(keys)
        self.values.append(values.astype(np.float64) * shots)

    def probabilities(self) -> Probabilities:
        """Return the mean of all that came in."""
        keys, values = merged(np.concatenate(self.keys), np.concatenate(self.values))
        return listed(keys, values, self.num_bits)


def _columns(register: Probabilities) -> tuple[Keys, FloatArray]:
    """Return the basis states of a narrow register, and the probability of each."""
    if register.basis_states is None:
        return np.arange(register.values.size, dtype=np.uint64), register.values
    return register.basis_states.astype(np.uint64, copy=False), register.values


def _moved(keys: Keys, final_qubits: tuple[int, ...]) -> Keys:
    """Return basis states with the qubits in the order of the program that was submitted."""
    moved = np.zeros_like(keys)
    for qubit, place in enumerate(final_qubits):
        moved |= (keys >> np.uint64(place) & np.uint64(1)) << np.uint64(qubit)
    return moved
