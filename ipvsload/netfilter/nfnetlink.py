"""Messages of nfnetlink, the family of netlink that conntrack and nftables share.

Each begins with a struct nfgenmsg (include/uapi/linux/netfilter/nfnetlink.h); numbers in
attributes are in network order.
"""

import struct

from ipvsload.ipvs.netlink_socket import DUMP, REQUEST, NetlinkSocket

_NETLINK_NETFILTER = 12
_NESTED = 0x8000  # NLA_F_NESTED
CONNTRACK, NFTABLES = 1, 10
"""The subsystems."""


class NetfilterSocket(NetlinkSocket):
    """A socket to the netfilter of this network namespace."""

    def __init__(self) -> None:
        super().__init__(_NETLINK_NETFILTER)


def message(
    subsystem: int, number: int, family: int, attributes: bytes = b"", flags: int = 0
) -> bytearray:
    """Request `number` of a subsystem for an address family (AF_*), as `ask` and `dump` take it."""
    head = struct.pack(
        "=IHHIIBBH",
        20 + len(attributes),
        subsystem << 8 | number,
        REQUEST | flags,
        0,
        0,
        family,
        0,
        0,
    )
    return bytearray(head + attributes)


def dump_message(subsystem: int, number: int, family: int, attributes: bytes = b"") -> bytearray:
    """A request that lists everything."""
    return message(subsystem, number, family, attributes, DUMP)


def attribute(number: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)


def nest(number: int, *inner: bytes) -> bytes:
    """An attribute with others in it."""
    return attribute(number | _NESTED, b"".join(inner))
