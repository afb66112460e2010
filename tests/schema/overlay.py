"""Applies an OpenAPI Overlay: each action is a departure from a document, and says why.

The targets are JSONPaths of names, quoted names, numbers and `*` alone. An action that changes
nothing is refused, so that no departure outlives its reason.

Source:
    OpenAPI Overlay Specification 1.0.0.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PART = re.compile(r"\.(\w[\w-]*|\*)|\['([^']+)'\]|\[(\d+|\*)\]")


class UselessActionError(Exception):
    """An action whose target is not there, which changes nothing, or which gives no reason."""


def applied(document: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the actions of an overlay done to it.

    Raises:
        UselessActionError: If one of them has no effect or no description.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    for action in overlay["actions"]:
        before = copy.deepcopy(changed)
        _apply(changed, action)
        if changed == before or not action.get("description"):
            raise UselessActionError(action["target"])
    return changed


def _apply(document: dict[str, Any], action: Mapping[str, Any]) -> None:
    for holder, name in list(_find(document, _parts(action["target"]))):
        if action.get("remove"):
            del holder[name]
        else:
            holder[name] = _merged(holder[name], action["update"])


def _parts(target: str) -> list[str]:
    found = [next(filter(None, match.groups())) for match in _PART.finditer(target)]
    if target != "$" + "".join(match[0] for match in _PART.finditer(target)):
        raise UselessActionError(target)
    return found


def _find(node: Any, parts: list[str]) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Yield where the targets stand: what holds each, and its name there."""
    first, *rest = parts
    places = range(len(node)) if isinstance(node, list) else list(node)
    for place in places:
        if first in {"*", str(place)}:
            if not rest:
                yield node, place
            elif isinstance(node[place], (dict, list)):
                yield from _find(node[place], rest)


def _merged(old: Any, new: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(old, list):
        return [*old, *(new if isinstance(new, list) else [new])]
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new
