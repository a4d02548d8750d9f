"""What a scenario needs of the machine that makes the load, held against what it has.

Users of a closed class each hold a connection, which is an open file and a
local port. How many connections arrivals hold, their answers decide: of an open
class nothing is known before it runs.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ipvsload.scenario.condition_checks import check_wait
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.servers_needed import servers_needed
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.words import counted, listed

SPARE_FILES = 256
"""Open files besides those of connections: sockets that are ready before they are needed, the
record, the sidecar. The lab's real servers have a listener each besides."""


class MachineLimits(NamedTuple):
    """What there is: `open_files` of a process, `local_ports` of one address to one target.

    `taken_ports` are those of them that other connections hold, also in TIME_WAIT.
    `more_files` says what raises the limit of open files, with {0} for the new one.
    """

    open_files: int
    local_ports: int
    taken_ports: int = 0
    more_files: str = "raise it to {0}"


class ConnectionPeak(NamedTuple):
    """The most connections at the same time, and which classes hold them."""

    connections: int
    why: str

    def __str__(self) -> str:
        return f"up to {counted(self.connections, 'connection')} at once ({self.why})"


def connection_peak(scenario: Scenario) -> ConnectionPeak:
    """The most that closed classes may hold at any point of the timeline."""
    state = PlannedState.at_start(scenario.service, scenario.traffic)
    peak = ConnectionPeak(0, "")
    for step in scenario.timeline:
        step.action.plan(state)
        running = {name: one.traffic for name, one in state.classes.items() if one.cohorts}
        peak = max(peak, _together(running), key=lambda one: one.connections)
        check_wait(step, (), state, bounds=False)
    return peak


def class_peak(traffic: Mapping[str, Traffic]) -> ConnectionPeak:
    """The most that one class holds; more is not known where the timeline is not."""
    alone = [_together({name: one}) for name, one in traffic.items()]
    return max(alone, key=lambda one: one.connections, default=ConnectionPeak(0, ""))


def _together(traffic: Mapping[str, Traffic]) -> ConnectionPeak:
    held = {name: min(one.most_users, one.requests or one.most_users)
            for name, one in traffic.items() if one.users}  # fmt: skip
    users = (
        f"'{name}' has {counted(traffic[name].most_users, 'user')}"
        + (f" for {counted(n, 'request')}" if n != traffic[name].most_users else "")
        for name, n in held.items()
    )
    return ConnectionPeak(sum(held.values()), listed(users))


def shortfalls(scenario: Scenario, limits: MachineLimits) -> Iterator[str]:
    """For people: each thing of which the machine has too little, and what to do."""
    peak = connection_peak(scenario)
    yield from too_few_files(peak, servers_needed(scenario), limits)
    service = scenario.service
    # A port belongs to one director, so a client that has one director has that one's ports only.
    each = limits.local_ports // (service.directors if service.spread == "client" else 1)
    if isinstance(service.source_ports, int):
        several = 1 if service.spread == "client" else service.directors
        each = min(each, service.source_ports * several)
    ports = max(0, each * service.clients - limits.taken_ports)
    clients = "1 client address" if scenario.service.clients == 1 else "the client addresses"
    taken = (
        f"; {limits.taken_ports} more are taken, also in TIME_WAIT" if limits.taken_ports else ""
    )
    if peak.connections > ports:
        yield (
            f"{peak} need as many local ports, and there are {ports} from {clients} to one"
            f" target{taken}"
        )


def too_few_files(peak: ConnectionPeak, listeners: int, limits: MachineLimits) -> Iterator[str]:
    """For people: that a process may not open as many files, and what to do."""
    files = peak.connections + listeners + SPARE_FILES
    if files > limits.open_files:
        enough = -(-files // 1024) * 1024
        room = limits.open_files - listeners - SPARE_FILES
        processes = -(-peak.connections // room) if room > 0 else 0
        yield (
            f"{peak} need {files} open files, and a process may have {limits.open_files} here"
            f" (the hard limit of RLIMIT_NOFILE): {limits.more_files.format(enough)}"
            + (
                f"; or {processes} processes make the load: `locust --processes {processes}`"
                if processes
                else ""
            )
        )
