"""What one director saw of connections, in the order of its recorded times.

From a witness's packets the order is known where they leave the director in the order in which
it worked. Where they do not (a kernel on several processors), either may have been first of two
packets by different cards, `packet_order_us` (testbed/lab/kernels/base.py) apart or less. From
requests alone a time is a guess: a SYN passes after the generator began to connect, and a FIN
about when the generator had the answer.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.format import NO_SERVER
from ipvsload.record.packet_table import PacketTable
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import ValuesByGroup
from ipvsload.record.witness import PacketKind, Witness
from ipvsload.replay.carried_connections import CarriedConnection


class EventKind(IntEnum):
    """What happened."""

    SYN = 0
    FIN = 1
    RST = 2


class DirectorEvent(NamedTuple):
    """A SYN, or the FIN or RST of one side, passed at `t_ns`, or at some time from early to late.

    `server` is where a SYN went; None where to is not known, "" where the director had no server
    for it. Events of one `line` happened in their order.
    """

    t_ns: int
    early_ns: int
    late_ns: int
    kind: EventKind
    client: Client
    side: Side
    server: str | None
    line: int


_PACKETS = {
    PacketKind.ASKED: (EventKind.SYN, Side.CLIENT),
    PacketKind.CHOSEN: (EventKind.SYN, Side.CLIENT),
    PacketKind.CLIENT_FIN: (EventKind.FIN, Side.CLIENT),
    PacketKind.SERVER_FIN: (EventKind.FIN, Side.SERVER),
    PacketKind.CLIENT_RST: (EventKind.RST, Side.CLIENT),
    PacketKind.SERVER_RST: (EventKind.RST, Side.SERVER),
}
_SYNS = 2
"""The line of decisions; the others' are their sides, because each leaves by its own card."""
_AT_ONCE = 1 << 14


def witnessed(
    witness: Witness, apart_ns: int = 0, through: Callable[[int], bool] | None = None
) -> Iterator[DirectorEvent]:
    """A witness's packets, of the client ports that are `through` the director; None: of all.

    Those by different cards, `apart_ns` apart or less, may have passed either way round. SYNs
    that the director sent to no server are there, too, with the server "".
    """
    packets = witness.packets
    table = packets if isinstance(packets, PacketTable) else PacketTable.of(packets)
    rows = _as_decided(table.rows)
    clients, servers = table.clients, table.servers
    half = apart_ns // 2
    known: dict[tuple[int, int], Client] = {}
    for begin in range(0, len(rows), _AT_ONCE):
        for t_ns, kind, client, port, server in rows[begin : begin + _AT_ONCE].tolist():
            if through is not None and not through(port):
                continue
            source = known.get((client, port))
            if source is None:
                source = known[client, port] = Client(clients[client], port)
            what, side = _PACKETS[kind]
            line = _SYNS if what == EventKind.SYN else side
            yield DirectorEvent(
                t_ns, t_ns - half, t_ns + half, what, source, side, servers[server], line
            )


def _as_decided(rows: NDArray[Any]) -> NDArray[Any]:
    """The rows that tell something, decisions in the order in which they were made.

    A SYN on its way in tells nothing where it came out again, but for this: the director takes
    SYNs up in the order in which they come. So one that leaves after a later one was decided
    before that one left.
    """
    syns = np.flatnonzero(rows["kind"] <= PacketKind.CHOSEN)
    source = rows["client"][syns].astype(np.int64) << 16 | rows["port"][syns]
    by_source = np.argsort(source, kind="stable")
    source, kinds = source[by_source], rows["kind"][syns][by_source]
    pairs = np.flatnonzero(
        (source[1:] == source[:-1])
        & (kinds[:-1] == PacketKind.ASKED)
        & (kinds[1:] == PacketKind.CHOSEN)
    )
    asked, chosen = syns[by_source[pairs]], syns[by_source[pairs + 1]]
    come = np.argsort(asked, kind="stable")
    left = rows["t_ns"][chosen[come]]
    decided = np.minimum.accumulate(left[::-1])[::-1]
    tells = np.ones(len(rows), bool)
    tells[asked] = False
    if (decided == left).all():
        return rows[tells]
    found = np.array(rows)
    found["t_ns"][chosen[come]] = decided
    order = np.arange(len(rows))
    order[chosen[come]] = asked[come]  # of those decided at one time
    found, order = found[tells], order[tells]
    return found[np.lexsort((order, found["t_ns"]))]


def path_ns(requests: RequestTable) -> int:
    """How long an answer takes at most by itself, in nearly all cases.

    That is the time of 999 in 1,000 answers of the class that has the quickest ones.
    """

    def pieces() -> Iterator[tuple[int, NDArray[Any]]]:
        for block in requests.blocks("traffic", "planned_us", "start_us", "latency_us", "error"):
            answered = block.where(block.error == 0)
            for (traffic,), rows in row_groups(answered.traffic):
                yield traffic, (answered.end_us - answered.start_us)[rows]

    took = ValuesByGroup(pieces)
    by_class = [took.of(one) for one in took.groups]
    if not by_class:
        return 0
    quickest = min(by_class, key=lambda ordered: ordered[(len(ordered) - 1) // 2])
    return max(0, quickest[min(len(quickest) - 1, len(quickest) * 999 // 1000)]) * 1000


def requested(connections: Iterable[CarriedConnection], path: int) -> list[DirectorEvent]:
    """What requests tell of their connections; `path` is their `path_ns`.

    A SYN passes after the generator began, by `path` at most and before the answer. A FIN passes
    about with the last answer, by `path` before or after it. One that was kept for some
    time is taken to end with its last answer.
    """
    events = [event for one in connections for event in _of_connection(one, path)]
    events.sort(key=lambda one: one.t_ns)
    return events


def _of_connection(connection: CarriedConnection, path: int) -> Iterator[DirectorEvent]:
    first, last = connection
    client = Client(first.client, first.port)
    begin = first.start_us * 1000
    answered = max(begin, (first.planned_us + first.latency_us) * 1000)
    end = max(begin, (last.planned_us + last.latency_us) * 1000)
    passed = min(answered, begin + path) + 999
    yield DirectorEvent(
        begin, begin, passed, EventKind.SYN, client, Side.CLIENT, first.server, _SYNS
    )
    if first.server in (None, NO_SERVER):
        return
    early, late = max(begin, end - path), end + path + 999
    if last.error in ("refused", "reset"):
        # A client that gets RST is silent from then on.
        yield DirectorEvent(end, early, late, EventKind.RST, client, Side.SERVER, None, 0)
        return
    yield DirectorEvent(end, early, late, EventKind.FIN, client, Side.SERVER, None, 0)
    yield DirectorEvent(end, early, late, EventKind.FIN, client, Side.CLIENT, None, 0)
