"""Room that is set aside on the disk, so that jobs can be deleted on a full one.

SQLite writes what it deletes, too: first into its log, which on a full disk cannot grow.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# More than the log holds before SQLite moves it into the database (1,000 pages of 4 KiB).
RESERVE_BYTES = 8 << 20


class Reserve:
    """A file of zeros that is given up when its room is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Set the room aside, if there is so much."""
        if self._path.exists():
            return
        draft = self._path.with_name(f"{self._path.name}.draft")
        try:
            _allocate(draft)
            draft.rename(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the room up."""
        self._path.unlink(missing_ok=True)


def _allocate(path: Path) -> None:
    """Write a file that holds its room: one with holes would not."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        else:
            file.write(bytes(RESERVE_BYTES))
