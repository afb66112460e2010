"""The engine of shallow circuits with noise, sampled, however many qubits they have.

Errors are drawn first; all shots are then the same line of tensors, but for those that an error
changes. Which circuits have small bonds is known from counting what crosses each of them, and none
is cut: nothing but rounding is ever left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.backends.noise import Channel, NoiseModel, noisy_circuit
from ionbox.circuits.circuit import Circuit
from ionbox.engines.calibration import ONE_CORE, Machine
from ionbox.engines.contraction import contracted, measured
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, paced
from ionbox.engines.errors import Errors, Role, draw_errors, generator, misread
from ionbox.engines.line import line_of
from ionbox.engines.network import Network
from ionbox.engines.progress import Progress
from ionbox.engines.rows import REGISTER_BIT_BYTES, rows_of_bits, shots_of_rows

_MOST_BOND: Final = 64
_MOST_CHUNK: Final = 1 << 14  # shots
_LEAST_CHUNK: Final = 16
_CHUNK_BYTES: Final = 1 << 28

# Measured on one core of a cloud server; a fit.
_EVENT_SECONDS: Final = 10.5e-6  # an operation on a site, or a channel: placed, and multiplied
_SITE_SECONDS: Final = 145e-6  # for each chunk of shots
_FORM_SECONDS: Final = 5.3e-6  # to tell its pattern from others
_SHOT_SECONDS: Final = 130e-9  # for each site
_PRODUCT_SECONDS: Final = 0.5e-9  # of two complex numbers
_REGISTER_BIT_SECONDS: Final = 4e-9  # for each shot

_LEAST_BYTES: Final = 4 << 20
_AMPLITUDE_BYTES: Final = 16
_ERROR_BYTES: Final = 120
_LETTER_BYTES: Final = 6  # in tables of patterns that are sorted
_MARGIN: Final = 1.3  # errors are random
_SHOT_BIT_BYTES: Final = 24  # uniforms, numbers of patterns, bits and rows

_MOOT = Refusal("shallow", "lines of tensors are for shots of one circuit with noise", is_moot=True)


@dataclass(frozen=True, slots=True)
class ShallowEngine:
    """Shots of noisy circuits in which few operations cross any place of the line of qubits.

    Args:
        least_qubits: Below, state vectors are so short that others are quicker, and to look at each
            operation would take as long as running it.
    """

    least_qubits: int = 8

    @property
    def name(self) -> str:
        return "shallow"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; leave to others what is not shallow."""
        circuit, noise = workload.program.circuit, workload.noise
        is_other = workload.observable is not None or workload.lists_noise
        if circuit is None or noise is None or is_other:
            return _MOOT
        if circuit.num_qubits < self.least_qubits:
            reason = f"lines of tensors are for {self.least_qubits} qubits or more"
            return Refusal(self.name, reason, is_moot=True)
        if circuit.num_qubits > noise.num_qubits:
            return Refusal(self.name, "wider than the device that is modelled", is_moot=True)
        prepared = _prepared(circuit, noise)
        if isinstance(prepared, str):
            return Refusal(self.name, prepared, is_moot=True)
        return paced(self._estimate(workload, Effort(*prepared)), machine)

    def _estimate(self, workload: Workload, effort: Effort) -> Estimate:
        shots, num_bits = workload.shots, workload.program.num_bits
        num_chunks = -(-shots // effort.chunk)
        seconds = (
            _EVENT_SECONDS * effort.num_events
            + effort.seconds(min(shots, effort.chunk)) * num_chunks
            + _REGISTER_BIT_SECONDS * shots * num_bits
        )
        memory_bytes = (
            _LEAST_BYTES
            + effort.bytes(min(shots, effort.chunk))
            + _ERROR_BYTES * int(shots * effort.errors)
            + shots
            * (_SHOT_BIT_BYTES * workload.program.num_qubits + REGISTER_BIT_BYTES * num_bits)
        )
        return Estimate(self.name, memory_bytes, seconds, 1, "float64", is_exact=False)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Draw the errors, then the outcomes."""
        program, noise = workload.program, workload.noise
        assert program.circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        assert noise is not None  # noqa: S101 - and what has no noise
        prepared = _prepared(program.circuit, noise)
        assert isinstance(prepared, _Prepared)  # noqa: S101 - and what is not shallow
        errors = draw_errors(prepared.channels, workload.shots, workload.seed)
        counted = progress or Progress()
        bits = _sampled_bits(prepared, errors, workload, counted)[:, prepared.network.site_of]
        read = misread(bits, noise, workload.seed)
        return Outcome(shots_of_rows(rows_of_bits(read), program))


class _Prepared(NamedTuple):
    """A circuit with noise as a network, and the channels whose errors it has places for."""

    network: Network
    channels: Sequence[Channel]


def _prepared(circuit: Circuit, noise: NoiseModel) -> _Prepared | str:
    """Return what is contracted, or why the circuit is not served."""
    # Before looking at errors, which takes longer; no bond is smaller where gates turn too far.
    line = line_of(circuit, _MOST_BOND)
    if isinstance(line, str):
        return line
    happening = noisy_circuit(noise, circuit)
    if noise.has_over_rotations:
        line = line_of(happening.circuit, _MOST_BOND)
    if isinstance(line, str):
        return line
    return _Prepared(Network(line, happening.channels), happening.channels)


def _sampled_bits(
    prepared: _Prepared, errors: Errors, workload: Workload, progress: Progress
) -> NDArray[np.uint8]:
    """Measure all sites in all shots; the first shots do not depend on how many there are."""
    uniforms = generator(workload.seed, Role.OUTCOMES)
    found = np.empty((workload.shots, workload.program.num_qubits), np.uint8)
    chunk = Effort(*prepared).chunk
    starts = range(0, workload.shots, chunk)
    progress.expect(len(starts))
    for start in progress.each(starts):
        part = found[start : start + chunk]
        here = _of_shots(errors, start, start + len(part))
        # Without a name, so that it is gone before the next one is made.
        part[:] = measured(
            contracted(prepared.network, here, len(part)), uniforms.random(part.shape)
        )
    return found


def _of_shots(errors: Errors, start: int, end: int) -> Errors:
    """Return what happens in some shots, which are counted anew."""
    first, last = np.searchsorted(errors.shots, [start, end])
    shots, channels, paulis = errors
    return Errors(shots[first:last] - start, channels[first:last], paulis[first:last])


class Effort:
    """What a run takes, as predicted from how many errors have an effect on each bond.

    Args:
        network: What is contracted.
        channels: Where errors are drawn.
    """

    def __init__(self, network: Network, channels: Sequence[Channel]) -> None:
        num_sites = len(network.num_slots)
        self.num_events = len(channels) + sum(network.num_steps)
        self.errors = sum(channel.probability for channel in channels)  # expected in a shot
        self._slots = np.array(network.num_slots, np.float64)
        # Expected on a site, and to the right of a bond with an effect on it; and of these, how
        # many errors differ, and in how many slots.
        self._here, self._behind = np.zeros(num_sites), np.zeros(num_sites + 1)
        self._kinds_behind, self._slots_behind = np.zeros((2, num_sites + 1))
        for channel, slots in zip(channels, network.slots, strict=True):
            self._add(channel, [(site, int(network.reaches[site][place])) for site, place in slots])
        for differences in (self._behind, self._kinds_behind, self._slots_behind):
            differences[:] = differences[::-1].cumsum()[::-1]
        self._left, self._right = np.array([*pairwise(network.bonds)], np.float64).T

    def _add(self, channel: Channel, slots: Sequence[tuple[int, int]]) -> None:
        """Add a channel, given sites and reaches: slots have an effect on the bonds between."""
        words = 4.0 ** len(slots)
        likelihood = channel.probability * words / (words - 1)
        changes = [*((site, 1) for site, _ in slots), *((reach, -1) for _, reach in slots)]
        kinds = 1.0  # with the word of only I
        for bond, change in sorted(changes, reverse=True):
            before, kinds = kinds, kinds * 4.0**change
            self._behind[bond] += likelihood * (1 / before - 1 / kinds)
            self._kinds_behind[bond] += kinds - before
            self._slots_behind[bond] += change
        for site, _ in slots:
            self._here[site] += 0.75 * likelihood

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
        forms = _distinct(shots, self._behind, self._kinds_behind)[:-1]
        products = 2 * left * right * (left + right) * forms + 2 * right * (left + right) * shots
        each = (
            _SITE_SECONDS
            + _FORM_SECONDS * forms
            + _SHOT_SECONDS * shots
            + _PRODUCT_SECONDS * products
        )
        return float(each.sum())

    def bytes(self, shots: int) -> int:
        """Predict the memory of a chunk: all forms and tensors, and the work on one site."""
        left, right = self._left, self._right
        forms = _distinct(shots, self._behind, self._kinds_behind)[:-1]
        tensors = _distinct(shots, self._here, 3 * self._slots)
        kept = (forms * left**2 + tensors * 2 * left * right).sum()
        building = tensors * 6 * left * right
        contracting = forms * (left**2 + right**2 + 4 * left * right)
        hits = shots * (1 - np.exp(-self._behind[1:]))
        measuring = shots * (left + 8 * right) + hits * (right**2 + 4 * right)
        letters = shots * -np.expm1(-self._here - self._behind[1:]) * self._slots
        letters += forms * self._slots_behind[1:]
        numbers = np.max([building, contracting, measuring]) + kept
        return int(
            _MARGIN * (_AMPLITUDE_BYTES * float(numbers) + _LETTER_BYTES * float(letters.max()))
        )


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
