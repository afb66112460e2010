"""A caller of both API versions, in as few words as the tests can do with."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil
import requests

from ionbox import LocalServer

ENDED = {"completed", "failed", "canceled"}
PATIENCE_SECONDS = 60.0

Value = TypeVar("Value")


@dataclass(frozen=True)
class Api:
    """One server and one key for it."""

    url: str
    key: str
    pid: int

    @classmethod
    def of(cls, server: LocalServer) -> Api:
        return cls(server.url, server.key, server.pid)

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Any:  # noqa: ANN401
        """Return the answer; a body of bytes is sent as it is, anything else as JSON."""
        options["headers"] = {"Authorization": f"apiKey {self.key}"} | options.get("headers", {})
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else json.dumps(body)
        return requests.request(method, f"{self.url}{path}", timeout=PATIENCE_SECONDS, **options)

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the body of an answer that is no error."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, circuit: dict[str, Any], **fields: Any) -> str:  # noqa: ANN401 - JSON
        """Submit a circuit with these fields beside it; return the job's id."""
        answer = self.call("POST", "/v0.3/jobs", {"input": circuit, **fields})
        assert answer.status_code == 200, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(f"/v0.3/jobs/{job_id}")
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job and return it."""
        return until(lambda: self.job(job_id), lambda job: job["status"] in ENDED)

    def running(self, job_id: str) -> dict[str, Any]:
        """Wait until a worker has a job and return it."""
        return until(lambda: self.job(job_id), lambda job: job["status"] == "running")

    def completed(self, circuit: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Run a circuit and return its job."""
        job = self.ended(self.submit(circuit, **fields))
        assert job["status"] == "completed", job
        return job

    def probabilities(self, circuit: dict[str, Any], **fields: Any) -> dict[str, float]:  # noqa: ANN401
        """Run a circuit and return its results."""
        results: dict[str, float] = self.get(self.completed(circuit, **fields)["results_url"])
        return results

    def create(self, job_input: dict[str, Any], **fields: Any) -> str:  # noqa: ANN401 - JSON
        """Submit a job by v0.4, of one circuit unless the fields say so; return its id."""
        body = {"type": "ionq.circuit.v1", "backend": "simulator", "input": job_input} | fields
        answer = self.call("POST", "/v0.4/jobs", body)
        assert answer.status_code == 201, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def created(self, job_input: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Submit a job by v0.4, wait for its end and return it as v0.4 tells it."""
        return self.finished(self.create(job_input, **fields))

    def finished(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job and return it as v0.4 tells it."""
        self.ended(job_id)
        job: dict[str, Any] = self.get(f"/v0.4/jobs/{job_id}")
        return job

    def ids(self, **query: Any) -> list[str]:  # noqa: ANN401 - as requests takes it
        """Return the ids of a list of jobs."""
        return [job["id"] for job in self.get("/v0.3/jobs", **query)["jobs"]]

    def workers(self, *, at_least: int = 0) -> list[psutil.Process]:
        """Return the worker processes of the server; a new server answers before it has all."""
        server = psutil.Process(self.pid)
        return until(
            lambda: [child for child in server.children() if is_alive(child)],
            lambda workers: len(workers) >= at_least,
        )

    @contextlib.contextmanager
    def frozen_workers(self) -> Iterator[None]:
        """Have no worker do anything, so that what is submitted stays where it is."""
        workers = self.workers(at_least=2)
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in workers:
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.send_signal(signal.SIGCONT)


def until(look: Callable[[], Value], is_enough: Callable[[Value], bool]) -> Value:
    """Look again and again until it is enough, and return what was seen last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_enough(value := look()):
        assert time.monotonic() < deadline, value
        time.sleep(0.01)
    return value


def is_alive(process: psutil.Process) -> bool:
    """A process that ended may stay as a zombie where nobody asks for its exit status."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
