from __future__ import annotations

from typing import Any

import pytest
from tests.schema.overlay import UselessActionError, applied

DOCUMENT: dict[str, Any] = {
    "paths": {"/a/{b}": {"get": {"tags": ["x"], "list": [{"n": 1}, {"n": 2}]}}},
    "types": {"T": {"required": ["a"], "closed": True}},
}


def after(target: str, **action: Any) -> Any:  # noqa: ANN401 - JSON
    actions = [{"target": target, "description": "a reason", **action}]
    return applied(DOCUMENT, {"actions": actions})


def test_an_update_is_merged_into_what_is_there() -> None:
    changed = after("$.types.T", update={"closed": False, "more": {"k": 1}})

    assert changed["types"]["T"] == {"required": ["a"], "closed": False, "more": {"k": 1}}


def test_an_update_of_a_list_is_added_to_it() -> None:
    assert after("$.types.T.required", update=["b"])["types"]["T"]["required"] == ["a", "b"]


def test_what_is_removed_is_gone() -> None:
    assert after("$.types.T.closed", remove=True)["types"]["T"] == {"required": ["a"]}


@pytest.mark.parametrize(
    ("target", "numbers"),
    [("$.paths['/a/{b}'].get.list[1]", [1, 9]), ("$.paths.*.*.list[*]", [9, 9])],
)
def test_targets_are_found_by_quoted_name_number_and_star(target: str, numbers: list[int]) -> None:
    changed = after(target, update={"n": 9})

    assert [row["n"] for row in changed["paths"]["/a/{b}"]["get"]["list"]] == numbers


def test_the_document_itself_stays_as_it_is() -> None:
    after("$.types.T", update={"closed": False})

    assert DOCUMENT["types"]["T"]["closed"] is True


@pytest.mark.parametrize(
    ("target", "action"),
    [
        ("$.types.U", {"remove": True}),
        ("$.types.T", {"update": {"closed": True}}),
        ("$..T", {"remove": True}),
        ("$.types.T", {"remove": True, "description": ""}),
    ],
)
def test_an_action_without_effect_or_reason_is_refused(target: str, action: dict[str, Any]) -> None:
    with pytest.raises(UselessActionError):
        after(target, **action)
