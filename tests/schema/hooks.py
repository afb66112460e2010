"""What schemathesis may find and we mean: each tolerance is a row with its reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import schemathesis
from tests.schema.tolerances import read_tolerances

_PATH = Path(os.environ["IONBOX_TOLERANCES"])
_USED = Path(os.environ["IONBOX_USED_TOLERANCES"])
_ROWS = read_tolerances(_PATH)


@schemathesis.hook  # type: ignore[untyped-decorator]
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ANN401
    """Keep a failure that no row tolerates; note the row of one that is tolerated."""
    label, text = f"{case.method} {case.path}", f"{failure.message} {response.text}"
    for row in _ROWS:
        if any(row.covers(check, label, text) for check in failure.checks):
            with _USED.open("a") as used:
                print(row.number, file=used)
            return False
    return True
