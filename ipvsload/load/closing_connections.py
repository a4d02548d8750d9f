"""Connections whose last answer is read and which the server is to close.

The side that closes first keeps the connection in TIME_WAIT. That should be
the server, because on our side it would use up local ports. And a connection
that is closed with unread bytes in it is reset, which a server may log as an
error. So a connection is closed here only when the server has closed it, or
when the server has taken too long.
"""

import time
from collections import deque

from ipvsload.load.exchange import Connection, Exchange
from ipvsload.load.timers import Timers

CLOSE_WITHIN_NS = 1_000_000_000
"""How long a server that was asked to close may take."""
_RECEIVE = 16_384


class ClosingConnections:
    """The connections that the server is to close.

    Args:
        timers: for the deadlines.
        entries: who is served by which descriptor; these connections are in it.
        to_connect: gets exchanges that waited for their last connection to end.
    """

    def __init__(
        self, timers: Timers, entries: dict[int, Exchange | Connection], to_connect: deque[Exchange]
    ) -> None:
        self._timers = timers
        self._entries = entries
        self._to_connect = to_connect
        self._open: dict[Connection, tuple[int, Exchange]] = {}
        self._timer_set = False

    def add(self, exchange: Exchange, sock: Connection) -> None:
        """Take the connection away from the exchange and wait until the server closes it."""
        deadline = time.monotonic_ns() + CLOSE_WITHIN_NS
        if not self._timer_set:
            self._timer_set = True
            self._timers.at(deadline, self._check_deadlines)
        self._entries[exchange.fd] = sock
        self._open[sock] = deadline, exchange
        exchange.sock = None
        exchange.closing = True

    def serve(self, sock: Connection, ended: bool) -> None:
        """Its descriptor is ready; `ended` says that the connection is over."""
        try:
            ended = ended or not sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._close(sock)

    def _check_deadlines(self) -> None:
        now = time.monotonic_ns()
        while self._open:
            sock, (deadline, _) = next(iter(self._open.items()))
            if deadline > now:
                self._timers.at(deadline, self._check_deadlines)
                return
            self._close(sock)
        self._timer_set = False

    def _close(self, sock: Connection) -> None:
        _deadline, exchange = self._open.pop(sock)
        exchange.closing = False
        if exchange.queued and exchange.one_connection:
            self._to_connect.append(exchange)
        del self._entries[sock.fileno()]
        sock.close()
