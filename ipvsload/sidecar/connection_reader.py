"""Tells each connection of some services once, at a bounded cost between the samples.

The kernel's own list is read again and again, as long as a whole reading is done before the
shortest-lived entry can expire. Where the list is too large for that, connections are told as
they begin. Both are done until a whole reading has come after listening began, so that nothing
is lost in between.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ipvsload.ipvs.connection_lines import (
    ConnectionLine,
    ServiceLines,
    ToldConnections,
    connection_row,
)
from ipvsload.ipvs.connections import CONNECTIONS
from ipvsload.ipvs.decode import TableRows
from ipvsload.ipvs.keys import Endpoint
from ipvsload.sidecar.connection_list import ConnectionList, looks_large

if TYPE_CHECKING:
    from ipvsload.sidecar.beginnings import Beginnings

SHARE = 0.08
"""Of a core, for all reading of connections; samples need some of a tenth, too."""
SLICE = 0.002
"""Seconds for which is read at once; what was read is looked through besides."""
_AIM, _OFTEN, _SELDOM = 0.02, 0.2, 1.0
"""Of a core, from one whole reading to the next; and the seconds within which it stays."""
_LISTEN_EVERY, _SAY_EVERY = 0.1, 0.5
_LONGEST = 0.02
"""Seconds that one slice counts for at most: when this machine paused, the list was not slow."""
_HOPELESS, _AGAIN = 8, 60.0
"""How much more than permitted is spent on a list where there is nothing else; and the seconds
until it is tried again."""
_SHORTEST, _PART = 10, 0.75
"""Seconds for which the kernel keeps a connection that was reset (ip_vs_proto_tcp.c,
tcp_timeouts), and the part of the shortest timeout that a whole reading may take."""
_REMEMBERED = 16.0
"""Seconds, two or three times: a SYN is sent again after 32 s at most (tcp_syn_retries)."""
_ROWS = 200
"""Connections a line: a pod's log breaks lines that are long."""
LIST = "ip_vs_conn"

Line = dict[str, object]


class ConnectionReader:
    """The connections to `services` in the network namespace that `inside` enters.

    `table` is the table as it was read last. `by_rules` says whether something else than IPVS
    balances now, `timeouts` gives IPVS's in seconds. `share` is the part of a core that it may
    use. `due` is when it wants to go on, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        services: Sequence[Endpoint],
        table: TableRows,
        *,
        inside: AbstractContextManager[object] | None = None,
        by_rules: Callable[[], bool] = lambda: False,
        timeouts: Callable[[], Mapping[str, int]] = dict,
        share: float = SHARE,
        path: str = CONNECTIONS,
    ) -> None:
        self._services, self._table = services, table
        self._inside = inside or nullcontext()
        self._by_rules, self._timeouts, self._share, self._path = by_rules, timeouts, share, path
        self._lines, self._told = ServiceLines(services), ToldConnections()
        self._list = ConnectionList(path, self._inside)
        self._beginnings: Beginnings | None = None
        self._unheard = ""
        """Why nothing is listened to."""
        self._lost = ""
        """What may have been lost when the list was given up."""
        self._heard, self._behind = 0, False
        self._in_a_hurry = 0
        """So many readings of the list more without a pause."""
        # Times of CLOCK_MONOTONIC in ns.
        self._whole = self._listening = time.monotonic_ns()
        self._tables = (0, 0)
        # And in seconds.
        self.due = self._list_due = self._say_due = self._forget_due = time.monotonic()
        self._begin()
        # Told is what begins from now on; in a guest, what listens has taken a while to import.
        self._whole = max(self._whole, self._listening)

    def hurry(self) -> None:
        """Tell soon what is in the list now: by two readings that begin now, without a pause."""
        self._say_due = 0.0
        if self._listed:
            self._in_a_hurry = 2 + self._list.under_way
            self.due = self._list_due = time.monotonic()

    def close(self) -> None:
        """Tell nothing more."""
        self._list.close()
        self._listen_no_more()

    def see(self, table: TableRows) -> None:
        """The table as it is now."""
        self._table = table
        # What left before a table was read goes to a server that one of the tables has.
        self._tables = self._tables[1], time.monotonic_ns()
        if self._beginnings:
            self._beginnings.see(table)

    def go_on(self) -> Iterator[Line]:
        """Work for a slice or two, and give the lines about it."""
        began = time.monotonic()
        if self._rules != self._by_rules():
            self.close()
            self._begin()
        if self._beginnings:
            yield from self._hear(self._beginnings, began)
        if self._listed and began >= self._list_due:
            begun = time.monotonic()
            yield from self._read_list()
            now = time.monotonic()
            pause = 0.0 if self._in_a_hurry else (now - begun) * (1 / self._share - 1)
            self._list_due = max(self._list_due, now + pause)
        elif self._rules and not self._beginnings and began >= self._say_due:
            self._listen()
            self._say_due = began + _SELDOM
            yield _read_line(time.monotonic_ns(), 0, "nf_conntrack", self._unheard)
        now = time.monotonic()
        self.due = self._list_due if self._listed else now + _SELDOM
        if self._beginnings:  # without a pause: whoever falls behind loses some
            self.due = min(self.due, now if self._behind else now + _LISTEN_EVERY)

    def _begin(self) -> None:
        self._rules = self._by_rules()
        self._listed, self._last_begun = not self._rules, 0
        shortest = min([_SHORTEST, *(s for s in self._timeouts().values() if s > 0)])
        self._limit = self._share * _PART * shortest
        if self._rules or looks_large(self._table):
            self._listen()

    # -- connections as they begin --------------------------------------------

    def _listen(self) -> None:
        if self._beginnings:
            return
        # In a guest each module costs 10 ms, and nearly always the list is enough.
        from ipvsload.sidecar.beginnings_choice import UnheardError, listen

        try:
            with self._inside:
                self._beginnings = listen(self._services, self._table, by_rules=self._rules)
        except UnheardError as error:
            self._unheard = str(error)
            return
        self._listening = time.monotonic_ns()
        self._beginnings.see(self._table)

    def _listen_no_more(self) -> None:
        if self._beginnings:
            self._beginnings.close()
        self._beginnings = None

    def _hear(self, beginnings: "Beginnings", now: float) -> Iterator[Line]:
        lines, ended = beginnings.take(now + SLICE)
        self._heard, self._behind = self._heard + len(lines), not ended
        yield from _told(self._told.take_beginnings(lines))
        if self._listed:
            return
        if now >= self._forget_due:
            self._told.end_reading()
            self._forget_due = now + _REMEMBERED
        if ended and now >= self._say_due and self._tables[0] > self._listening:
            self._say_due = now + _SAY_EVERY
            why = " and ".join(filter(None, (beginnings.why, self._lost)))
            yield _read_line(self._tables[0], self._heard, beginnings.name, why)

    # -- the list -------------------------------------------------------------

    def _read_list(self) -> Iterator[Line]:
        read = self._list
        began = time.monotonic()
        try:
            data, ended = read.read(began + SLICE)
        except OSError as error:  # without IPVS there is no such file
            read.close()
            self._last_begun, self._list_due = 0, began + _SELDOM
            yield _read_line(time.monotonic_ns(), 0, LIST, f"{self._path}: {error.strerror}")
            return
        yield from _told(self._told.take(self._lines.find(data)))
        read.spent += min(time.monotonic() - began, _LONGEST)
        costly = read.spent > self._limit / 4
        if costly:
            self._listen()
        if ended:
            yield from self._end_reading(costly)
        elif read.spent > self._limit:
            yield from self._give_up()

    def _end_reading(self, costly: bool) -> Iterator[Line]:
        read = self._list
        self._told.end_reading()
        took = (time.monotonic_ns() - read.begun) / 1e9
        allowed = self._limit / self._share
        late = f"reading the list took {took:.0f} s of {allowed:.0f}, and {self._unheard}"
        if self._last_begun:  # what one reading passed over, the next one has
            why = late if took > allowed and not self._beginnings and self._unheard else ""
            yield _read_line(self._last_begun, read.entries, LIST, why)
        self._last_begun = self._whole = read.begun
        self._list_due = read.begun / 1e9 + min(max(read.spent / _AIM, _OFTEN), _SELDOM)
        self._in_a_hurry = max(0, self._in_a_hurry - 1)
        if self._in_a_hurry:
            self._list_due = 0.0
        if not costly:
            self._listen_no_more()
        elif self._beginnings and read.begun > self._listening:
            self._listed = False

    def _give_up(self) -> Iterator[Line]:
        """The list is too large, before it was read to its end."""
        if self._beginnings:
            self._list.close()
            self._listed = False
            gap = (self._listening - self._whole) / 1e9
            if gap > _OFTEN:
                self._lost = f"the list grew faster than it could be read, {gap:.1f} s are missing"
        elif self._list.spent > _HOPELESS * self._limit:
            self._list.close()
            self._list_due = time.monotonic() + _AGAIN
            why = f"the list is too large to be read, and {self._unheard}"
            yield _read_line(time.monotonic_ns(), self._list.entries, LIST, why)


def _told(connections: Iterable[ConnectionLine]) -> Iterator[Line]:
    """The lines that tell them; each has a time of its own, to be known when it comes twice."""
    rows = [connection_row(one) for one in connections]
    for at in range(0, len(rows), _ROWS):
        yield {"connections": rows[at : at + _ROWS], "t": time.monotonic_ns()}


def _read_line(began: int, entries: int, source: str, why: str = "") -> Line:
    """The line that says how far connections are known."""
    read = {"entries": entries, "began": began, "source": source, "why": why}
    return {"connections_read": read, "t": time.monotonic_ns()}
