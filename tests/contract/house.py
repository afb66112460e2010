"""The core on a real store and real workers, without HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.builders import NOW, bell_bytes, make_acceptance, make_job, make_targets

from ionbox.engines.calibration import Machine
from ionbox.executors.processes import ProcessExecutor
from ionbox.jobs.job import Job
from ionbox.jobs.lifecycle import TERMINAL
from ionbox.results.filesystem import FilesystemResults
from ionbox.service.admission import NO_LIMITS, Limits
from ionbox.service.dispatcher import Dispatcher
from ionbox.service.leases import LEASE_SECONDS
from ionbox.service.planning import Rulebook, Rules
from ionbox.service.ports import NewJob
from ionbox.store.sqlite import SqliteStore

WAIT_SECONDS = 30


@dataclass
class House:
    store: SqliteStore
    results: FilesystemResults
    dispatcher: Dispatcher
    project: str

    def insert(self, data: bytes | None = None, **changes: object) -> Job:
        values: dict[str, object] = {"engine": "statevector", "project_id": self.project}
        job = make_job(**values | changes)
        new = NewJob(job, bell_bytes() if data is None else data)
        return self.store.insert_jobs([new], NOW).result().job

    def stored(self, job: Job) -> Job:
        stored = self.store.job(self.project, job.id)
        assert stored is not None
        return stored

    def wait(self, job: Job, is_so: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_so(stored := self.stored(job)):
            assert time.monotonic() < deadline, stored
            time.sleep(0.01)
        return stored

    def end_of(self, job: Job) -> Job:
        return self.wait(job, lambda stored: stored.status in TERMINAL)


@contextmanager
def house_on(
    path: Path,
    memory_bytes: int = 1 << 30,
    *,
    lease_seconds: float = LEASE_SECONDS,
    limits: Limits = NO_LIMITS,
) -> Iterator[House]:
    with closing(SqliteStore(path / "ionbox.sqlite")) as store:
        results = FilesystemResults(path / "results")
        dispatcher = Dispatcher(
            store,
            results,
            ProcessExecutor(2),
            make_acceptance(),
            targets=make_targets(),
            rulebook=Rulebook(Rules(memory_bytes, Machine(cores=2))),
            clock=lambda: datetime.now(UTC),
            limits=limits,
            lease_seconds=lease_seconds,
        )
        project = store.first_project() or store.create_project("local", "default").result()
        try:
            yield House(store, results, dispatcher, project)
        finally:
            dispatcher.stop()


def endless() -> bytes:
    gates = [{"gate": "rx", "targets": list(range(22)), "rotation": 0.1}] * 1000
    return json.dumps({"qubits": 22, "circuit": gates}).encode()
