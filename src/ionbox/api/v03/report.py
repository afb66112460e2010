"""What an organization used, as API v0.3 writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Day, Endpoint, Query, json_response
from ionbox.api.requests import caller_of, date_of, service_of
from ionbox.backends.pricing import to_amount
from ionbox.service.ports import UsageRow
from ionbox.service.usage import total_of

_DAYS = timedelta(days=29)  # with today, 30


class BackendUsage(msgspec.Struct):
    """What one backend's jobs cost."""

    qpu_name: str
    usage: float


class Member(msgspec.Struct):
    """What one submitter used; `execution_time` in milliseconds."""

    id: str
    jobs: int
    execution_time: int
    quota_consumed: float
    user_email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    quota: float | None = None


class Report(msgspec.Struct):
    """What an organization used from one day to another, both included."""

    start_date: Day
    end_date: Day
    organization: str
    organization_id: str
    budget: float | None
    balance: float | None
    currency: str
    qpus: list[BackendUsage]
    members: list[Member]


async def get_report(request: Request) -> Response:
    """GET /report/organizations/{organization}."""
    caller, organization = caller_of(request), request.path_params["organization"]
    last = date_of(request, "end_date", default=datetime.now(UTC).date())
    first = date_of(request, "start_date", default=last - _DAYS)
    rows = await asyncio.to_thread(
        service_of(request).usage.rows, caller, organization, (first, last)
    )
    currency = service_of(request).catalog.currency
    return json_response(write_report(organization, currency, (first, last), rows))


def write_report(
    organization: str, currency: str, days: tuple[date, date], rows: Sequence[UsageRow]
) -> Report:
    """Return what an organization used as v0.3 writes it; there are no budgets yet."""
    first, last = days
    return Report(
        start_date=first.isoformat(),
        end_date=last.isoformat(),
        organization=organization,
        organization_id=organization,
        budget=None,
        balance=None,
        currency=currency,
        qpus=[
            BackendUsage(name, to_amount(total_of(of_one).cost_micros))
            for name, of_one in _grouped(rows, "backend").items()
        ],
        members=[
            Member(
                id=submitter,
                jobs=total_of(of_one).num_jobs,
                execution_time=total_of(of_one).time_us // 1000,
                quota_consumed=to_amount(total_of(of_one).cost_micros),
            )
            for submitter, of_one in _grouped(rows, "submitter_id").items()
        ],
    )


def _grouped(rows: Sequence[UsageRow], field: str) -> dict[str, list[UsageRow]]:
    groups: dict[str, list[UsageRow]] = {}
    for row in rows:
        groups.setdefault(getattr(row, field), []).append(row)
    return groups


ENDPOINTS = (
    Endpoint("GET", "/v0.3/report/organizations/{organization}", get_report,
             "Get what an organization used.", Report, errors=(400, 403),
             query=(Query("start_date", Day, "The first day; 30 days ago by default."),
                    Query("end_date", Day, "The last day, included; today by default."))),
)  # fmt: skip
