"""What a job's settings ask of a device: how to compile, and how to mitigate errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final

import msgspec

from ionbox.backends.mitigation import MIN_SHOTS
from ionbox.backends.twins import Twin
from ionbox.errors import InvalidInputError

MOST_OPT: Final = 2
_COMPILATION: Final = ("opt", "precision", "gate_basis", "service_version")
_MITIGATION: Final = ("debiasing", "debias", "symmetry_verification")


class DeviceSettings(msgspec.Struct, frozen=True):
    """What is asked for.

    Args:
        opt: The level of optimisation.
        precision: Of approximate synthesis.
        debiasing: None where it is not said: then circuits of gateset qis are debiased if they
            have shots enough.
        symmetry_verification: Whether shots are dropped that break a symmetry of the circuit.
    """

    opt: int = 1
    precision: float = 1e-3
    debiasing: bool | None = None
    symmetry_verification: bool = False


class DeviceRun(msgspec.Struct, frozen=True):
    """How a job is run on the twin of a device.

    Args:
        is_dry: Whether it is compiled only.
    """

    twin: Twin
    settings: DeviceSettings
    is_dry: bool = False


def read_device_settings(
    settings: Mapping[str, Any] | None, error_mitigation: Mapping[str, Any] | None, shots: int
) -> DeviceSettings:
    """Read the settings of either API version; each is understood in the place of the other, too.

    Args:
        settings: With `compilation` and `error_mitigation`, as v0.4 has them.
        error_mitigation: With `debias`, as v0.3 has it, beside the settings.

    Raises:
        InvalidInputError: If a setting cannot be; it names the key.
    """
    compilation = _table(settings, "compilation", "settings")
    places = {
        "settings.error_mitigation": _table(settings, "error_mitigation", "settings"),
        "error_mitigation": error_mitigation or {},
    }
    debiasing = _flag(places, "debiasing", "debias")
    if debiasing and shots < MIN_SHOTS:
        text = f"{shots} shots; debiasing needs at least {MIN_SHOTS}"
        raise InvalidInputError("shots", text)
    default = DeviceSettings()
    return DeviceSettings(
        opt=_integer(_number(compilation, "opt", (0, MOST_OPT), float(default.opt))),
        precision=_number(compilation, "precision", (1e-12, 1.0), default.precision),
        debiasing=debiasing,
        symmetry_verification=bool(_flag(places, "symmetry_verification")),
    )


def is_mitigation_asked_for(
    settings: Mapping[str, Any] | None, error_mitigation: Mapping[str, Any] | None
) -> bool:
    """Return whether a job asks for error mitigation, in the words of either API version."""
    asked = (settings or {}).get("error_mitigation")
    tables = (error_mitigation or {}, asked if isinstance(asked, Mapping) else {})
    return any(table.get(word) is True for table in tables for word in _MITIGATION)


def unknown_settings(
    settings: Mapping[str, Any] | None, error_mitigation: Mapping[str, Any] | None
) -> Iterator[str]:
    """Yield the paths of settings that no client means, such as slips of the pen."""
    given = settings or {}
    tables = {
        "settings": (given, ("compilation", "error_mitigation")),
        "settings.compilation": (given.get("compilation"), _COMPILATION),
        "settings.error_mitigation": (given.get("error_mitigation"), _MITIGATION),
        "error_mitigation": (error_mitigation, _MITIGATION),
    }
    for path, (table, known) in tables.items():
        if isinstance(table, Mapping):
            yield from (f"{path}.{key}" for key in table if key not in known)


def _table(parent: Mapping[str, Any] | None, key: str, path: str) -> Mapping[str, Any]:
    value = (parent or {}).get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{path}.{key}", f"{value!r} is not an object")
    return value


def _flag(places: Mapping[str, Mapping[str, Any]], *words: str) -> bool | None:
    """Return what is said first, wherever and in whichever word; None for nothing."""
    found = None
    for path, table in places.items():
        for word in words:
            value = table.get(word)
            if value is not None and not isinstance(value, bool):
                raise InvalidInputError(f"{path}.{word}", f"{value!r} is not true or false")
            found = value if found is None else found
    return found


def _integer(opt: float) -> int:
    if not opt.is_integer():
        raise InvalidInputError("settings.compilation.opt", f"{opt:g} is not an integer")
    return int(opt)


def _number(
    table: Mapping[str, Any], key: str, allowed: tuple[float, float], default: float
) -> float:
    """Return a number, which some clients send as text, such as 1E-3."""
    value = table.get(key)
    if value is None:
        return default
    least, most = allowed
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number) or not least <= number <= most:
        text = f"{value!r} is not within {least:g} to {most:g}"
        raise InvalidInputError(f"settings.compilation.{key}", text)
    return number
