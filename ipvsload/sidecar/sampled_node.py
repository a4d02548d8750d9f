"""What is read at each tick, and what else is told of the same machine."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from ipvsload.ipvs.decode import TableRows
from ipvsload.sidecar.lines import SampleFormatter


class TableReader(Protocol):
    """Where the table comes from: ipvs.client.Ipvs, or the part of it that a pod reads."""

    version: str

    def table(self) -> TableRows:
        """Read the whole table. Raises InterruptedDumpError where it kept changing."""


class SampledNode:
    """A table and the name of its node.

    `facts` is called after the hello and after each sample, for lines of other kinds;
    `news` before the first sample after a ping. Whoever pings is about to begin something,
    and must not take for news what has changed before. `inside` enters the node's network
    namespace, where that is not this process's. `by_rules` says whether something else than IPVS
    balances now, so that IPVS has no list of connections; `timeouts` are IPVS's in seconds.
    `table` is the table as it was read last.
    """

    def __init__(
        self,
        name: str,
        reader: TableReader,
        facts: Callable[[], Iterable[dict[str, object]]] = tuple,
        news: Callable[[], Iterable[dict[str, object]]] = tuple,
        inside: AbstractContextManager[object] | None = None,
        by_rules: Callable[[], bool] = lambda: False,
        timeouts: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self.name, self.reader, self.facts, self.news = name, reader, facts, news
        self.inside, self.by_rules, self.timeouts = inside, by_rules, timeouts
        self.table: TableRows = []
        self.formatter = SampleFormatter()
