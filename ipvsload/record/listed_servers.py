"""A run's requests with the servers that the director's list of connections has for them.

Where an answer named its server there are two witnesses, who must agree. Where it named none, or by
another name than the table's addresses, the kernel's word is taken.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.connection_join import GIVEN_TO_NONE, KernelServers, WholeReading
from ipvsload.record.connection_table import ConnectionTable
from ipvsload.record.events import ClockAligned, Event, ListRead
from ipvsload.record.format import NO_SERVER
from ipvsload.record.request_table import RequestColumns, RequestTable
from ipvsload.record.told_sysctls import told_sysctls

_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A request whose answer named another server than the kernel had given its connection."""

    traffic: str
    start_us: int
    client: str
    port: int
    named: str
    kernel: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """How many requests the list told of, and what the servers' own word says to that.

    `told` are all whose server it had. Of these `agreed` answers named the same one, and
    `disagreed` another; the first of these are `disagreements`. `open` were answered and are not
    told, and `unnamed` of them did not name their server either. `connections` is how many the
    list had of the service, and `others` how many of them came from addresses that the generator
    never used. `sources` are where it was read, and `lacking` what it said may be missing.
    `entries` is the most that it had at once, with those of other services.
    """

    told: int = 0
    agreed: int = 0
    disagreed: int = 0
    open: int = 0
    unnamed: int = 0
    connections: int = 0
    others: int = 0
    entries: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    sources: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class LastJoin:
    """Keeps the join of one run, the last that was asked for: those of all were too many."""

    def __init__(self) -> None:
        self._of: object = None
        self._made: Any = None

    def of(self, key: object, make: "Callable[[], _Made]") -> "_Made":
        """What was made for this key, or is made now."""
        if self._of is not key:
            self._of, self._made = key, make()
        made: _Made = self._made
        return made


_Made = TypeVar("_Made")


class ListedServers:
    """Fills in the servers of one run's `requests`; `events` are the run's."""

    def __init__(
        self,
        requests: RequestTable,
        connections: ConnectionTable,
        events: Sequence[Event],
        last: LastJoin,
    ) -> None:
        self._requests, self._connections = requests, connections
        self._reads = [event for event in events if isinstance(event, ListRead)]
        self._clocks = [event for event in events if isinstance(event, ClockAligned)]
        modes = (told_sysctls(events, one) for one in ("conn_reuse_mode", "expire_nodest_conn"))
        self._follows = all(one == {0} for one in modes)
        self._last = last

    @property
    def texts(self) -> list[str | None]:
        """What the numbers of `fill` stand for."""
        return self._join.texts

    def fill(self, block: RequestColumns) -> RequestColumns:
        """The same requests, each with its server, where one of both witnesses knows it."""
        join = self._join
        return block._replace(server=join.filled(block, join.servers.of(block)))

    @cached_property
    def attribution(self) -> Attribution:
        """What was found; it looks at each request."""
        join = self._join
        found = Attribution(
            connections=len(self._connections),
            others=join.servers.others,
            entries=max((one.entries for one in self._reads), default=0),
            sources=tuple(dict.fromkeys(one.source for one in self._reads)),
            lacking=(*dict.fromkeys(one.why for one in self._reads if one.why), *self._unread()),
        )
        return join.counted(self._requests, found)

    def _unread(self) -> Iterator[str]:
        """That it was not read to the run's end, if so."""
        known = {one.node: one.began_us for one in self._reads if not one.why}
        if known:
            unread = self._requests.last_end_us - min(known.values())
            if unread > 0:
                yield f"it was not read as a whole in the last {unread / 1e6:.1f} s of the requests"

    @property
    def _join(self) -> "_Join":
        return self._last.of(self, self._make)

    def _make(self) -> "_Join":
        slack_us = _slack_us(self._clocks)
        readings = [
            WholeReading(one.node, one.began_us - slack_us, one.t_us + slack_us)
            for one in self._reads
        ]
        servers = KernelServers(
            self._requests, self._connections, readings, slack_us, follows=self._follows
        )
        return _Join(servers, self._requests.texts)


class _Join:
    """One run's join, in the words of the table of its requests."""

    def __init__(self, servers: KernelServers, texts: Sequence[str | None]) -> None:
        self.servers = servers
        self.texts = list(texts)
        places = {text: place for place, text in enumerate(self.texts)}
        for one in (*servers.servers, NO_SERVER):
            if one not in places:
                places[one] = len(self.texts)
                self.texts.append(one)
        self._none = places[NO_SERVER]
        self._places = np.array([places[one] for one in servers.servers], np.int64)
        self._names = np.array([_is_address(text) for text in self.texts])

    def _told(self, kernel: NDArray[Any]) -> NDArray[Any]:
        """The places of the servers; where none is told, any."""
        if not len(self._places):
            return np.zeros_like(kernel)
        found: NDArray[Any] = self._places[np.maximum(kernel, 0)]
        return found

    def filled(self, block: RequestColumns, kernel: NDArray[Any]) -> NDArray[Any]:
        """The column of servers."""
        wanted = (kernel >= 0) & ~self._names[block.server]
        server = np.where(wanted, self._told(kernel), block.server)
        server[(kernel == GIVEN_TO_NONE) & (block.server == 0)] = self._none
        return server

    def counted(self, requests: RequestTable, found: Attribution) -> Attribution:
        """Add to `found` what is counted of the requests."""
        counts: dict[str, int] = dict.fromkeys(
            ("told", "agreed", "disagreed", "open", "unnamed"), 0
        )
        first: list[Disagreement] = []
        for block in requests.blocks():
            kernel = self.servers.of(block)
            told, place = kernel >= 0, self._told(kernel)
            witness = told & self._names[block.server]
            agreed = witness & (place == block.server)
            differ = np.flatnonzero(witness & ~agreed)
            answered = ~told & (block.error == 0)
            counts["told"] += int(told.sum())
            counts["agreed"] += int(agreed.sum())
            counts["disagreed"] += len(differ)
            counts["open"] += int(answered.sum())
            counts["unnamed"] += int((answered & (block.server == 0)).sum())
            for at in differ[: _MOST_TOLD - len(first)].tolist():
                names = (self.texts[one] or "" for one in (block.server[at], place[at]))
                first.append(
                    Disagreement(
                        self.texts[block.traffic[at]] or "", int(block.start_us[at]),
                        self.texts[block.client[at]] or "", int(block.port[at]), *names,
                    )
                )  # fmt: skip
        return replace(
            found,
            told=counts["told"],
            agreed=counts["agreed"],
            disagreed=counts["disagreed"],
            open=counts["open"],
            unnamed=counts["unnamed"],
            disagreements=tuple(first),
        )


def _slack_us(clocks: Sequence[ClockAligned]) -> int:
    """How far the time of a director may be off: as measured, and by what it moved in the run."""
    by_node = groupby(sorted(clocks, key=lambda one: one.node), key=lambda one: one.node)
    offsets = [[one.offset_us for one in its] for _, its in by_node]
    moved = max((max(one) - min(one) for one in offsets), default=0)
    wrong = max((one.uncertainty_us for one in clocks), default=0)
    return int(wrong + moved) + 1


def _is_address(text: str | None) -> bool:
    """Whether a server calls itself as the kernel's table would."""
    host, colon, _ = (text or "").rpartition(":")
    try:
        return bool(colon) and bool(ip_address(host.strip("[]")))
    except ValueError:
        return False
