"""What every executor must do. Processes are the one there is."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from tests.builders import IDEAL_ENGINE, bell_bytes, entanglers, outcome

from ionbox._kernel import kernel
from ionbox.engines.calibration import REFERENCE, Machine
from ionbox.engines.planner import size_text
from ionbox.executors.answers import INLINE_BYTES
from ionbox.executors.beats import BEAT_SECONDS
from ionbox.executors.memory import run_limit_bytes
from ionbox.executors.processes import ProcessExecutor
from ionbox.jobs.job import Failure
from ionbox.service.planning import Rules
from ionbox.service.work import (
    RUN_AT_ONCE_BYTES,
    RUN_AT_ONCE_SECONDS,
    Assessed,
    Beat,
    Failed,
    Finished,
    Lost,
    Reply,
    Task,
)

WAIT_SECONDS = 30


class Desk:
    """Hands tasks to an executor's workers and collects their replies."""

    def __init__(self, executor: ProcessExecutor) -> None:
        self._executor = executor
        self._tasks: dict[int, list[Task]] = {}
        self._replies: queue.Queue[tuple[int, list[Reply]]] = queue.Queue()
        self._loaded = threading.Event()
        self._beats: queue.Queue[Beat] = queue.Queue()
        executor.start(
            self._load,
            lambda worker, replies: self._replies.put((worker, replies)),
            lambda _, beat: self._beats.put(beat),
        )

    def _load(self, worker: int) -> list[Task]:
        self._loaded.set()
        return self._tasks.pop(worker)

    def begin(self, *tasks: Task, worker: int = 0) -> None:
        self._tasks[worker] = list(tasks)
        self._loaded.clear()
        self._executor.execute(worker)
        assert self._loaded.wait(WAIT_SECONDS)

    def replies(self) -> list[Reply]:
        return self._replies.get(timeout=WAIT_SECONDS)[1]

    def beat(self) -> Beat:
        return self._beats.get(timeout=WAIT_SECONDS)

    @property
    def num_beats(self) -> int:
        return self._beats.qsize()

    def run(self, *tasks: Task, worker: int = 0) -> list[Reply]:
        self.begin(*tasks, worker=worker)
        return self.replies()

    def kill(self, worker: int = 0) -> None:
        self._executor.kill(worker)


@contextmanager
def desk_of(num_workers: int) -> Iterator[Desk]:
    executor = ProcessExecutor(num_workers)
    desk = Desk(executor)
    try:
        yield desk
    finally:
        executor.stop()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_of(1) as desk:
        yield desk


def make_task(tmp_path: Path, data: bytes | None = None, **changes: object) -> Task:
    values: dict[str, object] = {
        "job_id": "job",
        "engine": "statevector",
        "job_type": "ionq.circuit.v1",
        "data": bell_bytes() if data is None else data,
        "shots": 100,
        "seed": 7,
        "rules": Rules(memory_bytes=1 << 30),
        "draft": str(tmp_path / "draft"),
        "memory_bytes": 1 << 30,
    }
    return Task(**values | changes)  # type: ignore[arg-type]


def superposition(num_qubits: int, layers: int = 1) -> bytes:
    gates: list[dict[str, object]] = [{"gate": "h", "targets": list(range(num_qubits))}]
    gates += [{"gate": "rx", "targets": list(range(num_qubits)), "rotation": 0.1}] * layers
    return json.dumps({"qubits": num_qubits, "circuit": gates}).encode()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_an_outcome_comes_back(desk: Desk, tmp_path: Path) -> None:
    (reply,) = desk.run(make_task(tmp_path))

    assert isinstance(reply, Finished)
    assert outcome(reply.encoded).values.tolist() == [0.5, 0, 0, 0.5]


def test_a_load_of_tasks_is_answered_in_its_order(desk: Desk, tmp_path: Path) -> None:
    widths = [3, 1, 2]
    replies = desk.run(*(make_task(tmp_path, superposition(n)) for n in widths))

    assert [outcome(reply.encoded).num_qubits for reply in replies] == widths  # type: ignore[union-attr]


def test_no_tasks_make_no_replies(desk: Desk, tmp_path: Path) -> None:
    assert desk.run() == []
    assert len(desk.run(make_task(tmp_path))) == 1


def test_a_large_outcome_is_left_in_the_draft(desk: Desk, tmp_path: Path) -> None:
    (reply,) = desk.run(make_task(tmp_path, superposition(14)))

    assert isinstance(reply, Finished)
    assert reply.encoded is None
    assert reply.seconds > 0
    blob = (tmp_path / "draft").read_bytes()
    assert len(blob) > INLINE_BYTES
    assert outcome(blob).num_qubits == 14


def test_an_input_is_read_and_planned_without_being_run(desk: Desk, tmp_path: Path) -> None:
    (reply,) = desk.run(make_task(tmp_path, engine=None))

    assert isinstance(reply, Assessed)
    assert (reply.num_qubits, reply.gate_counts, reply.engine) == (2, (1, 1), IDEAL_ENGINE)


def test_what_is_soon_done_on_many_threads_alone_is_not_run_at_once(
    desk: Desk, tmp_path: Path
) -> None:
    step_byte = 10 * REFERENCE.kernel.step_byte  # a slow machine
    slow = replace(REFERENCE, kernel=replace(REFERENCE.kernel, step_byte=step_byte))
    rules = Rules(memory_bytes=1 << 30, machine=Machine(8, slow))
    data = json.dumps(entanglers(18, 300)).encode()
    (reply,) = desk.run(make_task(tmp_path, data, engine=None, may_run=True, rules=rules))

    assert isinstance(reply, Assessed)
    assert reply.predicted_seconds * reply.threads > RUN_AT_ONCE_SECONDS
    assert kernel is None or reply.predicted_seconds < RUN_AT_ONCE_SECONDS
    assert reply.memory_bytes <= RUN_AT_ONCE_BYTES


def test_an_engine_that_is_not_installed_is_a_failure(desk: Desk, tmp_path: Path) -> None:
    (reply,) = desk.run(make_task(tmp_path, engine="abacus"))

    failure = Failure("SimulationError", "engine 'abacus' is not installed here")
    assert reply == Failed(failure)


def test_a_bad_input_is_a_failure_that_names_the_place(desk: Desk, tmp_path: Path) -> None:
    data = b'{"qubits": 2, "circuit": [{"gate": "h", "target": 7}]}'
    (reply,) = desk.run(make_task(tmp_path, data, engine=None))

    assert isinstance(reply, Failed)
    assert reply.failure.code == "InvalidInput"
    assert reply.failure.message == "circuit[0].target: qubit 7 of a 2-qubit circuit"


def test_what_takes_more_than_planned_fails_and_the_worker_goes_on(
    desk: Desk, tmp_path: Path
) -> None:
    (reply,) = desk.run(make_task(tmp_path, superposition(25), memory_bytes=64 << 20))

    allowed = size_text(run_limit_bytes(64 << 20, threads=1))
    text = f"out of memory: planned with 64.0 MiB, needed more than {allowed}"
    assert reply == Failed(Failure("SimulationError", text))
    assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_what_takes_too_much_to_read_fails_and_the_worker_goes_on(
    desk: Desk, tmp_path: Path
) -> None:
    large = superposition(22, layers=50_000)
    (reply,) = desk.run(make_task(tmp_path, large, engine=None, process_memory_bytes=64 << 20))

    text = "out of memory: to read and plan it takes more than 64.0 MiB"
    assert reply == Failed(Failure("PreflightError", text))
    assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_what_a_run_took_at_most_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.run(make_task(tmp_path, superposition(23), memory_bytes=1 << 30))
    (reply,) = desk.run(make_task(tmp_path, superposition(21), memory_bytes=1 << 30))

    assert isinstance(reply, Finished)
    assert 8 << 21 <= reply.memory_bytes < 8 << 23


def test_a_worker_that_the_system_kills_leaves_what_was_known_of_its_memory(
    tmp_path: Path,
) -> None:
    before = children()
    with desk_of(1) as desk:
        desk.run(make_task(tmp_path))
        (worker,) = children() - before
        desk.begin(make_task(tmp_path, superposition(22, layers=200), memory_bytes=1 << 30))
        beat = desk.beat()
        os.kill(worker, signal.SIGKILL)
        (reply,) = desk.replies()

    assert isinstance(reply, Lost)
    assert reply.memory_bytes == beat.memory_bytes
    assert reply.reason == (
        "the worker was killed (exit status -9), probably for memory: planned with 1.0 GiB, "
        f"took {size_text(beat.memory_bytes)} when last seen"
    )


def test_what_takes_too_long_is_lost_and_the_worker_goes_on(desk: Desk, tmp_path: Path) -> None:
    slow = make_task(tmp_path, superposition(22, layers=200), timeout_seconds=0.5)
    (reply,) = desk.run(slow)

    assert isinstance(reply, Lost)
    assert "no answer within 0.5 s" in reply.reason
    assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_a_worker_beats_while_it_works_and_says_what_it_takes(desk: Desk, tmp_path: Path) -> None:
    begun = time.monotonic()
    desk.begin(make_task(tmp_path, superposition(22, layers=200)))
    beats = [desk.beat(), desk.beat()]
    assert time.monotonic() - begun >= 2 * BEAT_SECONDS - 0.1
    state_bytes = 8 << 22
    while beats[-1].memory_bytes < state_bytes or not beats[-1].progress:
        beats.append(desk.beat())

    assert {beat.job_id for beat in beats} == {"job"}
    assert beats[-1].memory_bytes < 4 * state_bytes
    assert 0 < beats[-1].progress < 1


def test_a_short_load_has_no_beat_however_many_there_are(desk: Desk, tmp_path: Path) -> None:
    end = time.monotonic() + 1.5 * BEAT_SECONDS
    while time.monotonic() < end:
        desk.run(make_task(tmp_path), make_task(tmp_path))

    assert desk.num_beats == 0


def test_beats_do_not_give_a_task_more_time(desk: Desk, tmp_path: Path) -> None:
    slow = make_task(tmp_path, superposition(22, layers=200), timeout_seconds=2.5 * BEAT_SECONDS)
    desk.run(make_task(tmp_path))
    begun = time.monotonic()
    (reply,) = desk.run(slow)

    assert isinstance(reply, Lost)
    assert 1 <= desk.num_beats <= 2
    assert time.monotonic() - begun >= 2.5 * BEAT_SECONDS


def test_a_killed_worker_loses_all_its_tasks_and_serves_again(desk: Desk, tmp_path: Path) -> None:
    slow = make_task(tmp_path, superposition(22, layers=200))
    desk.run(make_task(tmp_path))
    desk.begin(slow, make_task(tmp_path))
    desk.kill()
    replies = desk.replies()

    assert [type(reply) for reply in replies] == [Lost, Lost]
    assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_what_a_killed_worker_took_is_given_back_before_its_replies_come(
    tmp_path: Path,
) -> None:
    before = children()
    with desk_of(1) as desk:
        desk.run(make_task(tmp_path))
        (worker,) = children() - before
        desk.begin(make_task(tmp_path, superposition(25, layers=200)))
        while desk.beat().memory_bytes < 8 << 25:
            pass
        desk.kill()
        desk.replies()

        assert not psutil.pid_exists(worker)
        assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_a_kill_that_comes_too_late_harms_no_other_task(desk: Desk, tmp_path: Path) -> None:
    desk.run(make_task(tmp_path))
    desk.kill()

    assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_a_worker_that_dies_by_itself_is_replaced(tmp_path: Path) -> None:
    before = children()
    with desk_of(1) as desk:
        desk.run(make_task(tmp_path))
        (worker,) = children() - before
        desk.begin(make_task(tmp_path, superposition(22, layers=200)))
        os.kill(worker, signal.SIGSEGV)

        assert "exit status -11" in desk.replies()[0].reason  # type: ignore[union-attr]
        assert isinstance(desk.run(make_task(tmp_path))[0], Finished)


def test_workers_run_beside_each_other(tmp_path: Path) -> None:
    with desk_of(2) as desk:
        desk.begin(make_task(tmp_path, superposition(22, layers=200)), worker=0)

        assert isinstance(desk.run(make_task(tmp_path), worker=1)[0], Finished)


@pytest.mark.parametrize("niceness", [0, 10])
def test_a_nice_task_gives_the_same_outcome(desk: Desk, tmp_path: Path, niceness: int) -> None:
    task = make_task(tmp_path, superposition(3), niceness=niceness)

    assert isinstance(desk.run(task)[0], Finished)


def test_no_process_is_left_after_the_end(tmp_path: Path) -> None:
    before = children()
    with desk_of(2) as desk:
        desk.run(make_task(tmp_path))
        desk.begin(make_task(tmp_path, superposition(22, layers=200)), worker=1)
        assert len(children() - before) == 2

    assert children() == before
