"""How much memory this process takes, as the system counts it."""

from __future__ import annotations

import os
import resource
import sys

_PAGE_BYTES = resource.getpagesize()
_RESIDENT = 1  # the column of /proc/self/statm
_FORGET_PEAK = b"5"  # what /proc/self/clear_refs wants to be told
_TEXT_BYTES = 4096  # more than either file has


class Memory:
    """The memory of this process: what it has, and the most it had since it was last marked.

    Elsewhere than on Linux the peak is that of the whole life of the process.
    """

    def __init__(self) -> None:
        self._is_linux = sys.platform == "linux"
        if self._is_linux:
            # Kept open: a short task cannot afford to look for files.
            self._counts = os.open("/proc/self/statm", os.O_RDONLY)
            self._status = os.open("/proc/self/status", os.O_RDONLY)
            self._forget = _opened_to_forget()
        self._marked_bytes = 0
        self.mark()

    def mark(self) -> None:
        """Have `peak_bytes` count from here."""
        if self._is_linux:
            if self._forget is not None:
                os.write(self._forget, _FORGET_PEAK)
            self._marked_bytes = self._pages(_RESIDENT) * _PAGE_BYTES
        else:
            self._marked_bytes = _life_peak_bytes()

    def peak_bytes(self) -> int:
        """Return the most that was taken beyond what there was at the mark."""
        most_bytes = self._status_bytes(b"VmHWM:") if self._is_linux else _life_peak_bytes()
        return max(most_bytes - self._marked_bytes, 0)

    def _pages(self, column: int) -> int:
        return int(os.pread(self._counts, _TEXT_BYTES, 0).split()[column])

    def _status_bytes(self, row: bytes) -> int:
        # Where the system does not forget a peak, what there is now says less, and nothing wrong.
        row = row if self._forget is not None else b"VmRSS:"
        _, _, rest = os.pread(self._status, _TEXT_BYTES, 0).partition(row)
        return int(rest.split(maxsplit=1)[0]) * 1024 if rest else 0


def _opened_to_forget() -> int | None:
    try:
        return os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:  # a sandbox that does not have it
        return None


def _life_peak_bytes() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
