"""The one thread that writes to SQLite, many steps to a commit."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from ionbox.errors import StoreError, StoreFullError
from ionbox.store.reserve import Reserve

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], Any]

# One commit costs one fsync; this many steps share it at most.
MAX_BATCH = 64


class _Queued(NamedTuple):
    """A step that is to be written, and who waits for it."""

    step: Step
    future: Future[Any]
    frees_room: bool


class Writer:
    """Runs steps in the order of their submission, many in a transaction.

    A step that raises is undone alone, and its caller gets the error. A commit that fails fails
    every step of its batch. A step may be run twice, so it must do nothing but write.

    Args:
        reserve: Room for steps that free some, on a full disk.
        written: Called after every batch, once its futures are resolved.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        reserve: Reserve,
        written: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._database = database
        self._reserve = reserve
        self._written = written
        self._steps: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(
        self, step: Callable[[sqlite3.Connection], T], *, frees_room: bool = False
    ) -> Future[T]:
        """Queue a step; the future is resolved once it is durable.

        Args:
            frees_room: Whether it may have what is set aside, if there is no other room.
        """
        future: Future[T] = Future()
        # From here on it cannot be canceled: a client that hangs up does not undo its request.
        future.set_running_or_notify_cancel()
        self._steps.put(_Queued(step, future, frees_room))
        return future

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        self._steps.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._write(batch)

    def _next_batch(self) -> list[_Queued]:
        """Wait for a step, then take what else is there; empty at the end."""
        first = self._steps.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < MAX_BATCH and not self._steps.empty():
            following = self._steps.get()
            if following is None:
                self._steps.put(None)
                break
            batch.append(following)
        return batch

    def _write(self, batch: list[_Queued]) -> None:
        steps = [each.step for each in batch]
        try:
            outcomes = self._commit(steps, self._plainly)
        except Exception:  # noqa: BLE001 - whose it is, the savepoints tell
            outcomes = self._commit_each(steps)
        for each, outcome in zip(batch, outcomes, strict=True):
            if each.frees_room and isinstance(outcome, StoreFullError):
                outcome = self._free_room(each.step)  # noqa: PLW2901
            if isinstance(outcome, Exception):
                each.future.set_exception(outcome)
            else:
                each.future.set_result(outcome)
        self._written(self._database)

    def _free_room(self, step: Step) -> Any:  # noqa: ANN401 - whatever the step returns
        """Run a step in the room that is set aside for it, and set that aside again."""
        self._reserve.release()
        (outcome,) = self._commit_each([step])
        with contextlib.suppress(sqlite3.Error):  # the log stays as long as it is
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._reserve.keep()
        return outcome

    def _commit_each(self, steps: list[Step]) -> list[Any]:
        try:
            return self._commit(steps, self._in_savepoint)
        except sqlite3.Error as error:
            return [store_error(error)] * len(steps)

    def _commit(self, steps: list[Step], run: Callable[[Step], Any]) -> list[Any]:
        """Run steps in one transaction; an error undoes it."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            outcomes = [run(step) for step in steps]
            self._database.execute("COMMIT")
        except Exception:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        return outcomes

    def _plainly(self, step: Step) -> Any:  # noqa: ANN401 - whatever the step returns
        """Run one step without the two statements of a savepoint: nearly none ever fails."""
        return step(self._database)

    def _in_savepoint(self, step: Step) -> Any:  # noqa: ANN401 - whatever the step returns
        """Run one step; an error is returned, not raised, with the step undone."""
        self._database.execute("SAVEPOINT step")
        try:
            outcome = step(self._database)
        except Exception as error:
            if not self._database.in_transaction:  # SQLite itself gave the whole batch up
                raise
            self._database.execute("ROLLBACK TO step")
            outcome = store_error(error) if isinstance(error, sqlite3.Error) else error
        self._database.execute("RELEASE step")
        return outcome


def store_error(error: sqlite3.Error) -> StoreError:
    """Return SQLite's error as ours."""
    # Of what the library finds wrong itself, such as a closed connection, there is no code.
    is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return (StoreFullError if is_full else StoreError)(str(error))
