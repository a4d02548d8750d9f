"""Measures of the load: requests, users, and whether a class is done."""

from collections.abc import Callable
from operator import attrgetter

from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.measures.base import (
    Final,
    FinalCounts,
    Live,
    LiveCounts,
    Measure,
    MeasureKind,
    RequestTotals,
    Selector,
    at_most,
)
from ipvsload.scenario.planned_state import Limit, PlannedState
from ipvsload.scenario.words import number


def _counted(field: str, limit: Limit) -> Live:
    """A count of the load, added up over the classes that are meant."""
    get = attrgetter(field)

    def value(now: LiveCounts, measure: Measure) -> float:
        if measure.class_ is not None:
            return float(get(now.classes[measure.class_]))
        return float(sum(map(get, now.classes.values())))

    return Live(("class",), value, at_most(limit), polled=True)


def _done(now: LiveCounts, measure: Measure) -> float:
    if measure.class_ is not None:
        return float(now.classes[measure.class_].done)
    return float(all(counts.done for counts in now.classes.values() if counts.started))


def _can_be_done(planned: PlannedState, measure: Measure) -> Bound:
    name = measure.class_
    started = {key: one for key, one in planned.chosen(name).items() if one.starts}
    if not started:
        who = "no class was" if name is None else f"'{name}' was not"
        return Bound.exactly(0, f"{who} started before")
    for key, one in started.items():
        if one.cohorts == 0 or one.stopped:
            continue
        if one.traffic.endless:
            why = f"'{key}' has neither requests nor duration and is not stopped before"
            return Bound.exactly(0, why)
        if one.least_time > one.age:
            why = (
                f"'{key}' takes at least {number(one.least_time)} s, and the wait ends "
                f"after {number(one.age)} s at most; raise 'within'"
            )
            return Bound.exactly(0, why)
    return Bound(Interval(0, 1), "")


def of_requests(
    figure: Callable[[RequestTotals, str | None, str | None], float | None],
    selectors: tuple[Selector, ...] = ("class", "server"),
    needs: tuple[Selector, ...] = (),
) -> Final:
    """A figure of one run's requests, of a class and a server's address; None means all."""
    return Final(
        selectors,
        lambda run, measure, address: figure(run.requests, measure.class_, address),
        _no_requests,
        needs,
    )


def _total(name: str, **selectors: tuple[Selector, ...]) -> Final:
    """The figure of this name of RequestTotals."""
    return of_requests(lambda seen, *of: getattr(seen, name)(*of), **selectors)


def _failures(run: FinalCounts, measure: Measure, address: str | None) -> float:
    return run.requests.failures(measure.class_, address, measure.kind)


def _failed_share(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
    finished = run.requests.requests(measure.class_, address)
    return _failures(run, measure, address) / finished if finished else None


def _no_requests(run: FinalCounts, measure: Measure) -> str:
    which = f"{measure.class_} requests" if measure.class_ else "requests"
    if any(measure.class_ in (None, name) for name in run.requests.unknown):
        return f"the server of some {which} is not known"
    by = f" by server {measure.server}" if measure.server is not None else ""
    return f"no {which} answered{by}"


MEASURES = (
    MeasureKind("requests", "number", _counted("requests", "budget"), _total("requests")),
    MeasureKind(
        "failures",
        "number",
        _counted("failures", "budget"),
        Final(("class", "server", "kind"), _failures, _no_requests),
        part_of="requests",
        better="less",
    ),
    MeasureKind(
        "failed_share",
        "fraction",
        final=Final(("class", "server", "kind"), _failed_share, _no_requests),
        better="less",
    ),
    MeasureKind(
        "retries",
        "number",
        final=of_requests(lambda seen, traffic, _: seen.retries(traffic), selectors=("class",)),
        better="less",
    ),
    MeasureKind("inflight", "number", _counted("inflight", "concurrency")),
    MeasureKind("users", "number", _counted("users", "population")),
    MeasureKind("done", "truth", Live(("class",), _done, _can_be_done)),
    MeasureKind("share", "fraction", final=_total("share", needs=("class", "server"))),
    MeasureKind(
        "rps",
        "1/s",
        final=_total("rps", selectors=("class",), needs=("class",)),
        better="greater",
    ),
)
