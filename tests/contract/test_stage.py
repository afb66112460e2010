"""What is held for testers, over a real store: nothing for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.builders import NOW, limit_pages, make_job

from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.access import Caller
from ionbox.service.events import Events
from ionbox.service.ports import Change, NewJob
from ionbox.service.scenarios import Scenario, WantedFailure
from ionbox.service.stage import Stage
from ionbox.store.sqlite import SqliteStore

LATER = Scenario(after_polls=5)
# The message is what finds no room.
FAILS = Scenario(after_polls=0, failure=WantedFailure("TooManyShots", "x" * 1_000_000))


class House:
    """A store and a stage, and what the stage has queued."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.queued = store, list[Job]()
        self.stage = Stage(store, self.queued.append, lambda: NOW)
        Events(store).tell_ends(self.stage.forget)
        project = store.create_project("local", "default").result()
        self.caller = Caller("key-1", project, "0123456789abcdef01234567")

    def held(self, scenario: Scenario, **changes: object) -> Job:
        """Return a job that is held."""
        job = make_job(project_id=self.caller.project_id, **changes)
        self.store.insert_jobs([NewJob(job, b"input")], NOW).result()
        self.stage.play(self.caller.key_id, scenario)
        self.stage.hold(self.caller, [job])
        assert self.stage.holds(job.id)
        return job

    def change(self, job: Job, event: JobEvent) -> None:
        after, _ = step(job, event, NOW)
        assert self.store.put_jobs([Change(after, job)]).result() == [True]

    def delete(self, job: Job) -> None:
        self.store.delete_jobs(self.caller.project_id, [job.id], NOW).result()

    def status(self, job: Job) -> JobStatus:
        stored = self.store.job(self.caller.project_id, job.id)
        assert stored is not None
        return stored.status


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        house = House(store)
        yield house
        house.stage.close()


def soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


@pytest.mark.parametrize("status", [JobStatus.READY, JobStatus.SUBMITTED])
@pytest.mark.parametrize("end", [JobEvent.CANCEL, None])
def test_what_was_canceled_or_deleted_is_held_no_longer(
    house: House, status: JobStatus, end: JobEvent | None
) -> None:
    job, other = house.held(LATER, status=status), house.held(LATER)
    if end is None:
        house.delete(job)
    else:
        house.change(job, end)

    assert soon(lambda: not house.stage.holds(job.id))
    assert house.stage.holds(other.id)


def test_a_family_is_held_as_long_as_its_parent_has_not_ended(house: House) -> None:
    parent = make_job(project_id=house.caller.project_id, job_type="ionq.multi-circuit.v1")
    children = [make_job(project_id=house.caller.project_id, parent_id=parent.id) for _ in "ab"]
    new = [NewJob(job, b"input") for job in (parent, *children)]
    house.store.insert_jobs(new, NOW).result()
    house.stage.play(house.caller.key_id, LATER)
    house.stage.hold(house.caller, children)

    assert all(house.stage.holds(job.id) for job in (parent, *children))
    house.delete(children[0])
    assert house.stage.holds(parent.id)
    house.delete(parent)
    assert soon(lambda: not house.stage.holds(children[1].id))


def test_what_could_not_be_written_to_have_failed_fails_once_there_is_room(house: House) -> None:
    job = house.held(FAILS)
    limit_pages(house.store, 0)
    assert house.stage.poll(house.caller.key_id, [job.id]) == [job.id]
    assert soon(lambda: house.stage.holds(job.id))
    assert house.status(job) is JobStatus.READY
    limit_pages(house.store, 1 << 20)

    assert soon(lambda: house.status(job) is JobStatus.FAILED)
    assert not house.stage.holds(job.id)
    assert house.queued == []
