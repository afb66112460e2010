"""A job that is deleted while it runs: nothing of it stays, whenever its end comes."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from tests.builders import NOW, make_acceptance, make_job, make_targets
from tests.contract.house import WAIT_SECONDS, House, endless, house_on

from ionbox.engines.calibration import Machine
from ionbox.jobs.job import MULTI_CIRCUIT, Job, JobStatus
from ionbox.service.access import Caller
from ionbox.service.jobs import Jobs
from ionbox.service.planning import Rulebook, Rules
from ionbox.service.ports import NewJob

LARGE = json.dumps({"qubits": 14, "circuit": [{"gate": "h", "targets": list(range(14))}]}).encode()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_on(tmp_path) as house:
        house.dispatcher.start()
        yield house


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def jobs_of(house: House) -> Jobs:
    return Jobs(
        house.store,
        house.results,
        house.dispatcher,
        make_acceptance(),
        targets=make_targets(),
        rulebook=Rulebook(Rules(1 << 30, Machine(cores=2))),
        clock=lambda: datetime.now(UTC),
    )


def caller(house: House) -> Caller:
    return Caller("key", house.project, "submitter")


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def nothing_is_written(house: House) -> Iterator[None]:
    """Hold up the writer, so that what is to be written waits in the order in which it came."""
    is_time = threading.Event()
    house.store._writer.submit(lambda _: is_time.wait(WAIT_SECONDS))
    try:
        yield
    finally:
        is_time.set()


@contextmanager
def nobody_works() -> Iterator[None]:
    wait_until(lambda: len(psutil.Process().children()) >= 2)
    workers = psutil.Process().children()
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)


def single(house: House) -> tuple[Job, list[Job]]:
    job = house.insert(LARGE)
    return job, [job]


def family(house: House) -> tuple[Job, list[Job]]:
    parent = make_job(project_id=house.project, job_type=MULTI_CIRCUIT, num_circuits=2)
    common = {"project_id": house.project, "parent_id": parent.id, "engine": "statevector"}
    children = [make_job(**common) for _ in range(2)]
    new = [NewJob(job, LARGE) for job in (parent, *children)]
    return house.store.insert_jobs(new, NOW).result().job, children


def blobs(results: Path) -> list[str]:
    return [path.name for path in results.iterdir() if path.suffix != ".draft"]


def assert_nothing_is_left(house: House, results: Path, jobs: Sequence[Job]) -> None:
    wait_until(lambda: house.dispatcher.is_idle and not list(results.iterdir()))
    house.store.put_jobs([]).result()  # what was to be written before is written
    for job in jobs:
        assert house.store.job(house.project, job.id) is None
        assert house.store.result(house.project, job.id) is None
    assert list(results.iterdir()) == []


@pytest.mark.parametrize("make", [single, family])
def test_an_end_that_is_written_before_the_deletion_is_deleted(
    house: House, results: Path, make: Callable[[House], tuple[Job, list[Job]]]
) -> None:
    job, to_run = make(house)
    with nothing_is_written(house):
        for one in to_run:
            house.dispatcher.queue(one, LARGE)
        wait_until(lambda: len(blobs(results)) == len(to_run) and house.dispatcher.is_idle)
        deleting = jobs_of(house).delete(caller(house), [job.id])

    assert deleting.result() == [job.id]
    assert_nothing_is_left(house, results, [job, *to_run])


@pytest.mark.parametrize("make", [single, family])
def test_an_end_that_comes_after_the_deletion_touches_nothing_and_drops_its_blob(
    house: House, results: Path, make: Callable[[House], tuple[Job, list[Job]]]
) -> None:
    job, to_run = make(house)
    with nothing_is_written(house):
        with nobody_works():
            for one in to_run:
                house.dispatcher.queue(one, LARGE)
            deleting = jobs_of(house).delete(caller(house), [job.id])
        wait_until(lambda: len(blobs(results)) == len(to_run) and house.dispatcher.is_idle)

    assert deleting.result() == [job.id]
    assert_nothing_is_left(house, results, [job, *to_run])


@pytest.mark.parametrize("is_canceled_first", [False, True])
def test_a_deleted_job_is_stopped_at_once(
    house: House, results: Path, *, is_canceled_first: bool
) -> None:
    jobs = jobs_of(house)
    job = house.insert(endless(), predicted_seconds=100.0)
    house.dispatcher.queue(job)
    house.wait(job, lambda stored: stored.status is JobStatus.STARTED)
    if is_canceled_first:
        canceling = jobs.cancel(caller(house), [job.id])
    deleting = jobs.delete(caller(house), [job.id])

    assert deleting.result() == [job.id]
    if is_canceled_first:
        assert canceling.result() == [job.id]
    assert_nothing_is_left(house, results, [job])
    later = [house.insert(predicted_seconds=seconds) for seconds in (0.0001, 1.0, 0.0001)]
    for one in later:
        house.dispatcher.queue(one)
    ends = [house.end_of(one) for one in later]
    assert [(end.status, end.attempt) for end in ends] == [(JobStatus.COMPLETED, 1)] * 3


def test_a_deleted_parent_has_its_running_and_its_waiting_children_stopped(
    house: House, results: Path
) -> None:
    parent = make_job(project_id=house.project, job_type=MULTI_CIRCUIT, num_circuits=3)
    common = {"project_id": house.project, "parent_id": parent.id, "predicted_seconds": 100.0}
    children = [make_job(engine="statevector", **common) for _ in range(3)]
    new = [NewJob(job, endless()) for job in (parent, *children)]
    house.store.insert_jobs(new, NOW).result()
    for child in children:
        house.dispatcher.queue(child, endless())
    house.wait(children[0], lambda stored: stored.status is JobStatus.STARTED)

    assert jobs_of(house).delete(caller(house), [parent.id]).result() == [parent.id]
    assert_nothing_is_left(house, results, [parent, *children])


def test_jobs_that_are_deleted_as_they_run_leave_nothing(house: House, results: Path) -> None:
    jobs, made = jobs_of(house), []
    for number in range(100):
        job, _ = single(house)
        house.dispatcher.queue(job, LARGE)
        made.append(job)
        time.sleep(0.0005 * (number % 7))  # so that deletions come at all moments
        jobs.delete(caller(house), [made[number // 2].id, job.id if number % 3 else "unknown"])
    jobs.delete(caller(house), [job.id for job in made]).result()

    assert_nothing_is_left(house, results, made)
