"""PennyLane-IonQ against default.qubit."""

from __future__ import annotations

import random
from math import pi
from typing import Any

import pennylane as qml
import pennylane_ionq
from pennylane_ionq.api_client import APIClient, Job, JobExecutionError
from tests.clients.checks import API, KEY, METADATA, URL, raises, same

APIClient.BASE_URL = f"{URL}/{API}"  # the client has no setting for it
BELL = [qml.Hadamard(0), qml.CNOT([0, 1])]


def served(operations: list[Any], num_wires: int, **options: Any) -> dict[int, float]:
    """Return what the server sent; a measurement would sample it. Wire 0 is the highest bit."""
    device = qml.device("ionq.simulator", wires=num_wires, **options)
    measured(operations, device, qml.probs(wires=device.wires), shots=100)
    return dict(enumerate(device.target_device.prob.tolist()))


def simulated(operations: list[Any], num_wires: int) -> dict[int, float]:
    device = qml.device("default.qubit", wires=num_wires)
    return dict(enumerate(measured(operations, device, qml.probs(wires=device.wires)).tolist()))


def measured(operations: list[Any], device: Any, what: Any, shots: int | None = None) -> Any:
    def circuit() -> Any:
        for operation in operations:
            qml.apply(operation)
        return qml.apply(what)

    return qml.set_shots(qml.QNode(circuit, device), shots=shots)()


def submitted(**more: Any) -> Any:
    job = Job()
    written = {"qubits": 2, "circuit": [{"gate": "h", "target": 0}]}
    job.manager.create(type="ionq.circuit.v1", backend="simulator", input=written, **more)
    return job


def check_bell_and_ghz() -> None:
    ladder = [qml.CNOT([i, i + 1]) for i in range(4)]

    same(served(BELL, 2), {0: 0.5, 3: 0.5})
    same(served([qml.Hadamard(0), *ladder], 5), {0: 0.5, 31: 0.5})


def check_expectation_values() -> None:
    device = qml.device("ionq.simulator", wires=2)

    assert measured(BELL, device, qml.expval(qml.X(0) @ qml.X(1)), shots=200) == 1


def check_random_circuits_of_every_gate() -> None:
    for seed in range(3):
        operations = random_operations(random.Random(seed))
        same(served(operations, 5), simulated(operations, 5))


def random_operations(rng: random.Random) -> list[Any]:
    """Every gate that the client can send, in random order, on an uneven state."""
    fixed = (qml.X, qml.Y, qml.Z, qml.Hadamard, qml.S, qml.T, qml.SX)
    ising = (qml.IsingXX, qml.IsingYY, qml.IsingZZ)
    operations = [gate(rng.randrange(5)) for gate in fixed]
    operations += [qml.adjoint(gate(rng.randrange(5))) for gate in fixed[4:]]
    operations += [g(rng.uniform(-3, 3), rng.randrange(5)) for g in (qml.RX, qml.RY, qml.RZ)]
    operations += [gate(rng.uniform(-3, 3), rng.sample(range(5), 2)) for gate in ising]
    operations += [gate(rng.sample(range(5), 2)) for gate in (qml.CNOT, qml.SWAP)]
    for time in (0.4, -0.7):
        one, two, three = rng.sample(range(5), 3)
        terms = [qml.X(one) @ qml.Y(two), qml.Z(one) @ qml.Z(two) @ qml.X(three)]
        operations.append(qml.evolve(qml.Hamiltonian([0.6, -1.1], terms), coeff=time))
    rng.shuffle(operations)
    return [qml.RY(rng.uniform(0.3, 1.3), wire) for wire in range(5)] + operations


def check_the_ising_gates_of_its_own() -> None:
    own = [pennylane_ionq.XX, pennylane_ionq.YY, pennylane_ionq.ZZ]
    theirs = [qml.IsingXX, qml.IsingYY, qml.IsingZZ]

    def circuit(gates: list[Any]) -> list[Any]:
        pairs = zip(gates, ([0, 1], [1, 2], [2, 0]), strict=True)
        once = [gate(0.4 + wires[0], wires=wires) for gate, wires in pairs]
        uneven = [qml.RY(0.3 + 0.4 * wire, wire) for wire in range(3)] + [qml.RX(0.5, 1)]
        return [*uneven, *once, *uneven, *once]

    same(served(circuit(own), 3), simulated(circuit(theirs), 3))


def check_native_gates() -> None:
    rng = random.Random(4)
    native: list[Any] = []
    reference: list[Any] = []
    for _ in range(8):
        a, b, angle = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0, 0.25)
        one, two = rng.randrange(3), rng.sample(range(3), 2)
        native += [pennylane_ionq.GPI2(a, wires=one), pennylane_ionq.MS(a, b, angle, wires=two)]
        native += [pennylane_ionq.GPI(b, wires=one), pennylane_ionq.GPI2(angle, wires=two[0])]
        reference += about(qml.RX(pi / 2, one), a) + about(qml.IsingXX(2 * pi * angle, two), a, b)
        reference += about(qml.X(one), b) + about(qml.RX(pi / 2, two[0]), angle)

    same(served(native, 3, gateset="native"), simulated(reference, 3))


def about(gate: Any, *phases: float) -> list[Any]:
    """Return a gate about X turned to the axes at these phases (MS.compute_matrix is wrong)."""
    turns = [(2 * pi * p, wire) for p, wire in zip(phases, gate.wires, strict=True)]
    return [*(qml.RZ(-p, w) for p, w in turns), gate, *(qml.RZ(p, w) for p, w in turns)]


def check_a_job_comes_back_as_it_was_sent() -> None:
    job, again = submitted(metadata=METADATA), Job()
    again.manager.get(job.id.value)
    sent = job.manager.client.get(job.manager.join_path(job.id.value)).json()

    assert (again.id.value, again.is_failed) == (job.id.value, False)
    assert sent["metadata"] == METADATA


def check_errors_are_the_clients_own() -> None:
    raises(JobExecutionError, served, BELL, 60)
    raises(Exception, submitted, shots="many", saying="shots")
    raises(Exception, served, BELL, 2, api_key=KEY[:-1], saying="Unauthorized")
