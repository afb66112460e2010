"""The lottery of kills finds what it looks for: each of its rules is broken once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.builders import NOW, make_job
from tests.chaos.audit import Audit, unexplained
from tests.chaos.mix import KEEP, KINDS, Ticket
from tests.chaos.player import Record, Told

from ionbox.jobs.job import MULTI_CIRCUIT, Job, JobStatus
from ionbox.service.ports import Change, NewJob, StoredResult
from ionbox.store.sqlite import SqliteStore


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory as it should be: a job, and a parent with one child."""
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        project_id = store.create_project("ours", "first").result()
        job = make_job(id="a", project_id=project_id, metadata={"lottery": "1"})
        parent = replace(job, id="p", job_type=MULTI_CIRCUIT, metadata={"lottery": "2"})
        child = replace(job, id="c", parent_id="p", metadata=None)
        store.insert_jobs([NewJob(job, b"{}")], NOW).result()
        store.insert_jobs([NewJob(parent, b"{}"), NewJob(child, b"{}")], NOW).result()
        changes = [
            Change(completed(job), job, StoredResult(blob="a-1")),
            Change(completed(child), child, StoredResult(inline=b"outcome")),
        ]
        store.put_jobs(changes).result()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a-1").touch()
    return tmp_path


RECORDS = [
    Record(Ticket(tag, KINDS[0], KEEP, 0.0), job_id, 0, Told({"status": "completed"}))
    for tag, job_id in (("1", "a"), ("2", "p"))
]
BROKEN = {
    "UPDATE jobs SET status = 'ready' WHERE id = 'a'": "job a is not ended (ready)",
    "DELETE FROM job_results WHERE job_id = 'c'": "job c is completed without a result",
    "UPDATE jobs SET status = 'failed' WHERE id = 'a'": "job a has a result and is not completed",
    "UPDATE jobs SET attempt = 0 WHERE id = 'a'": "job a is completed and was never attempted (0)",
    "UPDATE jobs SET attempt = 4 WHERE id = 'a'": "job a was attempted too often (4)",
    "INSERT INTO leases VALUES ('c', 1, 0)": "job c is still held (1)",
    "UPDATE events SET status = 'ready' WHERE job_id = 'c'": "job c was last told of otherwise",
    "UPDATE jobs SET completed_at = 1 WHERE id = 'a'": "job a has no end, or ends before it began",
    "UPDATE jobs SET num_circuits = 2 WHERE id = 'p'": "job p has not all its children (2)",
    "UPDATE jobs SET status = 'failed' WHERE id = 'c'": "job p is completed, and a child of it is",
    "DELETE FROM jobs WHERE id = 'a'": "submission 1 is there 0 times, not 1 to 1",
    """UPDATE jobs SET echo = '{"metadata": {"lottery": "2"}}' WHERE id = 'a'""": "submission 2 is "
    "there 2 times, not 1 to 1",
    """UPDATE jobs SET echo = '{"metadata": {"lottery": "9"}}' WHERE id = 'a'""": "nobody was told "
    "of submission 9",
    "UPDATE job_results SET blob = 'a-2' WHERE job_id = 'a'": "the file results/a-1 belongs to no",
    "UPDATE job_results SET blob = 'a-3' WHERE job_id = 'a'": "the file results/a-3 is missing",
    "UPDATE jobs SET project_id = 'nowhere' WHERE id = 'a'": "foreign_key_check: ('jobs', ",
}


def completed(job: Job) -> Job:
    return replace(job, status=JobStatus.COMPLETED, attempt=1, started_at=NOW, completed_at=NOW)


def test_what_is_as_it_should_be_is_not_found_fault_with(data: Path) -> None:
    assert list(Audit(data).violations(RECORDS, is_once=True)) == []


@pytest.mark.parametrize("sabotage", BROKEN)
def test_whatever_is_broken_is_named(data: Path, sabotage: str) -> None:
    with closing(sqlite3.connect(data / "ionbox.sqlite")) as database:
        database.execute(sabotage)
        database.commit()

    found = list(Audit(data).violations(RECORDS, is_once=True))

    assert any(line.startswith(BROKEN[sabotage]) for line in found), found


@pytest.mark.parametrize(
    ("num_given_up", "num_workers_lost", "is_explained"),
    [(0, 0, True), (1, 2, False), (1, 3, True), (16, 3, True), (17, 3, False)],
)
def test_more_jobs_that_were_given_up_than_workers_that_died_explain_are_named(
    num_given_up: int, num_workers_lost: int, *, is_explained: bool
) -> None:
    told = Told({"status": "failed", "failure": {"message": "given up after 3 attempts; it died"}})
    lost = Record(RECORDS[0].ticket, "a", 0, told)

    found = list(unexplained([lost] * num_given_up, num_workers_lost))

    assert (found == []) == is_explained, found


def test_events_that_are_no_longer_kept_are_not_asked_for(data: Path) -> None:
    with closing(sqlite3.connect(data / "ionbox.sqlite")) as database:
        database.execute("DELETE FROM events WHERE job_id = 'a'")
        database.commit()

    assert list(Audit(data).violations(RECORDS, is_once=True)) == []


def test_a_submission_may_be_there_twice_where_an_answer_was_lost_and_keys_are_not_honoured(
    data: Path,
) -> None:
    with closing(sqlite3.connect(data / "ionbox.sqlite")) as database:
        database.execute("UPDATE jobs SET echo = json_set(echo, '$.metadata.lottery', '2')")
        database.execute("UPDATE jobs SET parent_id = NULL, num_circuits = 0")
        database.commit()
    second = RECORDS[1]
    lost = Record(second.ticket, second.job_id, 2, second.told)

    assert list(Audit(data).violations([lost], is_once=False)) == []
    assert list(Audit(data).violations([lost], is_once=True)) == [
        "submission 2 is there 2 times, not 1 to 1"
    ]
