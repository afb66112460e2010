"""Connections to the database. Those that read raise our errors, whatever is asked of them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ionbox.store.writer import store_error

C = TypeVar("C", bound=sqlite3.Connection)


class _Cursor(sqlite3.Cursor):
    def execute(self, *query: Any) -> _Cursor:  # noqa: ANN401 - what sqlite3 takes
        try:
            super().execute(*query)
        except sqlite3.Error as error:
            raise store_error(error) from error
        return self

    def fetchone(self) -> Any:  # noqa: ANN401 - as in sqlite3
        try:
            return super().fetchone()
        except sqlite3.Error as error:
            raise store_error(error) from error

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.Error as error:
            raise store_error(error) from error

    def __next__(self) -> Any:  # noqa: ANN401 - as in sqlite3
        try:
            return super().__next__()
        except sqlite3.Error as error:
            raise store_error(error) from error


class Reader(sqlite3.Connection):
    """A connection whose queries raise `StoreError`; all of them go through its cursors."""

    def cursor(self) -> Any:  # type: ignore[override]  # noqa: ANN401 - as in sqlite3
        """Return a cursor."""
        try:
            return super().cursor(_Cursor)
        except sqlite3.Error as error:
            raise store_error(error) from error

    def execute(self, *query: Any) -> _Cursor:  # noqa: ANN401 - what sqlite3 takes
        """Return a cursor that was sent a query."""
        cursor: _Cursor = self.cursor().execute(*query)
        return cursor

    def first(self, query: str, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as in sqlite3
        """Return the first row that a query finds, with as few calls as can be."""
        try:
            return super().execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise store_error(error) from error


def open_reader(path: Path) -> Reader:
    """Return a connection to read from.

    Raises:
        StoreError: If there can be none, for want of file descriptors for example.
    """
    try:
        return connect(path, Reader)
    except sqlite3.Error as error:
        raise store_error(error) from error


def connect(path: Path, kind: type[C]) -> C:
    """Return a connection that is durable at every commit, and waits its turn."""
    # Connections are closed by another thread than the one that uses them.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=kind)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 10000")
    except Exception:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def snapshot(reader: Reader) -> Iterator[None]:
    """Have all queries meanwhile see the database as it was at the first of them."""
    reader.execute("BEGIN")
    try:
        yield
    finally:
        if reader.in_transaction:  # there are errors after which SQLite has ended it already
            reader.execute("ROLLBACK")  # of nothing: it was only read
