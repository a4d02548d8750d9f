"""What actions act on in a run: its balancer, its real servers and its load.

The testbed changes servers by their addresses, the run's state knows their
numbers; these classes keep the two together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ipvsload.errors import UsageError
from ipvsload.experiment.run_state import RunState
from ipvsload.load.base import Load
from ipvsload.scenario.server_conditions import (
    KILLED,
    Conditions,
    ServerFault,
    after_fault,
    at_speed,
    without_effect,
    without_speed,
)
from ipvsload.testbed.base import BalancerControl


@dataclass(frozen=True)
class RunServers:
    """Changes the servers of `testbed` by their numbers in `state`, and its scheduler.

    `joined` is told the number, address and weight of each server that joins, `suffers`
    the number and address of each whose conditions have changed, and these. `later` has
    something done in so many seconds, as long as the test runs.
    """

    testbed: BalancerControl
    state: RunState
    joined: Callable[[int, str, int], None]
    suffers: Callable[[int, str, Conditions], None]
    later: Callable[[float, Callable[[], None]], None]

    def register(self, servers: Iterable[tuple[str, int]]) -> None:
        """Give the next numbers to servers that are in the table: their addresses and weights."""
        for address, weight in servers:
            self.joined(self.state.joined(address), address, weight)

    def scale(self, servers: int) -> None:
        """Have this many servers: new ones join with weight 1, or the newest leave.

        Raises UsageError where so many cannot join; nothing has changed then.
        """
        state, room = self.state, self.testbed.max_real_servers
        joined = len(state.servers)
        if joined + servers - len(state.present) > max(room, joined):
            raise UsageError(
                f"no room for {servers} servers: {joined} have joined this test and {room} can ever"
                " join; a test that starts with more has room for more"
            )
        while len(state.present) < servers:
            self.register([(self.testbed.add_server(1), 1)])
        while len(state.present) > servers:
            self.remove(state.present[-1])

    def reweigh(self, server: int, weight: int) -> None:
        """Give a server another weight; 0 gives it no new connections."""
        self.testbed.set_weight(self._present(server), weight)

    def remove(self, server: int) -> None:
        """Take a server out of the kernel's table."""
        self.testbed.remove_server(self._present(server))
        self.state.left(server)

    def fault(self, server: int, fault: ServerFault) -> None:
        """Do this to a server's process or packets; its entry in the table stays."""
        address, before = self._present(server), self.state.conditions.get(server, ())
        if KILLED in before and fault != "restart":
            raise UsageError(f"server {server} {without_effect(before, fault)}")
        self.testbed.fault_server(address, fault)
        self._changed(server, after_fault(before, fault))

    def set_speed(self, server: int, speed: float) -> None:
        """Have a server do its work at this speed."""
        address, before = self._present(server), self.state.conditions.get(server, ())
        if why := without_speed(before):
            raise UsageError(f"server {server} {why}")
        self.testbed.set_server_speed(address, speed)
        self._changed(server, at_speed(before, speed))

    def set_scheduler(self, scheduler: str) -> None:
        """Change the scheduler in place."""
        self.testbed.set_balancer(scheduler)

    def _changed(self, server: int, conditions: Conditions) -> None:
        self.state.conditions[server] = conditions
        self.suffers(server, self.state.address(server), conditions)

    def _present(self, number: int) -> str:
        if number not in self.state.present:
            known = ", ".join(map(str, self.state.present))
            raise UsageError(f"there is no server {number} now; there are {known or 'none'}")
        return self.state.address(number)


@dataclass(frozen=True)
class RunTarget(RunServers):
    """The same, and the load of a run; `started` is called with each class before it starts."""

    load: Load
    started: Callable[[str], None]

    def start(self, traffic_class: str) -> None:
        """Start a class of traffic."""
        self.started(traffic_class)
        self.load.start(traffic_class)

    def stop(self, traffic_class: str) -> None:
        """Send nothing new of a class."""
        self.load.stop(traffic_class)

    def burst(self, requests: int, seconds: float) -> None:
        """Send this many requests at once, each held open for `seconds`."""
        self.load.burst(requests, seconds)

    def set_mix(self, weights: Mapping[str, int]) -> Mapping[str, int]:
        """Raises UsageError: a scenario has no mix."""
        raise UsageError("here the scenario decides how many users there are")
