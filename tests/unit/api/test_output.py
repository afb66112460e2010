from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.builders import make_job

from ionbox.api.artifacts import aggregate, artifacts_of
from ionbox.api.v04.output import COMPILED, precision_text, write_output
from ionbox.api.v04.results import compiled_response
from ionbox.circuits.program import OUTPUT_ALL
from ionbox.errors import NotFoundError
from ionbox.formats.ionq import read_circuit
from ionbox.formats.openqasm import read_openqasm
from ionbox.formats.results import Exact, Probabilities, Sampled, Shots
from ionbox.jobs.output import Output, SymmetryOutput, VariantOutput, variant_id

JOB = "019ab3c4-0000-7000-8000-000000000001"
NATIVE = '{"qubits":2,"gateset":"native","circuit":[{"gate":"zz","targets":[0,1],"angle":0.25}]}'
MAPS = ((0, 1), (4, 2), (3, 5))


def debiased() -> Output:
    variants = tuple(VariantOutput(places, 20) for places in MAPS)
    return Output(
        "ZZ", 1, 1e-3, NATIVE, variants=variants, symmetry=SymmetryOutput(2, is_applied=True)
    )


def sampled() -> Sampled:
    rows = np.array([[0], [3], [3], [1]], np.uint8)
    return Sampled({OUTPUT_ALL: Shots(2, rows)}, np.array([0, 1, 2, 0], np.uint16), 3)


def as_sent(output: Output, *, has_results: bool = True) -> Any:  # noqa: ANN401 - JSON
    written = write_output(JOB, output, has_results=has_results)
    return msgspec.json.decode(msgspec.json.encode(written))


def artifact(name: str, format_id: str, media_type: str = "application/json") -> dict[str, str]:
    url = f"/v0.4/jobs/{JOB}/artifacts/{name}"
    return {"id": name, "format": format_id, "media_type": media_type, "url": url}


def histogram(name: str) -> dict[str, str]:
    return artifact(f"histogram-v2-{name}", "ionq.result.histogram.json.v2")


def test_an_output_is_written_as_clients_read_it() -> None:
    written = as_sent(debiased())

    assert written["compilation"] == {
        "opt": 1,
        "precision": "1E-3",
        "gate_basis": "ZZ",
        "service_version": "v0.4",
        "compiled_circuits": {
            "ionq.native.v1": artifact("circuit-native", "ionq.native.v1"),
            "ionq.qasm3.v1": artifact("circuit-qasm3", "ionq.qasm3.v1", "text/plain"),
        },
    }
    mitigation = written["error_mitigation"]
    assert set(mitigation) == {"debiasing", "symmetry_verification", "aggregations"}
    assert mitigation["symmetry_verification"] == {"num_allowed_states": 2, "applied": True}
    assert mitigation["aggregations"] == {
        word: histogram(word) for word in ("average", "voting", "dnl", "majority")
    }
    assert mitigation["debiasing"]["aggregation_method"] == "average"
    assert mitigation["debiasing"]["variants"][1] == {
        "variant_id": variant_id(JOB, 1),
        "qubit_map": [4, 2],
        "shots": 20,
        "results": {"ionq.result.histogram.json.v2": histogram("variant-1")},
    }


def test_variants_of_a_dry_run_have_no_histograms() -> None:
    mitigation = as_sent(debiased(), has_results=False)["error_mitigation"]

    assert "aggregations" not in mitigation
    assert mitigation["debiasing"]["variants"][2] == {
        "variant_id": variant_id(JOB, 2),
        "qubit_map": [3, 5],
        "shots": 20,
    }


def test_without_mitigation_debiasing_is_false_and_nothing_is_null_that_clients_cannot_read() -> (
    None
):
    written = as_sent(Output("MS", 0, 5e-4, ""))

    assert written["error_mitigation"] == {"debiasing": False, "symmetry_verification": None}
    assert written["compilation"]["compiled_circuits"] == {}
    assert written["compilation"]["precision"] == "5E-4"


def test_a_program_that_native_json_cannot_hold_is_told_in_openqasm_alone() -> None:
    written = as_sent(Output("ZZ", 1, 1e-3, "", openqasm="OPENQASM 3.0;"))

    assert list(written["compilation"]["compiled_circuits"]) == ["ionq.qasm3.v1"]


@pytest.mark.parametrize(
    ("precision", "text"), [(1e-3, "1E-3"), (2.5e-10, "2.5E-10"), (1.0, "1E+0"), (0.0, "0E+0")]
)
def test_a_precision_has_an_exponent(precision: float, text: str) -> None:
    assert precision_text(precision) == text


def test_a_variant_has_an_id_of_its_own_that_is_always_the_same() -> None:
    ids = [variant_id(JOB, number) for number in range(32)]

    assert len(set(ids)) == 32
    assert ids == [variant_id(JOB, number) for number in range(32)]
    assert {uuid.UUID(one).version for one in ids} == {5}


def test_every_histogram_that_an_output_names_can_be_had_of_its_result() -> None:
    mitigation = as_sent(debiased())["error_mitigation"]
    told = [one["id"] for one in mitigation["aggregations"].values()]
    told += [
        one["results"]["ionq.result.histogram.json.v2"]["id"]
        for one in mitigation["debiasing"]["variants"]
    ]

    artifacts = artifacts_of(sampled())

    assert set(told) <= set(artifacts)
    assert {artifacts[name].row.id for name in told} == {"ionq.result.histogram.json.v2"}
    assert text_of("histogram-v2-variant-0") == (
        b'{"histogram":{"registers":{"output_all":{"00":1,"10":1}}}}'
    )
    assert text_of("histogram-v2-average") == text_of("histogram-v2")
    assert (
        text_of("histogram-v2-majority") == b'{"histogram":{"registers":{"output_all":{"11":4}}}}'
    )


def text_of(name: str) -> bytes:
    found = artifacts_of(sampled())[name]
    return b"".join(found.row.render(found.result()))


def test_a_result_without_variants_is_the_same_in_every_aggregation() -> None:
    plain = Sampled(sampled().registers)
    exact = Exact({OUTPUT_ALL: Probabilities(1, None, np.array([0.5, 0.5]))})

    assert all(
        aggregate(result, word) is result
        for result in (plain, exact)
        for word in ("average", "voting", "dnl", "majority")
    )
    assert not [name for name in artifacts_of(plain) if name.startswith("histogram-v2-")]


def compiled(output: Output | None, word: str) -> tuple[bytes, str]:
    on_device = make_job(id=JOB, characterization_id="record")
    response = asyncio.run(compiled_response(on_device, output, COMPILED[word]))
    return bytes(response.body), response.headers["content-type"]


def test_both_texts_of_a_compiled_circuit_are_the_same_circuit() -> None:
    native, media_type = compiled(debiased(), "native")
    text, text_type = compiled(debiased(), "qasm3")

    assert (media_type, text_type.split(";")[0]) == ("application/json", "text/plain")
    assert native.decode() == NATIVE
    circuit = read_openqasm(text).circuit
    assert circuit is not None
    assert list(circuit.operations()) == list(read_circuit(native).operations())


@pytest.mark.parametrize(
    ("output", "word"), [(None, "native"), (Output("ZZ", 1, 1e-3, "", openqasm="x"), "native")]
)
def test_what_was_not_compiled_is_not_found(output: Output | None, word: str) -> None:
    with pytest.raises(NotFoundError, match=f"compiled circuit of job '{JOB}' not found"):
        compiled(output, word)
