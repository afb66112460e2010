"""Results of variants at both faces; what such a job would store is put there by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

from ionbox import LocalServer
from ionbox.assembly import DATABASE
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.formats.results import Sampled, Shots, encode
from ionbox.jobs.output import variant_id

NOISY: dict[str, Any] = {"noise": {"model": "aria-1", "seed": 7}, "shots": 100}
NUM_VARIANTS = 10
# Of each variant: seven shots in state 3, three in state 0.
STATES = [3, 3, 0, 3, 3, 0, 3, 3, 0, 3]
AVERAGE = {"0": 0.3, "3": 0.7}
ALL_WORDS = "average, voting, dnl, majority"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "data"


@pytest.fixture(scope="module")
def api(data: Path) -> Iterator[Api]:
    with LocalServer(data=data, workers=2) as server:
        yield Api.of(server)


def store(data: Path, job_id: str, result: Sampled) -> None:
    with sqlite3.connect(data / DATABASE, timeout=30) as database:
        changed = database.execute(
            "UPDATE job_results SET inline = ?, blob = NULL WHERE job_id = ?",
            (encode(result), job_id),
        )
        assert changed.rowcount == 1


def varied() -> Sampled:
    rows = np.array(STATES * NUM_VARIANTS, np.uint8)[:, np.newaxis]
    variants = np.repeat(np.arange(NUM_VARIANTS, dtype=np.uint16), len(STATES))
    return Sampled({OUTPUT_ALL: Shots(2, rows)}, variants, NUM_VARIANTS)


@pytest.fixture(scope="module")
def debiased(api: Api, data: Path) -> str:
    job_id = api.completed(BELL, **NOISY)["id"]
    store(data, job_id, varied())
    return str(job_id)


@pytest.mark.parametrize("query", ["", "?sharpen=false", "?sharpen=False", "?aggregation=average"])
def test_variants_are_averaged_unless_something_else_is_asked_for(
    api: Api, debiased: str, query: str
) -> None:
    assert api.get(f"/v0.4/jobs/{debiased}/results/probabilities{query}") == AVERAGE


@pytest.mark.parametrize("query", ["?sharpen=true", "?sharpen=True", "?aggregation=voting"])
def test_sharpening_is_voting(api: Api, debiased: str, query: str) -> None:
    found = api.get(f"/v0.4/jobs/{debiased}/results/probabilities{query}")

    # P(Binomial(10, 0.7) > 5), and half of the ties: 0.90.
    assert found["3"] == pytest.approx(0.90, abs=0.011)
    assert api.get(f"/v0.4/jobs/{debiased}/results/probabilities{query}") == found
    assert api.get(f"/v0.3/jobs/{debiased}/results", sharpen="true") == found


def test_an_aggregation_outranks_sharpening(api: Api, debiased: str) -> None:
    path = f"/v0.4/jobs/{debiased}/results/probabilities"

    assert api.get(path, sharpen="true", aggregation="average") == AVERAGE


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("average", {"0": 30, "3": 70}), ("dnl", {"0": 30, "3": 70}), ("majority", {"0": 5, "3": 95})],
)
def test_a_histogram_is_aggregated_as_asked_for_under_either_address(
    api: Api, debiased: str, aggregation: str, expected: dict[str, int]
) -> None:
    job = f"/v0.4/jobs/{debiased}"

    assert api.get(f"{job}/results/histogram", aggregation=aggregation) == expected
    assert api.get(f"{job}/artifacts/histogram-v2-{aggregation}") == {
        "histogram": {"registers": {OUTPUT_ALL: {"00": expected["0"], "11": expected["3"]}}}
    }


@pytest.mark.parametrize("path", ["probabilities", "histogram", "probabilities/aggregated"])
def test_an_aggregation_that_there_is_not_is_refused_with_those_that_there_are(
    api: Api, debiased: str, path: str
) -> None:
    job_id = (
        api.create({"qubits": 1, "circuits": [{"circuit": []}]}, type="ionq.multi-circuit.v1")
        if path.endswith("aggregated")
        else debiased
    )
    api.ended(job_id)

    answer = api.call("GET", f"/v0.4/jobs/{job_id}/results/{path}?aggregation=mode")

    assert answer.status_code == 400
    assert answer.json()["message"] == f"aggregation: 'mode' is not one of: {ALL_WORDS}"
    assert answer.json()["validation"] == {"keys": ["aggregation"], "source": "query"}


def test_a_sharpening_that_is_neither_true_nor_false_is_refused(api: Api, debiased: str) -> None:
    path = f"/v0.4/jobs/{debiased}/results/probabilities"

    for query in ("?sharpen=perhaps", "?sharpen=perhaps&aggregation=voting"):
        answer = api.call("GET", path + query)
        assert answer.status_code == 400
        assert answer.json()["validation"] == {"keys": ["sharpen"], "source": "query"}


def test_shots_are_never_aggregated(api: Api, debiased: str) -> None:
    shots = api.get(f"/v0.4/jobs/{debiased}/results/shots", aggregation="voting")

    assert shots == [str(state) for state in STATES * NUM_VARIANTS]


def test_many_circuits_are_aggregated_each_by_itself(api: Api, data: Path) -> None:
    circuits = {"qubits": 2, "circuits": [BELL, BELL]}
    parent = api.created(circuits, type="ionq.multi-circuit.v1", **NOISY)
    first, second = parent["child_job_ids"]
    path = f"/v0.4/jobs/{parent['id']}/results/probabilities/aggregated"
    before = api.get(path)
    store(data, first, varied())

    assert api.get(path) == {first: AVERAGE, second: before[second]}
    sharpened = api.get(path, sharpen="True")
    assert sharpened[first]["3"] == pytest.approx(0.90, abs=0.011)
    assert sharpened[second] == before[second]


def test_each_variant_can_be_had_by_itself(api: Api, debiased: str) -> None:
    path = f"/v0.4/jobs/{debiased}/variants/{variant_id(debiased, 4)}/results"

    assert api.get(f"{path}/probabilities") == AVERAGE
    assert api.get(f"{path}/histogram") == {"0": 3, "3": 7}
    assert api.get(f"{path}/shots") == [str(state) for state in STATES]
    assert api.get(f"/v0.4/jobs/{debiased}/artifacts/histogram-v2-variant-4") == {
        "histogram": {"registers": {OUTPUT_ALL: {"00": 3, "11": 7}}}
    }


def test_a_variant_or_kind_that_there_is_not_is_not_found(api: Api, debiased: str) -> None:
    for number, kind in ((NUM_VARIANTS, "shots"), (0, "pictures")):
        variant = variant_id(debiased, number)
        path = f"/v0.4/jobs/{debiased}/variants/{variant}/results/{kind}"
        assert api.call("GET", path).status_code == 404
    artifact = f"/v0.4/jobs/{debiased}/artifacts/histogram-v2-variant-{NUM_VARIANTS}"
    assert api.call("GET", artifact).status_code == 404


def test_a_job_without_variants_has_none_and_no_aggregation_changes_it(api: Api) -> None:
    job_id = api.completed(BELL, **NOISY)["id"]
    job = f"/v0.4/jobs/{job_id}"
    plain = api.get(f"{job}/results/histogram")

    assert api.get(f"{job}/results/histogram", aggregation="voting") == plain
    assert api.call("GET", f"{job}/artifacts/histogram-v2-voting").status_code == 404
    path = f"{job}/variants/{variant_id(job_id, 0)}/results/shots"
    assert api.call("GET", path).status_code == 404
