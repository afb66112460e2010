from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import KERNELS, peak_bytes

from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.rendering import (
    FORMAT_BY_WORD,
    FORMATS,
    Format,
    expectation,
    formats_of,
    histogram_v1,
    histogram_v2,
    num_entries,
    probabilities_aggregate,
    probabilities_v1,
    probabilities_v2,
    shots_v1,
    shots_v2,
)
from ionbox.formats.results import (
    Exact,
    Expectation,
    FloatArray,
    Probabilities,
    Sampled,
    Shots,
    read_out,
)

FloatType = type[np.float64] | type[np.float32]

steady = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it changes nothing meanwhile
)
both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@pytest.fixture(autouse=True, params=KERNELS)
def each_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ionbox.formats.rendering.kernel", request.param)


def make_shots(num_bits: int, keys: Sequence[int]) -> Shots:
    row_bytes = -(-num_bits // 8)
    data = b"".join(key.to_bytes(row_bytes, "little") for key in keys)
    return Shots(num_bits, np.frombuffer(data, np.uint8).reshape(len(keys), row_bytes))


def make_sampled(**registers: tuple[int, Sequence[int]]) -> Sampled:
    return Sampled({name: make_shots(*register) for name, register in registers.items()})


def dense(values: Iterable[float], dtype: FloatType = np.float64) -> Exact:
    weights: FloatArray = np.array(list(values)).astype(dtype)
    num_qubits = weights.size.bit_length() - 1
    return Exact({OUTPUT_ALL: read_out(weights, num_qubits)})


def sparse(num_qubits: int, values: dict[int, float]) -> Exact:
    basis_states = np.array(sorted(values), np.uint64)
    column = np.array([values[key] for key in sorted(values)])
    return Exact({OUTPUT_ALL: Probabilities(num_qubits, basis_states, column)})


def wide(num_qubits: int, values: dict[int, float]) -> Exact:
    rows = make_shots(num_qubits, sorted(values)).rows
    column = np.array([values[key] for key in sorted(values)])
    return Exact({OUTPUT_ALL: Probabilities(num_qubits, rows, column)})


def one_hot(num_qubits: int, place: int) -> Exact:
    weights = np.zeros(2**num_qubits)
    weights[place] = 1
    return Exact({OUTPUT_ALL: Probabilities(num_qubits, None, weights)})


@st.composite
def exact(draw: st.DrawFn) -> Exact:
    dtypes: list[FloatType] = [np.float64, np.float32]
    dtype = draw(st.sampled_from(dtypes))
    size = 2 ** draw(st.integers(1, 8))
    weight = st.one_of(st.just(0.0), st.floats(2**-20, 1, width=32))
    weights = draw(st.lists(weight, min_size=size, max_size=size))
    weights[draw(st.integers(0, size - 1))] = 1.0
    return dense(weights, dtype)


@st.composite
def sampled(draw: st.DrawFn) -> Sampled:
    """Make some shots of one to three registers; the outcomes are few, so that some recur."""
    num_shots = draw(st.integers(1, 40))
    names = [OUTPUT_ALL, *draw(st.lists(st.text(max_size=4), max_size=2, unique=True))]
    registers = {}
    for name in names:
        num_bits = draw(st.integers(1, 150))
        key = st.sampled_from(draw(st.lists(st.integers(0, 2**num_bits - 1), min_size=1)))
        keys = draw(st.lists(key, min_size=num_shots, max_size=num_shots))
        registers[name] = make_shots(num_bits, keys)
    return Sampled(registers)


def text_of(chunks: Iterator[bytes]) -> bytes:
    return b"".join(chunks)


def read(chunks: Iterator[bytes]) -> Any:  # noqa: ANN401 - whatever the JSON holds
    return json.loads(text_of(chunks))


def naive_bits(shots: Shots) -> list[list[int]]:
    return [[int(row[k // 8]) >> k % 8 & 1 for k in range(shots.num_bits)] for row in shots.rows]


def naive_integers(shots: Shots) -> list[int]:
    return [sum(bit << k for k, bit in enumerate(bits)) for bits in naive_bits(shots)]


# --- probabilities of an exact result --------------------------------------------------------


@both_precisions
def test_the_bell_pair_is_exactly_a_half(dtype: FloatType) -> None:
    amplitude = dtype(1) / np.sqrt(dtype(2))
    bell = dense([amplitude**2, 0, 0, amplitude**2], dtype)

    assert list(probabilities_v1(bell)) == [b'{"0":0.5,"3":0.5}']


@both_precisions
def test_one_outcome_has_probability_one(dtype: FloatType) -> None:
    assert text_of(probabilities_v1(dense([0, 0, 0, 0, 0, 0, 3, 0], dtype))) == b'{"6":1}'


def test_qubit_0_is_the_lowest_bit_of_a_key() -> None:
    x_on_qubit_1 = one_hot(2, 0b10)

    assert text_of(probabilities_v1(x_on_qubit_1)) == b'{"2":1}'


@pytest.mark.parametrize(
    ("dtype", "third"), [(np.float64, b"0.333333333333333"), (np.float32, b"0.3333333")]
)
def test_numbers_have_the_digits_that_mean_something(dtype: FloatType, third: bytes) -> None:
    text = text_of(probabilities_v1(dense([1, 1, 1, 0], dtype)))

    assert text == b'{"0":%s,"1":%s,"2":%s}' % (third, third, third)


def test_small_probabilities_are_valid_json_numbers() -> None:
    text = text_of(probabilities_v1(sparse(60, {0: 1 - 1e-20, 2**59: 1e-20})))

    assert text == b'{"0":1,"576460752303423488":1e-20}'
    assert json.loads(text) == {"0": 1, "576460752303423488": 1e-20}


def test_the_highest_basis_state_of_64_qubits_has_its_key() -> None:
    top = sparse(64, {2**64 - 1: 1.0})

    assert read(probabilities_v1(top)) == {"18446744073709551615": 1}
    assert read(probabilities_v2(top))["probabilities"]["registers"] == {OUTPUT_ALL: {"1" * 64: 1}}


@pytest.mark.parametrize("num_qubits", [65, 1000, 10_000])
def test_basis_states_of_any_width_have_their_keys(num_qubits: int) -> None:
    result = wide(num_qubits, {0: 0.25, 6: 0.5, 2 ** (num_qubits - 1): 0.25})

    registers = read(probabilities_v2(result))["probabilities"]["registers"]

    top = str(2 ** (num_qubits - 1)).encode()
    assert text_of(probabilities_v1(result)) == b'{"0":0.25,"6":0.5,"%s":0.25}' % top
    assert list(registers[OUTPUT_ALL]) == [
        "0" * num_qubits,
        "011".ljust(num_qubits, "0"),
        "1".rjust(num_qubits, "0"),
    ]


def test_wide_outcomes_are_printed_in_chunks_and_the_zeros_left_out() -> None:
    result = wide(70, {key << 60: key / 45 for key in range(10)})

    chunks = list(probabilities_v1(result, chunk_size=3))

    assert len(chunks) > 2
    found = json.loads(b"".join(chunks))
    assert {int(key) >> 60: round(value * 45) for key, value in found.items()} == {
        key: key for key in range(1, 10)
    }


def test_a_uniform_superposition_is_printed_in_full() -> None:
    result = dense([0.001] * 2**10)

    assert read(probabilities_v1(result)) == {str(key): 2**-10 for key in range(2**10)}


@given(result=exact(), chunk_size=st.integers(1, 300))
@steady
def test_chunks_together_are_one_object_with_ascending_keys_and_no_zeros(
    result: Exact, chunk_size: int
) -> None:
    text = text_of(probabilities_v1(result, chunk_size=chunk_size))

    values = json.loads(text)
    assert text == text_of(probabilities_v1(result))
    assert all(int(low) < int(high) for low, high in pairwise(values))
    assert 0 not in values.values()
    assert sum(values.values()) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("place", [0, 3, 4, 7])
def test_chunks_without_outcomes_leave_no_trace(place: int) -> None:
    text = text_of(probabilities_v1(one_hot(3, place), chunk_size=2))

    assert text == b'{"%d":1}' % place


def test_no_chunk_holds_more_outcomes_than_asked_for() -> None:
    chunks = list(probabilities_v1(dense([1] * 64), chunk_size=10))

    assert len(chunks) == 7
    assert max(chunk.count(b":") for chunk in chunks) == 10


def test_a_large_result_is_never_held_as_text() -> None:
    result = dense(np.random.default_rng(7).random(2**17).tolist())
    size = len(text_of(probabilities_v1(result)))

    peak = peak_bytes(lambda: sum(map(len, probabilities_v1(result, chunk_size=2**12))))

    assert size > 2**21
    assert peak < 2**20


@pytest.mark.parametrize("render", [probabilities_v1, probabilities_v2])
def test_any_number_of_threads_prints_the_same(render: Callable[..., Iterator[bytes]]) -> None:
    random = np.random.default_rng(7)
    result = dense(random.random(2**16) * (random.random(2**16) < 0.5))

    texts = {text_of(render(result, threads=threads)) for threads in (1, 2, 3, 7)}

    assert len(texts) == 1


def test_values_that_a_damaged_result_may_hold_are_printed() -> None:
    values = np.array([float("nan"), float("inf"), -0.5, -0.0])

    text = text_of(probabilities_v1(Exact({OUTPUT_ALL: Probabilities(2, None, values)})))

    assert text == b'{"0":nan,"1":inf,"2":-0.5}'


@both_precisions
def test_columns_that_lie_askew_in_memory_are_printed(dtype: FloatType) -> None:
    values: FloatArray = np.frombuffer(b"x" + np.array([0.25, 0.75], dtype).tobytes(), dtype, 2, 1)
    states = np.frombuffer(b"x" + np.array([3, 9], np.uint64).tobytes(), np.uint64, 2, 1)
    result = Exact({OUTPUT_ALL: Probabilities(4, states, values)})

    assert text_of(probabilities_v1(result)) == b'{"3":0.25,"9":0.75}'


def test_v2_strings_begin_with_qubit_0_and_are_as_wide_as_the_circuit() -> None:
    assert read(probabilities_v2(sparse(3, {1: 0.25, 6: 0.75}))) == {
        "probabilities": {"registers": {OUTPUT_ALL: {"100": 0.25, "011": 0.75}}}
    }


def test_v1_is_of_output_all_and_v2_of_every_register_in_order() -> None:
    bit = Probabilities(1, None, np.array([0.5, 0.5]))
    result = Exact({**sparse(2, {1: 0.5, 2: 0.5}).registers, 'a "b"': bit, "c": bit})

    assert read(probabilities_v1(result)) == {"1": 0.5, "2": 0.5}
    registers = read(probabilities_v2(result))["probabilities"]["registers"]
    assert list(registers.items()) == [
        (OUTPUT_ALL, {"10": 0.5, "01": 0.5}),
        ('a "b"', {"0": 0.5, "1": 0.5}),
        ("c", {"0": 0.5, "1": 0.5}),
    ]


@given(result=exact(), chunk_size=st.integers(1, 300))
@steady
def test_a_key_of_v2_is_the_reverse_of_the_binary_reading_of_v1(
    result: Exact, chunk_size: int
) -> None:
    width = result.registers[OUTPUT_ALL].num_qubits

    flat = read(probabilities_v1(result))
    by_register = read(probabilities_v2(result, chunk_size=chunk_size))
    strings = by_register["probabilities"]["registers"][OUTPUT_ALL]

    assert {str(int(key[::-1], 2)): value for key, value in strings.items()} == flat
    assert {len(key) for key in strings} == {width}


# --- shots -----------------------------------------------------------------------------------


def test_every_rendering_of_the_same_shots() -> None:
    result = make_sampled(output_all=(2, [1, 3, 1, 1]), c=(3, [4, 0, 4, 1]))

    assert {row.id: text_of(row.render(result)).decode() for row in formats_of(result)} == {
        "ionq.result.probabilities.json.v1": '{"1":0.75,"3":0.25}',
        "ionq.result.probabilities.json.v2": '{"probabilities":{"registers":{'
        '"output_all":{"10":0.75,"11":0.25},"c":{"000":0.25,"100":0.25,"001":0.5}}}}',
        "ionq.result.histogram.json.v1": '{"1":3,"3":1}',
        "ionq.result.histogram.json.v2": '{"histogram":{"registers":{'
        '"output_all":{"10":3,"11":1},"c":{"000":1,"100":1,"001":2}}}}',
        "ionq.result.shots.json.v1": '["1","3","1","1"]',
        "ionq.result.shots.json.v2": '{"shots":['
        '{"registers":{"output_all":[1,0],"c":[0,0,1]}},'
        '{"registers":{"output_all":[1,1],"c":[0,0,0]}},'
        '{"registers":{"output_all":[1,0],"c":[0,0,1]}},'
        '{"registers":{"output_all":[1,0],"c":[1,0,0]}}]}',
    }


@given(result=sampled(), chunk_size=st.integers(1, 50))
@steady
def test_shots_are_what_reading_bit_by_bit_gives(result: Sampled, chunk_size: int) -> None:
    bits = {name: naive_bits(shots) for name, shots in result.registers.items()}
    output_all = naive_integers(result.registers[OUTPUT_ALL])

    assert read(shots_v1(result, chunk_size=chunk_size)) == list(map(str, output_all))
    assert read(shots_v2(result, chunk_size=chunk_size)) == {
        "shots": [
            {"registers": {name: rows[shot] for name, rows in bits.items()}}
            for shot in range(len(output_all))
        ]
    }


@given(result=sampled(), chunk_size=st.integers(1, 50))
@steady
def test_histograms_are_what_counting_one_by_one_gives(result: Sampled, chunk_size: int) -> None:
    counts = Counter(naive_integers(result.registers[OUTPUT_ALL]))

    flat = read(histogram_v1(result, chunk_size=chunk_size))
    registers = read(histogram_v2(result, chunk_size=chunk_size))["histogram"]["registers"]

    assert list(flat.items()) == [(str(key), counts[key]) for key in sorted(counts)]
    assert list(registers) == list(result.registers)
    for name, shots in result.registers.items():
        words = Counter("".join(map(str, bits)) for bits in naive_bits(shots))
        assert registers[name] == words


@given(result=sampled(), chunk_size=st.integers(1, 50))
@steady
def test_probabilities_of_shots_are_the_share_of_each_outcome(
    result: Sampled, chunk_size: int
) -> None:
    num_shots = len(result.registers[OUTPUT_ALL].rows)
    counts = read(histogram_v2(result))["histogram"]["registers"]
    flat = read(probabilities_v1(result, chunk_size=chunk_size))
    by_register = read(probabilities_v2(result, chunk_size=chunk_size))
    registers = by_register["probabilities"]["registers"]

    for name, probabilities in registers.items():
        assert probabilities == pytest.approx(
            {key: count / num_shots for key, count in counts[name].items()}, rel=1e-14
        )
        assert sum(probabilities.values()) == pytest.approx(1, rel=1e-12)
    strings = registers[OUTPUT_ALL].items()
    assert {str(int(key[::-1], 2)): value for key, value in strings} == flat


@pytest.mark.parametrize("row", [row for row in FORMATS.values() if Sampled in row.serves])
def test_every_format_of_shots_is_the_same_with_and_without_the_kernel(
    row: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    widths = {OUTPUT_ALL: 20, "c": 1, "d": 64, "e": 65}
    keys = {name: random.integers(0, 2 ** min(width, 12), 9000) for name, width in widths.items()}
    result = make_sampled(
        **{name: (width, list(map(int, keys[name]))) for name, width in widths.items()}
    )

    with_either = text_of(row.render(result))
    monkeypatch.setattr("ionbox.formats.rendering.kernel", None)

    assert with_either == text_of(row.render(result))


class Untouchable(dict[str, Shots]):
    def __getitem__(self, name: str) -> Shots:
        raise LookupError(name)

    def items(self) -> NoReturn:
        raise LookupError


@pytest.mark.parametrize("row", [row for row in FORMATS.values() if Sampled in row.serves])
def test_nothing_is_computed_before_a_chunk_is_asked_for(row: Format) -> None:
    chunks = row.render(Sampled(Untouchable()))

    with pytest.raises(LookupError):
        next(chunks)


def test_registers_of_thousands_of_bits_are_printed() -> None:
    top = 2**9_999 + 1
    result = make_sampled(output_all=(10_000, [top, 1, top]))

    assert text_of(histogram_v1(result)) == b'{"1":1,"%d":2}' % top
    assert read(shots_v1(result)) == [str(top), "1", str(top)]
    assert read(shots_v2(result))["shots"][0]["registers"] == {OUTPUT_ALL: [1, *[0] * 9_998, 1]}
    [one, wide] = read(histogram_v2(result))["histogram"]["registers"][OUTPUT_ALL]
    assert (one, wide) == ("1" + "0" * 9_999, "1" + "0" * 9_998 + "1")


def test_wide_registers_come_in_chunks_of_bounded_size() -> None:
    result = make_sampled(output_all=(10_000, [0] * 2_000))

    assert max(map(len, shots_v2(result))) <= 2**24 + 100


# --- several results, and values -------------------------------------------------------------


def test_an_aggregate_is_an_object_of_probabilities_by_child_in_the_order_given() -> None:
    bell = dense([1, 0, 0, 1])
    shots = make_sampled(output_all=(1, [1, 1, 0, 1]))
    children: list[tuple[str, Exact | Sampled]] = [("b", bell), ("a", shots), ("c", bell)]

    text = text_of(probabilities_aggregate(iter(children)))

    assert text == b'{"b":{"0":0.5,"3":0.5},"a":{"0":0.25,"1":0.75},"c":{"0":0.5,"3":0.5}}'


def test_an_aggregate_of_nothing_is_an_empty_object() -> None:
    assert text_of(probabilities_aggregate([])) == b"{}"


def test_an_aggregate_asks_for_a_child_only_when_the_ones_before_are_printed() -> None:
    asked = []

    def children() -> Iterator[tuple[str, Exact]]:
        for child in "abc":
            asked.append(child)
            yield child, dense([1] * 2**14)

    chunks = probabilities_aggregate(children())
    first = next(chunks)

    assert asked == ["a"]
    assert json.loads(first + text_of(chunks)).keys() == set("abc")


def test_small_children_are_sent_together() -> None:
    children = ((f"child {i}", dense([1, 1])) for i in range(1000))

    assert len(list(probabilities_aggregate(children))) == 1


def test_an_expectation_value_is_printed_with_its_variance() -> None:
    assert json.loads(expectation(Expectation(-1.5, 0.25))) == {"value": -1.5, "variance": 0.25}


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "row"), FORMATS.items())
def test_the_id_of_a_format_says_its_word_and_version(name: str, row: Any) -> None:  # noqa: ANN401
    assert name == row.id == f"ionq.result.{row.word}.json.v{row.version}"


def test_a_word_alone_means_version_1() -> None:
    assert {word: row.id for word, row in FORMAT_BY_WORD.items()} == {
        "probabilities": "ionq.result.probabilities.json.v1",
        "histogram": "ionq.result.histogram.json.v1",
        "shots": "ionq.result.shots.json.v1",
        "probabilities-aggregate": "ionq.result.probabilities-aggregate.json.v1",
    }


def test_an_exact_result_has_probabilities_only_and_an_expectation_value_no_format() -> None:
    bell, shots = dense([1, 0, 0, 1]), make_sampled(output_all=(1, [1]))

    assert {row.word for row in formats_of(bell)} == {"probabilities"}
    assert {row.word for row in formats_of(shots)} == {"probabilities", "histogram", "shots"}
    assert formats_of(Expectation(0.5, 0.0)) == ()


def test_the_entries_of_a_result_are_the_values_and_shots_of_its_registers() -> None:
    assert num_entries(dense([1, 0, 0, 1])) == 4
    assert num_entries(sparse(30, {5: 1.0})) == 1
    assert num_entries(wide(1000, {5: 1.0})) == 32
    assert num_entries(make_sampled(output_all=(2, [1, 2, 3]), c=(1, [0, 0, 1]))) == 6
    assert num_entries(Expectation(0.5, 0.0)) == 1
