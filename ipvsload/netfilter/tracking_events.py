"""What connection tracking tells by itself: an event for each connection that begins or ends.

include/uapi/linux/netfilter/nfnetlink_compat.h has the groups. Listening wants CAP_NET_ADMIN
(net/netlink/af_netlink.c, netlink_bind).
"""

import errno
import socket
from collections.abc import Iterator, Sequence

from ipvsload.ipvs.decode import Decoder, MessageKind, Row
from ipvsload.netfilter.socket_filter import Instruction, attach_filter, make_room

NEW, DESTROY = 1, 3
"""NFNLGRP_CONNTRACK_*."""
_NETLINK_NETFILTER, _SOL_NETLINK, _ADD_MEMBERSHIP = 12, 270, 1
_ROOM = 32 << 20
_LONGEST = 1 << 16


class TrackingEvents:
    """The events of one group that pass the filter, of this network namespace.

    `lost` is how often some were lost, because the socket had no room for them.
    """

    def __init__(self, group: int, kind: MessageKind, program: Sequence[Instruction]) -> None:
        """Begin to listen. Raises OSError."""
        self.lost = 0
        self._decoder = Decoder(kind)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        try:
            attach_filter(self._socket, program)
            make_room(self._socket, _ROOM)
            self._socket.bind((0, 0))
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
            self._socket.setblocking(False)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def take(self, most: int = 1 << 30) -> Iterator[Row]:
        """Those that wait, as rows of the kind; at most so many."""
        for _ in range(most):
            try:
                data = self._socket.recv(_LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            for _, rows in self._decoder.feed(data, 0)[0]:
                yield from rows
