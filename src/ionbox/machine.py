"""What this machine has for us: a processor, cores and memory, within a container's limits."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

# Of the memory that is available, what jobs may take; the rest is the user's.
_MEMORY_SHARE = 0.8
# Where Linux shows a container its own limits (control groups, version 2).
_LIMITS = Path("/sys/fs/cgroup")


def cpu_model() -> str:
    """Return what the processor is called, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


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


def memory_for_jobs() -> int:
    """Return how much memory, in bytes, jobs may take together."""
    return int(available_memory_bytes() * _MEMORY_SHARE)


def _limit(name: str) -> str:
    try:
        return (_LIMITS / name).read_text().strip()
    except OSError:
        return ""
