"""The compiler beside others: gates on two qubits, and time, over a fixed set of circuits.

    python -m benchmarks.compilers        (wants `make .venv-peers/ready`)

Prints the table of docs/explanation/compiler.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks import circuits
from benchmarks.circuits import Operations, gate
from benchmarks.peers.compilers import Figures, measure
from benchmarks.peers.process import PEERS_PYTHON, ROOT
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import Program, program_of
from ionbox.compiler.compilation import Options, Target, compile_program

# The eight words of exchanging two electrons between four orbitals, and their signs.
_EXCITATION = {
    "XXXY": 1, "XXYX": 1, "XYXX": -1, "YXXX": -1, "YYYX": -1, "YYXY": -1, "YXYY": 1, "XYYY": 1,
}  # fmt: skip
_TARGETS = {"ms": Target(("gpi", "gpi2", "ms")), "zz": Target(("gpi", "gpi2", "zz"))}
LEVELS = (0, 1, 2)


def anywhere(num_qubits: int) -> Operations:
    """Yield a random product state, so that no gate finds a qubit in |0>."""
    random = np.random.default_rng(9)
    for qubit in range(num_qubits):
        yield gate("ry", (qubit,), random.uniform(0, 6))


def qft(num_qubits: int) -> Operations:
    """Yield the quantum Fourier transform of some state."""
    yield from anywhere(num_qubits)
    yield from circuits.qft(num_qubits)


def heisenberg(num_qubits: int) -> Operations:
    """Yield 5 Trotter steps of a chain with all three couplings."""
    yield from anywhere(num_qubits)
    for _ in range(5):
        for qubit in range(num_qubits - 1):
            for name in ("xx", "yy", "zz"):
                yield gate(name, (qubit, qubit + 1), 0.2)


def toffolis(num_qubits: int) -> Operations:
    """Yield a ladder of Toffoli gates up, a phase, and the ladder down."""
    yield from anywhere(num_qubits)
    ladder = [
        gate("x", (qubit + 2,), controls=(qubit, qubit + 1)) for qubit in range(num_qubits - 2)
    ]
    yield from (*ladder, gate("t", (num_qubits - 1,)), *reversed(ladder))


def molecule(num_qubits: int) -> Operations:
    """Yield excitations of two electrons, as a coupled-cluster ansatz has them."""
    random = np.random.default_rng(5)
    for qubit in range(num_qubits // 2):
        yield gate("x", (qubit,))
    for _ in range(num_qubits - 2):
        orbitals = sorted(random.choice(num_qubits, 4, replace=False).tolist())
        words = [_word(num_qubits, orbitals, letters) for letters in _EXCITATION]
        params = (*(0.1 * sign for sign in _EXCITATION.values()), 1.0)
        yield Operation(
            GATE_BY_NAME["qis", "pauliexp"], tuple(range(num_qubits)), (), params, tuple(words)
        )


def _word(num_qubits: int, orbitals: Sequence[int], letters: str) -> str:
    first, second, third, fourth = orbitals
    word = ["I"] * num_qubits
    for between in (*range(first + 1, second), *range(third + 1, fourth)):
        word[between] = "Z"
    for orbital, letter in zip(orbitals, letters, strict=True):
        word[orbital] = letter
    return "".join(reversed(word))


def words(num_qubits: int) -> Operations:
    """Yield rotations about random words."""
    random = np.random.default_rng(1)
    for _ in range(12):
        word = "".join(random.choice(list("IXYZ"), num_qubits))
        targets = tuple(range(num_qubits))
        yield Operation(GATE_BY_NAME["qis", "pauliexp"], targets, (), (0.3, 1.0), (word,))


CIRCUITS: Mapping[str, tuple[int, Callable[[int], Iterator[Operation]]]] = {
    "qft 8": (8, qft),
    "qft 16": (16, qft),
    "random 8": (8, circuits.rand20),
    "random 16": (16, circuits.rand20),
    "ising 10": (10, circuits.ising),
    "heisenberg 8": (8, heisenberg),
    "ansatz 10": (10, circuits.hea),
    "quantum volume 6": (6, circuits.qv),
    "grover 5": (5, circuits.grover),
    "toffolis 10": (10, toffolis),
    "molecule 8": (8, molecule),
    "molecule 12": (12, molecule),
    "words 8": (8, words),
    "ghz 20": (20, circuits.ghz),
}


def ours(circuit: Circuit) -> dict[str, Figures]:
    """Return what each level of ours needs; the other native gate takes as many."""
    program = program_of(circuit)
    found = {}
    for opt in LEVELS:
        found[f"opt {opt}"] = measure(lambda: program, partial(_num_2q, "zz", opt))
        assert _num_2q("ms", opt, program) == found[f"opt {opt}"][0]
    return found


def _num_2q(entangler: str, opt: int, program: Program) -> int:
    return compile_program(program, _TARGETS[entangler], Options(opt)).program.gate_counts()[1]


def peers(packed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the others need, from a process of their own."""
    answer = subprocess.run(
        [str(PEERS_PYTHON), "-W", "ignore", "-m", "benchmarks.peers.compilers"],
        input=json.dumps(packed), stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def table(rows: Mapping[str, Mapping[str, Figures]]) -> str:
    """Return figures as Markdown: gates on two qubits / milliseconds, the fewest gates in bold."""
    columns = list(next(iter(rows.values())))
    lines = ["| circuit | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, cells in rows.items():
        fewest = min(num_2q for num_2q, _ in cells.values())
        shown = [
            f"{f'**{num_2q}**' if num_2q == fewest else num_2q} / {milliseconds:.0f}"
            for num_2q, milliseconds in cells.values()
        ]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    if not PEERS_PYTHON.exists():
        sys.exit("the other compilers are not installed: 'make .venv-peers/ready' does it")
    made = {
        name: Circuit.from_operations(num_qubits, "qis", operations(num_qubits))
        for name, (num_qubits, operations) in CIRCUITS.items()
    }
    others = peers({name: _packed(circuit) for name, circuit in made.items()})
    rows = {name: ours(circuit) | others["circuits"][name] for name, circuit in made.items()}
    print(table(rows))
    for package, seconds in others["imports"].items():
        print(f"{package}: imported in {seconds:.2f} s")


def _packed(circuit: Circuit) -> Any:  # noqa: ANN401 - JSON
    operations = [
        (each.gate.name, each.targets, each.controls, each.params, each.terms)
        for each in circuit.operations()
    ]
    return circuit.num_qubits, operations


if __name__ == "__main__":
    main()
