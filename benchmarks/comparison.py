"""What comparisons with other engines share: their words, their progress, their results."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.process import PEERS_PYTHON
from benchmarks.service import RESULTS
from ionbox.machine import num_cores

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison.

    Args:
        name: Of its results, and of `make bench-<name>`.
        description: What `--help` says.
        circuits: The names of all circuits.
        qubits: Numbers of qubits; then those of a quick run.
        rounds: How often each engine is asked; then in a quick run.
    """

    name: str
    description: str
    circuits: tuple[str, ...]
    qubits: tuple[tuple[int, ...], tuple[int, ...]]
    rounds: tuple[int, int]

    def parse(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """Return the options; `is_full` where nothing was left out."""
        parser = argparse.ArgumentParser(
            description=self.description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument(
            "--quick", action="store_true", help=f"{self.qubits[1]} qubits, in two minutes"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
        parser.add_argument("--threads", type=int, default=num_cores())
        parser.add_argument(
            "--circuits", nargs="+", choices=self.circuits, default=list(self.circuits)
        )
        parser.add_argument("--qubits", nargs="+", type=int, help=f"default: {self.qubits[0]}")
        parser.add_argument("--rounds", type=int, help=f"default: {self.rounds[0]}")
        options = parser.parse_args(arguments)
        is_changed = options.quick or options.qubits or options.rounds
        options.is_full = not is_changed and len(options.circuits) == len(self.circuits)
        options.qubits = options.qubits or self.qubits[options.quick]
        options.rounds = options.rounds or self.rounds[options.quick]
        return options

    def main(
        self, run: Callable[[argparse.Namespace], Figures], table: Callable[[Figures], str]
    ) -> None:
        """Run it as the command line says, print what it found, and keep that of a full run."""
        options = self.parse()
        if not PEERS_PYTHON.exists():
            sys.exit(f"the other engines are not installed: 'make bench-{self.name}' does it")
        figures = run(options)
        whole = json.dumps(figures, indent=1)
        print(whole if options.json else table(figures))
        if options.is_full:
            (RESULTS / f"{self.name}.json").write_text(whole + "\n")
            (RESULTS / f"{self.name}.md").write_text(table(figures))


class Progress:
    """Says on stderr what has been done, and when."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, what: str) -> None:
        print(f"{time.monotonic() - self._start:6.0f} s  {what}", file=sys.stderr, flush=True)
