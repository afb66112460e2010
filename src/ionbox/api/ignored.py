"""Which keys of a request's body nothing reads: what was sent, beside the type it is read as."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec.inspect import ListType, Metadata, StructType, Type, UnionType, type_info
from starlette.routing import compile_path

from ionbox.api.v03 import routes as v03
from ionbox.api.v03 import wire as wire03
from ionbox.api.v04 import routes as v04
from ionbox.api.v04 import wire as wire04
from ionbox.errors import InvalidInputError

MAX_KEYS: Final = 100
# A submission → the types of its input, which only the submission as a whole can tell.
_INPUT_TYPES: Final[Mapping[type, Callable[[Any], Sequence[type]]]] = {
    wire03.JobCreation: wire03.input_types,
    wire04.JobCreation: wire04.input_types,
}
_INPUTS: Final = ("input", "body")
_BODIES: Final = [
    (endpoint.method, compile_path(endpoint.path)[0], endpoint.body)
    for endpoint in (*v03.ENDPOINTS, *v04.ENDPOINTS)
    if endpoint.body is not None
]


def ignored_keys(method: str, path: str, data: bytes) -> tuple[str, ...]:
    """Return where in a body keys stand that nothing reads, such as `lang` or `input.format`.

    The first `MAX_KEYS` of them, and none of a body that cannot be read at all.
    """
    kind = next(
        (kind for known, regex, kind in _BODIES if known == method and regex.fullmatch(path)), None
    )
    if kind is None:
        return ()
    try:
        given, inputs = msgspec.json.decode(data), _inputs_of(kind, data)
    except (msgspec.MsgspecError, InvalidInputError, RecursionError, UnicodeDecodeError):
        return ()
    within = [
        _ignored(given[name], inputs, name)
        for name in _INPUTS
        if inputs and isinstance(given, dict) and name in given
    ]
    every = itertools.chain(_ignored(given, [_info(kind)], ""), *within)
    return tuple(itertools.islice(every, MAX_KEYS))


def _inputs_of(kind: type, data: bytes) -> list[Type]:
    read: object = msgspec.json.decode(data, type=kind)
    return list(map(_info, _INPUT_TYPES[kind](read))) if kind in _INPUT_TYPES else []


_info = lru_cache(maxsize=None)(type_info)


def _ignored(value: object, kinds: Iterable[Type], path: str) -> Iterator[str]:
    """Yield where keys stand that none of the types has; what has no type, any key may have."""
    plain = [one for kind in kinds for one in _plain(kind)]
    if isinstance(value, dict):
        structs = [kind for kind in plain if isinstance(kind, StructType)]
        for name, inner in value.items() if structs else ():
            below = f"{path}.{name}" if path else name
            fields = [f.type for kind in structs for f in kind.fields if f.encode_name == name]
            yield from _ignored(inner, fields, below) if fields else (below,)
    elif isinstance(value, list):
        items = [kind.item_type for kind in plain if isinstance(kind, ListType)]
        for index, inner in enumerate(value) if items else ():
            yield from _ignored(inner, items, f"{path}[{index}]")


def _plain(kind: Type) -> Iterator[Type]:
    """Yield what a type is without its alternatives and its remarks."""
    if isinstance(kind, Metadata):
        yield from _plain(kind.type)
    elif isinstance(kind, UnionType):
        for one in kind.types:
            yield from _plain(one)
    else:
        yield kind
