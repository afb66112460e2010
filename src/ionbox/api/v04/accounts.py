"""Keys, projects and usage, as API v0.4 writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.endpoints import Day, Endpoint, Query, Time, Uuid, json_response, one_of
from ionbox.api.requests import caller_of, choice_of, date_of, service_of
from ionbox.api.v04.wire import time_text
from ionbox.backends.pricing import to_amount
from ionbox.service.ports import UsageRow
from ionbox.service.usage import PERIODS, Period, Total, by_period, total_of

_ONE_DAY = timedelta(days=1)
# How usage can be grouped → from a row to the id and the name of its group. By job means by
# backend: single jobs are in the list of jobs.
_GROUPS: Mapping[str, Callable[[UsageRow], tuple[str, str]]] = {
    "job": lambda row: (row.backend, row.backend),
    "project": lambda row: (row.project_id, row.project_name),
    "user": lambda row: (row.submitter_id, row.submitter_id),
}


class Whoami(msgspec.Struct):
    """Who a key belongs to."""

    key_id: Uuid
    key_name: str
    project_id: Uuid


class ProjectBody(msgspec.Struct, rename="camel"):
    """A project; without a limit, so far."""

    id: str
    name: str
    quota_usage: float
    quota_limit: float | None
    unit: str
    allowed_targets: list[str]


class UsageAmount(msgspec.Struct):
    """An amount of money."""

    amount: float
    unit: str


class GroupUsage(msgspec.Struct):
    """What one group used; `time_us` in microseconds."""

    group_id: str
    group_name: str
    job_count: int
    amount: float
    amount_unit: str
    amounts: list[UsageAmount]
    time_us: int


class PeriodUsage(msgspec.Struct):
    """What was used in a day, week or month, and by the groups that used most."""

    start: Time = msgspec.field(name="from")
    job_count: int
    amount: float
    amount_unit: str
    amounts: list[UsageAmount]
    time_us: int
    group_usages: list[GroupUsage]


class UsageBody(msgspec.Struct):
    """What an organization used, most recent period first."""

    group_type: str
    modality: str
    organization: str
    start_date: Day
    end_date: Day
    usage_from: Time
    usage_to: Time
    usage_unit: str
    amount_total: float
    amount_totals: list[UsageAmount]
    job_count: int
    time_us_total: int
    usage_data: list[PeriodUsage]


async def whoami(request: Request) -> Response:
    """GET /whoami."""
    key = service_of(request).accounts.key(caller_of(request))
    return json_response(Whoami(key.id, key.name, key.project_id))


async def list_projects(request: Request) -> Response:
    """GET /projects."""
    service = service_of(request)
    project = service.accounts.project(caller_of(request))
    names = [backend.name for backend in service.catalog.backends()]
    unit = service.catalog.currency.upper()
    return json_response([ProjectBody(project.id, project.name, 0.0, None, unit, names)])


async def get_usage(request: Request) -> Response:
    """GET /organizations/{organization}/usage."""
    caller, organization = caller_of(request), request.path_params["organization"]
    days = date_of(request, "start_date"), date_of(request, "end_date")
    group_type = choice_of(request, "group_by", _GROUPS)
    modality = choice_of(request, "modality", PERIODS)
    rows = await asyncio.to_thread(service_of(request).usage.rows, caller, organization, days)
    currency = service_of(request).catalog.currency
    return json_response(write_usage(organization, rows, days, (group_type, modality), currency))


def write_usage(
    organization: str,
    rows: Sequence[UsageRow],
    days: tuple[date, date],
    view: tuple[str, str],
    currency: str,
) -> UsageBody:
    """Return what was used from one day to another, both included, as v0.4 writes it.

    Args:
        view: How it is grouped, and the length of a period.
    """
    (group_type, modality), total = view, total_of(rows)
    first, last = (datetime.combine(day, time(), UTC) for day in days)
    periods = by_period(rows, modality, _GROUPS[group_type])
    return UsageBody(
        group_type=group_type,
        modality=modality,
        organization=organization,
        start_date=days[0].isoformat(),
        end_date=days[1].isoformat(),
        usage_from=time_text(first),
        usage_to=time_text(last + _ONE_DAY),
        usage_unit=currency,
        amount_total=to_amount(total.cost_micros),
        amount_totals=[UsageAmount(to_amount(total.cost_micros), currency)],
        job_count=total.num_jobs,
        time_us_total=total.time_us,
        usage_data=[_period(period, currency) for period in periods],
    )


def _period(period: Period, currency: str) -> PeriodUsage:
    total, amount = period.total, to_amount(period.total.cost_micros)
    return PeriodUsage(
        start=time_text(datetime.combine(period.start, time(), UTC)),
        job_count=total.num_jobs,
        amount=amount,
        amount_unit=currency,
        amounts=[UsageAmount(amount, currency)],
        time_us=total.time_us,
        group_usages=[_group(*group, currency) for group in period.largest_groups()],
    )


def _group(group_id: str, name: str, total: Total, currency: str) -> GroupUsage:
    amount = to_amount(total.cost_micros)
    return GroupUsage(
        group_id=group_id,
        group_name=name,
        job_count=total.num_jobs,
        amount=amount,
        amount_unit=currency,
        amounts=[UsageAmount(amount, currency)],
        time_us=total.time_us,
    )


_USAGE_QUERY = (
    Query("start_date", Day, "The first day.", is_required=True),
    Query("end_date", Day, "The last day, included.", is_required=True),
    Query("group_by", Annotated[str, one_of(_GROUPS)], "What the parts are.", is_required=True),
    Query("modality", Annotated[str, one_of(PERIODS)], "How long a period is.", is_required=True),
)

ENDPOINTS = (
    Endpoint("GET", "/v0.4/whoami", whoami, "Get who a key belongs to.", Whoami),
    Endpoint("GET", "/v0.4/projects", list_projects, "List the projects of a key.",
             list[ProjectBody]),
    Endpoint("GET", "/v0.4/organizations/{organization}/usage", get_usage,
             "Get what an organization used.", UsageBody, query=_USAGE_QUERY, errors=(400, 403)),
)  # fmt: skip
