"""Figures and short sentences as people read them, the same in every report."""

from collections.abc import Callable
from dataclasses import dataclass

from ipvsload.results.results import ExpectationResult, Results
from ipvsload.statistics.median_range import MedianRange, median_range

DASH = "\u2013"
"""The en dash: no value, and the middle of a range."""


def figure(value: float | None) -> str:
    """A number with three to four digits that count; a dash where there is none."""
    if value is None:
        return DASH
    if value == int(value) or abs(value) >= 1000:
        return (
            f"{round(value):,}".replace(",", "\u202f")
            if abs(value) >= 10_000
            else str(round(value))
        )
    if abs(value) < 0.001:
        return f"{value:.1g}"
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def milliseconds(value: float | None) -> str:
    """A latency in ms with its unit; whole seconds from 10 s on."""
    if value is None:
        return DASH
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    return (
        f"{value:.0f} ms"
        if value >= 100
        else f"{value:.1f} ms"
        if value >= 10
        else f"{value:.2f} ms"
    )


def percent(value: float | None) -> str:
    """A fraction as a percentage: 0.5 is 50 %; almost none is never 0 %."""
    if value is None:
        return DASH
    hundred = value * 100
    if hundred in (0, 100) or 0.5 <= hundred <= 99.5:
        return f"{hundred:.0f} %"
    return f"{hundred:.2f} %"


def over(value: MedianRange | None, text: Callable[[float | None], str] = figure) -> str:
    """A median with its range, "3 [2-7]" with an en dash; only the median where nothing varied."""
    if value is None:
        return DASH
    middle, low, high = text(value.median), text(value.min), text(value.max)
    if low == high:
        return middle
    if low.split(" ")[1:] == high.split(" ")[1:]:
        low = low.split(" ")[0]  # one unit for both
    return f"{middle} [{low}{DASH}{high}]"


@dataclass(frozen=True, slots=True)
class Asked:
    """One expectation over the repeats of a scheduler.

    `scheduler` is "" for a comparison of schedulers. `held` counts the runs in
    which it held; `asked` those in which it could be asked.
    """

    scheduler: str
    expression: str
    measured: MedianRange | None
    held: int
    asked: int
    reason: str | None

    @property
    def ok(self) -> bool | None:
        """None where it could not be asked."""
        return self.held == self.asked if self.asked else None


def expectations(results: Results) -> list[Asked]:
    """The expectations of all runs, repeats taken together, comparisons last."""
    groups: dict[tuple[str, str], list[ExpectationResult]] = {}
    for run in results.runs:
        for expectation in run.expectations:
            groups.setdefault((run.scheduler, expectation.expression), []).append(expectation)
    for expectation in results.comparisons:
        groups.setdefault(("", expectation.expression), []).append(expectation)
    order = [*dict.fromkeys(run.scheduler for run in results.runs), ""]
    keys = sorted(groups, key=lambda key: order.index(key[0]))
    return [_asked(scheduler, text, groups[scheduler, text]) for scheduler, text in keys]


def _asked(scheduler: str, expression: str, found: list[ExpectationResult]) -> Asked:
    return Asked(
        scheduler=scheduler,
        expression=expression,
        measured=median_range([e.measured for e in found]),
        held=sum(e.held is True for e in found),
        asked=sum(e.held is not None for e in found),
        reason=next((e.reason for e in found if e.reason), None),
    )


def verdict_line(results: Results) -> str:
    """What the verdict means, as one sentence without its word."""
    asked = [e for e in results.expectations if e.held is not None]
    broken = sum(not e.held for e in asked)
    runs = plural(len(results.runs), "run")
    match results.verdict:
        case "held" if not asked:
            return f"nothing was expected of {runs}"
        case "held":
            return f"{plural(len(asked), 'expectation')} held in {runs}"
        case "failed":
            return f"{broken} of {plural(len(asked), 'expectation')} did not hold in {runs}"
        case _:
            return "this recording does not count"


def problems(results: Results) -> list[str]:
    """Why it does not count: where the recording ends, and each run's reasons."""
    lines = list(results.ends)
    for run in results.runs:
        lines += [f"run {run.number} ({run.scheduler}): {reason}" for reason in run.reasons]
    return lines


def remarks(results: Results) -> list[str]:
    """What a reader should know besides, each said once."""
    return list(
        dict.fromkeys(f"{run.scheduler}: {note}" for run in results.runs for note in run.notes)
    )


def kernels(results: Results) -> str:
    """The kernels that balanced: "6.1.0 (uml)"."""
    names = (
        f"{run.kernel.get('release', 'unknown')} ({run.kernel.get('provider', 'unknown')})"
        for run in results.runs
    )
    return ", ".join(dict.fromkeys(names))


def plural(number: int, noun: str) -> str:
    """The noun with its number: "1 run", "2 runs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(text: str) -> str:
    """The text without line breaks, and without what would steer a terminal."""
    return "".join(_character(c) for c in text)


def _character(c: str) -> str:
    if c.isprintable() or c == "\u202f":
        return c
    return " " if c.isspace() else "\ufffd"


def plain(text: str) -> str:
    """The text with the few characters of ours beyond ASCII replaced; others become "?"."""
    table: dict[str, str | int | None] = {
        DASH: "-", "·": "|", "…": "...", "✓": "ok", "✗": "NO", "\u202f": "",
    }  # fmt: skip
    return text.translate(str.maketrans(table)).encode("ascii", "replace").decode()
