"""`ionq`, IonQ's earlier SDK, against Qiskit's Statevector."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import requests
from ionq import Backend, Client, Session, errors
from ionq.jobs import Circuit, HamiltonianEnergy
from ionq.utils.ionq_qiskit import to_ansatz, to_circuit, to_hamiltonian
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector
from tests.clients.checks import API, DEVICES, KEY, SHOTS, URL, mostly, raises, same

CLIENT = Client(base_url=f"{URL}/{API}")
BACKEND = Backend("simulator", CLIENT)
BELL = {"circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]}
EITHER = {"circuit": [*BELL["circuit"], {"gate": "x", "target": 1}]}
ONE = {"circuit": [{"gate": "x", "target": 1}]}
SLOW = {"circuit": [{"gate": "ry", "target": i % 24, "rotation": 0.1 + i} for i in range(3_000)]}
# The other controlled gates of its adapter have names that the API does not know.
FIXED = ("x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "t", "tdg", "id", "cx", "swap")
ROTATIONS = ("rx", "ry", "rz", "p", "rxx", "ryy", "rzz")


def run(*circuits: dict[str, Any], num_qubits: int = 2, **more: Any) -> Any:
    return BACKEND.run(Circuit(list(circuits), qubits=num_qubits), **more)


def probabilities(result: Any) -> dict[int, float]:
    return {int(state): p for state, p in result.probabilities.items()}


def random_circuit(rng: random.Random) -> Any:
    """Gates that its adapter for Qiskit can send, in random order, on an uneven state."""
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(rng.uniform(0.3, 1.3), qubit)
    for name in rng.sample(FIXED + ROTATIONS, len(FIXED + ROTATIONS)):
        num_qubits = 2 if name in {"cx", "swap", "rxx", "ryy", "rzz"} else 1
        params = [rng.uniform(-3, 3)] if name in ROTATIONS else []
        getattr(circuit, name)(*params, *rng.sample(range(4), num_qubits))
    return circuit


def simulated(circuit: Any) -> dict[int, float]:
    return dict(enumerate(Statevector(circuit).probabilities().tolist()))


def check_bell_and_ghz() -> None:
    ladder = [{"gate": "cnot", "control": i, "target": i + 1} for i in range(4)]
    (bell,) = run(BELL, shots=100).results()
    (ghz,) = run({"circuit": [BELL["circuit"][0], *ladder]}, num_qubits=5).results()

    assert (bell.probabilities, bell.counts) == ({"0": 0.5, "3": 0.5}, {"0": 50, "3": 50})
    assert ghz.probabilities == {"0": 0.5, "31": 0.5}


def check_random_qiskit_circuits_of_every_gate() -> None:
    circuits = [random_circuit(random.Random(seed)) for seed in range(3)]
    (alone,) = BACKEND.run(to_circuit(circuits[:1])).results()
    together = BACKEND.run(to_circuit(circuits)).results()

    same(probabilities(alone), simulated(circuits[0]))
    for result, circuit in zip(together, circuits, strict=True):
        same(probabilities(result), simulated(circuit))


def check_native_gates() -> None:
    gates = [{"gate": "gpi", "target": 0, "phase": 0.3}, {"gate": "nop", "target": 1}]
    native = Circuit([{"circuit": gates}], gateset="native", qubits=2)

    assert BACKEND.run(native).results()[0].probabilities == {"1": 1}


def check_many_circuits_in_one_job() -> None:
    first, second = run(BELL, ONE, shots=10).results()

    assert first.probabilities == {"0": 0.5, "3": 0.5}
    assert (second.probabilities, second.counts) == ({"2": 1}, {"2": 10})


def check_noise_gives_counts() -> None:
    (result,) = run(BELL, shots=2_000, noise="aria-1").results()
    likely = result.counts["0"] + result.counts["3"]

    assert sum(result.counts.values()) == 2_000
    assert 1_940 < likely < 2_000


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        job = Backend(name, CLIENT).run(Circuit([EITHER], qubits=3), shots=SHOTS)
        (result,) = job.results()
        mostly(result.counts, "1", "2")
        assert result.top_candidates(2) in (["1", "2"], ["2", "1"])


def check_many_circuits_of_the_gates_of_a_device() -> None:
    flips = [{"circuit": [{"gate": "gpi", "target": i, "phase": 0.3}]} for i in range(2)]
    native = Circuit(flips, gateset="native", qubits=3)
    results = Backend("qpu.forte-1", CLIENT).run(native, shots=SHOTS).results()

    for result, outcome in zip(results, ("1", "2"), strict=True):
        assert 0.95 < result.probabilities[outcome] < 1


def check_a_quantum_function() -> None:
    angle, circuit = Parameter("a"), QuantumCircuit(2)
    circuit.rx(angle, 0)
    circuit.cx(0, 1)
    energy = SparsePauliOp(["ZZ", "IZ", "YX"], [2, 3, 5])
    function = HamiltonianEnergy(to_ansatz(circuit), to_hamiltonian(energy))

    bound = Statevector(circuit.assign_parameters({angle: 0.7}))
    value = BACKEND.run(function, params=[0.7]).results().value
    assert abs(value - bound.expectation_value(energy).real) < 1e-6


def check_retrieve_and_list() -> None:
    jobs = [run(BELL, name=f"job {i}", shots=30) for i in range(3)]
    jobs[0].results()
    first = CLIENT.jobs.get_job(jobs[0].id)
    listed = CLIENT.jobs.get_jobs(limit=3)

    assert (first.name, first.status, first.shots, first.stats.qubits) == (
        "job 0", "completed", 30, 2,
    )  # fmt: skip
    assert BACKEND.get_circuit_job(jobs[1].id).results()[0].counts == {"0": 15, "3": 15}
    assert [job.id for job in listed] == [job.id for job in jobs[::-1]]
    assert {job.id for job in CLIENT.jobs.get_jobs(status="completed")} >= {jobs[0].id}


def check_cancel_and_delete() -> None:
    canceled, deleted = run(SLOW, num_qubits=24), run(BELL)

    assert CLIENT.jobs.cancel_job(canceled.id).status == "canceled"
    assert CLIENT.jobs.get_job(canceled.id).status == "canceled"
    assert CLIENT.jobs.delete_job(deleted.id, force=True).status == "deleted"
    raises(requests.HTTPError, CLIENT.jobs.get_job, deleted.id, saying="404")


def check_sessions() -> None:
    with Session(BACKEND, max_jobs=1, max_time=5) as session:
        run(BELL).results()
        session.cancel()  # asks for jobs of an unknown status; none may be canceled
        assert (session.status(), session.usage() >= 0) == ("started", True)
        raises(requests.HTTPError, run, BELL, saying="400")

    assert Session.from_id(session.session_id, backend=BACKEND).status() == "ended"


def check_errors_are_the_clients_own() -> None:
    stranger = Backend("simulator", Client(KEY[:-1], f"{URL}/{API}"))
    dense = [
        {"gate": "xx", "targets": pair, "rotation": 0.5} for pair in combinations(range(60), 2)
    ]
    wide = run({"circuit": dense}, num_qubits=60)

    raises(errors.NotEnoughQubits, wide.results)
    twelve = Backend("qpu.harmony", CLIENT).run(Circuit([BELL], qubits=12))
    raises(errors.NotEnoughQubits, twelve.results)
    raises(requests.HTTPError, run, {"circuit": [{"gate": "h", "target": 7}]}, saying="400")
    raises(requests.HTTPError, stranger.run, Circuit([BELL]), saying="401")
