"""Values so far away that arithmetic with them overflows: refused, and never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from tests.acceptance.client import Api


def validation(answer: Any) -> tuple[int, list[str]]:  # noqa: ANN401 - as requests gives it
    return answer.status_code, answer.json()["validation"]["keys"]


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31"])
def test_a_day_that_is_ages_away_is_refused(api: Api, day: str) -> None:
    usage = "group_by=job&modality=daily&start_date=2026-01-01"

    report = api.call("GET", f"/v0.3/report/organizations/x?end_date={day}")
    answer = api.call("GET", f"/v0.4/organizations/x/usage?{usage}&end_date={day}")

    assert validation(report) == validation(answer) == (400, ["end_date"])


@pytest.mark.parametrize("name", ["job_count_limit", "duration_limit_min"])
@pytest.mark.parametrize("limit", [2**31, 10**12, 2**63])
def test_a_session_of_ages_is_refused(api: Api, name: str, limit: int) -> None:
    body = {"backend": "simulator", "settings": {name: limit}}
    answer = api.call("POST", "/v0.4/sessions", body)

    assert validation(answer) == (400, [f"settings.{name}"])
    assert api.call("GET", "/v0.4/sessions").status_code == 200
