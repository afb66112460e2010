"""qiskit-ionq against Qiskit's Statevector: 1.x on v0.4, 0.5 on v0.3."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import library
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_ionq import (
    ErrorMitigation,
    GPI2Gate,
    GPIGate,
    IonQProvider,
    MSGate,
    ZZGate,
    add_equivalences,
)
from qiskit_ionq.exceptions import (
    IonQAPIError,
    IonQGateError,
    IonQJobError,
    IonQJobFailureError,
    IonQJobStateError,
)
from qiskit_ionq.helpers import get_n_qubits
from tests.clients.checks import (
    API,
    DEVICES,
    KEY,
    LEAST_RIGHT,
    METADATA,
    PAIRS,
    SHOTS,
    mostly,
    only,
    raises,
    same,
)

if API == "v0.4":
    from qiskit_ionq import Session

NAMES = ("early", "late")
BACKEND = IonQProvider().get_backend("ionq_simulator")
NATIVE = IonQProvider().get_backend("ionq_simulator", gateset="native")

BELL = QuantumCircuit(2, 2)
BELL.h(0)
BELL.cx(0, 1)
BELL.measure([0, 1], [0, 1])

EITHER = QuantumCircuit(3)  # 001 or 010
EITHER.h(0)
EITHER.cx(0, 1)
EITHER.x(1)
EITHER.measure_all()

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


def noisy(seed: int = 7) -> Any:
    """Return a backend of its own: options of a shared one would reach other checks."""
    backend = IonQProvider().get_backend("ionq_simulator")
    backend.set_options(noise_model="aria-1", sampler_seed=seed)
    if API == "v0.4":
        backend.set_options(memory=True)
    return backend


def device(name: str, gateset: str = "qis", *, seed: int = 7, **options: Any) -> Any:
    """Return a backend whose shots repeat; the client sends seeds to the simulator only."""
    backend = IonQProvider().get_backend(f"ionq_{name}", gateset=gateset)
    backend.set_options(shots=SHOTS, extra_query_params={"noise": {"seed": seed}}, **options)
    return backend


def measured(name: str, *, flipped: bool) -> Any:
    """Two qubits, the first measured into the second bit."""
    circuit = QuantumCircuit(2, 2, name=name)
    if flipped:
        circuit.x(0)
    circuit.measure([0, 1], [1, 0])
    return circuit


BATCH = [BELL, measured("one", flipped=True), measured("none", flipped=False)]
BATCH_PROBABILITIES = [{"00": 0.5, "11": 0.5}, {"10": 1}, {"00": 1}]


def check_bell() -> None:
    result = BACKEND.run(BELL, shots=1000, sampler_seed=7).result(sharpen=True, wait=0.05)

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
            circuit.append(library.PauliEvolutionGate(operator, time=0.3), qubits[:3])
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


def check_many_circuits_in_one_job() -> None:
    job = BACKEND.run(BATCH, shots=100)
    result = job.result(wait=0.05)
    done = job.status(detailed=True)

    assert result.get_probabilities() == BATCH_PROBABILITIES
    assert [sum(counts.values()) for counts in result.get_counts()] == [100] * 3
    assert (done["total"], done["completed"], done["failed"]) == (3, 3, 0)


def check_many_circuits_come_back_by_the_id_of_their_job() -> None:
    job_id = BACKEND.run(BATCH, extra_metadata=METADATA).job_id()
    job = IonQProvider().get_backend("ionq_simulator").retrieve_job(job_id)

    assert job.result(wait=0.05).get_probabilities() == BATCH_PROBABILITIES
    BACKEND.client.delete_job(job_id)
    raises(IonQAPIError, BACKEND.client.retrieve_job, job_id)


def check_many_random_circuits() -> None:
    circuits = [random_circuit(random.Random(seed)) for seed in range(3)]
    for circuit in circuits:
        circuit.measure_all()
    got = BACKEND.run(circuits).result(wait=0.05).get_probabilities()

    for circuit, probabilities in zip(circuits, got, strict=True):
        expected = simulated(circuit.remove_final_measurements(inplace=False))
        drawn = {int(bits, 2): p for bits, p in probabilities.items()}
        same(drawn, {state: expected[state] for state in drawn})


def check_canceling_many_circuits() -> None:
    circuits = [QuantumCircuit(24) for _ in range(2)]
    for i in range(3_000):
        circuits[i % 2].ry(0.1 + i, i % 24)
    job = BACKEND.run(circuits)
    job.cancel()

    assert job.status() == JobStatus.CANCELLED


def check_noise_is_as_strong_as_its_model_says() -> None:
    shots = 200_000
    counts = noisy().run(BELL, shots=shots).result(wait=0.05).get_counts()

    # A depolarized CNOT leaves each of 01 and 10 a quarter of 0.0133; 5 standard deviations.
    wrong = (counts["01"] + counts["10"]) / shots
    assert sum(counts.values()) == shots
    assert abs(wrong - 0.0133 / 2) < 5 * (0.0133 / 2 / shots) ** 0.5


def check_noise_repeats_with_its_seed() -> None:
    def counts(seed: int) -> Any:
        return noisy(seed).run(BELL, shots=2_000).result(wait=0.05).get_counts()

    assert counts(7) == counts(7)
    assert counts(7) != counts(8)


@only("v0.4")
def check_memory_holds_each_shot_in_order() -> None:
    def result(seed: int, circuits: Any) -> Any:
        return noisy(seed).run(circuits, shots=300).result(wait=0.05)

    one, again, other = (result(seed, BELL) for seed in (7, 7, 8))
    memory = one.get_memory()
    assert {key: memory.count(key) for key in set(memory)} == one.get_counts()
    assert memory == again.get_memory() != other.get_memory()
    assert len(set(pairwise(memory))) > 2, "sorted, not in order"
    many = result(7, BATCH)
    for circuit, counts in enumerate(many.get_counts()):
        shots = many.get_memory(circuit)
        assert {key: shots.count(key) for key in set(shots)} == counts


@only("v0.4")
def check_measurement_and_reset_in_mid_circuit() -> None:
    """The register `early` keeps what was measured before the reset."""
    circuit = QuantumCircuit(QuantumRegister(2, "q"), *(ClassicalRegister(2, n) for n in NAMES))
    circuit.x(0)
    circuit.h(1)
    circuit.measure([0, 1], circuit.cregs[0])
    circuit.reset(0)
    circuit.cx(1, 0)
    circuit.measure([0, 1], circuit.cregs[1])
    backends = (noisy(), noisy(), device("qpu.forte-1", memory=True))
    first, again, other = (b.run(circuit, shots=2_000).result(wait=0.05) for b in backends)

    # Registers stand from the last to the first; qubit 1 is the left bit of each.
    for counts in (first.get_counts(), other.get_counts()):
        likely = counts["11 11"] + counts["00 01"]
        assert 0.95 < likely / 2_000 <= 1
        assert 0.45 < counts["11 11"] / likely < 0.55
    assert first.get_memory() == again.get_memory() != other.get_memory()
    ideal = BACKEND.run(circuit)
    raises(IonQJobError, ideal.result, wait=0.05, saying="noise model")


@only("v0.4")
def check_sessions() -> None:
    with Session(BACKEND, max_jobs=2, max_time=10, max_cost=5) as session:
        first = BACKEND.run(BELL)
        assert first.result(wait=0.05).get_probabilities() == {"00": 0.5, "11": 0.5}
        assert BACKEND.client.retrieve_job(first.job_id())["session_id"] == session.session_id
        assert Session.from_id(session.session_id, backend=BACKEND).status() == "started"
        assert session.usage() >= 0
        session.cancel()  # asks for jobs of an unknown status; none may be canceled
        BACKEND.run(BATCH)
        raises(IonQAPIError, BACKEND.run, BELL, saying="2 jobs")

    assert session.details()["settings"]["job_count_limit"] == 2
    assert (session.status(), first.status()) == ("ended", JobStatus.DONE)
    raises(IonQAPIError, session.run, BELL, saying="ended")


@only("v0.4")
def check_a_dry_run_has_no_results() -> None:
    job = BACKEND.run(BELL, dry_run=True)
    job.wait_for_final_state(wait=0.05)

    assert (job.dry_run, job.status()) == (True, JobStatus.DONE)
    assert BACKEND.client.retrieve_job(job.job_id())["results"] is None


@only("v0.4")
def check_estimate() -> None:
    estimate = BACKEND.client.estimate_job(
        backend="ionq_qpu.forte-1", oneq_gates=20, twoq_gates=30, qubits=5, shots=1_000
    )

    assert (estimate.backend, estimate.twoq_gates, estimate.cost_unit) == ("qpu.forte-1", 30, "usd")
    assert min(estimate.cost, estimate.exec_time) > 0 <= estimate.queue_time


def check_characterizations() -> None:
    for name in DEVICES:
        backend = device(name)
        newest = backend.calibration()
        assert backend.status()
        if API == "v0.3":
            assert 0.9 < newest.fidelities["spam"]["mean"] <= 1
            assert newest.num_qubits == backend.configuration().n_qubits
            continue
        assert newest.qubits == backend.num_qubits
        assert 0.9 < newest.median_spam_fidelity <= 1
        assert backend.client.get_calibration_data(name, limit=1) == [newest]
    if API == "v0.4":
        assert BACKEND.client.get_calibration_data("simulator") == []


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        result = device(name).run(EITHER).result(wait=0.05)
        mostly(result.get_counts(), "001", "010")


def check_circuits_transpiled_to_the_gates_of_a_device() -> None:
    add_equivalences()
    # 0.5 has a rule for MS only.
    devices = {"qpu.aria-1": "ms"} | ({"qpu.forte-1": "zz"} if API == "v0.4" else {})
    for name, gate in devices.items():
        backend = device(name, "native")
        native = transpile(EITHER, backend)
        job = backend.run(native)
        mostly(job.result(wait=0.05).get_counts(), "001", "010")
        assert native.count_ops()[gate] == 1


def check_debiasing_and_sharpening() -> None:
    def shares(mitigation: Any) -> list[float]:
        job = device("qpu.harmony").run(EITHER, error_mitigation=mitigation)
        results = [job.result(sharpen=sharpen, wait=0.05) for sharpen in (None, False, True)]
        probabilities = [result.get_probabilities() for result in results]
        return [found["001"] + found["010"] for found in probabilities]

    averaged, unsharpened, voted = shares(ErrorMitigation.DEBIASING)
    assert LEAST_RIGHT < averaged == unsharpened < 0.99 < voted
    assert len(set(shares(ErrorMitigation.NO_DEBIASING))) == 1


def check_many_circuits_on_a_device() -> None:
    bell, one, none = device("qpu.forte-1").run(BATCH).result(wait=0.05).get_counts()

    assert sum(bell.values()) == SHOTS
    assert 0.95 < (bell["00"] + bell["11"]) / SHOTS < 1
    mostly(one, "10")
    mostly(none, "00")


@only("v0.4")
def check_memory_of_a_device_repeats_with_a_seed() -> None:
    def result(seed: int) -> Any:
        return device("qpu.aria-2", seed=seed, memory=True).run(EITHER).result(wait=0.05)

    one, again, other = result(7), result(7), result(8)
    memory = one.get_memory()
    assert {key: memory.count(key) for key in set(memory)} == one.get_counts()
    assert memory == again.get_memory() != other.get_memory()


@only("v0.4")
def check_sessions_on_a_device() -> None:
    backend = device("qpu.forte-1")
    with Session(backend, max_jobs=1) as session:
        job = backend.run(EITHER)
        mostly(job.result(wait=0.05).get_counts(), "001", "010")
        assert backend.client.retrieve_job(job.job_id())["session_id"] == session.session_id
        raises(IonQAPIError, backend.run, EITHER, saying="1 job")

    assert session.status() == "ended"


@only("v0.4")
def check_a_dry_run_shows_the_compiled_circuit() -> None:
    for name, gate in (("qpu.aria-1", "ms"), ("qpu.forte-1", "zz")):
        backend = device(name, error_mitigation=ErrorMitigation.DEBIASING)
        job = backend.run(EITHER, dry_run=True)
        job.wait_for_final_state(wait=0.05)
        sent = backend.client.retrieve_job(job.job_id())
        gates = [operation["gate"] for operation in job.compiled_circuit("native")["circuit"]]

        assert (job.status(), sent["backend"], sent["results"]) == (JobStatus.DONE, name, None)
        assert sent["settings"] == {"error_mitigation": {"debiasing": True}}
        assert gates.count(gate) == 1
        assert set(gates) <= {"gpi", "gpi2", gate}
        raises(IonQJobError, job.result, saying="dry_run")


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
    for a, b in PAIRS:
        wide.cx(a, b)
        wide.rx(0.5, b)

    many = {"shots": "many"}
    raises(IonQAPIError, BACKEND.run, BELL, extra_query_params=many, saying="shots")
    raises(IonQGateError, NATIVE.run, BELL)
    raises(IonQAPIError, stranger.run, BELL)
    raises(IonQJobFailureError, BACKEND.run(wide).result, wait=0.05, saying="60 qubits")
    twelve = QuantumCircuit(12)
    twelve.h(11)
    job = device("qpu.harmony").run(twelve)
    raises(IonQJobFailureError, job.result, wait=0.05, saying="qpu.harmony has 11")
    too_few = {"shots": 100, "error_mitigation": ErrorMitigation.DEBIASING}
    raises(IonQAPIError, device("qpu.aria-1").run, BELL, **too_few, saying="at least 500")


def check_backends_need_no_key() -> None:
    assert get_n_qubits("simulator", fallback=0) >= 20
    assert get_n_qubits("qpu.forte-1", fallback=0) == 36
