"""The real servers' ends of the director's tunnels: takes IP packets out of IP packets.

The kernel has such an end, too (the module ipip), but it is one for all addresses
of a machine, and what leaves it does not say to which of them a packet came. All
real servers of a lab are in one namespace, so that would lose which one is meant.
So this process does it. A frame for a real server, with a packet in a packet,

    link address of the server | from director, to server | from client, to VIP | ...

becomes the frame that direct routing would have brought:

    link address of the server | from client, to VIP | ...

It goes into `ENTRY` and arrives at `EXIT`, the other end of a cable.
"""

import ctypes
import errno
import socket
import struct
import sys
from typing import NamedTuple, NoReturn

from ipvsload.testbed.lab.addresses import IPV4, IPV6
from ipvsload.testbed.lab.topology import SERVER_CABLE

ENTRY, EXIT = "inner-entry", "inner-exit"


class Tunnel(NamedTuple):
    """How packets stand in packets of the same family."""

    link_type: int
    """include/uapi/linux/if_ether.h: ETH_P_IP, ETH_P_IPV6."""
    protocol: int
    """include/uapi/linux/in.h: IPPROTO_IPIP, IPPROTO_IPV6."""
    protocol_at: int
    """Where the outer header has it."""
    outer: int
    """Length of the outer header. The kernel writes no options (ip_vs_xmit.c, ip_vs_tunnel_xmit
    and ip_vs_tunnel_xmit_v6)."""


TUNNELS = {IPV4: Tunnel(0x0800, 4, 9, 20), IPV6: Tunnel(0x86DD, 41, 6, 40)}
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15  # include/uapi/linux/if_packet.h
_SO_ATTACH_FILTER, _SO_RCVBUFFORCE = 26, 33  # include/uapi/asm-generic/socket.h
_VNET, _ETHERNET = 10, 14
_OUTER = _VNET + _ETHERNET
"""Where the outer IP header begins: behind the header of virtio and the link's."""
_NEEDS_CHECKSUM = 1  # include/uapi/linux/virtio_net.h: VIRTIO_NET_HDR_F_NEEDS_CSUM
_OFFSETS = struct.Struct("=HHH")  # of struct virtio_net_hdr: hdr_len, gso_size, csum_start
_OFFSETS_AT = 2
_MAX_FRAME = 1 << 17
_BUFFER = 1 << 25
"""Bytes for packets that wait, so that a burst of connections fits."""


def _program(tunnel: Tunnel) -> bytes:
    """A filter, of struct sock_filter each (include/uapi/linux/filter.h)."""
    instructions = (
        (0x30, 0, 0, _ETHERNET + tunnel.protocol_at),  # load the byte with the protocol
        (0x15, 1, 0, tunnel.protocol),  # if it is equal
        (0x06, 0, 0, 0),  # else take nothing of the packet
        (0x06, 0, 0, 0x40000),  # all of it
    )
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def inner(frame: memoryview, length: int) -> tuple[bytearray, memoryview]:
    """The frame without the outer header of this length; `frame` has the one of virtio in front.

    That header says where a checksum is still to be made, and how long the headers are
    of a frame that is several packets in one (include/linux/virtio_net.h,
    virtio_net_hdr_from_skb). Both move with the rest.
    """
    head = bytearray(frame[:_OUTER])
    headers, segment, start = _OFFSETS.unpack_from(head, _OFFSETS_AT)
    if headers:
        headers -= length
    if head[0] & _NEEDS_CHECKSUM:
        start -= length
    _OFFSETS.pack_into(head, _OFFSETS_AT, headers, segment, start)
    return head, frame[_OUTER + length :]


def main() -> NoReturn:
    """Run as a child in the server namespace: `decapsulator FAMILY`, one of TUNNELS."""
    tunnel = TUNNELS[sys.argv[1]]
    arriving, leaving = (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) for _ in "io"
    )
    for one in (arriving, leaving):
        one.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    program = _program(tunnel)
    code = ctypes.create_string_buffer(program, len(program))
    attached = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))  # struct sock_fprog
    arriving.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)
    try:
        arriving.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except PermissionError:  # kernels before 5.17 want a right in the initial user namespace
        arriving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    arriving.bind((SERVER_CABLE.far, tunnel.link_type))
    leaving.bind((ENTRY, 0))
    frame = memoryview(bytearray(_MAX_FRAME))
    while True:
        size = arriving.recv_into(frame)
        try:
            leaving.sendmsg(inner(frame[:size], tunnel.outer))
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # lost, as any network loses packets
                raise


if __name__ == "__main__":
    main()
