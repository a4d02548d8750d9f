"""All runs of one command: schedulers in turn, repeated, into one directory.

Repeats are interleaved (rr, lc, rr, lc, ...). So if the machine is slow for a
while, it is slow for all schedulers alike.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError
from ipvsload.experiment.clock import Clock
from ipvsload.experiment.run import play_run
from ipvsload.experiment.run_context import RunContext
from ipvsload.record.events import RecordingEnded, RunInvalid
from ipvsload.record.writer import RunWriter
from ipvsload.testbed.base import BalancerControl


class StoppedError(InvalidRunError):
    """The user pressed Ctrl-C or Stop, or the process got SIGTERM or SIGHUP."""

    def __init__(self) -> None:
        super().__init__("interrupted")


def play(context: RunContext, schedulers: Sequence[str], repeats: int) -> None:
    """Play every run, or up to the first that breaks; none where a scheduler is missing.

    Raises TestbedError and InvalidRunError; what was recorded stays, with the
    reason, and the record is closed in any case.
    """
    writer, clock, progress = context.writer, context.clock, context.progress
    runs = product(range(1, repeats + 1), schedulers)
    try:
        with recorded(writer, clock):
            _demand(context.testbed, schedulers)
        for number, (repeat, scheduler) in enumerate(runs, 1):
            progress.begin(scheduler, repeat, repeats)
            with recorded(writer, clock, number):
                play_run(context, number, scheduler, repeat)
                # An error at the very end of a run, such as a full disk: no wait has
                # raised it.
                for news in context.inbox.take_all():
                    if isinstance(news, BaseException):
                        raise news
        writer.event(RecordingEnded(0, clock.now_us()))
    finally:
        progress.close()
        writer.close()


def _demand(testbed: BalancerControl, schedulers: Sequence[str]) -> None:
    """Raise TestbedError where it lacks one of them: now, and not when its turn comes."""
    asked = list(dict.fromkeys(filter(None, schedulers)))
    missing = testbed.missing_balancers(asked) if asked else {}
    if missing:
        told = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise TestbedError(f"nothing was run. {told}")


@contextmanager
def recorded(writer: RunWriter, clock: Clock, number: int = 0) -> Iterator[None]:
    """Record the error that ends run `number`; 0 is the recording as a whole."""
    try:
        yield
    except IpvsloadError as error:
        if not writer.failed:
            writer.event(RunInvalid(number, clock.now_us(), str(error)))
        raise
