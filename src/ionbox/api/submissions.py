"""What the faces read alike in a submission."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from ionbox.api import idempotency
from ionbox.api.endpoints import one_of, within
from ionbox.api.inputs import INPUT
from ionbox.api.requests import PRIORITY
from ionbox.backends.noise import IDEAL, NOISE_MODELS
from ionbox.errors import InvalidInputError
from ionbox.service.submission import MAX_SEED, MAX_SHOTS

DEFAULT_SHOTS = 100
DEFAULT_BACKEND = "simulator"
MAX_DEPTH = 32
# Settings are copied to each circuit of many; registers are not.
MAX_SETTINGS_BYTES = 4 * 1024
MAX_REGISTERS_BYTES = 64 * 1024
NOT_STORED = (507,)
# What a submission may have beside its body, and be answered.
HEADERS = (idempotency.HEADER, PRIORITY)
ERRORS = (400, *idempotency.ERRORS, 413, 429, *NOT_STORED)

# An input is read by `formats.inputs`; here it is only described.
Input = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=dict(INPUT))]
# Each keyword concerns values of one type alone; text is what some clients send.
_SHOTS = {
    "minimum": 1,
    "maximum": MAX_SHOTS,
    "multipleOf": 1,
    "pattern": "^([1-9][0-9]{0,5}|1000000)$",
}
Shots = Annotated[int | float | str | None, msgspec.Meta(extra_json_schema=_SHOTS)]
_NoiseModel = Annotated[str | None, one_of((IDEAL, *NOISE_MODELS, None))]
_Seed = Annotated[int | None, within(range(MAX_SEED + 1))]


class NoiseRequest(msgspec.Struct):
    """Which noise model, and the seed of its sampling."""

    model: _NoiseModel = None
    seed: _Seed = None


def read_shots(value: float | str | None) -> int:
    """Some clients send numbers as text, some as floats, some null."""
    if value is None:
        return DEFAULT_SHOTS
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise InvalidInputError("shots", f"'{value}' is not an integer")
    return int(number)


def read_seed(noise: NoiseRequest) -> int | None:
    """Return the seed that was given, if one was."""
    seed = noise.seed
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InvalidInputError("noise.seed", f"{seed} is not within 0 to {MAX_SEED}")
    return seed


def refuse_excess(body: msgspec.Struct, *names: str) -> None:
    """Refuse what is only echoed and too long to be, or nested too deeply to be written back."""
    for name in names:
        value = getattr(body, name)
        if _depth(value) > MAX_DEPTH:
            raise InvalidInputError(name, f"nested more than {MAX_DEPTH} deep")
        limit = MAX_REGISTERS_BYTES if name == "registers" else MAX_SETTINGS_BYTES
        if value and len(msgspec.json.encode(value)) > limit:
            raise InvalidInputError(name, f"more than {limit} bytes")


def _depth(value: object) -> int:
    """Return how deeply objects and arrays are nested, level by level: Python's stack is small."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, (dict, list))]:
        depth += 1
        level = [v for c in level for v in (c.values() if isinstance(c, dict) else c)]
    return depth
