"""FORMATS, the table of result formats: which results each one serves, and how it is printed.

The order of bits in v1 and v2 is told in `ionbox.formats.results`. Every renderer yields chunks of
one JSON text, so that neither a million shots nor their text is ever held as a whole; a small
result is one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.results import (
    Exact,
    Expectation,
    Probabilities,
    Result,
    Sampled,
    Shots,
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
# Outcomes, and the number of each.
Outcomes: TypeAlias = Iterator[tuple[Keys, list[float] | list[int]]]


def probabilities_v1(result: Exact | Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print `OUTPUT_ALL` with ascending integer keys; zeros are left out.

    A number has the significant digits of what it was computed in, and no more; of shots, it is
    their share.

    Args:
        chunk_size: The most outcomes in one chunk.
    """
    register = result.registers[OUTPUT_ALL]
    return _joined("{", _members_v1(_probabilities(register, chunk_size), _digits(register)), "}")


def probabilities_v2(result: Exact | Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print every register with bitstrings as keys, bit 0 leftmost; zeros are left out."""
    members = {
        name: _members_v2(_probabilities(register, chunk_size), _width(register), _digits(register))
        for name, register in result.registers.items()
    }
    return _by_register("probabilities", members)


def histogram_v1(result: Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print how many shots gave each outcome of `OUTPUT_ALL`, with ascending integer keys."""
    return _joined("{", _members_v1(_counts(result.registers[OUTPUT_ALL], chunk_size), "%d"), "}")


def histogram_v2(result: Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print how many shots gave each outcome of every register, with bitstrings as keys."""
    members = {
        name: _members_v2(_counts(shots, chunk_size), shots.num_bits, "%d")
        for name, shots in result.registers.items()
    }
    return _by_register("histogram", members)


def shots_v1(result: Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print the integer that each shot gave for `OUTPUT_ALL`, as a string, in order."""
    shots = result.registers[OUTPUT_ALL]
    pieces = (
        '"' + '","'.join(map(str, integers(shots.rows[piece]))) + '"'
        for piece in _slices(len(shots.rows), shots.num_bits, chunk_size)
    )
    return _joined("[", pieces, "]")


def shots_v2(result: Sampled, *, chunk_size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Print the bits that each shot gave for every register, bit 0 first, in order."""
    # All shots are equally long: their text is one template, into which the bits are set.
    template, places = _shot_template(result)
    num_shots = len(result.registers[OUTPUT_ALL].rows)
    pieces = (
        _fill(template, places, result, piece)
        for piece in _slices(num_shots, len(template), chunk_size)
    )
    return _joined('{"shots":[', pieces, "]}")


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


def _probabilities(register: Probabilities | Shots, chunk_size: int) -> Outcomes:
    if isinstance(register, Shots):
        num_shots = len(register.rows)
        for rows, counts in _counts(register, chunk_size):
            yield rows, [count / num_shots for count in counts]
        return
    basis_states = register.basis_states
    for piece in _slices(register.values.size, register.num_qubits, chunk_size):
        values = register.values[piece]
        places = values.nonzero()[0]
        states = places + piece.start if basis_states is None else basis_states[piece][places]
        yield states, values[places].tolist()


def _counts(shots: Shots, chunk_size: int) -> Outcomes:
    rows, counts = histogram(shots)
    for piece in _slices(len(rows), shots.num_bits, chunk_size):
        yield rows[piece], counts[piece].tolist()


def _slices(size: int, num_characters: int, chunk_size: int) -> Iterator[slice]:
    """Cut `size` entries of so many characters into chunks."""
    chunk_size = min(chunk_size, max(1, _CHUNK_BYTES // num_characters))
    return (slice(start, start + chunk_size) for start in range(0, size, chunk_size))


def _digits(register: Probabilities | Shots) -> str:
    digits = 15 if isinstance(register, Shots) else register.significant_digits
    return f"%.{digits}g"


def _width(register: Probabilities | Shots) -> int:
    return register.num_bits if isinstance(register, Shots) else register.num_qubits


def _integers(keys: Keys) -> list[int]:
    if keys.ndim == 2:
        return integers(keys)
    states: list[int] = keys.tolist()
    return states


def _bitstrings(keys: Keys, num_bits: int) -> list[str]:
    """Return bits as text, bit 0 leftmost."""
    rows = keys if keys.ndim == 2 else keys.astype("<u8").view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(rows, axis=1, count=num_bits, bitorder="little")
    text = (bits + ord("0")).tobytes().decode("ascii")
    return [text[start : start + num_bits] for start in range(0, len(text), num_bits)]


# --- pieces of JSON --------------------------------------------------------------------------


def _members_v1(outcomes: Outcomes, number: str) -> Iterator[str]:
    template = f'"%d":{number}'
    for keys, values in outcomes:
        yield ",".join(map(template.__mod__, zip(_integers(keys), values, strict=True)))


def _members_v2(outcomes: Outcomes, num_bits: int, number: str) -> Iterator[str]:
    template = f'"%s":{number}'
    for keys, values in outcomes:
        strings = _bitstrings(keys, num_bits)
        yield ",".join(map(template.__mod__, zip(strings, values, strict=True)))


def _by_register(word: str, members: Mapping[str, Iterator[str]]) -> Iterator[bytes]:
    opening = f'{{"{word}":{{"registers":{{'
    for name, pieces in members.items():
        yield from _joined(f"{opening}{_quoted(name)}:{{", pieces, "}")
        opening = ","
    yield b"}}}"


def _joined(opening: str, pieces: Iterable[str], closing: str) -> Iterator[bytes]:
    """Yield pieces with commas between; the empty ones leave no trace."""
    text, comma = opening, ""
    for piece in pieces:
        if piece:
            if comma:
                yield text.encode()
                text = comma
            text += piece
            comma = ","
    yield (text + closing).encode()


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode()


def _shot_template(result: Sampled) -> tuple[Rows, dict[str, slice]]:
    """Return the text of a shot and a comma, and where in it the bits of each register stand."""
    text = b'{"registers":{'
    places: dict[str, slice] = {}
    for name, shots in result.registers.items():
        comma = b"," if places else b""
        text += comma + _quoted(name).encode() + b":["
        places[name] = slice(len(text), len(text) + 2 * shots.num_bits - 1, 2)
        text += b",".join([b"0"] * shots.num_bits) + b"]"
    return np.frombuffer(text + b"}},", np.uint8), places


def _fill(template: Rows, places: Mapping[str, slice], result: Sampled, piece: slice) -> str:
    """Return the text of some shots, with commas between."""
    num_shots = len(result.registers[OUTPUT_ALL].rows[piece])
    text = np.tile(template, (num_shots, 1))
    for name, shots in result.registers.items():
        text[:, places[name]] += np.unpackbits(
            shots.rows[piece], axis=1, count=shots.num_bits, bitorder="little"
        )
    return text.tobytes()[:-1].decode()


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
