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


class WholeReading(NamedTuple):
    """All that was in a node's list at `began_us` had been told at `t_us`."""

    node: str
    began_us: int
    t_us: int


class _Openings(NamedTuple):
    """The openings of connections: the client's number, its port, and the first request's times.

    `answered`: it had a whole answer. `late`: it was opened some time after `start_us`.
    """

    client: Array
    port: Array
    start_us: Array
    end_us: Array
    answered: Array
    late: Array


class _Line:
    """Puts client, port and time on one line of numbers, in this order."""

    def __init__(self, clients: int, *times: Array) -> None:
        given = [one for one in times if len(one)]
        self._first = min((int(one.min()) for one in given), default=0)
        length = max((int(one.max()) for one in given), default=0) - self._first
        bits = 16 + clients.bit_length()
        self._coarse = max(0, length.bit_length() + bits - 63)
        self._bits = (length >> self._coarse).bit_length()

    def places(self, client: Array, port: Array, t_us: Array) -> Array:
        """Where these are on the line."""
        # One that ended before the first opening of all is before all.
        after = np.maximum(t_us - self._first, 0) >> self._coarse
        after = np.minimum(after, (1 << self._bits) - 1)
        found: Array = (client.astype(np.int64) << 16 | port) << self._bits | after
        return found

    def alike(self, one: Array, other: Array) -> Array:
        """Whether these are of one client and port."""
        found: Array = one >> self._bits == other >> self._bits
        return found


class KernelServers:
    """The servers of `requests`, as `connections` say them.

    `readings` are when the list was read as a whole. The times of `connections` may be wrong by
    `slack_us`. `servers` is what the numbers of `of` stand for; `others` is how many of the
    connections came from other addresses than the requests'.
    """

    def __init__(
        self,
        requests: RequestTable,
        connections: ConnectionTable,
        readings: Sequence[WholeReading],
        slack_us: int = 0,
    ) -> None:
        self._texts = requests.texts
        self._clients: dict[str | None, int] = {}
        opened = self._openings(requests)
        self.others = 0
        listed, self.servers = self._listed(connections, slack_us)
        self._line = _Line(len(self._clients), opened.start_us, listed[2])
        at = self._line.places(opened.client, opened.port, opened.start_us)
        order = np.argsort(at, kind="stable")
        self._at = at[order]
        opened = _Openings._make(column[order] for column in opened)
        rows = self._line.places(*listed[:3])
        by_place = np.argsort(rows, kind="stable")
        times, chosen = listed[2][by_place], listed[3][by_place]
        self._chosen = self._join(opened, rows[by_place], times, chosen, readings)

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

    def _openings(self, requests: RequestTable) -> _Openings:
        found = []
        for block in requests.blocks():
            first = ~block.reused.astype(bool) & (block.port != 0)
            start = block.start_us[first].astype(np.int64)
            found.append(
                _Openings(
                    self._client_numbers(block.client[first]),
                    block.port[first],
                    start,
                    np.maximum(
                        start, block.planned_us[first].astype(np.int64) + block.latency_us[first]
                    ),
                    block.error[first] == 0,
                    block.retried[first] != 0,
                )
            )
        if not found:
            return _Openings._make(np.zeros(0, np.int64) for _ in _Openings._fields)
        return _Openings._make(map(np.concatenate, zip(*found, strict=True)))

    def _listed(
        self, connections: ConnectionTable, slack_us: int
    ) -> tuple[tuple[Array, ...], list[str]]:
        """The clients' numbers, ports, times and servers of those that are ours."""
        found = []
        for block in connections.blocks():
            numbers = [self._clients.get(text, -1) for text in connections.texts]
            client = np.array(numbers)[block.client]
            ours = client >= 0
            self.others += int((~ours).sum())
            found.append(
                (
                    client[ours],
                    block.port[ours],
                    block.t_us[ours].astype(np.int64),
                    block.server[ours],
                )
            )
        if not found:
            return tuple(np.zeros(0, np.int64) for _ in range(4)), []
        client, port, t_us, server = map(np.concatenate, zip(*found, strict=True))
        used, chosen = np.unique(server, return_inverse=True)
        names = [connections.texts[one] or "" for one in used]
        return (client, port, t_us + slack_us, chosen), names

    def _client_numbers(self, places: Array) -> Array:
        """The numbers of these clients, which are places in the requests' texts."""
        used = np.unique(places)
        numbers = [self._clients.setdefault(self._texts[one], len(self._clients)) for one in used]
        found: Array = np.array(numbers, np.int64)[np.searchsorted(used, places)]
        return found

    def _join(
        self,
        opened: _Openings,
        rows: Array,
        times: Array,
        chosen: Array,
        readings: Sequence[WholeReading],
    ) -> Array:
        """The server of each opening. All are in the order of the line."""
        many = len(self._at)
        found = np.full(many, NOT_CERTAIN)
        if not many:
            return found
        again = np.zeros(many, bool)
        again[1:] = self._line.alike(self._at[1:], self._at[:-1])
        next_us = np.full(many, _NEVER)
        next_us[:-1][again[1:]] = opened.start_us[1:][again[1:]]
        # The last row of each: a SYN that was sent again may have been given anew.
        own = np.full(many, -1)
        owner = np.searchsorted(self._at, rows, "right") - 1
        owned = np.flatnonzero((owner >= 0) & self._line.alike(self._at[owner], rows))
        own[owner[owned]] = owned
        told = own >= 0
        found[told] = chosen[own[told]]
        # Those that were not told: the list was read, and they were not new to it.
        read_us = _read_by(opened.end_us, readings)
        kept_us = np.where(opened.answered, _CLOSED_US, _RESET_US)
        seen = ~told & (read_us < next_us) & (read_us - opened.end_us <= kept_us)
        before = np.searchsorted(rows, self._at, "left") - 1
        had = before >= 0
        if len(rows):
            had &= self._line.alike(rows[before], self._at)
        same = seen & had & opened.answered
        found[same] = chosen[before[same]]
        found[seen & ~had & ~opened.answered] = GIVEN_TO_NONE
        # What was told before the answer came may be of the one before.
        sure = told.copy()
        sure[told] = times[own[told]] - _TOLD_WITHIN_US >= opened.end_us[told]
        previous_open = np.zeros(many, bool)
        previous_open[1:] = again[1:] & ~(told | same)[:-1]
        found[told & ~sure & previous_open] = NOT_CERTAIN
        # One that was opened late may have been opened after the next one of its port.
        late = np.flatnonzero(opened.late & (next_us < opened.end_us))
        found[late] = found[late + 1] = NOT_CERTAIN
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
