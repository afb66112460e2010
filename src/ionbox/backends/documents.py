"""Backends made of characterizations that an operator brings, as API v0.4 writes them.

A document gives only what it states: without a T1 no ion relaxes, and no ion differs from another.
What is to be made up beside it says a second text, in TOML:

    native_gates = ["gpi", "gpi2", "zz"]
    error_mitigations = ["debiasing"]
    [imperfections]
    spread = 0.3
    coherent = 0.3
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from itertools import combinations
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from ionbox.backends.backend import Backend, BackendStatus
from ionbox.backends.characterization import Characterization, Fidelity, Timing
from ionbox.backends.twins import PERFECT, Imperfections
from ionbox.errors import SettingsError

_MOST_QUBITS: Final = 100  # all pairs of which are listed
# A gate that mixes fully has a median of 1/d; a read-out that tells nothing, of 1/2.
_LEAST: Final = {"1q": 0.5, "2q": 0.25, "spam": 0.5}
_WHAT: Final = "characterization"

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_NativeGate = Annotated[str, msgspec.Meta(pattern="^(gpi|gpi2|ms|zz)$")]


class _Fidelity(msgspec.Struct):
    median: _Share
    stderr: _Share | None = None


class _Fidelities(msgspec.Struct):
    one_qubit: _Fidelity = msgspec.field(name="1q")
    two_qubit: _Fidelity = msgspec.field(name="2q")
    spam: _Fidelity


class _Timing(msgspec.Struct):
    readout: _Seconds
    reset: _Seconds
    one_qubit: _Seconds | None = msgspec.field(name="1q", default=None)
    two_qubit: _Seconds | None = msgspec.field(name="2q", default=None)
    t1: _Seconds | None = None
    t2: _Seconds | None = None


class _Record(msgspec.Struct):
    id: UUID
    backend: Annotated[str, msgspec.Meta(pattern="^qpu[.][a-z0-9][a-z0-9.-]{0,60}$")]
    date: str
    qubits: Annotated[int, msgspec.Meta(ge=2, le=_MOST_QUBITS)]
    fidelity: _Fidelities
    timing: _Timing
    connectivity: list[tuple[int, int]] | None = None


class _Page(msgspec.Struct):
    characterizations: Annotated[list[_Record], msgspec.Meta(min_length=1)]


class Additions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the text beside a document may say."""

    native_gates: tuple[_NativeGate, ...] = ("gpi", "gpi2", "zz")
    error_mitigations: tuple[Literal["debiasing"], ...] = ("debiasing",)
    imperfections: Imperfections = PERFECT


def read_document(data: bytes, additions: str = "") -> Backend:
    """Read a backend from its characterizations: one, or a page of them, newest first.

    Args:
        data: JSON, as `GET /v0.4/backends/{backend}/characterizations` answers.
        additions: TOML, as above.

    Raises:
        SettingsError: If a text cannot be read, or the records do not go together; it names the
            key.
    """
    given = _additions(additions)
    _check_gates(given.native_gates)
    records = sorted(_records(data), key=lambda record: _time_of(record.date), reverse=True)
    newest = records[0]
    for record in records:
        _check(record, newest)
    if len({record.id for record in records}) < len(records):
        raise SettingsError(f"{_WHAT}: id: one id for two records")
    return Backend(
        name=newest.backend,
        status=BackendStatus.AVAILABLE,
        num_qubits=newest.qubits,
        native_gates=given.native_gates,
        error_mitigations=given.error_mitigations,
        characterizations=tuple(map(_characterization, records)),
        imperfections=given.imperfections,
    )


def _records(data: bytes) -> list[_Record]:
    try:
        is_page = "characterizations" in msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if is_page:
            return msgspec.json.decode(data, type=_Page).characterizations
        return [msgspec.json.decode(data, type=_Record)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise SettingsError(f"{_WHAT}: {error}") from error


def _additions(text: str) -> Additions:
    try:
        return msgspec.convert(tomllib.loads(text), Additions)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise SettingsError(f"beside the {_WHAT}: {error}") from error


def _check_gates(native_gates: tuple[str, ...]) -> None:
    if set(native_gates) not in ({"gpi", "gpi2", "ms"}, {"gpi", "gpi2", "zz"}):
        given = ", ".join(native_gates)
        raise SettingsError(f"native_gates: {given}; needed are gpi, gpi2, and ms or zz")


def _check(record: _Record, newest: _Record) -> None:
    """Refuse records of another backend, or of one that ionbox cannot compile for."""
    if (record.backend, record.qubits) != (newest.backend, newest.qubits):
        text = f"{record.backend} with {record.qubits} qubits beside {newest.backend}"
        raise SettingsError(f"{_WHAT}: {text}; all records are of one backend")
    fidelity = record.fidelity
    medians = {"1q": fidelity.one_qubit, "2q": fidelity.two_qubit, "spam": fidelity.spam}
    for key, given in medians.items():
        if given.median <= _LEAST[key]:
            text = f"{given.median:g}; nothing is below {_LEAST[key]:g}, where all is random"
            raise SettingsError(f"{_WHAT}: fidelity.{key}.median: {text}")
    timing = record.timing
    if timing.t1 is not None and timing.t2 is not None and timing.t2 > 2 * timing.t1:
        text = f"{timing.t2:g} s; at most twice t1, which is {timing.t1:g} s"
        raise SettingsError(f"{_WHAT}: timing.t2: {text}")
    if record.connectivity is None:
        return
    known = {tuple(sorted(pair)) for pair in record.connectivity}
    for pair in combinations(range(record.qubits), 2):
        if pair not in known:
            text = f"pair {list(pair)} is missing; ionbox takes devices that connect all qubits"
            raise SettingsError(f"{_WHAT}: connectivity: {text}")


def _time_of(text: str) -> datetime:
    """Read a date, with a time or without; it is UTC where no zone is told."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"'{text}' is no date, such as 2026-11-01 or 2026-11-01T00:00:00Z"
        raise SettingsError(f"{_WHAT}: date: {message}") from error


def _characterization(record: _Record) -> Characterization:
    timing, fidelity = record.timing, record.fidelity
    return Characterization(
        id=str(record.id),
        backend=record.backend,
        date=_time_of(record.date),
        num_qubits=record.qubits,
        connectivity="all-to-all",
        spam=Fidelity(fidelity.spam.median, fidelity.spam.stderr),
        gate_1q=Fidelity(fidelity.one_qubit.median, fidelity.one_qubit.stderr),
        gate_2q=Fidelity(fidelity.two_qubit.median, fidelity.two_qubit.stderr),
        timing=Timing(
            readout=timing.readout,
            reset=timing.reset,
            gate_1q=timing.one_qubit,
            gate_2q=timing.two_qubit,
            t1=timing.t1,
            t2=timing.t2,
        ),
    )
