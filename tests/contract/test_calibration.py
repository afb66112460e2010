"""How fast the machine is: solved from probes, remembered, and measured in the background."""

from __future__ import annotations

import itertools
import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from ionbox import calibration
from ionbox._kernel import kernel
from ionbox.calibration import PROBES, Background, Probe, measure, remember, remembered, solve
from ionbox.engines.calibration import REFERENCE, Calibration, Machine
from ionbox.engines.engine import Estimate
from ionbox.engines.planner import engine_named

WAIT_SECONDS = 60
SOLVED = [probe for probe in PROBES if probe.part == "numpy" or kernel is not None]
OTHER = msgspec.structs.replace(
    REFERENCE, numpy=msgspec.structs.replace(REFERENCE.numpy, operation=1.5e-5)
)


def children() -> list[psutil.Process]:
    """Return the measurements that run; other tests may have left processes of their own."""
    return [child for child in psutil.Process().children() if _measures(child)]


def _measures(process: psutil.Process) -> bool:
    try:
        return "ionbox.calibration" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "IDLE_SECONDS", 0.1)


@pytest.mark.parametrize("probe", SOLVED, ids=lambda probe: f"{probe.part}-{probe.coefficient}")
def test_a_calibration_predicts_the_probe_that_it_was_solved_from(probe: Probe) -> None:
    engine = engine_named({"numpy": "statevector", "kernel": "kernel"}[probe.part])
    before = engine.assess(probe.workload)
    assert isinstance(before, Estimate)

    solved = solve(REFERENCE, probe, engine, 1.5 * before.seconds)

    after = engine.assess(probe.workload, Machine(calibration=solved))
    assert isinstance(after, Estimate)
    assert after.seconds == pytest.approx(1.5 * before.seconds)


@pytest.mark.parametrize(("seconds", "factor"), [(0.0, 1 / 20), (1e9, 20)])
def test_a_disturbed_measurement_does_not_lead_far_away(seconds: float, factor: float) -> None:
    solved = solve(REFERENCE, PROBES[0], engine_named("statevector"), seconds)

    assert solved.numpy.operation == pytest.approx(factor * REFERENCE.numpy.operation)


def test_every_coefficient_is_measured_but_those_that_follow() -> None:
    by_time = itertools.count()

    found = measure(lambda: 1e-3 * next(by_time))

    assert found.numpy.operation > 0
    assert found != REFERENCE
    assert found.numpy.operation == pytest.approx(1e-3 / 60, rel=0.3)  # of a run of 1 ms


def test_a_calibration_is_remembered(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None

    remember(OTHER, tmp_path / "new")

    assert remembered(tmp_path / "new") == OTHER


def test_a_broken_file_is_ignored_and_replaced(tmp_path: Path) -> None:
    remember(OTHER, tmp_path)
    (path,) = tmp_path.iterdir()

    for text in ("", "{", "{}", path.read_text().replace("operation", "Operation")):
        path.write_text(text)
        assert remembered(tmp_path) is None

    remember(REFERENCE, tmp_path)
    assert remembered(tmp_path) == REFERENCE


def test_what_was_measured_on_another_machine_or_version_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(OTHER, tmp_path)

    for name, value in (("cpu_model", lambda: "abacus"), ("num_cores", lambda: 999)):
        with monkeypatch.context() as patch:
            patch.setattr(calibration, name, value)
            assert remembered(tmp_path) is None
    with monkeypatch.context() as patch:
        patch.setattr(calibration, "version", lambda _: "0.0.0")
        assert remembered(tmp_path) is None


def test_a_cache_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    remember(OTHER, tmp_path / "file")

    assert remembered(tmp_path / "file") is None


@pytest.mark.usefixtures("_without_waiting")
def test_an_idle_machine_is_measured_once_and_remembered(tmp_path: Path) -> None:
    found: queue.SimpleQueue[Calibration] = queue.SimpleQueue()
    background = Background(lambda: True, found.put, tmp_path)
    background.start()

    measured = found.get(timeout=WAIT_SECONDS)
    background.stop()

    assert remembered(tmp_path) == measured
    assert found.empty()
    assert children() == []


@pytest.mark.usefixtures("_without_waiting")
def test_a_measurement_is_given_up_for_a_job_and_made_later(tmp_path: Path) -> None:
    found: queue.SimpleQueue[Calibration] = queue.SimpleQueue()
    jobs: list[str] = ["first"]
    background = Background(lambda: not jobs, found.put, tmp_path)
    background.start()
    time.sleep(0.3)
    assert children() == []

    jobs.clear()
    until(lambda: len(children()) == 1)
    jobs.append("second")
    until(lambda: children() == [])
    jobs.clear()

    assert found.get(timeout=WAIT_SECONDS) == remembered(tmp_path)
    background.stop()


@pytest.mark.usefixtures("_without_waiting")
def test_each_time_that_it_is_given_up_a_measurement_waits_longer(tmp_path: Path) -> None:
    begun: list[float] = []

    def is_idle() -> bool:
        if children():
            begun.append(time.monotonic())
        return not children()

    background = Background(is_idle, lambda _: None, tmp_path)
    background.start()
    until(lambda: len(begun) == 4)
    background.stop()

    waited = [later - sooner for sooner, later in itertools.pairwise(begun)]
    assert all(seconds > least for seconds, least in zip(waited, (0.2, 0.3, 0.5), strict=True))


@pytest.mark.usefixtures("_without_waiting")
def test_a_measurement_that_cannot_be_started_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    found: queue.SimpleQueue[Calibration] = queue.SimpleQueue()
    background = Background(lambda: True, found.put, tmp_path)
    background.start()

    until(lambda: not background._thread.is_alive())
    assert found.empty()


@pytest.mark.usefixtures("_without_waiting")
def test_a_measurement_ends_with_its_server(tmp_path: Path) -> None:
    background = Background(lambda: True, lambda _: None, tmp_path)
    background.start()
    until(lambda: len(children()) == 1)

    background.stop()

    assert children() == []
    assert remembered(tmp_path) is None
