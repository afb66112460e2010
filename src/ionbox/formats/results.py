"""Probabilities as a value: read out of an engine, stored in binary, printed as IonQ's JSON.

The bit order of every result is decided here, once:

- v1 (integers): a key is the decimal integer whose bit i (weight 2**i) is qubit i, so qubit 0 is
  the lowest bit. X on qubit 1 of two qubits gives `{"2":1}`.
- v2 (bitstrings): character k is q[k], so q[0] is the leftmost character. The same state reads
  `"01"`; a v2 string is the reverse of the integer's binary reading.

The stored form is little-endian: a header of 24 bytes, then the columns without gaps.

    offset  size  field
    0       4     magic, `IXPR`
    4       1     version, 1
    5       1     kind: 0 dense, 1 sparse
    6       1     bytes per value: 8 (float64) or 4 (float32)
    7       1     zero
    8       8     num_qubits
    16      8     count: number of values
    24      8*c   basis states, uint64, ascending (sparse only)
    ...           values
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64 | np.float32]

_MAGIC = b"IXPR"
_VERSION = 1
_DENSE, _SPARSE = 0, 1
_HEADER = struct.Struct("<4sBBBxQQ")
_STATE_TYPE = np.dtype("<u8")
_MOST_QUBITS = 64  # a basis state is a uint64

# By bytes per value: the digits that survive a long circuit, and the share of the largest
# probability below which a number is rounding noise.
_SIGNIFICANT_DIGITS = {8: 15, 4: 7}
_NOISE_SHARE = {8: 1e-24, 4: 1e-10}


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Basis states and their probabilities, dense or sparse.

    Args:
        num_qubits: How many qubits a basis state covers.
        basis_states: Ascending, as long as `values`; None if `values` is dense, one value for
            each of the 2**num_qubits basis states.
        values: Probabilities with sum 1, float64 or float32.
    """

    num_qubits: int
    basis_states: NDArray[np.uint64] | None
    values: FloatArray

    @property
    def significant_digits(self) -> int:
        """Return how many decimal digits of a value mean something."""
        return _SIGNIFICANT_DIGITS[self.values.itemsize]


def count_outcomes(weights: FloatArray) -> int:
    """Return how many basis states the read-out keeps."""
    return int(np.count_nonzero(_is_outcome(weights)))


def read_out(weights: FloatArray, num_qubits: int) -> Probabilities:
    """Make probabilities of weights that are nearly that: drop rounding noise, rescale to sum 1.

    Args:
        weights: Squared magnitudes of all 2**num_qubits amplitudes.
        num_qubits: The width of the circuit.

    Returns:
        Values in the type of `weights`; sparse columns where they take fewer bytes than dense.

    Raises:
        ValueError: If no weight is positive, or one is not a number.
    """
    is_outcome = _is_outcome(weights)
    count = int(np.count_nonzero(is_outcome))
    if count * (_STATE_TYPE.itemsize + weights.itemsize) < weights.nbytes:
        basis_states = np.flatnonzero(is_outcome).astype(np.uint64, copy=False)
        return Probabilities(num_qubits, basis_states, _rescaled(weights[is_outcome]))
    return Probabilities(num_qubits, None, _rescaled(weights * is_outcome))


def _is_outcome(weights: FloatArray) -> NDArray[np.bool_]:
    largest = float(weights.max())
    if not largest > 0:  # also true of NaN
        raise ValueError(f"the largest weight is {largest}; it must be positive")
    return weights >= largest * _NOISE_SHARE[weights.itemsize]


def _rescaled(weights: FloatArray) -> FloatArray:
    # The sum of 2**30 float32 numbers needs float64; the quotients do not.
    weights /= weights.sum(dtype=np.float64)
    return weights


def encode(probabilities: Probabilities) -> bytes:
    """Return the stored form, as drawn at the top of this module."""
    basis_states, values = probabilities.basis_states, probabilities.values
    kind = _DENSE if basis_states is None else _SPARSE
    header = _HEADER.pack(
        _MAGIC, _VERSION, kind, values.itemsize, probabilities.num_qubits, values.size
    )
    columns = [values.astype(_value_type(values.itemsize), copy=False)]
    if basis_states is not None:
        columns.insert(0, basis_states.astype(_STATE_TYPE, copy=False))
    return b"".join([header, *(np.ascontiguousarray(column).data for column in columns)])


def decode(data: bytes | memoryview) -> Probabilities:
    """Read the stored form; the arrays are read-only views of `data`.

    Raises:
        ValueError: If `data` is not a result, is of another version, or is incomplete.
    """
    kind, value_bytes, num_qubits, count = _read_header(data)
    states_bytes = count * _STATE_TYPE.itemsize if kind == _SPARSE else 0
    expected = _HEADER.size + states_bytes + count * value_bytes
    if len(data) != expected:
        raise ValueError(f"a stored result has {len(data)} bytes; its header says {expected}")
    start = _HEADER.size
    basis_states = np.frombuffer(data, _STATE_TYPE, count, start) if kind == _SPARSE else None
    values = np.frombuffer(data, _value_type(value_bytes), count, start + states_bytes)
    return Probabilities(num_qubits, basis_states, values)


def _read_header(data: bytes | memoryview) -> tuple[int, int, int, int]:
    if len(data) < _HEADER.size or bytes(data[:4]) != _MAGIC:
        raise ValueError("these bytes are no stored result: they do not start with its header")
    _, version, kind, value_bytes, num_qubits, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"a stored result of version {version}; this ionbox reads {_VERSION}")
    is_known = kind in {_DENSE, _SPARSE} and value_bytes in _SIGNIFICANT_DIGITS
    if not is_known or num_qubits > _MOST_QUBITS or (kind == _DENSE and count != 1 << num_qubits):
        raise ValueError("the header of a stored result contradicts itself")
    return kind, value_bytes, num_qubits, count


def _value_type(value_bytes: int) -> np.dtype[np.float64 | np.float32]:
    return np.dtype("<f8") if value_bytes == 8 else np.dtype("<f4")


def probabilities_v1(probabilities: Probabilities, *, chunk_size: int = 65536) -> Iterator[bytes]:
    """Print `ionq.result.probabilities.json.v1`: ascending integer keys, zeros left out.

    Args:
        probabilities: What is printed, with its significant digits and no more.
        chunk_size: The most outcomes in one chunk.

    Returns:
        Chunks of one JSON object; at most `chunk_size` outcomes come as a single chunk.
    """
    template = f'"%d":%.{probabilities.significant_digits}g'
    size = probabilities.values.size
    opening = "{"
    for start in range(0, size, chunk_size):
        outcomes = _outcomes(probabilities, start, start + chunk_size)
        members = ",".join(map(template.__mod__, outcomes))
        closing = "}" if start + chunk_size >= size else ""
        if members or closing:
            yield f"{opening if members else ''}{members}{closing}".encode()
            opening = ","


def probabilities_v2(probabilities: Probabilities, *, chunk_size: int = 65536) -> Iterator[bytes]:
    """Print `ionq.result.probabilities.json.v2`: bitstrings with q[0] leftmost, zeros left out.

    Without declared registers there is one, `output_all`, of all qubits.
    """
    width = probabilities.num_qubits
    template = f'"%s":%.{probabilities.significant_digits}g'
    separator = '{"probabilities":{"registers":{"output_all":{'
    for start in range(0, probabilities.values.size, chunk_size):
        outcomes = _outcomes(probabilities, start, start + chunk_size)
        members = ",".join(
            template % (f"{state:0{width}b}"[::-1], value) for state, value in outcomes
        )
        if members:
            yield f"{separator}{members}".encode()
            separator = ","
    yield b"}}}}"


def _outcomes(probabilities: Probabilities, start: int, stop: int) -> Iterator[tuple[int, float]]:
    values = probabilities.values[start:stop]
    places = values.nonzero()[0]
    if probabilities.basis_states is None:
        keys = (places + start).tolist()
    else:
        keys = probabilities.basis_states[start:stop][places].tolist()
    return zip(keys, values[places].tolist(), strict=True)
