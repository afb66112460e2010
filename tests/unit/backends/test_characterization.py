from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ionbox.backends.characterization import (
    MAX_PAGE,
    Characterization,
    Fidelity,
    Timing,
    between,
    execution_seconds,
    page_of,
)
from ionbox.errors import InvalidInputError

NEWEST = datetime(2026, 11, 5, tzinfo=UTC)


def make_records(number: int) -> list[Characterization]:
    """Return a record a day, newest first."""
    return [
        Characterization(
            id=f"record-{day}",
            backend="qpu.small",
            date=NEWEST - timedelta(days=day),
            num_qubits=4,
            connectivity="all-to-all",
            spam=Fidelity(0.99, 0.001),
            gate_1q=Fidelity(0.999, 0.001),
            gate_2q=Fidelity(0.98, 0.001),
            timing=Timing(0.5, 0.25, 0.001, 0.01, t1=10, t2=1),
        )
        for day in range(number)
    ]


def test_connectivity_is_a_word_and_the_pairs_follow() -> None:
    (record,) = make_records(1)

    assert record.pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (None, None, [0, 1, 2, 3]),
        (2, None, [0, 1, 2]),
        (None, 2, [2, 3]),
        (2, 1, [1, 2]),
        (1, 1, [1]),
        (1.5, 0.5, [1]),
        (0, 1, []),
        (None, 9, []),
    ],
)
def test_both_ends_of_a_period_are_included(
    start: float | None, end: float | None, days: list[int]
) -> None:
    limits = [None if day is None else NEWEST - timedelta(days=day) for day in (start, end)]

    found = between(make_records(4), *limits)

    assert [record.id for record in found] == [f"record-{day}" for day in days]


@given(st.integers(0, 40), st.integers(1, MAX_PAGE))
def test_following_the_pages_shows_every_record_once(number: int, limit: int) -> None:
    records = make_records(number)

    page = page_of(records, limit=limit)
    remaining = page.num_remaining
    pages = [page, *(page_of(records, limit=limit, page=2 + k) for k in range(remaining))]

    assert [record for page in pages for record in page.records] == records
    assert [page.num_remaining for page in pages] == list(range(remaining, -1, -1))
    assert all(page.records for page in pages[1:])
    assert page_of(records, limit=limit, page=len(pages) + 1).records == ()


def test_a_page_has_ten_records_unless_told() -> None:
    page = page_of(make_records(12))

    assert (len(page.records), page.num_remaining) == (10, 1)


@pytest.mark.parametrize(
    ("limit", "page", "message"),
    [
        (0, 1, "limit: 0 is not within 1 to 10"),
        (11, 1, "limit: 11 is not within 1 to 10"),
        (10, 0, "page: 0; pages are counted from 1"),
    ],
)
def test_a_page_that_cannot_be_is_refused(limit: int, page: int, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        page_of(make_records(1), limit=limit, page=page)

    assert str(caught.value) == message
    assert caught.value.source == "query"


def test_a_device_prepares_runs_and_measures_in_every_shot() -> None:
    (record,) = make_records(1)

    assert execution_seconds(record, (0, 0), 1) == 0.75
    assert execution_seconds(record, (10, 3), 100) == pytest.approx(100 * (0.75 + 0.01 + 0.03))
