"""Which engine runs a workload: all are asked.

Of those that fit into memory, the ones that list all outcomes come first, the fastest of them
before the others. Of those that sample, the first in the order of `ENGINES` does, the ones that
need very much memory last; with noise, the one that is fastest on one core of the reference
machine: what a seed gives must not depend on how fast a machine is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from ionbox._kernel import kernel
from ionbox.engines.apparatus import Apparatus
from ionbox.engines.branches import BranchEngine
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.density_matrix import DensityMatrixEngine
from ionbox.engines.engine import Engine, Estimate, Refusal, Workload
from ionbox.engines.kernel import KernelEngine
from ionbox.engines.mps import MatrixProductEngine
from ionbox.engines.shallow import ShallowEngine
from ionbox.engines.sparse import SparseEngine
from ionbox.engines.stabilizer import HAS_STIM, StabilizerEngine
from ionbox.engines.statevector import StateVectorEngine
from ionbox.engines.trajectories import TrajectoryEngine
from ionbox.errors import EngineMissingError

ENGINES: tuple[Engine, ...] = (
    *((StabilizerEngine(),) if HAS_STIM else ()),
    SparseEngine(),
    DensityMatrixEngine(kernel),
    *((KernelEngine(kernel),) if kernel is not None else ()),
    StateVectorEngine(),
    BranchEngine(Apparatus(kernel)),
    TrajectoryEngine(Apparatus(kernel)),
    MatrixProductEngine(),
    ShallowEngine(),
)

# A job that was planned with the kernel may be run by an ionbox that has none.
_STAND_INS = {"kernel": "statevector"}

# More than this comes last among those that sample; a rule that holds on every machine.
_MUCH_BYTES = 8 << 30

# Noisy shots that one engine has on the reference machine by then are its own: it would take others
# as long to say what they need.
_AT_ONCE_SECONDS = 0.5e-3

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


class Plan(msgspec.Struct, frozen=True):
    """The choice, and what each engine answered.

    Args:
        chosen: The best estimate that fits into memory; None if there is none.
        answers: One for each engine, in the order asked.
    """

    chosen: Estimate | None
    answers: tuple[Estimate | Refusal, ...]

    def times(self, number: int) -> Plan:
        """Return the plan of so many runs, one after the other, of workloads that are alike."""

        def longer(answer: Estimate | Refusal) -> Estimate | Refusal:
            if isinstance(answer, Refusal):
                return answer
            return replace(answer, seconds=number * answer.seconds)

        chosen = self.chosen and replace(self.chosen, seconds=number * self.chosen.seconds)
        return Plan(chosen, tuple(map(longer, self.answers)))

    @property
    def refusal(self) -> str:
        """Return why nothing was chosen, each reason once; empty if something was."""
        if self.chosen is not None:
            return ""
        return "; ".join(dict.fromkeys(refusal.reason for refusal in self._refusals()))

    @property
    def is_too_large(self) -> bool:
        """Tell whether every engine whose answer counts found the program too large."""
        return all(refusal.is_too_large for refusal in self._refusals())

    def _refusals(self) -> list[Refusal]:
        """Return the refusals that count, if there are any."""
        refusals = [answer for answer in self.answers if isinstance(answer, Refusal)]
        return [refusal for refusal in refusals if not refusal.is_moot] or refusals


def plan(
    workload: Workload,
    *,
    memory_bytes: int,
    machine: Machine = ONE_CORE,
    engines: Sequence[Engine] = ENGINES,
) -> Plan:
    """Ask every engine and choose among those that fit: the fastest exact one, else as above.

    Args:
        workload: What is to be run.
        memory_bytes: What the run may allocate.
        machine: Where it is to run.
        engines: Who is asked; of two equally good ones the first is chosen.
    """
    asked = tuple(_ask(workload, machine, engines))
    estimates = [answer for answer in asked if isinstance(answer, Estimate)]
    fitting = [estimate for estimate in estimates if estimate.memory_bytes <= memory_bytes]
    if len(fitting) < len(estimates):
        asked = _within(asked, workload, memory_bytes)
    is_noisy = workload.noise is not None
    return Plan(min(fitting, key=partial(_rank, is_noisy=is_noisy), default=None), asked)


def _ask(
    workload: Workload, machine: Machine, engines: Sequence[Engine]
) -> Iterator[Estimate | Refusal]:
    """Yield what the engines answer; none is asked once one has noisy shots done at once."""
    soonest, is_noisy = "", workload.noise is not None
    for engine in engines:
        if soonest:
            reason = f"{soonest} is done sooner than anything else could be planned"
            yield Refusal(engine.name, reason, is_moot=True)
            continue
        answer = engine.assess(workload, machine)
        if is_noisy and isinstance(answer, Estimate):
            soonest = engine.name if 0 < answer.reference_seconds < _AT_ONCE_SECONDS else ""
        yield answer


def _rank(estimate: Estimate, *, is_noisy: bool) -> tuple[bool, bool, float]:
    """Return what is least for the engine that is chosen."""
    if estimate.is_exact:
        return False, False, estimate.seconds
    seconds = estimate.reference_seconds if is_noisy else 0.0
    return True, estimate.memory_bytes > _MUCH_BYTES, seconds


def _within(
    asked: tuple[Estimate | Refusal, ...], workload: Workload, memory_bytes: int
) -> tuple[Estimate | Refusal, ...]:
    """Turn the estimates that do not fit into refusals."""
    least_bytes = min(answer.memory_bytes for answer in asked if isinstance(answer, Estimate))
    return tuple(
        _too_large(answer, workload, memory_bytes, least_bytes)
        if isinstance(answer, Estimate) and answer.memory_bytes > memory_bytes
        else answer
        for answer in asked
    )


def _too_large(
    answer: Estimate, workload: Workload, memory_bytes: int, least_bytes: int
) -> Refusal:
    """Refuse what does not fit; only the engine that needs least has something to say."""
    reason = too_large(workload.program.num_qubits, answer.memory_bytes, memory_bytes)
    is_least = answer.memory_bytes == least_bytes
    return Refusal(answer.engine, reason, is_too_large=True, is_moot=not is_least)


def too_large(num_qubits: int, needed_bytes: int, available_bytes: int) -> str:
    """Say that a circuit needs more memory than there is."""
    needed, available = size_text(needed_bytes), size_text(available_bytes)
    return f"{num_qubits} qubits need {needed}; {available} are available"


def size_text(num_bytes: int) -> str:
    """Print a number of bytes in the unit that suits it."""
    if num_bytes < 1024:
        return f"{num_bytes} bytes"
    exponent = min((num_bytes.bit_length() - 1) // 10, len(_UNITS))
    return f"{num_bytes / 1024**exponent:.1f} {_UNITS[exponent - 1]}"


def engine_named(name: str, engines: Sequence[Engine] = ENGINES) -> Engine:
    """Return the engine of that name, or the one that stands in for it where it was not built.

    Raises:
        EngineMissingError: If neither is there.
    """
    by_name = {engine.name: engine for engine in engines}
    engine = by_name.get(name) or by_name.get(_STAND_INS.get(name, ""))
    if engine is None:
        raise EngineMissingError(name)
    return engine
