from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.builders import KERNELS

from ionbox._kernel import kernel
from ionbox.engines.sampling import draw, sample
from ionbox.formats.results import FloatArray

NUM_CHUNKS = 4
CHUNK = 1 << 16


@pytest.fixture(autouse=True, params=KERNELS)
def each_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ionbox.engines.sampling.kernel", request.param)


def chi_squared(observed: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    return float(((observed - expected) ** 2 / expected).sum())


def five_sigma(degrees: int) -> float:
    return degrees + 5 * float(np.sqrt(2 * degrees))


def histogram(weights: FloatArray, shots: int, seed: int) -> NDArray[np.int64]:
    basis_states, counts = sample(weights, shots, seed)
    return np.bincount(basis_states.astype(np.int64), counts, weights.size).astype(np.int64)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_frequencies_follow_the_weights(dtype: type[np.float64 | np.float32]) -> None:
    weights: FloatArray = np.arange(1, 65).astype(dtype)
    shots = 100_000

    observed = histogram(weights, shots, seed=7)

    assert observed.sum() == shots
    assert chi_squared(observed, weights / weights.sum() * shots) < five_sigma(63)


def test_frequencies_follow_the_weights_over_many_chunks() -> None:
    weights = np.tile(np.array([1, 3], np.float32), NUM_CHUNKS * CHUNK // 2)
    shots = 200_000

    observed = histogram(weights, shots, seed=11)

    by_chunk = observed.reshape(NUM_CHUNKS, -1).sum(axis=1)
    by_parity = observed.reshape(-1, 2).sum(axis=0)
    assert chi_squared(by_chunk, np.full(NUM_CHUNKS, shots / NUM_CHUNKS)) < five_sigma(3)
    assert chi_squared(by_parity, np.array([0.25, 0.75]) * shots) < five_sigma(1)


def test_neighbouring_seeds_are_independent() -> None:
    # Independent draws of basis states out of 2**20 meet by chance only: a Poisson number of times.
    weights = np.ones(1 << 20, np.float32)
    shots = 20_000

    seven, eight = (set(sample(weights, shots, seed)[0].tolist()) for seed in (7, 8))

    expected = len(seven) * len(eight) / weights.size
    assert abs(len(seven & eight) - expected) < 5 * np.sqrt(expected)


def test_the_same_seed_draws_the_same() -> None:
    weights = np.linspace(0, 1, 1000)

    one, two = sample(weights, 500, 7), sample(weights, 500, 7)

    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_is_drawn_from_a_seed_never_changes() -> None:
    basis_states, counts = sample(np.ones(8), 20, 7)

    assert basis_states.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert counts.tolist() == [4, 3, 2, 3, 3, 1, 2, 2]


def test_columns_are_ascending_and_add_up_to_the_shots() -> None:
    basis_states, counts = sample(np.ones(3 * CHUNK), 1000, 7)

    assert basis_states.dtype == np.uint64
    assert counts.dtype == np.int64
    assert np.all(np.diff(basis_states.astype(np.int64)) > 0)
    assert counts.sum() == 1000


def test_a_basis_state_of_weight_zero_is_never_drawn() -> None:
    weights = np.zeros(NUM_CHUNKS * CHUNK)
    weights[[5, CHUNK + 1, 2 * CHUNK - 3]] = 1e-3, 1.0, 1e-300

    basis_states, _ = sample(weights, 10_000, 7)

    assert basis_states.tolist() == [5, CHUNK + 1]


def test_weights_need_not_sum_to_one() -> None:
    weights = np.arange(100.0)

    assert np.array_equal(histogram(weights, 1000, 7), histogram(weights * 8, 1000, 7))


def test_no_shots_draw_nothing() -> None:
    basis_states, counts = sample(np.ones(4), 0, 7)

    assert (basis_states.size, counts.size) == (0, 0)


@pytest.mark.skipif(kernel is None, reason="the kernel was not built")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1, 100, CHUNK, NUM_CHUNKS * CHUNK])
def test_with_and_without_the_kernel_the_same_is_drawn(
    dtype: type[np.float64 | np.float32], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    weights: FloatArray = (random.exponential(size=size) ** 4).astype(dtype)
    uniforms = np.concatenate([random.random(10_000), [0.0, np.nextafter(1, 0)]])

    ours, drawn = sample(weights, 10_000, 7), draw(weights, uniforms)
    monkeypatch.setattr("ionbox.engines.sampling.kernel", None)

    assert np.array_equal(drawn, draw(weights, uniforms))
    assert all(map(np.array_equal, ours, sample(weights, 10_000, 7)))


def test_any_number_of_threads_draws_the_same() -> None:
    weights = np.random.default_rng(7).exponential(size=NUM_CHUNKS * CHUNK)

    one, *others = (sample(weights, 20_000, 7, threads=threads) for threads in (1, 2, 3, 7))

    assert all(np.array_equal(one[0], other[0]) for other in others)
    assert all(np.array_equal(one[1], other[1]) for other in others)
