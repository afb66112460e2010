"""The named queries of `queries.sql`."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

import aiosql

QUERIES: Final[Any] = aiosql.from_str(
    (resources.files("ionbox.store") / "sql" / "queries.sql").read_text(),
    "sqlite3",
    mandatory_parameters=False,
)
