"""One server for all tests that leave it as it was; the others start their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from tests.acceptance.client import Api
from tests.acceptance.testers import log_of, with_new_key

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


@pytest.fixture(scope="session")
def testing() -> Iterator[LocalServer]:
    with LocalServer(workers=2, testing=True) as server:
        yield server
        assert "Traceback" not in log_of(server)
        assert "ASGI" not in log_of(server)


@pytest.fixture
def new_tester(testing: LocalServer) -> Callable[[], Api]:
    return lambda: with_new_key(testing)


@pytest.fixture
def tester(new_tester: Callable[[], Api]) -> Api:
    """Return a caller with a key that nobody else has: what it asks for touches no other test."""
    return new_tester()
