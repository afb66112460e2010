from __future__ import annotations

import numpy as np
import pytest
from tests.builders import peak_bytes

from ionbox.backends.noise import Channel, Flips, NoiseModel
from ionbox.engines.errors import draw_errors, misread, misread_states

CHANNELS = (
    Channel(1, (0,), 0.02),
    Channel(2, (0, 1), 0.3),
    Channel(2, (1,), 0.1, (0.2, 0.1, 0.7)),
    Channel(3, (2,), 0.0),
)
SHOTS = 40_000


def test_every_channel_errs_as_often_as_it_says() -> None:
    errors = draw_errors(CHANNELS, SHOTS, 7)

    counts = np.bincount(errors.channels, minlength=len(CHANNELS))
    expected = SHOTS * np.array([channel.probability for channel in CHANNELS])
    assert np.all(np.abs(counts - expected) <= 5 * np.sqrt(expected))


@pytest.mark.parametrize(
    ("number", "shares"), [(0, [1 / 3] * 3), (1, [1 / 15] * 15), (2, CHANNELS[2].shares)]
)
def test_errors_of_a_channel_have_their_shares(number: int, shares: list[float]) -> None:
    errors = draw_errors(CHANNELS, SHOTS, 8)

    found = errors.paulis[errors.channels == number].astype(np.int64)
    counts = np.bincount(found, minlength=len(shares) + 1)
    expected = found.size * np.array(shares)
    assert counts[0] == 0
    assert np.all(np.abs(counts[1:] - expected) <= 5 * np.sqrt(expected))


def test_errors_ascend_by_shot_and_channel() -> None:
    errors = draw_errors(CHANNELS, SHOTS, 9)

    places = errors.shots * len(CHANNELS) + errors.channels
    assert np.all(np.diff(places) > 0)
    assert errors.shots.max() < SHOTS


def test_the_first_shots_do_not_depend_on_how_many_there_are() -> None:
    few, many = draw_errors(CHANNELS, 500, 3), draw_errors(CHANNELS, SHOTS, 3)

    for column, longer in zip(few, many, strict=True):
        assert np.array_equal(column, longer[: column.size])


def test_neighbouring_seeds_share_nothing() -> None:
    one, other = (draw_errors(CHANNELS, SHOTS, seed) for seed in (7, 8))

    size = SHOTS * len(CHANNELS)
    hits = [
        np.bincount(errors.shots * len(CHANNELS) + errors.channels, minlength=size)
        for errors in (one, other)
    ]
    by_chance = SHOTS * sum(channel.probability**2 for channel in CHANNELS)
    assert abs(int((hits[0] & hits[1]).sum()) - by_chance) < 5 * np.sqrt(by_chance)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_what_never_or_always_happens(probability: float) -> None:
    errors = draw_errors([Channel(1, (0,), probability)], 10, 1)

    assert errors.shots.tolist() == (list(range(10)) if probability else [])


def test_a_qubit_is_misread_as_often_as_its_state_is() -> None:
    noise = NoiseModel("n", 3, 0, 0, flips=Flips(0.1, 0.3), qubit_flips={1: Flips(0.0, 0.5)})
    bits = np.zeros((SHOTS, 3), np.uint8)
    bits[:, 1:] = 1

    shares = (misread(bits, noise, 5) != bits).mean(axis=0)

    assert shares == pytest.approx([0.1, 0.5, 0.3], abs=5 * 0.5 / np.sqrt(SHOTS))


def test_basis_states_are_misread_as_their_bits_are() -> None:
    noise = NoiseModel("n", 3, 0, 0, flips=Flips(0.2, 0.4))
    states = np.arange(8, dtype=np.uint64)
    bits = (states[:, np.newaxis] >> np.arange(3, dtype=np.uint64) & np.uint64(1)).astype(np.uint8)

    read = misread_states(states, 3, noise, 5)

    assert read.tolist() == (misread(bits, noise, 5) @ [1, 2, 4]).tolist()


def test_one_likely_channel_among_many_costs_no_more_than_its_errors() -> None:
    channels = [Channel(k, (0,), 1e-4) for k in range(2000)] + [Channel(2000, (0,), 0.9)]
    shots = 5000

    errors = draw_errors(channels, shots, 3)

    expected = shots * sum(channel.probability for channel in channels)
    assert peak_bytes(lambda: draw_errors(channels, shots, 3)) < 120 * expected + 2**20
    counts = np.bincount(errors.channels, minlength=len(channels))
    assert abs(counts[-1] - 4500) < 5 * np.sqrt(450)
    assert abs(counts[:-1].sum() - 1000) < 5 * np.sqrt(1000)
