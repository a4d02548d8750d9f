"""All runs of one command: every scheduler, repeated, into one directory.

A repeat is a block, in which each scheduler has its turn. So if the machine is slow for a
while, it is slow for all schedulers alike.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError
from ipvsload.experiment.block_order import block_order
from ipvsload.experiment.clock import Clock, News
from ipvsload.experiment.run import play_run
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.settling_runs import SettlingRuns
from ipvsload.experiment.stopping_rule import StoppingRule
from ipvsload.record.events import BlocksEnded, BlocksPlanned, RecordingEnded, RunInvalid
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import BalancerControl

_HEAR_US = 1_000
"""So long what was put into the inbox meanwhile is waited for."""


class StoppedError(InvalidRunError):
    """The user pressed Ctrl-C or Stop, or the process got SIGTERM or SIGHUP."""

    def __init__(self) -> None:
        super().__init__("interrupted")


def play(
    context: RunContext,
    variants: Sequence[Variant],
    repeats: int,
    rule: StoppingRule | None = None,
) -> None:
    """Play every run, or up to the first that breaks; none where one of these cannot be had.

    With a rule there are `repeats` at most, and as many as it wants. Raises TestbedError and
    InvalidRunError; what was recorded stays, with the reason, and the record is closed in any
    case.
    """
    writer, clock, progress = context.writer, context.clock, context.progress
    settling = SettlingRuns(context)
    number = 0
    try:
        with recorded(writer, clock):
            _demand(context.testbed, variants)
        labels = [variant.label for variant in variants]
        precision = rule.precision if rule else None
        writer.event(BlocksPlanned(0, clock.now_us(), labels, repeats, precision))
        for block in range(1, repeats + 1):
            order = block_order(variants, context.scenario.seed, block, alone=repeats == 1)
            for variant in order:
                number += 1
                progress.begin(variant.label, block, 0 if rule else repeats)
                with recorded(writer, clock, number):
                    # A rule reckons with whole blocks.
                    last = variant is order[-1] and (rule is not None or block == repeats)
                    play_run(context, settling, number, variant, block, to_its_end=last)
                    # An error at the very end of a run, such as a full disk: no wait has
                    # raised it.
                    _raise(context.inbox.take_all(), settling)
            if rule and _was_last(context, settling, rule, block, repeats):
                break
        settling.finish()
        writer.event(RecordingEnded(0, clock.now_us()))
    except TestbedError:
        raise  # nothing settles any more
    except IpvsloadError:
        with suppress(IpvsloadError):  # the first one is told
            settling.finish()
        raise
    finally:
        settling.give_up()
        progress.close()
        writer.close()


def _was_last(
    context: RunContext, settling: SettlingRuns, rule: StoppingRule, block: int, most: int
) -> bool:
    """Whether the rule wants no more blocks; it and the record are told why."""
    writer, clock = context.writer, context.clock
    with recorded(writer, clock):
        decision = rule.after(block, most)
        context.progress.block_over(decision.words)
        # While the rule reckoned, nobody heard of Ctrl-C.
        heard = [context.inbox.get(clock.now_us() + _HEAR_US), *context.inbox.take_all()]
        _raise(heard, settling)
    if decision.ends is None:
        return False
    writer.event(BlocksEnded(0, clock.now_us(), block, decision.ends))
    return True


def _raise(found: Iterable[News], settling: SettlingRuns) -> None:
    """Raise the error among these; the rest is for runs that settle."""
    for news in found:
        if isinstance(news, BaseException):
            raise news
        settling.take(news)


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
