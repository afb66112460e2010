"""cirq-ionq against cirq.Simulator: 1.7 on v0.4, 1.6 on v0.3."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cirq
import cirq_ionq
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

SERVICE = cirq_ionq.Service(default_target="simulator", api_version=API)
QUBITS = cirq.LineQubit.range(5)
BELL = cirq.Circuit(cirq.H(QUBITS[0]), cirq.CNOT(*QUBITS[:2]), cirq.measure(*QUBITS[:2], key="m"))

EITHER = cirq.Circuit(  # 010 or 100, the first qubit at the left
    cirq.H(QUBITS[0]), cirq.CNOT(*QUBITS[:2]), cirq.X(QUBITS[1]), cirq.measure(*QUBITS[:3], key="m")
)


def probabilities(job: Any) -> dict[int, float]:
    (found,) = all_probabilities(job)
    return found


def all_probabilities(job: Any) -> list[dict[int, float]]:
    results = job.results(polling_seconds=0.05)
    # 1.6 gives a list of one where 1.7 gives the one.
    return [dict(r.probabilities()) for r in (results if isinstance(results, list) else [results])]


def asked(noise: dict[str, Any]) -> dict[str, Any]:
    """Return what asks for noise; 1.6 has no word for it."""
    return {"noise": noise} if API == "v0.4" else {"extra_query_params": {"noise": noise}}


def noisy(seed: int) -> dict[str, Any]:
    return asked({"model": "aria-1", "seed": seed})


def on_device(circuit: cirq.Circuit, name: str, *, seed: int = 7, **options: Any) -> Any:
    options |= asked({"seed": seed})
    return SERVICE.create_job(circuit, repetitions=SHOTS, target=name, **options)


def counts(job: Any, **options: Any) -> dict[int, int]:
    results = job.results(polling_seconds=0.05, **options)
    (result,) = results if isinstance(results, list) else [results]
    return dict(result.counts("m"))


BATCH = [
    BELL,
    cirq.Circuit(cirq.X(QUBITS[1]), cirq.Z(QUBITS[2]), cirq.measure(QUBITS[1], key="a")),
    cirq.Circuit(cirq.X(QUBITS[0]), cirq.measure(QUBITS[0], key="b")),
]
BATCH_PROBABILITIES = [{0: 0.5, 3: 0.5}, {2: 1}, {1: 1}]


def slow() -> cirq.Circuit:
    qubits = cirq.LineQubit.range(24)
    layers = [cirq.ry(0.1 + i)(qubits[i % 24]) for i in range(3_000)]
    return cirq.Circuit(layers, cirq.measure(*qubits))


def served(operations: list[Any]) -> dict[int, float]:
    return probabilities(SERVICE.create_job(cirq.Circuit(operations, cirq.measure(*QUBITS))))


def simulated(operations: list[Any]) -> dict[int, float]:
    """In double precision; the first qubit is the highest bit, as in the client's results."""
    done = cirq.Simulator(dtype=complex).simulate(cirq.Circuit(operations), qubit_order=QUBITS)
    return dict(enumerate((abs(done.final_state_vector) ** 2).tolist()))


def check_bell() -> None:
    result = SERVICE.run(BELL, repetitions=100, seed=7, sharpen=True)

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


def check_many_circuits_in_one_job() -> None:
    job = SERVICE.create_batch_job(BATCH, repetitions=100, name="three")
    results = SERVICE.run_batch(BATCH, repetitions=100, seed=7, sharpen=True)

    assert all_probabilities(job) == BATCH_PROBABILITIES
    assert [job.num_qubits(i) for i in range(3)] == [2, 3, 1]
    assert [job.measurement_dict(i) for i in range(3)] == [{"m": [0, 1]}, {"a": [1]}, {"b": [0]}]
    assert set(results[0].measurements["m"].sum(axis=1)) == {0, 2}
    assert [results[i].histogram(key=key) for i, key in ((1, "a"), (2, "b"))] == [{1: 100}] * 2


def check_many_circuits_come_back_to_another_service() -> None:
    """A new service does not know that the job has many circuits, and asks the plain path."""
    job_id = SERVICE.create_batch_job(BATCH).job_id()
    other = cirq_ionq.Service(default_target="simulator", api_version=API)

    assert all_probabilities(other.get_job(job_id)) == BATCH_PROBABILITIES


def check_many_random_circuits() -> None:
    batch = [random_operations(random.Random(seed)) for seed in range(3)]
    circuits = [cirq.Circuit(operations, cirq.measure(*QUBITS)) for operations in batch]
    found = all_probabilities(SERVICE.create_batch_job(circuits))

    for got, operations in zip(found, batch, strict=True):
        same(got, simulated(operations))


def check_many_circuits_can_be_canceled_and_deleted() -> None:
    canceled, deleted = SERVICE.create_batch_job([slow(), slow()]), SERVICE.create_batch_job(BATCH)
    canceled.cancel()
    deleted.delete()

    assert SERVICE.get_job(canceled.job_id()).status() == "canceled"
    raises(cirq_ionq.IonQNotFoundException, SERVICE.get_job, deleted.job_id())


def check_noise_repeats_with_its_seed() -> None:
    one, again, other = (
        probabilities(SERVICE.create_job(BELL, repetitions=2_000, **noisy(seed)))
        for seed in (7, 7, 8)
    )

    assert one == again != other
    assert 0 < one[1] + one[2] < 0.03, "neither ideal nor broken"
    assert abs(sum(one.values()) - 1) < 1e-9


@only("v0.4")
def check_a_dry_run_has_no_results() -> None:
    job = SERVICE.create_job(BELL, dry_run=True)

    assert SERVICE._client.get_job(job.job_id())["dry_run"] is True
    raises(cirq_ionq.IonQException, job.results, polling_seconds=0.05)


@only("v0.4")
def check_a_device_takes_dry_runs() -> None:
    settings = {"compilation": {"opt": 1}, "error_mitigation": {"debiasing": False}}
    job = SERVICE.create_job(BELL, target="qpu.forte-1", dry_run=True, **settings)

    assert (job.target(), job._job["dry_run"]) == ("qpu.forte-1", True)
    raises(cirq_ionq.IonQException, job.results, polling_seconds=0.05)


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        mostly(counts(on_device(EITHER, name)), 0b010, 0b100)


def check_circuits_of_the_gates_of_a_device() -> None:
    gatesets = {
        "qpu.aria-1": cirq_ionq.AriaNativeGateset(),
        "qpu.forte-1": cirq_ionq.ForteNativeGateset(),
    }
    for name, gateset in gatesets.items():
        native = cirq.optimize_for_target_gateset(EITHER, gateset=gateset)
        mostly(counts(on_device(native, name)), 0b010, 0b100)


def check_a_sampler_and_a_run_on_a_device() -> None:
    sampled = SERVICE.sampler(target="qpu.aria-1").run(EITHER, repetitions=SHOTS)
    voted = SERVICE.run(EITHER, repetitions=SHOTS, target="qpu.harmony", sharpen=True)

    mostly(sampled.histogram(key="m"), 0b010, 0b100)
    assert voted.repetitions == SHOTS
    assert set(voted.histogram(key="m")) == {0b010, 0b100}


def check_debiasing_and_sharpening() -> None:
    word = "debiasing" if API == "v0.4" else "debias"

    def shares(*, is_debiased: bool) -> list[float]:
        job = on_device(EITHER, "qpu.harmony", error_mitigation={word: is_debiased})
        found = [counts(job, sharpen=sharpen) for sharpen in (None, False, True)]
        return [(states[0b010] + states[0b100]) / SHOTS for states in found]

    averaged, unsharpened, voted = shares(is_debiased=True)
    assert LEAST_RIGHT < averaged == unsharpened < 0.99 < voted
    assert len(set(shares(is_debiased=False))) == 1


def check_many_circuits_on_a_device() -> None:
    # Of equal width: what is read of a qubit that only others have, the client counts as another.
    middle = cirq.Circuit(cirq.X(QUBITS[1]), cirq.measure(*QUBITS[:3], key="m"))
    options = {"repetitions": SHOTS, "target": "qpu.forte-1", **asked({"seed": 7})}
    job = SERVICE.create_batch_job([EITHER, middle], **options)
    either, one = job.results(polling_seconds=0.05)

    mostly(either.counts("m"), 0b010, 0b100)
    mostly(one.counts("m"), 0b010)


def check_a_device_repeats_with_a_seed() -> None:
    one, again, other = (counts(on_device(EITHER, "qpu.aria-2", seed=seed)) for seed in (7, 7, 8))

    assert one == again != other


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
    job = SERVICE.create_job(slow())
    job.cancel()

    assert SERVICE.get_job(job.job_id()).status() == "canceled"


def check_delete() -> None:
    job = SERVICE.create_job(BELL)
    job.delete()

    raises(cirq_ionq.IonQNotFoundException, SERVICE.get_job, job.job_id())


def check_errors_are_the_clients_own() -> None:
    stranger = cirq_ionq.Service(api_key=KEY[:-1], default_target="simulator", api_version=API)
    mixed = cirq.Circuit(cirq.H(QUBITS[0]), cirq_ionq.GPIGate(phi=0.1)(QUBITS[1]))
    line = cirq.LineQubit.range(60)
    turned = [(cirq.XX**0.3)(line[a], line[b]) for a, b in PAIRS]
    wide = SERVICE.create_job(cirq.Circuit(turned, cirq.H(line[-1])))

    raises(cirq_ionq.IonQException, SERVICE.create_job, mixed, saying="circuit[1].gate")
    raises(RuntimeError, probabilities, wide, saying="60 qubits")
    raises(cirq_ionq.IonQException, stranger.create_job, BELL)
    twelve = on_device(cirq.Circuit(cirq.H.on_each(cirq.LineQubit.range(12))), "qpu.harmony")
    raises(RuntimeError, twelve.results, polling_seconds=0.05, saying="qpu.harmony has 11")
    # No device has only this name.
    raises(cirq_ionq.IonQException, SERVICE.create_job, BELL, target="qpu", saying="qpu.aria-1")
    # It still asks for what neither version has: an answer to be tried again would take an hour.
    raises(cirq_ionq.IonQNotFoundException, SERVICE.get_current_calibration)
