"""Which real server had each request, by the director's own list of connections.

A request and a connection of the list are one by the client's address and port, and by time, for
a port may come again. The list is read again and again, and tells a connection when it is new. So
what was told of a port between two openings of it is of the first of the two. A port that comes
again while its old entry is still there, and gets the same server, is not told again.

What is not certain is left open: it neither fills a server in nor bears witness. Columns of numpy
are all that is here, because a run may have ten million requests. Pure.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.connection_table import ConnectionTable
from ipvsload.record.request_table import RequestColumns, RequestTable

Array = NDArray[Any]

NOT_CERTAIN, GIVEN_TO_NONE = -1, -2
"""What stands for a server where it is not known, and where the director gave it to none."""

_RESET_US = 10_000_000
"""The kernel keeps a connection that was reset for so long (ip_vs_proto_tcp.c, tcp_timeouts)."""
_CLOSED_US = 60_000_000
"""The same for every other end: the least of them, that of CLOSE_WAIT."""
_TOLD_WITHIN_US = 50_000
"""A row may be older than its time by so much: the time is that of a slice of the list."""
_NEVER = np.iinfo(np.int64).max
_LONGEST_US = (1 << 32) - 1
_AT_ONCE = 1 << 17
"""Openings that are looked at together."""


class WholeReading(NamedTuple):
    """All that was in a node's list at `began_us` had been told at `t_us`."""

    node: str
    began_us: int
    t_us: int


class _Openings(NamedTuple):
    """The openings of connections: their places on the line, and of each first request more.

    It ended `length_us` later. `answered`: it had a whole answer. `late`: its connection was opened
    some time after it began.
    """

    at: Array
    length_us: Array
    answered: Array
    late: Array

    def where(self, chosen: Array | slice) -> "_Openings":
        """Some of them."""
        return _Openings._make(column[chosen] for column in self)


class _Line:
    """Puts client, port and time on one line of numbers, in this order."""

    def __init__(self, clients: int, first_us: int, last_us: int) -> None:
        self._first = first_us
        length = max(0, last_us - first_us)
        # Of a run of days with hundreds of clients the last bits of times have no room.
        self._coarse = max(0, length.bit_length() + 16 + clients.bit_length() - 63)
        self._bits = (length >> self._coarse).bit_length()

    def places(self, client: Array, port: Array, t_us: Array) -> Array:
        """Where these are on the line."""
        # One that ended before the first opening of all is before all.
        after = np.maximum(t_us - self._first, 0) >> self._coarse
        after = np.minimum(after, (1 << self._bits) - 1)
        found: Array = (client.astype(np.int64) << 16 | port) << self._bits | after
        return found

    def times(self, places: Array) -> Array:
        """When that was."""
        found: Array = ((places & ((1 << self._bits) - 1)) << self._coarse) + self._first
        return found

    def alike(self, one: Array, other: Array) -> Array:
        """Whether these are of one client and port."""
        found: Array = one >> self._bits == other >> self._bits
        return found

    def ends(self, place: int) -> tuple[int, int]:
        """The first place of the same client and port, and the first behind them."""
        key = place >> self._bits
        return key << self._bits, (key + 1) << self._bits


class KernelServers:
    """The servers of `requests`, as `connections` say them.

    `readings` are when the list was read as a whole. The times of `connections` may be wrong by
    `slack_us`. Where `follows`, a port that comes again follows its old entry as long as there is
    one, always (conn_reuse_mode 0 and expire_nodest_conn 0). `servers` is what the numbers of `of`
    stand for; `others` is how many of the connections came from other addresses than the
    requests'.
    """

    def __init__(
        self,
        requests: RequestTable,
        connections: ConnectionTable,
        readings: Sequence[WholeReading],
        slack_us: int = 0,
        *,
        follows: bool = False,
    ) -> None:
        self._follows = follows
        self._texts = requests.texts
        self._clients: dict[str | None, int] = {}
        self.servers: list[str] = []
        self.others = 0
        opened, listed = self._put_in_line(requests, connections, slack_us)
        order = np.argsort(opened.at, kind="stable")
        opened = opened.where(order)
        order = np.argsort(listed[0], kind="stable")
        rows, chosen = (column[order] for column in listed)
        del order
        self._at = opened.at
        self._chosen = np.full(len(self._at), NOT_CERTAIN, np.int32)
        begin = 0
        while begin < len(self._at):
            # Some at once, all of a port: what is made on the way would fill the memory.
            last = min(begin + _AT_ONCE, len(self._at)) - 1
            first_place, _ = self._line.ends(int(self._at[begin]))
            _, end_place = self._line.ends(int(self._at[last]))
            end = int(np.searchsorted(self._at, end_place))
            some = slice(*np.searchsorted(rows, [first_place, end_place]).tolist())
            self._chosen[begin:end] = self._join(
                opened.where(slice(begin, end)), rows[some], chosen[some], readings
            )
            begin = end

    def of(self, block: RequestColumns) -> Array:
        """For each request its server's number; NOT_CERTAIN or GIVEN_TO_NONE where it has none."""
        found = np.full(len(block.port), NOT_CERTAIN)
        if not len(self._at):
            return found
        at = self._line.places(self._client_numbers(block.client), block.port, block.start_us)
        opening = np.searchsorted(self._at, at, "right") - 1
        known = (opening >= 0) & (block.port != 0)
        known &= self._line.alike(self._at[opening], at)
        found[known] = self._chosen[opening[known]]
        return found

    def _put_in_line(
        self, requests: RequestTable, connections: ConnectionTable, slack_us: int
    ) -> tuple[_Openings, tuple[Array, Array]]:
        """The openings; and the places and servers of the listed connections that are ours."""
        times: list[int] = []
        opened = listed = 0
        for block in requests.blocks():
            first = _opens(block)
            self._client_numbers(block.client[first])
            opened += int(first.sum())
            if first.any():
                times += [int(block.start_us[first].min()), int(block.start_us[first].max())]
        numbers = np.array([self._clients.get(text, -1) for text in connections.texts])
        for rows in connections.blocks():
            ours = numbers[rows.client] >= 0
            self.others += int((~ours).sum())
            listed += int(ours.sum())
            times += [int(rows.t_us.min()), int(rows.t_us.max()) + slack_us]
        self._line = _Line(len(self._clients), min(times, default=0), max(times, default=0))
        found = _Openings(
            np.empty(opened, np.int64), np.empty(opened, np.uint32),
            np.empty(opened, bool), np.empty(opened, bool),
        )  # fmt: skip
        end = 0
        for block in requests.blocks():
            first = _opens(block)
            begin, end = end, end + int(first.sum())
            client, start = self._client_numbers(block.client[first]), block.start_us[first]
            found.at[begin:end] = self._line.places(client, block.port[first], start)
            lengths = block.planned_us[first] + block.latency_us[first] - start
            found.length_us[begin:end] = np.clip(lengths, 0, _LONGEST_US)
            found.answered[begin:end] = block.error[first] == 0
            found.late[begin:end] = block.retried[first] != 0
        places, servers = np.empty(listed, np.int64), np.empty(listed, np.int32)
        numbered: dict[int, int] = {}
        end = 0
        for rows in connections.blocks():
            ours = numbers[rows.client] >= 0
            begin, end = end, end + int(ours.sum())
            client, t_us = numbers[rows.client[ours]], rows.t_us[ours] + slack_us
            places[begin:end] = self._line.places(client, rows.port[ours], t_us)
            used, its = np.unique(rows.server[ours], return_inverse=True)
            known = [numbered.setdefault(one, len(numbered)) for one in used.tolist()]
            servers[begin:end] = np.array(known, np.int32)[its]
        self.servers = [connections.texts[one] or "" for one in numbered]
        return found, (places, servers)

    def _client_numbers(self, places: Array) -> Array:
        """The numbers of these clients, which are places in the requests' texts."""
        used = np.unique(places)
        numbers = [self._clients.setdefault(self._texts[one], len(self._clients)) for one in used]
        found: Array = np.array(numbers, np.int64)[np.searchsorted(used, places)]
        return found

    def _join(
        self, opened: _Openings, rows: Array, chosen: Array, readings: Sequence[WholeReading]
    ) -> Array:
        """The server of each opening. All are in the order of the line."""
        at, many = opened.at, len(opened.at)
        start_us, times = self._line.times(at), self._line.times(rows)
        end_us = start_us + opened.length_us
        found = np.full(many, NOT_CERTAIN)
        again = np.zeros(many, bool)
        again[1:] = self._line.alike(at[1:], at[:-1])
        next_us = np.full(many, _NEVER)
        next_us[:-1][again[1:]] = start_us[1:][again[1:]]
        # The last row of each: a SYN that was sent again may have been given anew.
        own = np.full(many, -1)
        owner = np.searchsorted(at, rows, "right") - 1
        owned = np.flatnonzero((owner >= 0) & self._line.alike(at[owner], rows))
        own[owner[owned]] = owned
        told = own >= 0
        found[told] = chosen[own[told]]
        # Those that were not told: the list was read, and they were not new to it.
        read_us = _read_by(end_us, readings)
        kept_us = np.where(opened.answered, _CLOSED_US, _RESET_US)
        seen = ~told & (read_us < next_us) & (read_us - end_us <= kept_us)
        before = np.searchsorted(rows, at, "left") - 1
        had = before >= 0
        if len(rows):
            had &= self._line.alike(rows[before], at)
        same = seen & had & opened.answered
        found[same] = chosen[before[same]]
        if self._follows:
            lasts = again.copy()
            lasts[1:] &= start_us[1:] - end_us[:-1] <= kept_us[:-1]
            servers = _of_lasting_entries(lasts, opened.answered, owner[owned], chosen[owned])
            same |= ~told & (servers >= 0)
            found[same] = np.where(servers >= 0, servers, found)[same]
        to_none = seen & ~had & ~opened.answered
        found[to_none] = GIVEN_TO_NONE
        # What was told before the answer came, or where none came, may be of the one before,
        # unless that one is known.
        sure = told & opened.answered
        sure[sure] = times[own[sure]] - _TOLD_WITHIN_US >= end_us[sure]
        candidates, doubtful = told & ~sure & again, np.zeros(many, bool)
        while True:
            known = same | to_none | (told & ~doubtful)
            more = candidates & ~doubtful
            more[1:] &= ~known[:-1]
            if not more.any():
                break
            doubtful |= more
        found[doubtful] = NOT_CERTAIN
        # One that was opened late may have been opened after the next one of its port.
        late = np.flatnonzero(opened.late & (next_us < end_us))
        found[late] = found[late + 1] = NOT_CERTAIN
        return found


def _of_lasting_entries(lasts: Array, answered: Array, owner: Array, chosen: Array) -> Array:
    """The server of each opening whose port follows an entry; NOT_CERTAIN where nothing says it.

    `lasts` says whether the entry of the opening before is still there, so that both have one
    server. `owner` are the openings of which rows of the list were told, with servers `chosen`.
    """
    entry = np.cumsum(~lasts)
    known = np.full(len(lasts) + 1, NOT_CERTAIN)
    known[entry[owner[::-1]]] = chosen[::-1]
    # One without an answer makes an entry or none; from the first answer on there is one.
    answers = np.cumsum(answered)
    first = np.searchsorted(entry, entry, "left")
    there = answers - answers[first] + answered[first] > 0
    there |= np.isin(np.arange(len(lasts)), owner)
    found: Array = np.where(there, known[entry], NOT_CERTAIN)
    return found


def _opens(block: RequestColumns) -> Array:
    """Which of these requests are the first of a connection."""
    found: Array = block.opened & (block.port != 0)
    return found


def _read_by(t_us: Array, readings: Sequence[WholeReading]) -> Array:
    """When all had been told that was in every node's list at these times."""
    by_node = defaultdict(list)
    for one in readings:
        by_node[one.node].append((one.began_us, one.t_us))
    if not by_node:
        return np.full(len(t_us), _NEVER)
    found = np.zeros(len(t_us), np.int64)
    for times in by_node.values():
        began, told = (np.array(column) for column in zip(*sorted(times), strict=True))
        place = np.searchsorted(began, t_us, "left")
        found = np.maximum(found, np.append(told, _NEVER)[place])
    return found
