"""All runs of one command: every scheduler, repeated, into one directory.

A repeat is a block, in which each scheduler has its turn. So if the machine is slow for a
while, it is slow for all schedulers alike.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError
from ipvsload.experiment.block_order import block_order
from ipvsload.experiment.clock import Clock
from ipvsload.experiment.run import play_run
from ipvsload.experiment.run_context import RunContext
from ipvsload.record.events import BlocksPlanned, RecordingEnded, RunInvalid
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import BalancerControl


class StoppedError(InvalidRunError):
    """The user pressed Ctrl-C or Stop, or the process got SIGTERM or SIGHUP."""

    def __init__(self) -> None:
        super().__init__("interrupted")


def play(context: RunContext, variants: Sequence[Variant], repeats: int) -> None:
    """Play every run, or up to the first that breaks; none where one of these cannot be had.

    Raises TestbedError and InvalidRunError; what was recorded stays, with the
    reason, and the record is closed in any case.
    """
    writer, clock, progress = context.writer, context.clock, context.progress
    seed = context.scenario.seed
    runs = (
        (repeat, variant)
        for repeat in range(1, repeats + 1)
        for variant in block_order(variants, seed, repeat, alone=repeats == 1)
    )
    try:
        with recorded(writer, clock):
            _demand(context.testbed, variants)
        labels = [variant.label for variant in variants]
        writer.event(BlocksPlanned(0, clock.now_us(), labels, repeats))
        for number, (repeat, variant) in enumerate(runs, 1):
            progress.begin(variant.label, repeat, repeats)
            with recorded(writer, clock, number):
                play_run(context, number, variant, repeat)
                # An error at the very end of a run, such as a full disk: no wait has
                # raised it.
                for news in context.inbox.take_all():
                    if isinstance(news, BaseException):
                        raise news
        writer.event(RecordingEnded(0, clock.now_us()))
    finally:
        progress.close()
        writer.close()


def _demand(testbed: BalancerControl, variants: Sequence[Variant]) -> None:
    """Raise TestbedError where it lacks one of them: now, and not when its turn comes."""
    asked = list(dict.fromkeys(one.scheduler for one in variants if one.scheduler))
    missing = dict(testbed.missing_balancers(asked)) if asked else {}
    for variant in variants:
        if variant.settings and (reason := testbed.refused_settings(variant.settings)):
            missing[variant.label] = reason
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
