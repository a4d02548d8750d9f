"""Which packets at the director's cables are worth keeping: filters for packet sockets.

A filter is a classic BPF program (include/uapi/linux/filter.h), which the kernel runs on each
packet at a cable's end in the director's namespace. What comes from the director is outgoing
there, whichever kernel it has. Only beginnings and ends of the connections of one virtual
service pass, cut off behind the TCP header's fixed part; so all are of one length.
"""

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.testbed.lab.addresses import IPV4, IPV6
from ipvsload.testbed.lab.decapsulator import TUNNELS

FIN, SYN, RST = 1, 2, 4
"""Bits of a TCP header."""
ETHERNET = 14
_TCP = 6
_TCP_HEADER = 20
_FLAGS_AT = 13
_PACKET_TYPE = 0xFFFFF004  # SKF_AD_OFF + SKF_AD_PKTTYPE
OUTGOING = 4  # include/uapi/linux/if_packet.h
_WORD, _HALF, _BYTE = 0x20, 0x28, 0x30  # load so much from a place
_EQUAL, _AND = 0x15, 0x45  # jump if it is equal, or if it has one of these bits
_RETURN = 0x06


class _Header(NamedTuple):
    """An IP header without options."""

    size: int
    source_at: int
    destination_at: int
    protocol_at: int


_HEADERS = {IPV4: _Header(20, 12, 16, 9), IPV6: _Header(40, 8, 24, 6)}


class FrameLayout(NamedTuple):
    """Where it stands in a frame of one cable what is kept of it."""

    source_at: int
    destination_at: int
    outer_destination_at: int
    """That of the outermost IP header."""
    tcp_at: int
    address: int
    """Length of an address in bytes."""

    @property
    def flags_at(self) -> int:
        """TCP's flags."""
        return self.tcp_at + _FLAGS_AT

    @property
    def size(self) -> int:
        """So much of each frame is kept."""
        return self.tcp_at + _TCP_HEADER


def frame_layout(family: str, *, tunnel: bool = False) -> FrameLayout:
    """That of frames with a packet of this family, or with one that is inside of another."""
    header = _HEADERS[family]
    outer = header.size if tunnel else 0
    begin = ETHERNET + outer
    return FrameLayout(
        begin + header.source_at,
        begin + header.destination_at,
        ETHERNET + header.destination_at,
        begin + header.size,
        header.destination_at - header.source_at,
    )


class _Check(NamedTuple):
    """A packet is not taken where this is not so."""

    load: int
    place: int
    jump: int
    value: int
    negated: bool = False


def client_cable_filter(vip: str, port: int, family: str) -> bytes:
    """SYNs that go to the virtual service, and the ends (FIN, RST) of what answers from it."""
    layout = frame_layout(family)
    tcp = _is_protocol(family, _TCP)
    to_service = [
        _Check(_WORD, _PACKET_TYPE, _EQUAL, OUTGOING, negated=True),
        *tcp,
        *_is_address(layout.destination_at, vip),
        _Check(_HALF, layout.tcp_at + 2, _EQUAL, port),
        _Check(_BYTE, layout.flags_at, _AND, SYN),
    ]
    from_service = [
        _Check(_WORD, _PACKET_TYPE, _EQUAL, OUTGOING),
        *tcp,
        *_is_address(layout.source_at, vip),
        _Check(_HALF, layout.tcp_at, _EQUAL, port),
        _Check(_BYTE, layout.flags_at, _AND, FIN | RST),
    ]
    return _program([to_service, from_service], layout.size)


def server_cable_filter(vip: str, port: int, family: str, forwarding: str) -> bytes:
    """SYNs and the clients' ends of what the director sends to its real servers.

    A masqueraded packet does not say any more to which service it was sent.
    """
    way = FORWARDINGS[forwarding]
    layout = frame_layout(family, tunnel=way.tunnel)
    checks = [_Check(_WORD, _PACKET_TYPE, _EQUAL, OUTGOING)]
    if way.tunnel:
        outer = TUNNELS[family]
        checks += _is_protocol(family, outer.protocol)
        checks += [_Check(_BYTE, ETHERNET + outer.outer + outer.protocol_at, _EQUAL, _TCP)]
    else:
        checks += _is_protocol(family, _TCP)
    if way.direct:
        checks += _is_address(layout.destination_at, vip)
        checks += [_Check(_HALF, layout.tcp_at + 2, _EQUAL, port)]
    checks += [_Check(_BYTE, layout.flags_at, _AND, SYN | FIN | RST)]
    return _program([checks], layout.size)


NOTHING = struct.pack("=HBBI", _RETURN, 0, 0, 0)
"""The filter that takes no packet."""


def _is_protocol(family: str, protocol: int) -> list[_Check]:
    return [
        _Check(_HALF, ETHERNET - 2, _EQUAL, TUNNELS[family].link_type),
        _Check(_BYTE, ETHERNET + _HEADERS[family].protocol_at, _EQUAL, protocol),
    ]


def _is_address(place: int, address: str) -> list[_Check]:
    packed = ip_address(address).packed
    words = struct.unpack(f"!{len(packed) // 4}I", packed)
    return [_Check(_WORD, place + 4 * n, _EQUAL, word) for n, word in enumerate(words)]


def _program(ways: Sequence[Sequence[_Check]], size: int) -> bytes:
    """Takes `size` bytes of what passes all checks of one of the ways."""
    code = b""
    for way in ways:
        left = 2 * len(way)
        for check in way:
            left -= 2
            # Of the instructions that are left of this way, then comes the one that takes it.
            past = (0, left + 1) if not check.negated else (left + 1, 0)
            code += struct.pack("=HBBI", check.load, 0, 0, check.place)
            code += struct.pack("=HBBI", check.jump, *past, check.value)
        code += struct.pack("=HBBI", _RETURN, 0, 0, size)
    return code + NOTHING
