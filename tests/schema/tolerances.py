"""Tolerances: failures of a check that are meant, read from the `x-tolerances` of a YAML file.

`python -m tests.schema.tolerances` tells of those that no check needed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Tolerance:
    """One row.

    Args:
        number: Its place in the file, from 0.
        checks: Names of schemathesis's checks.
        operations: Pattern of a method and a path, such as `GET /jobs.*`.
        says: Pattern that is somewhere in the failure's message or the answer's body.
        why: The reason.
        is_seldom: Whether it depends on what is drawn if a run needs it at all.
    """

    number: int
    checks: Sequence[str]
    operations: str
    says: str
    why: str
    is_seldom: bool

    def covers(self, check: str, operation: str, text: str) -> bool:
        """Return whether a check may fail with this message and answer."""
        return bool(
            check in self.checks
            and re.fullmatch(self.operations, operation)
            and re.search(self.says, text)
        )


def read_tolerances(path: Path) -> list[Tolerance]:
    """Return the rows of a file."""
    rows = yaml.safe_load(path.read_text())["x-tolerances"]
    return [
        Tolerance(
            number,
            row["checks"],
            row["operations"],
            row["says"],
            row["why"],
            row.get("seldom", False),
        )
        for number, row in enumerate(rows)
    ]


def main() -> int:
    """Print the tolerances that are no longer needed."""
    used = set(Path(os.environ["IONBOX_USED_TOLERANCES"]).read_text().split())
    rows = read_tolerances(Path(os.environ["IONBOX_TOLERANCES"]))
    needless = [row for row in rows if not row.is_seldom and str(row.number) not in used]
    for row in needless:
        print(f"needless: {', '.join(row.checks)} of {row.operations}: {row.why}")
    return min(len(needless), 1)


if __name__ == "__main__":
    sys.exit(main())
