from __future__ import annotations

import json

import pytest
from tests.builders import BELL

from ionbox.api.ignored import ignored_keys

GATE = {"gate": "h", "target": 0}
MANY = "ionq.multi-circuit.v1"


def ignored(version: str, **body: object) -> list[str]:
    return list(ignored_keys("POST", f"/v{version}/jobs", json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"input": BELL}, []),
        ({"input": BELL, "lang": "json"}, ["lang"]),
        ({"input": BELL | {"format": "ionq.circuit.v0"}}, ["input.format"]),
        ({"input": {"circuit": [GATE, GATE | {"label": "a"}]}}, ["input.circuit[1].label"]),
        ({"input": BELL, "noise": {"model": "ideal", "x": 1}}, ["noise.x"]),
        ({"input": BELL, "settings": {"any": {"thing": 1}}}, []),
        (
            {"type": MANY, "input": {"circuits": [{"circuit": [], "shots": 1}], "lang": "x"}},
            ["input.circuits[0].shots", "input.lang"],
        ),
        ({"type": "ionq.qasm3.v1", "input": {"data": "", "format": "qasm"}}, ["input.format"]),
        ({"type": "quantum-function", "input": {"data": {"any": 1}, "x": 2}}, ["input.x"]),
        ({"type": "unheard", "input": {"any": 1}}, []),
    ],
)
def test_keys_that_v04_does_not_read_are_named(body: dict[str, object], keys: list[str]) -> None:
    assert ignored("0.4", **{"type": "ionq.circuit.v1"} | body) == keys


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"input": BELL | {"format": "ionq.circuit.v0"}, "lang": "json"}, ["lang"]),
        ({"body": BELL | {"x": 1}}, ["body.x"]),
        ({"input": {"format": "qasm", "data": "", "x": 1}}, ["input.x"]),
        ({"input": {"circuits": [{"circuit": []}]}, "type": "a"}, ["type"]),
    ],
)
def test_keys_that_v03_does_not_read_are_named(body: dict[str, object], keys: list[str]) -> None:
    assert ignored("0.3", **body) == keys


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", "/v0.4/jobs", b"no JSON"),
        ("POST", "/v0.4/jobs", b'"\xff"'),
        ("POST", "/v0.4/jobs", b'{"x": 1}'),
        ("POST", "/v0.4/jobs", b"[" * 100_000),
        ("POST", "/v0.3/jobs", b'{"input": {"format": "unheard"}, "x": 1}'),
        ("GET", "/v0.4/jobs", b'{"x": 1}'),
        ("POST", "/elsewhere", b'{"x": 1}'),
    ],
)
def test_of_what_nobody_reads_no_key_is_named(method: str, path: str, data: bytes) -> None:
    assert ignored_keys(method, path, data) == ()


def test_the_keys_of_other_bodies_are_known_too() -> None:
    path = "/v0.4/jobs/00000000-0000-0000-0000-000000000000/clone"

    assert ignored_keys("POST", path, b'{"name": "a", "parent": "b"}') == ("parent",)
