"""What waiting does to qubits: relaxation to the fully mixed state, exactly a Pauli channel.

After a time t in seconds

    p_x = p_y = (1 - exp(-t / T1)) / 4,   p_z = (1 - exp(-t / T2)) / 2 - p_x

Source:
    Ghosh, Fowler & Geller, Phys. Rev. A 86, 062318 (2012), section III, the Pauli twirl of
    relaxation, which is exact where both states are equally likely in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import expm1

import msgspec

from ionbox.backends.decomposition import gates_of_terms, gates_of_width
from ionbox.circuits.circuit import Operation
from ionbox.errors import SettingsError


class Idling(msgspec.Struct, frozen=True):
    """How fast waiting qubits lose their state. All times in seconds.

    Args:
        t1: How long a qubit keeps its energy.
        t2: How long it keeps its phase; at most twice `t1`.
        gate_1q: How long an operation on one qubit takes.
        gate_2q: How long one on two takes.
        is_parallel: Whether operations on other qubits run at the same time, or one after another.

    Raises:
        SettingsError: If `t2` is longer than can be.
    """

    t1: float
    t2: float
    gate_1q: float
    gate_2q: float
    is_parallel: bool = False

    def __post_init__(self) -> None:
        """Refuse a phase that outlives what energy allows."""
        if self.t2 > 2 * self.t1:
            text = f"t2: {self.t2:g} s; at most twice t1, which is {self.t1:g} s"
            raise SettingsError(text)

    def errors(self, seconds: float) -> tuple[float, float, float]:
        """Return the probabilities of X, Y and Z after so long a wait."""
        x = -expm1(-seconds / self.t1) / 4
        # Rounding may leave a trace below 0 where t2 is twice t1.
        z = max(-expm1(-seconds / self.t2) / 2 - x, 0.0)
        return x, x, z

    def duration(self, operation: Operation) -> float:
        """Return how long an operation takes; a wide one as the gates that it stands for."""
        num_qubits = len(operation.targets) + len(operation.controls)
        if operation.gate.name == "nop":
            return 0.0
        if num_qubits == 1:
            return self.gate_1q
        if num_qubits == 2:
            return self.gate_2q
        weights = [sum(letter != "I" for letter in term) for term in operation.terms]
        num_controls = len(operation.controls)
        if not weights:
            return self.gate_2q * gates_of_width(num_qubits)
        return self.gate_2q * gates_of_terms(weights, num_controls) or self.gate_1q


class Waits:
    """Follows the time while a circuit is run. Waiting merges to one wait between two gates.

    Args:
        num_qubits: All of them start at time 0.
    """

    def __init__(self, idling: Idling, num_qubits: int) -> None:
        self._idling = idling
        self._free_at = [0.0] * num_qubits
        self._now = 0.0  # the end of the last operation, where one runs after another

    def before(self, operation: Operation) -> list[tuple[int, tuple[float, float, float]]]:
        """Return the errors of each qubit that has waited for an operation; it is run then."""
        qubits = (*operation.targets, *operation.controls)
        duration = self._idling.duration(operation)
        if not duration:
            return []
        ready = max(self._free_at[qubit] for qubit in qubits)
        start = ready if self._idling.is_parallel else self._now
        waited = list(self._waited(qubits, start))
        self._now = max(self._now, start + duration)
        for qubit in qubits:
            self._free_at[qubit] = start + duration
        return waited

    def at_the_end(self) -> list[tuple[int, tuple[float, float, float]]]:
        """Return the errors of each qubit that has waited for the last operation to end."""
        return list(self._waited(range(len(self._free_at)), self._now))

    def _waited(
        self, qubits: Sequence[int], until: float
    ) -> Iterator[tuple[int, tuple[float, float, float]]]:
        for qubit in qubits:
            seconds = until - self._free_at[qubit]
            if seconds > 0:
                yield qubit, self._idling.errors(seconds)
