from __future__ import annotations

import importlib
import importlib.machinery
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from ionbox import _kernel

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]


def copy_of_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str]
) -> ModuleType:
    """Import a copy of the package that has these files in place of its extension."""
    package = tmp_path / f"kernel_of_{tmp_path.name}"
    package.mkdir()
    assert _kernel.__file__ is not None
    (package / "__init__.py").write_text(Path(_kernel.__file__).read_text())
    for name, text in files.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module(package.name)


def test_there_is_a_kernel_or_a_reason_why_not() -> None:
    assert (_kernel.kernel is None) == bool(_kernel.why_not)


def test_a_kernel_that_was_not_built_is_told_with_the_reason_of_the_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IONBOX_KERNEL", raising=False)

    package = copy_of_package(tmp_path, monkeypatch, {"not-built.txt": "no compiler\n"})

    assert package.kernel is None
    assert package.why_not == "it was not built: no compiler"


def test_a_kernel_that_cannot_be_loaded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IONBOX_KERNEL", raising=False)

    package = copy_of_package(tmp_path, monkeypatch, {f"statevector{SUFFIX}": "no machine code"})

    assert package.kernel is None
    assert package.why_not.startswith("it cannot be loaded: ")


def test_a_kernel_that_is_switched_off_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IONBOX_KERNEL", "0")

    package = copy_of_package(tmp_path, monkeypatch, {})

    assert package.kernel is None
    assert package.why_not == "the environment says IONBOX_KERNEL=0"
