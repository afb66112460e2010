"""cirq-ionq against cirq.Simulator: 1.7 on v0.4, 1.6 on v0.3."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cirq
import cirq_ionq
from tests.clients.checks import API, KEY, METADATA, raises, same

SERVICE = cirq_ionq.Service(default_target="simulator", api_version=API)
QUBITS = cirq.LineQubit.range(5)
BELL = cirq.Circuit(cirq.H(QUBITS[0]), cirq.CNOT(*QUBITS[:2]), cirq.measure(*QUBITS[:2], key="m"))


def probabilities(job: Any) -> dict[int, float]:
    result = job.results(polling_seconds=0.05)
    (result,) = result if isinstance(result, list) else [result]  # 1.6 always gives a list
    return dict(result.probabilities())


def served(operations: list[Any]) -> dict[int, float]:
    return probabilities(SERVICE.create_job(cirq.Circuit(operations, cirq.measure(*QUBITS))))


def simulated(operations: list[Any]) -> dict[int, float]:
    """In double precision; the first qubit is the highest bit, as in the client's results."""
    done = cirq.Simulator(dtype=complex).simulate(cirq.Circuit(operations), qubit_order=QUBITS)
    return dict(enumerate((abs(done.final_state_vector) ** 2).tolist()))


def check_bell() -> None:
    result = SERVICE.run(BELL, repetitions=100, seed=7)

    assert set(result.measurements["m"].sum(axis=1)) == {0, 2}
    assert result.repetitions == 100


def check_ghz() -> None:
    ladder = [cirq.CNOT(*pair) for pair in pairwise(QUBITS)]

    assert served([cirq.H(QUBITS[0]), *ladder]) == {0: 0.5, 31: 0.5}


def check_sampler() -> None:
    circuit = cirq.Circuit(cirq.X(QUBITS[1]), cirq.measure(*QUBITS[:2], key="m"))

    assert SERVICE.sampler(seed=7).run(circuit, repetitions=10).histogram(key="m") == {1: 10}


def check_random_circuits_of_every_gate() -> None:
    for seed in range(3):
        operations = random_operations(random.Random(seed))
        same(served(operations), simulated(operations))


def random_operations(rng: random.Random) -> list[Any]:
    """Every gate that the client can send, in random order, on an uneven state."""
    gates = [cirq.X, cirq.X**0.5, cirq.X**-0.5, cirq.Y, cirq.Z, cirq.S, cirq.S**-1, cirq.T]
    gates += [cirq.T**-1, cirq.H, cirq.CNOT, cirq.SWAP, cirq.ms(rng.uniform(-1, 1))]
    powers = (cirq.X, cirq.Y, cirq.Z, cirq.XX, cirq.YY, cirq.ZZ)
    gates += [gate ** rng.uniform(-1, 1) for gate in powers]
    gates += [rotation(rng.uniform(-3, 3)) for rotation in (cirq.rx, cirq.ry, cirq.rz)]
    operations = [gate(*rng.sample(QUBITS, cirq.num_qubits(gate))) for gate in gates]
    for _ in range(3):
        paulis = {qubit: rng.choice("XYZ") for qubit in rng.sample(QUBITS, 3)}
        operations.append(
            cirq.PauliStringPhasor(cirq.PauliString(paulis), exponent_neg=rng.random())
        )
    rng.shuffle(operations)
    return [cirq.ry(rng.uniform(0.3, 1.3))(qubit) for qubit in QUBITS] + operations


def check_native_gates() -> None:
    rng = random.Random(4)
    operations: list[Any] = []
    for _ in range(8):
        a, b, c = (rng.uniform(-1, 1) for _ in range(3))
        one, two, three, four, five = rng.sample(QUBITS, 5)
        operations += [cirq_ionq.GPI2Gate(phi=a)(one), cirq_ionq.GPI2Gate(phi=c)(five)]
        operations += [cirq_ionq.MSGate(phi0=a, phi1=b, theta=abs(c) / 4)(one, two)]
        operations += [cirq_ionq.GPIGate(phi=c)(two), cirq_ionq.ZZGate(theta=b)(three, four)]
        operations += [cirq_ionq.GPI2Gate(phi=b)(three)]

    same(served(operations), simulated(operations))


def check_a_job_comes_back_as_it_was_sent() -> None:
    job = SERVICE.get_job(SERVICE.create_job(BELL, repetitions=250, name="bell").job_id())

    assert (job.name(), job.repetitions(), job.num_qubits()) == ("bell", 250, 2)
    assert job.measurement_dict() == {"m": [0, 1]}
    assert probabilities(job) == {0: 0.5, 3: 0.5}


def check_metadata_byte_for_byte() -> None:
    program = cirq_ionq.Serializer().serialize_single_circuit(BELL)
    program.metadata.update(METADATA)
    job_id = SERVICE._client.create_job(program, repetitions=1)["id"]

    metadata = SERVICE._client.get_job(job_id)["metadata"]
    assert {key: metadata[key] for key in METADATA} == METADATA


def check_list_ends() -> None:
    """cirq-ionq follows `next` for as long as there is one, null or not."""
    job_ids = [SERVICE.create_job(BELL).job_id() for _ in range(3)]
    listed = [job.job_id() for job in SERVICE.list_jobs(limit=1_000, batch_size=2)]

    assert listed[:3] == job_ids[::-1]
    assert len(listed) == len(set(listed))
    assert list(SERVICE.list_jobs(status="queued", limit=10)) == []


def check_cancel() -> None:
    qubits = cirq.LineQubit.range(24)
    layers = [cirq.ry(0.1 + i)(qubits[i % 24]) for i in range(3_000)]
    job = SERVICE.create_job(cirq.Circuit(layers, cirq.measure(*qubits)))
    job.cancel()

    assert SERVICE.get_job(job.job_id()).status() == "canceled"


def check_delete() -> None:
    job = SERVICE.create_job(BELL)
    job.delete()

    raises(cirq_ionq.IonQNotFoundException, SERVICE.get_job, job.job_id())


def check_errors_are_the_clients_own() -> None:
    stranger = cirq_ionq.Service(api_key=KEY[:-1], default_target="simulator", api_version=API)
    mixed = cirq.Circuit(cirq.H(QUBITS[0]), cirq_ionq.GPIGate(phi=0.1)(QUBITS[1]))
    wide = SERVICE.create_job(cirq.Circuit(cirq.H.on_each(*cirq.LineQubit.range(60))))

    raises(cirq_ionq.IonQException, SERVICE.create_job, mixed, saying="circuit[1].gate")
    raises(RuntimeError, probabilities, wide, saying="60 qubits")
    raises(cirq_ionq.IonQException, stranger.create_job, BELL)
