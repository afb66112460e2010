"""What the code offers, the docs must name; what the docs link to must be there."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import ionbox
from ionbox import cli, errors
from ionbox.api.endpoints import Endpoint
from ionbox.api.extensions import backends, events, exact, keys, plans, testing, waits
from ionbox.api.v03 import routes, wire
from ionbox.api.v04 import routes as routes04
from ionbox.backends import backend, documents, noise_file
from ionbox.circuits.gates import GATES, GATESETS, Gate
from ionbox.config import Settings
from ionbox.errors import IonboxError
from ionbox.formats.inputs import INPUT_TYPES
from ionbox.formats.schemas import SCHEMAS
from ionbox.jobs.job import MULTI_CIRCUIT, FailureCode, JobStatus
from ionbox.service.submission import REFUSED_TYPES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

sys.path.insert(0, str(DOCS / "_ext"))
printed = importlib.import_module("printed")

PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)
PROSE = [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
PRINTED = re.compile(r"^```\{printed\} (\S+)\n```$", re.MULTILINE)
EXTENSIONS = (backends, events, exact, keys, plans, testing, waits)
FACES = {
    "reference/api-v03.md": routes.ENDPOINTS,
    "reference/api-v04.md": routes04.ENDPOINTS,
    "reference/http.md": tuple(
        endpoint for extension in EXTENSIONS for endpoint in extension.ENDPOINTS
    ),
}


def page(name: str) -> str:
    """Return a page as a reader sees it: with what the code prints."""
    text = (DOCS / name).read_text()
    return PRINTED.sub(lambda match: printed.PARTS[match[1]](), text)


def modules() -> Iterator[str]:
    """Yield all but `__main__`, whose import is the command line itself."""
    names = (module.name for module in pkgutil.walk_packages(ionbox.__path__, "ionbox."))
    return (name for name in names if not name.endswith("__main__"))


def all_errors(root: type[IonboxError] = IonboxError) -> Iterator[type[IonboxError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from all_errors(kind)


def test_every_printed_part_is_shown_on_a_page() -> None:
    shown = {name for path in PAGES for name in PRINTED.findall(path.read_text())}

    assert shown == set(printed.PARTS)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.gateset}-{gate.name}")
def test_every_gate_is_documented_with_its_names_and_parameters(gate: Gate) -> None:
    table = printed.gates(gate.gateset)

    words = [gate.name, *gate.aliases, *(p.name for p in gate.params)]
    assert all(f"`{word}`" in table for word in words)
    assert f"gates-{gate.gateset}" in (DOCS / "reference/gates.md").read_text()


def test_every_gateset_has_a_table() -> None:
    assert {f"gates-{gateset}" for gateset in GATESETS} <= set(printed.PARTS)


@pytest.mark.parametrize("setting", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_documented(setting: dataclasses.Field[object]) -> None:
    text = page("reference/settings.md")

    assert f"`--{setting.name.replace('_', '-')}`" in text
    assert f"`IONBOX_{setting.name.upper()}`" in text


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"Usage: ionbox {command}" in page("reference/cli.md")


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [(name, endpoint) for name, endpoints in FACES.items() for endpoint in endpoints],
    ids=lambda value: value if isinstance(value, str) else f"{value.method} {value.path}",
)
def test_every_route_is_documented(name: str, endpoint: Endpoint) -> None:
    text = page(name)

    assert f"`{endpoint.method} {endpoint.path}`" in text
    assert all(f"`{query.name}`" in text for query in endpoint.query)


@pytest.mark.parametrize("face", ["v03", "v04"])
def test_every_field_on_the_wire_is_documented(face: str) -> None:
    endpoints = FACES[f"reference/api-{face}.md"]
    text = page(f"reference/api-{face}.md")

    for body in printed.structs(endpoints):
        names = [field.encode_name for field in msgspec.structs.fields(body)]
        assert f"### {body.__name__}" in text
        assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reference/noise-models.md", noise_file._File),
        ("reference/backends.md", backend._BackendRow),
        ("reference/backends.md", documents._Page),
        ("reference/backends.md", documents.Additions),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_key_of_a_file_is_documented(name: str, kind: type[msgspec.Struct]) -> None:
    text = page(name)

    fields = [f for part in printed.structs_within([kind]) for f in msgspec.structs.fields(part)]
    keys = [field.encode_name for field in fields]
    assert len(keys) > 2
    assert [key for key in keys if not re.search(rf"[`.]{key}[`.]", text)] == []


def test_no_two_objects_of_a_face_share_a_name() -> None:
    for endpoints in FACES.values():
        kinds = printed.structs(endpoints)
        assert len({kind.__name__ for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("job_type", [*INPUT_TYPES, MULTI_CIRCUIT, *REFUSED_TYPES])
def test_every_type_of_job_is_documented(job_type: str) -> None:
    assert f"`{job_type}`" in page("reference/api-v04.md")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_format_is_documented(name: str) -> None:
    assert f"`{name}`" in page("reference/formats.md")


def test_every_error_is_documented() -> None:
    for module in modules():
        importlib.import_module(module)
    text = page("reference/errors.md")

    ours = [kind.__name__ for kind in all_errors() if kind.__module__.startswith("ionbox.")]
    assert [name for name in ours if name not in text] == []


def test_the_tree_of_errors_is_complete() -> None:
    own = [kind.__name__ for kind in all_errors() if kind.__module__ == errors.__name__]

    assert [name for name in own if name not in printed.error_tree()] == []


@pytest.mark.parametrize("status", JobStatus)
def test_every_status_is_documented(status: JobStatus) -> None:
    text = page("reference/http.md")

    assert f"`{status}`" in text
    assert f"`{wire.STATUS_TO_WIRE[status]}`" in text
    assert f">{status}<" in printed.lifecycle_picture()


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_code_is_documented(code: FailureCode) -> None:
    assert f"`{code}`" in page("reference/errors.md")


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())

    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", sorted(modules()))
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
