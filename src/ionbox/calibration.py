"""How fast this machine computes: measured once, remembered in the user's cache directory.

`python -m ionbox.calibration` measures and prints what came out; a server has that done in a
process of its own, while it has nothing else to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import platformdirs
from msgspec.structs import replace

from ionbox._kernel import kernel
from ionbox.circuits.circuit import Circuit, Operation
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.circuits.program import program_of
from ionbox.engines.calibration import REFERENCE, Calibration, Machine
from ionbox.engines.engine import Engine, Estimate, ResolvedPrecision, Workload
from ionbox.engines.planner import ENGINES
from ionbox.machine import cpu_model, num_cores

NICENESS: Final = 19
# A measurement begins when no job was there for so long, and is given up when one comes.
IDLE_SECONDS: Final = 2.0
# After it was given up there is a pause, each time twice as long: on a busy server it would only
# begin again and again.
_LONGEST_PAUSE_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 0.05
_MOST_FAILURES: Final = 3
_UNTIL_EOF: Final = "--until-eof"
# Of each probe: how long it is repeated, and how often at least.
_PROBE_SECONDS: Final = 0.1
_LEAST_RUNS: Final = 3
# A coefficient further off than this was measured on a machine that did something else.
_MOST_FACTOR: Final = 20.0


# --- what is measured ------------------------------------------------------------------------


class Probe(NamedTuple):
    """A workload whose time is mostly due to one coefficient.

    Args:
        part: The engine's field of `Calibration`.
        coefficient: The field of that part.
    """

    part: Literal["numpy", "kernel"]
    coefficient: str
    workload: Workload


def _layers(
    num_qubits: int, num_layers: int, precision: ResolvedPrecision, *, turn: float = 0.01
) -> Workload:
    """Return layers of rotations about all axes, and a brickwork of cnots.

    Args:
        turn: By how much each angle differs from the one before.
    """
    operations = [
        operation
        for layer in range(num_layers)
        for operation in (
            *_rotations(num_qubits, layer, turn),
            *_cnots(range(layer % 2, num_qubits - 1, 2)),
        )
    ]
    return _workload(num_qubits, operations, precision)


def _chain(num_qubits: int, precision: ResolvedPrecision) -> Workload:
    """Return a circuit that computes little for the memory that it goes through."""
    return _workload(num_qubits, [*_rotations(1), *_cnots(range(num_qubits - 1))], precision)


def _rotations(num_qubits: int, layer: int = 0, turn: float = 0.0) -> list[Operation]:
    rows = [GATE_BY_NAME["qis", name] for name in ("rx", "ry", "rz")]
    numbers = enumerate(range(num_qubits * layer, num_qubits * (layer + 1)))
    return [Operation(rows[n % 3], (q,), (), (0.1 + turn * n,)) for q, n in numbers]


def _cnots(controls: range) -> list[Operation]:
    row = GATE_BY_NAME["qis", "cnot"]
    return [Operation(row, (q + 1,), (q,)) for q in controls]


def _workload(
    num_qubits: int, operations: Sequence[Operation], precision: ResolvedPrecision
) -> Workload:
    circuit = Circuit.from_operations(num_qubits, "qis", operations)
    return Workload(program_of(circuit), shots=1, seed=0, precision=precision)


# In the order in which they are solved: each takes those before it as known.
PROBES: Final = (
    Probe("numpy", "operation", _layers(4, 10, "float64")),
    Probe("numpy", "near_byte", _layers(16, 1, "float64")),
    Probe("numpy", "far_byte", _chain(21, "float64")),
    Probe("kernel", "operation", _layers(4, 50, "float64", turn=0.0)),
    Probe("kernel", "step_byte", _layers(16, 10, "float64")),
    Probe("kernel", "far_byte", _chain(23, "float32")),
)
_THREADS_WORKLOAD: Final = _layers(20, 5, "float64")
_ENGINE_OF_PART: Final = {"numpy": "statevector", "kernel": "kernel"}


def measure(clock: Callable[[], float], engines: Sequence[Engine] = ENGINES) -> Calibration:
    """Run the probes and return what follows; an engine that is not there keeps the reference.

    Args:
        clock: Returns seconds, from wherever it counts.
    """
    by_name = {engine.name: engine for engine in engines}
    calibration = REFERENCE
    for probe in PROBES:
        engine = by_name.get(_ENGINE_OF_PART[probe.part])
        if engine is not None:
            seconds = _seconds(engine, probe.workload, clock)
            calibration = solve(calibration, probe, engine, seconds)
    if "kernel" in by_name and num_cores() > 1:
        gain = _thread_gain(by_name["kernel"], clock)
        calibration = _changed(calibration, "kernel", "thread_gain", gain)
    return calibration


def solve(calibration: Calibration, probe: Probe, engine: Engine, seconds: float) -> Calibration:
    """Return a calibration with which an engine's estimate of a probe is so many seconds.

    Estimates are linear in each coefficient, so two of them tell the third.
    """
    part, name = probe.part, probe.coefficient
    without, with_one = (
        _estimate(engine, probe.workload, _changed(calibration, part, name, value))
        for value in (0.0, 1.0)
    )
    reference = float(getattr(getattr(REFERENCE, part), name))
    value = (seconds - without) / (with_one - without)
    value = min(max(value, reference / _MOST_FACTOR), reference * _MOST_FACTOR)
    return _changed(calibration, part, name, value)


def _estimate(engine: Engine, workload: Workload, calibration: Calibration) -> float:
    answer = engine.assess(workload, Machine(calibration=calibration))
    assert isinstance(answer, Estimate)  # noqa: S101 - probes are for engines that take them
    return answer.seconds


def _changed(calibration: Calibration, part: str, name: str, value: float) -> Calibration:
    return replace(calibration, **{part: replace(getattr(calibration, part), **{name: value})})


def _seconds(
    engine: Engine, workload: Workload, clock: Callable[[], float], threads: int = 1
) -> float:
    """Return the least time that a run takes: everything that disturbs it adds to it."""
    times: list[float] = []
    while len(times) < _LEAST_RUNS or sum(times) < _PROBE_SECONDS:
        start = clock()
        engine.run(workload, threads=threads)
        times.append(clock() - start)
    return min(times)


def _thread_gain(engine: Engine, clock: Callable[[], float]) -> float:
    cores = num_cores()
    alone, together = (_seconds(engine, _THREADS_WORKLOAD, clock, n) for n in (1, cores))
    return min(max((alone / together - 1) / (cores - 1), 0.0), 1.0)


# --- where it is remembered ------------------------------------------------------------------


class Remembered(msgspec.Struct, frozen=True):
    """A calibration, and what it holds for."""

    cpu: str
    cores: int
    kernel: str
    ionbox: str
    calibration: Calibration


def here(calibration: Calibration = REFERENCE) -> Remembered:
    """Return a calibration as one of this machine."""
    variant = "" if kernel is None else kernel.variants()[0]
    return Remembered(cpu_model(), num_cores(), variant, version("ionbox"), calibration)


def remembered(directory: Path | None = None) -> Calibration | None:
    """Return what was measured on such a machine before, if it can be read."""
    try:
        found = msgspec.json.decode(_path(directory).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None
    return found.calibration if found == here(found.calibration) else None


def remember(calibration: Calibration, directory: Path | None = None) -> None:
    """Keep a calibration for the next server; a cache that cannot be written is none."""
    path = _path(directory)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.encode(here(calibration)))
        draft.replace(path)


def _path(directory: Path | None) -> Path:
    """Return the file of this machine: a home directory may be shared by several."""
    key = msgspec.json.encode(here())
    name = f"calibration-{hashlib.sha256(key).hexdigest()[:16]}.json"
    return (directory or platformdirs.user_cache_path("ionbox")) / name


# --- in the background -----------------------------------------------------------------------


class Background:
    """Has the machine measured by a process of its own, in a moment without jobs.

    Args:
        is_idle: Tells whether there is no job, waiting or running.
        done: Called with what came out, in another thread.
        directory: Where that is remembered; by default in the user's cache directory.
    """

    def __init__(
        self,
        is_idle: Callable[[], bool],
        done: Callable[[Calibration], None],
        directory: Path | None = None,
    ) -> None:
        self._is_idle = is_idle
        self._done = done
        self._directory = directory
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="calibration", daemon=True)

    def start(self) -> None:
        """Begin to wait for such a moment."""
        self._thread.start()

    def stop(self) -> None:
        """End the measurement, if there is one, and return when nothing is left of it."""
        self._is_stopping.set()
        self._thread.join()

    def _serve(self) -> None:
        failures, pause = 0, IDLE_SECONDS
        while failures < _MOST_FAILURES and self._wait_until_idle():
            try:
                calibration = self._measured()
            except (OSError, msgspec.DecodeError):
                failures += 1
                continue
            if calibration is not None:
                remember(calibration, self._directory)
                self._done(calibration)
                return
            self._is_stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _measured(self) -> Calibration | None:
        """Return what a process measures; none if a job comes first, or the server stops.

        Raises:
            OSError: If the process cannot be started.
            msgspec.DecodeError: If it does not answer.
        """
        with _started() as process:
            is_undisturbed = self._watch(process)
            output = process.stdout.read() if is_undisturbed and process.stdout else b""
        return msgspec.json.decode(output, type=Calibration) if is_undisturbed else None

    def _wait_until_idle(self) -> bool:
        """Return once no job was there for a while; false when the server stops first."""
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < IDLE_SECONDS:
            if self._is_stopping.wait(_POLL_SECONDS):
                return False
            if not self._is_idle():
                idle_since = time.monotonic()
        return True

    def _watch(self, process: subprocess.Popen[bytes]) -> bool:
        """Return once a process has ended; kill it, and return false, when a job comes."""
        while process.poll() is None:
            if self._is_stopping.wait(_POLL_SECONDS) or not self._is_idle():
                process.kill()
                return False
        return True


@contextlib.contextmanager
def _started() -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that measures; it ends when this one does, since its input then ends."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "ionbox.calibration", _UNTIL_EOF],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    ) as process:
        yield process


def main() -> None:
    """Measure, as quietly as can be, and print the calibration as JSON."""
    os.nice(NICENESS)
    if _UNTIL_EOF in sys.argv:
        threading.Thread(target=_end_with_input, daemon=True).start()
    sys.stdout.buffer.write(msgspec.json.encode(measure(time.perf_counter)) + b"\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
