"""The documents of the API against this server, by schemathesis in an environment of its own.

Names given on the command line limit the run: `python -m tests.schema.run official`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

from ionbox import LocalServer

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-schema"
REQUIREMENTS = ROOT / "requirements-schema" / "schemathesis.txt"
PYTHON = ENVIRONMENT / "bin" / "python"
OWN = ROOT / "tests" / "schema" / "tolerances.yaml"
VERSIONS = ("v0.3", "v0.4")
SCHEMATHESIS = (
    "-m", "schemathesis.cli", "--config-file=tests/schema/schemathesis.toml", "run",
)  # fmt: skip
FOLLOWED = re.compile(r"API Links: +(\d+) covered")
OVERLAY = ROOT / "tests" / "data" / "openapi-v04-overlay.yaml"


def prepare() -> None:
    """Install anew if the requirements changed."""
    wanted, installed = REQUIREMENTS.read_text(), ENVIRONMENT / "installed.txt"
    if installed.exists() and installed.read_text() == wanted:
        return
    print(f"Installing schemathesis into {ENVIRONMENT} ...", flush=True)
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"--requirement={REQUIREMENTS}"], check=True)
    installed.write_text(wanted)


def ask_own() -> bool:
    """Ask servers what our own documents promise."""
    return _asked(
        OWN, lambda server: [[f"{server.url}/{version}/api-docs"] for version in VERSIONS]
    )


def ask_official() -> bool:
    """Ask a server what the official document, with its overlay, promises."""
    path = ENVIRONMENT / "official.json"
    subprocess.run([PYTHON, "-m", "tests.schema.official", path], cwd=ROOT, check=True)
    return _asked(OVERLAY, lambda server: [[str(path), f"--url={server.url}/v0.4"]])


def check_answers() -> bool:
    """Hold the answers of a working day against the official document."""
    with LocalServer(workers=2, seed=1) as server:
        return _run(server, "-m", "tests.schema.answers")


CHECKS: Mapping[str, Callable[[], bool]] = {
    "own": ask_own,
    "official": ask_official,
    "answers": check_answers,
}


def _asked(tolerances: Path, questions: Callable[[LocalServer], list[list[str]]]) -> bool:
    """Run schemathesis, and tell of tolerances that nothing needed."""
    with tempfile.TemporaryDirectory() as directory, LocalServer(workers=2, seed=1) as server:
        used = Path(directory, "used")
        used.touch()
        rows = {"IONBOX_TOLERANCES": str(tolerances), "IONBOX_USED_TOLERANCES": str(used)}
        asked = [_ask(server, *each, **rows) for each in questions(server)]
        return all([*asked, _run(server, "-m", "tests.schema.tolerances", **rows)])


def _ask(server: LocalServer, *arguments: str, **variables: str) -> bool:
    """Run schemathesis; it must have walked along links, too, from answers to requests."""
    command, environment = [str(PYTHON), *SCHEMATHESIS, *arguments], _environment(server, variables)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    followed = FOLLOWED.search("".join(lines))
    num_links = int(followed[1]) if followed else 0
    print(f"stateful: {num_links or 'no'} links followed", flush=True)
    return process.returncode == 0 and num_links > 0


def _run(server: LocalServer, *arguments: str, **variables: str) -> bool:
    environment = _environment(server, variables)
    return (
        subprocess.run([PYTHON, *arguments], cwd=ROOT, env=environment, check=False).returncode == 0
    )


def _environment(server: LocalServer, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "IONQ" not in name}
    caller = {"IONBOX_URL": server.url, "IONBOX_AUTHORIZATION": f"apiKey {server.key}"}
    return kept | caller | dict(variables)


def main() -> int:
    """Run the named checks, or all of them."""
    prepare()
    failed = []
    for name in sys.argv[1:] or CHECKS:
        print(f"--- {name}", flush=True)
        if not CHECKS[name]():
            failed.append(name)
    print("failed:", ", ".join(failed) or "none")
    return min(len(failed), 1)


if __name__ == "__main__":
    sys.exit(main())
