"""The kernel's table of tracked connections, of which each has the server that it was given.

ctnetlink (include/uapi/linux/netfilter/nfnetlink_conntrack.h): where addresses are
translated, a connection has two tuples. The original one goes from the client to the
virtual address, and the reply one comes from the real server.

One that a server refuses is forgotten at once, before anybody can look for it
(nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet: a reset as the first reply). The kernel
tells of its end, so that is listened to.
"""

import errno
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from socket import AF_INET, inet_aton, inet_ntop, ntohs

from ipvsload.ipvs.decode import ATTRIBUTES, Batch, Decoder, MessageKind, Path, Row, attributes
from ipvsload.ipvs.keys import Endpoint, join_endpoint
from ipvsload.ipvs.netlink_socket import ACK
from ipvsload.netfilter.nat_service import CLOSING
from ipvsload.netfilter.nfnetlink import (
    CONNTRACK,
    NetfilterSocket,
    attribute,
    dump_message,
    message,
    nest,
)
from ipvsload.netfilter.tracking_events import DESTROY, TrackingEvents

_GET, _DELETE = 1, 2  # IPCTNL_MSG_CT_*
_TCP = 6
STATES = dict(
    enumerate(
        ("NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK",
         "TIME_WAIT", "CLOSE", "SYN_SENT2")
    )
)  # fmt: skip
"""The states' names (nf_conntrack_proto_tcp.c, tcp_conntrack_names)."""
ACTIVE = frozenset({1, 2, 3, 9})
"""The states that are active for IPVS, too: SYN_SENT, SYN_RECV, ESTABLISHED, SYN_SENT2
(include/uapi/linux/netfilter/nf_conntrack_tcp.h)."""

# CTA_TUPLE_ORIG 1, _REPLY 2: CTA_TUPLE_IP 1 (CTA_IP_V4_SRC 1, _DST 2), _PROTO 2 (NUM, SRC_ and
# DST_PORT); CTA_PROTOINFO 4: CTA_PROTOINFO_TCP 1: its STATE 1.
_SOURCE, _DESTINATION = (1, 1, 1), (1, 1, 2)
_SOURCE_PORT, _DESTINATION_PORT = (1, 2, 2), (1, 2, 3)
_SERVER, _SERVER_PORT = (2, 1, 1), (2, 2, 2)
_PROTOCOL, _STATE = (1, 2, 1), (4, 1, 1)
_NUMBER: Path = (12,)  # CTA_ID


def _kind(raw: set[int], *paths: Path) -> MessageKind:
    everything = frozenset(range(len(paths)))
    return MessageKind(
        "connection", tuple((path,) for path in paths), raw=frozenset(raw), optional=everything
    )


_COUNTED = _kind(
    {0, 3}, _DESTINATION, _PROTOCOL, _DESTINATION_PORT, _SERVER, _SERVER_PORT, _STATE
)  # in the order of the message: decoded at the speed of `struct`
_ENDED = _kind(
    {0, 1, 5},
    *(_SOURCE, _DESTINATION, _PROTOCOL, _SOURCE_PORT, _DESTINATION_PORT, _SERVER, _SERVER_PORT),
)

_WHOLE = _kind(
    {0, 1, 5},
    *(_SOURCE, _DESTINATION, _PROTOCOL, _SOURCE_PORT, _DESTINATION_PORT, _SERVER, _SERVER_PORT),
    *(_STATE, _NUMBER),
)

ServerKey = tuple[bytes, int, bytes, int]
"""Virtual address and port, and server address and port."""
ServerCounts = dict[ServerKey, list[int]]
"""[active, inactive] connections of each."""
_SHARE = 0.01
"""Seconds for a part of the whole table: at ten samples a second a tenth of the time."""


def counts(seen: Mapping[Row, int]) -> ServerCounts:
    """Add up TCP connections, by how often each row was seen.

    Those whose address was not translated are left out.
    """
    found: ServerCounts = {}
    for (vip, protocol, port, server, server_port, state), number in seen.items():
        if protocol == _TCP and server and (vip, port) != (server, server_port):
            key = vip, port, server, server_port
            found.setdefault(key, [0, 0])[state not in ACTIVE] += number
    return found


class _WholeTable:
    """Reads the whole table, a little at a time, again and again."""

    def __init__(self) -> None:
        self._socket = NetfilterSocket()
        self._decoder = Decoder(_COUNTED)
        self._request = dump_message(CONNTRACK, _GET, AF_INET)
        self._parts: Iterator[list[Batch]] | None = None
        self._rows: Counter[Row] = Counter()

    def read(self, until: float) -> tuple[ServerCounts | None, bool]:
        """Go on until that time of the monotonic clock.

        What was counted, where the end was reached; and whether all of it was read just now.
        """
        fresh = self._parts is None
        if self._parts is None:
            self._parts, self._rows = self._socket.parts(self._request, self._decoder), Counter()
        try:
            for batches in self._parts:
                for _, rows in batches:
                    self._rows.update(rows)
                if time.monotonic() >= until:
                    return None, False
        except BaseException:
            self._parts = None
            raise
        self._parts = None
        return counts(self._rows), fresh

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Conntrack:
    """The connections of this network namespace. Raises OSError where the kernel has no ctnetlink.

    Not for two threads at once.
    """

    def __init__(self) -> None:
        self._socket = NetfilterSocket()
        self._decoder, self._whole = Decoder(_COUNTED), Decoder(_WHOLE)
        self._list = dump_message(CONNTRACK, _GET, AF_INET)
        mark = attribute(8, bytes(4)) + attribute(21, struct.pack("!I", CLOSING))
        self._list_open = dump_message(CONNTRACK, _GET, AF_INET, mark)  # CTA_MARK, CTA_MARK_MASK
        self._inactive: dict[ServerKey, int] = {}
        self._whole_table = _WholeTable()

    def close(self) -> None:
        """Close the sockets."""
        self._socket.close()
        self._whole_table.close()

    def counts(self) -> ServerCounts:
        """How many connections each server has. Raises InterruptedDumpError and OSError.

        Active ones are those of now. A table may have a hundred thousand that have closed, so
        all of it is read a little at a time: inactive ones are those of the last whole reading.
        """
        found, fresh = self._whole_table.read(time.monotonic() + _SHARE)
        if found is not None:
            self._inactive = {key: inactive for key, (_, inactive) in found.items()}
            if fresh:
                return found
        found = {key: [0, inactive] for key, inactive in self._inactive.items()}
        batches = self._socket.dump(self._list_open, self._decoder)
        now = counts(Counter(row for _, rows in batches for row in rows))
        for key, (active, _) in now.items():
            found[key] = [active, self._inactive.get(key, 0)]
        return found

    def connections(self) -> Iterator[Row]:
        """Each connection of IPv4; ports are in network order.

        (client, virtual address, protocol, client port, virtual port, server, server port,
        state, number). Raises InterruptedDumpError and OSError.
        """
        for _, rows in self._socket.dump(self._list, self._whole):
            yield from rows

    def forget_all(self) -> None:
        """Have the kernel forget every connection of this namespace. Raises OSError."""
        self._socket.ask(message(CONNTRACK, _DELETE, AF_INET, flags=ACK))

    def server(self, client: Endpoint, service: Endpoint) -> str | None:
        """The server of the TCP connection from `client` to `service`; None if there is none."""
        tuple_ = nest(
            1,
            nest(1, attribute(1, inet_aton(client[0])), attribute(2, inet_aton(service[0]))),
            nest(
                2,
                attribute(1, bytes([_TCP])),
                attribute(2, struct.pack("!H", client[1])),
                attribute(3, struct.pack("!H", service[1])),
            ),
        )
        try:
            answer = self._socket.ask(message(CONNTRACK, _GET, AF_INET, tuple_))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        found = {
            path: answer[at : at + size]
            for path, at, size in attributes(answer, ATTRIBUTES, len(answer), _COUNTED.nests)
        }
        return _endpoint(found[_SERVER], int.from_bytes(found[_SERVER_PORT], "big"))


class EndedUnanswered:
    """Connections that ended before their server answered, as the kernel tells of them.

    They are kept until `clear`; of those that the socket has no room for nobody knows.
    """

    # Of all that end, take only those without
    # IPS_SEEN_REPLY (0x2) in their CTA_STATUS (3), which SKF_AD_NLATTR looks for.
    _FILTER = (
        (0x00, 0, 0, ATTRIBUTES),  # A = where to begin
        (0x01, 0, 0, 3),  # X = the attribute
        (0x20, 0, 0, 0xFFFFF00C),  # A = its place: SKF_AD_OFF + SKF_AD_NLATTR
        (0x07, 0, 0, 0),  # X = A
        (0x40, 0, 0, 4),  # A = its value
        (0x45, 1, 0, 0x2),  # if it has been answered
        (0x06, 0, 0, 0xFFFF),  # take all of it
        (0x06, 0, 0, 0),  # take nothing
    )

    def __init__(self) -> None:
        """Begin to listen. Raises OSError."""
        self._servers: dict[tuple[str, int, str, int], str] = {}
        self._events = TrackingEvents(DESTROY, _ENDED, self._FILTER)

    def close(self) -> None:
        """Listen no more."""
        self._events.close()

    def clear(self) -> None:
        """Forget those that have ended until now."""
        self._take()
        self._servers.clear()

    def server(self, client: Endpoint, service: Endpoint) -> str | None:
        """The server of the last such connection from `client` to `service`, or None."""
        self._take()
        return self._servers.get((*client, *service))

    def _take(self) -> None:
        for client, vip, protocol, port, vip_port, server, server_port in self._events.take():
            if protocol == _TCP:
                key = _host(client), ntohs(port), _host(vip), ntohs(vip_port)
                self._servers[key] = _endpoint(server, ntohs(server_port))


def _host(address: bytes) -> str:
    return inet_ntop(AF_INET, address)


def _endpoint(address: bytes, port: int) -> str:
    return join_endpoint(_host(address), port)
