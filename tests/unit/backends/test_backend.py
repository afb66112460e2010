from __future__ import annotations

from datetime import UTC
from importlib import resources
from itertools import pairwise
from uuid import UUID

import pytest

from ionbox.backends.backend import Backend, BackendStatus, find_characterization, read_backend
from ionbox.backends.characterization import CONNECTIVITIES, Characterization
from ionbox.backends.noise import IDEAL, NOISE_MODELS
from ionbox.circuits.gates import GATE_BY_NAME
from ionbox.errors import NotFoundError, SettingsError

FOLDER = resources.files("ionbox.backends") / "catalog"
FILES = {file.name: file.read_text() for file in FOLDER.iterdir() if file.name.endswith(".toml")}
CATALOG = [read_backend(text) for _, text in sorted(FILES.items())]
RECORDS = [record for backend in CATALOG for record in backend.characterizations]
QPUS = [backend for backend in CATALOG if not backend.is_simulator]

SMALL = """
name = "qpu.small"
status = "available"
num_qubits = 2
native_gates = ["gpi"]
"""
TIMING = "\n[timing]\nreadout = 1\nreset = 1\n1q = 1\n2q = 1\nt1 = 1\nt2 = 1\n"
RECORD = "characterizations = [{ date = 2026-01-01, spam = [1, 0], 1q = [1, 0], 2q = [1, 0] }]\n"


def test_the_catalog_is_complete() -> None:
    rows = {backend.name: (backend.num_qubits, backend.status) for backend in CATALOG}

    assert rows == {
        "simulator": (29, "available"),
        "qpu.harmony": (11, "available"),
        "qpu.aria-1": (25, "available"),
        "qpu.aria-2": (25, "available"),
        "qpu.forte-1": (36, "available"),
        "qpu.forte-enterprise-1": (36, "available"),
    }


@pytest.mark.parametrize("backend", CATALOG, ids=lambda backend: backend.name)
def test_every_row_of_the_catalog_is_true(backend: Backend) -> None:
    assert f"{backend.name}.toml" in FILES
    assert backend.is_available == (backend.status == "available")
    assert backend.is_simulator == (not backend.name.startswith("qpu."))
    assert backend.native_gates
    assert all(("native", name) in GATE_BY_NAME for name in backend.native_gates)
    assert backend.gates
    assert all(("qis", name) in GATE_BY_NAME for name in backend.gates)
    assert backend.connectivity in CONNECTIVITIES
    assert set(backend.noise_models) <= {IDEAL, *NOISE_MODELS}
    assert backend.is_simulator == (IDEAL in backend.noise_models)
    assert not backend.is_degraded
    assert len(backend.characterizations) == (0 if backend.is_simulator else 12)


@pytest.mark.parametrize("backend", QPUS, ids=lambda backend: backend.name)
def test_a_device_has_one_native_gate_on_two_qubits_zz_for_forte_and_ms_before(
    backend: Backend,
) -> None:
    assert set(backend.native_gates) == {"gpi", "gpi2", "zz" if "forte" in backend.name else "ms"}


@pytest.mark.parametrize("backend", CATALOG, ids=lambda backend: backend.name)
def test_records_are_of_their_backend_and_newest_first(backend: Backend) -> None:
    records = backend.characterizations

    assert all(newer.date > older.date for newer, older in pairwise(records))
    assert {record.backend for record in records} <= {backend.name}
    assert backend.characterization_id == (records[0].id if records else None)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.backend} {record.date:%F}")
def test_every_record_is_physics(record: Characterization) -> None:
    timing = record.timing
    assert timing.gate_1q is not None
    assert timing.gate_2q is not None
    assert timing.t1 is not None
    assert timing.t2 is not None

    assert record.date.tzinfo is UTC
    assert 2025 <= record.date.year <= 2026
    assert min(record.spam.median, record.gate_2q.median) > 0.9
    assert max(record.spam.median, record.gate_2q.median) < record.gate_1q.median < 1
    for fidelity in (record.spam, record.gate_1q, record.gate_2q):
        assert fidelity.stderr is not None
        assert 0 < fidelity.stderr < 1 - fidelity.median
    assert 0 < timing.gate_1q < timing.gate_2q < timing.t2 <= 2 * timing.t1
    assert 0 < timing.reset < timing.readout < timing.t2
    assert len(record.pairs) == record.num_qubits * (record.num_qubits - 1) // 2
    assert all(0 <= a < b < record.num_qubits for a, b in record.pairs)


def test_ids_are_unique_uuids_that_never_change() -> None:
    ids = [record.id for record in RECORDS]

    assert len(set(ids)) == len(ids) == 60
    assert all(str(UUID(record_id)) == record_id for record_id in ids)
    newest = {backend.name: backend.characterization_id for backend in QPUS}
    assert newest["qpu.forte-1"] == "4c525d25-da16-52e2-9b69-1d3f0f0200e7"
    assert newest["qpu.harmony"] == "785015a4-6635-50ad-9260-bc9133c93bc5"


@pytest.mark.parametrize("name", [name for name in NOISE_MODELS if f"qpu.{name}.toml" in FILES])
def test_the_newest_record_says_what_the_noise_model_of_that_device_does(name: str) -> None:
    # Both rates are (4/3) (1 - F); the records have four digits.
    model = NOISE_MODELS[name]
    (backend,) = (backend for backend in CATALOG if backend.name == f"qpu.{name}")
    newest = backend.characterizations[0]

    assert newest.gate_1q.median == pytest.approx(1 - 0.75 * model.r1q, abs=6e-5)
    assert newest.gate_2q.median == pytest.approx(1 - 0.75 * model.r2q, abs=6e-5)


@pytest.mark.parametrize("write", [str.lower, str.upper])
def test_a_record_is_found_by_its_id_whichever_backend_has_it(write: type[str]) -> None:
    assert find_characterization(CATALOG, write(RECORDS[-1].id)) is RECORDS[-1]


def test_a_record_that_nobody_has_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="characterization 'x' not found"):
        find_characterization(CATALOG, "x")


def test_a_backend_needs_no_more_than_its_name_status_width_and_native_gates() -> None:
    backend = read_backend(SMALL)

    assert backend == Backend("qpu.small", BackendStatus.AVAILABLE, 2, ("gpi",))
    assert (backend.location, backend.kw, backend.characterization_id) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name =", "backend: Invalid value"),
        (SMALL.replace("num_qubits = 2", ""), "missing required field `num_qubits`"),
        (SMALL.replace("= 2", "= 0"), r"Expected `int` >= 1 - at `\$.num_qubits`"),
        (SMALL.replace("available", "gone"), r"Invalid enum value 'gone' - at `\$.status`"),
        (SMALL + "color = 1", "unknown field `color`"),
        (SMALL + 'connectivity = "line"', r"Invalid enum value 'line' - at `\$.connectivity`"),
        (SMALL + RECORD, "characterizations need the table `timing`"),
        (SMALL + RECORD.replace("1q = [1, 0]", "1q = [1, 2]") + TIMING, r"\[0\].1q\[1\]"),
        (SMALL + TIMING.replace("t1 = 1", "t1 = 0"), r"Expected `float` > 0.0 - at `\$.timing.t1`"),
    ],
)
def test_a_catalog_file_that_cannot_be_is_refused_by_the_name_of_the_key(
    text: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read_backend(text)
