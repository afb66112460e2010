"""What a job can be addressed to: a file of the catalog each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from ionbox.backends.characterization import (
    Characterization,
    Fidelity,
    Timing,
    characterization_id,
)
from ionbox.backends.twins import PERFECT, Imperfections, Twin
from ionbox.circuits.gates import GATES
from ionbox.errors import NotFoundError, SettingsError


class BackendStatus(StrEnum):
    """Where a backend stands; the words of the API v0.4."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    RETIRED = "retired"


_QIS_NAMES: Final = tuple(
    name for gate in GATES if gate.gateset == "qis" for name in (gate.name, *gate.aliases)
)


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend as the catalog describes it.

    Args:
        name: What jobs name it by, such as `qpu.forte-1`.
        status: Only an available one takes jobs.
        num_qubits: What it is announced with; SDKs build their targets from it.
        native_gates: Those that it announces; `nop`, which does nothing, is not one of them.
        is_simulator: Whether it computes results instead of measuring them.
        connectivity: A word of `CONNECTIVITIES`.
        noise_models: Names that `noise.model` may take.
        error_mitigations: What may be asked for in `settings.error_mitigation`.
        is_degraded: Whether it runs, but worse than it should.
        location: Where it stands, for people.
        kw: Electric power, in kilowatts.
        characterizations: Newest first; a simulator has none.
        imperfections: What its twin makes up beside them.
        older: Twins of records that it was told of before, with what held then; jobs may run with
            them.
    """

    name: str
    status: BackendStatus
    num_qubits: int
    native_gates: tuple[str, ...]
    is_simulator: bool = False
    connectivity: str = "all-to-all"
    noise_models: tuple[str, ...] = ()
    error_mitigations: tuple[str, ...] = ()
    is_degraded: bool = False
    location: str | None = None
    kw: float | None = None
    characterizations: tuple[Characterization, ...] = ()
    imperfections: Imperfections = PERFECT
    older: tuple[Twin, ...] = ()

    @property
    def is_available(self) -> bool:
        """Whether it takes jobs."""
        return self.status is BackendStatus.AVAILABLE

    @property
    def gates(self) -> tuple[str, ...]:
        """The names, aliases too, of the gates that it takes: all of gateset qis."""
        return _QIS_NAMES

    @property
    def characterization_id(self) -> str | None:
        """The id of the newest characterization."""
        return self.characterizations[0].id if self.characterizations else None

    def twin(self, record_id: str | None) -> Twin | None:
        """Return the twin of the device as it was at a record; None if it has no such record."""
        for twin in self.older:
            if twin.record.id == record_id:
                return twin
        for record in self.characterizations:
            if record.id == record_id:
                return Twin(self.native_gates, record, self.imperfections)
        return None


def read_backend(text: str) -> Backend:
    """Read a backend from the TOML text of a catalog file.

    Raises:
        SettingsError: If it is not TOML, or a key is missing, not known or not of its type.
    """
    try:
        row = msgspec.convert(tomllib.loads(text), _BackendRow)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"backend: {error}") from error
    return Backend(
        name=row.name,
        status=row.status,
        num_qubits=row.num_qubits,
        native_gates=row.native_gates,
        is_simulator=row.is_simulator,
        connectivity=row.connectivity,
        noise_models=row.noise_models,
        error_mitigations=row.error_mitigations,
        is_degraded=row.is_degraded,
        location=row.location,
        kw=row.kw,
        characterizations=tuple(_characterization(row, record) for record in row.characterizations),
        imperfections=row.imperfections,
    )


def with_older(backend: Backend, before: Backend, *, is_shown: bool) -> Backend:
    """Return a backend with the records that it was told of before, as they were then.

    Args:
        is_shown: Whether they are part of its history, or only there for jobs that have them.
    """
    own = {record.id for record in backend.characterizations}
    older = [record for record in before.characterizations if record.id not in own]
    ids = {record.id for record in (*older, *(twin.record for twin in before.older))} - own
    twins = [twin for record_id in ids if (twin := before.twin(record_id)) is not None]
    shown = (*backend.characterizations, *(older if is_shown else ()))
    return replace(
        backend,
        characterizations=tuple(sorted(shown, key=lambda record: record.date, reverse=True)),
        older=tuple(sorted(twins, key=lambda twin: twin.record.id)),
    )


def find_characterization(backends: Iterable[Backend], record_id: str) -> Characterization:
    """Return the record of that id, of whichever backend.

    Raises:
        NotFoundError: If none of these backends has it.
    """
    for backend in backends:
        for record in backend.characterizations:
            if record.id == record_id.lower():
                return record
    raise NotFoundError("characterization", record_id)


_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_Measured = tuple[_Share, _Share]  # median, standard error


class _TimingRow(msgspec.Struct, forbid_unknown_fields=True):
    """The table `timing` of a catalog file, for all of its records."""

    readout: _Seconds
    reset: _Seconds
    gate_1q: _Seconds = msgspec.field(name="1q")
    gate_2q: _Seconds = msgspec.field(name="2q")
    t1: _Seconds
    t2: _Seconds


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    """A row of `characterizations` in a catalog file."""

    date: date
    spam: _Measured
    gate_1q: _Measured = msgspec.field(name="1q")
    gate_2q: _Measured = msgspec.field(name="2q")


class _BackendRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A catalog file."""

    name: str
    status: BackendStatus
    num_qubits: Annotated[int, msgspec.Meta(ge=1)]
    native_gates: tuple[str, ...]
    is_simulator: bool = False
    connectivity: Literal["all-to-all"] = "all-to-all"
    noise_models: tuple[str, ...] = ()
    error_mitigations: tuple[str, ...] = ()
    is_degraded: bool = False
    location: str | None = None
    kw: Annotated[float, msgspec.Meta(ge=0)] | None = None
    timing: _TimingRow | None = None
    imperfections: Imperfections = PERFECT
    characterizations: tuple[_Record, ...] = ()

    def __post_init__(self) -> None:
        """Refuse records that would have no times."""
        if self.characterizations and self.timing is None:
            raise ValueError("characterizations need the table `timing`")


def _characterization(row: _BackendRow, record: _Record) -> Characterization:
    timing = row.timing
    assert timing is not None  # noqa: S101 - _BackendRow refuses records without
    return Characterization(
        id=characterization_id(row.name, record.date),
        backend=row.name,
        date=datetime.combine(record.date, time(), UTC),
        num_qubits=row.num_qubits,
        connectivity=row.connectivity,
        spam=Fidelity(*record.spam),
        gate_1q=Fidelity(*record.gate_1q),
        gate_2q=Fidelity(*record.gate_2q),
        timing=Timing(
            readout=timing.readout,
            reset=timing.reset,
            gate_1q=timing.gate_1q,
            gate_2q=timing.gate_2q,
            t1=timing.t1,
            t2=timing.t2,
        ),
    )
