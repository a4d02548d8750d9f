"""Takes a real server's new connections, as many as wait."""

import errno
import socket
import time
from typing import Any

from ipvsload.testbed.lab.listening_server import ListeningServer
from ipvsload.testbed.lab.server_connection import ServerConnection

BACKLOG = 65_535
"""The kernel takes net.core.somaxconn instead where that is less (net/socket.c, __sys_listen)."""
_AT_ONCE = 64
"""So that those of other servers, and what is due, wait for few."""
_AGAIN_AFTER_NS = 100_000_000
_FULL = errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM


class ServerListener:
    """Listens at the bound socket `sock` for `server`, until it is closed."""

    def __init__(self, sock: socket.socket, server: ListeningServer) -> None:
        # What is accepted has these options from its beginning: without a system call for each
        # (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock, copies all of the listener).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        sock.listen(BACKLOG)
        # The request is acknowledged with its answer, or after 40 ms. To listen forgets it
        # (inet_csk_listen_start).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        self._sock: Any = sock
        self._server = server
        self._descriptor = sock.fileno()
        server.loop.watch(self._descriptor, self._accept)

    def close(self) -> None:
        """Listen no more."""
        self._server.loop.forget(self._descriptor)
        self._sock.close()
        self._descriptor = -1

    def _accept(self) -> None:
        server, accept = self._server, self._sock._accept
        try:
            for _ in range(_AT_ONCE):
                descriptor, address = accept()
                ServerConnection(server, descriptor, address[0])
                if descriptor >= server.overflow.full_at:
                    server.overflow.make_room()
                    if descriptor >= server.overflow.most:
                        self._pause()
                        break
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in _FULL:
                self._pause()

    def _pause(self) -> None:
        """Have new connections wait in the kernel until others have ended."""
        self._server.loop.forget(self._descriptor)
        self._server.timers.at(time.monotonic_ns() + _AGAIN_AFTER_NS, self._watch_again)

    def _watch_again(self, _due: int) -> None:
        if self._descriptor >= 0:
            self._server.overflow.make_room()
            self._server.loop.watch(self._descriptor, self._accept)
