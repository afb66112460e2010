from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.builders import KERNELS, listed, qis
from tests.unit.engines.kraus import circuit_of, density_matrix, mixing

from ionbox._kernel import Kernel, kernel
from ionbox.backends.idling import Idling
from ionbox.backends.noise import (
    NOISE_MODELS,
    Channel,
    Flips,
    NoiseModel,
    NoisyCircuit,
    noisy_circuit,
)
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME, GATES, Gate
from ionbox.circuits.program import OUTPUT_ALL, Program, program_of
from ionbox.engines.density_matrix import DensityMatrixEngine
from ionbox.engines.engine import Estimate, Workload
from ionbox.engines.kernel import packed_by
from ionbox.formats.results import Exact, Sampled, Shots

LOUD = NoiseModel("loud", 25, 0.06, 0.15, "this test")
EXACT = 1e-12

every_way = pytest.mark.parametrize(
    "extension", KERNELS, ids=lambda extension: "kernel" if extension else "numpy"
)
needs_kernel = pytest.mark.skipif(kernel is None, reason="the kernel was not built")


def native(name: str, targets: Sequence[int], *params: float) -> Operation:
    return Operation(GATE_BY_NAME["native", name], tuple(targets), (), params)


def pauliexp(
    terms: Sequence[str], targets: Sequence[int], controls: Sequence[int] = ()
) -> Operation:
    params = (*np.linspace(0.2, 0.9, len(terms)).tolist(), 1.3)
    row = GATE_BY_NAME["qis", "pauliexp"]
    return Operation(row, tuple(targets), tuple(controls), params, tuple(terms))


def native_mixing(num_qubits: int, seed: int = 3) -> list[Operation]:
    phases = iter(np.random.default_rng(seed).uniform(0, 1, 4 * num_qubits).tolist())
    turns = [native("gpi2", (qubit,), next(phases)) for qubit in range(num_qubits)]
    entangling = [
        native("ms", (qubit, qubit + 1), next(phases), next(phases), 0.15)
        for qubit in range(num_qubits - 1)
    ]
    return [*turns, *entangling]


def random_circuit(num_qubits: int, num_operations: int, seed: int) -> Circuit:
    """Gates of every kind, with up to all other qubits as controls."""
    rng = np.random.default_rng(seed)
    rows = [row for row in GATES if row.gateset == "qis" and (row.num_targets or 0) <= num_qubits]
    rows = [row for row in rows if (row.num_targets or 1) + row.min_controls <= num_qubits]
    picked = rng.integers(len(rows), size=num_operations)
    operations = [random_operation(rows[row], num_qubits, rng) for row in picked]
    return circuit_of(num_qubits, operations)


def random_operation(row: Gate, num_qubits: int, rng: np.random.Generator) -> Operation:
    num_targets = row.num_targets or int(rng.integers(1, num_qubits + 1))
    most = num_qubits - num_targets if row.controllable else 0
    num_controls = max(int(rng.integers(most + 1)), row.min_controls)
    qubits = rng.permutation(num_qubits)[: num_targets + num_controls].tolist()
    if row.num_targets is None:
        term = "".join(rng.choice(list("IXYZ"), num_targets))
        return pauliexp([term], qubits[:num_targets], qubits[num_targets:])
    params = tuple(rng.normal(size=sum(param.size or 0 for param in row.params)).tolist())
    return Operation(row, tuple(qubits[:num_targets]), tuple(qubits[num_targets:]), params)


def diagonal(noisy: NoisyCircuit) -> NDArray[np.float64]:
    return np.diag(density_matrix(noisy)).real


def probabilities(
    program: Program, noise: NoiseModel, extension: Kernel | None = kernel
) -> dict[str, dict[int, float]]:
    """Return what the engine lists, of each register."""
    engine = DensityMatrixEngine(extension)
    workload = Workload(program, shots=1, seed=7, noise=noise, lists_noise=True)
    estimate = engine.assess(workload)
    assert isinstance(estimate, Estimate)
    assert estimate.is_exact
    result = engine.run(workload).result
    assert isinstance(result, Exact)
    return {name: listed(register) for name, register in result.registers.items()}


def sampled(workload: Workload, extension: Kernel | None = kernel) -> dict[str, Shots]:
    engine = DensityMatrixEngine(extension)
    estimate = engine.assess(workload)
    assert isinstance(estimate, Estimate)
    assert not estimate.is_exact
    result = engine.run(workload).result
    assert isinstance(result, Sampled)
    return dict(result.registers)


def states(shots: Shots) -> NDArray[np.int64]:
    bits = np.unpackbits(shots.rows, axis=1, bitorder="little")[:, : shots.num_bits]
    return bits @ (1 << np.arange(shots.num_bits))


# ---- against the definition ----


@every_way
@pytest.mark.parametrize(
    ("row", "num_controls"),
    [
        (row, num_controls)
        for row in GATES
        for num_controls in range(row.min_controls, 5 - (row.num_targets or 2))
        if row.controllable or not num_controls
    ],
    ids=lambda value: f"{value.gateset}-{value.name}" if isinstance(value, Gate) else value,
)
def test_every_gate_and_its_channel_are_those_of_the_definition(
    row: Gate, num_controls: int, extension: Kernel | None
) -> None:
    num_targets = row.num_targets or 2
    qubits = [3, 0, 2, 1][: num_targets + num_controls]
    if row.num_targets is None:
        gate = pauliexp(["XY", "ZI", "IX"], qubits[:2], qubits[2:])
    else:
        params = (0.23, -0.41, 0.17)[: sum(param.size or 0 for param in row.params)]
        gate = Operation(row, tuple(qubits[:num_targets]), tuple(qubits[num_targets:]), params)
    around = mixing if row.gateset == "qis" else native_mixing
    noisy = noisy_circuit(LOUD, circuit_of(4, [*around(4), gate, *around(4, seed=4)]))

    found = DensityMatrixEngine(extension).probabilities(noisy)

    assert np.abs(found - diagonal(noisy)).max() < EXACT


@every_way
@pytest.mark.parametrize("num_qubits", [1, 2, 3, 4, 5])
def test_circuits_of_all_gates_are_those_of_the_definition(
    num_qubits: int, extension: Kernel | None
) -> None:
    idling = Idling(t1=1.0, t2=0.7, gate_1q=0.01, gate_2q=0.04)
    noise = replace(LOUD, r1q=0.003, r2q=0.01, idling=idling)
    for seed in range(3):
        noisy = noisy_circuit(noise, random_circuit(num_qubits, 20, seed))

        found = DensityMatrixEngine(extension).probabilities(noisy)

        assert np.abs(found - diagonal(noisy)).max() < EXACT


@every_way
@pytest.mark.parametrize(
    "channel",
    [
        Channel(9, (1,), 0.3),
        Channel(9, (2, 0), 0.3),
        Channel(9, (0, 3, 1), 0.3),
        Channel(9, (3, 1, 2, 0), 0.3),
        Channel(9, (1,), 0.3, (0.5, 0.2, 0.3)),
        Channel(9, (3,), 0.8, (0.0, 0.0, 1.0)),
        Channel(9, (3,), 1.0, (0.0, 1.0, 0.0)),
        Channel(0, (2,), 0.4, (0.6, 0.1, 0.3)),
        Channel(0, (0, 1), 0.4),
    ],
    ids=str,
)
def test_a_channel_is_that_of_the_definition(channel: Channel, extension: Kernel | None) -> None:
    operations = [*mixing(4), *mixing(4, seed=4)]
    noisy = NoisyCircuit(circuit_of(4, operations), [channel])

    found = DensityMatrixEngine(extension).probabilities(noisy)

    expected = diagonal(noisy)
    assert np.abs(found - expected).max() < EXACT
    silent = diagonal(NoisyCircuit(noisy.circuit, []))
    assert channel.after == 0 or np.abs(silent - expected).max() > 1e-3


@every_way
def test_channels_stay_between_their_operations(extension: Kernel | None) -> None:
    """Where nothing can be merged: channels after others, of other widths and on other qubits."""
    rng = np.random.default_rng(5)
    operations = [*mixing(4), *mixing(4, seed=4), *mixing(4, seed=6)]
    around = []
    for after in np.sort(rng.integers(0, len(operations) + 1, 40)).tolist():
        qubits = tuple(rng.permutation(4)[: rng.integers(1, 5)].tolist())
        shares = tuple(rng.dirichlet([1, 1, 1]).tolist()) if len(qubits) == 1 else None
        around.append(Channel(after, qubits, 0.02, shares))
    noisy = NoisyCircuit(circuit_of(4, operations), around)

    found = DensityMatrixEngine(extension).probabilities(noisy)

    assert np.abs(found - diagonal(noisy)).max() < EXACT


@every_way
def test_gates_that_turn_too_far_are_run_as_they_are_in_truth(extension: Kernel | None) -> None:
    noise = replace(LOUD, over_rotations={0: 0.1, 2: -0.2}, pair_over_rotations={(0, 1): 0.15})
    circuit = circuit_of(
        3,
        [
            native("gpi2", (0,), 0.1),
            native("gpi", (2,), 0.3),
            native("ms", (1, 0), 0.1, 0.4, 0.2),
            native("zz", (0, 1), -0.2),
            native("gpi2", (0,), -0.4),
            native("gpi2", (2,), 0.7),
        ],
    )
    expected = diagonal(noisy_circuit(noise, circuit))

    found = probabilities(program_of(circuit), noise, extension)[OUTPUT_ALL]

    assert max(abs(found[state] - expected[state]) for state in range(8)) < EXACT
    plain = probabilities(program_of(circuit), LOUD, extension)[OUTPUT_ALL]
    assert max(abs(found[state] - plain[state]) for state in range(8)) > 1e-3


# ---- the two ways, and their sizes ----


@needs_kernel
@pytest.mark.parametrize("num_qubits", [7, 8, 9])
def test_tiles_of_words_give_what_numpy_gives(num_qubits: int) -> None:
    noise = replace(LOUD, r1q=0.0005, r2q=0.002)
    noisy = noisy_circuit(noise, random_circuit(num_qubits, 30, seed=num_qubits))

    found = DensityMatrixEngine(kernel).probabilities(noisy)

    expected = DensityMatrixEngine(None).probabilities(noisy)
    assert np.abs(found - expected).max() < EXACT


@needs_kernel
@pytest.mark.parametrize("variant", [] if kernel is None else kernel.variants())
def test_every_instruction_set_gives_the_same_for_any_number_of_threads(variant: str) -> None:
    noisy = noisy_circuit(LOUD, random_circuit(9, 40, seed=1))
    engine = DensityMatrixEngine(kernel, variant)

    alone = engine.probabilities(noisy)

    for threads in (2, 3):
        assert np.array_equal(alone, engine.probabilities(noisy, threads))
    portable = DensityMatrixEngine(kernel, "portable").probabilities(noisy)
    assert np.abs(alone - portable).max() < EXACT


@needs_kernel
def test_what_the_kernel_does_not_know_is_left_to_numpy() -> None:
    gate = pauliexp(["XYZ", "ZIX"], (0, 2, 1))
    noisy = noisy_circuit(LOUD, circuit_of(3, [*mixing(3), gate, *mixing(3, seed=4)]))

    found = DensityMatrixEngine(kernel).probabilities(noisy)

    assert np.abs(found - diagonal(noisy)).max() < EXACT


@needs_kernel
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"after": [0, 1]}, "one slice"),
        ({"factors": [1.0]}, "three factors"),
        ({"qubits": [3]}, "beyond the state"),
        ({"qubits": [-1]}, "beyond the state"),
        ({"qubits": [0, 0], "starts": [0, 2]}, "twice"),
        ({"qubits": [], "starts": [0, 0]}, "one qubit at least"),
    ],
)
def test_channels_that_do_not_fit_are_refused(
    changes: dict[str, list[float]], message: str
) -> None:
    assert kernel is not None
    values = {"after": [1], "qubits": [0], "starts": [0, 1], "factors": [0.9] * 3, **changes}
    after, qubits, starts = (np.array(values[name], np.int32) for name in list(values)[:3])
    packed = packed_by(kernel, circuit_of(2, mixing(2)))

    with pytest.raises(ValueError, match=message):
        kernel.mix(packed, after, qubits, starts, np.array(values["factors"]))


# ---- what is published ----


@every_way
@pytest.mark.parametrize("model", NOISE_MODELS.values(), ids=NOISE_MODELS)
def test_a_bell_pair_and_a_flip_err_as_the_rates_say(
    model: NoiseModel, extension: Kernel | None
) -> None:
    bell = circuit_of(2, [qis("h", (0,)), qis("cnot", (1,), controls=(0,))])
    flip = circuit_of(1, [qis("x", (0,))])

    pair = probabilities(program_of(bell), model, extension)[OUTPUT_ALL]
    flipped = probabilities(program_of(flip), model, extension)[OUTPUT_ALL]

    assert pair[1] == pytest.approx(model.r2q / 4, abs=EXACT)
    assert pair[2] == pytest.approx(model.r2q / 4, abs=EXACT)
    assert pair[0] == pytest.approx(0.5 - model.r2q / 4, abs=EXACT)
    assert pair[3] == pytest.approx(0.5 - model.r2q / 4, abs=EXACT)
    assert flipped[0] == pytest.approx(model.r1q / 2, abs=EXACT)


@pytest.mark.parametrize(
    ("name", "flipped"),
    [("aria-1", 0.003325), ("aria-2", 0.00464), ("forte-1", 0.00123733)],
)
def test_a_noisy_bell_pair_has_the_published_probabilities(name: str, flipped: float) -> None:
    bell = circuit_of(2, [qis("h", (0,)), qis("cnot", (1,), controls=(0,))])

    found = probabilities(program_of(bell), NOISE_MODELS[name])[OUTPUT_ALL]

    assert found[1] == pytest.approx(flipped, abs=5e-9)  # as it is printed
    assert found[2] == pytest.approx(flipped, abs=5e-9)


def test_what_cannot_be_is_not_listed() -> None:
    silent = NoiseModel("silent", 25, 0.0, 0.0, "this test")
    ghz = [qis("h", (0,)), *(qis("cnot", (qubit + 1,), controls=(qubit,)) for qubit in range(4))]

    found = probabilities(program_of(circuit_of(5, ghz)), silent)[OUTPUT_ALL]

    assert found == {0: 0.5, 31: 0.5}


# ---- read-out ----

READ_WRONGLY = replace(
    LOUD, flips=Flips(of_zero=0.02, of_one=0.07), qubit_flips={1: Flips(of_zero=0.2, of_one=0.1)}
)


def read_out(weights: NDArray[np.float64], noise: NoiseModel) -> NDArray[np.float64]:
    """Each qubit's 2 x 2 matrix, all multiplied out."""
    whole = np.eye(1)
    for qubit in range(weights.size.bit_length() - 1):
        flips = noise.readout(qubit)
        one = np.array([[1 - flips.of_zero, flips.of_one], [flips.of_zero, 1 - flips.of_one]])
        whole = np.kron(one, whole)
    return whole @ weights


@every_way
def test_errors_of_the_read_out_are_stochastic_matrices_on_the_diagonal(
    extension: Kernel | None,
) -> None:
    circuit = circuit_of(3, mixing(3))
    expected = read_out(diagonal(noisy_circuit(LOUD, circuit)), READ_WRONGLY)

    found = probabilities(program_of(circuit), READ_WRONGLY, extension)[OUTPUT_ALL]

    assert max(abs(found[state] - expected[state]) for state in range(8)) < EXACT


REGISTERS: dict[str, list[int | None]] = {"c": [0, 1, 2], "mixed": [2, None, 0, 0], "one": [1]}


def test_registers_are_what_was_read_out() -> None:
    circuit = circuit_of(3, mixing(3))
    expected = read_out(diagonal(noisy_circuit(LOUD, circuit)), READ_WRONGLY)

    found = probabilities(program_of(circuit, REGISTERS), READ_WRONGLY)

    assert list(found) == [OUTPUT_ALL, *REGISTERS]
    assert found["c"] == found[OUTPUT_ALL]
    assert found["one"][1] == pytest.approx(expected[[2, 3, 6, 7]].sum(), abs=EXACT)
    assert found["mixed"][0b1101] == pytest.approx(expected[[5, 7]].sum(), abs=EXACT)
    assert set(found["mixed"]) == {0b0000, 0b0001, 0b1100, 0b1101}


# ---- shots ----


@every_way
def test_shots_follow_the_probabilities(extension: Kernel | None) -> None:
    """Chi-squared with 7 degrees of freedom, five sigma."""
    num_shots = 20_000
    circuit = circuit_of(3, mixing(3))
    expected = num_shots * read_out(diagonal(noisy_circuit(LOUD, circuit)), READ_WRONGLY)
    workload = Workload(program_of(circuit), shots=num_shots, seed=11, noise=READ_WRONGLY)

    counts = np.bincount(states(sampled(workload, extension)[OUTPUT_ALL]), minlength=8)

    assert ((counts - expected) ** 2 / expected).sum() < 7 + 5 * np.sqrt(2 * 7)


def test_shots_of_registers_are_those_of_the_qubits() -> None:
    program = program_of(circuit_of(3, mixing(3)), REGISTERS | {"wide": [1] * 70})
    workload = Workload(program, shots=500, seed=7, noise=LOUD)

    found = sampled(workload)

    assert list(found) == [OUTPUT_ALL, *REGISTERS, "wide"]
    zero, one, two = (states(found[OUTPUT_ALL]) >> qubit & 1 for qubit in range(3))
    assert np.array_equal(states(found["mixed"]), two + 4 * zero + 8 * zero)
    wide = np.unpackbits(found["wide"].rows, axis=1, bitorder="little")
    assert np.array_equal(wide[:, :70], np.repeat(one[:, None], 70, axis=1))
    assert not wide[:, 70:].any()


def test_the_first_shots_are_those_of_a_shorter_job_and_in_no_order() -> None:
    workload = Workload(program_of(circuit_of(3, mixing(3))), shots=1000, seed=7, noise=LOUD)

    long = sampled(workload)[OUTPUT_ALL].rows
    short = sampled(replace(workload, shots=100))[OUTPUT_ALL].rows
    other = sampled(replace(workload, seed=8))[OUTPUT_ALL].rows

    assert np.array_equal(long[:100], short)
    assert not np.array_equal(long, other)
    first, last = np.split(states(sampled(workload)[OUTPUT_ALL]), 2)
    assert abs(first.mean() - last.mean()) < 5 * states(sampled(workload)[OUTPUT_ALL]).std() / 15
