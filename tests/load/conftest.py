"""What the tests of the load share."""

from collections.abc import Iterator

import gevent
import pytest

from tests.load.real import RealServers


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    with gevent.Timeout(60):
        yield


@pytest.fixture(scope="package")
def target() -> Iterator[tuple[str, int]]:
    """One of the lab's real servers, on loopback."""
    with RealServers() as servers:
        yield servers.add()
