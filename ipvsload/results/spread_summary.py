"""How a scheduler's runs used the servers, and how soon changes had their effect: medians.

Changes are matched by their step, servers that came by their number. Of a server that came
several times in a run, the slowest time counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ipvsload.results.change_delays import ChangeResult
from ipvsload.results.evenness_over_time import EvennessFigures
from ipvsload.results.joined_servers import NEVER, JoinedServer
from ipvsload.statistics.median_range import MedianRange, median_range

LEAST_SECONDS = 1.0
"""A mean over less time than this is of a few samples, and is not summarized."""


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """A step that changes the table; `seen_late` says that a sample of some run was too early."""

    step: int
    text: str
    table_s: MedianRange | None
    seen_late: bool


@dataclass(frozen=True, slots=True)
class JoinedSummary:
    """A server that joined or came back in `runs` runs; times in s, of those that know them.

    In `balanced` of them it came to carry its share, in `never` it did not, and of others nobody
    can say.
    """

    number: int
    runs: int
    first_request_s: MedianRange | None
    balance_s: MedianRange | None
    balanced: int
    never: int


@dataclass(frozen=True, slots=True)
class SpreadSummary:
    """`evenness` is by the measures' names: active_jain, weight_departure and so on."""

    evenness: Mapping[str, MedianRange | None] = field(default_factory=dict)
    changes: tuple[ChangeSummary, ...] = ()
    joined: tuple[JoinedSummary, ...] = ()


def spread_summary(
    active: Sequence[EvennessFigures | None],
    utilisation: Sequence[EvennessFigures | None],
    departures: Sequence[float | None],
    changes: Sequence[Sequence[ChangeResult]],
    joined: Sequence[Sequence[JoinedServer]],
) -> SpreadSummary:
    """The summary of runs, each with one entry in every argument."""
    evenness = {"weight_departure": median_range(list(departures))}
    for name, found in (("active", active), ("utilisation", utilisation)):
        long = [one for one in found if one is not None and one.seconds >= LEAST_SECONDS]
        evenness[f"{name}_jain"] = median_range([one.jain for one in long])
        evenness[f"{name}_peak"] = median_range([one.peak for one in long])
    return SpreadSummary(
        evenness=evenness,
        changes=tuple(_changes(changes)),
        joined=tuple(_joined(joined)),
    )


def _changes(runs: Sequence[Sequence[ChangeResult]]) -> Iterable[ChangeSummary]:
    by_step: dict[int, list[ChangeResult]] = {}
    for one in (change for run in runs for change in run):
        by_step.setdefault(one.step, []).append(one)
    for step, found in sorted(by_step.items()):
        times = median_range([one.table_s for one in found])
        late = any(one.table_s is None or (one.more_than_s or 0) > 0 for one in found)
        yield ChangeSummary(step, found[0].text, times, late)


def _joined(runs: Sequence[Sequence[JoinedServer]]) -> Iterable[JoinedSummary]:
    for number in sorted({one.number for run in runs for one in run}):
        of_runs = [[one for one in run if one.number == number] for run in runs]
        of_runs = [mine for mine in of_runs if mine]
        firsts = [_slowest(one.first_request_s for one in mine) for mine in of_runs]
        balances = [_slowest(one.balance_s for one in mine) for mine in of_runs]
        yield JoinedSummary(
            number,
            len(of_runs),
            median_range(firsts),
            median_range(balances),
            sum(time is not None for time in balances),
            sum(any(one.why == NEVER for one in mine) for mine in of_runs),
        )


def _slowest(times: Iterable[float | None]) -> float | None:
    known = list(times)
    return None if None in known else max(time for time in known if time is not None)
