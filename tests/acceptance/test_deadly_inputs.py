"""An input that ends the process which reads it is one failed job, and nobody else's trouble."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

from ionbox import LocalServer


def test_an_input_that_ends_its_reader_is_one_failed_job(tmp_path: Path) -> None:
    pytest.importorskip("pyqir", reason="QIR is not tested: pip install 'ionbox[qir]'")
    from tests.unit.formats.flipped_bits import (  # noqa: PLC0415 - it needs pyqir
        DEADLY_BIT,
        bitcode,
        text_with_flipped,
    )

    deadly = {"data": text_with_flipped(bitcode(), DEADLY_BIT)}
    openqasm = {"data": "OPENQASM 3; qubit[2] q; h q[0]; cx q[0], q[1];"}
    with LocalServer(workers=2, data=tmp_path) as server:
        api = Api.of(server)
        hostile = api.create(deadly, type="ionq.qir.v1")
        others = [api.submit(BELL) for _ in range(20)]
        others += [api.create(openqasm, type="ionq.qasm3.v1") for _ in range(5)]

        failure = api.finished(hostile)["failure"]

        assert failure["code"] == "PreflightError"
        assert failure["message"].startswith("given up after 3 attempts; the last one: the worker")
        assert [api.ended(job_id)["status"] for job_id in others] == ["completed"] * 25
        assert api.created({"data": text_with_flipped(bitcode())}, type="ionq.qir.v1")[
            "status"
        ] == ("completed")
        log = Path(server._log.name).read_text()
        assert log.count(hostile) == 3
        assert "Traceback" not in log
