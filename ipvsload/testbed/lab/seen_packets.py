"""What was seen at both cables, joined: each packet with its client and its real server."""

from collections.abc import Callable, Mapping
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.record.packet_table import COLUMNS, PacketTable
from ipvsload.record.witness import PacketKind
from ipvsload.testbed.lab.packet_filter import OUTGOING, RST, SYN


class SeenService(NamedTuple):
    """The virtual service whose packets they are."""

    port: int
    forwarding: str
    endpoint: str
    """How an address and a port are written."""
    hosts: Mapping[bytes, str]
    """The real servers by their link addresses, where packets are sent to these."""


def join_packets(
    at_clients: NDArray[Any],
    at_servers: NDArray[Any],
    service: SeenService,
    to_monotonic: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> PacketTable:
    """The packets of the connections that were asked for, by time.

    The arrays are a `FrameColumns` of each cable; `to_monotonic` turns CLOCK_REALTIME
    into the generator's clock. A packet from the service is its server's to which the
    connection was sent last; "" where that was not seen.
    """
    asked = at_clients["type"] != OUTGOING
    kinds = (
        np.where(
            asked,
            PacketKind.ASKED,
            _ends(at_clients["flags"], PacketKind.SERVER_RST, PacketKind.SERVER_FIN),
        ),
        np.where(
            at_servers["flags"] & SYN,
            PacketKind.CHOSEN,
            _ends(at_servers["flags"], PacketKind.CLIENT_RST, PacketKind.CLIENT_FIN),
        ),
    )
    addresses = np.concatenate(
        (
            np.where(asked, at_clients["source"], at_clients["destination"]),
            at_servers["source"],
        )
    )
    ports = np.concatenate(
        (
            np.where(asked, at_clients["from_port"], at_clients["to_port"]),
            at_servers["from_port"],
        )
    )
    raw_clients, client = np.unique(addresses, return_inverse=True)
    servers, server = _servers(at_servers, service)
    rows = np.empty(len(addresses), COLUMNS)
    rows["t_ns"] = to_monotonic(np.concatenate((at_clients["t"], at_servers["t"])))
    rows["kind"] = np.concatenate(kinds)
    rows["client"], rows["port"] = client, ports
    rows["server"] = np.concatenate((np.zeros(len(at_clients), np.int64), server))

    connection = client.astype(np.int64) << 16 | ports
    known = np.zeros(max(1, len(raw_clients)) << 16, bool)
    known[connection[rows["kind"] == PacketKind.ASKED]] = True
    kept = known[connection]
    rows, connection = rows[kept], connection[kept]
    by_time = np.argsort(rows["t_ns"], kind="stable")
    rows, connection = rows[by_time], connection[by_time]
    _name_servers(rows, connection)
    clients = [_text(raw, at_clients.dtype["source"].itemsize) for raw in raw_clients]
    return PacketTable(rows, clients, servers)


def _ends(flags: NDArray[Any], reset: PacketKind, fin: PacketKind) -> NDArray[Any]:
    return np.where(flags & RST, reset, fin)


def _servers(at_servers: NDArray[Any], service: SeenService) -> tuple[list[str], NDArray[Any]]:
    """The servers' names behind "", and which of them each packet goes to."""
    way = FORWARDINGS[service.forwarding]
    column = "outer" if way.tunnel else "mac" if way.direct else "destination"
    raw, place = np.unique(at_servers[column], return_inverse=True)
    if column == "mac":
        hosts = [service.hosts.get(one.ljust(6, b"\0"), "") for one in raw]
    else:
        hosts = [_text(one, at_servers.dtype[column].itemsize) for one in raw]
    to_port = np.full(len(place), service.port) if way.direct else at_servers["to_port"]
    ends, number = np.unique(place.astype(np.int64) << 16 | to_port, return_inverse=True)
    names = [
        service.endpoint.format(hosts[one >> 16], one & 0xFFFF) if hosts[one >> 16] else ""
        for one in ends.tolist()
    ]
    return ["", *names], number + 1


def _name_servers(rows: NDArray[Any], connection: NDArray[Any]) -> None:
    """Give packets from the service the server that their connection was sent to last."""
    order = np.argsort(connection, kind="stable")
    chosen = rows["kind"][order] == PacketKind.CHOSEN
    last = np.maximum.accumulate(np.where(chosen, np.arange(len(order)), -1))
    its_own = connection[order][last] == connection[order]
    unnamed = np.isin(rows["kind"][order], (PacketKind.SERVER_FIN, PacketKind.SERVER_RST))
    to = unnamed & its_own & (last >= 0)
    rows["server"][order[to]] = rows["server"][order[last[to]]]


def _text(raw: bytes, size: int) -> str:
    return inet_ntop(AF_INET if size == 4 else AF_INET6, raw.ljust(size, b"\0"))
