"""How much of what a twin does wrong comes from where, as a picture and as figures.

Circuits of random rotations and cnots, as many layers as qubits, each layer on pairs of its own,
are compiled for a device, put on random ions and simulated with one source of errors at a time,
then with all. What is told is the infidelity of the final state, and for the read-out the chance
that some qubit is misread. `python -m benchmarks.error_budget` writes docs/explanation/devices.svg
and prints the figures that the page tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from msgspec.structs import replace

from ionbox._kernel import kernel
from ionbox.assembly import catalog
from ionbox.backends.noise import Channel, NoiseModel, noisy_circuit, placed
from ionbox.backends.twins import Twin, noise_of
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import program_of
from ionbox.compiler.compilation import Target, compile_program
from ionbox.engines.apparatus import Apparatus
from ionbox.engines.errors import draw_errors
from ionbox.engines.vectors import AMPLITUDE_TYPES, Amplitudes, ground_state

PICTURE: Final = Path(__file__).parents[1] / "docs" / "explanation" / "devices.svg"
DEVICES: Final = ("qpu.aria-1", "qpu.forte-1")
SEED: Final = 7
COLOURS: Final = ("#4477aa", "#ee6677", "#ccbb44", "#228833", "#aa3377", "#202020")
READOUT: Final = "read-out"
LETTERS: Final = ("", "rx", "ry", "rz")  # by half a turn: Pauli errors, but for a phase
APPARATUS: Final = Apparatus(kernel)


class Effort(NamedTuple):
    """How many circuits of a width are drawn, and how often each is simulated."""

    circuits: int
    shots: int


EFFORTS: Final[Mapping[int, Effort]] = {
    5: Effort(30, 300), 10: Effort(15, 200), 20: Effort(3, 100),
}  # fmt: skip

# What went wrong in a shot: after how many operations, on which qubits, and which Pauli error.
Pattern: TypeAlias = tuple[tuple[int, tuple[int, ...], int], ...]


def random_circuit(num_qubits: int, draws: np.random.Generator) -> Circuit:
    operations = []
    for _ in range(num_qubits):
        for qubit in range(num_qubits):
            angles = draws.uniform(-np.pi, np.pi, 2)
            operations += [
                qis("rx", qubit, rotation=angles[0]),
                qis("rz", qubit, rotation=angles[1]),
            ]
        order = draws.permutation(num_qubits).tolist()
        operations += [
            qis("cnot", one, other) for one, other in zip(order[::2], order[1::2], strict=False)
        ]
    return Circuit.from_operations(num_qubits, "qis", operations)


def qis(name: str, target: int, *controls: int, rotation: float | None = None) -> Operation:
    params = () if rotation is None else (rotation,)
    return Operation(GATE_BY_NAME["qis", name], (target,), controls, params)


def sources(model: NoiseModel) -> dict[str, NoiseModel]:
    """Return a model with one source of errors each, and that with all of them."""
    ideal = NoiseModel(model.name, model.num_qubits, 0.0, 0.0)
    return {
        "one-qubit gates": replace(
            ideal, r1q=model.r1q, qubits=model.qubits, over_rotations=model.over_rotations
        ),
        "two-qubit gates, random errors": replace(ideal, r2q=model.r2q, pairs=model.pairs),
        "two-qubit gates, over-rotation": replace(
            ideal, pair_over_rotations=model.pair_over_rotations
        ),
        "waiting": replace(ideal, idling=model.idling),
        READOUT: replace(ideal, flips=model.flips, qubit_flips=model.qubit_flips),
        "all": model,
    }


def infidelity(circuit: Circuit, noise: NoiseModel, shots: int) -> float:
    """Return how unlike the final state is to that without errors, read-out included."""
    noisy = noisy_circuit(noise, circuit)
    ideal = final_state(circuit, ())
    patterns = Counter(drawn_patterns(noisy.channels, shots))
    kept = sum(
        number * abs(np.vdot(ideal, final_state(noisy.circuit, pattern))) ** 2
        for pattern, number in patterns.items()
    )
    flips = [noise.readout(qubit) for qubit in range(circuit.num_qubits)]
    read = prod(1 - (flip.of_zero + flip.of_one) / 2 for flip in flips)
    return float(1 - kept / shots * read)


def drawn_patterns(channels: Sequence[Channel], shots: int) -> list[Pattern]:
    patterns: list[Pattern] = [()] * shots
    for shot, number, pauli in zip(*draw_errors(channels, shots, SEED), strict=True):
        channel = channels[number]
        patterns[shot] += ((channel.after, channel.qubits, int(pauli)),)
    return patterns


def final_state(circuit: Circuit, pattern: Pattern) -> Amplitudes:
    ready, done = APPARATUS.ready(circuit), 0
    # At 20 qubits half of the digits are more than enough for a figure of two.
    state = ground_state(circuit.num_qubits, AMPLITUDE_TYPES["float32"])
    for after, qubits, pauli in pattern:
        ready.apply(state, done, after)
        letters = [
            qis(letter, qubit, rotation=np.pi)
            for place, qubit in enumerate(qubits)
            if (letter := LETTERS[pauli >> 2 * place & 3])
        ]
        APPARATUS.ready(Circuit.from_operations(circuit.num_qubits, "qis", letters)).apply(state)
        done = after
    ready.apply(state, done)
    return state


def budget(twin: Twin, num_qubits: int) -> dict[str, float]:
    """Return the infidelity by source, the mean over circuits on random ions."""
    draws, effort = np.random.default_rng(SEED), EFFORTS[num_qubits]
    found: dict[str, list[float]] = {}
    gate_counts = []
    for _ in range(effort.circuits):
        program = program_of(random_circuit(num_qubits, draws))
        compiled = compile_program(program, Target(twin.native_gates)).program
        assert compiled.circuit is not None
        gate_counts.append(compiled.gate_counts())
        ions = draws.permutation(twin.record.num_qubits)[:num_qubits].tolist()
        for source, noise in sources(placed(noise_of(twin), ions)).items():
            one = infidelity(compiled.circuit, noise, effort.shots)
            found.setdefault(source, []).append(one)
    print(f"{twin.record.backend}, {num_qubits} qubits; gates: {np.mean(gate_counts, axis=0)}")
    for source, each in found.items():
        print(f"  {source:32} {np.mean(each):.3f}", flush=True)
    return {source: float(np.mean(each)) for source, each in found.items()}


def draw(axes: Axes, name: str, budgets: Mapping[int, Mapping[str, float]]) -> None:
    for place, found in enumerate(budgets.values()):
        width = 0.86 / len(found)
        for number, (source, share) in enumerate(found.items()):
            at = place - 0.43 + width * (number + 0.5)
            label = source if place == 0 else None
            bars = axes.bar(at, share, width, color=COLOURS[number], label=label)
            axes.bar_label(bars, [f"{share:.2f}".removeprefix("0")], fontsize=6, padding=1)
    axes.set_xticks(range(len(budgets)), [f"{number} qubits" for number in budgets])
    axes.set_ylim(0, 1.05)
    axes.set_title(name)
    axes.spines[["top", "right"]].set_visible(False)


def twins() -> Iterator[Twin]:
    for backend in catalog():
        twin = backend.twin(backend.characterization_id)
        if backend.name in DEVICES and twin is not None:
            yield twin


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = "ionbox"  # the same picture has the same text
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    for axes, twin in zip(panels, twins(), strict=True):
        draw(axes, twin.record.backend, {number: budget(twin, number) for number in EFFORTS})
    panels[0].set_ylabel("infidelity")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
