"""From the weights of all basis states to an outcome: listed, or sampled where they are many."""

from __future__ import annotations

from ionbox.engines.engine import Outcome, Workload
from ionbox.engines.registers import exact_registers, sampled_registers
from ionbox.engines.sampling import sample
from ionbox.formats.results import NARROW_BITS, Exact, FloatArray, count_outcomes


def read_out_weights(weights: FloatArray, workload: Workload, *, threads: int = 1) -> Outcome:
    """Return what the registers hold; the weights of all qubits, lowest bit first, are used up."""
    # Counting is a pass of its own; most circuits cannot have that many outcomes.
    if weights.size > workload.max_outcomes:
        num_outcomes = count_outcomes(weights, threads=threads)
        if num_outcomes > workload.max_outcomes:
            return _sampled(weights, num_outcomes, workload, threads)
    return Outcome(Exact(exact_registers(weights, workload.program, threads=threads)))


def _sampled(weights: FloatArray, num_outcomes: int, workload: Workload, threads: int) -> Outcome:
    basis_states, counts = sample(weights, workload.shots, workload.seed, threads=threads)
    frequencies = Exact(sampled_registers(basis_states, counts, workload.program))
    return sampled_outcome(frequencies, workload.shots, num_outcomes, most_listed(workload))


def most_listed(workload: Workload) -> int:
    """Return how many outcomes are listed: wide ones may take no more room than narrow ones."""
    width = max(workload.program.num_qubits, NARROW_BITS)
    return max(workload.max_outcomes * NARROW_BITS // width, 1)


def sampled_outcome(frequencies: Exact, shots: int, num_outcomes: int, limit: int) -> Outcome:
    """Return frequencies, and the warning that they are no probabilities."""
    warning = (
        f"sampled with {shots} shots: {_power_text(num_outcomes)} possible outcomes "
        f"exceed the limit of {_power_text(limit)}"
    )
    return Outcome(frequencies, (warning,))


def _power_text(number: int) -> str:
    """Print 2^24 as such, and numbers that are no powers of two, or small ones, in full."""
    is_power = number.bit_count() == 1
    return f"2^{number.bit_length() - 1}" if is_power and number >= 1024 else str(number)
