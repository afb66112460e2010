"""Noise models: which channel follows which operation.

Every operation is followed by a depolarizing channel on its qubits. The rate r is the weight of
the fully mixed state, as IonQ publishes it:

    rho -> (1 - r) rho + r I / 2**k        on the k qubits of the channel

so that some Pauli error, each of the 4**k - 1 alike, happens with probability
p = r (4**k - 1) / 4**k. (Qiskit Aer's parameter is r; Cirq and stim take p.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ionbox.backends.decomposition import gates_of_terms, gates_of_width
from ionbox.circuits.circuit import Operation

IDEAL: Final = "ideal"
_PUBLISHED = "IonQ, Simulation with noise models"
_DERIVED = "derived: (4/3) (1 - F), F the fidelities of ionbox's own record of that backend"


def rate_of_fidelity(fidelity: float) -> float:
    """Return the rate that stands for a fidelity: (4/3) (1 - F).

    For two qubits F is then the average fidelity of the channel, 1 - 3 r / 4; for one qubit it is
    the entanglement fidelity. The published rates follow the same rule.
    """
    return 4 / 3 * (1 - fidelity)


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """A row of the table of noise models.

    Args:
        name: The word on the wire.
        num_qubits: The qubits of the device that is modelled; wider programs are refused.
        r1q: Rate of the channel on each target of an operation on one qubit.
        r2q: Rate of the channel on the two qubits of an operation on two.
        source: Where the rates are from.
    """

    name: str
    num_qubits: int
    r1q: float
    r2q: float
    source: str


NOISE_MODELS: Final[Mapping[str, NoiseModel]] = {
    model.name: model
    for model in (
        *(
            NoiseModel(name, 11, rate_of_fidelity(0.9962), rate_of_fidelity(0.9610), _DERIVED)
            for name in ("harmony", "harmony-1", "harmony-2")
        ),
        NoiseModel("aria-1", 25, 0.0005, 0.0133, _PUBLISHED),
        NoiseModel("aria-2", 25, 0.0006573333, 0.01856, _PUBLISHED),
        NoiseModel("forte-1", 29, 0.0002666667, 0.0049493333, _PUBLISHED),
        NoiseModel(
            "forte-enterprise-1",
            29,
            rate_of_fidelity(0.9998),
            rate_of_fidelity(0.9952),
            _DERIVED,
        ),
    )
}


def error_probability(rate: float, num_qubits: int) -> float:
    """Return the probability of some Pauli error in a depolarizing channel of that rate."""
    states: int = 4**num_qubits
    return rate * (states - 1) / states


def channels(model: NoiseModel, operation: Operation) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the qubits and the rate of every depolarizing channel that follows an operation.

    What IonQ does not publish is our choice: an operation on two qubits gets its channel once,
    whatever its angle, swap too; one on more gets one channel on all of them, of rate
    1 - (1 - r2q)**N, N the gates on two qubits that it stands for (`decomposition`). A pauliexp
    that stands for none gets a channel on each qubit that it turns; nop, and an identity, none.
    """
    qubits = (*operation.targets, *operation.controls)
    weights = [sum(letter != "I" for letter in term) for term in operation.terms]
    if operation.gate.name == "nop" or (weights and not any(weights)):
        return
    if len(qubits) == 1:
        yield qubits, model.r1q
        return
    if len(qubits) == 2:
        yield qubits, model.r2q
        return
    num_controls = len(operation.controls)
    num_gates = gates_of_terms(weights, num_controls) if weights else gates_of_width(len(qubits))
    if num_gates:
        yield qubits, 1 - (1 - model.r2q) ** num_gates
    else:
        yield from (((qubit,), model.r1q) for qubit in _turned(operation))


def _turned(operation: Operation) -> list[int]:
    """Return the targets on which some term of a pauliexp has a letter other than I."""
    # The last letter is on targets[0].
    return [
        target
        for place, target in enumerate(operation.targets)
        if any(term[-1 - place] != "I" for term in operation.terms)
    ]
