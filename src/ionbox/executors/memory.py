"""How much memory this process takes, as the system counts it, and how much it may take."""

from __future__ import annotations

import os
import resource
import sys

_PAGE_BYTES = resource.getpagesize()
_RESIDENT, _DATA = 1, 5  # columns of /proc/self/statm
_FORGET_PEAK = b"5"  # what /proc/self/clear_refs wants to be told
_TEXT_BYTES = 4096  # more than either file has

# A run may take this much more than it was planned with, and so much beside: what the allocator
# keeps for later, libraries loaded on the way, the outcome as bytes.
RUN_SLACK = 1.25
RUN_ALLOWANCE_BYTES = 64 << 20
_STACK_BYTES = max(resource.getrlimit(resource.RLIMIT_STACK)[0], 8 << 20)


def run_limit_bytes(planned_bytes: int, threads: int) -> int:
    """Return what a run may take that was planned with so much; each thread has its stack."""
    return int(planned_bytes * RUN_SLACK) + RUN_ALLOWANCE_BYTES + threads * _STACK_BYTES


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
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        self._unlimited = most, most
        self._marked_bytes: int | None = None

    def mark(self, limit_bytes: int | None = None) -> None:
        """Have `peak_bytes` count from here, and limit how much more is taken, if to anything.

        It is the data that is limited, not the address space: that also counts what a library only
        sets aside, such as the 64 MiB for each thread of glibc's allocator. Memory beyond it is
        refused as soon as it is asked for, before anything is written to it.
        """
        if not self._is_linux:
            self._marked_bytes = _life_peak_bytes()
            return
        if self._forget is not None:
            os.write(self._forget, _FORGET_PEAK)
        columns = os.pread(self._counts, _TEXT_BYTES, 0).split()
        self._marked_bytes = int(columns[_RESIDENT]) * _PAGE_BYTES
        if limit_bytes is not None:
            self._limit(int(columns[_DATA]) * _PAGE_BYTES + limit_bytes)

    def _limit(self, most_bytes: int) -> None:
        _, most = self._unlimited
        if most == resource.RLIM_INFINITY or most_bytes < most:
            resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most))

    def unmark(self) -> None:
        """Have `peak_bytes` be 0 until the next mark."""
        self._marked_bytes = None

    def lift(self) -> None:
        """Take the limit away; needs no memory itself."""
        resource.setrlimit(resource.RLIMIT_DATA, self._unlimited)

    def peak_bytes(self) -> int:
        """Return the most that was taken beyond what there was at the mark; 0 without one."""
        marked_bytes = self._marked_bytes
        if marked_bytes is None:
            return 0
        most_bytes = self._status_bytes(b"VmHWM:") if self._is_linux else _life_peak_bytes()
        return max(most_bytes - marked_bytes, 0)

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
