"""Whom IPVS chose, seen at the SYNs that leave for real servers.

Where real servers are masqueraded, a client's SYN leaves with the server's address and port
instead of the service's, and still with the client's own (net/netfilter/ipvs/ip_vs_xmit.c,
ip_vs_nat_xmit). Directly routed and tunnelled ones keep the service's address, and what goes to
a server on this machine leaves by no device. A packet socket sees all that leaves
(net/core/dev.c, dev_queue_xmit_nit) and wants CAP_NET_RAW.
"""

import ctypes
import os
import socket
import struct
import time
from collections.abc import Sequence
from socket import AF_INET6, IPPROTO_TCP

from ipvsload.ipvs.connection_lines import ConnectionLine
from ipvsload.ipvs.connections import endpoint_words
from ipvsload.ipvs.decode import TableRows
from ipvsload.ipvs.keys import Endpoint, host_of
from ipvsload.netfilter.socket_filter import Instruction, attach_filter, make_room
from ipvsload.sidecar.wanted_services import wanted

_ALL_PROTOCOLS = 0x0003  # ETH_P_ALL: the others do not see what leaves
_SOL_PACKET, _STATISTICS = 263, 6  # include/uapi/linux/if_packet.h
_ROOM = 32 << 20
_KEPT = 64
"""Bytes of a packet: an IP header with its options, and TCP's ports."""
_AT_ONCE = 64
_STATE = b"SYN_RECV"

# A packet socket of SOCK_DGRAM begins with the IP header. Its kind, its protocol and what
# comes next are at these places (SKF_AD_OFF + SKF_AD_PKTTYPE and _PROTOCOL).
_KIND, _PROTOCOL = 0xFFFFF004, 0xFFFFF000
_FILTER: tuple[Instruction, ...] = (
    (0x28, 0, 0, _KIND),
    (0x15, 0, 14, 4),  # PACKET_OUTGOING
    (0x28, 0, 0, _PROTOCOL),
    (0x15, 5, 0, 0x86DD),  # IPv6
    (0x15, 0, 11, 0x0800),
    (0x30, 0, 0, 9),
    (0x15, 0, 9, IPPROTO_TCP),
    (0xB1, 0, 0, 0),  # X = length of the IPv4 header
    (0x05, 0, 0, 3),
    (0x30, 0, 0, 6),
    (0x15, 0, 5, IPPROTO_TCP),
    (0x01, 0, 0, 40),  # X = length of the IPv6 header
    (0x50, 0, 0, 13),  # A = TCP's flags
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),  # SYN without ACK
    (0x06, 0, 0, _KEPT),
    (0x06, 0, 0, 0),
)


class LeavingSyns:
    """SYNs that leave this network namespace for the masqueraded servers of `services`.

    Servers are those of the tables that it has seen. A packet that no table had a server for is
    kept until the next table, which was read later than the packet was sent.
    """

    name = "packets"

    def __init__(self, services: Sequence[Endpoint]) -> None:
        """Begin to listen. Raises OSError."""
        self._services = services
        self._servers: dict[bytes, tuple[bytes, bytes]] = {}
        self._unknown: list[bytes] = []
        self._found: list[ConnectionLine] = []
        self._lost = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            attach_filter(self._socket, _FILTER)
            make_room(self._socket, _ROOM)
            self._socket.setblocking(False)
            _bind_everywhere(self._socket)
        except BaseException:
            self._socket.close()
            raise

    @property
    def why(self) -> str:
        """See Beginnings."""
        told = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)  # and begins anew
        self._lost += struct.unpack("=II", told)[1]
        if self._lost:
            return f"{self._lost} packets found no room in the kernel"
        return "" if self._servers else "the table has no real server of the service"

    def take(self, until: float) -> tuple[list[ConnectionLine], bool]:
        """See Beginnings."""
        found, self._found = self._found, []
        receive, ended = self._socket.recv, False
        while not ended and time.monotonic() < until:
            try:
                for _ in range(_AT_ONCE):
                    packet = receive(_KEPT)
                    line = self._line(packet)
                    if line:
                        found.append(line)
                    else:
                        self._unknown.append(packet)
            except BlockingIOError:
                ended = True
        return found, ended

    def see(self, table: TableRows) -> None:
        """See Beginnings."""
        for service, batches in table:
            if service[1] == IPPROTO_TCP and wanted(service, self._services):
                family, _, address, port, *_ = service
                virtual = _words(family, address, socket.ntohs(port))
                for server_family, rows in batches:
                    for host, number, *_ in rows:
                        of = server_family or family
                        size = 16 if of == AF_INET6 else 4
                        key = host[:size] + number.to_bytes(2, "little")
                        if key not in self._servers:
                            server = _words(of, host, socket.ntohs(number))
                            self._servers[key] = virtual, server
        # Whoever is not in this table was none of these servers when the packet was sent.
        lines = map(self._line, self._unknown)
        self._found += [line for line in lines if line]
        self._unknown.clear()

    def close(self) -> None:
        """See Beginnings."""
        self._socket.close()

    def _line(self, packet: bytes) -> ConnectionLine | None:
        if packet[0] >> 4 == 4:
            at = (packet[0] & 15) * 4
            known = self._servers.get(packet[16:20] + packet[at + 2 : at + 4])
            client = packet[12:16].hex().upper()
        else:
            at = 40
            known = self._servers.get(packet[24:40] + packet[42:44])
            client = packet[8:24].hex(":", 2)
        if known is None:
            return None
        virtual, server = known
        port = packet[at : at + 2].hex().upper()
        return f"{client} {port} ".encode() + virtual, server, _STATE


def _bind_everywhere(to: socket.socket) -> None:
    """Begin to receive from all devices; Python's own `bind` wants the name of one."""
    # struct sockaddr_ll: family, protocol, device, and four about addresses.
    address = struct.pack(
        "=HHiHBB8s", socket.AF_PACKET, socket.htons(_ALL_PROTOCOLS), 0, 0, 0, 0, b""
    )
    if ctypes.CDLL(None, use_errno=True).bind(to.fileno(), address, len(address)):
        raise OSError(number := ctypes.get_errno(), os.strerror(number))


def _words(family: int, address: bytes, port: int) -> bytes:
    return " ".join(endpoint_words(host_of(family, address), port)).encode()
