"""FORMATS, the table of result formats: which results each one serves, and how it is printed.

The order of bits in v1 and v2 is told in `ionbox.formats.results`. Every renderer yields chunks of
one JSON text, so that neither a million shots nor their text is ever held as a whole; a small
result is one chunk. Nothing is computed before a chunk is asked for, because that may be asked in
another thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox._kernel import Kernel, kernel
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.results import (
    NARROW_BITS,
    Exact,
    Expectation,
    Probabilities,
    Result,
    Sampled,
    Shots,
    basis_states_of,
    histogram,
    integers,
)

CHUNK_SIZE: Final = 65536  # the most outcomes or shots in one chunk
_CHUNK_BYTES: Final = 2**24  # about the most text in one chunk, where registers are wide
_BITS_AN_ENTRY: Final = 32  # a shot of more bits is as much work as several
_GATHERED_BYTES: Final = 2**16  # the least text in one chunk of an aggregate

Rows: TypeAlias = NDArray[np.uint8]
# One-dimensional basis states, or rows, which may have more than 64 bits.
Keys: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Outcomes of a register, and a number for each.

    Args:
        num_bits: The width of the register.
        keys: As long as `values`; None where they are 0, 1, 2 and so on.
        values: The zeros among them are left out.
        digits: How many significant ones a number has; integers have all.
    """

    num_bits: int
    keys: Keys | None
    values: NDArray[np.float64 | np.float32 | np.int64]
    digits: int = 15


def probabilities_v1(
    result: Exact | Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1
) -> Iterator[bytes]:
    """Print `OUTPUT_ALL` with ascending integer keys; zeros are left out.

    A number has the significant digits of what it was computed in, and no more; of shots, it is
    their share.

    Args:
        chunk_size: The most outcomes in one chunk.
        threads: At most so many print a chunk.
    """
    columns = _probabilities(result.registers[OUTPUT_ALL])
    yield from _joined(b"{", _members_v1(columns, chunk_size, threads), b"}")


def probabilities_v2(
    result: Exact | Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1
) -> Iterator[bytes]:
    """Print every register with bitstrings as keys, bit 0 leftmost; zeros are left out."""
    columns = ((name, _probabilities(register)) for name, register in result.registers.items())
    members = ((name, _members_v2(column, chunk_size, threads)) for name, column in columns)
    yield from _by_register("probabilities", members)


def histogram_v1(
    result: Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1
) -> Iterator[bytes]:
    """Print how many shots gave each outcome of `OUTPUT_ALL`, with ascending integer keys."""
    columns = _counts(result.registers[OUTPUT_ALL])
    yield from _joined(b"{", _members_v1(columns, chunk_size, threads), b"}")


def histogram_v2(
    result: Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1
) -> Iterator[bytes]:
    """Print how many shots gave each outcome of every register, with bitstrings as keys."""
    columns = ((name, _counts(shots)) for name, shots in result.registers.items())
    members = ((name, _members_v2(column, chunk_size, threads)) for name, column in columns)
    yield from _by_register("histogram", members)


def shots_v1(result: Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1) -> Iterator[bytes]:
    """Print the integer that each shot gave for `OUTPUT_ALL`, as a string, in order."""
    shots = result.registers[OUTPUT_ALL]
    pieces = (
        _strings(shots.rows[piece], threads)
        for piece in _slices(len(shots.rows), shots.num_bits, chunk_size)
    )
    yield from _joined(b"[", pieces, b"]")


def shots_v2(result: Sampled, *, chunk_size: int = CHUNK_SIZE, threads: int = 1) -> Iterator[bytes]:
    """Print the bits that each shot gave for every register, bit 0 first, in order."""
    # All shots are equally long: their text is one template, into which the bits are set.
    template, starts = _shot_template(result)
    num_shots = len(result.registers[OUTPUT_ALL].rows)
    pieces = (
        _fill(template, starts, _cut(result, piece), threads)
        for piece in _slices(num_shots, len(template), chunk_size)
    )
    yield from _joined(b'{"shots":[', pieces, b"]}")


def probabilities_aggregate(children: Iterable[tuple[str, Exact | Sampled]]) -> Iterator[bytes]:
    """Print the probabilities (v1) of child jobs under their ids, in the order given."""
    return _gathered(_aggregate(children))


def expectation(result: Expectation) -> bytes:
    """Return the JSON object of a quantum function's `value` and `variance`."""
    return msgspec.json.encode({"value": result.value, "variance": result.variance})


# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table.

    Args:
        id: The name on the wire.
        word: The short name, as in the path `/results/{word}`.
        version: 1 for integers, 2 for bitstrings and arrays of bits.
        serves: The kinds of result that it can print; none if it prints several results.
        render: From a result of such a kind, or from pairs of child id and result, to chunks.
        media_type: What the chunks together are.
    """

    id: str
    word: str
    version: int
    serves: tuple[type[Result], ...]
    render: Callable[[Any], Iterator[bytes]]
    media_type: str = "application/json"


_ROWS: Final = (
    Format(
        "ionq.result.probabilities.json.v1",
        "probabilities",
        1,
        serves=(Exact, Sampled),
        render=probabilities_v1,
    ),
    Format(
        "ionq.result.probabilities.json.v2",
        "probabilities",
        2,
        serves=(Exact, Sampled),
        render=probabilities_v2,
    ),
    Format("ionq.result.histogram.json.v1", "histogram", 1, (Sampled,), histogram_v1),
    Format("ionq.result.histogram.json.v2", "histogram", 2, (Sampled,), histogram_v2),
    Format("ionq.result.shots.json.v1", "shots", 1, (Sampled,), shots_v1),
    Format("ionq.result.shots.json.v2", "shots", 2, (Sampled,), shots_v2),
    Format(
        "ionq.result.probabilities-aggregate.json.v1",
        "probabilities-aggregate",
        1,
        serves=(),
        render=probabilities_aggregate,
    ),
)

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({row.id: row for row in _ROWS})

# What a short name means where no version is given.
FORMAT_BY_WORD: Final[Mapping[str, Format]] = MappingProxyType(
    {row.word: row for row in _ROWS if row.version == 1}
)


def formats_of(result: Result) -> tuple[Format, ...]:
    """Return the formats in which a result can be had; an expectation value has none of them."""
    return tuple(row for row in _ROWS if isinstance(result, row.serves))


def num_entries(result: Result) -> int:
    """Return how many values or shots a result has: how much work it is to print."""
    match result:
        case Exact():
            return sum(
                _num_entries(register.values.size, register.num_qubits)
                for register in result.registers.values()
            )
        case Sampled():
            return sum(
                _num_entries(len(register.rows), register.num_bits)
                for register in result.registers.values()
            )
        case Expectation():
            return 1


def _num_entries(num_keys: int, num_bits: int) -> int:
    return num_keys * (1 + num_bits // _BITS_AN_ENTRY)


# --- numbers and keys ------------------------------------------------------------------------


def _probabilities(register: Probabilities | Shots) -> Columns:
    if isinstance(register, Shots):
        counted = _counts(register)
        return replace(counted, values=counted.values / len(register.rows))
    digits = register.significant_digits
    return Columns(register.num_qubits, register.basis_states, register.values, digits)


def _counts(shots: Shots) -> Columns:
    rows, counts = histogram(shots)
    keys = basis_states_of(rows) if shots.num_bits <= NARROW_BITS else rows
    return Columns(shots.num_bits, keys, counts.astype(np.int64, copy=False))


def _slices(size: int, num_characters: int, chunk_size: int) -> Iterator[slice]:
    """Cut `size` entries of so many characters into chunks."""
    chunk_size = min(chunk_size, max(1, _CHUNK_BYTES // num_characters))
    return (slice(start, start + chunk_size) for start in range(0, size, chunk_size))


def _bitstrings(keys: Keys, num_bits: int) -> list[str]:
    """Return bits as text, bit 0 leftmost."""
    rows = keys if keys.ndim == 2 else keys.astype("<u8").view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(rows, axis=1, count=num_bits, bitorder="little")
    text = (bits + ord("0")).tobytes().decode("ascii")
    return [text[start : start + num_bits] for start in range(0, len(text), num_bits)]


def _integers(keys: Keys) -> list[int]:
    return integers(keys) if keys.ndim == 2 else keys.tolist()


# --- pieces of JSON --------------------------------------------------------------------------
#
# Every member of an object or array begins with a comma; `_joined` drops the first one.


def _members_v1(columns: Columns, chunk_size: int, threads: int) -> Iterator[bytes]:
    for piece in _slices(columns.values.size, columns.num_bits, chunk_size):
        if kernel is not None and _has_narrow_keys(columns):
            yield _printed(kernel, columns, piece, num_bits=0, threads=threads)
        else:
            keys, values = _nonzero(columns, piece)
            yield _texts(f',"%d":{_number(columns)}', _integers(keys), values)


def _members_v2(columns: Columns, chunk_size: int, threads: int) -> Iterator[bytes]:
    for piece in _slices(columns.values.size, columns.num_bits, chunk_size):
        if kernel is not None and _has_narrow_keys(columns):
            yield _printed(kernel, columns, piece, num_bits=columns.num_bits, threads=threads)
        else:
            keys, values = _nonzero(columns, piece)
            yield _texts(f',"%s":{_number(columns)}', _bitstrings(keys, columns.num_bits), values)


def _has_narrow_keys(columns: Columns) -> bool:
    return columns.keys is None or columns.keys.ndim == 1


def _printed(
    printer: Kernel, columns: Columns, piece: slice, *, num_bits: int, threads: int
) -> bytes:
    # A column that lies within a stored result may begin anywhere.
    values = np.require(columns.values[piece], requirements=("C", "A"))
    keys = (
        None if columns.keys is None else np.require(columns.keys[piece], requirements=("C", "A"))
    )
    return printer.print_members(
        values,
        keys=keys,
        first=piece.start,
        num_bits=num_bits,
        digits=columns.digits,
        threads=threads,
    )


def _nonzero(columns: Columns, piece: slice) -> tuple[Keys, list[float] | list[int]]:
    values = columns.values[piece]
    places = values.nonzero()[0]
    keys = places + piece.start if columns.keys is None else columns.keys[piece][places]
    return keys, values[places].tolist()


def _number(columns: Columns) -> str:
    return "%d" if columns.values.dtype == np.int64 else f"%.{columns.digits}g"


def _texts(template: str, keys: Iterable[object], values: Iterable[object]) -> bytes:
    return "".join(map(template.__mod__, zip(keys, values, strict=True))).encode()


def _strings(rows: Rows, threads: int) -> bytes:
    if kernel is not None and rows.shape[1] * 8 <= NARROW_BITS:
        return kernel.print_strings(basis_states_of(rows), threads=threads)
    return "".join(map(',"%d"'.__mod__, integers(rows))).encode()


def _by_register(word: str, members: Iterable[tuple[str, Iterator[bytes]]]) -> Iterator[bytes]:
    opening = f'{{"{word}":{{"registers":{{'
    for name, pieces in members:
        yield from _joined(f"{opening}{_quoted(name)}:{{".encode(), pieces, b"}")
        opening = ","
    yield b"}}}"


def _joined(opening: bytes, pieces: Iterable[bytes], closing: bytes) -> Iterator[bytes]:
    """Yield pieces between the brackets; the empty ones leave no trace."""
    held, is_first = opening, True
    for piece in filter(None, pieces):
        if is_first:
            held, is_first = opening + piece[1:], False
        else:
            yield held
            held = piece
    yield held + closing


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode()


def _shot_template(result: Sampled) -> tuple[bytes, dict[str, int]]:
    """Return a comma and the text of a shot, and where in it the bits of each register start."""
    text = b',{"registers":{'
    starts: dict[str, int] = {}
    for name, shots in result.registers.items():
        comma = b"," if starts else b""
        text += comma + _quoted(name).encode() + b":["
        starts[name] = len(text)
        text += b",".join([b"0"] * shots.num_bits) + b"]"
    return text + b"}}", starts


def _cut(result: Sampled, piece: slice) -> dict[str, Shots]:
    return {
        name: Shots(shots.num_bits, shots.rows[piece]) for name, shots in result.registers.items()
    }


def _fill(
    template: bytes, starts: Mapping[str, int], registers: Mapping[str, Shots], threads: int
) -> bytes:
    """Return the text of some shots."""
    if kernel is not None:
        places = [
            (starts[name], shots.num_bits, np.ascontiguousarray(shots.rows))
            for name, shots in registers.items()
        ]
        return kernel.print_shots(template, places, threads=threads)
    text = np.tile(np.frombuffer(template, np.uint8), (len(registers[OUTPUT_ALL].rows), 1))
    for name, shots in registers.items():
        place = slice(starts[name], starts[name] + 2 * shots.num_bits - 1, 2)
        text[:, place] += np.unpackbits(shots.rows, axis=1, count=shots.num_bits, bitorder="little")
    return text.tobytes()


def _aggregate(children: Iterable[tuple[str, Exact | Sampled]]) -> Iterator[bytes]:
    opening = "{"
    for child_id, result in children:
        yield f"{opening}{_quoted(child_id)}:".encode()
        yield from probabilities_v1(result)
        opening = ","
    yield b"}" if opening == "," else b"{}"


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Make larger chunks, since thousands of small ones are slow to send."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= _GATHERED_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
