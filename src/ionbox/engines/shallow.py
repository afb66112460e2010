"""The engine of shallow circuits with noise, sampled, however many qubits they have.

Errors are drawn first; all shots are then the same line of tensors, but for those that an error
changes. Which circuits have small bonds is known from counting what crosses each of them, and none
is cut: nothing but rounding is ever left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel, noisy_circuit
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.contraction import contracted, measured
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.errors import Errors, Role, draw_errors, generator, misread
from ionbox.engines.network import Network, entangling
from ionbox.engines.rows import REGISTER_BIT_BYTES, rows_of_bits, shots_of_rows

_MOST_BOND: Final = 64
_MOST_CHUNK: Final = 1 << 14  # shots
_LEAST_CHUNK: Final = 16
_CHUNK_BYTES: Final = 1 << 28

# Measured on one core of a cloud server; good to a factor of two or so.
_RUN_SECONDS: Final = 0.5e-3
_EVENT_SECONDS: Final = 10e-6  # an operation or a channel: to place it, and to multiply it
_SITE_SECONDS: Final = 150e-6  # for each chunk of shots
_PATTERN_SECONDS: Final = 1e-6
_SHOT_SECONDS: Final = 150e-9  # for each site
_HIT_SECONDS: Final = 300e-9
_PRODUCT_SECONDS: Final = 0.5e-9  # two complex numbers
_ERROR_SECONDS: Final = 200e-9
_REGISTER_BIT_SECONDS: Final = 4e-9  # for each shot

_LEAST_BYTES: Final = 4 << 20
_AMPLITUDE_BYTES: Final = 16
_ERROR_BYTES: Final = 100
_MARGIN: Final = 1.3  # errors are random
_SHOT_BIT_BYTES: Final = 24  # uniforms, numbers of patterns, bits and rows

_MOOT = Refusal("shallow", "lines of tensors are for shots of one circuit with noise", is_moot=True)


@dataclass(frozen=True, slots=True)
class ShallowEngine:
    """Shots of noisy circuits in which few operations cross any place of the line of qubits."""

    @property
    def name(self) -> str:
        return "shallow"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what is not shallow."""
        circuit, noise = workload.program.circuit, workload.noise
        is_other = workload.observable is not None or workload.lists_noise
        if circuit is None or noise is None or is_other:
            return _MOOT
        if circuit.num_qubits > noise.num_qubits:
            return Refusal(self.name, "wider than the device that is modelled", is_moot=True)
        # Before looking at errors, which takes longer; no bond is smaller where gates turn too far.
        if reason := entangling(circuit, _MOST_BOND):
            return Refusal(self.name, reason, is_moot=True)
        happening = noisy_circuit(noise, circuit)
        if noise.has_over_rotations and (reason := entangling(happening.circuit, _MOST_BOND)):
            return Refusal(self.name, reason, is_moot=True)
        effort = Effort(Network(*happening), happening.channels)
        return paced(self._estimate(workload, effort), machine)

    def _estimate(self, workload: Workload, effort: Effort) -> Estimate:
        shots, num_bits = workload.shots, workload.program.num_bits
        num_chunks = -(-shots // effort.chunk)
        seconds = (
            _RUN_SECONDS
            + _EVENT_SECONDS * effort.num_events
            + effort.seconds(min(shots, effort.chunk)) * num_chunks
            + _REGISTER_BIT_SECONDS * shots * num_bits
        )
        memory_bytes = (
            _LEAST_BYTES
            + effort.bytes(min(shots, effort.chunk))
            + _ERROR_BYTES * int(shots * effort.behind[0])
            + shots
            * (_SHOT_BIT_BYTES * workload.program.num_qubits + REGISTER_BIT_BYTES * num_bits)
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact=False)

    def run(self, workload: Workload, *, threads: int = 1) -> Outcome:  # noqa: ARG002 - the port's
        """Draw the errors, then the outcomes."""
        program, noise = workload.program, workload.noise
        assert program.circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        assert noise is not None  # noqa: S101 - and what has no noise
        happening = noisy_circuit(noise, program.circuit)
        network = Network(*happening)
        errors = draw_errors(happening.channels, workload.shots, workload.seed)
        chunk = Effort(network, happening.channels).chunk
        bits = _sampled_bits(network, errors, workload, chunk)[:, network.site_of]
        read = misread(bits, noise, workload.seed)
        return Outcome(shots_of_rows(rows_of_bits(read), program))


def _sampled_bits(
    network: Network, errors: Errors, workload: Workload, chunk: int
) -> NDArray[np.uint8]:
    """Measure all sites in all shots; the first shots do not depend on how many there are."""
    uniforms = generator(workload.seed, Role.OUTCOMES)
    found = np.empty((workload.shots, workload.program.num_qubits), np.uint8)
    for start in range(0, workload.shots, chunk):
        part = found[start : start + chunk]
        here = _of_shots(errors, start, start + len(part))
        part[:] = measured(contracted(network, here, len(part)), uniforms.random(part.shape))
    return found


def _of_shots(errors: Errors, start: int, end: int) -> Errors:
    """Return what happens in some shots, which are counted anew."""
    first, last = np.searchsorted(errors.shots, [start, end])
    shots, channels, paulis = errors
    return Errors(shots[first:last] - start, channels[first:last], paulis[first:last])


class Effort:
    """What a run takes, as predicted from how many errors there are to the right of each bond.

    Args:
        network: What is contracted.
        channels: Where errors are drawn.
    """

    def __init__(self, network: Network, channels: Sequence[Channel]) -> None:
        num_sites = len(network.num_slots)
        self.num_events = len(channels) + sum(network.num_steps)
        # Of one shot: expected errors with a letter on a site, or to the right of each bond.
        self.here, self.behind = np.zeros(num_sites), np.zeros(num_sites + 1)
        self._kinds_here = 3.0 * np.array(network.num_slots)
        self._kinds_behind = np.zeros(num_sites + 1)
        for channel, slots in zip(channels, network.slots, strict=True):
            self._add(channel, sorted([slot.site for slot in slots], reverse=True))
        self.behind = np.cumsum(self.behind[::-1])[::-1]
        self._kinds_behind = np.cumsum(self._kinds_behind[::-1])[::-1]
        self._left, self._right = np.array([*pairwise(network.bonds)], np.float64).T

    def _add(self, channel: Channel, sites: Sequence[int]) -> None:
        """Add a channel: the errors that a bond has behind it grow with each site of it."""
        words = 4.0 ** len(sites) - 1
        for place, site in enumerate(sites):
            more = 3 * 4.0**place  # words whose leftmost letter is on this site
            self.behind[site] += channel.probability * more / words
            self._kinds_behind[site] += more
            self.here[site] += channel.probability * 0.75 * (words + 1) / words

    @property
    def chunk(self) -> int:
        """How many shots are contracted at once."""
        chunk = _MOST_CHUNK
        while chunk > _LEAST_CHUNK and self.bytes(chunk) > _CHUNK_BYTES:
            chunk //= 2
        return chunk

    def seconds(self, shots: int) -> float:
        """Predict the time of a chunk."""
        left, right = self._left, self._right
        pairs = _distinct(shots, self.behind, self._kinds_behind)[:-1]
        hits = shots * (2 - np.exp(-self.here) - np.exp(-self.behind[1:]))
        products = 2 * left * right * (left + right) * pairs + 2 * right * (left + right) * shots
        each = (
            _SITE_SECONDS
            + _PATTERN_SECONDS * pairs
            + _SHOT_SECONDS * shots
            + _HIT_SECONDS * hits
            + _PRODUCT_SECONDS * products
        )
        return float(each.sum()) + _ERROR_SECONDS * shots * float(self.behind[0])

    def bytes(self, shots: int) -> int:
        """Predict the memory of a chunk: all that is behind bonds, and the work on one site."""
        left, right = self._left, self._right
        pairs = _distinct(shots, self.behind, self._kinds_behind)[:-1]
        patterns = _distinct(shots, self.here, self._kinds_here)
        kept = (pairs * left**2 + patterns * 2 * left * right).sum()
        contracting = pairs * (6 * left * right + right**2)
        hits = shots * (1 - np.exp(-self.behind[1:]))
        measuring = shots * (left + 8 * right) + hits * (right**2 + 4 * right)
        most = np.maximum(contracting, measuring).max()
        return int(_AMPLITUDE_BYTES * _MARGIN * (kept + most))


def _distinct(
    shots: int, errors: NDArray[np.float64], kinds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Predict how many patterns of errors differ, given how many are expected in a shot (Poisson).

    Shots with one error share its kinds; one with more is taken to be on its own.
    """
    one = shots * errors * np.exp(-errors)
    more = shots * (1 - np.exp(-errors) * (1 + errors))
    shared = kinds * -np.expm1(-one / np.maximum(kinds, 1))
    return np.asarray(np.minimum(shots, shared + more) + 1, np.float64)
