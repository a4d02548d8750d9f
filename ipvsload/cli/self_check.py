"""`--self-check N` of `run` and `simulate`: a scheduler compared with itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.repeats import Repeats
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.record.writer import RunWriter
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.self_check import SelfCheck
    from ipvsload.scenario.variant import Variant

MOST = 1000


def self_check_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a command that takes `comparisons`."""
    return click.option(
        "--self-check",
        "comparisons",
        type=click.IntRange(1, MOST),
        metavar="N",
        help="Compare one scheduler with itself, N times, and count false alarms: that of"
        " --scheduler, or else the baseline. --repeats is then the blocks of each comparison, by"
        " default 10.",
    )(command)


def blocks_of_each(times: Repeats) -> Repeats:
    """The blocks of a comparison: --repeats, or the default where nobody gave it.

    Raises UsageError for --repeats auto.
    """
    from ipvsload.scenario.self_check import BLOCKS

    if times.precision:
        raise UsageError("--self-check compares a fixed number of blocks: not --repeats auto")
    source = click.get_current_context().get_parameter_source("repeats")
    return times if source == click.core.ParameterSource.COMMANDLINE else Repeats(BLOCKS)


def column_to_check(named: tuple[str, ...], scenario: "Scenario") -> "Variant":
    """Which scheduler is compared with itself. Raises UsageError where several are named."""
    if len(named) > 1:
        raise UsageError("--self-check compares one scheduler with itself: name one --scheduler")
    asked = named or ((scenario.baseline,) if scenario.baseline else ())
    return wanted_variants(asked, scenario)[0]


def begin_self_check(
    variant: "Variant",
    comparisons: int,
    blocks: int,
    writer: "RunWriter",
    now_us: int,
    *,
    apart: bool = False,
) -> "SelfCheck":
    """Plan the check of this column, and record it."""
    from ipvsload.record.events import SelfCheckPlanned
    from ipvsload.scenario.self_check import planned_self_check

    check = planned_self_check(variant, comparisons, blocks, apart=apart)
    writer.event(
        SelfCheckPlanned(
            0, now_us, check.label, check.again, check.comparisons, check.blocks, check.apart
        )
    )
    return check
