"""`ionbox explain`: the plan of a file, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_cli import output_of, refusal_of, run
from tests.builders import BELL, IDEAL_ENGINE, rotations

from ionbox.engines.planner import ENGINES

QASM = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def explained(path: Path, *options: object) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(output_of("explain", path, "--json", *options))
    return plan


def by_engine(plan: dict[str, Any]) -> dict[str, Any]:
    return {answer["engine"]: answer for answer in plan["answers"]}


def test_the_table_marks_the_choice_and_tells_each_reason(tmp_path: Path) -> None:
    lines = output_of("explain", written(tmp_path / "bell.json", BELL)).splitlines()

    assert lines[0].startswith("2 qubits, 100 shots, noise model ideal, ")
    chosen = [line.split() for line in lines if line.startswith("*")]
    assert [line[1] for line in chosen] == [IDEAL_ENGINE]
    assert chosen[0][-2:] == ["all,", "exactly"]
    told = {line.split()[0] for line in lines[2:] if line and line[0] == " "}
    assert {"branches", "trajectories"} <= told
    assert any(line.endswith("programs that are not one circuit") for line in lines)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("input.json", BELL),
        ("v03.json", {"target": "simulator", "input": {"format": "ionq.circuit.v0", **BELL}}),
        ("cirq.json", {"target": "simulator", "body": BELL}),
        ("v04.json", {"type": "ionq.circuit.v1", "input": BELL}),
        ("text.json", {"type": "ionq.qasm3.v1", "input": {"data": QASM}}),
        ("mark.json", "\ufeff" + json.dumps({"type": "ionq.circuit.v1", "input": BELL})),
        ("mark.qasm", "\ufeff" + QASM),
        ("bell.qasm", QASM),
        ("bell.qasm3", QASM),
    ],
)
def test_a_file_is_read_whatever_its_shape(tmp_path: Path, name: str, content: object) -> None:
    plan = explained(written(tmp_path / name, content))

    assert plan["chosen"] == IDEAL_ENGINE
    assert [answer["engine"] for answer in plan["answers"]] == [each.name for each in ENGINES]


def test_options_stand_in_for_what_a_file_says(tmp_path: Path) -> None:
    turn = {"gate": "ry", "rotation": 0.3, "target": 0}
    body = {"input": {"qubits": 17, "circuit": [turn]}, "shots": 10}
    path = written(tmp_path / "job.json", body)

    noisy = explained(path, "--noise", "aria-1", "--shots", 1000)
    wide = explained(path, "--precision", "float32", "--threads", 1)
    sampled = explained(path, "--max-outcomes", 100)

    assert noisy["chosen"] == "trajectories"
    assert by_engine(noisy)["trajectories"]["estimate"]["is_exact"] is False
    assert "1000 shots, noise model aria-1" in output_of(
        "explain", path, "--noise", "aria-1", "--shots", 1000
    )
    estimate = by_engine(wide)[IDEAL_ENGINE]["estimate"]
    assert (estimate["precision"], estimate["threads"]) == ("float32", 1)
    assert by_engine(sampled)[IDEAL_ENGINE]["estimate"]["is_exact"] is False


def test_what_no_engine_takes_ends_with_the_reason(tmp_path: Path) -> None:
    path = written(tmp_path / "wide.json", rotations(20, 40))

    done = run("explain", path, "--memory", 0.001)

    assert done.returncode == 1
    assert "1.0 MiB are available" in done.stdout
    assert done.stderr.startswith("Error: no engine takes it: 20 qubits need ")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.json", "{", "Error: not JSON: "),
        ("deep.json", "[" * 100_000, "Error: nested too deeply"),
        ("b.json", {"input": {"qubits": 1, "circuit": [{"gate": "hop", "target": 0}]}}, "'hop'"),
        ("c.qasm", "OPENQASM 3; qubit q; hop q;", "hop"),
        ("d.json", {"input": {"circuits": [BELL]}}, "Error: circuits: many circuits"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, name: str, content: object, line: str
) -> None:
    assert line in refusal_of("explain", written(tmp_path / name, content))
