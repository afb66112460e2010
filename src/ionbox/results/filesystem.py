"""Outcomes as files in a directory of the server's own."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

_DRAFT = ".draft"


class FilesystemResults:
    """The port `ResultStore` on a directory.

    A worker writes and syncs a draft; `keep` renames it and syncs the directory; only then is
    the name recorded. So a recorded blob is whole, and what is not recorded is swept.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory

    def draft(self, job_id: str, attempt: int) -> Path:
        """Return the path at which a worker may write an outcome."""
        return self._directory / f"{job_id}-{attempt}{_DRAFT}"

    def keep(self, draft: Path) -> str:
        """Make a written draft durable under its final name, and return that name."""
        blob = draft.name.removesuffix(_DRAFT)
        draft.rename(self._directory / blob)
        self._sync_directory()
        return blob

    def discard(self, draft: Path) -> None:
        """Delete what a worker may have left at a draft's path."""
        draft.unlink(missing_ok=True)

    def open(self, blob: str) -> memoryview | None:
        """Return the bytes of a blob, mapped and not copied; None if it is gone."""
        try:
            with (self._directory / blob).open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError:
            return None

    def drop(self, blob: str) -> None:
        """Delete a blob; what is already gone is fine."""
        (self._directory / blob).unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> int:
        """Delete drafts, and blobs that are not known; return how many."""
        files = [path for path in self._directory.iterdir() if path.is_file()]
        stray = [path for path in files if path.name not in known]
        for path in stray:
            path.unlink()
        return len(stray)

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
