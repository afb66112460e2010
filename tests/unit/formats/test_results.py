from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import KERNELS

from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.results import (
    MAX_SHOTS,
    Exact,
    Expectation,
    FloatArray,
    Probabilities,
    Result,
    Sampled,
    Shots,
    count_outcomes,
    decode,
    encode,
    histogram,
    integers,
    read_out,
)

FloatType = type[np.float64] | type[np.float32]

steady = settings(derandomize=True, deadline=None)
both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@st.composite
def probabilities(draw: st.DrawFn) -> Probabilities:
    num_qubits = draw(st.integers(1, 6))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    weight = st.one_of(st.just(0.0), st.floats(2**-20, 1, width=32))
    weights = draw(st.lists(weight, min_size=2**num_qubits, max_size=2**num_qubits))
    weights[draw(st.integers(0, 2**num_qubits - 1))] = 1.0
    return read_out(np.array(weights, dtype), num_qubits)


def registers(widths: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, int]]:
    others = st.dictionaries(st.text(max_size=4), widths, max_size=3)
    return st.builds(lambda width, more: {OUTPUT_ALL: width} | more, widths, others)


@st.composite
def sampled(draw: st.DrawFn) -> Sampled:
    num_shots = draw(st.integers(1, 9))
    widths = draw(registers(st.integers(1, 200)))
    columns = {name: draw(shots(num_shots, width)) for name, width in widths.items()}
    if draw(st.booleans()):
        return Sampled(columns)
    numbers = draw(st.lists(st.integers(0, 300), min_size=num_shots, max_size=num_shots))
    return Sampled(columns, np.array(numbers, np.uint16), max(numbers) + draw(st.integers(1, 3)))


@st.composite
def shots(draw: st.DrawFn, num_shots: int, num_bits: int) -> Shots:
    keys = st.integers(0, 2**num_bits - 1)
    return make_shots(num_bits, draw(st.lists(keys, min_size=num_shots, max_size=num_shots)))


def make_shots(num_bits: int, keys: Sequence[int]) -> Shots:
    row_bytes = -(-num_bits // 8)
    data = b"".join(key.to_bytes(row_bytes, "little") for key in keys)
    return Shots(num_bits, np.frombuffer(data, np.uint8).reshape(len(keys), row_bytes))


def output_all(register: Probabilities) -> Exact:
    return Exact({OUTPUT_ALL: register})


def sparse(num_qubits: int, values: dict[int, float]) -> Exact:
    basis_states = np.array(sorted(values), np.uint64)
    column = np.array([values[key] for key in sorted(values)])
    return output_all(Probabilities(num_qubits, basis_states, column))


def wide(num_qubits: int, values: dict[int, float]) -> Exact:
    rows = make_shots(num_qubits, sorted(values)).rows
    column = np.array([values[key] for key in sorted(values)])
    return output_all(Probabilities(num_qubits, rows, column))


@st.composite
def wide_probabilities(draw: st.DrawFn) -> Probabilities:
    num_qubits = draw(st.integers(65, 200))
    keys = draw(st.lists(st.integers(0, 2**num_qubits - 1), min_size=1, max_size=9, unique=True))
    values = dict.fromkeys(keys, 1 / len(keys))
    return wide(num_qubits, values).registers[OUTPUT_ALL]


numbers = st.floats(allow_nan=False, allow_infinity=False)
any_width = st.one_of(probabilities(), wide_probabilities())
exact = st.one_of(
    any_width.map(output_all),
    st.builds(
        lambda first, more: Exact({OUTPUT_ALL: first} | more),
        any_width,
        st.dictionaries(st.text(max_size=4), any_width, max_size=2),
    ),
)
results: st.SearchStrategy[Result] = st.one_of(
    exact, sampled(), st.builds(Expectation, numbers, numbers)
)


def facts(result: Result) -> object:
    """Return what two equal results have in common, in values that compare."""
    if isinstance(result, Expectation):
        return result
    columns = [(name, register_facts(register)) for name, register in result.registers.items()]
    if isinstance(result, Exact):
        return columns
    numbers = None if result.variants is None else result.variants.tolist()
    return columns, numbers, result.num_variants


def register_facts(register: Probabilities | Shots) -> object:
    if isinstance(register, Shots):
        return register.num_bits, register.rows.dtype, register.rows.tolist()
    states = None if register.basis_states is None else register.basis_states.tolist()
    return register.num_qubits, states, register.values.dtype, register.values.tolist()


def make_weights(values: Sequence[float], dtype: FloatType) -> FloatArray:
    return np.array(values, np.float64).astype(dtype)


@pytest.fixture(params=KERNELS)
def each_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ionbox.formats.weights.kernel", request.param)


@pytest.mark.usefixtures("each_kernel")
@pytest.mark.parametrize(("dtype", "share"), [(np.float64, 1e-24), (np.float32, 1e-10)])
def test_what_is_below_the_share_of_the_largest_is_dropped(dtype: FloatType, share: float) -> None:
    weights = make_weights([0.5, 0.49 * share, 0.51 * share, 0.5], dtype)

    kept = read_out(weights, 2)

    assert count_outcomes(weights) == 3
    assert (kept.values != 0).tolist() == [True, False, True, True]


@pytest.mark.usefixtures("each_kernel")
@both_precisions
def test_what_is_kept_sums_to_one(dtype: FloatType) -> None:
    weights = make_weights(np.linspace(0.1, 7, 2**12).tolist(), dtype)

    values = read_out(weights, 12).values

    assert values.sum(dtype=np.float64) == pytest.approx(1, rel=float(np.finfo(dtype).eps))


@pytest.mark.usefixtures("each_kernel")
def test_dense_values_take_the_place_of_the_weights() -> None:
    weights = np.array([3.0, 1.0, 0.0, 1e-30])

    assert count_outcomes(weights) == 2
    assert weights.tolist() == [3.0, 1.0, 0.0, 1e-30]
    assert read_out(weights, 2).values is weights
    assert weights.tolist() == [0.75, 0.25, 0.0, 0.0]


@pytest.mark.usefixtures("each_kernel")
def test_columns_are_sparse_where_that_is_smaller() -> None:
    few, many = np.zeros(8), np.zeros(8)
    few[[1, 4, 6]], many[[1, 4, 6, 7]] = 1, 1

    assert read_out(many, 3).basis_states is None
    basis_states = read_out(few, 3).basis_states
    assert basis_states is not None
    assert basis_states.tolist() == [1, 4, 6]
    assert basis_states.dtype == np.uint64


@pytest.mark.usefixtures("each_kernel")
@pytest.mark.parametrize("weights", [[0.0, 0.0], [float("nan"), 1.0]])
def test_weights_that_are_no_probabilities_are_an_error(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        read_out(np.array(weights), 1)


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("num_bits", [1, 7, 8, 20, 64, 65, 3000, 10_000])
def test_a_histogram_counts_the_shots_of_each_outcome_in_ascending_order(num_bits: int) -> None:
    top = 2**num_bits - 1
    keys = [top, 0, top // 3, top, 1, top // 3, top, 0, 0, 0]

    rows, counts = histogram(make_shots(num_bits, keys))

    assert dict(zip(integers(rows), counts.tolist(), strict=True)) == Counter(keys)
    assert integers(rows) == sorted(set(keys))


@given(shots(30, 12))
@steady
def test_a_histogram_agrees_with_counting_one_by_one(register: Shots) -> None:
    rows, counts = histogram(register)

    expected = sorted(Counter(integers(register.rows)).items())
    assert list(zip(integers(rows), counts.tolist(), strict=True)) == expected


def test_bit_0_of_a_row_is_the_lowest_of_its_integer() -> None:
    assert integers(np.array([[0b10, 0b1]], np.uint8)) == [2 + 2**8]


# --- the stored form -------------------------------------------------------------------------


@given(results)
@steady
def test_the_stored_form_is_read_back_as_it_was(result: Result) -> None:
    assert facts(decode(encode(result))) == facts(result)


def test_the_stored_form_of_output_all_alone_is_the_one_that_is_documented() -> None:
    stored = encode(sparse(40, {1: 0.25, 2**39: 0.75}))

    assert stored[:8] == b"IXPR\x01\x01\x08\x00"
    assert np.frombuffer(stored, "<u8", 4, 8).tolist() == [40, 2, 1, 2**39]
    assert np.frombuffer(stored, "<f8", 2, 40).tolist() == [0.25, 0.75]
    assert len(stored) == 56


def test_above_64_qubits_the_stored_form_has_rows_after_the_values() -> None:
    stored = encode(wide(65, {1: 0.25, 2**64: 0.75}))

    assert stored[:8] == b"IXPR\x01\x02\x08\x00"
    assert np.frombuffer(stored, "<u8", 2, 8).tolist() == [65, 2]
    assert np.frombuffer(stored, "<f8", 2, 24).tolist() == [0.25, 0.75]
    assert stored[40:] == b"\x01" + bytes(8) + bytes(8) + b"\x01"


def test_what_the_first_version_stored_is_still_read() -> None:
    stored = bytes.fromhex(
        "4958505201010800020000000000000002000000000000000000000000000000"
        "0300000000000000000000000000e03f000000000000e03f"
    )

    assert facts(decode(stored)) == facts(sparse(2, {0: 0.5, 3: 0.5}))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            Sampled({OUTPUT_ALL: make_shots(9, [1, 256]), "c": make_shots(1, [1, 0])}),
            {
                "kind": "sampled",
                "shots": 2,
                "registers": {
                    OUTPUT_ALL: {"num_bits": 9, "rows": b"\x01\x00\x00\x01"},
                    "c": {"num_bits": 1, "rows": b"\x01\x00"},
                },
            },
        ),
        (
            Exact(
                {**sparse(2, {3: 1.0}).registers, "c": sparse(1, {1: 1.0}).registers[OUTPUT_ALL]}
            ),
            {
                "kind": "exact",
                "registers": {
                    OUTPUT_ALL: encode(sparse(2, {3: 1.0})),
                    "c": encode(sparse(1, {1: 1.0})),
                },
            },
        ),
        (Expectation(-1.5, 0.25), {"kind": "expectation", "value": -1.5, "variance": 0.25}),
    ],
)
def test_any_other_result_is_a_header_and_a_map(
    result: Result, expected: Mapping[str, object]
) -> None:
    stored = encode(result)

    assert stored[:8] == b"IXRS\x01\x00\x00\x00"
    assert msgspec.msgpack.decode(stored[8:]) == expected


# What encode gave for shots before they could have variants, and what it gives since.
_PLAIN = (
    "83a46b696e64a773616d706c6564a573686f747302a972656769737465727382aa6f75747075745f616c6c82a8"
    "6e756d5f6269747309a4726f7773c40401000001a16382a86e756d5f6269747301a4726f7773c4020100"
)
_VARIED = "84" + _PLAIN[2:] + "a876617269616e747382a5636f756e7403a76e756d62657273c40402000000"


@pytest.mark.parametrize(
    ("stored", "variants"),
    [
        ("4958525301000000" + _PLAIN, ()),
        ("4958525302000000" + _VARIED, (np.array([2, 0], np.uint16), 3)),
    ],
)
def test_what_each_version_of_shots_stored_is_still_read_and_written(
    stored: str, variants: tuple[Any, ...]
) -> None:
    registers = {OUTPUT_ALL: make_shots(9, [1, 256]), "c": make_shots(1, [1, 0])}
    result = Sampled(registers, *variants)

    assert facts(decode(bytes.fromhex(stored))) == facts(result)
    assert encode(result).hex() == stored


@pytest.mark.parametrize(
    "result",
    [
        sparse(3, {1: 0.25, 6: 0.75}),
        wide(70, {1: 0.25, 2**69: 0.75}),
        Exact(dict.fromkeys((OUTPUT_ALL, "c"), sparse(3, {6: 1.0}).registers[OUTPUT_ALL])),
        Sampled({OUTPUT_ALL: make_shots(16, [1, 2])}),
    ],
)
def test_reading_the_stored_form_copies_nothing(result: Exact | Sampled) -> None:
    stored = bytearray(encode(result))

    register = list(decode(memoryview(stored).toreadonly()).registers.values())[-1]  # type: ignore[union-attr]
    column = register.rows if isinstance(register, Shots) else register.values

    assert np.shares_memory(column, np.frombuffer(stored, np.uint8))
    assert not column.flags.writeable


@given(result=results, data=st.data())
@steady
def test_a_truncated_result_is_an_error(result: Result, data: st.DataObject) -> None:
    stored = encode(result)
    length = data.draw(st.integers(0, len(stored) - 1))

    with pytest.raises(ValueError, match="stored result"):
        decode(stored[:length])


@given(result=results, data=st.data())
@steady
def test_damaged_bytes_are_an_error_or_another_result(result: Result, data: st.DataObject) -> None:
    stored = bytearray(encode(result))
    places = st.integers(0, min(len(stored), 60) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        stored[place] = data.draw(st.integers(0, 255))

    try:
        back = decode(memoryview(stored))
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert isinstance(back, Exact | Sampled | Expectation)


def container(content: object) -> bytes:
    return b"IXRS\x01\x00\x00\x00" + msgspec.msgpack.encode(content)


def stored_shots(
    num_bits: object, rows: bytes, num_shots: object = 2, name: str = OUTPUT_ALL
) -> bytes:
    register = {"num_bits": num_bits, "rows": rows}
    return container({"kind": "sampled", "shots": num_shots, "registers": {name: register}})


def stored_variants(numbers: bytes, count: int = 2) -> bytes:
    register = {"num_bits": 1, "rows": b"\x01\x00"}
    variants = {"count": count, "numbers": numbers}
    content = {"kind": "sampled", "shots": 2, "registers": {OUTPUT_ALL: register}}
    return container(content | {"variants": variants})


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
        (b"IXPR\x01\x02\x08\x00" + bytes(32), "contradicts itself"),
        (b"IXPR\x01\x02\x08\x00" + b"\xff" * 16, "contradicts itself"),
        (encode(wide(65, {0: 1.0}))[:-1] + b"\x02", "has bits beyond its 65 qubits"),
        (encode(sparse(2, {0: 1.0})) + b"\x00", "has 41 bytes; its header says 40"),
        (b"IXRS\x01", "ends after 5 bytes, within its header"),
        (b"IXRS\x03\x00\x00\x00\x80", "of version 3; this ionbox reads 1"),
        (container({"kind": "picture"}), "damaged: Invalid value 'picture'"),
        (container({"kind": "sampled", "shots": 1}), "missing required field `registers`"),
        (b"IXRS\x01\x00\x00\x00" + b"\x91" * 100_000, "damaged"),
        (b"IXRS\x01\x00\x00\x00\x81\xa1\xff\xc0", "damaged"),
        (container({"kind": "exact", "registers": {}}), "first is output_all"),
        (container({"kind": "exact", "registers": {OUTPUT_ALL: b"IX"}}), "no stored result"),
        (container({"kind": "expectation", "value": 0.1, "variance": np.inf}), "must be finite"),
        (stored_shots(3, b"\x01\x02", name="c"), r"\['c'\]; first is output_all"),
        (stored_shots(9, b"\x01\x00\x00"), "has 3 bytes; 2 shots of 9 bits take 4"),
        (stored_shots(3, b"\x01\x08"), "has bits beyond the 3 that it says"),
        (stored_shots(0, b""), ">= 1"),
        (stored_shots(-8, b"\x01\x08"), ">= 1"),
        (stored_shots(1, b"", num_shots=0), ">= 1"),
        (stored_shots(1, b"", num_shots=2**63), "<= 1000000"),
        (stored_variants(b"\x01\x00"), "have 2 bytes; those of 2 shots take 4"),
        (stored_variants(b"\x01\x00\x02\x00"), "which must be below 2"),
        (stored_variants(bytes(4), count=0), ">= 1"),
    ],
)
def test_foreign_bytes_are_an_error_that_says_what_is_wrong(foreign: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(foreign)


def zeros(num_shots: int, row_bytes: int) -> Shots:
    """Make shots that take no memory, however many."""
    rows = np.broadcast_to(np.zeros((1, 1), np.uint8), (num_shots, row_bytes))
    return Shots(8 * row_bytes, rows)


def of_variants(numbers: Sequence[int], num_variants: int) -> Sampled:
    variants = np.array(numbers, np.uint16)
    return Sampled({OUTPUT_ALL: make_shots(1, [1, 0])}, variants, num_variants)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (Sampled({}), "first is output_all"),
        (Exact({"c": Probabilities(1, None, np.ones(2) / 2)}), "first is output_all"),
        (Sampled({OUTPUT_ALL: make_shots(1, [])}), "needs at least one of each"),
        (Sampled({OUTPUT_ALL: zeros(MAX_SHOTS + 1, 1)}), "may have 1000000 shots"),
        (Sampled({OUTPUT_ALL: zeros(1, 0)}), "needs at least one of each"),
        (
            Sampled({OUTPUT_ALL: make_shots(1, [1]), "c": make_shots(1, [0, 1])}),
            r"register c has rows of uint8 \(2, 1\); they must be uint8 \(1, 1\)",
        ),
        (Sampled({OUTPUT_ALL: Shots(3, np.array([[8]], np.uint8))}), "beyond the 3"),
        (Sampled({OUTPUT_ALL: Shots(3, np.array([[1]]))}), "rows of int64"),
        (Expectation(float("nan"), 0.0), "must be finite"),
        (of_variants([0], 1), r"the variants of 2 shots are \(1,\) numbers"),
        (of_variants([0, 3], 3), "must be below 3"),
        (of_variants([0, 0], 2**16 + 1), "at most 65536"),
    ],
)
def test_a_result_that_cannot_be_stored_is_an_error(result: Result, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(result)


def test_shots_beyond_what_the_stored_form_can_hold_are_an_error() -> None:
    with pytest.raises(ValueError, match="takes 5000000000 bytes; 4294967295 can be stored"):
        encode(Sampled({OUTPUT_ALL: zeros(MAX_SHOTS, 5000)}))
