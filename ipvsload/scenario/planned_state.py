"""What is known of a run at one point of its timeline, before it has run.

The check of a scenario walks over its timeline and keeps one PlannedState: the
servers and their weights are known exactly, what the load does is known within
limits. Actions change it, and measures take their bounds from it. Each bound
says why it is so, for the message of a wait that cannot come true.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.server_conditions import (
    Conditions,
    ServerFault,
    after_fault,
    at_speed,
    without_effect,
    without_speed,
)
from ipvsload.scenario.service import Service
from ipvsload.scenario.stages import expected, time_of
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.words import counted, listed, no_class

Limit = Literal["budget", "population", "concurrency"]
"""Requests over all starts so far; users; requests, and so connections, at the same time."""


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
    def least_time(self) -> float:
        """Seconds that it takes at least to end by itself; infinite if it never does."""
        traffic = self.traffic
        if traffic.trace is not None:
            whole = traffic.requests is None or traffic.requests >= traffic.trace.arrivals
            return traffic.seconds if whole and traffic.trace.path else 0.0
        if traffic.requests is None:
            return traffic.seconds
        if traffic.users is None:
            last = traffic.requests - 1
            if traffic.arrivals == "poisson":
                last = max(0, last - _chance(last))
            return min(traffic.seconds, time_of(traffic.rate_stages, last))
        rounds = math.ceil(traffic.requests / traffic.most_users)
        return min(traffic.seconds, (rounds - 1) * traffic.think)


@dataclass(slots=True)
class PlannedState:
    """Servers, classes and the clock at one point of the timeline."""

    classes: dict[str, PlannedClass]
    weights: dict[int, int] = field(default_factory=dict)
    """The servers that are in the kernel's table, by number."""
    joined: int = 0
    capacity: Capacity | None = None
    """Of each server; None where any number is served at once."""
    conditions: dict[int, Conditions] = field(default_factory=dict)
    """What servers suffer from, by number."""
    elapsed: Interval = field(default_factory=lambda: Interval(0, 0))
    loc: Loc = ()
    """Where the value of the current action stands in the scenario file."""
    faults: list[Fault] = field(default_factory=list)
    """The actions so far that could not be done."""

    @classmethod
    def at_start(cls, service: Service, traffic: Mapping[str, Traffic]) -> "PlannedState":
        """Before the first step: these servers and weights, no class started."""
        state = cls({name: PlannedClass(one) for name, one in traffic.items()})
        state.capacity = service.capacity
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
        low, high = self.elapsed
        self.elapsed = Interval(low + least, high + most)
        for one in self.classes.values():
            one.age += most

    def refuse(self, text: str, *at: str | int) -> None:
        """Say why the current action cannot be done; `at` is a path into its value."""
        self.faults.append(Fault((*self.loc, *at), text))

    def has_server(self, server: int, *at: str | int) -> bool:
        """Whether the server is in the table here; where it is not, the action is refused."""
        if server not in self.weights:
            self.refuse(self.absence(server), *at)
        return server in self.weights

    def fault(self, server: int, fault: ServerFault, *at: str | int) -> bool:
        """Whether the server can suffer this fault here; where not, the action is refused."""
        if not self.has_server(server, *at):
            return False
        conditions = self.conditions.get(server, ())
        why = without_effect(conditions, fault)
        if why:
            self.refuse(f"server {server} {why}", *at)
        self.conditions[server] = after_fault(conditions, fault)
        return not why

    def slow(self, server: int, speed: float, *at: str | int) -> None:
        """The server has this speed from here on; where it cannot, the action is refused."""
        if self.has_server(server, *at):
            conditions = self.conditions.get(server, ())
            if why := without_speed(conditions):
                self.refuse(f"server {server} {why}", *at)
            self.conditions[server] = at_speed(conditions, speed)

    def named(self, names: Sequence[str]) -> Iterator[tuple[int, str, PlannedClass]]:
        """The classes of these names with their positions; refuses names that do not exist."""
        for index, name in enumerate(names):
            if name in self.classes:
                yield index, name, self.classes[name]
            else:
                self.refuse(no_class(name, self.classes), index)

    def absence(self, server: int) -> str:
        """Why a server that is not in the table is not there, and which ones are."""
        why = "has left by then" if server <= self.joined else "has not joined by then"
        there = listed(map(str, sorted(self.weights)))
        are = "is server" if len(self.weights) == 1 else "are servers"
        return f"server {server} {why}; there {are} {there}"

    def chosen(self, name: str | None) -> dict[str, PlannedClass]:
        """The class of this name, or all of them."""
        return self.classes if name is None else {name: self.classes[name]}

    def at_most(self, limit: Limit, name: str | None) -> Bound:
        """From 0 to this limit of the class, or of all classes together."""
        high, reasons = 0.0, []
        for key, one in self.chosen(name).items():
            times = one.starts if limit == "budget" else one.cohorts
            if times > 0:
                most, words = _limit(one.traffic, limit)
                high += most * times
                again = f", started {times} times" if times > 1 else ""
                reasons.append(f"'{key}' has {words}{again}")
        if not reasons:
            who = "no class runs" if name is None else f"'{name}' does not run"
            return Bound.exactly(0, f"{who} at this point")
        return Bound(Interval(0, high), listed(reasons))


def _chance(mean: float) -> int:
    """How far a Poisson process does not get from its mean: once in 1e20 it does."""
    return 50 + math.ceil(10 * math.sqrt(mean))


def _limit(one: Traffic, limit: Limit) -> tuple[float, str]:
    """What one start of a class is limited to, and what says so: 10, "10 users".

    An open workload has no bound of its users that we could know.
    """
    users, requests = one.most_users or math.inf, one.requests or math.inf
    high = {"budget": requests, "population": users, "concurrency": min(users, requests)}[limit]
    mean = expected(one.rate_stages)
    if one.trace is not None and limit == "budget":
        high = min(high, one.trace.arrivals if one.trace.path else math.inf)
        return high, counted(int(high), "arrival") if math.isfinite(high) else "a file"
    if limit == "budget" and one.open and math.isfinite(mean):
        high = min(high, math.floor(mean) + (0 if one.arrivals == "even" else _chance(mean)) + 1)
    if one.most_users and limit != "budget" and high == users:
        return high, counted(one.most_users, "user")
    if one.requests is not None:
        return high, counted(one.requests, "request")
    return high, "a rate"
