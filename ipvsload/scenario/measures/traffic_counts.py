"""Measures of the load: requests, users, and whether a class is done."""

from operator import attrgetter

from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.measures.base import (
    Final,
    FinalCounts,
    Live,
    LiveCounts,
    Measure,
    MeasureKind,
    at_most_sent,
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

    def bound(planned: PlannedState, measure: Measure) -> Bound:
        return planned.at_most(limit, measure.class_)

    return Live(("class",), value, bound, polled=True)


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


def _share(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
    return None if address is None else run.requests.share(measure.class_, address)


def _needs_servers(run: FinalCounts, measure: Measure) -> str:
    """Why a count that needs each request's server has no value."""
    which = f"{measure.class_} requests" if measure.class_ else "requests"
    if any(measure.class_ in (None, name) for name in run.requests.unknown):
        return f"the server of some {which} is not known"
    return no_answers(run, measure)


def no_answers(run: FinalCounts, measure: Measure) -> str:
    """Why a measure of answered requests has no value."""
    which = f"{measure.class_} requests" if measure.class_ else "requests"
    by = f" by server {measure.server}" if measure.server is not None else ""
    return f"no {which} answered{by}"


MEASURES = (
    MeasureKind(
        "requests",
        "number",
        "finished requests, failed ones too",
        live=_counted("requests", "budget"),
        final=Final(
            ("class", "server"),
            lambda run, measure, address: run.requests.requests(measure.class_, address),
            _needs_servers,
            bound=at_most_sent,
        ),
    ),
    MeasureKind(
        "failures",
        "number",
        "requests without a whole answer or with a status of 400 and more",
        live=_counted("failures", "budget"),
        final=Final(
            ("class", "server"),
            lambda run, measure, address: run.requests.failures(measure.class_, address),
            no_answers,
            bound=at_most_sent,
        ),
    ),
    MeasureKind(
        "inflight",
        "number",
        "requests sent and not yet answered",
        live=_counted("inflight", "concurrency"),
    ),
    MeasureKind(
        "users", "number", "users that are running now", live=_counted("users", "population")
    ),
    MeasureKind(
        "done",
        "truth",
        "the class has ended and no request of it is in flight; without a class: "
        "every class that was started",
        live=Live(("class",), _done, _can_be_done),
    ),
    MeasureKind(
        "share",
        "fraction",
        "part of the class's requests that went to this server, 0 to 1",
        final=Final(
            ("class", "server"),
            _share,
            _needs_servers,
            needs=("class", "server"),
            bound=lambda end, measure: Interval(0, 1),
        ),
    ),
    MeasureKind(
        "rps",
        "1/s",
        "finished requests per second of the class's own active time",
        final=Final(
            ("class",),
            lambda run, measure, address: run.requests.rps(measure.class_, address),
            no_answers,
            needs=("class",),
        ),
    ),
)
