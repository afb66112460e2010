from __future__ import annotations

import uuid
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW

from ionbox.jobs.job import new_job_id


def test_a_job_id_is_a_uuid_of_version_7() -> None:
    job_id = uuid.UUID(new_job_id(NOW, 12345))

    assert (job_id.version, job_id.variant) == (7, uuid.RFC_4122)
    assert job_id.int >> 80 == int(NOW.timestamp() * 1000)


@settings(derandomize=True, deadline=None)
@given(
    microseconds=st.integers(1, 10**9), first=st.integers(0, 2**70), second=st.integers(0, 2**70)
)
def test_job_ids_sort_by_time(microseconds: int, first: int, second: int) -> None:
    later = NOW + timedelta(microseconds=microseconds)

    assert new_job_id(NOW, first)[:18] <= new_job_id(later, second)[:18]
