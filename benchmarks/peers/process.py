"""The other end of `worker`: an engine's process, as the benchmark sees it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.rows import Row

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"

START_SECONDS = 120.0  # some import for long


class EngineFailedError(Exception):
    """An engine has failed, died, or not answered in time; the message says which."""


@dataclass(frozen=True)
class Engine:
    """A row of ENGINES.

    Args:
        name: As the tables print it.
        module: In `benchmarks.peers`.
        is_ours: Whether it is what others are compared with.
    """

    name: str
    module: str
    is_ours: bool = False

    @property
    def python(self) -> str:
        return sys.executable if self.is_ours else str(PEERS_PYTHON)


OURS = Engine("ionbox", "ours", is_ours=True)
PEERS = (
    Engine("qsim", "qsim"),
    Engine("Aer", "aer"),
    Engine("lightning", "lightning"),
    Engine("qulacs", "qulacs"),
)
ENGINES = (OURS, *PEERS)


class EngineProcess:
    """A running engine; a dead one is started anew when it is next asked to prepare a circuit.

    Args:
        engine: Which one.
        threads: How many it may use.
    """

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine = engine
        self.threads = threads
        self.version = ""
        self._popen: subprocess.Popen[str] | None = None

    def prepare(self, num_qubits: int, rows: Sequence[Row]) -> list[str]:
        """Build a circuit and return the names of the engine's variants."""
        if self._popen is None:
            self._start()
        answer = self._ask(START_SECONDS, do="prepare", num_qubits=num_qubits, rows=rows)
        return list(answer["variants"])

    def ask(self, what: str, variant: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Have something done with the prepared circuit.

        Raises:
            EngineFailedError: If it is not done; one that takes longer than `seconds` is killed.
        """
        return self._ask(seconds, do=what, variant=variant)

    def close(self) -> None:
        if self._popen is not None:
            self._popen.kill()
            self._popen.communicate()
            self._popen = None

    def _start(self) -> None:
        # Workers of ionbox keep NumPy on one thread, too.
        blas_threads = 1 if self.engine.is_ours else self.threads
        variables = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            "OPENBLAS_NUM_THREADS": str(blas_threads),
        }
        self._popen = subprocess.Popen(
            [self.engine.python, "-W", "ignore", "-m", "benchmarks.peers.worker",
             self.engine.module, str(self.threads)],
            cwd=ROOT, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.version = self._read(START_SECONDS)["version"]

    def _ask(self, seconds: float, **request: object) -> dict[str, Any]:
        if self._popen is None or self._popen.stdin is None:
            raise EngineFailedError("not running")
        try:
            print(json.dumps(request), file=self._popen.stdin, flush=True)
        except BrokenPipeError:
            self._fail("died")
        answer = self._read(seconds)
        if "error" in answer:
            raise EngineFailedError(answer["error"])
        return answer

    def _read(self, seconds: float) -> dict[str, Any]:
        assert self._popen is not None
        assert self._popen.stdout is not None
        if not select.select([self._popen.stdout], [], [], seconds)[0]:
            self._fail(f"> {seconds:.0f} s")
        line = self._popen.stdout.readline()
        if not line:
            self._fail("died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _fail(self, reason: str) -> None:
        self.close()
        raise EngineFailedError(reason)
