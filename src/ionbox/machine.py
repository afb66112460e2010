"""What this machine has for us: cores and memory, within the limits of a container."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

# Where Linux shows a container its own limits (control groups, version 2).
_LIMITS = Path("/sys/fs/cgroup")


def num_cores() -> int:
    """Return how many cores this process may use."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota, _, period = _limit("cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal():
        allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def available_memory_bytes() -> int:
    """Return how much memory can be taken without swapping."""
    available: int = psutil.virtual_memory().available
    most, used = _limit("memory.max"), _limit("memory.current")
    if most.isdecimal() and used.isdecimal():
        available = min(available, max(0, int(most) - int(used)))
    return available


def _limit(name: str) -> str:
    try:
        return (_LIMITS / name).read_text().strip()
    except OSError:
        return ""
