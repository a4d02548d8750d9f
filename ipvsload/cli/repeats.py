"""How often a scenario is repeated: `--repeats`, and when `--repeats auto` ends."""

from typing import Any, NamedTuple, TypeVar

import click

from ipvsload.errors import UsageError

AUTO = "auto"
MOST_BY_DEFAULT = 50
_MOST = 1000
_LEAST_MOST = 10
"""Fewer blocks are never enough for a precision (results/precision.py)."""
_BY_DEFAULT = 0.05

_Command = TypeVar("_Command", bound=Any)


class Repeats(NamedTuple):
    """At most so many; with a precision, until intervals are that narrow to either side."""

    most: int
    precision: float | None = None


def _count(_context: click.Context, _parameter: click.Parameter, value: str) -> int | str:
    """A number, or "auto"."""
    if value == AUTO:
        return AUTO
    if value.isdecimal() and 1 <= int(value) <= _MOST:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither a number from 1 to {_MOST} nor {AUTO!r}")


def _part(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """A part, of a text such as "5%"."""
    if value is None:
        return None
    from ipvsload.scenario.measured_difference import part_of_percentage

    part = part_of_percentage(value)
    if part is None:
        raise click.BadParameter(f"{value!r} is no percentage such as 5%, above 0 and below 100")
    return part


def with_repeats(command: _Command) -> _Command:
    """Add the options to a command: they come as `repeats`, `precision` and `max_repeats`."""
    for option in (
        click.option(
            "--max-repeats",
            type=click.IntRange(_LEAST_MOST, _MOST),
            help=f"Where --repeats auto ends at the latest. Default: {MOST_BY_DEFAULT}.",
        ),
        click.option(
            "--precision",
            metavar="PERCENT",
            callback=_part,
            help="How narrow --repeats auto makes the 95 % interval of each difference to the"
            " baseline, to either side, as a part of the baseline's median. Default: 5%.",
        ),
        click.option(
            "--repeats",
            default="1",
            show_default=True,
            metavar=f"N|{AUTO}",
            callback=_count,
            help="How often all is repeated; auto: until intervals are narrow (--precision).",
        ),
    ):
        command = option(command)
    return command


def wanted_repeats(repeats: int | str, precision: float | None, max_repeats: int | None) -> Repeats:
    """What the options say. Raises UsageError where they do not go together."""
    if repeats == AUTO:
        return Repeats(max_repeats or MOST_BY_DEFAULT, precision or _BY_DEFAULT)
    for name, value in (("--precision", precision), ("--max-repeats", max_repeats)):
        if value is not None:
            raise UsageError(f"{name} says when --repeats auto ends: give that, too")
    return Repeats(int(repeats))
