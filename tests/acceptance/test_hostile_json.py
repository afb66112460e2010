"""Any JSON, and what only looks like it, is a job or a 400 with IonQ's body: never a 500."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL
from tests.unit.formats.hostile import ATOMS, RAW_BYTES

from ionbox import LocalServer

FIELDS = {
    "input": ("%s",),
    "metadata": ('{"a":%s}',),
    "settings": ('{"a":%s}', '{%s:"a"}'),
    "name": ("%s",),
    "shots": ("%s",),
    "session_id": ("%s",),
}
INPUT = '{"qubits":1,"circuit":[]}'


def bodies() -> list[bytes]:
    """Return every atom in every field, and broken bytes."""
    texts = [
        f'{{"type":"ionq.circuit.v1","input":{INPUT},"{field}":{shape % atom}}}'
        for field, shapes in FIELDS.items()
        for shape in shapes
        for atom in ATOMS
    ]
    broken = [b'{"input":%b,"name":"a%bb"}' % (INPUT.encode(), raw) for raw in RAW_BYTES]
    return [text.encode("utf-8", "surrogatepass") for text in texts] + broken


@pytest.mark.parametrize("path", ["/v0.3/jobs", "/v0.4/jobs"])
def test_any_json_is_a_job_or_a_400(path: str, tmp_path: Path) -> None:
    with LocalServer(workers=2, data=tmp_path) as server:
        api = Api.of(server)
        answers = [api.call("POST", path, body) for body in bodies()]

        statuses = {answer.status_code for answer in answers}
        assert statuses == {400, 200 if path == "/v0.3/jobs" else 201}
        for answer in answers:
            if answer.status_code == 400:
                assert {"statusCode", "error", "message", "validation"} == set(answer.json())
        api.get("/v0.4/jobs", limit=100)
        api.get("/v0.3/jobs", limit=100)
        assert api.probabilities(BELL) == {"0": 0.5, "3": 0.5}
        assert "Traceback" not in Path(server._log.name).read_text()
