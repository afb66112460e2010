from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from ionbox.backends.documents import read_document
from ionbox.backends.twins import PERFECT, Imperfections, noise_of
from ionbox.errors import SettingsError

RECORD: dict[str, Any] = {
    "id": "0197379a-c3b8-7548-8000-000000000001",
    "backend": "qpu.lab-1",
    "date": "2026-11-01T00:00:00Z",
    "qubits": 3,
    "connectivity": [[0, 1], [2, 0], [1, 2]],
    "fidelity": {
        "spam": {"median": 0.995, "stderr": None},
        "1q": {"median": 0.9998, "stderr": 0.00001},
        "2q": {"median": 0.99, "stderr": 0.0004},
    },
    "timing": {"readout": 1.5e-4, "reset": 5e-5},
}
TIMES = {"readout": 1.5e-4, "reset": 5e-5, "1q": 1e-4, "2q": 9e-4, "t1": 100, "t2": 1}


def document(**changes: object) -> bytes:
    return json.dumps(RECORD | changes).encode()


def test_a_document_gives_only_what_it_states() -> None:
    backend = read_document(document())

    assert (backend.name, backend.num_qubits, backend.is_available) == ("qpu.lab-1", 3, True)
    assert backend.imperfections == PERFECT
    twin = backend.twin(RECORD["id"])
    assert twin is not None
    model = noise_of(twin)
    assert model.idling is None
    assert not model.has_over_rotations
    assert not model.pairs


def test_the_text_beside_it_adds_what_is_made_up() -> None:
    text = 'native_gates = ["gpi", "gpi2", "ms"]\n[imperfections]\nspread = 0.2\ncoherent = 0.1\n'

    backend = read_document(document(timing=TIMES), text)

    assert backend.native_gates == ("gpi", "gpi2", "ms")
    assert backend.imperfections == Imperfections(spread=0.2, coherent=0.1)
    twin = backend.twin(backend.characterization_id)
    assert twin is not None
    assert noise_of(twin).has_over_rotations
    assert noise_of(twin).idling is not None


def test_a_page_of_records_is_a_history_newest_first() -> None:
    older = RECORD | {"id": RECORD["id"][:-1] + "2", "date": "2026-10-01T00:00:00"}
    page = json.dumps({"characterizations": [older, RECORD], "pages": 0}).encode()

    backend = read_document(page)

    assert [record.id for record in backend.characterizations] == [RECORD["id"], older["id"]]
    assert all(record.date.tzinfo is not None for record in backend.characterizations)


@pytest.mark.parametrize(
    ("data", "additions", "message"),
    [
        (b"{", "", "characterization: Input data was truncated"),
        (document(backend="simulator"), "", "at `$.backend`"),
        (document(fidelity={"spam": {"median": 1}}), "", "missing required field `1q`"),
        (
            document(timing=TIMES | {"t2": 201}),
            "",
            "timing.t2: 201 s; at most twice t1",
        ),
        (
            document(fidelity=RECORD["fidelity"] | {"2q": {"median": 0.2}}),
            "",
            "fidelity.2q.median: 0.2; nothing is below 0.25, where all is random",
        ),
        (document(date="0001-01-01T00:00:00+23:00"), "", "date: '0001-01-01T00:00:00+23:00'"),
        (
            json.dumps({"characterizations": [RECORD, RECORD]}).encode(),
            "",
            "id: one id for two records",
        ),
        (document(connectivity=[[0, 1]]), "", "connectivity: pair [0, 2] is missing"),
        (b'{"characterizations":[]}', "", "Expected `array` of length >= 1"),
        (
            document(),
            "spread = 1",
            "beside the characterization: Object contains",
        ),
        (document(date="yesterday"), "", "date: 'yesterday' is no date, such as 2026-11-01"),
        (document(), 'error_mitigations = ["magic"]', "`$.error_mitigations[0]`"),
        (document(), 'native_gates = ["gpi", "gpi2", "ms", "zz"]', "needed are gpi, gpi2, and ms"),
        (document(), "[imperfections]\ncoherent = 0.6", "`$.imperfections.coherent`"),
        (
            document(),
            'native_gates = ["gpi2", "zz"]',
            "native_gates: gpi2, zz; needed are",
        ),
    ],
)
def test_what_is_wrong_is_named(data: bytes, additions: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_document(data, additions)

    assert message in str(caught.value)


def test_records_of_two_backends_do_not_go_together() -> None:
    page = json.dumps({"characterizations": [RECORD, RECORD | {"backend": "qpu.b"}]}).encode()

    with pytest.raises(SettingsError, match="all records are of one backend"):
        read_document(page)


def test_every_pair_of_a_device_is_needed() -> None:
    pairs = [list(pair) for pair in combinations(range(3), 2)]

    assert read_document(document(connectivity=pairs)).num_qubits == 3
    assert read_document(document(connectivity=None)).num_qubits == 3
