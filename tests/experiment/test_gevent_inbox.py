"""The inbox of runs in real time: order, deadlines, and work in the background."""

import gevent
import pytest

from ipvsload.errors import InvalidRunError
from ipvsload.experiment.gevent_inbox import GeventInbox
from ipvsload.experiment.monotonic_clock import MonotonicClock


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


def test_news_come_in_their_order_and_none_at_the_deadline(clock: MonotonicClock) -> None:
    inbox = GeventInbox(clock)
    first, second = InvalidRunError("first"), InvalidRunError("second")
    inbox.put(first)
    inbox.put(second)
    assert inbox.get() is first
    assert inbox.get(0) is second  # what is there is given, however late it is
    deadline = clock.now_us() + 20_000
    assert inbox.get(deadline) is None
    assert clock.now_us() >= deadline


def test_a_wait_ends_when_something_comes(clock: MonotonicClock) -> None:
    inbox = GeventInbox(clock)
    error = InvalidRunError("interrupted")
    gevent.spawn_later(0.01, inbox.put, error)
    assert inbox.get() is error


def test_everything_that_is_there_is_taken_without_waiting(clock: MonotonicClock) -> None:
    inbox = GeventInbox(clock)
    assert inbox.take_all() == []
    inbox.put(None)
    inbox.put(None)
    assert inbox.take_all() == [None, None]
    assert inbox.take_all() == []


def test_the_end_of_work_in_the_background_is_told(clock: MonotonicClock) -> None:
    inbox = GeventInbox(clock)
    done: list[int] = []

    def work() -> None:
        gevent.sleep(0.01)
        done.append(1)

    inbox.run_in_background(work)
    assert not done
    assert inbox.get() is None
    assert done


def test_what_work_in_the_background_raises_is_told(
    clock: MonotonicClock, capfd: pytest.CaptureFixture[str]
) -> None:
    inbox = GeventInbox(clock)
    error = InvalidRunError("a worker went away")

    def work() -> None:
        raise error

    inbox.run_in_background(work)
    assert inbox.get() is error
    assert "Traceback" not in capfd.readouterr().err
