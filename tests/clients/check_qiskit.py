"""qiskit-ionq against Qiskit's Statevector: 1.x on v0.4, 0.5 on v0.3."""

from __future__ import annotations

import random
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_ionq import GPI2Gate, GPIGate, IonQProvider, MSGate, ZZGate
from qiskit_ionq.exceptions import (
    IonQAPIError,
    IonQGateError,
    IonQJobFailureError,
    IonQJobStateError,
)
from qiskit_ionq.helpers import get_n_qubits
from tests.clients.checks import API, KEY, METADATA, raises, same

BACKEND = IonQProvider().get_backend("ionq_simulator")
NATIVE = IonQProvider().get_backend("ionq_simulator", gateset="native")

BELL = QuantumCircuit(2, 2)
BELL.h(0)
BELL.cx(0, 1)
BELL.measure([0, 1], [0, 1])

# Qubits → the gates of no parameter, and of one.
FIXED = {
    1: ("h", "id", "s", "sdg", "sx", "sxdg", "t", "tdg", "x", "y", "z"),
    2: ("ch", "csx", "cx", "cy", "cz", "swap"),
    3: ("ccx",),
}
ROTATIONS = {1: ("p", "rx", "ry", "rz"), 2: ("rxx", "ryy", "rzz", "cp", "crx", "cry", "crz")}


def slow_job() -> Any:
    circuit = QuantumCircuit(24)
    for i in range(3_000):
        circuit.ry(0.1 + i, i % 24)
    return BACKEND.run(circuit)


def served(circuit: Any, backend: Any = BACKEND) -> dict[int, float]:
    """Return what the server sent: the result samples, and drops what it did not draw."""
    job = backend.run(circuit)
    job.wait_for_final_state(wait=0.05)
    url = job._results_urls["probabilities"] if API == "v0.4" else None
    where = {"results_url": url} if url else {"job_id": job.job_id()}
    return {int(state): p for state, p in backend.client.get_results(**where).items()}


def simulated(circuit: Any) -> dict[int, float]:
    return dict(enumerate(Statevector(circuit).probabilities().tolist()))


def check_bell() -> None:
    result = BACKEND.run(BELL, shots=1000, sampler_seed=7).result(wait=0.05)

    assert result.get_probabilities() == {"00": 0.5, "11": 0.5}
    assert sum(result.get_counts().values()) == 1000


def check_ghz_measured_in_another_order() -> None:
    circuit = QuantumCircuit(4, 4)
    circuit.h(0)
    circuit.cx([0, 1, 2], [1, 2, 3])
    circuit.x(1)
    circuit.measure([0, 1, 2, 3], [2, 3, 1, 0])

    result = BACKEND.run(circuit).result(wait=0.05)
    assert result.get_probabilities() == {"1000": 0.5, "0111": 0.5}


def check_random_circuits_of_every_gate() -> None:
    for seed in range(3):
        circuit = random_circuit(random.Random(seed))
        same(served(circuit), simulated(circuit))


def random_circuit(rng: random.Random) -> Any:
    """Every gate that the client can send, in random order, on an uneven state."""
    circuit = QuantumCircuit(5)
    for qubit in range(5):
        circuit.ry(rng.uniform(0.3, 1.3), qubit)
    gates: list[Any] = [(name, (), n) for n, names in FIXED.items() for name in names]
    gates += [(name, (rng.uniform(-3, 3),), n) for n, names in ROTATIONS.items() for name in names]
    for name, params, num_qubits in rng.sample(gates, len(gates)):
        getattr(circuit, name)(*params, *rng.sample(range(5), num_qubits))
        qubits = rng.sample(range(5), 4)
        if name == "swap":
            circuit.mcx(qubits[:3], qubits[3])
        if name == "ryy":
            circuit.mcp(rng.uniform(-3, 3), qubits[:2], qubits[2])
        if name in {"h", "rx"}:
            operator = SparsePauliOp(["XXI", "ZZY"], [rng.uniform(-3, 3), -0.7])
            circuit.append(PauliEvolutionGate(operator, time=0.3), qubits[:3])
    return circuit


def check_native_gates() -> None:
    rng, circuit = random.Random(4), QuantumCircuit(4)
    for _ in range(8):
        a, b, c = (rng.uniform(-1, 1) for _ in range(3))
        one, two, three, four = rng.sample(range(4), 4)
        circuit.append(GPI2Gate(a), [one])
        circuit.append(MSGate(a, b, abs(c) / 4), [one, two])
        circuit.append(GPIGate(c), [two])
        circuit.append(ZZGate(b), [three, four])
        circuit.append(GPI2Gate(b), [three])

    same(served(circuit, NATIVE), simulated(circuit))


def check_a_job_comes_back_as_it_was_sent() -> None:
    job_id = BACKEND.run(BELL, extra_metadata=METADATA).job_id()
    (job,) = BACKEND.retrieve_jobs([job_id])
    metadata = BACKEND.client.retrieve_job(job_id)["metadata"]

    assert job.job_id() == job_id
    assert job.result(wait=0.05).get_probabilities() == {"00": 0.5, "11": 0.5}
    assert {key: metadata[key] for key in METADATA} == METADATA


def check_cancel_one_and_many() -> None:
    jobs = [slow_job() for _ in range(3)]
    jobs[0].cancel()
    BACKEND.cancel_jobs([job.job_id() for job in jobs[1:]])

    assert [job.status() for job in jobs] == [JobStatus.CANCELLED] * 3
    raises(IonQJobStateError, jobs[0].result)


def check_delete() -> None:
    job_id = BACKEND.run(BELL).job_id()
    BACKEND.client.delete_job(job_id)

    raises(IonQAPIError, BACKEND.client.retrieve_job, job_id)


def check_errors_are_the_clients_own() -> None:
    stranger = IonQProvider(KEY[:-1]).get_backend("ionq_simulator")
    wide = QuantumCircuit(60)
    wide.h(59)

    many = {"shots": "many"}
    raises(IonQAPIError, BACKEND.run, BELL, extra_query_params=many, saying="shots")
    raises(IonQGateError, NATIVE.run, BELL)
    raises(IonQAPIError, stranger.run, BELL)
    raises(IonQJobFailureError, BACKEND.run(wide).result, saying="60 qubits")


def check_backends_need_no_key() -> None:
    assert get_n_qubits("simulator", fallback=0) >= 20
    assert API == "v0.3" or BACKEND.client.get_calibration_data("simulator") in (None, [])
