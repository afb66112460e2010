from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.engines.affine import AffineSpace, affine_space
from ionbox.engines.rows import rows_of_words
from ionbox.formats.results import integers

steady = settings(derandomize=True, deadline=None)


@st.composite
def spaces(draw: st.DrawFn) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a member and directions, which may depend on each other."""
    num_bits = draw(st.sampled_from([1, 5, 8, 63, 64, 65, 130]))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    num_directions = draw(st.integers(0, 6))
    directions = generator.integers(0, 2, (num_directions, num_bits), np.uint8)
    doubled = np.concatenate([directions, directions[:1], directions[:1] ^ directions[-1:]])
    return generator.integers(0, 2, num_bits, np.uint8), doubled


def to_integer(bits: NDArray[np.uint8]) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits))


def by_definition(member: NDArray[np.uint8], directions: NDArray[np.uint8]) -> set[int]:
    found = set()
    for choice in product([0, 1], repeat=len(directions)):
        bits = member.copy()
        for taken, direction in zip(choice, directions, strict=True):
            bits ^= direction * np.uint8(taken)
        found.add(to_integer(bits))
    return found


def members(space: AffineSpace) -> list[int]:
    return integers(rows_of_words(space.members(), space.num_bits))


@given(spaces())
@steady
def test_the_members_are_all_sums_each_once_and_ascending(
    drawn: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    space = affine_space(*drawn)

    assert members(space) == sorted(by_definition(*drawn))
    assert len(members(space)) == 1 << space.dimension


@given(drawn=spaces(), number=st.integers(0, 63))
@steady
def test_a_space_is_the_same_whichever_member_and_directions_it_is_made_of(
    drawn: tuple[NDArray[np.uint8], NDArray[np.uint8]], number: int
) -> None:
    member, directions = drawn
    space = affine_space(member, directions)
    for place, direction in enumerate(directions):
        if number >> place & 1:
            member = member ^ direction

    other = affine_space(member, directions[::-1])

    assert np.array_equal(space.base, other.base)
    assert np.array_equal(space.basis, other.basis)


@given(drawn=spaces(), data=st.data())
@steady
def test_picked_bits_are_a_space_of_their_own(
    drawn: tuple[NDArray[np.uint8], NDArray[np.uint8]], data: st.DataObject
) -> None:
    space = affine_space(*drawn)
    place = st.one_of(st.none(), st.integers(0, space.num_bits - 1))
    places = data.draw(st.lists(place, min_size=1, max_size=70))

    picked = space.picked(places)

    expected = {
        sum((state >> place & 1) << k for k, place in enumerate(places) if place is not None)
        for state in by_definition(*drawn)
    }
    assert members(picked) == sorted(expected)


def test_samples_are_members_each_as_often_as_any_other() -> None:
    generator = np.random.default_rng(1)
    space = affine_space(
        generator.integers(0, 2, 100, np.uint8), generator.integers(0, 2, (9, 100), np.uint8)
    )

    drawn = integers(space.sample(51_200, seed=7))

    counts = np.array([drawn.count(member) for member in members(space)])
    assert counts.sum() == 51_200
    # chi squared of 511 degrees of freedom: mean 511, sigma 32
    assert abs(((counts - 100) ** 2 / 100).sum() - 511) < 4 * 32


def test_the_seed_decides_and_more_shots_only_add_some() -> None:
    space = affine_space(np.zeros(80, np.uint8), np.eye(80, dtype=np.uint8))

    drawn = space.sample(30, seed=7)

    assert np.array_equal(drawn, space.sample(100, seed=7)[:30])
    assert not np.array_equal(drawn, space.sample(30, seed=8))


@pytest.mark.parametrize("num_bits", [3, 64, 1000])
def test_a_point_has_one_member(num_bits: int) -> None:
    point = affine_space(np.ones(num_bits, np.uint8), np.zeros((0, num_bits), np.uint8))

    assert members(point) == [2**num_bits - 1]
    assert integers(point.sample(2, seed=7)) == [2**num_bits - 1] * 2


def test_what_a_seed_draws_is_the_same_on_every_machine() -> None:
    space = affine_space(np.zeros(16, np.uint8), np.eye(16, dtype=np.uint8))

    assert integers(space.sample(4, seed=7)) == [32686, 35525, 6771, 16742]
