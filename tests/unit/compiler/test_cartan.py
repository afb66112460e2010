from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.circuits.unitaries import Matrix
from ionbox.compiler.cartan import Member, Pair, from_ground, shortened, synthesized, unitary_of
from ionbox.compiler.turns import Turn, X, Y, Z, turn_about, turned

SWAP = np.eye(4)[[0, 2, 1, 3]]

angles = st.one_of(st.integers(-8, 8).map(lambda k: k * pi / 4), st.floats(-7, 7))
nearly = st.sampled_from([0, 1e-13, 1e-9, 1e-7, 1e-4])


@st.composite
def runs(draw: st.DrawFn) -> list[Member]:
    """Draw interactions about any axes, often about the same, or nearly."""
    turns = [turn_about(Z, draw(nearly)), turn_about(X, draw(angles)), turn_about(Y, draw(angles))]
    axes = [turned(turn, axis) for turn in turns for axis in (X, Y, Z)]
    picked = st.sampled_from(axes)
    return draw(st.lists(st.tuples(st.tuples(picked, picked), angles), min_size=1, max_size=6))


def matrix_of(turn: Turn) -> Matrix:
    w, x, y, z = turn
    return np.array([[w - 1j * z, -1j * x - y], [-1j * x + y, w + 1j * z]])


def matrix_of_pair(pair: Pair) -> Matrix:
    product = np.kron(*map(matrix_of, pair.turns)) @ unitary_of(pair.members)
    return SWAP @ product if pair.is_exchanged else product


def assert_same(found: Matrix, expected: Matrix) -> None:
    overlap = np.vdot(found, expected)
    np.testing.assert_allclose(found * overlap / abs(overlap), expected, atol=1e-9)


@settings(deadline=None, max_examples=200)
@given(runs(), st.booleans())
def test_a_shorter_run_does_the_same(members: list[Member], may_exchange: bool) -> None:
    pair = shortened(members, may_exchange=may_exchange)

    assert len(pair.members) <= min(3, len(members))
    assert_same(matrix_of_pair(pair), unitary_of(members))


@settings(deadline=None, max_examples=200)
@given(runs())
def test_one_interaction_makes_any_state(members: list[Member]) -> None:
    pair = from_ground(members)

    assert len(pair.members) <= 1
    assert_same(matrix_of_pair(pair)[:, 0], unitary_of(members)[:, 0])


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 1000))
def test_any_unitary_is_three_interactions(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = np.linalg.qr(random.normal(size=(4, 4)) + 1j * random.normal(size=(4, 4)))[0]

    pair = synthesized(matrix)

    assert len(pair.members) == 3
    assert_same(matrix_of_pair(pair), matrix)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.eye(4), 0),
        (np.eye(4)[[0, 1, 3, 2]], 1),  # a cnot
        (np.diag([1, 1, 1, 1j]), 1),
        (SWAP, 3),
        (np.eye(4)[[0, 2, 1, 3]] @ np.diag([1, 1j, 1j, 1]), 2),  # iswap
        (np.eye(4)[[3, 2, 1, 0]], 0),
    ],
)
def test_a_known_unitary_takes_what_it_takes(matrix: Matrix, expected: int) -> None:
    pair = synthesized(matrix.astype(np.complex128))

    assert len(pair.members) == expected
    assert_same(matrix_of_pair(pair), matrix)


@pytest.mark.parametrize(
    ("rotations", "expected"),
    [((pi / 2,) * 3, 0), ((pi / 2, pi / 2, 0.3), 1), ((0.1, 0.2, 0.3), 3)],
)
def test_exchanging_names_may_save_interactions(
    rotations: tuple[float, ...], expected: int
) -> None:
    members = [((axis, axis), r) for axis, r in zip((X, Y, Z), rotations, strict=True)]

    assert len(shortened(members, may_exchange=False).members) == 3
    assert len(shortened(members, may_exchange=True).members) == expected
