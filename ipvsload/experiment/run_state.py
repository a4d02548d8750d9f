"""What is known of a run while it goes on; the conditions of waits are checked with it.

Pure. A measure of the kernel counts as unknown until there is a sample that was
taken after the current step began. An older sample could satisfy a wait for
something that has not happened yet.
"""

from collections.abc import Collection, Mapping

from ipvsload.ipvs.node_sums import NodeSums
from ipvsload.ipvs.table import RealServer, by_address
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import ClassCounts, LiveCounts, Measure
from ipvsload.scenario.server_conditions import Conditions
from ipvsload.scenario.tree import Lookup


class RunState:
    """The state of one run. Times are in µs on the recording's clock."""

    def __init__(self, classes: Mapping[str, ClassCounts]) -> None:
        self._classes = classes
        self._addresses: list[str] = []
        self._present: list[int] = []
        self._sums = NodeSums()
        self._begun_us: dict[str, int] = {}
        """When the last reading of each node began, at the earliest."""
        self._occupancy: dict[str, ServerOccupancy] = {}
        self.occupancy_us = -1
        """When the servers told last how busy they are; -1 where they tell nothing."""
        self.conditions = dict[int, Conditions]()
        """What servers suffer from, by number."""
        self.began_us = 0
        self.sample_us = -1
        self.uncertainty_us = 0
        """How far the times of samples may be wrong, either way."""

    @property
    def servers(self) -> tuple[str, ...]:
        """Addresses of all real servers that ever joined, in that order."""
        return tuple(self._addresses)

    def joined(self, address: str) -> int:
        """A real server joins; returns its number, counted from 1."""
        self._addresses.append(address)
        self._present.append(len(self._addresses))
        return len(self._addresses)

    def left(self, number: int) -> None:
        """A real server was removed; its number is never used again."""
        self._present.remove(number)

    @property
    def present(self) -> tuple[int, ...]:
        """Numbers of the servers that have joined and not left, oldest first."""
        return tuple(self._present)

    def address(self, number: int) -> str:
        """The address of server `number`."""
        return self._addresses[number - 1]

    def sampled(self, sample: Sample) -> None:
        """A new sample of the service under test has arrived.

        Where several nodes balance, a server's counts are the sums over all nodes,
        and they are as old as the oldest of the nodes' last samples.
        """
        self._begun_us[sample.node] = sample.t_us - sample.took_us // 2
        servers = (server for service in sample.services for server in service.servers)
        self._sums.update(sample.node, by_address(servers))
        self._find_oldest()

    @property
    def nodes(self) -> Collection[str]:
        """Those of which samples come."""
        return self._begun_us.keys()

    def lost(self, node: str) -> None:
        """No more samples come of this node: the others are what can be known."""
        if self._begun_us.pop(node, None) is not None and self._begun_us:
            self._sums.forget(node)
            self._find_oldest()

    def _find_oldest(self) -> None:
        self.sample_us = min(self._begun_us.values()) - self.uncertainty_us

    def occupied(self, sample: OccupancySample) -> None:
        """The servers told how busy they are."""
        self.occupancy_us = sample.t_us
        self._occupancy = {server.address: server for server in sample.servers}

    @property
    def occupancy(self) -> Mapping[str, ServerOccupancy]:
        """What the servers told last, by address; empty where they tell nothing."""
        return self._occupancy

    def in_table(self, address: str) -> RealServer | None:
        """The server as the last sample shows it; None if it is not in the table."""
        return self._sums.servers.get(address)

    def lookup(self, now_us: int, since_us: int) -> Lookup:
        """A function that gives the value of a measure at `now_us`.

        Measures of the kernel and of servers are None while the last sample of them is older
        than `since_us`.
        """
        table = self._sums.servers if self.sample_us >= since_us else None
        elapsed = (now_us - self.began_us) / 1e6
        occupancy = self._occupancy if self.occupancy_us >= since_us else None
        now = LiveCounts(self._classes, self._addresses, table, elapsed, occupancy)

        def value(measure: Measure) -> float | None:
            live = MEASURES[measure.name].live
            return None if live is None else live.value(now, measure)

        return value
