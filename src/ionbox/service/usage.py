"""What an organization used: rows of the store, summed up by time and by who or what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ionbox.errors import ForbiddenError, InvalidInputError
from ionbox.service.access import Caller
from ionbox.service.ports import Store, UsageRow

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
NUM_GROUPS: Final = 5  # the groups shown of each period

# How a period is called → the day it begins with.
PERIODS: Final[Mapping[str, Callable[[date], date]]] = {
    "daily": lambda day: day,
    "weekly": lambda day: day - day.weekday() * _DAY,
    "monthly": lambda day: day.replace(day=1),
}


@dataclass(slots=True)
class Total:
    """Sums over jobs.

    Args:
        cost_micros: In millionths of the price book's currency.
        time_us: How long they ran, in microseconds.
    """

    num_jobs: int = 0
    cost_micros: int = 0
    time_us: int = 0

    def add(self, row: UsageRow) -> None:
        """Add what a row has."""
        self.num_jobs += row.num_jobs
        self.cost_micros += row.cost_micros
        self.time_us += row.time_us


@dataclass(slots=True)
class Period:
    """Sums over the jobs of a day, week or month, and of each group within it.

    Args:
        start: Its first day.
        groups: Group id → its name and sums.
    """

    start: date
    total: Total = field(default_factory=Total)
    groups: dict[str, tuple[str, Total]] = field(default_factory=dict)

    def largest_groups(self) -> list[tuple[str, str, Total]]:
        """Return id, name and sums of the groups that used most, the largest first."""
        every = [(group, name, total) for group, (name, total) in self.groups.items()]
        every.sort(key=lambda one: (-one[2].cost_micros, -one[2].num_jobs, one[0]))
        return every[:NUM_GROUPS]


class Usage:
    """Every use case of usage; it is of whole days, in UTC."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rows(self, caller: Caller, organization_id: str, days: tuple[date, date]) -> list[UsageRow]:
        """Return what an organization used, oldest day first.

        Args:
            days: The first and the last, both included.

        Raises:
            ForbiddenError: If it is not the caller's organization.
            InvalidInputError: If the last day is before the first.
        """
        first, last = days
        if last < first:
            message = f"{last} is before start_date, {first}"
            raise InvalidInputError("end_date", message, source="query")
        if self._store.project(caller.project_id).organization_id != organization_id:
            raise ForbiddenError(f"organization '{organization_id}' is not the one of this key")
        start, end = (datetime.combine(day, time(), UTC) for day in (first, last))
        return self._store.usage(organization_id, start, end + _DAY)


def by_period(
    rows: Iterable[UsageRow],
    modality: str,
    group_of: Callable[[UsageRow], tuple[str, str]],
) -> list[Period]:
    """Sum rows up by day, week or month, most recent first.

    Args:
        modality: A key of `PERIODS`.
        group_of: From a row to the id and the name of the group it belongs to.
    """
    periods: dict[date, Period] = {}
    for row in rows:
        start = PERIODS[modality](_EPOCH + row.day * _DAY)
        period = periods.setdefault(start, Period(start))
        period.total.add(row)
        group, name = group_of(row)
        period.groups.setdefault(group, (name, Total()))[1].add(row)
    return sorted(periods.values(), key=lambda period: period.start, reverse=True)


def total_of(rows: Sequence[UsageRow]) -> Total:
    """Return the sums over all rows."""
    total = Total()
    for row in rows:
        total.add(row)
    return total
