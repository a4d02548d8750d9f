"""Source addresses and ports, each used again as late as possible.

IPVS remembers a connection for two minutes after its end. A client port that
comes again in that time meets the old entry, even one of another virtual
service, because replies are told apart by server and client only. The answer
is then sent back under the wrong address, and the request is tried again a
second later. The kernel chooses ports at random, so a few thousand requests
are enough for that; this takes them in turn, over all runs of a lab and all
its generators.
"""

import errno
from _socket import SO_REUSEADDR, SOL_SOCKET, socket
from collections.abc import Sequence

from ipvsload.testbed.lab.topology import SOURCE_PORTS

_TRIES = 100


class SourcePorts:
    """Hands out (address, port) in turn; `clients` are this machine's addresses."""

    def __init__(self, clients: Sequence[str]) -> None:
        self._clients = tuple(clients)
        self._turn = 0

    def take(self) -> tuple[str, int]:
        """The next one; the same comes again after 63,488 for each client address."""
        row, column = divmod(self._turn, len(self._clients))
        self._turn += 1
        return self._clients[column], SOURCE_PORTS[row % len(SOURCE_PORTS)]

    def bind(self, sock: socket) -> tuple[str, int]:
        """Give `sock` the next one that is free, and return it. Raises OSError."""
        sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        for _ in range(_TRIES):
            source = self.take()
            try:
                sock.bind(source)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return source
        raise OSError(errno.EADDRNOTAVAIL, "no free source port")
