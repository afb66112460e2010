from __future__ import annotations

import pytest

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.program import program_of
from ionbox.config import Settings
from ionbox.engines.engine import Workload
from ionbox.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precision", "float16"),
        ("max_outcomes", 0),
        ("max_outcomes", 10**20),
        ("simulator_qubits", 0),
        ("simulator_qubits", 10**9),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: .*{value}"):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_without_settings_jobs_are_computed_as_engines_do_by_themselves() -> None:
    workload = Workload(program_of(Circuit.from_operations(1, "qis", [])), shots=1, seed=1)

    assert Settings().max_outcomes == workload.max_outcomes
    assert Settings().precision == workload.precision
