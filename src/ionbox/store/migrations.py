"""Brings a database to the newest schema by numbered `.sql` files.

Twenty lines of our own: alembic needs SQLAlchemy, yoyo keeps five tables of its own, and neither
copies the database first or refuses one that is newer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

from ionbox.errors import DataDirectoryError


def migrations() -> list[tuple[int, str]]:
    """Return the number and the text of every migration, in order."""
    folder = resources.files("ionbox.store") / "sql" / "migrations"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [(int(file.name[:4]), file.read_text()) for file in files if file.name[:4].isdigit()]


def migrate(path: Path, steps: Sequence[tuple[int, str]] | None = None) -> None:
    """Bring the database at a path to the newest schema; create it where there is none.

    A database that holds something is first copied beside itself.

    Args:
        steps: Instead of `migrations()`.

    Raises:
        DataDirectoryError: If a newer ionbox wrote it, or nobody's ionbox.
    """
    try:
        _migrate(path, steps or migrations())
    except sqlite3.Error as error:
        raise DataDirectoryError(f"{path} cannot be used: {error}") from error


def _migrate(path: Path, steps: Sequence[tuple[int, str]]) -> None:
    newest = steps[-1][0]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > newest:
            raise DataDirectoryError(
                f"{path} has schema {version}, written by a newer ionbox; this one knows {newest}"
            )
        if 0 < version < newest:
            _copy(database, path.with_name(f"{path.name}.schema-{version}"))
        for number, text in steps:
            if number > version:
                # One script, so that a failure leaves the old schema whole.
                database.executescript(
                    f"BEGIN IMMEDIATE; {text}; PRAGMA user_version = {number}; COMMIT;"
                )


def _copy(database: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
