"""Error mitigation by variants: how a job is split over them, and how their shots are put together.

Variants are the same circuit on other ions; without errors, all have the same outcomes. Their
shots are aggregated in one of the ways of `AGGREGATIONS`, each a function of two arrays with an
entry a shot: the number of its outcome, and of its variant. It returns how many shots each
outcome shall have, and these sum to the shots there are.

Source:
    Maksymov, Nguyen, Nam and Markov, "Enhancing quantum computer performance via symmetrization",
    arXiv:2301.07233, for variants, their average and the plurality vote; Chernyshev and others,
    "Pathfinding Quantum Simulations of Neutrinoless Double-Beta Decay", arXiv:2506.05757, for the
    non-linear filter. What these leave open is chosen here, and each function says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from math import perm
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

MIN_SHOTS: Final = 500  # of a job that has variants
MOST_VARIANTS: Final = 32
MIN_VARIANT_SHOTS: Final = 15

Outcomes: TypeAlias = NDArray[np.int64]
Variants: TypeAlias = NDArray[np.uint16]
Counts: TypeAlias = NDArray[np.int64]

# The standard error of a vote's share is at most 0.5 / sqrt(2**16), two in a thousand.
NUM_VOTES: Final = 2**16
_VOTES_AT_ONCE: Final = 2**12
_VOTES_SEED: Final = 0x766F7465

FILTER_EXPONENT: Final = 2
_TRIES: Final = 64


# --- variants --------------------------------------------------------------------------------


def num_variants(shots: int, num_qubits: int, num_ions: int) -> int:
    """Return how many variants a job is split over.

    As many as IonQ's service was seen to make, but none with too few shots to say anything, and
    no more than there are ways to place the qubits.

    Args:
        shots: At least `MIN_SHOTS`.
        num_ions: How many the device has.
    """
    return max(1, min(MOST_VARIANTS, shots // MIN_VARIANT_SHOTS, perm(num_ions, num_qubits)))


def split(shots: int, num_parts: int) -> tuple[int, ...]:
    """Return how many shots each variant runs: alike but for one, and together all of them."""
    each, left = divmod(shots, num_parts)
    return tuple(each + (number < left) for number in range(num_parts))


def qubit_maps(
    plain: Sequence[int], num_ions: int, num_maps: int, seed: int
) -> tuple[tuple[int, ...], ...]:
    """Return distinct placements of qubits on ions, which together use all ions about equally.

    Args:
        plain: Qubit → the ion it is on in the first map, which is this one.
        num_ions: More than any number in `plain`.
        num_maps: At most the number of ways to place the qubits.
        seed: The same maps come of the same seed.

    Returns:
        A map from qubit to ion for each variant.
    """
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    maps = [tuple(plain)]
    uses = np.bincount(plain, minlength=num_ions)
    while len(maps) < num_maps:
        chosen = _another_map(maps, uses, generator)
        maps.append(chosen)
        uses[list(chosen)] += 1
    return tuple(maps)


def _another_map(
    maps: Sequence[tuple[int, ...]], uses: NDArray[np.int64], generator: np.random.Generator
) -> tuple[int, ...]:
    """Return a map that is not there yet, on the ions that were least used."""
    num_qubits = len(maps[0])
    for _ in range(_TRIES):
        order = np.lexsort((generator.random(uses.size), uses))
        chosen = tuple(generator.permutation(order[:num_qubits]).tolist())
        if chosen not in maps:
            return chosen
    # So few ways are left that the least used ions may have none: any other one will do.
    return next(one for one in permutations(range(uses.size), num_qubits) if one not in maps)


# --- aggregations ----------------------------------------------------------------------------


def average(outcomes: Outcomes, _: Variants) -> Counts:
    """Return the mean of the variants' distributions, weighted by their shots: all are counted.

    Source:
        arXiv:2301.07233, but for the weights, which keep every shot equal.
    """
    return np.bincount(outcomes)


def voting(outcomes: Outcomes, variants: Variants) -> Counts:
    """Return how often each outcome wins a vote (sharpening, plurality).

    In a vote each variant has one voice, the outcome of one of its shots, and the outcome with
    the most voices wins. This brings out the likeliest outcomes and all but removes the others,
    rightly where those are errors, wrongly where they are not.

    Ours to choose: a tie is shared among the tied, which is what drawing one of them gives on
    average, so that variants that agree in nothing give their average; each voice is drawn anew
    from all shots of its variant; there are `NUM_VOTES` votes, drawn with the same numbers
    always, so that the same shots have one answer.

    Source:
        arXiv:2301.07233.
    """
    ordered = outcomes[np.argsort(variants, kind="stable")]
    sizes = np.bincount(variants)
    sizes = sizes[sizes > 0]
    starts = np.cumsum(sizes) - sizes
    generator = np.random.Generator(np.random.Philox(_VOTES_SEED))
    wins = np.zeros(int(outcomes.max()) + 1)
    for _ in range(NUM_VOTES // _VOTES_AT_ONCE):
        shots = starts + generator.integers(sizes, size=(_VOTES_AT_ONCE, sizes.size))
        winners, shares = _winners(ordered[shots])
        wins += np.bincount(winners, shares, wins.size)
    return apportioned(wins, outcomes.size)


def _winners(voices: Outcomes) -> tuple[Outcomes, NDArray[np.float64]]:
    """Return the winners of votes, a row of `voices` each, and what share of its vote each has."""
    voices = np.sort(voices, axis=1)
    places = np.arange(voices.shape[1])
    is_first = np.ones(voices.shape, np.bool_)
    np.not_equal(voices[:, 1:], voices[:, :-1], out=is_first[:, 1:])
    firsts = np.maximum.accumulate(np.where(is_first, places, 0), axis=1)
    counted = places - firsts  # how many equal voices stand before each
    has_most = counted == counted.max(axis=1, keepdims=True)  # true once for each of the tied
    num_tied = has_most.sum(axis=1, keepdims=True)
    shares = np.broadcast_to(1 / num_tied, voices.shape)
    return voices[has_most], shares[has_most]


def dnl(outcomes: Outcomes, variants: Variants) -> Counts:
    """Return the average, filtered by how many variants an outcome was seen in.

    An outcome that m of n variants gave keeps (m / n)**`FILTER_EXPONENT` of its weight: what only
    a few gave is likelier to be an error of theirs.

    Source:
        arXiv:2506.05757, and IonQ's own client, which calls it a power law; the exponent is
        not found there and is ours.
    """
    num_seen, num_voters = _seen_in(outcomes, variants)
    weights = np.bincount(outcomes) * (num_seen / num_voters) ** FILTER_EXPONENT
    return apportioned(weights, outcomes.size)


def majority(outcomes: Outcomes, variants: Variants) -> Counts:
    """Return how often each outcome has more than half of all voices in a vote.

    A vote is that of `voting`, but one without a majority decides nothing. Two outcomes cannot
    both have it, so the chance of each is computed exactly, as the tail of the Poisson binomial
    distribution of its voices. Where no outcome can have it, nothing is decided at all, and the
    average remains.

    Only the name is IonQ's; the rule is ours.
    """
    num_seen, num_voters = _seen_in(outcomes, variants)
    candidates = np.flatnonzero(2 * num_seen > num_voters)
    if not candidates.size:
        return average(outcomes, variants)
    weights = np.zeros(num_seen.size)
    weights[candidates] = _majorities(_shares(outcomes, variants, candidates))
    return apportioned(weights, outcomes.size)


def _seen_in(outcomes: Outcomes, variants: Variants) -> tuple[Counts, int]:
    """Return in how many variants each outcome was seen, and how many variants saw any."""
    pairs = np.unique(outcomes << 16 | variants)
    return np.bincount(pairs >> 16), np.unique(variants).size


def _shares(
    outcomes: Outcomes, variants: Variants, candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of a variant's shots, a row each, that gave each candidate."""
    columns = np.full(int(outcomes.max()) + 1, -1)
    columns[candidates] = np.arange(candidates.size)
    column = columns[outcomes]
    numbers, rows = np.unique(variants, return_inverse=True)
    counts = np.zeros((numbers.size, candidates.size))
    np.add.at(counts, (rows[column >= 0], column[column >= 0]), 1)
    shares: NDArray[np.float64] = counts / np.bincount(rows)[:, np.newaxis]
    return shares


def _majorities(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of each column to have more than half of the rows' voices.

    Args:
        shares: The chance of each row to give its voice to each column.
    """
    num_voters, num_candidates = shares.shape
    chances = np.zeros((num_voters + 1, num_candidates))  # of each number of voices
    chances[0] = 1
    for share in shares:
        chances[1:] = chances[1:] * (1 - share) + chances[:-1] * share
        chances[0] *= 1 - share
    tails: NDArray[np.float64] = chances[num_voters // 2 + 1 :].sum(axis=0)
    return tails


def apportioned(weights: NDArray[np.float64], total: int) -> Counts:
    """Return whole numbers that sum to `total`, as near to the weights as can be.

    Each has its share rounded down; what is left goes to the largest remainders.

    Args:
        weights: Not negative, and not all zero.
    """
    quotas = weights / weights.sum() * total
    counts: Counts = quotas.astype(np.int64)
    num_left = total - int(counts.sum())
    remainders = quotas - counts
    counts[np.argsort(-remainders, kind="stable")[:num_left]] += 1
    return counts


# The words of the API v0.4.
AGGREGATIONS: Final[Mapping[str, Callable[[Outcomes, Variants], Counts]]] = MappingProxyType(
    {"average": average, "voting": voting, "dnl": dnl, "majority": majority}
)
DEFAULT_AGGREGATION: Final = "average"
SHARPENED: Final = "voting"  # what `sharpen` asks for
