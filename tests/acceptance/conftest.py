"""One server for all tests that leave it as it was; the others start their own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.acceptance.client import Api

from ionbox import LocalServer


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("IONBOX_") or name == "IONQ_API_KEY":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    # Two workers are the fewest: pytest-xdist starts one such server on every core.
    with LocalServer(workers=2) as server:
        yield server


@pytest.fixture(scope="session")
def api(server: LocalServer) -> Api:
    return Api.of(server)
