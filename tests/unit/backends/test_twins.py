from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from ionbox.assembly import catalog
from ionbox.backends.backend import Backend
from ionbox.backends.characterization import Characterization, Timing
from ionbox.backends.noise import NoiseModel, noisy_circuit, placed
from ionbox.backends.twins import Imperfections, Twin, depolarizing_rate, noise_of
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import unitary

DEVICES = [backend for backend in catalog() if not backend.is_simulator]
every_device = pytest.mark.parametrize("backend", DEVICES, ids=lambda backend: backend.name)

PARAMS = {"gpi": (0.1,), "gpi2": (0.3,), "ms": (0.1, 0.7, 0.25), "zz": (0.25,)}


def newest(backend: Backend) -> Characterization:
    return backend.characterizations[0]


def twin_of(backend: Backend, record: Characterization | None = None) -> Twin:
    made = backend.twin((record or newest(backend)).id)
    assert made is not None
    return made


def alone(model: NoiseModel, qubits: tuple[int, ...]) -> NoiseModel:
    """Return what a model tells of an ion or a pair, as a model of qubits 0 and 1."""
    return replace(placed(model, qubits), idling=None)


def average_fidelity(model: NoiseModel, name: str, qubits: tuple[int, ...]) -> float:
    """Compute the fidelity of a gate from what happens: it turns too far, then there is noise."""
    num_qubits, size = len(qubits), 1 << len(qubits)
    gate = Operation(GATE_BY_NAME["native", name], tuple(range(num_qubits)), (), PARAMS[name])
    ideal = Circuit.from_operations(num_qubits, "native", [gate])
    real, (channel,) = noisy_circuit(alone(model, qubits), ideal)
    overlap = abs(np.trace(unitary(ideal).conj().T @ unitary(real))) ** 2
    turned = (size + overlap) / (size * (size + 1))
    rate = channel.probability * size**2 / (size**2 - 1)
    return float((1 - rate) * turned + rate / size)


@every_device
def test_the_fidelities_of_a_record_come_back(backend: Backend) -> None:
    for record in backend.characterizations:
        twin = replace(twin_of(backend, record), imperfections=Imperfections(coherent=0.4))
        model = noise_of(twin)
        kind = backend.native_gates[-1]

        for ion in range(3):
            one = average_fidelity(model, "gpi2", (ion,))
            assert one == pytest.approx(record.gate_1q.median, abs=1e-9)
            assert average_fidelity(model, "gpi", (ion,)) == pytest.approx(one, abs=1e-12)
        two = average_fidelity(model, kind, (1, 2))
        assert two == pytest.approx(record.gate_2q.median, abs=1e-9)


@every_device
def test_ions_differ_and_their_median_is_that_of_the_record(backend: Backend) -> None:
    record = newest(backend)

    model = noise_of(twin_of(backend))

    single = [average_fidelity(model, "gpi2", (ion,)) for ion in range(backend.num_qubits)]
    double = [average_fidelity(model, backend.native_gates[-1], pair) for pair in model.pairs]
    assert np.median(single) == pytest.approx(record.gate_1q.median, abs=1e-9)
    assert np.median(double) == pytest.approx(record.gate_2q.median, abs=1e-9)
    assert np.ptp(double) > 0.001
    assert min(model.pair_over_rotations.values()) < 0 < max(model.pair_over_rotations.values())


def test_a_twin_is_the_same_at_a_date_and_another_one_at_another() -> None:
    backend = DEVICES[0]
    today, before = backend.characterizations[:2]

    assert noise_of(twin_of(backend, today)) == noise_of(twin_of(backend, today))
    one, other = (noise_of(twin_of(backend, record)) for record in (today, before))
    assert one.pair_over_rotations != other.pair_over_rotations


def test_without_imperfections_a_twin_is_what_the_record_says() -> None:
    twin = replace(twin_of(DEVICES[0]), imperfections=Imperfections())
    record = twin.record

    model = noise_of(twin)

    assert not model.has_over_rotations
    assert not model.qubits
    assert not model.pairs
    assert model.r1q == pytest.approx(2 * (1 - record.gate_1q.median))
    assert model.r2q == pytest.approx(4 / 3 * (1 - record.gate_2q.median))
    assert model.flips.of_zero == pytest.approx(1 - record.spam.median)


def test_nothing_relaxes_where_no_time_is_known() -> None:
    twin = twin_of(DEVICES[0])
    record = twin.record
    known = Timing(record.timing.readout, record.timing.reset)

    object.__setattr__(record, "timing", known)

    assert noise_of(twin).idling is None


@pytest.mark.parametrize("num_qubits", [1, 2])
def test_a_fully_mixing_gate_has_rate_one(num_qubits: int) -> None:
    assert depolarizing_rate(0.5**num_qubits, num_qubits) == pytest.approx(1)
    assert depolarizing_rate(1.0, num_qubits) == 0
