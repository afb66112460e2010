from __future__ import annotations

import numpy as np
import pytest

from ionbox.backends.noise import Channel
from ionbox.engines.streams import Streams


def alike(num_qubits: int) -> Channel:
    return Channel(1, tuple(range(num_qubits)), 1.0)


def test_the_first_numbers_do_not_depend_on_how_many_there_are() -> None:
    few, many = Streams(7, 10), Streams(7, 1000)

    assert np.array_equal(few.choices(3), many.choices(3)[:10])
    assert np.array_equal(few.paulis(3, alike(2)), many.paulis(3, alike(2))[:10])


def test_what_is_drawn_from_a_seed_never_changes() -> None:
    streams = Streams(7, 3)

    assert streams.choices(0) == pytest.approx(
        [0.4688174869559, 0.4261458362392, 0.3629817008336], abs=1e-12
    )
    assert streams.paulis(5, alike(2)).tolist() == [10, 2, 8]


@pytest.mark.parametrize(
    ("one", "other"),
    [((7, 0), (7, 1)), ((7, 0), (8, 0)), ((7, 1), (8, 0))],
    ids=["events", "seeds", "both"],
)
def test_streams_are_unrelated(one: tuple[int, int], other: tuple[int, int]) -> None:
    shots = 20_000
    left, right = (Streams(seed, shots).choices(event) for seed, event in (one, other))

    correlation = np.corrcoef(left, right)[0, 1]

    assert abs(correlation) < 5 / np.sqrt(shots)


@pytest.mark.parametrize("num_qubits", [1, 2])
def test_every_pauli_error_is_as_likely_as_any_other(num_qubits: int) -> None:
    shots = 30_000
    num_errors = 4**num_qubits - 1

    counts = np.bincount(Streams(7, shots).paulis(0, alike(num_qubits)).astype(np.int64))

    assert counts[0] == 0
    assert counts.size == num_errors + 1
    expected = shots / num_errors
    assert np.all(np.abs(counts[1:] - expected) < 5 * np.sqrt(expected))


def test_unequal_errors_have_their_shares() -> None:
    shots, shares = 30_000, (0.1, 0.3, 0.6)

    found = Streams(7, shots).paulis(0, Channel(1, (0,), 1.0, shares))

    counts = np.bincount(found.astype(np.int64), minlength=4)[1:]
    assert np.all(np.abs(counts - shots * np.array(shares)) < 5 * np.sqrt(counts))
