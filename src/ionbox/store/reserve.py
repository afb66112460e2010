"""Room that is set aside on the disk, so that a full one can be started on and jobs deleted.

SQLite writes what it deletes, too: first into its log, which on a full disk cannot grow. Even to
open a database it needs some room.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# More than the log holds before SQLite moves it into the database (1,000 pages of 4 KiB).
RESERVE_BYTES = 8 << 20
# Where there is not so much room, less of it is set aside, and this much is left to be used.
_SIZES = tuple(RESERVE_BYTES >> halvings for halvings in range(5))
_LEFT_BYTES = 256 << 10


class Reserve:
    """A file of zeros that is given up when its room is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Set the room aside, or as much as there is."""
        if _allocated_bytes(self._path) >= RESERVE_BYTES:
            return
        self.release()
        draft = self._path.with_name(f"{self._path.name}.draft")
        for size in _SIZES:
            try:
                _allocate(draft, size)
                draft.rename(self._path)
            except OSError:
                with contextlib.suppress(OSError):
                    draft.unlink(missing_ok=True)
            else:
                return

    def release(self) -> None:
        """Give the room up."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _allocated_bytes(path: Path) -> int:
    """Return how much room a file holds: one with holes holds less than its size."""
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0


def _allocate(path: Path, size: int) -> None:
    """Write a file that holds so much room, where there is some more."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size + _LEFT_BYTES)
        else:
            file.write(bytes(size + _LEFT_BYTES))
        file.truncate(size)
