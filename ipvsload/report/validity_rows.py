"""Whether a recording can be believed, with the figures by which that was judged.

A run that does not count says why in its reasons. The rows here say what was looked at, also
where all was well: how late was sent, what was not sampled, whose choices were the model's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ipvsload.report.attribution_words import attributed
from ipvsload.report.wording import (
    arrivals_line,
    but_for_numbers,
    figure,
    milliseconds,
    plural,
    watched,
)
from ipvsload.results.prediction import Prediction, together
from ipvsload.results.results import Results, RunResult
from ipvsload.results.validity import MAX_GAP_SECONDS

MOST_NAMED = 6
"""Of more runs with one fault, how many there are is told."""


@dataclass(frozen=True, slots=True)
class ValidityRow:
    """One thing that was looked at. `ok` is None where it decides nothing."""

    name: str
    told: str
    ok: bool | None = True
    details: tuple[str, ...] = ()


def validity_rows(results: Results) -> list[ValidityRow]:
    """What the records know; a row less where they do not say it."""
    if not results.runs:
        return []
    parts: tuple[Callable[[Results], Iterator[ValidityRow]], ...] = (
        _counting, _late, _arrivals, _sampled, _predicted, _witnessed, _attributed,
    )  # fmt: skip
    return [row for part in parts for row in part(results)]


def _counting(results: Results) -> Iterator[ValidityRow]:
    valid = sum(run.valid for run in results.runs)
    told = f"{valid} of {len(results.runs)}"
    if valid and not results.simulated:
        each = "each" if valid > 1 else "it"
        told += f": {each} is whole, and its generator was never overloaded or held up"
    whole = valid == len(results.runs) and not results.ends
    yield ValidityRow("runs that count", told, whole, (*results.ends, *_why_not(results.runs)))


def _why_not(runs: Sequence[RunResult]) -> list[str]:
    """Each reason once, with the runs that it is of; those that differ in numbers are one."""
    found: dict[str, list[tuple[RunResult, str]]] = {}
    for run in runs:
        for reason in run.reasons:
            found.setdefault(but_for_numbers(reason), []).append((run, reason))
    return [_of_runs(alike) for alike in found.values()]


def _of_runs(alike: Sequence[tuple[RunResult, str]]) -> str:
    names = list(dict.fromkeys(f"{run.number} ({run.label})" for run, _ in alike))
    more = f" and {plural(len(names) - MOST_NAMED, 'more run')}" if len(names) > MOST_NAMED else ""
    who = f"{'run' if len(names) == 1 else 'runs'} {', '.join(names[:MOST_NAMED])}{more}"
    others = any(reason != alike[0][1] for _, reason in alike)
    return f"{who}: {alike[0][1]}" + (" (the first one's numbers)" if others else "")


def _late(results: Results) -> Iterator[ValidityRow]:
    found = [
        (traffic.lateness_ms, name, run)
        for run in results.runs
        for name, traffic in run.traffic.items()
        if traffic.lateness_ms
    ]
    if found and not results.simulated:
        told = []
        for which in ("p99", "max"):
            late, name, run = max(found, key=lambda one: one[0][which])
            told.append(f"{which} at most {milliseconds(late[which])} ({name}, run {run.number})")
        yield ValidityRow("sent late", "; ".join(told), None)


def _arrivals(results: Results) -> Iterator[ValidityRow]:
    judged = [
        t.arrivals.verdict for run in results.runs for t in run.traffic.values() if t.arrivals
    ]
    if judged:
        told = "; ".join(arrivals_line(results)) or "not as asked for in any run"
        whole = None if "too few to tell" in judged else True
        ok = False if "not believed" in judged else whole
        yield ValidityRow("arrivals", told.removeprefix("arrivals "), ok)


def _sampled(results: Results) -> Iterator[ValidityRow]:
    found = [run.sampling for run in results.runs if run.sampling]
    if not found:
        return
    periods = sorted({one.period_ms for one in found})
    each = " or ".join(f"{period / 1000:.2g} s" for period in periods)
    holes = sum(one.holes for one in found)
    longest = max((one.longest_ms or 0.0 for one in found), default=0.0)
    told = "none is missing"
    if holes:
        told = f"{plural(holes, 'hole')}, the longest of {longest / 1000:.2f} s"
    limit = f"a run with one of more than {MAX_GAP_SECONDS:g} s does not count"
    yield ValidityRow(
        "samples of the table",
        f"one each {each}; {told}" + (f" ({limit})" if holes else ""),
        True if not holes else False if longest > MAX_GAP_SECONDS * 1000 else None,
    )


def _predicted(results: Results) -> Iterator[ValidityRow]:
    found: Prediction | None = together(run.prediction for run in results.runs)
    if found is None or not found.connections or found.trivial:
        return
    told = f"{figure(found.matched)} of {figure(found.connections)} as the model's"
    if found.consistent:
        told += f"; {figure(found.consistent)} in another order that the times allow"
    if found.mismatched:
        told += f"; {figure(found.mismatched)} not"
    yield ValidityRow("choices of servers", told, not found.mismatched)


def _witnessed(results: Results) -> Iterator[ValidityRow]:
    head, _, told = watched(results).partition(": ")
    if told:
        lost = any(run.witness and run.witness.dropped for run in results.runs)
        yield ValidityRow(head, told, not lost)


def _attributed(results: Results) -> Iterator[ValidityRow]:
    head, _, told = attributed(results).partition(": ")
    if told:
        found = [run.attribution for run in results.runs if run.attribution]
        whole = None if any(one.open for one in found) else True
        yield ValidityRow(head, told, False if any(one.disagreed for one in found) else whole)
