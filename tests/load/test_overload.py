"""A generator at its limit says so; one that is not keeps quiet."""

import time
from collections.abc import Iterator

import pytest

from ipvsload.load import overload
from ipvsload.load.http_client import HttpClient
from ipvsload.load.overload import Overload
from ipvsload.scenario.url import HttpTarget
from tests.load.sending import until


@pytest.fixture
def client() -> Iterator[HttpClient]:
    errors: list[Exception] = []
    made = HttpClient(HttpTarget("127.0.0.1", 9), None, errors.append)
    yield made
    made.close()
    assert not errors


def test_an_idle_generator_has_nothing_to_say(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "WINDOW", 0.01)
    monkeypatch.setattr(overload, "LAG_LIMIT_NS", 10**11)
    monkeypatch.setattr(overload, "CPU_LIMIT", 2.0)
    measured = Overload(client)
    turns: list[int] = []
    client.timers.at(time.monotonic_ns() + 50_000_000, lambda: turns.append(1))
    until(lambda: bool(turns))
    assert measured.reasons() == []
    measured.close()


def test_one_that_was_held_up_says_for_how_long(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "LAG_LIMIT_NS", 100_000_000)
    monkeypatch.setattr(overload, "CPU_LIMIT", 2.0)
    measured = Overload(client)
    turns: list[int] = []
    # sleep returns None: it is called for the time that it takes.
    until(lambda: not client.timers.take_lag() and not time.sleep(0.2))  # type: ignore[func-returns-value]
    client.timers.at(time.monotonic_ns(), lambda: turns.append(1))
    until(lambda: bool(turns))
    (reason,) = measured.reasons()
    assert reason.startswith("generator held up for ")
    assert "(limit 100 ms)" in reason
    measured.close()


def test_one_without_time_left_says_how_busy_it_was(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "WINDOW", 0.01)
    monkeypatch.setattr(overload, "LAG_LIMIT_NS", 10**11)
    monkeypatch.setattr(overload, "CPU_LIMIT", 0.0)
    measured = Overload(client)
    until(lambda: bool(measured.reasons()))
    (reason,) = measured.reasons()
    assert reason.startswith("generator overloaded: ")
    assert "of a core over 0.01 s (limit 0%); lower the load or spread it" in reason
    measured.close()
