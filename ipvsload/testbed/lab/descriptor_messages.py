"""JSON messages with file descriptors, over sockets of kind SOCK_SEQPACKET.

The lab's owner and its supervisor talk so, and generators with the socket broker.
"""

import errno
import json
import os
import socket
from _socket import socket as _Socket  # noqa: N812
from collections.abc import Sequence
from typing import Any

MAX_DESCRIPTORS = 64
"""In one message (the kernel's SCM_MAX_FD is 253)."""
_MAX_MESSAGE = 1 << 18

# socket's functions are typed for a socket.socket; they use sendmsg and recvmsg
# alone, which `_socket` has, too.


def send(connection: _Socket, message: Any, descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError."""
    socket.send_fds(connection, [json.dumps(message).encode()], descriptors)  # type: ignore[arg-type]


def receive(connection: _Socket) -> tuple[Any, list[int]]:
    """The next message and its descriptors; (None, []) when the other side is closed.

    Raises OSError, also where this process has no room for all the descriptors,
    and ValueError for what is not JSON.
    """
    try:
        data, descriptors, flags, _ = socket.recv_fds(connection, _MAX_MESSAGE, MAX_DESCRIPTORS)  # type: ignore[arg-type]
    except ConnectionResetError:  # closed before it had read all that was sent to it
        return None, []
    if flags & socket.MSG_CTRUNC:
        # The kernel gives as many as there is room for, and closes the others (net/core/scm.c).
        for descriptor in descriptors:
            os.close(descriptor)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return json.loads(data) if data else None, descriptors
