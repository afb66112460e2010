"""How far a run is, of one part or of several."""

from __future__ import annotations

from dataclasses import dataclass

from ionbox.engines.progress import Progress


@dataclass
class Count:
    done: int = 0
    total: int = 0


def test_nothing_is_known_before_anything_is_told() -> None:
    assert Progress().share is None


def test_steps_are_counted_once_they_are_dealt_with() -> None:
    progress = Progress()
    progress.expect(4)

    assert [progress.share for _ in progress.each(range(4))] == [0, 0.25, 0.5, 0.75]
    assert progress.share == 1


def test_a_counter_that_has_not_begun_tells_nothing() -> None:
    progress, count = Progress(), Count()
    progress.follow(count)

    assert progress.share is None
    count.done, count.total = 1, 4
    assert progress.share == 0.25


def test_what_was_seen_is_never_taken_back() -> None:
    progress, count = Progress(), Count(1, 2)
    progress.follow(count)
    seen = progress.share
    count.total = 8

    assert progress.share == seen == 0.5


def test_parts_that_tell_nothing_count_when_they_end() -> None:
    progress = Progress()

    assert [progress.share for _ in progress.parts("abcd")] == [None, 0.25, 0.5, 0.75]
    assert progress.share == 1


def test_a_part_counts_within_its_share() -> None:
    progress, seen = Progress(), []
    for _ in progress.parts("ab"):
        progress.expect(2)
        progress.advance()
        seen.append(progress.share)

    assert seen == [0.25, 0.75]
