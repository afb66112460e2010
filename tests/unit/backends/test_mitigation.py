from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from math import comb, perm
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.backends.mitigation import (
    AGGREGATIONS,
    MIN_SHOTS,
    MIN_VARIANT_SHOTS,
    MOST_VARIANTS,
    NUM_VOTES,
    apportioned,
    average,
    dnl,
    majority,
    num_variants,
    qubit_maps,
    split,
    voting,
)

ShotsOf: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint16]]

steady = settings(derandomize=True, deadline=None)
each_aggregation = pytest.mark.parametrize("name", AGGREGATIONS)
# Five standard errors of the share of votes that an outcome wins.
VOTES_APART = 5 * 0.5 / NUM_VOTES**0.5


def of_variants(*counts: Sequence[int]) -> ShotsOf:
    """Return shots, given how many of each outcome each variant has."""
    outcomes = [
        outcome for row in counts for outcome, count in enumerate(row) for _ in range(count)
    ]
    variants = [number for number, row in enumerate(counts) for _ in range(sum(row))]
    return np.array(outcomes), np.array(variants, np.uint16)


def alike(num_variants: int, row: Sequence[int]) -> ShotsOf:
    return of_variants(*[row] * num_variants)


@st.composite
def any_shots(draw: st.DrawFn) -> ShotsOf:
    pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=60)
    outcomes, variants = zip(*draw(pairs), strict=True)
    numbers = np.unique(np.array(outcomes), return_inverse=True)[1]  # all up to the largest occur
    return numbers, np.array(variants, np.uint16)


# --- variants --------------------------------------------------------------------------------


@given(shots=st.integers(MIN_SHOTS, 10**6), num_qubits=st.integers(1, 36))
@steady
def test_a_device_has_32_variants_of_enough_shots_each(shots: int, num_qubits: int) -> None:
    number = num_variants(shots, num_qubits, 36)

    assert number == MOST_VARIANTS == 32
    assert min(split(shots, number)) >= MIN_VARIANT_SHOTS


@pytest.mark.parametrize(
    ("num_qubits", "num_ions", "expected"), [(1, 1, 1), (2, 2, 2), (1, 11, 11), (2, 3, 6)]
)
def test_there_are_no_more_variants_than_ways_to_place_the_qubits(
    num_qubits: int, num_ions: int, expected: int
) -> None:
    assert num_variants(1000, num_qubits, num_ions) == expected


@given(shots=st.integers(1, 10**6), num_parts=st.integers(1, 32))
@steady
def test_the_parts_of_a_split_are_alike_and_sum_to_the_shots(shots: int, num_parts: int) -> None:
    parts = split(shots, num_parts)

    assert (len(parts), sum(parts)) == (num_parts, shots)
    assert max(parts) - min(parts) <= 1


@given(data=st.data(), num_ions=st.integers(1, 36), seed=st.integers(0, 2**31))
@steady
def test_qubit_maps_are_distinct_and_the_first_is_the_one_given(
    data: st.DataObject, num_ions: int, seed: int
) -> None:
    num_qubits = data.draw(st.integers(1, num_ions))
    plain = data.draw(st.permutations(range(num_ions)))[:num_qubits]
    number = min(32, perm(num_ions, num_qubits))

    maps = qubit_maps(plain, num_ions, number, seed)

    assert maps[0] == tuple(plain)
    assert len(set(maps)) == len(maps) == number
    assert all(len(set(one)) == num_qubits for one in maps)
    assert set().union(*maps) <= set(range(num_ions))
    assert maps == qubit_maps(plain, num_ions, number, seed)


@pytest.mark.parametrize("num_qubits", [3, 11, 20, 36])
def test_qubit_maps_use_all_ions_alike(num_qubits: int) -> None:
    maps = qubit_maps(range(num_qubits), 36, 32, seed=7)

    uses = Counter(ion for one in maps for ion in one)
    assert len(uses) == 36
    assert max(uses.values()) - min(uses.values()) <= 1


def test_another_seed_gives_other_maps() -> None:
    assert qubit_maps(range(4), 36, 32, seed=1)[1:] != qubit_maps(range(4), 36, 32, seed=2)[1:]


# --- every aggregation -----------------------------------------------------------------------


@each_aggregation
@given(shots=any_shots())
@steady
def test_an_aggregation_makes_as_many_shots_as_there_were_of_outcomes_that_were_seen(
    name: str, shots: ShotsOf
) -> None:
    outcomes, variants = shots

    counts = AGGREGATIONS[name](outcomes, variants)

    assert counts.dtype == np.int64
    assert counts.size == outcomes.max() + 1
    assert counts.sum() == outcomes.size
    assert counts.min() >= 0
    assert counts.tolist() == AGGREGATIONS[name](outcomes, variants).tolist()


@each_aggregation
def test_shots_that_agree_stay_as_they_are(name: str) -> None:
    assert AGGREGATIONS[name](*alike(8, [0, 20])).tolist() == [0, 160]


@each_aggregation
def test_the_order_of_shots_within_a_variant_does_not_matter(name: str) -> None:
    outcomes, variants = alike(4, [6, 6, 6])
    order = np.random.default_rng(1).permutation(outcomes.size)

    counts = AGGREGATIONS[name](outcomes[order], variants[order])

    # Votes are drawn from other places then.
    bound = outcomes.size * VOTES_APART + 1 if name == "voting" else 0
    assert np.abs(counts - AGGREGATIONS[name](outcomes, variants)).max() <= bound


@each_aggregation
def test_a_single_variant_is_its_own_average(name: str) -> None:
    counts = AGGREGATIONS[name](*of_variants([30, 50, 20]))

    # A voter alone has every majority; `voting` draws it.
    assert np.abs(counts - [30, 50, 20]).max() <= (100 * VOTES_APART + 1 if name == "voting" else 0)


@each_aggregation
def test_variants_whose_shots_were_all_dropped_have_no_voice(name: str) -> None:
    outcomes, variants = alike(5, [9, 3])
    numbers = np.array([0, 3, 4, 700, 65535], np.uint16)[variants]

    assert (
        AGGREGATIONS[name](outcomes, numbers).tolist()
        == AGGREGATIONS[name](outcomes, variants).tolist()
    )


# --- one by one ------------------------------------------------------------------------------


def test_the_average_counts_all_shots() -> None:
    assert average(*of_variants([3, 1], [0, 5])).tolist() == [3, 6]


@pytest.mark.parametrize(
    "rows",
    [
        [[6, 4], [6, 4], [6, 4]],
        [[5, 3, 2], [1, 8, 1], [4, 4, 2]],
        [[2, 3, 5], [5, 5, 0], [1, 1, 8], [4, 4, 2]],
    ],
)
def test_votes_are_won_as_often_as_counting_all_of_them_says(rows: list[list[int]]) -> None:
    shares = np.array(rows) / 10
    expected = np.zeros(shares.shape[1])
    for voices in product(range(shares.shape[1]), repeat=len(rows)):
        chance = np.prod([shares[voter, voice] for voter, voice in enumerate(voices)])
        counted = np.bincount(voices, minlength=expected.size)
        tied = counted == counted.max()
        expected += chance * tied / tied.sum()

    repeated = of_variants(*(np.array(rows) * 1000).tolist())
    found = voting(*repeated) / repeated[0].size

    assert np.abs(found - expected).max() <= VOTES_APART


def test_variants_that_agree_in_nothing_are_voted_to_their_average() -> None:
    outcomes = np.arange(600)
    variants = np.repeat(np.arange(30, dtype=np.uint16), 20)

    counts = voting(outcomes, variants)

    # What is left of the draws: 65536 votes of 30 shares of 1/30 each, over 600 outcomes.
    assert counts.max() <= 2


def test_voting_sharpens_an_outcome_that_dominates() -> None:
    ideal = np.array([1.0] + [0.0] * 16)
    outcomes, variants = alike(32, [15] + [1] * 16)

    assert distance(average(outcomes, variants), ideal) == pytest.approx(16 / 31)
    assert distance(voting(outcomes, variants), ideal) < 0.01
    assert distance(majority(outcomes, variants), ideal) < 0.01


def test_voting_and_majority_harm_a_distribution_of_70_to_30() -> None:
    ideal = np.array([0.7, 0.3])
    outcomes, variants = alike(32, [21, 9])

    assert distance(average(outcomes, variants), ideal) < 1e-12
    assert distance(dnl(outcomes, variants), ideal) < 1e-12
    # P(Binomial(32, 0.3) > 16) is 0.007: nearly all is put on one outcome.
    assert distance(voting(outcomes, variants), ideal) == pytest.approx(0.29, abs=0.01)
    assert distance(majority(outcomes, variants), ideal) == pytest.approx(0.29, abs=0.01)


def distance(counts: NDArray[np.int64], ideal: NDArray[np.float64]) -> float:
    """Return the total variation distance."""
    return float(0.5 * np.abs(counts / counts.sum() - ideal).sum())


def test_the_filter_weighs_an_outcome_by_the_square_of_the_share_of_variants_that_gave_it() -> None:
    shots = of_variants([8, 1, 1], [8, 2, 0], [8, 1, 1], [8, 1, 1])

    counts = dnl(*shots)

    weights = np.array([32, 5, 3 * (3 / 4) ** 2])
    assert np.abs(counts - 40 * weights / weights.sum()).max() < 1


@pytest.mark.parametrize(("num_voters", "ones"), [(5, 3), (6, 3), (32, 18)])
def test_a_majority_is_won_as_often_as_the_binomial_distribution_says(
    num_voters: int, ones: int
) -> None:
    share = ones / 30
    tails = [
        sum(
            comb(num_voters, k) * p**k * (1 - p) ** (num_voters - k)
            for k in range(num_voters // 2 + 1, num_voters + 1)
        )
        for p in (1 - share, share)
    ]

    counts = majority(*alike(num_voters, [30 - ones, ones]))

    expected = 30 * num_voters * np.array(tails) / sum(tails)
    assert np.abs(counts - expected).max() < 1


def test_a_majority_of_variants_that_differ_is_counted_vote_by_vote() -> None:
    # Two of three voices: 0.5 * 0.2 for the first outcome, 0.3 * 0.8 for the last.
    assert majority(*of_variants([5, 5, 0, 0], [0, 0, 7, 3], [2, 0, 0, 8])).tolist() == [
        9,
        0,
        0,
        21,
    ]
    assert majority(*of_variants([9, 1, 0], [0, 2, 8])).tolist() == [0, 20, 0]


def test_where_no_outcome_is_seen_by_more_than_half_the_average_remains() -> None:
    assert majority(*of_variants([10, 0], [0, 10])).tolist() == [10, 10]


@given(
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=50).filter(lambda all_: sum(all_) > 0),
    total=st.integers(1, 10**6),
)
@steady
def test_apportioned_numbers_sum_to_the_total_and_are_within_one_of_their_share(
    weights: list[float], total: int
) -> None:
    counts = apportioned(np.array(weights), total)

    assert counts.sum() == total
    assert np.abs(counts - total * np.array(weights) / sum(weights)).max() < 1 + 1e-6
