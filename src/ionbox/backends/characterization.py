"""Characterizations: what is known of a backend at a date, and how to look it up.

Fidelities are ratios and times are in seconds. The records that ionbox ships are synthetic: they
have the shape of what is published of such devices, and are measurements of none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Final, TypeAlias
from uuid import UUID, uuid5

from ionbox.errors import InvalidInputError

MAX_PAGE: Final = 10

Pairs: TypeAlias = Sequence[tuple[int, int]]

# Any constant will do, as long as it stays: the ids of all records follow from it.
_NAMESPACE: Final = UUID("5a3f4b0e-6c0d-5d5b-9c1e-0f2f6a7d8b90")


def _all_pairs(num_qubits: int) -> Pairs:
    return list(itertools.combinations(range(num_qubits), 2))


# Word in the catalog → the pairs of qubits that an operation can act on, the lower one first.
CONNECTIVITIES: Final[Mapping[str, Callable[[int], Pairs]]] = {"all-to-all": _all_pairs}


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A fidelity over all qubits or pairs: its median, and the standard error if known."""

    median: float
    stderr: float | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds; None where they are not known.

    Args:
        readout: Of measuring all qubits.
        reset: Of preparing all qubits in |0>.
        gate_1q: Of an operation on one qubit.
        gate_2q: Of an operation on two.
        t1: How long a qubit keeps its energy.
        t2: How long it keeps its phase; at most twice `t1`.
    """

    readout: float
    reset: float
    gate_1q: float | None = None
    gate_2q: float | None = None
    t1: float | None = None
    t2: float | None = None


@dataclass(frozen=True, slots=True)
class Characterization:
    """What is known of a backend at a date.

    Args:
        id: A UUID.
        backend: Its name.
        date: Midnight, UTC.
        num_qubits: At that date.
        connectivity: A word of `CONNECTIVITIES`.
        spam: Of state preparation and measurement.
        gate_1q: Of operations on one qubit.
        gate_2q: Of operations on two.
        timing: In seconds.
    """

    id: str
    backend: str
    date: datetime
    num_qubits: int
    connectivity: str
    spam: Fidelity
    gate_1q: Fidelity
    gate_2q: Fidelity
    timing: Timing

    @property
    def pairs(self) -> Pairs:
        """The pairs of qubits that an operation can act on, the lower one first."""
        return CONNECTIVITIES[self.connectivity](self.num_qubits)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the records that were asked for.

    Args:
        records: Newest first.
        num_remaining: How many pages of that length follow.
    """

    records: tuple[Characterization, ...]
    num_remaining: int


def characterization_id(backend: str, day: date) -> str:
    """Return the id of a backend's record of a day: the same in every release and at every start.

    >>> characterization_id("qpu.forte-1", date(2026, 11, 5))
    '4c525d25-da16-52e2-9b69-1d3f0f0200e7'
    """
    return str(uuid5(_NAMESPACE, f"{backend} {day.isoformat()}"))


def between(
    records: Iterable[Characterization], start: datetime | None, end: datetime | None
) -> tuple[Characterization, ...]:
    """Keep the records from `start` to `end`, both included, None for no limit.

    Args:
        start: With a time zone.
        end: With a time zone. Included, as IonQ's API is seen to do, though its text says before:
            clients ask for one record by giving its own date.
    """
    return tuple(
        record
        for record in records
        if (start is None or start <= record.date) and (end is None or record.date <= end)
    )


def page_of(records: Sequence[Characterization], *, limit: int = MAX_PAGE, page: int = 1) -> Page:
    """Return a page of records.

    Args:
        limit: The length of a page, 1 to 10.
        page: Counted from 1; beyond the last one it is empty.

    Raises:
        InvalidInputError: If `limit` or `page` is out of range.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError("limit", f"{limit} is not within 1 to {MAX_PAGE}", source="query")
    if page < 1:
        raise InvalidInputError("page", f"{page}; pages are counted from 1", source="query")
    first = (page - 1) * limit
    num_pages = ceil(len(records) / limit)
    return Page(tuple(records[first : first + limit]), max(0, num_pages - page))


def execution_seconds(
    characterization: Characterization, gate_counts: tuple[int, int], shots: int
) -> float:
    """Return how long a device would take: operations one after the other, shot after shot.

    Operations of unknown duration take none.

    Args:
        gate_counts: Operations on one qubit, and on two.
    """
    timing = characterization.timing
    num_1q, num_2q = gate_counts
    gates = num_1q * (timing.gate_1q or 0) + num_2q * (timing.gate_2q or 0)
    return shots * (timing.reset + gates + timing.readout)
