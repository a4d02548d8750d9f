"""What is known of a run at one point of its timeline, before it has run.

The walk over a scenario's timeline keeps one PlannedState and asks it for bounds: the
servers and their weights are known exactly, what the load does is known within
limits. Each bound says why it is so, for the message of a wait that cannot
come true.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ipvsload.scenario.interval import Interval
from ipvsload.scenario.service import Service
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.tree import Measure
from ipvsload.scenario.words import counted, listed, number


class Bound(NamedTuple):
    """The numbers that a measure can have, and why."""

    interval: Interval
    why: str


@dataclass(slots=True)
class PlannedClass:
    """A class of traffic on the timeline.

    `cohorts` counts the starts whose requests may still be in flight, `age`
    the longest time in seconds that the last start can be ago.
    """

    traffic: Traffic
    starts: int = 0
    cohorts: int = 0
    stopped: bool = False
    age: float = 0.0

    def start(self) -> None:
        """Its users or arrivals begin."""
        self.starts += 1
        self.cohorts += 1
        self.stopped, self.age = False, 0.0

    @property
    def running(self) -> bool:
        """Whether it may still send: started, and neither stopped nor known to be done."""
        return self.cohorts > 0 and not self.stopped

    @property
    def budget(self) -> float:
        """At most this many requests over all starts so far."""
        limit = math.inf if self.traffic.requests is None else float(self.traffic.requests)
        if self.traffic.rate is not None and self.traffic.duration is not None:
            limit = min(limit, math.floor(self.traffic.rate * self.traffic.duration) + 1)
        return limit * self.starts if self.starts else 0.0

    @property
    def population(self) -> float:
        """At most this many users; an open workload has no bound that we could know."""
        return math.inf if self.traffic.users is None else self.traffic.users * self.cohorts

    @property
    def concurrency(self) -> float:
        """At most this many requests, and so connections, at the same time."""
        users = math.inf if self.traffic.users is None else float(self.traffic.users)
        requests = math.inf if self.traffic.requests is None else float(self.traffic.requests)
        return min(users, requests) * self.cohorts if self.cohorts else 0.0

    @property
    def least_time(self) -> float:
        """Seconds that it takes at least to end by itself; infinite if it never does."""
        ends = [] if self.traffic.duration is None else [self.traffic.duration]
        if self.traffic.requests is not None:
            if self.traffic.rate is not None:
                ends.append((self.traffic.requests - 1) / self.traffic.rate)
            else:
                rounds = math.ceil(self.traffic.requests / (self.traffic.users or 1))
                ends.append((rounds - 1) * self.traffic.think)
        return min(ends, default=math.inf)


@dataclass(slots=True)
class PlannedState:
    """Servers, classes and the clock at one point of the timeline."""

    classes: dict[str, PlannedClass]
    weights: dict[int, int] = field(default_factory=dict)
    """The servers that are in the kernel's table, by number."""
    joined: int = 0
    killed: set[int] = field(default_factory=set)
    elapsed_low: float = 0.0
    elapsed_high: float = 0.0

    @classmethod
    def at_start(cls, service: Service, traffic: Mapping[str, Traffic]) -> "PlannedState":
        """Before the first step: these servers and weights, no class started."""
        state = cls({name: PlannedClass(one) for name, one in traffic.items()})
        state.join(service.servers)
        for server, weight in zip(state.weights, service.weights, strict=False):
            state.weights[server] = weight
        return state

    def join(self, count: int) -> None:
        """New servers take the next numbers, and weight 1."""
        for _ in range(count):
            self.joined += 1
            self.weights[self.joined] = 1

    def pass_time(self, least: float, most: float) -> None:
        """A wait of between `least` and `most` seconds is over."""
        self.elapsed_low += least
        self.elapsed_high += most
        for one in self.classes.values():
            one.age += most

    def settle(self, name: str) -> None:
        """A wait has made certain that the class is done."""
        self.classes[name].cohorts = 0

    def absence(self, server: int) -> str:
        """Why a server that is not in the table is not there, and which ones are."""
        why = "has left by then" if server <= self.joined else "has not joined by then"
        there = listed(map(str, sorted(self.weights)))
        are = "is server" if len(self.weights) == 1 else "are servers"
        return f"server {server} {why}; there {are} {there}"

    def bound(self, measure: Measure) -> Bound:
        """Bounds for a live measure now; its server, if any, is in the table."""
        match measure.name:
            case "servers":
                count = len(self.weights)
                return _exactly(count, f"the table has {counted(count, 'server')} by then")
            case "weight":
                chosen = self.weights if measure.server is None else [measure.server]
                total = sum(self.weights[server] for server in chosen)
                return _exactly(total, "the timeline sets no other weight before")
            case "elapsed":
                why = "the waits up to here end by their deadlines"
                return Bound(Interval(self.elapsed_low, self.elapsed_high), why)
            case "done":
                return self._done(measure.class_)
            case "users":
                return self._at_most(measure, "population")
            case "active" | "inflight":
                return self._at_most(measure, "concurrency")
        return self._at_most(measure, "budget")

    def _chosen(self, name: str | None) -> dict[str, PlannedClass]:
        return self.classes if name is None else {name: self.classes[name]}

    def _at_most(self, measure: Measure, limit: str) -> Bound:
        chosen = self._chosen(measure.class_)
        counting = {name: one for name, one in chosen.items() if one.starts}
        if limit != "budget":
            counting = {name: one for name, one in counting.items() if one.cohorts}
        high = sum(getattr(one, limit) for one in counting.values())
        if not counting:
            who = "no class runs" if measure.class_ is None else f"'{measure.class_}' does not run"
            return Bound(Interval(0, 0), f"{who} at this point")
        limits = [_limit(name, one, limit) for name, one in counting.items()]
        return Bound(Interval(0, high), listed(limits))

    def _done(self, name: str | None) -> Bound:
        started = {key: one for key, one in self._chosen(name).items() if one.starts}
        if not started:
            who = "no class was" if name is None else f"'{name}' was not"
            return _exactly(0, f"{who} started before")
        for key, one in started.items():
            if one.cohorts == 0 or one.stopped:
                continue
            if one.traffic.endless:
                why = f"'{key}' has neither requests nor duration and is not stopped before"
                return _exactly(0, why)
            if one.least_time > one.age:
                why = (
                    f"'{key}' takes at least {number(one.least_time)} s, and the wait ends "
                    f"after {number(one.age)} s at most; raise 'within'"
                )
                return _exactly(0, why)
        return Bound(Interval(0, 1), "")


def _exactly(value: float, why: str) -> Bound:
    return Bound(Interval(value, value), why)


def _limit(name: str, one: PlannedClass, limit: str) -> str:
    """One class's part of a bound: "'long' has 10 users"."""
    times = one.starts if limit == "budget" else one.cohorts
    again = f", started {times} times" if times > 1 else ""
    users, requests = one.traffic.users, one.traffic.requests
    least = min((count for count in (users, requests) if count is not None), default=None)
    counts_users = limit == "population" or (limit == "concurrency" and users == least)
    if users is not None and counts_users:
        return f"'{name}' has {counted(users, 'user')}{again}"
    if requests is not None:
        return f"'{name}' has {counted(requests, 'request')}{again}"
    return f"'{name}' has a rate{again}"
