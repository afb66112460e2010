"""tket: its peephole optimisation, and its greedy simplification of Pauli words before that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi

from pytket import Circuit, OpType
from pytket.circuit import PauliExpBox
from pytket.passes import AutoRebase, DecomposeBoxes, FullPeepholeOptimise, GreedyPauliSimp
from pytket.pauli import Pauli

from benchmarks.peers.compilers import Gate

DISTRIBUTION = "pytket"

# By the number of controls; their angles are in half turns.
_NAMES = {
    ("x", 2): OpType.CnX, ("x", 1): OpType.CX, ("cnot", 1): OpType.CX, ("h", 0): OpType.H,
    ("x", 0): OpType.X, ("swap", 0): OpType.SWAP, ("z", 1): OpType.CU1, ("t", 0): OpType.T,
    ("rx", 0): OpType.Rx, ("ry", 0): OpType.Ry, ("rz", 0): OpType.Rz, ("xx", 0): OpType.XXPhase,
    ("yy", 0): OpType.YYPhase, ("zz", 0): OpType.ZZPhase,
}  # fmt: skip


def build(num_qubits: int, gates: Sequence[Gate]) -> Circuit:
    circuit = Circuit(num_qubits)
    for name, targets, controls, params, terms in gates:
        if name == "pauliexp":
            *coefficients, duration = params
            for term, coefficient in zip(terms, coefficients, strict=True):
                letters = [getattr(Pauli, letter) for letter in reversed(term)]
                circuit.add_gate(PauliExpBox(letters, 2 * coefficient * duration / pi), targets)
        elif name == "z" and len(controls) > 1:
            assert params == [pi]
            circuit.add_gate(OpType.CnZ, [*controls, *targets])
        else:
            angles = [angle / pi for angle in params]
            circuit.add_gate(_NAMES[name, len(controls)], angles, [*controls, *targets])
    DecomposeBoxes().apply(circuit)
    return circuit


def peephole(circuit: Circuit) -> int:
    FullPeepholeOptimise(allow_swaps=True, target_2qb_gate=OpType.TK2).apply(circuit)
    AutoRebase({OpType.ZZPhase, OpType.TK1}, allow_swaps=True).apply(circuit)
    return int(circuit.n_2qb_gates())


def pauli(circuit: Circuit) -> int:
    AutoRebase({OpType.CX, OpType.Rz, OpType.Rx, OpType.H}).apply(circuit)
    GreedyPauliSimp().apply(circuit)
    return peephole(circuit)


RUNS: Mapping[str, Callable[[Circuit], int]] = {"tket peephole": peephole, "tket Pauli": pauli}
