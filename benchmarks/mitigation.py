"""What the aggregations make of two circuits with many variants, as a picture and as figures.

The device is made up: twelve ions, some of them bad, whose pairs turn too far or not far enough.
Each variant of a circuit is simulated on its own ions. `python -m benchmarks.mitigation` writes
docs/explanation/mitigation.svg and prints the distances that the page tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import acos, pi, sqrt
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ionbox.backends.mitigation import AGGREGATIONS, num_variants, qubit_maps, split
from ionbox.backends.noise import Flips, NoiseModel, placed
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.oracle import state_vector
from ionbox.circuits.program import OUTPUT_ALL, program_of
from ionbox.engines.engine import Workload
from ionbox.engines.planner import engine_named, plan
from ionbox.formats.results import Sampled, Shots, basis_states_of
from ionbox.formats.variants import aggregated

PICTURE: Final = Path(__file__).parents[1] / "docs" / "explanation" / "mitigation.svg"
NUM_IONS: Final = 12
SHOTS: Final = 2000
SEED: Final = 7
MEMORY_BYTES: Final = 2**28
PLAIN: Final = "one circuit"  # all shots on the first of the maps
COLOURS: Final = ("#202020", "#a0a0a0", "#4477aa", "#ee6677", "#228833", "#ccbb44")

Distribution = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A circuit, and its outcomes that are shown by name; the others are one bar."""

    title: str
    circuit: Circuit
    shown: Mapping[str, int]


def native(name: str, targets: Sequence[int], *params: float) -> Operation:
    return Operation(GATE_BY_NAME["native", name], tuple(targets), (), params)


def one_answer() -> Example:
    """Entangle four qubits at length, undo it, and flip three of them."""
    generator = np.random.default_rng(SEED)
    there = []
    for _ in range(4):
        there += [native("gpi2", [qubit], generator.uniform(-1, 1)) for qubit in range(4)]
        there += [native("ms", pair, 0.0, 0.0, 0.25) for pair in ((0, 1), (2, 3), (1, 2))]
    back = [_undone(operation) for operation in reversed(there)]
    flips = [native("gpi", [qubit], 0.0) for qubit in (0, 1, 3)]
    circuit = Circuit.from_operations(4, "native", [*there, *back, *flips])
    return Example("one answer, 1011", circuit, {"1011": 0b1011})


def _undone(operation: Operation) -> Operation:
    name, params = operation.gate.inverse(operation.params)
    return native(name, operation.targets, *params)


def seventy_thirty() -> Example:
    """Turn two qubits together, to the state sqrt(0.7) |00> - i sqrt(0.3) |11>."""
    angle = acos(sqrt(0.7)) / pi
    circuit = Circuit.from_operations(2, "native", [native("ms", [0, 1], 0.0, 0.0, angle)])
    return Example("70 : 30", circuit, {"00": 0, "11": 3})


def device() -> NoiseModel:
    generator = np.random.default_rng(SEED)
    pairs = list(combinations(range(NUM_IONS), 2))
    is_bad = {ion: ion % 4 == 0 for ion in range(NUM_IONS)}
    return NoiseModel(
        "made up",
        NUM_IONS,
        r1q=0.001,
        r2q=0.01,
        pairs={pair: 0.06 for pair in pairs if is_bad[pair[0]] or is_bad[pair[1]]},
        pair_over_rotations=dict(zip(pairs, generator.normal(0, 0.12, len(pairs)), strict=True)),
        flips=Flips(0.004, 0.004),
        qubit_flips={ion: Flips(0.03, 0.03) for ion in range(NUM_IONS) if is_bad[ion]},
    )


def sampled(circuit: Circuit, maps: Sequence[Sequence[int]]) -> Sampled:
    """Run a circuit on each of the maps, its shots split among them."""
    rows, variants = [], []
    for number, (places, shots) in enumerate(zip(maps, split(SHOTS, len(maps)), strict=True)):
        noise = placed(device(), places)
        workload = Workload(program_of(circuit), shots, seed=SEED + number, noise=noise)
        chosen = plan(workload, memory_bytes=MEMORY_BYTES).chosen
        assert chosen is not None
        result = engine_named(chosen.engine).run(workload).result
        assert isinstance(result, Sampled)
        rows.append(result.registers[OUTPUT_ALL].rows)
        variants += [number] * shots
    shots_of_all = Shots(circuit.num_qubits, np.concatenate(rows))
    return Sampled({OUTPUT_ALL: shots_of_all}, np.array(variants, np.uint16), len(maps))


def distributions(circuit: Circuit) -> dict[str, Distribution]:
    number = num_variants(SHOTS, circuit.num_qubits, NUM_IONS)
    maps = qubit_maps(range(circuit.num_qubits), NUM_IONS, number, SEED)
    varied = sampled(circuit, maps)
    found = {name: aggregated(varied, way) for name, way in AGGREGATIONS.items()}
    all_ = {PLAIN: sampled(circuit, maps[:1])} | found
    return {"ideal": np.abs(state_vector(circuit)) ** 2} | {
        name: shares(result, circuit.num_qubits) for name, result in all_.items()
    }


def shares(result: Sampled, num_qubits: int) -> Distribution:
    states = basis_states_of(result.registers[OUTPUT_ALL].rows)
    return np.bincount(states.astype(np.int64), minlength=2**num_qubits) / len(states)


def draw(axes: Axes, example: Example, found: Mapping[str, Distribution]) -> None:
    labels, width = [*example.shown, "all others"], 0.8 / len(found)
    for number, (name, distribution) in enumerate(found.items()):
        heights = [float(distribution[state]) for state in example.shown.values()]
        heights.append(max(0.0, 1 - sum(heights)))
        places = np.arange(len(labels)) - 0.4 + width * (number + 0.5)
        bars = axes.bar(places, heights, width, label=name, color=COLOURS[number])
        axes.bar_label(bars, [_label(height) for height in heights], fontsize=6, padding=1)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1.1)
    axes.set_title(example.title)
    axes.spines[["top", "right"]].set_visible(False)


def _label(height: float) -> str:
    """Return two digits, without the zero before the point: bars are narrow."""
    return f"{height:.2f}".removeprefix("0") if height >= 0.005 else ""


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = "ionbox"  # the same picture has the same text
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for axes, example in zip(panels, (one_answer(), seventy_thirty()), strict=True):
        found = distributions(example.circuit)
        draw(axes, example, found)
        print(example.title)
        for name, distribution in found.items():
            print(f"  {name:12} {0.5 * np.abs(distribution - found['ideal']).sum():.3f}")
    panels[0].set_ylabel("share of the shots")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
