"""What a run is told out of the director's list of connections: recorded, and how far it is known.

An answer may name its server; the list has the server of every connection, also of one that was
refused. Which requests a connection carried is found at reading (record/connection_join.py).
"""

from collections.abc import Callable, Iterable, Sequence

from ipvsload.experiment.finished_requests import in_the_tables_words
from ipvsload.record.events import ListRead
from ipvsload.record.format import ListedConnection, NewConnections
from ipvsload.scenario.balancers import find
from ipvsload.testbed.base import ServiceUnderTest


class ListedConnections:
    """Hands what it is told of the service's connections to `record`.

    `told` says whether there is somebody who can tell them. `target` is the service whose
    connections are to be told; None where there is no such list.
    """

    def __init__(
        self,
        service: ServiceUnderTest,
        told: bool,
        record: Callable[[Sequence[ListedConnection]], None],
    ) -> None:
        servers = (address for address, _ in service.servers)
        self._record = in_the_tables_words(record, servers)
        self._last: dict[str, ListRead] = {}
        has_list = bool(service.target.key) and find(service.balancer).in_ipvs_table
        self.target = service.target if told and has_list else None

    def add(self, news: NewConnections) -> None:
        """These are new."""
        self._record(news.rows)

    def read(self, reading: ListRead) -> None:
        """The list was read as a whole."""
        self._last[reading.node] = reading

    @property
    def lacking(self) -> bool:
        """Whether it said that some may be missing."""
        return any(one.why for one in self._last.values())

    def known_until_us(self, nodes: Iterable[str]) -> int:
        """What these nodes had in their lists at that time was told; -1 where that is not known."""
        if self.lacking:
            return -1
        return min(
            (self._last[node].began_us if node in self._last else -1 for node in nodes), default=-1
        )
