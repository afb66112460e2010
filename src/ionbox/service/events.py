"""What becomes of jobs, as it happens: who follows is rung for, and reads what is new.

Nothing is handed over but a ring: what happened stands in the store, so a follower that is slow, or
was away, misses nothing. Progress is not stored; of each job the last word counts.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ionbox.jobs.lifecycle import TERMINAL
from ionbox.service.ports import DELETED, Event, Store

# A follower that has more to catch up with reads as many ids at a time.
PAGE = 500
_ENDS = frozenset({*map(str, TERMINAL), DELETED})

Ring = Callable[[], None]
# Is told the id of a job that has ended or was deleted.
Farewell = Callable[[str], None]
Member = TypeVar("Member")


class Progress(NamedTuple):
    """How much of a running job is done, from 0 to 1, after how many seconds."""

    job_id: str
    fraction: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class News:
    """What a follower reads.

    Args:
        at: The id of the newest event that was looked at; where to go on.
        is_gap: Whether some of what was asked for is no longer kept, or never was. Whoever reads
            this has to look at the jobs themselves, and goes on from there.
        is_all: Whether there was nothing more when it was read.
    """

    events: list[Event]
    at: int
    is_gap: bool
    is_all: bool


class Follower:
    """One that follows the jobs of a project.

    Args:
        ring: Called from any thread when there may be something new; it must be quick.
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self._lock = threading.Lock()
        self._progress: dict[str, Progress] = {}

    def hear(self, progress: Progress) -> None:
        """Be told of a job's progress."""
        with self._lock:
            self._progress[progress.job_id] = progress
        self.ring()

    def progress(self) -> list[Progress]:
        """Return what was told of progress since the last time."""
        with self._lock:
            told, self._progress = self._progress, {}
        return list(told.values())


class Events:
    """Who follows which project, and who awaits the end of which job.

    Every method may be called from any thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()  # of what follows
        self._followers: dict[str, set[Follower]] = defaultdict(set)
        self._waiting: dict[str, set[Ring]] = defaultdict(set)
        self._farewells: list[Farewell] = []
        self._is_listening = False
        self.is_closed = False

    @contextlib.contextmanager
    def following(self, project_id: str, ring: Ring) -> Iterator[Follower]:
        """Have it rung whenever there is news of a project, or none will come any more."""
        follower = Follower(ring)
        with self._kept(self._followers, project_id, follower):
            yield follower

    @contextlib.contextmanager
    def awaiting(self, job_id: str, ring: Ring) -> Iterator[None]:
        """Have it rung when a job ends or is deleted, or the server stops."""
        with self._kept(self._waiting, job_id, ring):
            yield

    def tell_ends(self, told: Farewell) -> None:
        """Have every job told, from now on, that has ended or was deleted; it must be quick."""
        with self._lock:
            self._listen()
            self._farewells.append(told)

    def newest(self) -> int:
        """Return the id of the newest event."""
        return self._store.event_ids().stop - 1

    def news(self, project_id: str, after: int) -> News:
        """Return a page of what became of a project's jobs after an event."""
        page = self._store.events(project_id, range(after + 1, after + 1 + PAGE))
        newest = page.kept.stop - 1
        if not page.kept.start - 1 <= after <= newest:
            return News([], newest, is_gap=True, is_all=True)
        at = min(after + PAGE, newest)
        return News(page.events, at, is_gap=False, is_all=at == newest)

    def progress(
        self, project_id: str, job_id: str, fraction: float, seconds: float | None = None
    ) -> None:
        """Tell the followers of a project how much of a running job is done.

        Args:
            seconds: How long it has run.
        """
        with self._lock:
            for follower in self._followers.get(project_id, ()):
                follower.hear(Progress(job_id, fraction, seconds))

    def close(self) -> None:
        """Ring for everybody, for the last time: the server stops."""
        self.is_closed = True
        with self._lock:
            followers = [one.ring for group in self._followers.values() for one in group]
            waiting = [ring for group in self._waiting.values() for ring in group]
        for ring in (*followers, *waiting):
            ring()

    @contextlib.contextmanager
    def _kept(self, groups: dict[str, set[Member]], key: str, member: Member) -> Iterator[None]:
        """Keep a member of a group."""
        with self._lock:
            self._listen()
            groups[key].add(member)
        try:
            yield
        finally:
            with self._lock:
                groups[key].discard(member)
                if not groups[key]:
                    del groups[key]

    def _listen(self) -> None:
        """Have the store tell us, which it does not before somebody is told; under the lock."""
        if not self._is_listening:
            self._store.listen(self._hear)
            self._is_listening = True

    def _hear(self, events: Sequence[Event]) -> None:
        """Ring for those whom new events concern."""
        ended = [event.job_id for event in events if event.status in _ENDS]
        with self._lock:
            rings = {
                follower.ring
                for project_id in {event.project_id for event in events}
                for follower in self._followers.get(project_id, ())
            }
            for job_id in ended:
                rings |= self._waiting.get(job_id, set())
        for ring in rings:
            ring()
        for told in self._farewells:
            for job_id in ended:
                told(job_id)
