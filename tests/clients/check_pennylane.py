"""PennyLane-IonQ against default.qubit: 0.45 on v0.4, 0.44 on v0.3.

pytest reads this module as a plug-in as well, to run PennyLane's own tests against the server.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from math import pi
from typing import Any

import pennylane as qml
import pennylane_ionq
from pennylane.devices.tests import get_device_tests
from pennylane_ionq.api_client import APIClient, Job, JobExecutionError
from tests.clients.checks import (
    API,
    DEVICES,
    KEY,
    LEAST_RIGHT,
    METADATA,
    PAIRS,
    SHOTS,
    URL,
    mostly,
    only,
    raises,
    same,
)

APIClient.BASE_URL = f"{URL}/{API}"  # the client has no setting for it
BELL = [qml.Hadamard(0), qml.CNOT([0, 1])]
EITHER = [*BELL, qml.X(1)]  # of three wires: 010 or 100, the first at the left
DEBIASING = "debiasing" if API == "v0.4" else "debias"


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
    where = {"type": "ionq.circuit.v1", "backend": "simulator"} if API == "v0.4" else {}
    job.manager.create(**where, input=written, **more)
    return job


def counts_on(name: str, operations: list[Any], num_wires: int = 3, **options: Any) -> Any:
    """Return the counts of a device, whose name PennyLane has without the `qpu.`."""
    backend = name.removeprefix("qpu.")
    device = qml.device("ionq.qpu", wires=num_wires, backend=backend, **options)
    return measured(operations, device, qml.counts(wires=device.wires), shots=SHOTS)


def tape(*operations: Any) -> Any:
    return qml.tape.QuantumScript(operations, [qml.probs(wires=range(2))], shots=100)


def served_batch(tapes: list[Any], **options: Any) -> list[dict[str, float]]:
    """Return what the server sent for each, by basis state."""
    device = qml.device("ionq.simulator", wires=2, shots=2_000, **options)
    device.target_device.batch_execute(tapes)
    histograms: list[dict[str, float]] = device.target_device.histograms
    return histograms


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
    # 0.44 loses the sign of a time.
    for time in (0.4, -0.7 if API == "v0.4" else 0.7):
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


def check_many_circuits_in_one_job() -> None:
    """An expectation value of terms that do not commute takes a circuit for each group."""
    device = qml.device("ionq.simulator", wires=2)
    energy = qml.Hamiltonian([1, 2, 4], [qml.X(0) @ qml.X(1), qml.Z(0) @ qml.Z(1), qml.Y(0)])
    tapes = [tape(*BELL), tape(qml.X(0)), tape(qml.X(1))]

    found = measured([*BELL], device, qml.expval(energy), shots=4_000)
    assert abs(found - 3) < 4 * 5 / 4_000**0.5  # 5 standard deviations of Y
    assert served_batch(tapes) == [{"0": 0.5, "3": 0.5}, {"1": 1}, {"2": 1}]


@only("v0.4")
def check_noise_repeats_with_its_seed() -> None:
    one, again, other = (
        served_batch([tape(*BELL)], noise_model="aria-1", noise_seed=seed) for seed in (7, 7, 8)
    )

    assert one == again != other
    assert 0 < one[0].get("1", 0) + one[0].get("2", 0) < 0.03, "neither ideal nor broken"


@only("v0.4")
def check_a_dry_run_has_no_results() -> None:
    assert served_batch([tape(*BELL), tape(qml.X(0))], dry_run=True) == []


@only("v0.4")
def check_a_device_takes_dry_runs() -> None:
    options = {"backend": "forte-1", "error_mitigation": {"debiasing": True}, "sharpen": True}
    device = qml.device("ionq.qpu", wires=2, shots=1_000, dry_run=True, **options)

    assert device.target_device.batch_execute([tape(*BELL)]) == [[]]


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        mostly(counts_on(name, EITHER), "010", "100")


def check_circuits_of_the_gates_of_a_device() -> None:
    """An MS gate of a quarter turns 00 to an equal mixture of 00 and 11."""
    native = [pennylane_ionq.MS(0.1, 0.3, 0.25, wires=[0, 1]), pennylane_ionq.GPI(0.7, wires=1)]
    native.append(pennylane_ionq.GPI2(0.2, wires=0))
    native.append(pennylane_ionq.GPI2(0.7, wires=0))  # half a turn on

    mostly(counts_on("qpu.aria-1", native, gateset="native"), "010", "100")


def check_debiasing_and_sharpening() -> None:
    def share(**options: Any) -> float:
        counts = counts_on("qpu.harmony", EITHER, **options)
        return float(counts.get("010", 0) + counts.get("100", 0)) / SHOTS

    debiased = {"error_mitigation": {DEBIASING: True}}
    plain = {"error_mitigation": {DEBIASING: False}, "sharpen": True}
    assert LEAST_RIGHT < share(**debiased, sharpen=False) < 0.99
    assert share(**debiased, sharpen=True) > 0.99
    assert LEAST_RIGHT < share(**plain) < 0.99, "without variants there is no vote"


def check_expectation_values_on_a_device() -> None:
    device = qml.device("ionq.qpu", wires=2, backend="forte-1")
    energy = qml.Hamiltonian([1, 2, 4], [qml.X(0) @ qml.X(1), qml.Z(0) @ qml.Z(1), qml.Y(0)])

    # A job of two circuits; 5 standard deviations of Y, and what errors take of X X and Z Z.
    found = measured([*BELL], device, qml.expval(energy), shots=4_000)
    assert 3 * 0.95 - 4 * 5 / 4_000**0.5 < found < 3 + 4 * 5 / 4_000**0.5


@only("v0.4")
def check_the_device_tests_of_pennylane_itself() -> None:
    """As the client's own continuous integration runs them against the live service."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", get_device_tests(), "-p", __name__, "-q", "--tb=short",
         "--device=ionq.simulator", "--shots=10000", "--skip-ops", "--no-flaky-report"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert re.search(r"\b245 passed, 160 skipped", done.stdout), done.stdout


def check_a_job_comes_back_as_it_was_sent() -> None:
    job, again = submitted(metadata=METADATA), Job()
    again.manager.get(job.id.value)
    sent = job.manager.client.get(job.manager.join_path(job.id.value)).json()

    assert (again.id.value, again.is_failed) == (job.id.value, False)
    assert sent["metadata"] == METADATA


def check_errors_are_the_clients_own() -> None:
    turned = [qml.IsingXX(0.5, wires=pair) for pair in PAIRS]
    raises(JobExecutionError, served, turned, 60)
    raises(JobExecutionError, counts_on, "qpu.harmony", [qml.X(11)], 12)
    raises(Exception, counts_on, "qpu.nowhere", EITHER, saying="qpu.nowhere")
    raises(Exception, submitted, shots="many", saying="shots")
    raises(Exception, served, BELL, 2, api_key=KEY[:-1], saying="Unauthorized")
