"""qBraid against Qiskit's Statevector, from OpenQASM and from Qiskit circuits."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

from qbraid.programs.gate_model.ionq import GateSet
from qbraid.runtime import DeviceStatus, JobStatus
from qbraid.runtime.exceptions import ResourceNotFoundError
from qbraid.runtime.ionq import IonQJob, IonQProvider
from qbraid.runtime.ionq.job import IonQJobError
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Statevector
from tests.clients.checks import API, DEVICES, KEY, METADATA, SHOTS, URL, mostly, raises, same

BELL = "OPENQASM 3.0; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
EITHER = (  # 001 or 010
    "OPENQASM 3.0; include 'stdgates.inc'; qubit[3] q; h q[0]; cx q[0], q[1]; x q[1]; id q[2];"
)
ONE = "OPENQASM 3.0; include 'stdgates.inc'; qubit[2] q; x q[0];"
NAMES = (
    "id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "cx", "cy", "cz", "ch", "swap",
    "ccx",
)  # fmt: skip
ROTATIONS = ("rx", "ry", "rz", "p", "crz", "cp", "rzz", "rxx")


def provider(key: str = KEY) -> Any:
    found = IonQProvider(key)
    found.session.base_url = f"{URL}/{API}"  # there is no setting for it
    return found


PROVIDER = provider()
DEVICE = PROVIDER.get_device("simulator")


def finished(job: Any) -> Any:
    job.wait_for_final_state(poll_interval=0.05)
    return job.result()


def probabilities(job: Any) -> dict[int, float]:
    found: dict[int, float] = finished(job).data.get_probabilities(decimal=True)
    return found


def random_circuit(rng: random.Random) -> Any:
    """Gates that qBraid can send, in random order, on an uneven state."""
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(rng.uniform(0.3, 1.3), qubit)
    for name in rng.sample(NAMES + ROTATIONS, len(NAMES + ROTATIONS)):
        gate = getattr(circuit, name)
        num_qubits = {"swap": 2, "rzz": 2, "rxx": 2, "ccx": 3}.get(name, 1 + name.startswith("c"))
        params = [rng.uniform(-3, 3)] if name in ROTATIONS else []
        gate(*params, *rng.sample(range(4), num_qubits))
    return circuit


def simulated(circuit: Any) -> dict[int, float]:
    return dict(enumerate(Statevector(circuit).probabilities().tolist()))


def check_bell() -> None:
    result = finished(DEVICE.run(BELL, shots=100))

    assert result.data.get_probabilities() == {"00": 0.5, "11": 0.5}
    assert result.data.get_counts() == {"00": 50, "11": 50}


def check_random_openqasm_of_every_gate() -> None:
    for seed in range(3):
        circuit = random_circuit(random.Random(seed))
        same(probabilities(DEVICE.run(qasm2.dumps(circuit), shots=100)), simulated(circuit))


def check_random_qiskit_circuits_of_every_gate() -> None:
    for seed in range(3):
        circuit = random_circuit(random.Random(seed))
        same(probabilities(DEVICE.run(circuit, shots=100)), simulated(circuit))


def check_many_circuits_in_one_job() -> None:
    job = DEVICE.run([BELL, ONE], shots=100, name="two", metadata=METADATA)

    assert finished(job).data.get_counts() == [{"00": 50, "11": 50}, {"01": 100}]
    assert (job.metadata()["name"], job.metadata()["metadata"]) == ("two", METADATA)


def check_a_job_comes_back_by_its_id() -> None:
    """It reads the number of shots from the job."""
    job_id = DEVICE.run(ONE, shots=40).id

    assert finished(IonQJob(job_id, PROVIDER.session)).data.get_counts() == {"01": 40}


def check_noise_repeats_with_its_seed() -> None:
    def found(seed: int) -> dict[int, float]:
        noise = {"model": "aria-1", "seed": seed}
        return probabilities(DEVICE.run(BELL, shots=2_000, noise=noise))

    one, again, other = found(7), found(7), found(8)
    assert one == again != other
    assert 0 < one[1] + one[2] < 0.03


def check_cost_and_dry_run() -> None:
    device = PROVIDER.get_device("qpu.forte-1")
    options = {"shots": 1_000, "error_mitigation": {"debiasing": False}}
    done, dry, paid = (
        DEVICE.run(BELL, shots=100),
        device.run(BELL, dry_run=True, **options),
        device.run(BELL, **options),
    )
    for job in (done, dry, paid):
        job.wait_for_final_state(poll_interval=0.05)

    assert done.cost()["cost"] == {"value": 0, "unit": "usd"}
    assert dry.cost()["dry_run"] is True
    assert dry.cost()["estimated_cost"] == paid.cost()["cost"]
    assert paid.cost()["cost"]["value"] > 0


def check_every_device_runs_circuits() -> None:
    for name in DEVICES:
        job = PROVIDER.get_device(name).run(EITHER, shots=SHOTS, noise={"seed": 7})
        mostly(finished(job).data.get_counts(), "001", "010")


def check_circuits_of_the_gates_of_a_device() -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.x(1)
    circuit.rz(0.5, 2)
    for name in ("qpu.aria-1", "qpu.forte-1"):
        options = {"shots": SHOTS, "noise": {"seed": 7}, "gateset": GateSet.NATIVE}
        job = PROVIDER.get_device(name).run(circuit, **options)
        found = finished(job)
        mostly(found.data.get_counts(), "001", "010")
        assert found.details["output"]["error_mitigation"]["debiasing"] is False


def check_many_circuits_on_a_device_repeat_with_a_seed() -> None:
    device = PROVIDER.get_device("qpu.aria-2")

    def found(seed: int) -> Any:
        return finished(device.run([EITHER, EITHER], shots=SHOTS, noise={"seed": seed}))

    one, again, other = (found(seed).data.get_counts() for seed in (7, 7, 8))
    for counts in one:
        mostly(counts, "001", "010")
    assert one == again != other


def check_cancel() -> None:
    gates = [{"gate": "ry", "target": i % 24, "rotation": 0.1 + i} for i in range(3_000)]
    job = DEVICE.submit({"gateset": "qis", "qubits": 24, "circuit": gates}, shots=100)
    job.cancel()

    assert job.status() == JobStatus.CANCELLED


def check_devices_and_their_statuses() -> None:
    devices = PROVIDER.get_devices()
    forte = PROVIDER.get_device("qpu.forte-1")

    assert {"simulator", *DEVICES} <= {device.id for device in devices}
    assert all(device.status() in DeviceStatus for device in devices)
    assert (DEVICE.status(), DEVICE.avg_queue_time()) == (DeviceStatus.ONLINE, 0)
    assert forte.profile.characterization["backend"] == "qpu.forte-1"
    assert "aria-1" in DEVICE.profile.noise_models


def check_errors_are_the_clients_own() -> None:
    dense = [
        {"gate": "xx", "targets": pair, "rotation": 0.5} for pair in combinations(range(60), 2)
    ]
    wide = {"gateset": "qis", "qubits": 60, "circuit": dense}
    outside = wide | {"qubits": 2, "circuit": [{"gate": "h", "target": 7}]}
    stranger = provider(KEY[:-1]).get_device("simulator")

    raises(IonQJobError, finished, DEVICE.submit(wide, shots=10), saying="60 qubits")
    twelve = PROVIDER.get_device("qpu.harmony").submit(outside | {"qubits": 12}, shots=10)
    raises(IonQJobError, finished, twelve, saying="qpu.harmony has 11")
    raises(Exception, DEVICE.submit, outside, shots=10, saying="circuit[0].target")
    raises(Exception, stranger.run, BELL, shots=10, saying="invalid key")
    raises(ResourceNotFoundError, PROVIDER.get_device, "qpu.nowhere")
