"""Lose what arrives for a socket, without a word, as if its machine were not there.

A socket filter that keeps nothing of a packet has TCP drop it before it is looked
at, SYNs to a listener and segments of its connections alike (net/ipv4/tcp_ipv4.c,
tcp_v4_rcv and tcp_filter). That needs no right, no rule of a firewall that others
share, and works for one of a thousand servers of a process.
"""

import ctypes
import struct
from socket import SOL_SOCKET
from typing import Protocol

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_RETURN_0 = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
"""A struct sock_filter: BPF_RET | BPF_K, keep 0 bytes."""
_PROGRAM = struct.pack("HL", 1, ctypes.addressof(_RETURN_0))
"""A struct sock_fprog of this one instruction."""


class AnySocket(Protocol):
    """What has options."""

    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> object:
        """Set an option."""


def lose(sock: AnySocket) -> None:
    """Drop whatever arrives from now on; the kernel of the other side sends it again."""
    sock.setsockopt(SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM)


def keep(sock: AnySocket) -> None:
    """Take again what arrives. Raises OSError where it was not lost."""
    sock.setsockopt(SOL_SOCKET, _SO_DETACH_FILTER, 0)
