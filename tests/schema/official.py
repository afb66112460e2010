"""The official document of API v0.4, with what this server does otherwise laid over it.

The document is not in this repository: pip fetches the source archive of the official client,
which has it, and keeps it beside the environment. `python -m tests.schema.official PATH` writes
the outcome to a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import yaml
from tests.schema.overlay import applied

ROOT = Path(__file__).parents[2]
OVERLAY = ROOT / "tests" / "data" / "openapi-v04-overlay.yaml"
_REQUIREMENT = ROOT / "requirements-schema" / "document.txt"
_CACHE = ROOT / ".venv-schema" / "document"


def archive() -> Path:
    """Return the archive that holds the document; fetch it if it is not there."""
    if not any(_CACHE.glob("*.tar.gz")):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--no-binary=:all:", "--require-hashes", f"--requirement={_REQUIREMENT}",
             f"--dest={_CACHE}"],
            check=True,
        )  # fmt: skip
    return next(_CACHE.glob("*.tar.gz"))


def document() -> dict[str, Any]:
    """Return the official document with the overlay applied."""
    with tarfile.open(archive()) as files:
        name = next(name for name in files.getnames() if name.endswith("/openapi.json"))
        member = files.extractfile(name)
        assert member is not None
        return applied(json.load(member), yaml.safe_load(OVERLAY.read_text()))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(document()))
