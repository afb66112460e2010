"""The use cases of those who test an SDK, key by key: scenarios, faults and a journal."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ionbox.errors import InvalidInputError
from ionbox.service.journal import Journal
from ionbox.service.scenarios import Fault, Scenario, check_fault, check_scenario, take
from ionbox.service.stage import Stage

MAX_FAULTS = 1000


class Faults:
    """What is still to befall the requests of each key, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, tuple[Fault, ...]] = {}

    def add(self, key_id: str, fault: Fault) -> None:
        """Have a fault befall requests, after those that were asked for before.

        Raises:
            InvalidInputError: If it cannot be, or too many wait already.
        """
        check_fault(fault)
        with self._lock:
            waiting = self._faults.get(key_id, ())
            if len(waiting) >= MAX_FAULTS:
                raise InvalidInputError("", f"{MAX_FAULTS} faults wait already; no more do")
            self._faults[key_id] = (*waiting, fault)

    def of(self, key_id: str) -> tuple[Fault, ...]:
        """Return what is still to come."""
        return self._faults.get(key_id, ())

    def take(self, key_id: str, method: str, path: str) -> Fault | None:
        """Return what befalls a request, if something does; it is one time less then."""
        with self._lock:
            fault, self._faults[key_id] = take(self._faults.get(key_id, ()), method, path)
            return fault

    def clear(self, key_id: str) -> None:
        """Have nothing more befall a key's requests."""
        with self._lock:
            self._faults.pop(key_id, None)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What testers ask for, a room for each thing; what one key asks for touches no other."""

    stage: Stage
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)

    def play(self, key_id: str, scenario: Scenario) -> None:
        """Have the next jobs of a key end so.

        Raises:
            InvalidInputError: If the scenario cannot be.
        """
        check_scenario(scenario)
        self.stage.play(key_id, scenario)

    def reset(self, key_id: str) -> None:
        """Forget all that a key asked for and did; what is held for it runs as usual."""
        self.faults.clear(key_id)
        self.stage.clear(key_id)
        self.journal.clear(key_id)
