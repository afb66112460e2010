"""Settings that decide how jobs are computed, on a server that has them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.acceptance.client import Api
from tests.acceptance.test_plans import plan_of
from tests.builders import BELL, rotations

from ionbox import LocalServer


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with LocalServer(
        workers=2, precision="float32", max_outcomes=4, simulator_qubits=3, limits="ionq"
    ) as server:
        yield Api.of(server)


def test_every_job_is_computed_in_the_precision_that_was_set(api: Api) -> None:
    job_id = api.completed(BELL)["id"]

    assert plan_of(api, job_id)["chosen"]["precision"] == "float32"
    assert api.get(f"/v0.3/jobs/{job_id}/results") == {"0": 0.5, "3": 0.5}


def test_more_outcomes_than_were_set_are_sampled(api: Api) -> None:
    listed, sampled = (api.completed(rotations(n, n), shots=10) for n in (2, 3))

    assert "warning" not in listed
    assert sampled["warning"]["messages"] == [
        "sampled with 10 shots: 8 possible outcomes exceed the limit of 4"
    ]
    assert len(api.get(f"/v0.3/jobs/{sampled['id']}/results")) <= 8


def test_the_simulator_has_as_many_qubits_as_were_set(api: Api) -> None:
    simulators = [
        next(each for each in api.get(f"/{version}/backends") if each["backend"] == "simulator")
        for version in ("v0.3", "v0.4")
    ]

    assert [simulator["qubits"] for simulator in simulators] == [3, 3]
    failure = api.ended(api.submit(rotations(4, 4)))["failure"]
    assert failure["code"] == "NotEnoughQubits"
    assert "4 qubits on the simulator, which has 3" in failure["error"]
