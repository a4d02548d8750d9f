"""What one director saw of connections, in the order of its recorded times.

From a witness's packets the order is known, but for one thing: which of two packets that left
by different cables was first, where a kernel serves its network cards one after the other. From
requests alone a time is a guess: a SYN passes after the generator began, and a FIN
about when the generator had the answer.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.format import NO_SERVER, Request
from ipvsload.record.packet_table import PacketTable
from ipvsload.record.witness import PacketKind, Witness

CABLES_APART_NS = 100_000
"""Two packets by different cables, seen at most so far apart, may have passed either way round.
In user-mode Linux none did, in a virtual machine some 30 us apart."""
SYN_LATE_NS = 1_500_000
"""A SYN passes the director at most so long after the generator began to connect."""
FIN_EARLY_NS = 1_500_000
FIN_LATE_NS = 1_500_000
"""A connection's first FIN passes at most so long before or after the generator had the answer."""


class EventKind(IntEnum):
    """What happened."""

    SYN = 0
    FIN = 1
    RST = 2


class DirectorEvent(NamedTuple):
    """A SYN, or the FIN or RST of one side, passed at `t_ns`, or at some time from early to late.

    `server` is where a SYN went; None where to is not known, "" where the director had no server
    for it. Events of one `cable` happened in their order; None is of no cable.
    """

    t_ns: int
    early_ns: int
    late_ns: int
    kind: EventKind
    client: Client
    side: Side
    server: str | None
    cable: int | None


_PACKETS = {
    PacketKind.ASKED: (EventKind.SYN, Side.CLIENT, None),
    PacketKind.CHOSEN: (EventKind.SYN, Side.CLIENT, 1),
    PacketKind.CLIENT_FIN: (EventKind.FIN, Side.CLIENT, 1),
    PacketKind.SERVER_FIN: (EventKind.FIN, Side.SERVER, 0),
    PacketKind.CLIENT_RST: (EventKind.RST, Side.CLIENT, 1),
    PacketKind.SERVER_RST: (EventKind.RST, Side.SERVER, 0),
}
_AT_ONCE = 1 << 14


def witnessed(
    witness: Witness, through: Callable[[int], bool] | None = None
) -> Iterator[DirectorEvent]:
    """A witness's packets, of the client ports that are `through` the director; None: of all.

    SYNs that the director sent to no server are there, too, with the server "".
    """
    packets = witness.packets
    table = packets if isinstance(packets, PacketTable) else PacketTable.of(packets)
    rows = table.rows[_telling(table.rows)]
    clients, servers = table.clients, table.servers
    half = CABLES_APART_NS // 2
    known: dict[tuple[int, int], Client] = {}
    for begin in range(0, len(rows), _AT_ONCE):
        for t_ns, kind, client, port, server in rows[begin : begin + _AT_ONCE].tolist():
            if through is not None and not through(port):
                continue
            source = known.get((client, port))
            if source is None:
                source = known[client, port] = Client(clients[client], port)
            what, side, cable = _PACKETS[kind]
            yield DirectorEvent(
                t_ns, t_ns - half, t_ns + half, what, source, side, servers[server], cable
            )


def _telling(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Which rows say something: all but SYNs on their way in that came out again."""
    syns = np.flatnonzero(rows["kind"] <= PacketKind.CHOSEN)
    source = rows["client"][syns].astype(np.int64) << 16 | rows["port"][syns]
    by_source = np.argsort(source, kind="stable")
    source, kinds = source[by_source], rows["kind"][syns][by_source]
    answered = np.zeros(len(syns), bool)
    answered[:-1] = (source[1:] == source[:-1]) & (kinds[1:] == PacketKind.CHOSEN)
    answered &= kinds == PacketKind.ASKED
    tells = np.ones(len(rows), bool)
    tells[syns[by_source[answered]]] = False
    return np.flatnonzero(tells)


def requested(requests: list[Request], end_ns: int) -> list[DirectorEvent]:
    """What requests tell of connections; `end_ns` is when the run was over."""
    events: list[DirectorEvent] = []
    carried: dict[tuple[str, int], list[Request]] = {}
    for request in sorted((one for one in requests if one.port), key=lambda one: one.start_us):
        source = request.client, request.port
        if not request.reused and source in carried:
            events += _of_connection(carried.pop(source), request.start_us * 1000)
        carried.setdefault(source, []).append(request)
    for connection in carried.values():
        events += _of_connection(connection, end_ns)
    events.sort(key=lambda one: one.t_ns)
    return events


def _of_connection(requests: list[Request], before_ns: int) -> Iterator[DirectorEvent]:
    first, last = requests[0], requests[-1]
    client = Client(first.client, first.port)
    begin = first.start_us * 1000
    answered = max(begin, (first.planned_us + first.latency_us) * 1000)
    end = max(begin, (last.planned_us + last.latency_us) * 1000)
    late = min(answered, begin + SYN_LATE_NS) + 999
    yield DirectorEvent(begin, begin, late, EventKind.SYN, client, Side.CLIENT, first.server, None)
    if first.server in (None, NO_SERVER):
        return
    # Of a kept connection nobody knows when it was closed.
    kept = len(requests) > 1
    latest = max(end, before_ns) if kept else end + FIN_LATE_NS
    kind = EventKind.RST if last.error in ("refused", "reset") else EventKind.FIN
    early = max(begin, end - FIN_EARLY_NS)
    yield DirectorEvent(end, early, latest, kind, client, Side.SERVER, None, None)
    yield DirectorEvent(end, early, latest, kind, client, Side.CLIENT, None, None)
