from __future__ import annotations

from math import fsum

import numpy as np
import pytest
from tests.builders import KERNELS, peak_bytes

from ionbox._kernel import kernel
from ionbox.formats.weights import CHUNK, Weights, add_up, gather, rescale, survey

FloatType = type[np.float64] | type[np.float32]

SHARE = 1e-10
SIZES = [1, 2, 255, 256, 257, 1 << 12, CHUNK, CHUNK + 1, 5 * CHUNK, 8 * CHUNK]

both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@pytest.fixture(autouse=True, params=KERNELS)
def each_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ionbox.formats.weights.kernel", request.param)


def make_weights(size: int, dtype: FloatType, *, share_of_zeros: float = 0.0) -> Weights:
    random = np.random.default_rng(size)
    weights = random.exponential(size=size) ** 8 * (random.random(size) >= share_of_zeros)
    weights[-1] = 1
    return weights.astype(dtype)


def everything(weights: Weights, threads: int) -> list[bytes]:
    """Return all that is made of weights, to the bit."""
    found = survey(weights, SHARE, threads=threads)
    dense = weights.copy()
    rescale(dense, found, threads=threads)
    columns = gather(weights, found, threads=threads)
    return [np.array(found).tobytes(), dense.tobytes(), *(column.tobytes() for column in columns)]


@both_precisions
@pytest.mark.parametrize("size", SIZES)
def test_a_survey_finds_what_looking_at_each_weight_does(size: int, dtype: FloatType) -> None:
    weights = make_weights(size, dtype, share_of_zeros=0.3)

    found = survey(weights, SHARE)

    kept = [weight for weight in weights.tolist() if weight >= found.least]
    assert found.largest == max(weights.tolist())
    assert found.least == dtype(found.largest * SHARE)
    assert found.num_kept == len(kept)
    assert found.total == pytest.approx(fsum(kept), rel=1e-14)


@both_precisions
@pytest.mark.parametrize("size", SIZES)
def test_the_columns_hold_what_is_kept_and_dense_values_zeros_between(
    size: int, dtype: FloatType
) -> None:
    weights = make_weights(size, dtype, share_of_zeros=0.9)
    found = survey(weights, SHARE)

    basis_states, values = gather(weights, found)
    rescale(weights, found)

    assert basis_states.dtype == np.uint64
    assert basis_states.tolist() == np.flatnonzero(weights).tolist()
    assert values.dtype == weights.dtype == dtype
    assert values.tolist() == weights[weights > 0].tolist()
    assert values.sum(dtype=np.float64) == pytest.approx(1, rel=float(np.finfo(dtype).eps))


@pytest.mark.skipif(kernel is None, reason="the kernel was not built")
@both_precisions
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_with_and_without_the_kernel_the_bits_are_the_same(
    size: int, share: float, dtype: FloatType, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = make_weights(size, dtype, share_of_zeros=share)

    ours = everything(weights, threads=1)
    monkeypatch.setattr("ionbox.formats.weights.kernel", None)

    assert ours == everything(weights, threads=1)


@both_precisions
def test_any_number_of_threads_gives_the_same_bits(dtype: FloatType) -> None:
    weights = make_weights(5 * CHUNK + 3, dtype, share_of_zeros=0.1)

    one, *others = (everything(weights, threads=threads) for threads in (1, 2, 3, 7))

    assert others == [one] * 3


@both_precisions
@pytest.mark.parametrize("num_qubits", [1, 9, 16, 19])
def test_an_even_superposition_is_even_to_the_last_bit(num_qubits: int, dtype: FloatType) -> None:
    weights: Weights = np.full(1 << num_qubits, 0.001, dtype)

    rescale(weights, survey(weights, SHARE))

    assert set(weights.tolist()) == {2.0**-num_qubits}


def test_numbers_are_added_as_a_tree() -> None:
    numbers = np.array([1.0, 2.0**-53, 0.0, 2.0**-53])

    assert np.cumsum(numbers)[-1] == 1.0
    assert add_up(numbers) == 1 + 2.0**-52


def test_a_weight_that_is_no_number_makes_the_largest_none() -> None:
    weights = make_weights(3 * CHUNK, np.float64)
    weights[CHUNK + 7] = np.nan

    assert np.isnan(survey(weights, SHARE).largest)


@both_precisions
def test_weights_are_never_copied(dtype: FloatType) -> None:
    weights = make_weights(32 * CHUNK, dtype)

    def run() -> None:
        rescale(weights, survey(weights, SHARE))

    assert peak_bytes(run) < weights.nbytes / 4
