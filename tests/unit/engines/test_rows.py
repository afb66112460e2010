from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import listed

from ionbox.engines import rows as module
from ionbox.engines.rows import picked, row_frequencies, rows_of_bits, words_of_rows
from ionbox.formats.results import integers

steady = settings(derandomize=True, deadline=None)
BITS = st.sampled_from([1, 3, 8, 20, 63, 64, 65, 200])


def drawn(
    num_rows: int, num_bits: int, seed: int
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 2, (num_rows, num_bits), np.uint8)


@given(num_bits=BITS, seed=st.integers(0, 100))
@steady
def test_frequencies_are_the_shares_of_the_rows(num_bits: int, seed: int) -> None:
    few = drawn(4, num_bits, seed)[np.random.default_rng(seed).integers(0, 4, 30)]
    rows = rows_of_bits(few)

    register = row_frequencies(rows, num_bits)

    expected = {state: count / 30 for state, count in Counter(integers(rows)).items()}
    assert listed(register) == pytest.approx(expected)
    assert register.num_qubits == num_bits


@given(num_bits=BITS, data=st.data())
@steady
def test_picked_rows_hold_the_bits_at_those_places(num_bits: int, data: st.DataObject) -> None:
    bits = drawn(7, num_bits, 1)
    place = st.one_of(st.none(), st.integers(0, num_bits - 1))
    places = data.draw(st.lists(place, min_size=1, max_size=80))

    found = integers(picked(rows_of_bits(bits), places))

    assert found == [
        sum(int(row[place]) << k for k, place in enumerate(places) if place is not None)
        for row in bits
    ]


def test_many_rows_are_picked_from_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_bits(drawn(100, 50, 1))
    whole = picked(rows, [49, None, 0])

    monkeypatch.setattr(module, "_UNPACKED_BYTES", 500)

    assert np.array_equal(picked(rows, [49, None, 0]), whole)


def test_words_hold_the_bits_of_rows_in_the_same_order() -> None:
    (words,) = words_of_rows(np.array([[1] + [0] * 7 + [2]], np.uint8))

    assert words.tolist() == [1, 2]
