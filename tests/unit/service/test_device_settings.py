from __future__ import annotations

from typing import Any

import pytest

from ionbox.errors import InvalidInputError
from ionbox.service.device_settings import (
    DeviceSettings,
    read_device_settings,
    unknown_settings,
)


@pytest.mark.parametrize(
    ("settings", "older", "expected"),
    [
        (None, None, DeviceSettings()),
        ({}, {}, DeviceSettings()),
        ({"compilation": {"opt": 0, "precision": "1E-4"}}, None, DeviceSettings(0, 1e-4)),
        ({"compilation": {"opt": 2.0, "gate_basis": "ZZ"}}, None, DeviceSettings(2)),
        ({"compilation": None, "error_mitigation": None}, None, DeviceSettings()),
        ({"error_mitigation": {"debiasing": True}}, None, DeviceSettings(debiasing=True)),
        ({"error_mitigation": {"debiasing": None}}, None, DeviceSettings()),
        (None, {"debias": False}, DeviceSettings(debiasing=False)),
        (None, {"debiasing": False}, DeviceSettings(debiasing=False)),
        ({"error_mitigation": {"debias": True}}, None, DeviceSettings(debiasing=True)),
        (None, {"symmetry_verification": True}, DeviceSettings(symmetry_verification=True)),
        (
            {"error_mitigation": {"debiasing": False}},
            {"debias": True},
            DeviceSettings(debiasing=False),
        ),
        (
            {"error_mitigation": {"symmetry_verification": True}},
            None,
            DeviceSettings(symmetry_verification=True),
        ),
    ],
)
def test_settings_are_read_in_the_words_of_either_version(
    settings: dict[str, Any] | None, older: dict[str, Any] | None, expected: DeviceSettings
) -> None:
    assert read_device_settings(settings, older, 1000) == expected


@pytest.mark.parametrize(
    ("settings", "shots", "message"),
    [
        ({"compilation": {"opt": 3}}, 10, "settings.compilation.opt: 3 is not within 0 to 2"),
        ({"compilation": {"opt": "x"}}, 10, "settings.compilation.opt: 'x' is not within 0 to 2"),
        ({"compilation": {"opt": 0.5}}, 10, "settings.compilation.opt: 0.5 is not an integer"),
        ({"compilation": {"precision": 0}}, 10, "precision: 0 is not within 1e-12 to 1"),
        ({"compilation": {"opt": 10**400}}, 10, "settings.compilation.opt: 1000"),
        (
            {"error_mitigation": {"symmetry_verification": "false"}},
            10,
            "settings.error_mitigation.symmetry_verification: 'false' is not true or false",
        ),
        ({"compilation": [1]}, 10, "settings.compilation: [1] is not an object"),
        (
            {"error_mitigation": {"debiasing": True}},
            499,
            "499 shots; debiasing needs at least 500",
        ),
        ({"error_mitigation": {"debiasing": "on"}}, 999, "debiasing: 'on' is not true or false"),
    ],
)
def test_what_cannot_be_is_named(settings: dict[str, Any], shots: int, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_device_settings(settings, None, shots)

    assert message in str(caught.value)


def test_slips_are_found_and_what_clients_send_is_not() -> None:
    sent = {
        "compilation": {
            "opt": 1,
            "precision": "1E-3",
            "gate_basis": "ZZ",
            "service_version": "v0.4",
        },
        "error_mitigation": {"debiasing": True, "symmetry_verification": True},
    }
    slips = {"compilation": {"optt": 0}, "error_mitigation": {"debais": False}, "compile": {}}

    assert list(unknown_settings(sent, {"debias": True})) == []
    assert list(unknown_settings(slips, {"sharpen": True})) == [
        "settings.compile",
        "settings.compilation.optt",
        "settings.error_mitigation.debais",
        "error_mitigation.sharpen",
    ]
