"""Fewer interactions: those that commute to each other are merged, those on one pair made anew.

Interactions are put into blocks on one pair, each as early as what it commutes with lets it, and
rotations about the same axes are added up on the way. Then every block is made anew with as few
interactions as it takes. Both are done again as long as it helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import pi, remainder
from typing import Final, TypeAlias

from ionbox.compiler.cartan import Member, Pair, from_ground, shortened
from ionbox.compiler.interactions import Interaction, Interactions
from ionbox.compiler.turns import (
    TOLERANCE,
    UNTURNED,
    Axis,
    Turn,
    inverse,
    normalized,
    overlap,
    product,
    turn_about,
    turned,
)

_MOST_ROUNDS: Final = 4
_MOST_BLOCKS_BACK: Final = 100  # an interaction is moved past, so that long circuits take no square

Axes: TypeAlias = tuple[Axis, Axis]


@dataclass(slots=True, eq=False)
class _Block:
    """Interactions on one pair, with nothing between them."""

    number: int
    qubits: tuple[int, int]
    members: list[Member] = field(default_factory=list)


def merge(form: Interactions, *, is_first: bool, may_relabel: bool) -> None:
    """Make do with fewer interactions.

    Args:
        is_first: Whether all qubits are in |0> before.
        may_relabel: Whether qubits may end in other places.
    """
    for _ in range(_MOST_ROUNDS):
        before = len(form.interactions)
        blocks = _blocks(form.interactions)
        _Rewriting(form, is_first=is_first, may_relabel=may_relabel).run(blocks)
        if len(form.interactions) == before:
            return


def _blocks(interactions: Sequence[Interaction]) -> list[_Block]:
    """Put interactions into blocks."""
    blocks: list[_Block] = []
    on_qubit: dict[int, list[_Block]] = {}
    for interaction in interactions:
        one, other = interaction.qubits
        on_one, on_other = on_qubit.setdefault(one, []), on_qubit.setdefault(other, [])
        found = _joined(interaction, _latest_first(on_one, on_other))
        if found is None:
            found = _Block(len(blocks), interaction.qubits, [interaction[1:]])
            blocks.append(found)
            on_one.append(found)
            on_other.append(found)
        elif not found.members:
            on_qubit[one].remove(found)
            on_qubit[other].remove(found)
    return [block for block in blocks if block.members]


def _latest_first(one: Sequence[_Block], other: Sequence[_Block]) -> Iterator[_Block]:
    """Yield the blocks of two qubits, one on both once."""
    i, j = len(one) - 1, len(other) - 1
    for _ in range(_MOST_BLOCKS_BACK):
        if i < 0 and j < 0:
            return
        if j < 0 or (i >= 0 and one[i].number >= other[j].number):
            j -= 1 if j >= 0 and one[i] is other[j] else 0
            yield one[i]
            i -= 1
        else:
            yield other[j]
            j -= 1


def _joined(interaction: Interaction, earlier: Iterator[_Block]) -> _Block | None:
    """Add an interaction to an earlier block, if what is between lets it; return that block.

    One that it can be added up in is better than the latest.
    """
    home = None
    for block in earlier:
        if set(block.qubits) != set(interaction.qubits):
            if _is_in_the_way(block, interaction):
                break
            continue
        axes = _in_order(interaction, block.qubits)
        home = home or block
        place = _place_to_add_up(block, axes)
        if place is None:
            continue
        if place >= 0:
            _add_up(block, place, axes, interaction.rotation)
            return block
        break
    if home is not None:
        home.members.append((_in_order(interaction, home.qubits), interaction.rotation))
    return home


def _in_order(interaction: Interaction, qubits: tuple[int, int]) -> Axes:
    one, other = interaction.axes
    return (one, other) if interaction.qubits == qubits else (other, one)


def _is_in_the_way(block: _Block, interaction: Interaction) -> bool:
    """Tell whether a block that shares one qubit has another axis on it."""
    shared = 0 if block.qubits[0] in interaction.qubits else 1
    axis = interaction.axes[interaction.qubits.index(block.qubits[shared])]
    return any(not _is_parallel(member[0][shared], axis) for member in block.members)


def _place_to_add_up(block: _Block, axes: Axes) -> int | None:
    """Return which member has the same axes; None if it commutes with all, -1 if with too few."""
    for place in reversed(range(len(block.members))):
        others = block.members[place][0]
        along = [_is_parallel(*pair) for pair in zip(others, axes, strict=True)]
        if all(along):
            return place
        across = [abs(overlap(*pair)) < TOLERANCE for pair in zip(others, axes, strict=True)]
        if not all(across):
            return -1
    return None


def _add_up(block: _Block, place: int, axes: Axes, rotation: float) -> None:
    others, before = block.members[place]
    is_opposite = overlap(others[0], axes[0]) * overlap(others[1], axes[1]) < 0
    total = before - rotation if is_opposite else before + rotation
    if abs(remainder(total, 2 * pi)) < TOLERANCE:
        del block.members[place]
    else:
        block.members[place] = others, total


def _is_parallel(one: Axis, other: Axis) -> bool:
    # 1 - cos is half the square of the angle: too small to be compared by itself
    x, y, z = one
    a, b, c = other
    return (
        abs(y * c - z * b) < TOLERANCE
        and abs(z * a - x * c) < TOLERANCE
        and abs(x * b - y * a) < TOLERANCE
    )


class _Rewriting:
    """Makes the blocks of a circuit anew, one after the other.

    What a block leaves behind, turns and exchanged names, is moved past all that comes later.
    """

    def __init__(self, form: Interactions, *, is_first: bool, may_relabel: bool) -> None:
        num_qubits = len(form.turns)
        self._form = form
        self._may_relabel = may_relabel
        self._turns = [UNTURNED] * num_qubits  # by place
        self._places = list(range(num_qubits))
        self._ground = set(range(num_qubits)) if is_first else set[int]()
        self._interactions: list[Interaction] = []

    def run(self, blocks: Sequence[_Block]) -> None:
        for block in blocks:
            self._rewrite(block)
        form = self._form
        turns = list(form.turns)
        for qubit, place in enumerate(self._places):
            form.turns[place] = normalized(product(turns[qubit], self._turns[place]))
        form.places[:] = [self._places[place] for place in form.places]
        form.interactions[:] = self._interactions

    def _rewrite(self, block: _Block) -> None:
        one, other = (self._places[qubit] for qubit in block.qubits)
        before = inverse(self._turns[one]), inverse(self._turns[other])
        members = [
            ((turned(before[0], axes[0]), turned(before[1], axes[1])), rotation)
            for axes, rotation in block.members
        ]
        pair = self._shortened(members, (one, other))
        self._interactions += [Interaction((one, other), *member) for member in pair.members]
        if pair.members:
            self._ground -= {one, other}
        after = [self._turns[one], self._turns[other]]
        if pair.is_exchanged:
            after.reverse()
            first, second = block.qubits
            self._places[first], self._places[second] = other, one
        self._turns[one] = normalized(product(after[0], pair.turns[0]))
        self._turns[other] = normalized(product(after[1], pair.turns[1]))

    def _shortened(self, members: list[Member], qubits: tuple[int, int]) -> Pair:
        in_ground = [qubit in self._ground for qubit in qubits]
        if all(in_ground):
            return from_ground(members)
        if any(in_ground):
            members, turns = _without_ground(members, in_ground.index(True))
        else:
            turns = [UNTURNED, UNTURNED]
        pair = shortened(members, may_exchange=self._may_relabel)
        if pair.is_exchanged:
            turns.reverse()
        first, second = map(product, turns, pair.turns)
        return pair._replace(turns=(first, second))


def _without_ground(members: list[Member], place: int) -> tuple[list[Member], list[Turn]]:
    """Leave out the first interactions while their axis on a qubit in |0> is z.

    They turn the other qubit, and nothing else.

    Returns:
        The others, and what is to be done to both qubits after them.
    """
    turn = UNTURNED
    rest = list[Member]()
    for axes, rotation in members:
        now = turned(inverse(turn), axes[1 - place])
        along = axes[place][2]
        if not rest and abs(abs(along) - 1) < TOLERANCE**2:
            turn = product(turn, turn_about(now, rotation if along > 0 else -rotation))
        else:
            rest.append(((axes[0], now) if place == 0 else (now, axes[1]), rotation))
    return rest, [UNTURNED, turn] if place == 0 else [turn, UNTURNED]
