"""Runs the checks of one client, in that client's own environment: nothing but Python is needed.

A check is a function `check_*`, and fails by raising. It prints one line a check. Those of a client
are in one file, or in several whose names begin alike.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

PASSED, FAILED = _WORDS = "passed", "FAILED"
URL, KEY = os.environ.get("IONBOX_URL", ""), os.environ.get("IONQ_API_KEY", "")
API = os.environ.get("IONQ_API_URL", "").rpartition("/")[2]  # "v0.3" or "v0.4"
# cirq-ionq writes U+001E and U+001F; the rest is what JSON likes to change.
METADATA = {"key": "a\x1f0,1\x1eb\x1f2", "text": 'é 漢 🜁 \\ " / \t', "long": "AbC+/=" * 60}
TOLERANCE = 1e-6
# Turned about each other, they entangle so much that no engine takes them among 60 qubits.
PAIRS = list(combinations(range(30), 2))
DEVICES = ("qpu.harmony", "qpu.aria-1", "qpu.aria-2", "qpu.forte-1", "qpu.forte-enterprise-1")
# The noisiest device keeps more of a CNOT and three measurements, by more than eight standard
# deviations of a thousand shots; the best one gets some wrong in all runs but one of 10^8.
SHOTS, LEAST_RIGHT = 1_000, 0.85


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    words: str
    is_passed: bool


def outcome_of(line: str) -> Outcome | None:
    """Read a line of the output; None if it is of something else."""
    word, _, rest = line.partition(" ")
    return Outcome(rest.rpartition(" (")[0] or rest, word == PASSED) if word in _WORDS else None


def only(api: str) -> Callable[[Callable[[], None]], Callable[[], None] | None]:
    """Leave a check out where the client speaks another version of the API."""
    return lambda check: check if api == API else None


def same(got: Mapping[int, float], expected: Mapping[int, float]) -> None:
    """Fail if two maps from basis state to probability differ."""
    for state in got.keys() | expected.keys():
        difference = abs(got.get(state, 0.0) - expected.get(state, 0.0))
        assert difference <= TOLERANCE, f"{difference:.3g} at {state}: {got} != {expected}"


def mostly(counts: Mapping[Any, int], *outcomes: object, shots: int = SHOTS) -> None:
    """Fail unless these are all shots, and nearly all have one of these outcomes, each as likely.

    Devices err: not all shots have.
    """
    right = [counts.get(outcome, 0) / shots for outcome in outcomes]
    assert sum(counts.values()) == shots, f"{sum(counts.values())} of {shots} shots"
    assert LEAST_RIGHT < sum(right) < 1, f"{outcomes} in {counts}"
    # More than eight standard deviations of one of two.
    assert min(right) > 0.75 * LEAST_RIGHT / len(outcomes), f"{outcomes} in {counts}"


def raises(
    kind: type[Exception],
    call: Callable[..., object],
    *args: object,
    saying: str = "",
    **more: object,
) -> None:
    """Fail unless the call raises this kind of error, with these words in it."""
    try:
        call(*args, **more)
    except kind as error:
        assert saying in str(error), f"{error!r} does not say {saying!r}"
        return
    raise AssertionError(f"no {kind.__name__}")


def run(client: str) -> int:
    """Run every check of a client; return how many failed."""
    files = sorted(Path(__file__).parent.glob(f"check_{client}*.py"))
    modules = [import_module(f"tests.clients.{file.stem}") for file in files]
    checks = [
        (name, f)
        for module in modules
        for name, f in vars(module).items()
        if f and name.startswith("check_")
    ]
    return sum(not _passes(name[6:].replace("_", " "), f) for name, f in checks)


def _passes(words: str, check: Callable[[], None]) -> bool:
    start, outcome = time.perf_counter(), FAILED
    try:
        check()
        outcome = PASSED
    except Exception:  # noqa: BLE001 - whatever a client raises is that check's failure
        traceback.print_exc(limit=-3, file=sys.stdout)
    print(f"{outcome} {words} ({time.perf_counter() - start:.1f} s)", flush=True)
    return outcome == PASSED


if __name__ == "__main__":
    sys.exit(min(run(sys.argv[1]), 1))
