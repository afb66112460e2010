"""A circuit as frozen values over packed arrays, so that an engine can read it without Python.

Every circuit goes through the Packer, the one place that checks operations, so a half-built or
impossible circuit cannot exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from operator import sub
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ionbox.circuits.gates import GATES, ROW_BY_NAME, Gate
from ionbox.circuits.unitaries import Matrix
from ionbox.errors import InvalidCircuitError

# More than any machine has or any engine can follow: a larger number is a slip, which must not
# ask for memory first.
MAX_QUBITS: Final = 10_000

# Targets and controls of one operation: a basis state of its own matrix fits 64 bits.
MAX_OPERATION_QUBITS: Final = 64

# A row number of GATES and the fields of an Operation: targets, controls, params, terms.
_Row: TypeAlias = tuple[int, Sequence[int], Sequence[int], Sequence[float], Sequence[str]]

Scalar = TypeVar("Scalar", bound=np.generic)

PAULI_LETTERS: Final = "IXYZ"

_PAULI_CODES: Final = {letter: code for code, letter in enumerate(PAULI_LETTERS)}
_NOP: Final = ROW_BY_NAME["native", "nop"]


@dataclass(frozen=True, slots=True)
class Operation:
    """A gate on given qubits with given parameters.

    Args:
        gate: Its row of the table.
        targets: Qubits, counted from 0.
        controls: Qubits that must all be 1 for the gate to act.
        params: Flattened in the order of the gate's row, defaults filled in.
        terms: Of a pauliexp; the rightmost letter acts on targets[0].
    """

    gate: Gate
    targets: tuple[int, ...]
    controls: tuple[int, ...] = ()
    params: tuple[float, ...] = ()
    terms: tuple[str, ...] = ()

    def unitary(self) -> Matrix:
        """Return the matrix over the targets, then the controls.

        Returns:
            Shape (2**m, 2**m), complex128, m = targets + controls; bit k of a row or column
            number is the k-th of them. It is the identity unless all controls are 1.
        """
        terms = {"terms": self.terms} if self.terms else {}
        target_unitary = self.gate.unitary(*self.params, **terms)
        size = len(target_unitary)
        matrix: Matrix = np.eye(size << len(self.controls), dtype=np.complex128)
        matrix[-size:, -size:] = target_unitary  # controls are the highest bits: all 1 is last
        return matrix


class CircuitSize(NamedTuple):
    """How many operations a circuit has, and how wide they are.

    Args:
        num_1q: Operations on one qubit, but for nop.
        num_2q: Operations on two qubits or more, controls counted.
        widest: The most qubits of an operation.
        max_controls: The most controls of an operation.
    """

    num_1q: int
    num_2q: int
    widest: int
    max_controls: int


class Circuit(msgspec.Struct, frozen=True, eq=False):
    """Operations on `num_qubits` qubits, of one gateset; made by `from_operations`.

    The arrays are read-only and hold one entry an operation, or one slice an operation, from
    `starts[k]` to `starts[k + 1]`.

    Args:
        num_qubits: At least 1.
        gateset: "qis" or "native".
        gates: Row numbers in GATES, int16.
        qubits: Targets, then controls, int32; slices by `qubit_starts`.
        qubit_starts: int32.
        num_targets: How many of an operation's qubits are targets, int32.
        params: In the order of the gate's row, float64; slices by `param_starts`.
        param_starts: int32.
        paulis: The letters of the terms of pauliexp as 0 I, 1 X, 2 Y, 3 Z, uint8: term after
            term, the letter of targets[0] first; slices by `pauli_starts`.
        pauli_starts: int32.
    """

    num_qubits: int
    gateset: str
    gates: npt.NDArray[np.int16]
    qubits: npt.NDArray[np.int32]
    qubit_starts: npt.NDArray[np.int32]
    num_targets: npt.NDArray[np.int32]
    params: npt.NDArray[np.float64]
    param_starts: npt.NDArray[np.int32]
    paulis: npt.NDArray[np.uint8]
    pauli_starts: npt.NDArray[np.int32]

    @staticmethod
    def from_operations(
        num_qubits: int,
        gateset: str,
        operations: Iterable[Operation],
    ) -> Circuit:
        """Check and pack operations.

        Raises:
            InvalidCircuitError: Where something cannot be, such as `circuit[3].targets[0]`.
        """
        packer = Packer(num_qubits, gateset)
        for index, operation in enumerate(operations):
            gate = operation.gate
            try:
                check_gateset(gate, gateset)
                packer.append(
                    ROW_BY_NAME[gate.gateset, gate.name],
                    operation.targets,
                    operation.controls,
                    operation.params,
                    operation.terms,
                )
            except InvalidCircuitError as error:
                path = f"circuit[{index}].{error.path}"
                raise InvalidCircuitError(path, error.message) from None
        return packer.pack()

    @property
    def num_operations(self) -> int:
        """Return the length of the list of operations."""
        return len(self.gates)

    def operations(self) -> Iterator[Operation]:
        """Unpack the operations, in the order in which they act."""
        qubits, params, paulis = self.qubits.tolist(), self.params.tolist(), self.paulis.tolist()
        slices = zip(
            self.gates.tolist(),
            self.num_targets.tolist(),
            pairwise(self.qubit_starts.tolist()),
            pairwise(self.param_starts.tolist()),
            pairwise(self.pauli_starts.tolist()),
            strict=True,
        )
        for row, num_targets, (first, last), (param, end), (pauli, pauli_end) in slices:
            targets_end = first + num_targets
            yield Operation(
                GATES[row],
                targets=tuple(qubits[first:targets_end]),
                controls=tuple(qubits[targets_end:last]),
                params=tuple(params[param:end]),
                terms=_unpack_terms(paulis[pauli:pauli_end], num_targets),
            )

    def gate_names(self) -> set[str]:
        """Return the names of the gates in use."""
        return {GATES[row].name for row in set(self.gates.tolist())}

    def size(self) -> CircuitSize:
        """Return how many operations there are, and how wide."""
        # Most circuits are so short that lists are quicker than arrays.
        starts = self.qubit_starts.tolist()
        widths = [last - first for first, last in pairwise(starts)]
        num_idle = self.gates.tolist().count(_NOP) if self.gateset == "native" else 0
        num_single = widths.count(1)
        return CircuitSize(
            num_1q=num_single - num_idle,
            num_2q=len(widths) - num_single,
            widest=max(widths, default=0),
            max_controls=max(map(sub, widths, self.num_targets.tolist()), default=0),
        )

    def gate_counts(self) -> tuple[int, int]:
        """Count the operations on one qubit, and on two or more, controls counted; nop is none."""
        return self.size()[:2]


class Packer:
    """Check operations one by one and collect them, to be packed into a circuit's arrays.

    Args:
        num_qubits: None if it follows from the highest qubit in use.
        gateset: "qis" or "native".
    """

    def __init__(self, num_qubits: int | None, gateset: str) -> None:
        check_num_qubits(num_qubits)
        self._num_qubits = num_qubits
        self._gateset = gateset
        self._operations: list[_Row] = []

    @property
    def num_operations(self) -> int:
        """Return how many operations were added."""
        return len(self._operations)

    def append(
        self,
        row: int,
        targets: Sequence[int],
        controls: Sequence[int],
        params: Sequence[float],
        terms: Sequence[str] = (),
    ) -> None:
        """Add an operation: a row number of GATES, and the fields of an Operation.

        Not an Operation itself, which would cost a third of the time of reading a circuit.

        Raises:
            InvalidCircuitError: With a path inside the operation, such as `targets[0]`.
        """
        gate = GATES[row]
        _check_shape(gate, len(targets), len(controls))
        self.check_qubits(targets, controls)
        if gate.num_targets is None:
            _check_terms(terms, len(targets), params)
        elif terms:
            raise InvalidCircuitError("terms", f"gate {gate.name} takes no terms")
        _check_params(gate, params, len(terms))
        self._operations.append((row, targets, controls, params, terms))

    def check_qubits(self, targets: Sequence[int], controls: Sequence[int]) -> None:
        """Refuse qubits that the circuit does not have, and one qubit named twice."""
        limit = self._num_qubits or MAX_QUBITS
        if not controls and len(targets) == 1 and 0 <= targets[0] < limit:
            return
        qubits = [*targets, *controls]
        if len(set(qubits)) == len(qubits) and min(qubits) >= 0 and max(qubits) < limit:
            return
        first_positions: dict[int, int] = {}
        for position, qubit in enumerate(qubits):
            message = self._qubit_fault(qubit, limit)
            if (first := first_positions.setdefault(qubit, position)) < position:
                role = "target" if first < len(targets) else "control"
                message = f"qubit {qubit} is already a {role} of this gate"
            if message is not None:
                index = position - len(targets)
                path = f"targets[{position}]" if index < 0 else f"controls[{index}]"
                raise InvalidCircuitError(path, message)

    def _qubit_fault(self, qubit: int, limit: int) -> str | None:
        if qubit < 0:
            return f"qubit {qubit}; qubits are counted from 0"
        if qubit < limit:
            return None
        if self._num_qubits is None:
            return f"qubit {qubit}; a circuit has at most {MAX_QUBITS} qubits"
        return f"qubit {qubit} of a {self._num_qubits}-qubit circuit"

    def pack(self) -> Circuit:
        """Return the circuit of all operations so far."""
        qubits: list[int] = []
        params: list[float] = []
        paulis: list[int] = []
        qubit_starts, param_starts, pauli_starts = [0], [0], [0]
        for _, targets, controls, numbers, terms in self._operations:
            qubits += targets
            qubits += controls
            params += numbers
            for term in terms:
                paulis += [_PAULI_CODES[letter] for letter in reversed(term)]
            qubit_starts.append(len(qubits))
            param_starts.append(len(params))
            pauli_starts.append(len(paulis))
        if self._num_qubits is None and not qubits:
            raise InvalidCircuitError("qubits", "needed for a circuit without gates")
        return Circuit(
            self._num_qubits or max(qubits) + 1,
            self._gateset,
            gates=_frozen([operation[0] for operation in self._operations], np.int16),
            qubits=_frozen(qubits, np.int32),
            qubit_starts=_frozen(qubit_starts, np.int32),
            num_targets=_frozen([len(operation[1]) for operation in self._operations], np.int32),
            params=_frozen(params, np.float64),
            param_starts=_frozen(param_starts, np.int32),
            paulis=_frozen(paulis, np.uint8),
            pauli_starts=_frozen(pauli_starts, np.int32),
        )


def check_num_qubits(num_qubits: int | None) -> None:
    """Refuse a circuit without qubits, or with absurdly many; None is not known yet."""
    if num_qubits is None or 1 <= num_qubits <= MAX_QUBITS:
        return
    allowed = "at least 1" if num_qubits < 1 else f"at most {MAX_QUBITS}"
    raise InvalidCircuitError("qubits", f"{num_qubits} qubits; a circuit has {allowed}")


def check_gateset(gate: Gate, gateset: str) -> None:
    """Refuse a gate of the other gateset."""
    if gate.gateset != gateset:
        raise InvalidCircuitError(
            "gate",
            f"gate {gate.name} belongs to gateset {gate.gateset}, this circuit to {gateset}; "
            "gatesets are never mixed",
        )


def _check_shape(gate: Gate, num_targets: int, num_controls: int) -> None:
    """Refuse too few or too many targets or controls."""
    needed = gate.num_targets
    if num_targets == needed and not num_controls and not gate.min_controls:
        return
    if num_targets != needed and (needed is not None or num_targets == 0):
        allowed = "at least 1 target" if needed is None else _plural(needed, "target")
        raise InvalidCircuitError(
            "targets", f"gate {gate.name} acts on {allowed}, not {num_targets}"
        )
    if num_controls < gate.min_controls:
        allowed = _plural(gate.min_controls, "control")
        raise InvalidCircuitError("controls", f"gate {gate.name} needs at least {allowed}")
    if num_controls and not gate.controllable:
        raise InvalidCircuitError("controls", f"gate {gate.name} takes no controls")
    if num_targets + num_controls > MAX_OPERATION_QUBITS:
        raise InvalidCircuitError(
            "controls" if num_controls else "targets",
            f"{num_targets + num_controls} qubits in one gate; {MAX_OPERATION_QUBITS} at most",
        )


def _check_params(gate: Gate, params: Sequence[float], num_terms: int) -> None:
    """Refuse too few or too many numbers, and those that are not finite or too small."""
    end = 0
    for param in gate.params:
        start, end = end, end + (num_terms if param.size is None else param.size)
        for index, value in enumerate(params[start:end]):
            if isfinite(value) and (param.minimum is None or value >= param.minimum):
                continue
            path = param.name if param.size == 1 else f"{param.name}[{index}]"
            allowed = (
                "finite" if param.minimum is None else f"finite and at least {param.minimum:g}"
            )
            raise InvalidCircuitError(path, f"{value:g} must be {allowed}")
    if len(params) != end:
        allowed = _plural(end, "number")
        raise InvalidCircuitError("params", f"gate {gate.name} takes {allowed}, not {len(params)}")


def _check_terms(terms: Sequence[str], num_targets: int, params: Sequence[float]) -> None:
    """Refuse terms of a pauliexp that do not fit its targets or its coefficients."""
    if not terms:
        raise InvalidCircuitError("terms", "gate pauliexp needs at least 1 term")
    for index, term in enumerate(terms):
        if len(term) != num_targets:
            letters, targets = _plural(len(term), "letter"), _plural(num_targets, "target")
            raise InvalidCircuitError(f"terms[{index}]", f"{letters} for {targets}")
        if wrong := set(term).difference(PAULI_LETTERS):
            message = f"letter {min(wrong)!r}; allowed are I, X, Y, Z"
            raise InvalidCircuitError(f"terms[{index}]", message)
    *coefficients, time = params or (0.0,)
    if len(coefficients) != len(terms):
        given, needed = _plural(len(coefficients), "coefficient"), _plural(len(terms), "term")
        raise InvalidCircuitError("coefficients", f"{given} for {needed}")
    if all(map(isfinite, params)) and not isfinite(time * sum(map(abs, coefficients))):
        raise InvalidCircuitError("coefficients", "too large: their sum times time is not finite")


def _unpack_terms(codes: list[int], num_targets: int) -> tuple[str, ...]:
    """Turn the codes of one operation back to terms, whose last letter acts on targets[0]."""
    starts = range(0, len(codes), num_targets)
    return tuple(
        "".join(PAULI_LETTERS[code] for code in reversed(codes[start : start + num_targets]))
        for start in starts
    )


def _frozen(values: Sequence[float], dtype: type[Scalar]) -> npt.NDArray[Scalar]:
    array = np.array(values, dtype)
    array.setflags(write=False)
    return array


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
