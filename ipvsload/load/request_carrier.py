"""Carries requests over their connections: sends, receives, and goes on.

This is the hot path. Of a user that asks again at once, one call of `serve` receives an answer,
has it counted and sends the next request. What is rare stands in methods of its own.
"""

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ipvsload.load.closing_connections import ClosingConnections
from ipvsload.load.connect_gate import ConnectGate
from ipvsload.load.connection_lifetimes import ConnectionLifetimes
from ipvsload.load.connection_watch import ConnectionEnd, ConnectionWatch
from ipvsload.load.exchange import Connection, Exchange
from ipvsload.load.http_response import (
    HttpResponse,
    MalformedError,
    ReadAnswer,
    known_answers,
    whole_answer,
)
from ipvsload.load.tcp_connect import Sockets, cause, connect, resolve
from ipvsload.load.timers import Timers
from ipvsload.load.untaken_request import Untaken, answer_without_end, untaken
from ipvsload.scenario.url import HttpTarget

if TYPE_CHECKING:
    from collections.abc import Callable

_RECEIVE = 16_384
IN, _OUT, _ERR, _HUP, _RDHUP, EDGE = 0x1, 0x4, 0x8, 0x10, 0x2000, 1 << 31
_SOCKET_EVENTS = IN | _OUT | _RDHUP | EDGE
ENDED = _RDHUP | _HUP | _ERR
_RESET = "refused", "reset"
_now_ns = time.monotonic_ns


class RequestCarrier:
    """The connections to one target, and the requests on them.

    Args:
        target, sockets, watch: as of `HttpClient`.
        poll: an epoll, in which the connections are registered.
        timers: in the same loop.

    `entries` says what each descriptor belongs to: an exchange, or a connection that is
    closing. `to_connect` are exchanges that wait for the gate.
    """

    def __init__(
        self,
        target: HttpTarget,
        sockets: Sockets | None,
        watch: ConnectionWatch | None,
        poll: Any,
        timers: Timers,
    ) -> None:
        self._family, self._address = resolve(target.host, target.port)
        self._encrypt: Callable[[Connection], Connection] | None = None
        if target.tls:
            from ipvsload.load.tls_socket import encryption  # ssl: only where it is used

            self._encrypt = encryption(target.host, target.tls)
        self._sockets = sockets
        self._watch = watch
        self._poll = poll
        self.gate = ConnectGate()
        self.entries: dict[int, Exchange | Connection] = {}
        self.to_connect: deque[Exchange] = deque()
        self.closing = ClosingConnections(timers, self.entries, self.to_connect)
        self._lifetimes = ConnectionLifetimes(timers, self.drop)

    def start(self, exchange: Exchange) -> None:
        """Send its request, on the connection that it has or on a new one."""
        if not exchange.queued:
            return
        exchange.queued = False
        exchange.start = now = _now_ns()
        if not exchange.planned:
            exchange.planned = now
        exchange.busy = True
        exchange.response = exchange.untaken = None
        exchange.unsent = exchange.message
        if exchange.sock is None:
            self._connect(exchange, now)
        else:
            exchange.reused = True
            self.serve(exchange, _OUT)

    def serve(self, exchange: Exchange, mask: int) -> None:
        """Do what its connection allows, as `mask` says, for this request and the next ones."""
        known = known_answers.get
        while (sock := exchange.sock) is not None:
            if not exchange.busy:
                if mask & (ENDED | IN):
                    self._idle(exchange, sock, mask & ENDED)
                return
            answer = error = None
            try:
                if unsent := exchange.unsent:
                    if not exchange.reused:
                        self.gate.leave(exchange)
                    exchange.unsent = unsent = unsent[sock.send(unsent) :]
                    if unsent or mask == _OUT:
                        return
                data = sock.recv(_RECEIVE)
                if exchange.response is None and data:
                    answer = known(data) or whole_answer(data)
                if answer is None:
                    answer, error, mask = self._gather(exchange, sock, data, mask)
                    if answer is None:
                        return
            except BlockingIOError:
                return
            except MalformedError:
                exchange.response = exchange.response or HttpResponse()
                error = "malformed"
            except OSError as failure:
                error = cause(failure)
            now = _now_ns()
            owner = exchange.owner
            if error:
                if self._retry(exchange, sock, error):
                    return
                answer = exchange.broken_off()
            assert answer is not None
            if error or mask & ENDED:
                self.drop(exchange, error)
            elif not (answer.keep and owner.reuse):
                self._ended(exchange)
                self.closing.add(exchange, sock)
            elif owner.lifetime is not None:
                self._lifetimes.carried(exchange, owner.lifetime)
            exchange.busy = False
            if not owner.ended(exchange, answer, error, now):
                return
            if exchange.sock is None:
                self._connect_next(exchange)
                return
            exchange.planned = exchange.start = now
            exchange.busy = exchange.reused = True
            exchange.response = exchange.untaken = None
            exchange.unsent = exchange.message
            mask = _OUT

    def drop(self, exchange: Exchange, error: str | None = None) -> None:
        """Give up the exchange's request, if any, and close its connection.

        `error` is what ended it, where something did.
        """
        exchange.queued = exchange.busy = False
        if exchange.sock is not None:
            self._ended(exchange, error)
            self.gate.leave(exchange)
            self.entries.pop(exchange.fd, None)
            exchange.sock.close()
            exchange.sock = None

    def time_out(self, exchange: Exchange) -> None:
        """Give up a request that has no answer in time: see `drop`."""
        if exchange.busy and exchange.sock is not None:
            self._untaken(exchange, exchange.sock, answer_without_end(exchange.fd))
        self.drop(exchange)

    def close(self) -> None:
        """Close every connection."""
        for entry in list(self.entries.values()):
            if isinstance(entry, Exchange):
                self.drop(entry)
            else:
                entry.close()

    # A request begins

    def _connect_next(self, exchange: Exchange) -> None:
        """A user's next request, which needs a connection: at once, if nothing is in its way."""
        exchange.queued = True
        exchange.planned = exchange.start = 0
        if exchange.closing:
            return  # ClosingConnections passes it on
        if self.to_connect or not self.gate.is_open(_now_ns()):
            self.to_connect.append(exchange)
        else:
            self.start(exchange)

    def _connect(self, exchange: Exchange, now_ns: int) -> None:
        exchange.reused = False
        exchange.client, exchange.port = "", 0
        try:
            plain, exchange.client, exchange.port = connect(
                self._family, self._address, self._sockets
            )
        except OSError as error:
            exchange.busy = False
            answer = exchange.broken_off()
            if exchange.owner.ended(exchange, answer, cause(error), _now_ns()):
                exchange.queued = True
                exchange.planned = exchange.start = 0
                self.to_connect.append(exchange)  # not at once: it may fail for ever
            return
        sock = plain if self._encrypt is None else self._encrypt(plain)
        fd = sock.fileno()
        self._poll.register(fd, _SOCKET_EVENTS)
        exchange.sock, exchange.fd = sock, fd
        self.entries[fd] = exchange
        self.gate.enter(exchange, now_ns)
        if self._watch is not None:
            self._watch.opened(exchange.client, exchange.port, _now_ns())
        if exchange.owner.lifetime is not None:
            self._lifetimes.begin(exchange, exchange.owner.lifetime, now_ns)

    # What is not plain

    def _gather(
        self, exchange: Exchange, sock: Connection, data: bytes, mask: int
    ) -> tuple[ReadAnswer | None, str | None, int]:
        """Read an answer that comes in pieces: the answer, an error, what the mask is now.

        No answer: there is more to come. Raises MalformedError and OSError.
        """
        response = exchange.response
        while data:
            if response is None:
                response = exchange.response = HttpResponse()
            if response.feed(data):
                return response.answer, None, mask
            if len(data) < _RECEIVE and not mask & ENDED:
                return None, None, mask
            data = sock.recv(_RECEIVE)
        whole = response is not None and response.end()
        return exchange.broken_off(), None if whole else "closed", mask | ENDED

    def _idle(self, exchange: Exchange, sock: Connection, ended: int) -> None:
        """Something has come between two requests: the end, or what TLS has to say to itself."""
        try:
            sock.recv(_RECEIVE)
        except BlockingIOError:
            if not ended:
                return
        except OSError:
            pass
        queued = exchange.queued  # its pause is over as well: what is to be sent goes elsewhere
        self.drop(exchange)
        exchange.queued = queued

    def _retry(self, exchange: Exchange, sock: Connection, error: str) -> bool:
        """Send again, once, what a kept connection never took; False if it may not be.

        What nobody acknowledged another connection may carry, and a good client
        does so. Whatever was acknowledged and not answered is an error of the
        server's.
        """
        found = self._untaken(exchange, sock, error)
        if found is None or not exchange.owner.retry:
            return False
        self.drop(exchange, error)
        exchange.untaken = found._replace(retried=1)
        exchange.busy = True
        exchange.unsent = exchange.message
        self._connect(exchange, _now_ns())  # not reused now: it is not sent a third time
        return True

    def _untaken(self, exchange: Exchange, sock: Connection, answer: str) -> Untaken | None:
        """Look whether a kept connection has not taken the request, and note that in it."""
        if not exchange.reused or exchange.response is not None:
            return None
        sent = len(exchange.message) - len(exchange.unsent)
        exchange.untaken = untaken(sock.fileno(), sent, exchange.start, answer)
        return exchange.untaken

    def _ended(self, exchange: Exchange, error: str | None = None) -> None:
        if self._watch is None:
            return
        how = ConnectionEnd.CLOSED
        if error in _RESET:
            how = ConnectionEnd.RESET
        elif not exchange.reused and exchange.unsent == exchange.message:
            how = ConnectionEnd.UNANSWERED
        self._watch.ended(exchange.client, exchange.port, time.monotonic_ns(), how)
