"""Changes of servers, weights and the scheduler in a run, and when each was made, as far as known.

A change is a netlink exchange. The record knows when its step began and when it was over, and
between which two samples it came into the table; its exact place among packets nobody saw.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from ipvsload.record.events import ServerJoined, StepStarted
from ipvsload.record.format import Sample
from ipvsload.record.reader import RecordedRun
from ipvsload.scenario.model import Scenario

_LEFT = -1


class TableChange(NamedTuple):
    """One change, made at some time from `early_ns` to `late_ns` on the recording's clock.

    A server has joined or has another weight, or has left (`weight` is None); or, where
    `scheduler` is not "", the scheduler is another.
    """

    early_ns: int
    late_ns: int
    address: str = ""
    weight: int | None = None
    scheduler: str = ""


class ServerTable(NamedTuple):
    """A table's servers and weights as a run begins, in the order of joining, and its changes."""

    servers: tuple[tuple[str, int], ...]
    changes: tuple[TableChange, ...]


def server_table(run: RecordedRun, scenario: Scenario | None, node: str | None) -> ServerTable:
    """The table of one director; `node` is its name in samples, None where it has none.

    Samples tell what was in the table. The scenario's steps narrow down when it came there, and
    tell what no sample shows; that counts where nobody else used the balancer.
    """
    samples = [one for one in run.samples if node in (None, one.node)]
    initial, planned = _of_steps(run, scenario)
    if samples and not run.exclusive:
        # Others made the table. It lists the newest server first.
        initial = [(address, weight) for address, weight in _weights(samples[0]).items()][::-1]
    seen = list(_of_samples(samples))
    changes = []
    for one in planned:
        match = next((s for s in seen if s[2:] == one[2:] and s.late_ns >= one.early_ns), None)
        if match is not None:
            seen.remove(match)
            early, late = max(one.early_ns, match.early_ns), min(one.late_ns, match.late_ns)
            changes.append(one._replace(early_ns=min(early, late), late_ns=late))
        elif run.exclusive:
            changes.append(one)
    changes += [one for one in seen if one.late_ns >= run.start_us * 1000]
    changes.sort(key=lambda one: (one.late_ns, one.early_ns))
    return ServerTable(tuple(initial), tuple(changes))


def _weights(sample: Sample) -> dict[str, int]:
    return {server.address: server.weight for one in sample.services for server in one.servers}


def _of_samples(samples: list[Sample]) -> Iterator[TableChange]:
    for before, after in pairwise(samples):
        early = before.t_us * 1000 - before.took_us * 500
        late = after.t_us * 1000 + after.took_us * 500
        if after.services:
            yield from server_changes(_weights(before), _weights(after), early, late)
        names = [one.services[0].scheduler for one in (before, after) if one.services]
        if len(names) == 2 and names[0] != names[1]:
            yield TableChange(early, late, scheduler=names[1])


def server_changes(
    was: Mapping[str, int], now: Mapping[str, int], early_ns: int, late_ns: int
) -> Iterator[TableChange]:
    """What has changed between two tables, each the weights of its servers, the newest first."""
    if was == now:
        return
    for address in reversed(list(now)):  # servers that joined at once
        if was.get(address, _LEFT) != now[address]:
            yield TableChange(early_ns, late_ns, address, now[address])
    for address in was:
        if address not in now:
            yield TableChange(early_ns, late_ns, address)


def _of_steps(
    run: RecordedRun, scenario: Scenario | None
) -> tuple[list[tuple[str, int]], list[TableChange]]:
    initial: list[tuple[str, int]] = []
    noted = _NotedChanges()
    began = False
    for number, event in enumerate(run.events):
        if isinstance(event, ServerJoined):
            noted.addresses[event.number] = event.server
            noted.present.append(event.number)
            if not began:
                initial.append((event.server, event.weight))
            else:
                early = run.events[number - 1].t_us * 1000
                noted.changes.append(
                    TableChange(early, event.t_us * 1000 + 999, event.server, event.weight)
                )
        elif isinstance(event, StepStarted):
            began = True
            noted.early_ns = event.t_us * 1000
            after = (one.t_us for one in run.events[number + 1 :])
            noted.late_ns = next(after, event.t_us) * 1000 + 999
            if scenario is not None and event.index < len(scenario.timeline):
                scenario.timeline[event.index].action.act(noted)
    return initial, noted.changes


class _NotedChanges:
    """What actions are carried out on here (scenario/actions/base.py): it notes what they change.

    Servers that join are events of their own.
    """

    def __init__(self) -> None:
        self.changes: list[TableChange] = []
        self.addresses: dict[int, str] = {}
        self.present: list[int] = []
        self.early_ns = self.late_ns = 0

    def scale(self, servers: int) -> None:
        """The newest leave."""
        while len(self.present) > servers:
            self.remove(self.present[-1])

    def reweigh(self, server: int, weight: int) -> None:
        """A server has another weight."""
        self._note(address=self.addresses.get(server, ""), weight=weight)

    def remove(self, server: int) -> None:
        """A server leaves."""
        if server in self.present:
            self.present.remove(server)
            self._note(address=self.addresses[server])

    def set_scheduler(self, scheduler: str) -> None:
        """Another scheduler."""
        self._note(scheduler=scheduler)

    def start(self, traffic_class: str) -> None:
        """No change of the table, as all that follow."""

    def stop(self, traffic_class: str) -> None:
        """Nothing."""

    def fault(self, server: int, fault: str) -> None:
        """Nothing."""

    def set_speed(self, server: int, speed: float) -> None:
        """Nothing."""

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Nothing: what comes later are faults."""

    def burst(self, requests: int, seconds: float) -> None:
        """Nothing."""

    def set_mix(self, weights: Mapping[str, int]) -> Mapping[str, int]:
        """Nothing."""
        return weights

    def _note(self, address: str = "", weight: int | None = None, scheduler: str = "") -> None:
        self.changes.append(TableChange(self.early_ns, self.late_ns, address, weight, scheduler))
