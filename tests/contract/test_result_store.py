"""What every place for results must do. A directory is the one there is."""

from __future__ import annotations

from pathlib import Path

from ionbox.results.filesystem import FilesystemResults


def keep(results: FilesystemResults, job_id: str, data: bytes, attempt: int = 1) -> str:
    draft = results.draft(job_id, attempt)
    draft.write_bytes(data)
    return results.keep(draft)


def read(results: FilesystemResults, blob: str) -> bytes:
    data = results.open(blob)
    assert data is not None
    return bytes(data)


def test_a_kept_draft_is_read_back(tmp_path: Path) -> None:
    results = FilesystemResults(tmp_path / "results")
    blob = keep(results, "job", b"outcome")

    assert read(results, blob) == b"outcome"
    assert not results.draft("job", 1).exists()


def test_attempts_do_not_write_over_each_other(tmp_path: Path) -> None:
    results = FilesystemResults(tmp_path)
    first, second = keep(results, "job", b"first", 1), keep(results, "job", b"second", 2)

    assert read(results, first) == b"first"
    assert read(results, second) == b"second"


def test_dropping_twice_is_fine(tmp_path: Path) -> None:
    results = FilesystemResults(tmp_path)
    blob = keep(results, "job", b"outcome")
    results.drop(blob)
    results.drop(blob)

    assert list(tmp_path.iterdir()) == []
    assert results.open(blob) is None


def test_a_draft_is_discarded_whether_it_was_written_or_not(tmp_path: Path) -> None:
    results = FilesystemResults(tmp_path)
    results.draft("a", 1).write_bytes(b"half")
    results.discard(results.draft("a", 1))
    results.discard(results.draft("b", 1))

    assert list(tmp_path.iterdir()) == []


def test_a_sweep_leaves_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    results = FilesystemResults(tmp_path)
    known, unknown = keep(results, "a", b"a"), keep(results, "b", b"b")
    results.draft("c", 1).write_bytes(b"half")
    (tmp_path / "lost+found").mkdir()

    assert results.sweep({known}) == 2
    assert {path.name for path in tmp_path.iterdir()} == {known, "lost+found"}
    assert unknown != known
