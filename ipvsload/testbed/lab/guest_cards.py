"""Room in front of user-mode Linux's network cards for a burst of packets.

Each card is a pair of packet sockets that the guest opens itself, with the system's usual
queue: some 250 small packets. While the guest has other work, or thousands of answers come
at once, more arrive, and what finds no room is lost: TCP sends it again after 0.2 s or more.
The guest has no option for that, but whoever may trace it can have its sockets, too
(pidfd_getfd(2)).

The socket that it sends by is shown what arrives as well (arch/um/drivers/vector_user.c,
user_init_raw_fds: bound to ETH_P_IP), and nobody reads that: it is told to take nothing.
"""

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import closing

from ipvsload.testbed.lab import packet_loss

QUEUE_BYTES = 32 << 20
"""The kernel doubles it (net/core/sock.c, __sock_set_rcvbuf). A small packet counts for 800 to
1,300 bytes. More would not help: TCP does not wait much longer for what is behind so many."""
_SO_RCVBUFFORCE = 33
_PIDFD_GETFD = 438  # on every processor
_ETH_P_ALL = 0x0003
_libc = ctypes.CDLL(None, use_errno=True)


def make_room(guest: int) -> None:
    """Give the cards of the guest with this process id longer queues, as far as one may."""
    with contextlib.suppress(OSError):
        for card in packet_sockets(guest):
            with closing(card):
                if card.getsockname()[1] != _ETH_P_ALL:
                    packet_loss.lose(card)
                    continue
                try:  # beyond net.core.rmem_max
                    card.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, QUEUE_BYTES)
                except OSError:
                    card.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)


def packet_sockets(process: int) -> Iterator[socket.socket]:
    """Those of a process, each to be closed by the caller. Raises OSError."""
    handle = os.pidfd_open(process)
    try:
        for entry in os.scandir(f"/proc/{process}/fd"):
            if not os.readlink(entry.path).startswith("socket:"):
                continue
            copy = _libc.syscall(_PIDFD_GETFD, handle, int(entry.name), 0)
            if copy < 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
            found = socket.socket(fileno=copy)
            if found.family == socket.AF_PACKET:
                yield found
            else:
                found.close()
    finally:
        os.close(handle)
