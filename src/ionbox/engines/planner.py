"""Which engine runs a workload: all are asked, the fastest that fits into memory is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ionbox.engines.engine import Engine, Estimate, Refusal, Workload
from ionbox.engines.statevector import StateVectorEngine

ENGINES: tuple[Engine, ...] = (StateVectorEngine(),)

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice, and what each engine answered.

    Args:
        chosen: The fastest estimate that fits into memory; None if there is none.
        answers: One for each engine, in the order asked.
    """

    chosen: Estimate | None
    answers: tuple[Estimate | Refusal, ...]

    @property
    def refusal(self) -> str:
        """Return why nothing was chosen, each reason once; empty if something was."""
        if self.chosen is not None:
            return ""
        return "; ".join(dict.fromkeys(refusal.reason for refusal in self._refusals()))

    @property
    def is_too_large(self) -> bool:
        """Tell whether every engine that was asked found the circuit too large."""
        return all(refusal.is_too_large for refusal in self._refusals())

    def _refusals(self) -> list[Refusal]:
        return [answer for answer in self.answers if isinstance(answer, Refusal)]


def plan(workload: Workload, *, memory_bytes: int, engines: Sequence[Engine] = ENGINES) -> Plan:
    """Ask every engine and choose the fastest whose memory fits.

    Args:
        workload: What is to be run.
        memory_bytes: What the run may allocate.
        engines: Who is asked; of two equally fast ones the first is chosen.
    """
    answers = tuple(_within(engine.assess(workload), memory_bytes, workload) for engine in engines)
    estimates = [answer for answer in answers if isinstance(answer, Estimate)]
    chosen = min(estimates, key=lambda estimate: estimate.seconds, default=None)
    return Plan(chosen, answers)


def _within(
    answer: Estimate | Refusal, memory_bytes: int, workload: Workload
) -> Estimate | Refusal:
    if isinstance(answer, Refusal) or answer.memory_bytes <= memory_bytes:
        return answer
    reason = too_large(workload.circuit.num_qubits, answer.memory_bytes, memory_bytes)
    return Refusal(answer.engine, reason, is_too_large=True)


def too_large(num_qubits: int, needed_bytes: int, available_bytes: int) -> str:
    """Say that a circuit needs more memory than there is."""
    needed, available = _size_text(needed_bytes), _size_text(available_bytes)
    return f"{num_qubits} qubits need {needed}; {available} are available"


def _size_text(num_bytes: int) -> str:
    if num_bytes < 1024:
        return f"{num_bytes} bytes"
    exponent = min((num_bytes.bit_length() - 1) // 10, len(_UNITS))
    return f"{num_bytes / 1024**exponent:.1f} {_UNITS[exponent - 1]}"


def engine_named(name: str) -> Engine:
    """Return the engine of that name.

    Raises:
        KeyError: If there is none.
    """
    return {engine.name: engine for engine in ENGINES}[name]
