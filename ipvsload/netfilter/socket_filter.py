"""Classic BPF programs at a socket: the kernel passes only what is wanted, and wakes nobody else.

include/uapi/linux/filter.h; Documentation/networking/filter.rst.
"""

import struct
from collections.abc import Sequence
from contextlib import suppress
from ctypes import addressof, create_string_buffer
from socket import SO_RCVBUF, SOL_SOCKET, socket

Instruction = tuple[int, int, int, int]
"""struct sock_filter: code, how many to skip if true and if false, and a number."""
_ATTACH_FILTER, _RECEIVE_BUFFER_FORCE = 26, 33  # SO_ATTACH_FILTER, SO_RCVBUFFORCE


def attach_filter(to: socket, program: Sequence[Instruction]) -> None:
    """Take only what passes. Raises OSError."""
    held = create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    fprog = struct.pack("@HP", len(program), addressof(held))
    to.setsockopt(SOL_SOCKET, _ATTACH_FILTER, fprog)


def make_room(of: socket, size: int) -> None:
    """Let so many bytes wait in the kernel; past the limit where that is permitted."""
    of.setsockopt(SOL_SOCKET, SO_RCVBUF, size)
    with suppress(PermissionError):  # CAP_NET_ADMIN
        of.setsockopt(SOL_SOCKET, _RECEIVE_BUFFER_FORCE, size)
