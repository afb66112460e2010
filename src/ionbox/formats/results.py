"""Results as values, and the binary form in which they are stored.

The bit order of every result is decided here, once:

- v1 (integers): a key is the decimal integer whose bit i (weight 2**i) is qubit i, so qubit 0 is
  the lowest bit. X on qubit 1 of two qubits gives `{"2":1}`.
- v2 (bitstrings): character k is q[k], so q[0] is the leftmost character. The same state reads
  `"01"`; a v2 string is the reverse of the integer's binary reading.

There are two stored forms; all numbers in them are little-endian. Probabilities of `OUTPUT_ALL`
alone, the result of most jobs, are a header of 24 bytes, then the columns without gaps:

    offset  size  field
    0       4     magic, `IXPR`
    4       1     version, 1
    5       1     kind: 0 dense, 1 sparse, 2 wide
    6       1     bytes per value: 8 (float64) or 4 (float32)
    7       1     zero
    8       8     num_qubits
    16      8     count: number of values
    24      8*c   basis states, uint64, ascending (sparse only)
    ...           values
    ...     r*c   basis states, rows as those of `Shots`, ascending (wide only)

Wide is sparse for more than 64 qubits: r = ceil(num_qubits / 8) bytes for each basis state.

Any other result is a header of 8 bytes, then one MessagePack map, whose `kind` says what else it
holds; registers come in their order, `OUTPUT_ALL` first:

    offset  size  field
    0       4     magic, `IXRS`
    4       1     version, 1; 2 of shots that have variants
    5       3     zero
    8       ...   {"kind": "exact", "registers": {name: the first stored form}}
                  {"kind": "sampled", "shots": n, "registers": {name: {"num_bits", "rows"}},
                   "variants": {"count", "numbers"}}
                  {"kind": "expectation", "value", "variance"}

`rows` are those of `Shots`, without gaps. `variants` is there in version 2 only: `numbers` are
those of `Sampled`, uint16, `count` how many variants there were.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Final, TypeAlias, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.program import MAX_BITS, OUTPUT_ALL
from ionbox.formats.weights import Survey, gather, rescale, survey

FloatArray = NDArray[np.float64 | np.float32]
BasisStates: TypeAlias = NDArray[np.uint64] | NDArray[np.uint8]

NARROW_BITS: Final = 64  # the most qubits, or bits, whose basis states are uint64

_MAGIC = b"IXPR"
_VERSION = 1
_DENSE, _SPARSE, _WIDE = 0, 1, 2
_HEADER = struct.Struct("<4sBBBxQQ")
_STATE_TYPE = np.dtype("<u8")
_VARIANT_TYPE = np.dtype("<u2")

_CONTAINER_MAGIC = b"IXRS"
_PLAIN, _WITH_VARIANTS = 1, 2  # versions: what needs no more is written as it always was
_CONTAINER_HEADER = struct.Struct("<4sB3x")
_MOST_BYTES = 2**32 - 1  # of one binary value in MessagePack

MAX_SHOTS: Final = 1_000_000
MAX_VARIANTS: Final = 2**16  # more than there are shots enough for

# By bytes per value: the digits that survive a long circuit, and the share of the largest
# probability below which a number is rounding noise.
_SIGNIFICANT_DIGITS = {8: 15, 4: 7}
_NOISE_SHARE = {8: 1e-24, 4: 1e-10}


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Basis states and their probabilities, dense or sparse.

    Args:
        num_qubits: How many qubits a basis state covers.
        basis_states: Ascending, as long as `values`: uint64 up to 64 qubits, above that rows as
            those of `Shots`. None if `values` is dense, one value for each of the
            2**num_qubits basis states.
        values: Probabilities with sum 1, float64 or float32.
    """

    num_qubits: int
    basis_states: BasisStates | None
    values: FloatArray

    @property
    def significant_digits(self) -> int:
        """Return how many decimal digits of a value mean something."""
        return _SIGNIFICANT_DIGITS[self.values.itemsize]


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """What each shot left in a register, in order.

    Args:
        num_bits: The width of the register.
        rows: uint8, shape (shots, ceil(num_bits / 8)); bit k of the register is bit k % 8 of
            byte k // 8, and the bits beyond are 0.
    """

    num_bits: int
    rows: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The outcome of a job without noise: probabilities of each register, `OUTPUT_ALL` first."""

    registers: Mapping[str, Probabilities]


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The outcome of a noisy job: all shots of each register, `OUTPUT_ALL` first.

    Args:
        variants: The number of the variant of the circuit that each shot is from; None where
            there was but one circuit.
        num_variants: How many there were, some perhaps without a shot that was kept.
    """

    registers: Mapping[str, Shots]
    variants: NDArray[np.uint16] | None = None
    num_variants: int = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """The outcome of a quantum function: a value, and the variance of the observable."""

    value: float
    variance: float


Result: TypeAlias = Exact | Sampled | Expectation


def count_outcomes(weights: FloatArray, *, threads: int = 1) -> int:
    """Return how many basis states the read-out keeps."""
    return _survey(weights, threads).num_kept


def read_out(weights: FloatArray, num_qubits: int, *, threads: int = 1) -> Probabilities:
    """Make probabilities of weights that are nearly that: drop rounding noise, rescale to sum 1.

    Args:
        weights: Squared magnitudes of all 2**num_qubits amplitudes. They are used up: dense
            values take their place.
        num_qubits: The width of the circuit.
        threads: At most so many; the values are the same for any number.

    Returns:
        Values in the type of `weights`; sparse columns where they take fewer bytes than dense.

    Raises:
        ValueError: If no weight is positive, or one is not a number.
    """
    found = _survey(weights, threads)
    if found.num_kept * (_STATE_TYPE.itemsize + weights.itemsize) < weights.nbytes:
        return Probabilities(num_qubits, *gather(weights, found, threads=threads))
    rescale(weights, found, threads=threads)
    return Probabilities(num_qubits, None, weights)


def _survey(weights: FloatArray, threads: int) -> Survey:
    found = survey(weights, _NOISE_SHARE[weights.itemsize], threads=threads)
    if not found.largest > 0:  # also true of NaN
        raise ValueError(f"the largest weight is {found.largest}; it must be positive")
    return found


def histogram(shots: Shots) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Count the shots of each outcome.

    Returns:
        The distinct rows, ascending by the integer that they stand for, and the count of each.
    """
    width = shots.rows.shape[1]
    if width <= _STATE_TYPE.itemsize:
        states, counts = np.unique(basis_states_of(shots.rows), return_counts=True)
        return states.view(np.uint8).reshape(-1, _STATE_TYPE.itemsize)[:, :width], counts
    # Highest byte first, equally long byte strings are in the order of their integers.
    strings = np.ascontiguousarray(shots.rows[:, ::-1]).view(f"S{width}")[:, 0]
    distinct, counts = np.unique(strings, return_counts=True)
    return distinct.view(np.uint8).reshape(-1, width)[:, ::-1], counts


def basis_states_of(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the integers that rows of at most 64 bits stand for, bit 0 the lowest."""
    padded = np.zeros((len(rows), _STATE_TYPE.itemsize), np.uint8)
    padded[:, : rows.shape[1]] = rows
    states: NDArray[np.uint64] = padded.view(_STATE_TYPE)[:, 0]
    return states


def integers(rows: NDArray[np.uint8]) -> list[int]:
    """Return the integers that rows of bits stand for, bit 0 the lowest.

    Python prints integers of up to 4300 digits; the widest circuit's have 3011.
    """
    if rows.shape[1] > _STATE_TYPE.itemsize:
        return [int.from_bytes(row.tobytes(), "little") for row in rows]
    states: list[int] = basis_states_of(rows).tolist()
    return states


# --- the stored form -------------------------------------------------------------------------


class _StoredExact(msgspec.Struct, tag_field="kind", tag="exact", forbid_unknown_fields=True):
    registers: dict[str, memoryview]


class _StoredShots(msgspec.Struct, forbid_unknown_fields=True):
    num_bits: Annotated[int, msgspec.Meta(ge=1)]
    rows: memoryview


class _StoredVariants(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_VARIANTS)]
    numbers: memoryview


class _StoredSampled(
    msgspec.Struct, tag_field="kind", tag="sampled", forbid_unknown_fields=True, omit_defaults=True
):
    shots: Annotated[int, msgspec.Meta(ge=1, le=MAX_SHOTS)]
    registers: dict[str, _StoredShots]
    variants: _StoredVariants | None = None


class _StoredExpectation(
    msgspec.Struct, tag_field="kind", tag="expectation", forbid_unknown_fields=True
):
    value: float
    variance: float


_Stored: TypeAlias = _StoredExact | _StoredSampled | _StoredExpectation
_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[_Stored] = msgspec.msgpack.Decoder(_Stored)


def encode(result: Result) -> bytes:
    """Return the stored form, as drawn at the top of this module.

    Raises:
        ValueError: If the result contradicts itself, or is larger than what can be stored.
    """
    if isinstance(result, Exact) and len(result.registers) == 1 and OUTPUT_ALL in result.registers:
        return _encode_probabilities(result.registers[OUTPUT_ALL])
    has_variants = isinstance(result, Sampled) and result.variants is not None
    version = _WITH_VARIANTS if has_variants else _PLAIN
    header = _CONTAINER_HEADER.pack(_CONTAINER_MAGIC, version)
    return header + _ENCODER.encode(_to_stored(result))


def decode(data: bytes | memoryview) -> Result:
    """Read the stored form; the arrays are read-only views of `data`.

    Raises:
        ValueError: If `data` is not a result, is of another version, or is incomplete.
    """
    if data[:4] == _CONTAINER_MAGIC:
        return _from_stored(_read_container(memoryview(data)))
    return Exact({OUTPUT_ALL: _decode_probabilities(data)})


def _to_stored(result: Result) -> _Stored:
    match result:
        case Exact():
            _check_names(result.registers)
            stored = {
                name: memoryview(_encode_probabilities(probabilities))
                for name, probabilities in result.registers.items()
            }
            return _StoredExact(stored)
        case Sampled():
            _check_names(result.registers)
            num_shots = len(result.registers[OUTPUT_ALL].rows)
            registers = {
                name: _StoredShots(shots.num_bits, _rows_to_bytes(name, shots, num_shots))
                for name, shots in result.registers.items()
            }
            return _StoredSampled(num_shots, registers, _variants_to_bytes(result, num_shots))
        case Expectation():
            _check_numbers(result)
            return _StoredExpectation(result.value, result.variance)
        case _:
            assert_never(result)


def _from_stored(stored: _Stored) -> Result:
    match stored:
        case _StoredExact():
            _check_names(stored.registers)
            probabilities = {
                name: _decode_probabilities(data) for name, data in stored.registers.items()
            }
            return Exact(probabilities)
        case _StoredSampled():
            _check_names(stored.registers)
            shots = {
                name: _shots_from_bytes(name, register, stored.shots)
                for name, register in stored.registers.items()
            }
            return Sampled(shots, *_variants_from_bytes(stored))
        case _StoredExpectation():
            result = Expectation(stored.value, stored.variance)
            _check_numbers(result)
            return result


def _read_container(data: memoryview) -> _Stored:
    if len(data) < _CONTAINER_HEADER.size:
        raise ValueError(f"a stored result ends after {len(data)} bytes, within its header")
    _, version = _CONTAINER_HEADER.unpack_from(data)
    if version not in {_PLAIN, _WITH_VARIANTS}:
        raise ValueError(
            f"a stored result of version {version}; this ionbox reads {_PLAIN} and {_WITH_VARIANTS}"
        )
    try:
        return _DECODER.decode(data[_CONTAINER_HEADER.size :])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"a stored result is damaged: {error}") from error


def _check_names(registers: Mapping[str, object]) -> None:
    if next(iter(registers), None) != OUTPUT_ALL:
        raise ValueError(f"the registers of a result are {list(registers)}; first is {OUTPUT_ALL}")


def _check_numbers(result: Expectation) -> None:
    if not (isfinite(result.value) and isfinite(result.variance)):
        raise ValueError(f"an expectation value must be finite: {result}")


def _rows_to_bytes(name: str, shots: Shots, num_shots: int) -> memoryview:
    if not 1 <= num_shots <= MAX_SHOTS or shots.num_bits < 1:
        raise ValueError(
            f"register {name} has {shots.num_bits} bits and {num_shots} shots; it needs"
            f" at least one of each, and may have {MAX_SHOTS} shots"
        )
    _check_rows(name, shots, num_shots)
    if shots.rows.nbytes > _MOST_BYTES:
        raise ValueError(
            f"register {name} takes {shots.rows.nbytes} bytes; {_MOST_BYTES} can be stored"
        )
    return np.ascontiguousarray(shots.rows).reshape(-1).data


def _shots_from_bytes(name: str, stored: _StoredShots, num_shots: int) -> Shots:
    row_bytes = -(-stored.num_bits // 8)
    if stored.rows.nbytes != num_shots * row_bytes:
        raise ValueError(
            f"register {name} of a stored result has {stored.rows.nbytes} bytes;"
            f" {num_shots} shots of {stored.num_bits} bits take {num_shots * row_bytes}"
        )
    rows = np.frombuffer(stored.rows, np.uint8).reshape(num_shots, row_bytes)
    shots = Shots(stored.num_bits, rows)
    _check_rows(name, shots, num_shots)
    return shots


def _variants_to_bytes(result: Sampled, num_shots: int) -> _StoredVariants | None:
    if result.variants is None:
        return None
    _check_variants(result.variants, result.num_variants, num_shots)
    numbers = np.ascontiguousarray(result.variants, _VARIANT_TYPE)
    return _StoredVariants(result.num_variants, numbers.view(np.uint8).data)


def _variants_from_bytes(
    stored: _StoredSampled,
) -> tuple[NDArray[np.uint16], int] | tuple[None, int]:
    if stored.variants is None:
        return None, 0
    numbers, count = stored.variants.numbers, stored.variants.count
    if numbers.nbytes != stored.shots * _VARIANT_TYPE.itemsize:
        raise ValueError(
            f"the variants of a stored result have {numbers.nbytes} bytes; those of"
            f" {stored.shots} shots take {stored.shots * _VARIANT_TYPE.itemsize}"
        )
    variants = np.frombuffer(numbers, _VARIANT_TYPE)
    _check_variants(variants, count, stored.shots)
    return variants, count


def _check_variants(variants: NDArray[np.uint16], num_variants: int, num_shots: int) -> None:
    is_whole = variants.shape == (num_shots,) and 1 <= num_variants <= MAX_VARIANTS
    if not is_whole or variants.max() >= num_variants:
        raise ValueError(
            f"the variants of {num_shots} shots are {variants.shape} numbers, which must be"
            f" below {num_variants}, and that at most {MAX_VARIANTS}"
        )


def _check_rows(name: str, shots: Shots, num_shots: int) -> None:
    rows, shape = shots.rows, (num_shots, -(-shots.num_bits // 8))
    if rows.dtype != np.uint8 or rows.shape != shape:
        raise ValueError(
            f"register {name} has rows of {rows.dtype} {rows.shape}; they must be uint8 {shape}"
        )
    if _has_spare_bits(rows, shots.num_bits):
        raise ValueError(f"register {name} has bits beyond the {shots.num_bits} that it says")


def _has_spare_bits(rows: NDArray[np.uint8], num_bits: int) -> bool:
    """Tell whether a bit beyond the last one is 1."""
    spare_bits = -num_bits % 8
    return bool((rows[:, -1] >> (8 - spare_bits)).any())


def _encode_probabilities(probabilities: Probabilities) -> bytes:
    num_qubits, values = probabilities.num_qubits, probabilities.values
    kind, columns = _columns(probabilities)
    header = _HEADER.pack(_MAGIC, _VERSION, kind, values.itemsize, num_qubits, values.size)
    return b"".join([header, *(np.ascontiguousarray(column).data for column in columns)])


def _columns(probabilities: Probabilities) -> tuple[int, list[NDArray[Any]]]:
    """Return the kind of a stored form, and its columns in their order."""
    basis_states = probabilities.basis_states
    values = probabilities.values.astype(_value_type(probabilities.values.itemsize), copy=False)
    if basis_states is None:
        return _DENSE, [values]
    if basis_states.ndim == 1:
        return _SPARSE, [basis_states.astype(_STATE_TYPE, copy=False), values]
    return _WIDE, [values, basis_states.reshape(-1)]


def _decode_probabilities(data: bytes | memoryview) -> Probabilities:
    kind, value_bytes, num_qubits, count = _read_header(data)
    row_bytes = {_DENSE: 0, _SPARSE: _STATE_TYPE.itemsize, _WIDE: -(-num_qubits // 8)}[kind]
    expected = _HEADER.size + count * (row_bytes + value_bytes)
    if len(data) != expected:
        raise ValueError(f"a stored result has {len(data)} bytes; its header says {expected}")
    start = _HEADER.size
    if kind == _WIDE:
        values = np.frombuffer(data, _value_type(value_bytes), count, start)
        rows = np.frombuffer(data, np.uint8, offset=start + values.nbytes).reshape(count, row_bytes)
        if _has_spare_bits(rows, num_qubits):
            raise ValueError(f"a stored result has bits beyond its {num_qubits} qubits")
        return Probabilities(num_qubits, rows, values)
    basis_states = np.frombuffer(data, _STATE_TYPE, count, start) if kind == _SPARSE else None
    values = np.frombuffer(data, _value_type(value_bytes), count, start + count * row_bytes)
    return Probabilities(num_qubits, basis_states, values)


def _read_header(data: bytes | memoryview) -> tuple[int, int, int, int]:
    if len(data) < _HEADER.size or bytes(data[:4]) != _MAGIC:
        raise ValueError("these bytes are no stored result: they do not start with its header")
    _, version, kind, value_bytes, num_qubits, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"a stored result of version {version}; this ionbox reads {_VERSION}")
    is_known = value_bytes in _SIGNIFICANT_DIGITS and _is_possible(kind, num_qubits, count)
    if not is_known:
        raise ValueError("the header of a stored result contradicts itself")
    return kind, value_bytes, num_qubits, count


def _is_possible(kind: int, num_qubits: int, count: int) -> bool:
    """Tell whether so many values of so many qubits can be of that kind."""
    if kind == _WIDE:
        return NARROW_BITS < num_qubits <= MAX_BITS
    if num_qubits > NARROW_BITS:
        return False
    return kind == _SPARSE or (kind == _DENSE and count == 1 << num_qubits)


def _value_type(value_bytes: int) -> np.dtype[np.float64 | np.float32]:
    return np.dtype("<f8") if value_bytes == 8 else np.dtype("<f4")
