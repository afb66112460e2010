from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionbox.formats.results import (
    FloatArray,
    Probabilities,
    count_outcomes,
    decode,
    encode,
    probabilities_v1,
    probabilities_v2,
    read_out,
)

FloatType = type[np.float64] | type[np.float32]

steady = settings(derandomize=True, deadline=None)
both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@st.composite
def results(draw: st.DrawFn) -> Probabilities:
    num_qubits = draw(st.integers(1, 8))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    weight = st.one_of(st.just(0.0), st.floats(2**-20, 1, width=32))
    weights = draw(st.lists(weight, min_size=2**num_qubits, max_size=2**num_qubits))
    weights[draw(st.integers(0, 2**num_qubits - 1))] = 1.0
    return read_out(np.array(weights, dtype), num_qubits)


def sparse(num_qubits: int, values: dict[int, float]) -> Probabilities:
    basis_states = np.array(sorted(values), np.uint64)
    return Probabilities(num_qubits, basis_states, np.array([values[k] for k in sorted(values)]))


def make_weights(values: Sequence[float], dtype: FloatType) -> FloatArray:
    return np.array(values, np.float64).astype(dtype)


def printed(probabilities: Probabilities, chunk_size: int = 65536) -> bytes:
    return b"".join(probabilities_v1(probabilities, chunk_size=chunk_size))


def one_hot(num_qubits: int, place: int, dtype: FloatType) -> FloatArray:
    weights = np.zeros(2**num_qubits, dtype)
    weights[place] = 1
    return weights


@both_precisions
def test_the_bell_pair_is_exactly_a_half(dtype: FloatType) -> None:
    amplitude = dtype(1) / np.sqrt(dtype(2))
    weights = make_weights([amplitude**2, 0, 0, amplitude**2], dtype)

    assert printed(read_out(weights, 2)) == b'{"0":0.5,"3":0.5}'


@pytest.mark.parametrize(("dtype", "share"), [(np.float64, 1e-24), (np.float32, 1e-10)])
def test_what_is_below_the_share_of_the_largest_is_dropped(dtype: FloatType, share: float) -> None:
    weights = make_weights([0.5, 0.49 * share, 0.51 * share, 0.5], dtype)

    kept = read_out(weights, 2)

    assert count_outcomes(weights) == 3
    assert (kept.values != 0).tolist() == [True, False, True, True]


@both_precisions
def test_what_is_kept_sums_to_one(dtype: FloatType) -> None:
    weights = make_weights(np.linspace(0.1, 7, 2**12).tolist(), dtype)

    values = read_out(weights, 12).values

    assert values.sum(dtype=np.float64) == pytest.approx(1, rel=float(np.finfo(dtype).eps))


def test_the_weights_are_left_as_they_were() -> None:
    weights = np.array([3.0, 1.0, 0.0, 1e-30])

    read_out(weights, 2)

    assert weights.tolist() == [3.0, 1.0, 0.0, 1e-30]


def test_columns_are_sparse_where_that_is_smaller() -> None:
    few, many = np.zeros(8), np.zeros(8)
    few[[1, 4, 6]], many[[1, 4, 6, 7]] = 1, 1

    assert read_out(many, 3).basis_states is None
    basis_states = read_out(few, 3).basis_states
    assert basis_states is not None
    assert basis_states.tolist() == [1, 4, 6]
    assert basis_states.dtype == np.uint64


@pytest.mark.parametrize("weights", [[0.0, 0.0], [float("nan"), 1.0]])
def test_weights_that_are_no_probabilities_are_an_error(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        read_out(np.array(weights), 1)


@given(results())
@steady
def test_the_stored_form_is_read_back_as_it_was(probabilities: Probabilities) -> None:
    back = decode(encode(probabilities))

    assert back.num_qubits == probabilities.num_qubits
    assert back.values.dtype == probabilities.values.dtype
    assert back.significant_digits == probabilities.significant_digits
    assert np.array_equal(back.values, probabilities.values)
    if probabilities.basis_states is None:
        assert back.basis_states is None
    else:
        assert back.basis_states is not None
        assert np.array_equal(back.basis_states, probabilities.basis_states)


def test_the_stored_form_is_the_one_that_is_documented() -> None:
    stored = encode(sparse(40, {1: 0.25, 2**39: 0.75}))

    assert stored[:8] == b"IXPR\x01\x01\x08\x00"
    assert np.frombuffer(stored, "<u8", 4, 8).tolist() == [40, 2, 1, 2**39]
    assert np.frombuffer(stored, "<f8", 2, 40).tolist() == [0.25, 0.75]
    assert len(stored) == 56


def test_reading_the_stored_form_copies_nothing() -> None:
    stored = bytearray(encode(sparse(3, {1: 0.25, 6: 0.75})))

    values = decode(memoryview(stored)).values
    stored[-16:-8] = np.float64(0.125).tobytes()

    assert values.tolist() == [0.125, 0.75]


@given(probabilities=results(), data=st.data())
@steady
def test_a_truncated_result_is_an_error(probabilities: Probabilities, data: st.DataObject) -> None:
    stored = encode(probabilities)
    length = data.draw(st.integers(0, len(stored) - 1))

    with pytest.raises(ValueError, match="stored result"):
        decode(stored[:length])


@pytest.mark.parametrize(
    ("foreign", "message"),
    [
        (b"", "they do not start with its header"),
        (b'{"0":0.5,"3":0.5}' + bytes(20), "they do not start with its header"),
        (b"IXPR\x02\x00\x08\x00" + bytes(32), "of version 2; this ionbox reads 1"),
        (b"IXPR\x01\x07\x08\x00" + bytes(32), "contradicts itself"),
        (b"IXPR\x01\x00\x03\x00" + bytes(32), "contradicts itself"),
        (b"IXPR\x01\x00\x08\x00" + bytes(32), "contradicts itself"),
        (b"IXPR\x01\x01\x08\x00" + b"\xff" * 16, "contradicts itself"),
        (encode(sparse(2, {0: 1.0})) + b"\x00", "has 41 bytes; its header says 40"),
    ],
)
def test_foreign_bytes_are_an_error_that_says_what_is_wrong(foreign: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(foreign)


@both_precisions
def test_one_outcome_has_probability_one(dtype: FloatType) -> None:
    assert printed(read_out(one_hot(3, 6, dtype), 3)) == b'{"6":1}'


def test_qubit_0_is_the_lowest_bit_of_a_key() -> None:
    weights = one_hot(2, 0b10, np.float64)  # X on qubit 1

    assert printed(read_out(weights, 2)) == b'{"2":1}'


@pytest.mark.parametrize(
    ("dtype", "third"), [(np.float64, b"0.333333333333333"), (np.float32, b"0.3333333")]
)
def test_numbers_have_the_digits_that_mean_something(dtype: FloatType, third: bytes) -> None:
    weights = make_weights([1, 1, 1, 0], dtype)

    assert printed(read_out(weights, 2)) == b'{"0":%s,"1":%s,"2":%s}' % (third, third, third)


def test_small_probabilities_are_valid_json_numbers() -> None:
    text = printed(sparse(60, {0: 1 - 1e-20, 2**59: 1e-20}))

    assert text == b'{"0":1,"576460752303423488":1e-20}'
    assert json.loads(text) == {"0": 1, "576460752303423488": 1e-20}


def test_a_uniform_superposition_is_printed_in_full() -> None:
    text = printed(read_out(np.full(2**10, 0.001), 10))

    assert json.loads(text) == {str(key): 2**-10 for key in range(2**10)}


@given(probabilities=results(), chunk_size=st.integers(1, 300))
@steady
def test_chunks_together_are_one_object_with_ascending_keys_and_no_zeros(
    probabilities: Probabilities, chunk_size: int
) -> None:
    text = printed(probabilities, chunk_size)

    read = json.loads(text)
    assert text == printed(probabilities)
    assert all(int(low) < int(high) for low, high in pairwise(read))
    assert 0 not in read.values()
    assert sum(read.values()) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("place", [0, 3, 4, 7])
def test_chunks_without_outcomes_leave_no_trace(place: int) -> None:
    dense = Probabilities(3, None, one_hot(3, place, np.float64))

    assert printed(dense, chunk_size=2) == b'{"%d":1}' % place


def test_a_small_result_is_one_chunk() -> None:
    assert list(probabilities_v1(sparse(2, {0: 0.5, 3: 0.5}))) == [b'{"0":0.5,"3":0.5}']


def test_no_chunk_holds_more_outcomes_than_asked_for() -> None:
    chunks = list(probabilities_v1(read_out(np.ones(64), 6), chunk_size=10))

    assert len(chunks) == 7
    assert max(chunk.count(b":") for chunk in chunks) == 10


def test_v2_strings_begin_with_qubit_0_and_are_as_wide_as_the_circuit() -> None:
    text = b"".join(probabilities_v2(sparse(3, {1: 0.25, 6: 0.75})))

    assert json.loads(text) == {
        "probabilities": {"registers": {"output_all": {"100": 0.25, "011": 0.75}}}
    }


@pytest.mark.parametrize("chunk_size", [1, 3, 64, 100])
def test_v2_is_one_object_however_it_is_chunked(chunk_size: int) -> None:
    probabilities = read_out(np.array([1.0, 0, 2, 0, 0, 0, 0, 1]), 3)
    text = b"".join(probabilities_v2(probabilities, chunk_size=chunk_size))

    assert json.loads(text)["probabilities"]["registers"]["output_all"] == {
        "000": 0.25,
        "010": 0.5,
        "111": 0.25,
    }
