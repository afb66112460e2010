from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

import pytest
from tests.builders import limit_pages

from ionbox.errors import StoreFullError
from ionbox.store.reserve import RESERVE_BYTES, Reserve
from ionbox.store.sqlite import SqliteStore


def allocated_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_room_is_set_aside_beside_the_database(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "ionbox.sqlite").close()

    assert allocated_bytes(tmp_path / "reserve") >= RESERVE_BYTES


def test_room_that_was_given_up_can_be_set_aside_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    reserve.keep()
    reserve.release()

    assert not any(tmp_path.iterdir())
    reserve.keep()
    reserve.keep()
    assert allocated_bytes(tmp_path / "reserve") >= RESERVE_BYTES


def test_a_file_that_holds_less_than_the_room_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "reserve"
    with path.open("wb") as file:
        file.truncate(RESERVE_BYTES)  # of the right size, and all of it a hole
    Reserve(path).keep()
    of_a_hole = allocated_bytes(path)
    path.write_bytes(b"")
    Reserve(path).keep()

    assert min(of_a_hole, allocated_bytes(path)) >= RESERVE_BYTES


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "reserve").mkdir()

    SqliteStore(tmp_path / "ionbox.sqlite").close()

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["ionbox.sqlite", "reserve"]


def test_where_there_is_less_room_less_is_set_aside(tmp_path: Path) -> None:
    allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE_BYTES, most))
    try:
        Reserve(tmp_path / "reserve").keep()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))

    assert allocated_bytes(tmp_path / "reserve") == RESERVE_BYTES // 2
    assert [path.name for path in tmp_path.iterdir()] == ["reserve"]


def test_what_frees_no_room_after_all_is_refused_and_the_reserve_is_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ionbox.sqlite")
    limit_pages(store, 0)

    def fill(database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO backend_documents VALUES (1, '', zeroblob(1000000), '')")

    with pytest.raises(StoreFullError):
        store._writer.submit(fill, frees_room=True).result()
    assert allocated_bytes(tmp_path / "reserve") >= RESERVE_BYTES
    store.close()
