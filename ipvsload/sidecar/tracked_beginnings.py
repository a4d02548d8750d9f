"""Whom a connection was given to, as connection tracking tells of each that begins.

It tells when the first packet leaves, so also of one that its server then refuses
(net/netfilter/nf_conntrack_core.c, __nf_conntrack_confirm). The client is the one that asked,
also where its address is translated on the way to the server.
"""

import time
from collections.abc import Sequence
from socket import AF_INET, AF_INET6, ntohs

from ipvsload.ipvs.connection_lines import ConnectionLine
from ipvsload.ipvs.connections import endpoint_words
from ipvsload.ipvs.decode import ATTRIBUTES, MessageKind, Path, TableRows
from ipvsload.ipvs.keys import Endpoint, host_of
from ipvsload.netfilter.conntrack import STATES
from ipvsload.netfilter.socket_filter import Instruction
from ipvsload.netfilter.tracking_events import NEW, TrackingEvents

_TCP = 6
_AT_ONCE = 64


def _either(tuple_: int, number: int) -> tuple[Path, ...]:
    """The attribute of IPv4, or that of IPv6, which is two further (CTA_IP_V4_SRC, _V6_SRC)."""
    return (tuple_, 1, number), (tuple_, 1, number + 2)


# include/uapi/linux/netfilter/nfnetlink_conntrack.h, as in netfilter/conntrack.py.
_BEGUN = MessageKind(
    "connection",
    (
        *(_either(1, 1), ((1, 2, 2),), _either(1, 2), ((1, 2, 3),), ((1, 2, 1),)),
        *(_either(2, 1), ((2, 2, 2),), ((4, 1, 1),)),
    ),
    raw=frozenset({0, 2, 5}),
    optional=frozenset(range(8)),
)
_ATTRIBUTE, _IN_NEST = 0xFFFFF00C, 0xFFFFF010  # SKF_AD_OFF + SKF_AD_NLATTR and _NEST


def port_filter(ports: Sequence[int]) -> list[Instruction]:
    """Those whose original destination has one of these ports."""
    program: list[Instruction] = [
        (0x00, 0, 0, ATTRIBUTES),  # A = where to begin
        (0x01, 0, 0, 1),  # CTA_TUPLE_ORIG
        (0x20, 0, 0, _ATTRIBUTE),
        (0x01, 0, 0, 2),  # CTA_TUPLE_PROTO
        (0x20, 0, 0, _IN_NEST),
        (0x01, 0, 0, 3),  # CTA_PROTO_DST_PORT
        (0x20, 0, 0, _IN_NEST),
        (0x07, 0, 0, 0),  # X = A
        (0x48, 0, 0, 4),  # A = its value
    ]
    for left, port in zip(range(len(ports), 0, -1), ports, strict=True):
        program.append((0x15, left, 0, port))
    return [*program, (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF)]


class TrackedBeginnings:
    """Connections to `services` that begin in this network namespace and have a real server."""

    name = "nf_conntrack"

    def __init__(self, services: Sequence[Endpoint]) -> None:
        """Begin to listen. Raises OSError."""
        self._services = services
        self._events = TrackingEvents(NEW, _BEGUN, port_filter([port for _, port in services]))
        self._known: dict[tuple[bytes, int], bytes] = {}

    @property
    def why(self) -> str:
        """See Beginnings."""
        lost = self._events.lost
        return f"{lost} times events found no room in the kernel" if lost else ""

    def take(self, until: float) -> tuple[list[ConnectionLine], bool]:
        """See Beginnings."""
        found: list[ConnectionLine] = []
        while time.monotonic() < until:
            seen = 0
            for (
                client,
                port,
                vip,
                vip_port,
                protocol,
                server,
                server_port,
                state,
            ) in self._events.take(_AT_ONCE):
                seen += 1
                if protocol != _TCP or (vip, vip_port) == (server, server_port) or not server:
                    continue
                virtual = self._words(vip, vip_port)
                if virtual:
                    ends = b"%s %s" % (_words(client, port), virtual)
                    name = STATES.get(state, "NONE").encode()
                    found.append((ends, _words(server, server_port), name))
            if seen < _AT_ONCE:
                return found, True
        return found, False

    def see(self, table: TableRows) -> None:
        """Each event says everything."""

    def close(self) -> None:
        """See Beginnings."""
        self._events.close()

    def _words(self, vip: bytes, port: int) -> bytes:
        """The virtual address, or b"" where it is none of ours."""
        known = self._known.get((vip, port))
        if known is None:
            host, number = _host(vip), ntohs(port)
            ours = (host, number) in self._services or ("", number) in self._services
            known = self._known[vip, port] = _words(vip, port) if ours else b""
        return known


def _host(address: bytes) -> str:
    return host_of(AF_INET6 if len(address) == 16 else AF_INET, address)


def _words(address: bytes, port: int) -> bytes:
    return " ".join(endpoint_words(_host(address), ntohs(port))).encode()
