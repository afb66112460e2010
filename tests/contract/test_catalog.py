"""Backends that are loaded one after the other, on a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.builders import make_targets

from ionbox.backends.backend import Backend
from ionbox.backends.pricing import PriceBook
from ionbox.errors import NotFoundError, SettingsError
from ionbox.service.catalog import Catalog
from ionbox.store.sqlite import SqliteStore

RECORD: dict[str, Any] = {
    "id": "0197379a-c3b8-7548-8000-000000000001",
    "backend": "qpu.lab-1",
    "date": "2026-11-01",
    "qubits": 4,
    "fidelity": {"spam": {"median": 1.0}, "1q": {"median": 1.0}, "2q": {"median": 0.9}},
    "timing": {"readout": 1.5e-4, "reset": 5e-5},
}
LATER = RECORD | {"id": RECORD["id"][:-1] + "2", "date": "2026-11-02"}
WITH_MS = 'native_gates = ["gpi", "gpi2", "ms"]'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ionbox.sqlite")) as store:
        yield store


def catalog_on(store: SqliteStore) -> tuple[Catalog, dict[str, Backend]]:
    backends = dict(make_targets().backends)
    return Catalog(backends, PriceBook("free", "usd", {}), store), backends


def document(record: dict[str, Any], **changes: object) -> bytes:
    return json.dumps(record | changes).encode()


def test_an_older_record_keeps_what_held_when_it_was_loaded(store: SqliteStore) -> None:
    catalog, backends = catalog_on(store)
    catalog.load(document(RECORD), WITH_MS)
    before = backends["qpu.lab-1"].twin(RECORD["id"])

    catalog.load(document(LATER), 'native_gates = ["gpi", "gpi2", "zz"]')

    loaded = backends["qpu.lab-1"]
    assert loaded.twin(RECORD["id"]) == before
    assert [record.id for record in loaded.characterizations] == [LATER["id"], RECORD["id"]]
    _, again = catalog_on(store)
    assert again["qpu.lab-1"] == loaded


def test_a_record_of_the_catalog_is_there_for_jobs_that_have_it(store: SqliteStore) -> None:
    catalog, backends = catalog_on(store)
    own = backends["qpu.aria-1"]
    before = own.twin(own.characterization_id)

    loaded = catalog.load(document(RECORD, backend="qpu.aria-1"))

    assert [record.id for record in loaded.characterizations] == [RECORD["id"]]
    assert loaded.twin(own.characterization_id) == before
    catalog.unload("qpu.aria-1")
    assert backends["qpu.aria-1"] == own


def test_a_record_behind_a_loaded_backend_is_not_told_otherwise(store: SqliteStore) -> None:
    catalog, backends = catalog_on(store)
    own_id = backends["qpu.aria-1"].characterization_id
    catalog.load(document(RECORD, backend="qpu.aria-1"))

    with pytest.raises(SettingsError, match="is known with other figures"):
        catalog.load(document(LATER, backend="qpu.aria-1", id=own_id))


def test_what_was_said_before_holds_where_nothing_is_said(store: SqliteStore) -> None:
    catalog, _ = catalog_on(store)
    catalog.load(document(RECORD), WITH_MS)

    assert catalog.load(document(LATER)).native_gates == ("gpi", "gpi2", "ms")


def test_the_same_document_is_kept_once(store: SqliteStore) -> None:
    catalog, _ = catalog_on(store)
    for _ in range(3):
        catalog.load(document(RECORD), WITH_MS)

    assert len(store.backend_documents()) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timing": {"readout": 1, "reset": 1}}, "is known with other figures"),
        ({"id": LATER["id"], "qubits": 5}, "qubits: 5 qubits; qpu.lab-1 was loaded with 4"),
    ],
)
def test_what_is_known_is_not_told_otherwise(
    store: SqliteStore, changes: dict[str, Any], message: str
) -> None:
    catalog, _ = catalog_on(store)
    catalog.load(document(RECORD))

    with pytest.raises(SettingsError, match=message):
        catalog.load(document(RECORD, **changes))


def test_what_was_not_loaded_is_not_forgotten(store: SqliteStore) -> None:
    catalog, _ = catalog_on(store)
    catalog.load(document(RECORD))

    with pytest.raises(NotFoundError, match=r"known here: qpu\.lab-1"):
        catalog.unload("qpu.aria-1")
