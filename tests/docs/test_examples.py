"""The examples run: in the README, the tutorial, the guides, the notebook and the shell script.

In the pages, blocks marked `python` or `sh` run in order, in one namespace or one shell a page; a
`text` block right after one is its output, with `...` for what varies. Run as a script, this file
renews the outputs that the notebook is stored with.
"""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ionbox

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/tutorial").glob("*.md")),
    *sorted((ROOT / "docs/howto").glob("*.md")),
]
NOTEBOOK = ROOT / "examples/direct_api.ipynb"
SCRIPT = ROOT / "examples/direct_api.sh"
DOCUMENTED_URL = "http://127.0.0.1:8000"

BLOCK = re.compile(
    r"^```(?P<language>python|sh)\n(?P<source>.*?)^```\n(?:```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
MARK = "--- end of block ---"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Block(NamedTuple):
    source: str
    output: str | None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ionbox.LocalServer]:
    """Run a server, in an environment and a directory as a reader's."""
    with ionbox.LocalServer(seed=1) as running:
        monkeypatch.setenv("IONQ_API_KEY", running.key)
        monkeypatch.setenv("IONBOX_URL", running.url)
        monkeypatch.setenv("IONBOX_DATA", str(running.data))
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        monkeypatch.chdir(tmp_path)  # for the files that examples write
        yield running


def blocks(page: Path, language: str, url: str) -> list[Block]:
    text = page.read_text().replace(DOCUMENTED_URL, url)
    return [
        Block(match["source"], match["output"])
        for match in BLOCK.finditer(text)
        if match["language"] == language
    ]


def with_blocks(language: str) -> list[Any]:
    pages = [page for page in PAGES if blocks(page, language, "")]
    return [pytest.param(page, id=page.name) for page in pages]


def compare(block: Block, output: str) -> None:
    if block.output is not None:
        same = doctest.OutputChecker().check_output(block.output, output, doctest.ELLIPSIS)
        assert same, f"{block.source}\nprinted\n{output}\nand not\n{block.output}"


@pytest.mark.parametrize("page", with_blocks("python"))
def test_the_python_examples_of_a_page_run(page: Path, server: ionbox.LocalServer) -> None:
    namespace: dict[str, object] = {"__name__": page.stem}
    for block in blocks(page, "python", server.url):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.source, str(page), "exec"), namespace)  # noqa: S102 - our own docs
        compare(block, printed.getvalue())


@needs_curl
@pytest.mark.parametrize("page", with_blocks("sh"))
def test_the_shell_examples_of_a_page_run(page: Path, server: ionbox.LocalServer) -> None:
    given = blocks(page, "sh", server.url)
    script = "".join(f"{block.source}\nprintf '\\n{MARK}\\n'\n" for block in given)

    run = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    outputs = run.stdout.split(f"\n{MARK}\n")[:-1]
    for block, output in zip(given, outputs, strict=True):
        compare(block, f"{output.strip()}\n")


def test_the_readme_shows_what_the_demo_prints() -> None:
    demo = [sys.executable, "-m", "ionbox", "demo"]
    output = subprocess.run(demo, capture_output=True, text=True, check=True).stdout

    assert without_accidents(output) in without_accidents((ROOT / "README.md").read_text())


def without_accidents(text: str) -> str:
    """Replace what differs from run to run: ports and ids."""
    return re.sub(r"[0-9a-f-]{36}", "ID", re.sub(r"127\.0\.0\.1:\d{5}", "URL", text))


@needs_curl
@pytest.mark.usefixtures("server")
def test_the_shell_script_prints_the_bell_pair() -> None:
    run = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == '{"0":0.5,"3":0.5}'


@needs_curl
def test_the_shell_script_says_what_is_wrong(
    server: ionbox.LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IONQ_API_KEY", "wrong")

    run = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert f"This is ionbox at {server.url}" in run.stderr


# jupyter_client and zmq leave sockets and event loops to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("server")
def test_the_notebook_runs_and_draws() -> None:
    outputs = notebook_outputs(execute_notebook())

    assert "{'0': 0.5, '3': 0.5}\n" in outputs["text"]
    assert len(outputs["png"]) == 1


def test_the_stored_notebook_shows_its_outputs() -> None:
    outputs = notebook_outputs(read_notebook())

    assert "{'0': 0.5, '3': 0.5}\n" in outputs["text"]
    assert len(outputs["png"]) == 1
    assert str(ROOT) not in NOTEBOOK.read_text()


def read_notebook() -> Any:  # noqa: ANN401 - a tree of nbformat's own
    return importlib.import_module("nbformat").read(NOTEBOOK, as_version=4)


def execute_notebook() -> Any:  # noqa: ANN401 - as above
    notebook = read_notebook()
    client = importlib.import_module("nbclient").NotebookClient
    asyncio.run(client(notebook, timeout=60, record_timing=False).async_execute())
    return notebook


def notebook_outputs(notebook: Any) -> dict[str, list[str]]:  # noqa: ANN401 - as above
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return {
        "text": [output["text"] for output in outputs if "text" in output],
        "png": [data["image/png"] for o in outputs if "image/png" in (data := o.get("data", {}))],
    }


def renew_notebook() -> None:
    """Run the notebook against a server of its own and store it with its outputs."""
    with ionbox.LocalServer(seed=1) as running:
        os.environ |= {"IONQ_API_KEY": running.key, "IONBOX_URL": running.url}
        notebook = execute_notebook()
    importlib.import_module("nbformat").write(notebook, NOTEBOOK)


if __name__ == "__main__":
    renew_notebook()
