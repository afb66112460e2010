from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise, product
from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.builders import PAULIS, outcome_by, peak_bytes, qis, workload

from ionbox.backends.idling import Idling
from ionbox.backends.noise import NOISE_MODELS, Channel, Flips, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.observable import Observable
from ionbox.circuits.oracle import state_vector, unitary
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.engines import line, shallow
from ionbox.engines.contraction import contracted
from ionbox.engines.engine import Estimate, Refusal, Workload
from ionbox.engines.errors import Errors, draw_errors
from ionbox.engines.line import Line, line_of
from ionbox.engines.network import Network
from ionbox.engines.shallow import ShallowEngine
from ionbox.formats.results import Sampled

ENGINE = ShallowEngine(0)
LOUD = NoiseModel("loud", 100, 0.06, 0.15)
MILD = NoiseModel("mild", 100, 0.0005, 0.0133)
SILENT = NoiseModel("silent", 100, 0.0, 0.0)
SHOTS = 20_000
FEWEST = 10  # of a cell of a chi-square sum; smaller ones are put together
Floats = NDArray[np.float64]


def brickwork(num_qubits: int, num_layers: int, seed: int = 1) -> Circuit:
    generator = np.random.default_rng(seed)
    operations = []
    for layer in range(num_layers):
        turns = generator.uniform(0, 6, num_qubits).tolist()
        operations += [qis("ry", (qubit,), turn) for qubit, turn in enumerate(turns)]
        for one, two in list(pairwise(range(num_qubits)))[layer % 2 :: 2]:
            operations.append(qis("cnot", (two,), controls=(one,)))
    return Circuit.from_operations(num_qubits, "qis", operations)


def mixed_circuit() -> Circuit:
    """Far pairs, swaps and controls."""
    operations = [
        *[qis("ry", (qubit,), 0.7 + qubit) for qubit in range(5)],
        qis("cnot", (4,), controls=(0,)),
        qis("swap", (3, 0)),
        qis("rx", (3,), 0.9),
        qis("ry", (4,), 0.8, controls=(2,)),
        qis("xx", (3, 1), 0.5),
        qis("h", (0,)),
    ]
    return Circuit.from_operations(5, "qis", operations)


def wide_circuit() -> Circuit:
    """Operations on three qubits and more."""
    word = GATE_BY_NAME["qis", "pauliexp"]
    operations = [
        *[qis("ry", (qubit,), 0.7 + qubit) for qubit in range(5)],
        qis("x", (1,), controls=(3, 0)),
        Operation(word, (4, 3, 2, 1, 0), (), (0.4, 1.0), ("XYZIZ",)),
        Operation(word, (2, 0, 1), (), (0.4, 0.3, 1.1), ("XYZ", "ZIX")),
        qis("h", (0,)),
    ]
    return Circuit.from_operations(5, "qis", operations)


def native_circuit() -> Circuit:
    def gate(name: str, targets: tuple[int, ...], *params: float) -> Operation:
        return Operation(GATE_BY_NAME["native", name], targets, (), params)

    operations = [
        gate("gpi2", (0,), 0.1),
        gate("gpi2", (2,), 0.4),
        gate("ms", (0, 2), 0.1, 0.3, 0.25),
        gate("gpi", (1,), 0.2),
        gate("ms", (1, 0), 0.0, 0.2, 0.15),
        gate("gpi2", (2,), 0.7),
        gate("gpi2", (1,), 0.6),
    ]
    return Circuit.from_operations(3, "native", operations)


def network_of(circuit: Circuit, channels: Sequence[Channel] = ()) -> Network:
    found = line_of(circuit, 64)
    assert isinstance(found, Line)
    return Network(found, channels)


def exact_weights(circuit: Circuit, noise: NoiseModel) -> Floats:
    """The probabilities as read out, from the whole density matrix."""
    happening = noisy_circuit(noise, circuit)
    num_qubits = circuit.num_qubits
    rho = np.zeros((2**num_qubits, 2**num_qubits), np.complex128)
    rho[0, 0] = 1
    operations = list(happening.circuit.operations())
    for done in range(len(operations) + 1):
        if done:
            gateset = happening.circuit.gateset
            alone = Circuit.from_operations(num_qubits, gateset, [operations[done - 1]])
            rho = unitary(alone) @ rho @ unitary(alone).conj().T
        for channel in happening.channels:
            if channel.after == done:
                rho = after_channel(rho, channel, num_qubits)
    weights: Floats = np.diag(rho).real
    for qubit in range(num_qubits):
        weights = read_out(weights, noise.readout(qubit), qubit)
    return weights


def after_channel(rho: Any, channel: Channel, num_qubits: int) -> Any:  # noqa: ANN401
    words = list(product(range(4), repeat=len(channel.qubits)))[1:]
    shares = channel.shares or [1 / len(words)] * len(words)
    total = (1 - channel.probability) * rho
    for word, share in zip(words, shares, strict=True):
        letters = dict(zip(channel.qubits, word, strict=True))
        matrix = np.ones((1, 1), np.complex128)
        for qubit in reversed(range(num_qubits)):
            matrix = np.kron(matrix, PAULIS[letters.get(qubit, 0)]).astype(np.complex128)
        total = total + channel.probability * share * (matrix @ rho @ matrix.conj().T)
    return total


def read_out(weights: Floats, flips: Flips, qubit: int) -> Floats:
    confusion = np.array([[1 - flips.of_zero, flips.of_one], [flips.of_zero, 1 - flips.of_one]])
    by_qubit = weights.reshape(-1, 2, 2**qubit)
    read: Floats = np.einsum("ab,xby->xay", confusion, by_qubit).reshape(-1)
    return read


def bits_of(given: Workload, register: str = OUTPUT_ALL) -> NDArray[np.uint8]:
    outcome = outcome_by(ENGINE, given)
    assert isinstance(outcome.result, Sampled)
    assert outcome.warnings == ()
    shots = outcome.result.registers[register]
    return np.unpackbits(shots.rows, axis=1, bitorder="little")[:, : shots.num_bits]


def chi_square(bits: NDArray[np.uint8], weights: Floats) -> tuple[float, float]:
    """Return the sum, and what it exceeds once in a million times (Wilson and Hilferty)."""
    shots, num_qubits = bits.shape
    counts = np.bincount(bits @ (1 << np.arange(num_qubits)), minlength=weights.size)
    expected = shots * weights
    is_large = expected >= FEWEST
    cells = [*zip(counts[is_large], expected[is_large], strict=True)]
    cells.append((counts[~is_large].sum(), max(expected[~is_large].sum(), 1e-9)))
    found = sum((count - number) ** 2 / max(number, FEWEST) for count, number in cells)
    degrees = len(cells) - 1
    bound = degrees * (1 - 2 / (9 * degrees) + 4.76 * np.sqrt(2 / (9 * degrees))) ** 3
    return float(found), float(bound)


TURNED = NoiseModel(
    "turned", 100, 0.02, 0.05, over_rotations={0: 0.2}, pair_over_rotations={(0, 2): 0.3}
)
WAITING = NoiseModel(
    "waiting", 100, 0.02, 0.05, idling=Idling(t1=1.0, t2=0.4, gate_1q=0.02, gate_2q=0.06)
)
MISREAD = NoiseModel("misread", 100, 0.02, 0.05, flips=Flips(0.03, 0.1), qubit_flips={1: Flips()})


@pytest.mark.parametrize(
    ("circuit", "noise"),
    [
        (brickwork(5, 5), LOUD),
        (brickwork(5, 5), MILD),
        (mixed_circuit(), LOUD),
        (wide_circuit(), LOUD),
        (mixed_circuit(), WAITING),
        (mixed_circuit(), MISREAD),
        (native_circuit(), TURNED),
        (native_circuit(), LOUD),
        (Circuit.from_operations(2, "qis", []), MISREAD),
    ],
    ids=lambda value: value.name if isinstance(value, NoiseModel) else "",
)
def test_shots_follow_the_density_matrix(circuit: Circuit, noise: NoiseModel) -> None:
    bits = bits_of(workload(circuit, noise=noise, shots=SHOTS))

    found, bound = chi_square(bits, exact_weights(circuit, noise))

    assert found < bound


@pytest.mark.parametrize("given", ["weaker", "turned", "waiting", "misread"])
def test_the_bound_would_find_what_is_left_out(given: str) -> None:
    models = {"turned": TURNED, "waiting": WAITING, "misread": MISREAD, "weaker": LOUD}
    circuit = native_circuit() if given == "turned" else mixed_circuit()
    less = NoiseModel("less", 100, 0.02, 0.05) if given != "weaker" else MILD
    bits = bits_of(workload(circuit, noise=less, shots=SHOTS))

    found, bound = chi_square(bits, exact_weights(circuit, models[given]))

    assert found > bound


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    """Draw operations on four qubits, neighbours or not."""
    operations = []
    for place in range(draw(st.integers(1, 8))):
        one, two, three, _ = draw(st.permutations(range(4)))
        turn = 0.3 + place
        operations += [
            qis("ry", (one,), turn),
            draw(
                st.sampled_from(
                    [
                        qis("cnot", (two,), controls=(one,)),
                        qis("swap", (one, three)),
                        qis("zz", (three, one), turn),
                        qis("rx", (one,), turn, controls=(two, three)),
                        qis("v", (two,)),
                    ]
                )
            ),
        ]
    return Circuit.from_operations(4, "qis", operations)


@given(circuits(), st.integers(0, 2**63))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_a_line_without_errors_has_the_amplitudes_of_the_oracle(
    circuit: Circuit, basis_state: int
) -> None:
    network = network_of(circuit)
    state = basis_state % 16
    bits = [0] * 4
    for qubit, site in enumerate(network.site_of):
        bits[site] = state >> qubit & 1

    amplitude = np.ones((1, 1), np.complex128)
    for site, bit in enumerate(bits):
        tensor = network.tensors(site, np.zeros((1, 0), np.uint8))[0]
        amplitude = amplitude @ tensor[:, bit]

    assert amplitude.item() == pytest.approx(state_vector(circuit)[state], abs=1e-12)


def test_an_error_changes_tensors_and_no_bond() -> None:
    circuit = brickwork(4, 3)
    channel = Channel(after=6, qubits=(1, 2), probability=0.1)
    network = network_of(circuit, [channel])
    word = {1: 2, 2: 3}  # Y and Z

    whole = [np.zeros(1)] * 4
    for site in range(4):
        letters = np.array([[word[site]]] if site in word else np.zeros((1, 0)), np.uint8)
        whole[site] = network.tensors(site, letters)[0]
    amplitudes = reduce(lambda left, right: np.tensordot(left, right, axes=1), whole).reshape(-1)

    operations = list(circuit.operations())
    hit = [*operations[:6], qis("y", (1,)), qis("z", (2,), pi), *operations[6:]]
    expected = state_vector(Circuit.from_operations(4, "qis", hit))
    in_order = expected.reshape((2,) * 4).transpose(3, 2, 1, 0).reshape(-1)
    assert np.allclose(amplitudes, in_order, rtol=0, atol=1e-12)


def test_swaps_cost_nothing() -> None:
    swaps = [qis("swap", (qubit, 9 - qubit)) for qubit in range(5)]
    network = network_of(Circuit.from_operations(10, "qis", [qis("x", (0,)), *swaps]))

    assert network.bonds == [1] * 11
    assert network.site_of[9] == 0


def shuffled(circuit: Circuit, seed: int = 3) -> Circuit:
    """Give the qubits of a circuit other numbers."""
    names = np.random.default_rng(seed).permutation(circuit.num_qubits).tolist()
    operations = [
        Operation(
            each.gate,
            tuple(names[qubit] for qubit in each.targets),
            tuple(names[qubit] for qubit in each.controls),
            each.params,
        )
        for each in circuit.operations()
    ]
    return Circuit.from_operations(circuit.num_qubits, "qis", operations)


def test_the_numbers_of_qubits_do_not_matter_where_a_line_is_hidden() -> None:
    plain, hidden = network_of(brickwork(20, 4)), network_of(shuffled(brickwork(20, 4)))

    assert max(hidden.bonds) == max(plain.bonds) == 4


def test_a_ladder_has_a_better_line_than_its_numbers() -> None:
    """Rails of 10 qubits, one after the other: all rungs would cross its middle."""
    rails = [(qubit, qubit + 1) for qubit in range(19) if qubit != 9]
    rungs = [(qubit, qubit + 10) for qubit in range(10)]
    cnots = [qis("cnot", (two,), controls=(one,)) for one, two in rails + rungs]

    assert max(network_of(Circuit.from_operations(20, "qis", cnots)).bonds) == 8


@pytest.mark.parametrize("seed", [3, 4])
def test_shots_of_a_hidden_line_follow_the_density_matrix(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(line, "_SMALL_BOND", 1)  # a better order is looked for in any case
    circuit = shuffled(brickwork(5, 4), seed)
    bits = bits_of(workload(circuit, noise=LOUD, shots=SHOTS))

    found, bound = chi_square(bits, exact_weights(circuit, LOUD))

    assert found < bound


def test_the_seed_decides() -> None:
    first, again, other = (
        bits_of(workload(brickwork(12, 4), noise=LOUD, seed=seed)) for seed in (7, 7, 8)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("chunk_bytes", [1 << 28, 1])
def test_the_first_shots_do_not_depend_on_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(shallow, "_CHUNK_BYTES", chunk_bytes)
    few, many = (
        bits_of(workload(brickwork(12, 4), noise=MISREAD, shots=shots)) for shots in (50, 500)
    )

    assert np.array_equal(few, many[:50])


def test_a_long_ghz_state_is_all_or_nothing_but_for_its_errors() -> None:
    """A flip of the qubit of a cnot is copied on; where all parities hold, all bits are alike."""
    num_qubits, shots = 64, 4000
    cnots = [qis("cnot", (two,), controls=(one,)) for one, two in pairwise(range(num_qubits))]
    circuit = Circuit.from_operations(num_qubits, "qis", [qis("h", (0,)), *cnots])

    silent = bits_of(workload(circuit, noise=SILENT, shots=shots))
    noisy = bits_of(workload(circuit, noise=MILD, shots=shots))

    assert np.array_equal(silent.min(axis=1), silent.max(axis=1))
    assert abs(silent[:, 0].mean() - 0.5) < 5 * np.sqrt(0.25 / shots)
    # Of the 15 errors, 8 part the two qubits: those in which one of the letters is X or Y, or that
    # flip the target alone; the last target is followed by none.
    is_parted = np.not_equal(noisy[:, -1], noisy[:, -2]).mean()
    expected = 0.0133 / 2
    assert abs(is_parted - expected) < 5 * np.sqrt(expected / shots)


def test_a_wide_brickwork_has_the_local_probabilities_of_its_light_cone() -> None:
    """Qubits 20 to 22 after 2 layers depend on at most 2 qubits more on each side."""
    wide = brickwork(40, 2)
    bits = bits_of(workload(wide, {"c": [20, 21, 22]}, noise=MILD, shots=SHOTS), "c")

    first, last = 18, 24
    kept = [
        moved(each, first)
        for each in wide.operations()
        if all(first <= qubit <= last for qubit in (*each.targets, *each.controls))
    ]
    weights = exact_weights(Circuit.from_operations(7, "qis", kept), MILD)
    found, bound = chi_square(bits, weights.reshape(4, 8, 4).sum(axis=(0, 2)))
    assert found < bound


def moved(operation: Operation, by: int) -> Operation:
    targets, controls = (
        [q - by for q in qubits] for qubits in (operation.targets, operation.controls)
    )
    return Operation(operation.gate, tuple(targets), tuple(controls), operation.params)


def test_registers_and_output_all_agree_in_every_shot() -> None:
    registers: dict[str, Sequence[int | None]] = {"mixed": [2, None, 0, 0], "wide": [1] * 70}
    given = workload(brickwork(3, 3), registers, noise=MISREAD)

    states, mixed, wide = (bits_of(given, name) for name in (OUTPUT_ALL, "mixed", "wide"))

    assert np.array_equal(mixed[:, [0, 2, 3]], states[:, [2, 0, 0]])
    assert not mixed[:, 1].any()
    assert np.array_equal(wide, np.repeat(states[:, [1]], 70, axis=1))


MOOT = "lines of tensors are for shots of one circuit with noise"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (workload(brickwork(4, 2)), MOOT),
        (workload(brickwork(4, 2), noise=LOUD, lists_noise=True), MOOT),
        (workload(brickwork(4, 2), noise=LOUD, observable=Observable(("ZZZZ",), (1.0,))), MOOT),
        (
            workload(brickwork(12, 2), noise=NOISE_MODELS["harmony"]),
            "wider than the device that is modelled",
        ),
        (
            workload(brickwork(12, 20), noise=LOUD),
            "more operations cross a place than a bond of 64 can hold",
        ),
        (
            workload(
                Circuit.from_operations(5, "qis", [qis("x", (0,), controls=(1, 2, 3, 4))]),
                noise=LOUD,
            ),
            "circuit[0], gate x: on more than 4 qubits",
        ),
    ],
)
def test_what_is_not_shallow_is_left_to_others(given: Workload, reason: str) -> None:
    assert ENGINE.assess(given) == Refusal("shallow", reason, is_moot=True)


def test_few_qubits_are_left_to_others() -> None:
    reason = "lines of tensors are for 8 qubits or more"

    assert ShallowEngine().assess(workload(brickwork(7, 2), noise=LOUD)) == Refusal(
        "shallow", reason, is_moot=True
    )
    assert isinstance(ShallowEngine().assess(workload(brickwork(8, 2), noise=LOUD)), Estimate)


@pytest.mark.parametrize(
    "given",
    [
        workload(brickwork(20, 5), noise=MILD, shots=1000),
        workload(brickwork(12, 6), noise=LOUD, shots=3000),
        workload(brickwork(40, 2), {"c": [0, 5] * 500}, noise=MILD, shots=3000),
        workload(brickwork(8, 12), noise=LOUD, shots=100),
        workload(brickwork(12, 10), noise=LOUD, shots=300),
        workload(brickwork(5, 3), noise=MISREAD, shots=100_000),
    ],
    ids=["mild", "loud", "a wide register", "large bonds", "many chunks", "many shots"],
)
def test_a_run_stays_within_its_estimate(given: Workload) -> None:
    estimate = ENGINE.assess(given)
    assert isinstance(estimate, Estimate)

    assert peak_bytes(lambda: ENGINE.run(given)) <= estimate.memory_bytes


def test_what_errors_far_away_do_to_a_bond_is_nothing() -> None:
    """Two layers carry an effect by two qubits at most, whatever is to the right of that."""
    circuit = brickwork(30, 2)
    happening = noisy_circuit(LOUD, circuit)
    network = network_of(circuit, happening.channels)

    distances = [
        site - network.reaches[site][slot] for slots in network.slots for site, slot in slots
    ]
    sites = contracted(network, draw_errors(happening.channels, 2000, 7), 2000)

    assert 1 <= max(distances) <= 2
    assert max(len(site.behind.forms) for site in sites) < 100


def test_an_error_beyond_its_reach_changes_no_form() -> None:
    circuit = brickwork(6, 4)
    happening = noisy_circuit(LOUD, circuit)
    network = network_of(circuit, happening.channels)
    reaches = network.reaches
    num_channels = len(happening.channels)
    every = np.arange(num_channels)
    errors = Errors(every, every, np.full(num_channels, 1, np.uint64))  # X on the first qubit
    network.reaches = [np.full_like(reach, -1) for reach in reaches]  # so that all are told apart

    sites = contracted(network, errors, num_channels)

    changes: dict[bool, list[float]] = {True: [], False: []}
    for channel, (first, *_) in enumerate(network.slots):
        for bond in range(1, first.site + 1):
            behind = sites[bond - 1].behind
            change = np.abs(behind.forms[behind.of_shots[channel]] - behind.forms[0]).max()
            changes[bool(reaches[first.site][first.number] < bond)].append(float(change))
    assert max(changes[False]) < 1e-12
    assert np.median(changes[True]) > 0.01


def test_an_estimate_grows_with_shots_noise_and_depth() -> None:
    def seconds(num_layers: int, shots: int, noise: NoiseModel) -> float:
        estimate = ENGINE.assess(workload(brickwork(20, num_layers), noise=noise, shots=shots))
        assert isinstance(estimate, Estimate)
        return estimate.seconds

    plain = seconds(5, 1000, MILD)

    assert plain < seconds(7, 1000, MILD)
    assert plain < seconds(5, 2000, MILD)
    assert plain < seconds(5, 1000, LOUD)
