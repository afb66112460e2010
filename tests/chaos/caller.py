"""A caller that outlives its server: it asks again until there is an answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 120.0
TIMEOUT_SECONDS = 30.0
ENDED = frozenset({"completed", "failed", "canceled"})
# Answers of a server that would rather be asked later.
_LATER = frozenset({429, 503})
_PAUSES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Answer:
    """What came back in the end.

    Args:
        num_lost: How many answers were lost before: their requests may have been carried out.
    """

    status: int
    body: bytes
    num_lost: int = 0

    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)


class Caller:
    """One thread's connection to a server that comes and goes."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask until there is an answer."""
        data = b"" if body is None else json.dumps(body).encode()
        deadline, num_lost = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                status, answer = self._once(method, path, data, headers)
                if status not in _LATER:
                    return Answer(status, answer, num_lost)
                reason = f"{status} {answer[:200]!r}"
            except ConnectionRefusedError as error:  # nothing was sent
                self.close()
                reason = repr(error)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                reason, num_lost = repr(error), num_lost + 1
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path} in {PATIENCE_SECONDS:.0f} s: {reason}")
            time.sleep(0.05)

    def job(self, job_id: str) -> Answer:
        return self.ask("GET", f"/v0.4/jobs/{job_id}", Prefer="wait=5")

    def ended(self, job_id: str, is_enough: Callable[[str], bool] = ENDED.__contains__) -> Answer:
        """Ask for a job until it has ended, or is gone."""
        deadline, turn = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            answer = self.job(job_id)
            if answer.status != 200 or is_enough(answer.json()["status"]):
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"job {job_id} is still {answer.json()['status']} "
                    f"after {PATIENCE_SECONDS:.0f} s"
                )
            # Where the server does not hold the request, it is asked often, then less often.
            time.sleep(_PAUSES[min(turn, len(_PAUSES) - 1)])
            turn += 1

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(
        self, method: str, path: str, data: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS
            )
            self._connection.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"apiKey {self._key}"
        self._connection.request(method, path, data, named)
        response = self._connection.getresponse()
        return response.status, response.read()
