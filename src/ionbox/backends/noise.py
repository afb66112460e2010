"""Noise models: what really happens where a circuit says what should.

All errors are Pauli errors that do not depend on the state, so that they can be drawn before
anything is simulated; beside them gates may turn too far, always by the same, and a qubit may be
read out wrongly. Every operation is followed by a depolarizing channel on its qubits. The rate r is
the weight of the fully mixed state, as IonQ publishes it:

    rho -> (1 - r) rho + r I / 2**k        on the k qubits of the channel

so that some Pauli error, each of the 4**k - 1 alike, happens with probability
p = r (4**k - 1) / 4**k. (Qiskit Aer's parameter is r; Cirq and stim take p.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from ionbox.backends.decomposition import gates_of_terms, gates_of_width
from ionbox.backends.idling import Idling, Waits
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.rewrites import turned_further

IDEAL: Final = "ideal"
_PUBLISHED = "IonQ, Simulation with noise models"
_DERIVED = "derived: (4/3) (1 - F), F the fidelities of ionbox's own record of that backend"

T = TypeVar("T")
Pair: TypeAlias = tuple[int, int]  # of qubits, the lower one first


def rate_of_fidelity(fidelity: float) -> float:
    """Return the rate that stands for a fidelity: (4/3) (1 - F).

    For two qubits F is then the average fidelity of the channel, 1 - 3 r / 4; for one qubit it is
    the entanglement fidelity. The published rates follow the same rule.
    """
    return 4 / 3 * (1 - fidelity)


class Flips(msgspec.Struct, frozen=True):
    """How often a qubit is read out as the other state.

    Args:
        of_zero: Probability that |0> is read as 1.
        of_one: Probability that |1> is read as 0.
    """

    of_zero: float = 0.0
    of_one: float = 0.0


NEVER: Final = Flips()


class NoiseModel(msgspec.Struct, frozen=True):
    """A noise model. What is told of a qubit or pair counts more than what is told of a gate.

    Args:
        name: The word on the wire.
        num_qubits: The qubits of the device that is modelled; wider programs are refused.
        r1q: Rate of the channel on each target of an operation on one qubit.
        r2q: Rate of the channel on the two qubits of an operation on two.
        source: Where the rates are from.
        gates: Name of a gate → the rate of its channel where it has no controls; `cnot` is `x` with
            one.
        qubits: Qubit → rate of operations on it alone.
        pairs: Pair → rate of operations on these two.
        over_rotations: Qubit → by how many radians operations on it alone turn too far; native
            gates only.
        pair_over_rotations: Pair → the same of operations on these two.
        flips: Errors of the read-out, of qubits that `qubit_flips` does not name.
        qubit_flips: Qubit → errors of its read-out.
        idling: What waiting does to qubits; None for nothing.
    """

    name: str
    num_qubits: int
    r1q: float
    r2q: float
    source: str = ""
    gates: Mapping[str, float] = {}
    qubits: Mapping[int, float] = {}
    pairs: Mapping[Pair, float] = {}
    over_rotations: Mapping[int, float] = {}
    pair_over_rotations: Mapping[Pair, float] = {}
    flips: Flips = NEVER
    qubit_flips: Mapping[int, Flips] = {}
    idling: Idling | None = None

    @property
    def has_readout_errors(self) -> bool:
        """Whether any qubit may be read out wrongly."""
        return any(flips != NEVER for flips in (self.flips, *self.qubit_flips.values()))

    @property
    def has_over_rotations(self) -> bool:
        """Whether any gate turns too far."""
        return bool(self.over_rotations or self.pair_over_rotations)

    def readout(self, qubit: int) -> Flips:
        """Return how often a qubit is read out wrongly."""
        return self.qubit_flips.get(qubit, self.flips)


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


class Channel(NamedTuple):
    """A channel of a circuit: some Pauli error on its qubits, or none.

    Args:
        after: How many operations of the circuit come before it.
        qubits: On which the error may happen.
        probability: That one does.
        shares: Of X, Y and Z in the errors on one qubit, with sum 1; None if all 4**k - 1 errors
            on the k qubits are alike.
    """

    after: int
    qubits: tuple[int, ...]
    probability: float
    shares: tuple[float, float, float] | None = None


class NoisyCircuit(NamedTuple):
    """What really happens.

    Args:
        circuit: The operations, as they are in truth: some may turn too far.
        channels: Between them, in the order in which they act.
    """

    circuit: Circuit
    channels: Sequence[Channel]


class _Question:
    """A model and a circuit, told from others by identity."""

    def __init__(self, model: NoiseModel, circuit: Circuit) -> None:
        self.model = model
        self.circuit = circuit

    def __hash__(self) -> int:
        return hash((id(self.model), id(self.circuit)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Question):
            return NotImplemented
        return self.model is other.model and self.circuit is other.circuit


def noisy_circuit(model: NoiseModel, circuit: Circuit) -> NoisyCircuit:
    """Return what really happens where a circuit is run."""
    return _noisy_circuit(_Question(model, circuit))


@lru_cache(maxsize=1)  # every engine asks the same, one after the other
def _noisy_circuit(asked: _Question) -> NoisyCircuit:
    model, circuit = asked.model, asked.circuit
    waits = None if model.idling is None else Waits(model.idling, circuit.num_qubits)
    applied: list[Operation] = []
    around: list[Channel] = []
    for operation in circuit.operations():
        if waits is not None:
            around += _waiting(len(applied), waits.before(operation))
        applied += _in_truth(model, operation)
        around += _errors(model, operation, len(applied))
    if waits is not None:
        around += _waiting(len(applied), waits.at_the_end())
    if model.has_over_rotations:
        circuit = Circuit.from_operations(circuit.num_qubits, "qis", applied)
    return NoisyCircuit(circuit, around)


def placed(model: NoiseModel, places: Sequence[int]) -> NoiseModel:
    """Return a model of a device as that of the qubits of a circuit.

    Args:
        places: The qubit of the device that each qubit of the circuit is mapped to.
    """
    at = {place: qubit for qubit, place in enumerate(places)}
    return msgspec.structs.replace(
        model,
        qubits=_moved(model.qubits, at),
        over_rotations=_moved(model.over_rotations, at),
        qubit_flips=_moved(model.qubit_flips, at),
        pairs=_moved_pairs(model.pairs, at),
        pair_over_rotations=_moved_pairs(model.pair_over_rotations, at),
    )


def _moved(of_qubits: Mapping[int, T], at: Mapping[int, int]) -> dict[int, T]:
    return {at[place]: value for place, value in of_qubits.items() if place in at}


def _moved_pairs(of_pairs: Mapping[Pair, float], at: Mapping[int, int]) -> dict[Pair, float]:
    return {
        pair_of(at[one], at[other]): value
        for (one, other), value in of_pairs.items()
        if one in at and other in at
    }


def pair_of(one: int, other: int) -> Pair:
    """Return two qubits as a pair."""
    return (one, other) if one < other else (other, one)


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
        yield qubits, _rate_on_one(model, operation, qubits[0])
        return
    if len(qubits) == 2:
        rate = model.gates.get(_name_of(operation), model.r2q)
        yield qubits, model.pairs.get(pair_of(*qubits), rate)
        return
    num_controls = len(operation.controls)
    num_gates = gates_of_terms(weights, num_controls) if weights else gates_of_width(len(qubits))
    if num_gates:
        rate = 1 - (1 - model.r2q) ** num_gates
        yield qubits, model.gates.get(_name_of(operation), rate)
    else:
        for qubit in _turned(operation):
            yield (qubit,), _rate_on_one(model, operation, qubit)


def _rate_on_one(model: NoiseModel, operation: Operation, qubit: int) -> float:
    return model.qubits.get(qubit, model.gates.get(_name_of(operation), model.r1q))


def _name_of(operation: Operation) -> str:
    """Return under which name a gate has a rate, however it is spelt; empty for none."""
    num_controls = len(operation.controls)
    if operation.gate.name in {"x", "cnot"}:
        return {0: "x", 1: "cnot"}.get(num_controls, "")
    return "" if num_controls else operation.gate.name


def _turned(operation: Operation) -> list[int]:
    """Return the targets on which some term of a pauliexp has a letter other than I."""
    # The last letter is on targets[0].
    return [
        target
        for place, target in enumerate(operation.targets)
        if any(term[-1 - place] != "I" for term in operation.terms)
    ]


def _in_truth(model: NoiseModel, operation: Operation) -> Sequence[Operation]:
    """Return what an operation does: where gates turn too far, rotations of gateset qis."""
    if not model.has_over_rotations or operation.gate.gateset == "qis":
        return (operation,)
    if len(operation.targets) == 1:
        excess = model.over_rotations.get(operation.targets[0], 0.0)
    else:
        excess = model.pair_over_rotations.get(pair_of(*operation.targets), 0.0)
    return turned_further(operation, excess)


def _errors(model: NoiseModel, operation: Operation, after: int) -> Iterator[Channel]:
    for qubits, rate in channels(model, operation):
        yield Channel(after, qubits, error_probability(rate, len(qubits)))


def _waiting(
    after: int, waits: Sequence[tuple[int, tuple[float, float, float]]]
) -> Iterator[Channel]:
    for qubit, letters in waits:
        total = sum(letters)
        if total > 0:
            x, y, z = (letter / total for letter in letters)
            yield Channel(after, (qubit,), total, (x, y, z))
