from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.rendering import formats_of
from ionbox.formats.results import Sampled, Shots, integers
from ionbox.formats.variants import aggregated, distinct, select_shots, variant_of

steady = settings(derandomize=True, deadline=None)


def shots(num_bits: int, keys: list[int]) -> Shots:
    row_bytes = -(-num_bits // 8)
    data = b"".join(key.to_bytes(row_bytes, "little") for key in keys)
    return Shots(num_bits, np.frombuffer(data, np.uint8).reshape(len(keys), row_bytes))


def three_variants() -> Sampled:
    registers = {OUTPUT_ALL: shots(9, [1, 300, 1, 2]), "c": shots(1, [1, 0, 0, 1])}
    return Sampled(registers, np.array([0, 0, 2, 0], np.uint16), 3)


def keys(result: Sampled, name: str = OUTPUT_ALL) -> list[int]:
    return integers(result.registers[name].rows)


def test_selected_shots_keep_their_registers_and_their_variants() -> None:
    kept = select_shots(three_variants(), np.array([False, True, True, False]))

    assert (keys(kept), keys(kept, "c")) == ([300, 1], [0, 0])
    assert kept.variants is not None
    assert (kept.variants.tolist(), kept.num_variants) == ([0, 2], 3)


def test_a_selection_that_leaves_nothing_keeps_all() -> None:
    result = three_variants()

    assert select_shots(result, np.zeros(4, np.bool_)) is result


def test_shots_without_variants_can_be_selected() -> None:
    kept = select_shots(Sampled({OUTPUT_ALL: shots(2, [3, 1])}), np.array([True, False]))

    assert (keys(kept), kept.variants, kept.num_variants) == ([3], None, 0)


def test_a_variant_is_a_result_by_itself() -> None:
    parts = [variant_of(three_variants(), number) for number in range(3)]

    assert [keys(part) for part in parts] == [[1, 300, 2], [], [1]]
    assert [keys(part, "c") for part in parts] == [[1, 0, 1], [], [0]]
    assert all(part.variants is None for part in parts)


def test_a_variant_without_shots_is_empty_in_every_format() -> None:
    empty = variant_of(three_variants(), 1)

    texts = {row.id: b"".join(row.render(empty)) for row in formats_of(empty)}

    assert texts == {
        "ionq.result.probabilities.json.v1": b"{}",
        "ionq.result.probabilities.json.v2": (
            b'{"probabilities":{"registers":{"output_all":{},"c":{}}}}'
        ),
        "ionq.result.histogram.json.v1": b"{}",
        "ionq.result.histogram.json.v2": b'{"histogram":{"registers":{"output_all":{},"c":{}}}}',
        "ionq.result.shots.json.v1": b"[]",
        "ionq.result.shots.json.v2": b'{"shots":[]}',
    }


def test_each_register_is_aggregated_by_itself() -> None:
    def first_takes_all(
        outcomes: NDArray[np.int64], variants: NDArray[np.uint16]
    ) -> NDArray[np.int64]:
        assert variants.tolist() == [0, 0, 2, 0]
        counts = np.zeros(int(outcomes.max()) + 1, np.int64)
        counts[outcomes[0]] = outcomes.size
        return counts

    result = aggregated(three_variants(), first_takes_all)

    assert (keys(result), keys(result, "c")) == ([1] * 4, [1] * 4)
    assert result.variants is None


@pytest.mark.parametrize("num_bits", [1, 8, 20, 64, 65, 3000])
@given(data=st.data())
@steady
def test_distinct_rows_say_what_each_shot_was(num_bits: int, data: st.DataObject) -> None:
    few = data.draw(st.lists(st.integers(0, 2**num_bits - 1), min_size=1, max_size=4))
    register = shots(num_bits, data.draw(st.lists(st.sampled_from(few), min_size=1, max_size=9)))

    rows, outcomes = distinct(register)

    assert rows[outcomes].tolist() == register.rows.tolist()
    assert len(set(integers(rows))) == len(rows)
    assert np.unique(outcomes).tolist() == list(range(len(rows)))
