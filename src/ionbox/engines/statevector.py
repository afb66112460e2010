"""The state-vector engine in NumPy: all 2**n amplitudes, one operation after the other, in place.

Every operation is a pass over tiles of the vector: small enough that a tile and its temporaries
stay in the cache, so that a run needs little more memory than the vector itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil, cos, sin

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATES
from ionbox.engines.engine import (
    IDEAL,
    Estimate,
    Outcome,
    Refusal,
    ResolvedPrecision,
    Workload,
    refuse_noise,
    resolve_precision,
)
from ionbox.engines.sampling import sample
from ionbox.formats.results import FloatArray, Probabilities, count_outcomes, read_out

Amplitudes = NDArray[np.complex128 | np.complex64]
Row = tuple[int, tuple[tuple[int, complex], ...]]

_MOST_QUBITS = 48  # 4 PiB; far beyond any memory, and far below where sizes overflow
_TILE = 1 << 14  # amplitudes; with 2**12 the calls cost more, with 2**16 the cache is missed

_AMPLITUDE_TYPES: dict[ResolvedPrecision, np.dtype[np.complex128 | np.complex64]] = {
    "float64": np.dtype(np.complex128),
    "float32": np.dtype(np.complex64),
}

# A pauliexp whose terms do not commute: a matrix over few targets (512 small products at 4),
# a Taylor series over more, as long as it ends within a sensible number of steps.
_MATRIX_TARGETS = 4
_TAYLOR_ORDER = 18  # 1/19! < 1e-17
_MOST_TAYLOR_STEPS = 1000

# Memory at the peak, in state vectors: the amplitudes and the weights made of them, or the
# amplitudes, the last term of a Taylor series and the next.
_VECTORS, _TAYLOR_VECTORS = 1.5, 3.0
_TILE_BYTES = 8 * 16  # for each amplitude of a tile: products, factors and places in flight
_SHOT_BYTES = 64  # for each shot: points, owners, basis states and what sorting them needs
_SAMPLING_BYTES = 2**21  # a chunk of the CDF

# Measured on one core of a cloud server; good to a factor of a few. A pass is one product for
# each amplitude, so a matrix over k targets takes 2**k, half as many with each control.
_OPERATION_SECONDS = 20e-6
_READ_OUT_SECONDS = 40e-6
_BYTE_SECONDS = 0.25e-9
_READ_OUT_PASSES = 2
_WORD_PASSES = 3  # a Pauli word: a permutation, signs, and a product
_ROW_PASSES = np.array(
    [
        0 if gate.num_targets is None else 1 if gate.is_diagonal else 2**gate.num_targets
        for gate in GATES
    ],
    np.float64,
)  # 0 for pauliexp, which `_pauliexp_cost` counts


def _apply_matrix(
    vector: Amplitudes, matrix: Amplitudes, targets: tuple[int, ...], controls: tuple[int, ...]
) -> None:
    """Apply a matrix over the targets (bit k of its index is target k) where all controls are 1."""
    rows = _changing_rows(matrix)
    for tile in _tiles(_block(vector, targets, controls), len(targets)):
        _combine(tile, rows, len(targets))


def _changing_rows(matrix: Amplitudes) -> list[Row]:
    """Return the rows that are not those of the identity, each as its non-zero entries."""
    rows = []
    for place, entries in enumerate(matrix.tolist()):
        terms = tuple((column, entry) for column, entry in enumerate(entries) if entry)
        if terms != ((place, 1),):
            rows.append((place, terms))
    return rows


def _block(vector: Amplitudes, targets: tuple[int, ...], controls: tuple[int, ...]) -> Amplitudes:
    """View the amplitudes whose controls are all 1.

    Returns:
        Axes: one for each target, the last target first (so that target k is bit k of their
        joint index), then the other qubits, neighbours merged into one axis, highest first.
    """
    shape: list[int] = []
    axis_of: dict[int, int] = {}
    top = vector.size.bit_length() - 1
    for qubit in sorted((*targets, *controls), reverse=True):
        if top - qubit > 1:
            shape.append(1 << (top - qubit - 1))
        axis_of[qubit] = len(shape)
        shape.append(2)
        top = qubit
    if top:
        shape.append(1 << top)
    named = [axis_of[qubit] for qubit in (*controls, *reversed(targets))]
    others = [axis for axis in range(len(shape)) if axis not in named]
    return vector.reshape(shape).transpose(named + others)[(1,) * len(controls) + (...,)]


def _tiles(block: Amplitudes, num_targets: int) -> Iterator[Amplitudes]:
    """Halve a block along its first long axis, never along a target, until it is a tile."""
    if block.size <= _TILE:
        yield block
        return
    axis = next(axis for axis in range(num_targets, block.ndim) if block.shape[axis] > 1)
    middle = block.shape[axis] // 2
    before = (slice(None),) * axis
    yield from _tiles(block[(*before, slice(None, middle))], num_targets)
    yield from _tiles(block[(*before, slice(middle, None))], num_targets)


def _combine(tile: Amplitudes, rows: list[Row], num_targets: int) -> None:
    """Replace each row of a tile by its combination of the old rows."""
    old = [tile]
    for _ in range(num_targets):
        # The ellipsis keeps a single amplitude an array that can be written to.
        old = [half[bit, ...] for half in old for bit in (0, 1)]
    new = []
    for place, terms in rows:
        if len(terms) == 1 and terms[0][0] == place:
            old[place] *= terms[0][1]  # in a unitary, no other row reads this one
        else:
            (column, entry), *rest = terms
            total = old[column] * entry
            for other_column, other_entry in rest:
                total += old[other_column] * other_entry
            new.append((place, total))
    for place, total in new:
        old[place][...] = total


@dataclass(frozen=True, slots=True, eq=False)
class _PauliWord:
    """A product of Pauli letters P, ready to be applied to a vector cut into rows.

    P |j> = i**(number of Y) * (-1)**(ones in j & z_mask) |j ^ x_mask>, where X and Y are in the
    x_mask, Z and Y in the z_mask.

    Args:
        angle: time * coefficient, radians.
        x_mask: Qubits that are flipped.
        z_mask: Qubits whose 1 changes the sign.
        num_y: How many letters are Y.
    """

    angle: float
    x_mask: int
    z_mask: int
    num_y: int


def _pauli_words(operation: Operation) -> list[_PauliWord]:
    """Read the words of a pauliexp, over the qubits that are left without its controls."""
    targets = [
        target - sum(control < target for control in operation.controls)
        for target in operation.targets
    ]
    *coefficients, time = operation.params
    return [
        _pauli_word(term, targets, time * coefficient)
        for term, coefficient in zip(operation.terms, coefficients, strict=True)
    ]


def _pauli_word(term: str, targets: list[int], angle: float) -> _PauliWord:
    letters = list(zip(reversed(term), targets, strict=True))  # the last letter is on targets[0]
    x_mask = sum(1 << qubit for letter, qubit in letters if letter in "XY")
    z_mask = sum(1 << qubit for letter, qubit in letters if letter in "ZY")
    return _PauliWord(angle, x_mask, z_mask, term.count("Y"))


class _Mover:
    """Apply one Pauli word to a vector, one row of it at a time.

    Args:
        word: What is applied.
        rows: The vector as rows of at most a tile; the highest qubits number the rows.
    """

    def __init__(self, word: _PauliWord, rows: Amplitudes) -> None:
        width = rows.shape[1]
        low_x, low_z = word.x_mask & (width - 1), word.z_mask & (width - 1)
        self.rows = rows
        self.row_flip = word.x_mask // width
        self._row_signs = word.z_mask // width
        self._order = np.arange(width) ^ low_x
        self._factors = _signs(low_z, width)[self._order].astype(rows.dtype) * 1j**word.num_y

    def row(self, number: int) -> Amplitudes:
        """Return row `number` of the word times the vector."""
        source = number ^ self.row_flip
        moved: Amplitudes = self.rows[source][self._order]
        moved *= self._factors
        if (source & self._row_signs).bit_count() % 2:
            moved *= -1
        return moved


def _signs(mask: int, width: int) -> NDArray[np.float64]:
    """Return (-1)**(ones in j & mask) for all j below a power of two."""
    signs = np.ones(1)
    while signs.size < width:
        signs = np.concatenate([signs, -signs if mask & signs.size else signs])
    return signs


def _apply_pauliexp(vector: Amplitudes, operation: Operation) -> None:
    """Apply exp(-i sum of angle * word) where all controls are 1."""
    words = _pauli_words(operation)
    method = _method(words, len(operation.targets))
    if method is _Method.MATRIX:
        matrix = operation.gate.unitary(*operation.params, terms=operation.terms)
        _apply_matrix(vector, matrix, operation.targets, operation.controls)
        return
    block = _block(vector, (), operation.controls)
    part = block.reshape(-1)  # a view without controls, else mostly a copy
    rows = part.reshape(-1, min(part.size, _TILE))
    if method is _Method.ROTATIONS:
        for word in words:
            _rotate(_Mover(word, rows), word.angle)
    else:
        _add_taylor_series(rows, words)
    if operation.controls:
        block[...] = part.reshape(block.shape)


def _rotate(mover: _Mover, angle: float) -> None:
    """Apply exp(-i angle P) = cos(angle) - i sin(angle) P in place: P only exchanges rows."""
    rows, cosine, factor = mover.rows, cos(angle), -1j * sin(angle)
    for number in range(len(rows)):
        partner = number ^ mover.row_flip
        if partner < number:
            continue
        pair = {number, partner}
        added = [(row, mover.row(row) * factor) for row in pair]
        for row, amplitudes in added:
            rows[row] *= cosine
            rows[row] += amplitudes


def _add_taylor_series(rows: Amplitudes, words: list[_PauliWord]) -> None:
    """Apply exp(-i H), H the sum of angle * word, as a Taylor series in steps of norm <= 1.

    Source:
        The series of exp at 1 has fallen below 1e-17 after `_TAYLOR_ORDER` terms.
    """
    num_steps = _num_taylor_steps(words)
    for _ in range(num_steps):
        term = rows.copy()
        for order in range(1, _TAYLOR_ORDER + 1):
            term = _times_sum(term, words, -1j / (num_steps * order))
            rows += term


def _times_sum(rows: Amplitudes, words: list[_PauliWord], factor: complex) -> Amplitudes:
    total = np.zeros_like(rows)
    for word in words:
        mover = _Mover(word, rows)
        for number in range(len(rows)):
            total[number] += mover.row(number) * (factor * word.angle)
    return total


def _num_taylor_steps(words: list[_PauliWord]) -> int:
    return max(1, ceil(sum(abs(word.angle) for word in words)))


class _Method(Enum):
    """How a pauliexp is applied."""

    ROTATIONS = auto()
    MATRIX = auto()
    TAYLOR = auto()


def _method(words: list[_PauliWord], num_targets: int) -> _Method:
    if _all_commute(words):
        return _Method.ROTATIONS
    return _Method.MATRIX if num_targets <= _MATRIX_TARGETS else _Method.TAYLOR


def _all_commute(words: list[_PauliWord]) -> bool:
    """Tell whether every pair of words differs in an even number of places, not counting I.

    That number is bilinear in the masks modulo 2, so it is enough to compare the members of a
    basis of all words: at most two for each qubit, instead of every pair of words.
    """
    basis: list[tuple[int, int]] = []
    for x_mask, z_mask in {(word.x_mask, word.z_mask) for word in words}:
        rest = x_mask, z_mask
        for x, z in basis:
            rest = min(rest, (rest[0] ^ x, rest[1] ^ z))
        if any(((rest[0] & z).bit_count() + (rest[1] & x).bit_count()) % 2 for x, z in basis):
            return False
        if rest != (0, 0):
            basis.append(rest)
    return True


@dataclass(frozen=True, slots=True)
class _Cost:
    """What operations take: passes over the vector, and vectors at the peak."""

    passes: float
    vectors: float = _VECTORS


def _matrix_passes(circuit: Circuit) -> float:
    """Return the passes of all operations but pauliexp, read from the packed arrays."""
    starts = circuit.qubit_starts
    num_controls = starts[1:] - starts[:-1] - circuit.num_targets
    return float(np.ldexp(_ROW_PASSES[circuit.gates], -num_controls).sum())


def _pauliexp_cost(place: int, operation: Operation) -> _Cost | str:
    """Return the cost of a pauliexp, or why it would take too long."""
    words = _pauli_words(operation)
    method = _method(words, len(operation.targets))
    if method is _Method.MATRIX:
        return _Cost(2.0 ** len(operation.targets))
    if method is _Method.ROTATIONS:
        return _Cost(_WORD_PASSES * len(words))
    num_steps = _num_taylor_steps(words)
    if num_steps > _MOST_TAYLOR_STEPS:
        return (
            f"circuit[{place}]: a pauliexp whose terms do not commute, on "
            f"{len(operation.targets)} targets with time * sum of |coefficients| = {num_steps:g}; "
            f"at most {_MOST_TAYLOR_STEPS} on more than {_MATRIX_TARGETS} targets"
        )
    return _Cost(_WORD_PASSES * len(words) * num_steps * _TAYLOR_ORDER, _TAYLOR_VECTORS)


def _circuit_cost(circuit: Circuit) -> _Cost | str:
    matrices = _Cost(_matrix_passes(circuit))
    if not circuit.paulis.size:
        return matrices
    costs = [matrices]
    for place, operation in enumerate(circuit.operations()):
        if operation.terms:
            cost = _pauliexp_cost(place, operation)
            if isinstance(cost, str):
                return cost
            costs.append(cost)
    return _Cost(sum(cost.passes for cost in costs), max(cost.vectors for cost in costs))


class StateVectorEngine:
    """All amplitudes in memory: exact, any circuit, 2**n in memory and time."""

    name = "statevector"

    def assess(self, workload: Workload) -> Estimate | Refusal:
        """Say what the workload costs; refuse noise and what would never end."""
        if workload.noise_model != IDEAL:
            return refuse_noise(self.name, workload.noise_model)
        num_qubits = workload.circuit.num_qubits
        if num_qubits > _MOST_QUBITS:
            reason = f"{num_qubits} qubits; the state-vector engine takes at most {_MOST_QUBITS}"
            return Refusal(self.name, reason, is_too_large=True)
        cost = _circuit_cost(workload.circuit)
        if isinstance(cost, str):
            return Refusal(self.name, cost)
        return self._estimate(workload, cost)

    def _estimate(self, workload: Workload, cost: _Cost) -> Estimate:
        precision = resolve_precision(workload)
        size = 1 << workload.circuit.num_qubits
        vector_bytes = size * _AMPLITUDE_TYPES[precision].itemsize
        is_exact = size <= workload.max_outcomes
        memory_bytes = int(cost.vectors * vector_bytes) + _TILE_BYTES * min(size, _TILE)
        if not is_exact:
            memory_bytes += _SHOT_BYTES * workload.shots + _SAMPLING_BYTES
        seconds = (
            _READ_OUT_SECONDS
            + _OPERATION_SECONDS * workload.circuit.num_operations
            + _BYTE_SECONDS * vector_bytes * (cost.passes + _READ_OUT_PASSES)
        )
        return Estimate(self.name, memory_bytes, seconds, 1, precision, is_exact)

    def run(self, workload: Workload) -> Outcome:
        """Run all operations, then list the outcomes, or sample where they are too many."""
        weights = _weights(workload.circuit, _AMPLITUDE_TYPES[resolve_precision(workload)])
        # Counting is a pass of its own; most circuits cannot have that many outcomes.
        if weights.size > workload.max_outcomes:
            num_outcomes = count_outcomes(weights)
            if num_outcomes > workload.max_outcomes:
                return _sampled(weights, num_outcomes, workload)
        return Outcome(read_out(weights, workload.circuit.num_qubits), ())


def _weights(
    circuit: Circuit, amplitude_type: np.dtype[np.complex128 | np.complex64]
) -> FloatArray:
    """Return the squared magnitudes of the amplitudes at the end of a circuit."""
    vector = np.zeros(1 << circuit.num_qubits, amplitude_type)
    vector[0] = 1
    for operation in circuit.operations():
        if operation.terms:
            _apply_pauliexp(vector, operation)
        else:
            matrix = operation.gate.unitary(*operation.params)
            _apply_matrix(vector, matrix, operation.targets, operation.controls)
    parts = vector.view(vector.real.dtype)
    np.square(parts, out=parts)  # in place: the weights are the only new array
    return parts[::2] + parts[1::2]


def _sampled(weights: FloatArray, num_outcomes: int, workload: Workload) -> Outcome:
    basis_states, counts = sample(weights, workload.shots, workload.seed)
    probabilities = Probabilities(
        workload.circuit.num_qubits, basis_states, counts / workload.shots
    )
    warning = (
        f"sampled with {workload.shots} shots: {_power_text(num_outcomes)} possible outcomes "
        f"exceed the limit of {_power_text(workload.max_outcomes)}"
    )
    return Outcome(probabilities, (warning,))


def _power_text(number: int) -> str:
    """Print 2^24 as such, and numbers that are no powers of two, or small ones, in full."""
    is_power = number.bit_count() == 1
    return f"2^{number.bit_length() - 1}" if is_power and number >= 1024 else str(number)
