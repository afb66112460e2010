"""From a queued job to its recorded end, on a real store and real workers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.builders import (
    IDEAL_ENGINE,
    NOW,
    bell_bytes,
    limit_pages,
    outcome,
)
from tests.contract.house import WAIT_SECONDS, House, endless, house_on

from ionbox.engines.planner import ENGINES
from ionbox.jobs.job import Job, JobStatus
from ionbox.jobs.lifecycle import JobEvent, step
from ionbox.service.dispatcher import RETRY_SECONDS
from ionbox.service.endings import MAX_ATTEMPTS
from ionbox.service.planning import decode_answers


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_on(tmp_path) as house:
        house.dispatcher.start()
        yield house


def kill_all_workers() -> None:
    for worker in psutil.Process().children():
        os.kill(worker.pid, signal.SIGKILL)


def test_what_a_running_job_says_is_known_until_it_ends(house: House) -> None:
    job = house.insert(endless())
    house.dispatcher.queue(job)
    deadline = time.monotonic() + WAIT_SECONDS
    while (beat := house.dispatcher.beat_of(job.id)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    house.dispatcher.stop_work(job.id)
    while house.dispatcher.beat_of(job.id) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert beat.job_id == job.id
    assert beat.memory_bytes > 0


@pytest.mark.parametrize("predicted_seconds", [0.0001, 1.0])
def test_a_job_runs_and_its_outcome_is_recorded(house: House, predicted_seconds: float) -> None:
    job = house.insert(predicted_seconds=predicted_seconds)
    house.dispatcher.queue(job)
    done = house.end_of(job)
    result = house.store.result(house.project, job.id)

    assert (done.status, done.attempt) == (JobStatus.COMPLETED, 1)
    assert done.started_at is not None
    assert done.completed_at is not None
    assert done.submitted_at < done.started_at <= done.completed_at
    assert result is not None
    assert outcome(result.inline).values.tolist() == [0.5, 0, 0, 0.5]


def test_a_large_outcome_is_kept_as_a_blob(house: House) -> None:
    data = json.dumps({"qubits": 14, "circuit": [{"gate": "h", "targets": list(range(14))}]})
    job = house.insert(data.encode())
    house.dispatcher.queue(job)
    house.end_of(job)
    result = house.store.result(house.project, job.id)

    assert result is not None
    assert result.blob is not None
    blob = house.results.open(result.blob)
    assert blob is not None
    assert outcome(blob).num_qubits == 14


def test_an_input_for_a_worker_to_read_becomes_a_job_that_runs(house: House) -> None:
    job = house.insert(status=JobStatus.SUBMITTED, engine=None)
    house.dispatcher.queue(job)
    done = house.end_of(job)

    assert (done.status, done.num_qubits, done.engine) == (JobStatus.COMPLETED, 2, IDEAL_ENGINE)
    _, answers = house.store.job_and_plan(house.project, job.id) or (None, None)
    assert [answer.engine for answer in decode_answers(answers)] == [e.name for e in ENGINES]


def test_an_input_whose_outcome_is_large_runs_as_it_is_read(house: House) -> None:
    data = json.dumps({"qubits": 14, "circuit": [{"gate": "h", "targets": list(range(14))}]})
    job = house.insert(data.encode(), status=JobStatus.SUBMITTED, engine=None)
    house.dispatcher.queue(job)
    done = house.end_of(job)

    assert (done.status, done.num_qubits, done.engine) == (JobStatus.COMPLETED, 14, IDEAL_ENGINE)


@pytest.mark.parametrize(("seconds", "threads"), [(0.0001, 1), (1.0, 2)])
def test_what_a_run_took_is_recorded(house: House, seconds: float, threads: int) -> None:
    job = house.insert(predicted_seconds=seconds, threads=threads)
    house.dispatcher.queue(job)
    done = house.end_of(job)

    assert done.run_threads == threads
    assert done.run_seconds is not None
    assert 0 < done.run_seconds < (done.execution_seconds or 0)


def test_a_bad_input_for_a_worker_to_read_becomes_a_failed_job(house: House) -> None:
    job = house.insert(b'{"qubits": 0, "circuit": []}', status=JobStatus.SUBMITTED, engine=None)
    house.dispatcher.queue(job)
    done = house.end_of(job)

    assert done.failure is not None
    assert done.failure.code == "InvalidInput"
    assert done.failure.message.startswith("qubits: ")


def test_a_job_canceled_while_it_waits_does_not_run(house: House) -> None:
    job = house.insert(predicted_seconds=1.0)
    house.store.change_jobs(house.project, [job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW)
    house.dispatcher.queue(job, bell_bytes())
    later = house.insert(predicted_seconds=1.0)
    house.dispatcher.queue(later)
    house.end_of(later)

    assert house.stored(job).status is JobStatus.CANCELED
    assert house.store.result(house.project, job.id) is None


def test_a_job_canceled_while_it_runs_stays_canceled(house: House) -> None:
    job = house.insert(endless(), predicted_seconds=100.0)
    house.dispatcher.queue(job)
    house.wait(job, lambda stored: stored.status is JobStatus.STARTED)
    house.store.change_jobs(
        house.project, [job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW
    ).result()
    house.dispatcher.stop_work(job.id)
    later = house.insert(predicted_seconds=1.0)
    house.dispatcher.queue(later)

    assert house.end_of(later).status is JobStatus.COMPLETED
    assert house.stored(job).status is JobStatus.CANCELED


def test_a_job_that_costs_its_worker_each_time_is_given_up(house: House) -> None:
    job = house.insert(endless(), predicted_seconds=100.0)
    house.dispatcher.queue(job)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        house.wait(job, lambda j, n=attempt: j.attempt == n and j.status is JobStatus.STARTED)  # type: ignore[misc]
        kill_all_workers()
    done = house.end_of(job)

    assert (done.status, done.attempt) == (JobStatus.FAILED, MAX_ATTEMPTS)
    assert done.failure is not None
    assert done.failure.code == "InternalError"
    assert "given up after 3 attempts; the last one: the worker was killed" in done.failure.message


def test_what_was_unfinished_is_run_by_the_next_start(tmp_path: Path) -> None:
    with house_on(tmp_path) as house:
        jobs = [house.insert(status=status) for status in (JobStatus.READY, JobStatus.STARTED)]
        jobs.append(house.insert(status=JobStatus.SUBMITTED, engine=None))
    with house_on(tmp_path) as house:
        house.dispatcher.start()

        assert {house.end_of(job).status for job in jobs} == {JobStatus.COMPLETED}


def test_a_job_at_work_when_the_server_stops_waits_for_the_next_start(tmp_path: Path) -> None:
    with house_on(tmp_path) as house:
        house.dispatcher.start()
        job = house.insert(endless(), predicted_seconds=100.0)
        house.dispatcher.queue(job)
        house.wait(job, lambda stored: stored.status is JobStatus.STARTED)
    with house_on(tmp_path) as house:
        assert (house.stored(job).status, house.stored(job).attempt) == (JobStatus.READY, 0)


def test_a_job_that_no_longer_fits_the_memory_fails_with_the_numbers(tmp_path: Path) -> None:
    with house_on(tmp_path, memory_bytes=1000) as house:
        job = house.insert(num_qubits=30, memory_bytes=2000)
        house.dispatcher.start()
        done = house.end_of(job)

    assert done.failure is not None
    assert done.failure.message == "30 qubits need 2.0 KiB; 1000 bytes are available"


def test_an_outcome_that_finds_no_room_is_recorded_when_there_is_some(house: House) -> None:
    wide = json.dumps({"qubits": 12, "circuit": [{"gate": "h", "targets": list(range(12))}]})
    job = house.insert(wide.encode())
    limit_pages(house.store, 0)
    house.dispatcher.queue(job)
    time.sleep(RETRY_SECONDS)

    assert house.stored(job).status is JobStatus.READY
    limit_pages(house.store, 1000)
    done = house.end_of(job)
    assert (done.status, done.attempt) == (JobStatus.COMPLETED, 1)


@pytest.mark.parametrize("seconds", [0.0001, 1.0])
def test_a_claim_that_the_store_refuses_is_made_again_when_it_does_not(
    house: House, seconds: float
) -> None:
    job = house.insert(predicted_seconds=seconds)
    write(house, "CREATE TRIGGER no BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END")
    house.dispatcher.queue(job, is_recovered=True)
    time.sleep(RETRY_SECONDS / 2)
    write(house, "DROP TRIGGER no")

    assert house.end_of(job).attempt == 1


def write(house: House, statement: str) -> None:
    house.store._writer.submit(lambda database: database.execute(statement)).result()


def test_canceling_one_job_costs_the_others_of_its_worker_no_attempt(house: House) -> None:
    busy = [house.insert(endless(), predicted_seconds=0.0001) for _ in range(2)]
    together = [house.insert(endless(), predicted_seconds=0.0001)]
    together += [house.insert(predicted_seconds=0.0001) for _ in range(10)]
    for job in (*busy, *together):
        house.dispatcher.queue(job)
    cancel(house, busy[0])
    house.wait(together[0], lambda job: house.dispatcher.beat_of(job.id) is not None)
    cancel(house, together[0])
    cancel(house, busy[1])

    assert {house.end_of(job).attempt for job in together[1:]} == {1}


def cancel(house: House, job: Job) -> None:
    canceling = house.store.change_jobs(
        house.project, [job.id], lambda j: step(j, JobEvent.CANCEL, NOW), NOW
    )
    canceling.result()
    house.dispatcher.stop_work(job.id)
