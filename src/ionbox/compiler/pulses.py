"""Interactions as native gates: gpi and gpi2 bring an axis to where ms or zz works on it.

A turn about z is never a pulse. What has been sent to a qubit is known as a turn, its frame, and a
frame that is off by a turn about z moves the phases of the pulses that follow, or, at zz, nothing.
An ms works on any axis of the equator, to which one gpi2 brings every axis; a zz works on the
poles, to which it takes two. Where several pulses do the same, a variant chooses among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2, cos, hypot, pi, sin, tau
from typing import Final

import numpy as np

from ionbox.circuits.circuit import Circuit, Packer
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.compiler.interactions import Interaction
from ionbox.compiler.turns import (
    TOLERANCE,
    UNTURNED,
    Axis,
    Turn,
    Z,
    inverse,
    normalized,
    product,
    turn_about,
    turned,
)

_DIGITS: Final = 12  # of a phase: what rounding leaves out is made good by the next pulse


class Choices:
    """Which of the pulses that do the same are sent.

    Args:
        variant: 0 for the plain ones; any other number for a choice of its own, always the same.
    """

    def __init__(self, variant: int) -> None:
        self._random = np.random.default_rng(variant) if variant else None

    def of(self, number: int) -> int:
        """Choose one of so many."""
        return 0 if self._random is None else int(self._random.integers(number))


ENTANGLERS: Final = ("ms", "zz")


class Pulses:
    """The native gates of a program, piece by piece.

    Args:
        num_qubits: Of the program.
        entangler: The native gate on two qubits, "ms" or "zz".
        choices: Which pulses to send.
    """

    def __init__(self, num_qubits: int, entangler: str, choices: Choices) -> None:
        self._num_qubits = num_qubits
        self._send_interaction = {"ms": self._send_ms, "zz": self._send_zz}[entangler]
        self._choices = choices
        self._packer = Packer(num_qubits, "native")
        # What was done to a qubit is its frame, times what should have been.
        self._frames = [UNTURNED] * num_qubits

    def play(self, interactions: Iterable[Interaction]) -> None:
        """Send interactions."""
        for interaction in interactions:
            self._interact(interaction)

    def settle(self, qubit: int, turn: Turn) -> None:
        """Send what is left of a turn after all interactions, but for a turn about z."""
        rest = product(turn, inverse(self._frames[qubit]))
        axis = turned(inverse(rest), Z)
        if hypot(axis[0], axis[1]) < TOLERANCE:
            if axis[2] < 0:
                self._send("gpi", qubit, self._choices.of(4) / 4)
        else:
            self._bring_to_pole(qubit, axis, 1)
        self._frames[qubit] = normalized(product(self._frames[qubit], inverse(turn)))

    def forget(self, qubit: int) -> None:
        """Take a qubit to be measured or reset: no turn about z matters any more."""
        self._frames[qubit] = UNTURNED

    def settle_phase(self, qubit: int) -> None:
        """Send the turn about z that a settled qubit is off by, as two pulses."""
        w, _, _, z = self._frames[qubit]
        rotation = -2 * atan2(z, w)
        if abs(sin(rotation / 2)) >= TOLERANCE:
            first = self._choices.of(4) / 4
            self._send("gpi", qubit, first)
            self._send("gpi", qubit, first + rotation / (2 * tau))
        self._frames[qubit] = UNTURNED

    def circuit(self) -> Circuit:
        """Return what was sent since the last time."""
        packed = self._packer.pack()
        self._packer = Packer(self._num_qubits, "native")
        return packed

    def _interact(self, interaction: Interaction) -> None:
        halves = round(interaction.rotation / pi)
        rotation = interaction.rotation - halves * pi
        if abs(abs(rotation) - pi / 2) < TOLERANCE and self._choices.of(2):
            # As strong the other way round, and so is what it turns too far.
            halves += 1 if rotation > 0 else -1
            rotation = -rotation
        if abs(rotation) >= TOLERANCE:
            self._send_interaction(interaction, rotation)
        if halves % 2:  # half a turn of both axes, each by itself
            for qubit, axis in zip(interaction.qubits, interaction.axes, strict=True):
                back = turn_about(axis, -pi)
                self._frames[qubit] = normalized(product(self._frames[qubit], back))

    def _send_ms(self, interaction: Interaction, rotation: float) -> None:
        phases = []
        for qubit, axis in zip(interaction.qubits, interaction.axes, strict=True):
            self._bring_to_equator(qubit, self._in_frame(qubit, axis))
            phases.append(_azimuth(self._in_frame(qubit, axis)))
        if rotation < 0:
            phases[self._choices.of(2)] += 0.5
        elif self._choices.of(2):
            phases = [phase + 0.5 for phase in phases]
        one, other = (round(phase % 1.0, _DIGITS) % 1.0 for phase in phases)
        self._entangle("ms", interaction.qubits, (one, other, _angle(abs(rotation))))

    def _send_zz(self, interaction: Interaction, rotation: float) -> None:
        sign = 1 if rotation > 0 else -1
        moved = []
        for qubit, axis in zip(interaction.qubits, interaction.axes, strict=True):
            now = self._in_frame(qubit, axis)
            if hypot(now[0], now[1]) < TOLERANCE:
                sign *= 1 if now[2] > 0 else -1
            else:
                moved.append((qubit, now))
        for place, (qubit, axis) in enumerate(moved):
            # The last one makes the angle positive, as far as that is free.
            pole = sign if place == len(moved) - 1 else 1
            if self._choices.of(2):
                pole = -pole
            self._bring_to_pole(qubit, axis, pole)
            sign *= pole
        self._entangle("zz", interaction.qubits, (sign * _angle(abs(rotation)),))

    def _send(self, gate: str, qubit: int, phase: float) -> None:
        """Send a gpi or gpi2."""
        phase = round(phase % 1.0, _DIGITS) % 1.0
        self._packer.append(ROW_BY_NAME["native", gate], (qubit,), (), (phase,))
        axis = (cos(tau * phase), sin(tau * phase), 0.0)
        pulse = turn_about(axis, pi if gate == "gpi" else pi / 2)
        self._frames[qubit] = normalized(product(pulse, self._frames[qubit]))

    def _entangle(self, gate: str, qubits: tuple[int, int], params: tuple[float, ...]) -> None:
        """Send an ms or zz, to its qubits in either order."""
        if self._choices.of(2):
            qubits = qubits[1], qubits[0]
            params = (params[1], params[0], params[2]) if gate == "ms" else params
        self._packer.append(ROW_BY_NAME["native", gate], qubits, (), params)

    def _in_frame(self, qubit: int, axis: Axis) -> Axis:
        """Return an axis as it is after all that was sent."""
        return turned(self._frames[qubit], axis)

    def _bring_to_equator(self, qubit: int, axis: Axis) -> None:
        """Send at most one gpi2, by whose axis another one turns to the equator."""
        if abs(axis[2]) < TOLERANCE:
            return
        if hypot(axis[0], axis[1]) < TOLERANCE:
            self._send("gpi2", qubit, self._choices.of(4) / 4)
        else:
            self._send("gpi2", qubit, _azimuth(axis) + self._choices.of(2) / 2)

    def _bring_to_pole(self, qubit: int, axis: Axis, pole: int) -> None:
        """Send one or two gpi2, by which an axis that is on no pole turns to one, 1 or -1."""
        frame = self._frames[qubit]
        self._bring_to_equator(qubit, axis)
        sent = product(self._frames[qubit], inverse(frame))
        self._send("gpi2", qubit, _azimuth(turned(sent, axis)) - pole / 4)


def _azimuth(axis: Axis) -> float:
    """Return where on the equator an axis is, in turns."""
    return atan2(axis[1], axis[0]) / tau


def _angle(rotation: float) -> float:
    return round(rotation / tau, _DIGITS + 2)
