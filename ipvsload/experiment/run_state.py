"""What is known while a run goes on: the ground that conditions stand on.

Pure: it is told of samples, joins and counts, and answers what a measure is
now. A kernel measure counts as unknown until a sample that was taken after the
present step began: an old sample could satisfy a wait for what has yet to
happen.
"""

from collections.abc import Mapping

from ipvsload.ipvs.table import RealServer, by_address
from ipvsload.record.format import Sample
from ipvsload.scenario.expression import Lookup
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import ClassCounts, LiveCounts, Measure


class RunState:
    """The live state of one run. Times are µs on the recording's clock."""

    def __init__(self, classes: Mapping[str, ClassCounts]) -> None:
        self._classes = classes
        self._addresses: list[str] = []
        self._present: list[int] = []
        self._nodes: dict[str, Sample] = {}
        self._table: dict[str, RealServer] = {}
        self.began_us = 0
        self.sample_us = -1
        self.uncertainty_us = 0
        """How far the clock of samples may be off, either way."""

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

        Where several nodes balance, a server's counts are those of all nodes,
        and what is known is as old as the oldest node's last sample.
        """
        self._nodes[sample.node] = sample
        # Their readings began at the earliest then.
        self.sample_us = (
            min(one.t_us - one.took_us // 2 for one in self._nodes.values()) - self.uncertainty_us
        )
        self._table = by_address(
            server
            for one in self._nodes.values()
            for service in one.services
            for server in service.servers
        )

    def in_table(self, address: str) -> RealServer | None:
        """The server as the last sample shows it."""
        return self._table.get(address)

    def lookup(self, now_us: int, since_us: int) -> Lookup:
        """A function that says what a measure is at `now_us`.

        Kernel measures are None while the last sample is older than `since_us`.
        """
        table = self._table if self.sample_us >= since_us else None
        elapsed = (now_us - self.began_us) / 1e6
        now = LiveCounts(self._classes, self._addresses, table, elapsed)

        def value(measure: Measure) -> float | None:
            live = MEASURES[measure.name].live
            return None if live is None else live.value(now, measure)

        return value
