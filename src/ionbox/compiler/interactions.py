"""The form in which circuits are compiled: interactions of two qubits, and no gates between them.

An interaction is exp(-i rotation/2 A@B), A and B any axes of its qubits. A gate on one qubit does
nothing but turn the axes of what comes later, so that a whole circuit is a list of interactions
and, at its end, one turn of each qubit. In this form it is plain what commutes and what merges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, sin
from typing import Final, NamedTuple

from ionbox.compiler.turns import UNTURNED, Axis, Turn, inverse, normalized, product, turned
from ionbox.errors import InvalidCircuitError

# No job runs so many in a sensible time, and merging more would hold up a worker.
MOST_INTERACTIONS: Final = 100_000


class Interaction(NamedTuple):
    """exp(-i rotation/2 A@B).

    Args:
        qubits: Two of them.
        axes: A and B, in their order.
        rotation: Radians.
    """

    qubits: tuple[int, int]
    axes: tuple[Axis, Axis]
    rotation: float

    def moved(self, places: Sequence[int]) -> Interaction:
        """Return the same on other qubits, each in its place."""
        one, other = self.qubits
        return self._replace(qubits=(places[one], places[other]))


@dataclass(slots=True, eq=False)
class Interactions:
    """A circuit as interactions, to which gates are added.

    Args:
        interactions: In order.
        turns: What happens to each qubit after them.
        places: The qubit of these that holds each qubit of the circuit in the end.
    """

    interactions: list[Interaction]
    turns: list[Turn]
    places: list[int]

    @staticmethod
    def of_nothing(num_qubits: int) -> Interactions:
        """Return the empty circuit, to be filled."""
        return Interactions([], [UNTURNED] * num_qubits, list(range(num_qubits)))

    def turn(self, qubit: int, turn: Turn) -> None:
        """Add a gate on one qubit."""
        place = self.places[qubit]
        self.turns[place] = normalized(product(turn, self.turns[place]))

    def interact(self, qubits: tuple[int, int], axes: tuple[Axis, Axis], rotation: float) -> None:
        """Add an interaction, its axes as they are after all that was added.

        Raises:
            InvalidCircuitError: If there are too many.
        """
        if len(self.interactions) >= MOST_INTERACTIONS:
            text = f"more than {MOST_INTERACTIONS} gates on two qubits once it is compiled"
            raise InvalidCircuitError("circuit", text)
        one, other = self.places[qubits[0]], self.places[qubits[1]]
        before = (
            turned(inverse(self.turns[one]), axes[0]),
            turned(inverse(self.turns[other]), axes[1]),
        )
        half = atan2(sin(rotation / 2), cos(rotation / 2))  # a large one loses no more digits
        self.interactions.append(Interaction((one, other), before, 2 * half))

    def exchange(self, one: int, other: int) -> None:
        """Exchange two qubits, by name."""
        places = self.places
        places[one], places[other] = places[other], places[one]
