"""All runs of one command: schedulers in turn, repeated, into one directory.

Repeats are interleaved (rr, lc, rr, lc, ...), so that a machine that is slow
for a while is slow for all schedulers alike.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from signal import SIGINT, SIGTERM, getsignal, signal
from typing import TYPE_CHECKING, Any

import gevent
from gevent.socket import wait_read

from ipvsload.errors import InvalidRunError, IpvsloadError
from ipvsload.experiment.clock import Clock
from ipvsload.experiment.run import Run
from ipvsload.experiment.run_context import Stage
from ipvsload.record.events import RecordingEnded, RunInvalid
from ipvsload.record.writer import RunWriter
from ipvsload.testbed.base import Testbed

if TYPE_CHECKING:
    from gevent.queue import SimpleQueue


class StoppedError(InvalidRunError):
    """Somebody pressed Ctrl-C or Stop, or sent SIGTERM."""

    def __init__(self) -> None:
        super().__init__("interrupted")


def play(stage: Stage, schedulers: Sequence[str], repeats: int) -> None:
    """Every run, or up to the first that breaks.

    Raises TestbedError and InvalidRunError; what was recorded stays, with the
    reason, and the record is closed in any case.
    """
    writer, clock, progress = stage.writer, stage.clock, stage.progress
    number = 0
    try:
        for repeat in range(1, repeats + 1):
            for scheduler in schedulers:
                number += 1
                progress.begin(scheduler, repeat, repeats)
                with recorded(writer, clock, number):
                    Run(stage, number).play(scheduler, repeat)
                    _raise_what_came_late(stage.inbox)
        writer.event(RecordingEnded(0, clock.now_us()))
    finally:
        progress.close()
        writer.close()


@contextmanager
def recorded(writer: RunWriter, clock: Clock, number: int = 0) -> Iterator[None]:
    """What breaks run `number` off is in the record; 0 is the recording as a whole."""
    try:
        yield
    except IpvsloadError as error:
        if not writer.failed:
            writer.event(RunInvalid(number, clock.now_us(), str(error)))
        raise


@contextmanager
def stopped_by_signals(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM are told, instead of raising KeyboardInterrupt anywhere."""
    with ExitStack() as stack:
        for number in (SIGINT, SIGTERM):
            stack.callback(signal, number, getsignal(number))
            handler = gevent.signal_handler(number, tell, StoppedError())
            stack.callback(handler.cancel)
        yield


@contextmanager
def watched(testbed: Testbed, tell: Callable[[Exception], None]) -> Iterator[None]:
    """What dies in the testbed is told."""

    def watch() -> None:
        while True:
            wait_read(testbed.fileno())
            if error := testbed.broken():
                tell(error)
                return

    greenlet = gevent.spawn(watch)
    try:
        yield
    finally:
        greenlet.kill()


def _raise_what_came_late(inbox: "SimpleQueue[Any]") -> None:
    """An error of a run's very end, such as a full disk, has no wait to be met in."""
    while not inbox.empty():
        item = inbox.get()
        if isinstance(item, BaseException):
            raise item
