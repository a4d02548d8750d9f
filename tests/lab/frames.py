"""Frames of TCP as they stand on a cable, for tests of who watches them."""

import struct
from ipaddress import ip_address
from typing import NamedTuple

FIN, SYN, RST, ACK = 1, 2, 4, 16
PORT = 85


class Frame(NamedTuple):
    outgoing: bool
    source: str
    from_port: int
    destination: str
    to_port: int
    flags: int
    tunnel: str = ""
    """The outer packet's destination."""
    mac: bytes = bytes(6)
    t_ns: int = 0
    protocol: int = 6

    def raw(self) -> bytes:
        tcp = struct.pack("!HH8xBB6x", self.from_port, self.to_port, 5 << 4, self.flags)
        packet = header(self.source, self.destination, self.protocol) + tcp + bytes(12)
        if self.tunnel:
            inside = 41 if ":" in self.source else 4
            packet = header(self.source, self.tunnel, inside) + packet
        link_type = 0x86DD if ":" in self.source else 0x0800
        return self.mac + bytes(6) + struct.pack("!H", link_type) + packet


def header(source: str, destination: str, protocol: int) -> bytes:
    addresses = ip_address(source).packed + ip_address(destination).packed
    if ":" in source:
        return struct.pack("!BxxxHBB", 0x60, 0, protocol, 64) + addresses
    return struct.pack("!BxHxxxxBBxx", 0x45, 0, 64, protocol) + addresses
