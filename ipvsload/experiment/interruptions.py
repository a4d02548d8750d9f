"""What ends a session from outside: signals, and a testbed that breaks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from signal import SIGINT, SIGTERM, getsignal, signal

import gevent
from gevent.socket import wait_read

from ipvsload.experiment.session import StoppedError
from ipvsload.testbed.base import Lifecycle


@contextmanager
def signals_told(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Tell of Ctrl-C and SIGTERM, instead of raising KeyboardInterrupt just anywhere."""
    with ExitStack() as stack:
        for number in (SIGINT, SIGTERM):
            stack.callback(signal, number, getsignal(number))
            stack.callback(gevent.signal_handler(number, tell, StoppedError()).cancel)
        yield


def failure_watcher(testbed: Lifecycle, tell: Callable[[Exception], None]) -> gevent.Greenlet:
    """A greenlet that tells of the first thing that breaks in the testbed, until it is killed."""

    def wait_for_failure() -> None:
        error = None
        while error is None:
            wait_read(testbed.fileno())
            error = testbed.broken()
        tell(error)

    return gevent.spawn(wait_for_failure)
