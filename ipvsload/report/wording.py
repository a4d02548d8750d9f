"""Figures and short sentences as people read them, the same in every report."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ipvsload.results.results import Results, VerdictName
from ipvsload.statistics.median_range import MedianRange

DASH = "\u2013"
"""The en dash: no value, and the middle of a range."""
MAX_WEIGHTS = 3
"""Of a server whose weight changed more often, the first and the last are shown."""


_COUNT = re.compile(r"(?<!server )(?<![\w.:])\d+(\.\d+)?(?![\w.:]*\w)")
"""A number that counts or measures, and not one in a name: class2, server 2, 192.0.2.1:80."""
_OF_RUNS: dict[VerdictName, str] = {
    "held": "held",
    "failed": "failed",
    "invalid": "did not count",
}


def figure(value: float | None) -> str:
    """A number with three to four significant digits; a dash where there is none."""
    if value is None:
        return DASH
    if value == int(value) or abs(value) >= 1000:
        whole = round(value)
        return str(whole) if abs(value) < 10_000 else f"{whole:,}".replace(",", "\u202f")
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
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} ms"


def percent(value: float | None) -> str:
    """A fraction as a percentage: 0.5 is 50 %. A small part of something is never 0 %."""
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


def weights(courses: Sequence[Sequence[int]]) -> str:
    """The weights that a server had one after the other: "3", "3, then 0".

    Courses that differ between runs stand beside each other.
    """
    return " or ".join(map(_course, courses)) or DASH


def _course(found: Sequence[int]) -> str:
    if len(found) > MAX_WEIGHTS:
        return f"{found[0]} … {found[-1]} ({len(found)} weights)"
    return ", then ".join(map(str, found)) or DASH


def verdict_line(results: Results) -> str:
    """What the verdict means, as one sentence without its word."""
    if (check := results.self_check) and results.verdict != "invalid":
        itself = f"{plural(check.comparisons, 'comparison')} of {check.label} with itself"
        return f"{plural(check.alarms, 'false alarm')} in {itself}"
    asked = [e for e in results.expectations if e.held is not None]
    broken = sum(not e.held for e in asked)
    runs = plural(len(results.runs), "run")
    early = sum(run.ended_early is not None for run in results.runs)
    match results.verdict:
        case "held" if not asked:
            return f"nothing was expected of {runs}"
        case "held":
            return f"{plural(len(asked), 'expectation')} held in {runs}"
        case "failed":
            parts = [f"{early} of {runs} ended early"] if early else []
            worse = len(results.regression.worse) if results.regression else 0
            if broken or not (early or worse):
                expected = plural(len(asked), "expectation")
                parts.append(f"{broken} of {expected} did not hold in {runs}")
            if worse and results.regression:
                found = results.regression.compared
                of = plural(len(found.pairs), "comparison")
                parts.append(f"worse than in {found.first}: {worse} of {of}")
            return ", and ".join(parts)
        case _:
            return _invalid_line(results)


def _invalid_line(results: Results) -> str:
    """What of a recording that does not count as a whole counts by itself."""
    verdicts = Counter(run.verdict for run in results.runs)
    if not verdicts["held"] and not verdicts["failed"]:
        return "this recording does not count"
    parts = [f"{verdicts[one]} {words}" for one, words in _OF_RUNS.items() if verdicts[one]]
    whole = "this recording is not whole; " if results.ends else ""
    return f"{whole}of {plural(len(results.runs), 'run')} {', '.join(parts)}"


def problems(results: Results) -> list[str]:
    """Why the recording is not valid: where it ends too early, and each run's reasons."""
    lines = list(results.ends)
    if results.regression and results.regression.reason:
        against = results.regression.compared.first
        lines.append(f"nothing can be held against {against}: {results.regression.reason}")
    for run in results.runs:
        lines += [f"run {run.number} ({run.label}): {reason}" for reason in run.reasons]
    return lines


def early_ends(results: Results) -> list[str]:
    """Why runs ended early, and failed."""
    return [
        f"run {run.number} ({run.label}): {run.ended_early.reason}"
        for run in results.runs
        if run.ended_early
    ]


def but_for_numbers(text: str) -> str:
    """The text without what it counts or measures: what differs in that alone says the same."""
    return _COUNT.sub("#", text)


def remarks(results: Results) -> list[str]:
    """The notes of all runs, each once, with the schedulers that it is about.

    The first says how often somebody looked, where nothing was seen. Notes that differ only
    in their numbers are one: repeats would say the same again and again.
    """
    about: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for run in results.runs:
        shapes: Counter[str] = Counter()
        for note in dict.fromkeys(run.notes):
            shape = but_for_numbers(note)
            shapes[shape] += 1
            about.setdefault((shape, shapes[shape]), []).append((note, run.label))
    told = (*results.notes, *legend(results), *arrivals_line(results), *unseen(results))
    return [*told, *map(_remark, about.values())]


def watched(results: Results) -> str:
    """What the watching of packets brought and cost in all runs; "" where nobody watched.

    A simulation has no packets to watch, only the model's.
    """
    if results.simulated:
        return ""
    found = [run.witness for run in results.runs if run.witness]
    if not any(one.packets for one in found):
        return ""
    packets, dropped = sum(one.packets for one in found), sum(one.dropped for one in found)
    lost = figure(dropped) if dropped else "none"
    size, cpu_s = sum(one.size for one in found) / 1e6, sum(one.cpu_s for one in found)
    return (
        f"packets at the director: {figure(packets)} kept, {lost} lost"
        f" ({size:.2f} MB, {cpu_s:.2f} s of CPU)"
    )


def arrivals_line(results: Results) -> list[str]:
    """In how many runs all open classes were sent as asked for; nothing where there are none.

    Why others were not believed stands in their reasons, and all figures in `arrival_rows.py`.
    """
    runs = [[t.arrivals for t in run.traffic.values() if t.arrivals] for run in results.runs]
    runs = [found for found in runs if found]
    whole = [found for found in runs if all(one.verdict == "believed" for one in found)]
    few = sum(any(one.verdict == "too few to tell" for one in found) for found in runs)
    levels = {one.level for found in whole for one in found if any(t.p for t in one.tests)}
    tested = f" (tested at level {max(levels):g})" if levels else ""
    lines = []
    if whole and len(whole) == len(runs):
        where = "the run" if len(runs) == 1 else "all runs"
        lines.append(f"arrivals as asked for in {where}{tested}")
    elif whole:
        where = f"{len(whole)} of {plural(len(runs), 'run')}"
        lines.append(f"arrivals as asked for in {where}{tested}")
    if few:
        lines.append(f"too few arrivals of a class to tell in {plural(few, 'run')}")
    return ["; ".join(lines)] if lines else []


def legend(results: Results) -> list[str]:
    """What the labels stand for that are not just a scheduler's name."""
    return [
        f"{one.label} is {', '.join((one.scheduler, *one.asked))}"
        for one in results.schedulers
        if one.label != one.scheduler or one.asked
    ]


def _remark(alike: Sequence[tuple[str, str]]) -> str:
    """One note for those of several runs."""
    first = alike[0][0]
    names = ", ".join(dict.fromkeys(scheduler for _, scheduler in alike))
    others = sum(note != first for note, _ in alike)
    return f"{names}: {first}" + (
        f" (with other numbers in {plural(others, 'more run')})" if others else ""
    )


def unseen(results: Results) -> list[str]:
    """How often samples were taken where none shows an active connection of a busy server."""
    periods = {
        f"{figure(run.sampling.period_ms / 1000)} s"
        for run in results.runs
        if run.sampling and any(s.connections and s.active_max == 0 for s in run.servers)
    }
    each = " or ".join(sorted(periods))
    words = f"active connections are counted in samples, one each {each}"
    return [f"{words}: what came and went between two was not seen"] if periods else []


def named(label: str, settings: Iterable[str]) -> str:
    """A scheduler's label with what else decides beside it: "rr, persistent 60 s"."""
    told = label.split("-")  # a label may say it by itself
    return ", ".join((label, *(words for words in settings if words not in told)))


def place(results: Results) -> list[str]:
    """Where it was: the testbed, the kernels, and what was set on the director in all runs."""
    if results.simulated:
        told = ["simulated: ipvsload's model of IPVS, not a kernel"]
    else:
        told = [results.testbed, f"kernel {results.kernels}"]
    return told + ([f"director set to {', '.join(results.settings)}"] if results.settings else [])


def plural(number: int, noun: str) -> str:
    """The noun with its number: "1 run", "2 runs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(text: str) -> str:
    """The text without line breaks, and without what would steer a terminal."""
    return "".join(
        c if c.isprintable() or c == "\u202f" else " " if c.isspace() else "\ufffd" for c in text
    )


def plain(text: str) -> str:
    """The text in ASCII: the characters that reports use are replaced, others become "?"."""
    table: dict[str, str | int | None] = {
        DASH: "-", "·": "|", "…": "...", "✓": "ok", "✗": "NO", "\u202f": "",
    }  # fmt: skip
    text = re.sub(r"(?<=\d)·(?=\d)", "*", text)  # a product, and no mark between two texts
    return text.translate(str.maketrans(table)).encode("ascii", "replace").decode()
