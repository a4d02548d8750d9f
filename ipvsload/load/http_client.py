"""The HTTP client: every request of a process, in one epoll loop in one greenlet.

What makes a Python load generator slow is not Python but a greenlet and its
switches for each request. Here one greenlet waits, in gevent's hub, for the
descriptor of an epoll of its own. Then it serves whatever is ready, in slices,
so that other greenlets get their turns. Who sends the next request, and when,
is decided by the workloads (workload.py).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub
from gevent.monkey import get_original

from ipvsload.load.closing_connections import ClosingConnections
from ipvsload.load.connect_gate import ConnectGate
from ipvsload.load.connection_lifetimes import ConnectionLifetimes
from ipvsload.load.connection_watch import ConnectionEnd, ConnectionWatch
from ipvsload.load.exchange import Connection, Exchange
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_response import HttpResponse, MalformedError
from ipvsload.load.tcp_connect import Sockets, cause, connect, resolve
from ipvsload.load.timers import Timers
from ipvsload.load.untaken_request import Untaken, answer_without_end, untaken
from ipvsload.scenario.url import HttpTarget

SLICE_NS = 2_000_000
"""How long the loop works before other greenlets get a turn."""
_BATCH = 64
_RECEIVE = 16_384
_epoll: Any = get_original("select", "epoll")
_IN, _OUT, _ERR, _HUP, _RDHUP, _EDGE = 0x1, 0x4, 0x8, 0x10, 0x2000, 1 << 31
_SOCKET_EVENTS = _IN | _OUT | _RDHUP | _EDGE
_ENDED = _RDHUP | _HUP | _ERR
_RESET = "refused", "reset"


class HttpClient:
    """The loop and its connections to one target.

    Args:
        target: a host, whose name is resolved once, here, its port, and whether it is https.
        sockets: where connections come from; None: they are this machine's,
            and its kernel chooses their ports.
        on_error: called once with what a workload's callback raised (because a
            disk is full, say); the loop has ended.
        watch: told of connections; None: nobody is.

    Raises:
        TestbedError: the target's name is not known.
        UsageError: a file of its TLS is not what it should be.
    """

    def __init__(
        self,
        target: HttpTarget,
        sockets: Sockets | None,
        on_error: Callable[[Exception], None],
        watch: ConnectionWatch | None = None,
    ) -> None:
        self.target = target
        self._family, self._address = resolve(target.host, target.port)
        self._encrypt: Callable[[Connection], Connection] | None = None
        if target.tls:
            from ipvsload.load.tls_socket import encryption  # ssl: only where it is used

            self._encrypt = encryption(target.host, target.tls)
        self._on_error = on_error
        self._sockets = sockets
        self._watch = watch
        self._gate = ConnectGate()
        self._poll = _epoll()
        self._entries: dict[int, Exchange | Connection] = {}
        """What each descriptor belongs to: an exchange, or a connection that is closing."""
        self._to_connect: deque[Exchange] = deque()
        self._ungated: deque[Exchange] = deque()
        """Exchanges that do not wait for the gate: they have a connection, or are due."""
        self.timers = Timers()
        self._poll.register(self.timers.fd, _IN | _EDGE)
        self._closing = ClosingConnections(self.timers, self._entries, self._to_connect)
        self._lifetimes = ConnectionLifetimes(self.timers, self.drop)
        self._batches: list[FinishedBatch] = []
        self._closed = False
        self._failed = False
        self._greenlet = gevent.spawn(self._run)

    # What workloads ask for

    def begin(self, exchange: Exchange, planned_ns: int = 0) -> None:
        """Send the exchange's request as soon as the loop turns.

        `planned_ns` is when it was due; 0 means when it is sent.
        """
        exchange.queued = True
        exchange.planned = planned_ns
        exchange.start = 0
        if exchange.closing and exchange.one_connection:
            return  # ClosingConnections passes it on
        # What is due at a time does not wait: its lateness would be ours.
        gated = exchange.sock is None and not planned_ns
        (self._to_connect if gated else self._ungated).append(exchange)
        if self.timers.asleep:
            self.timers.wake()

    def drop(self, exchange: Exchange, error: str | None = None) -> None:
        """Give up the exchange's request, if any, and close its connection.

        `error` is what ended it, where something did.
        """
        exchange.queued = exchange.busy = False
        if exchange.sock is not None:
            self._ended(exchange, error)
            self._gate.leave(exchange)
            self._entries.pop(exchange.fd, None)
            exchange.sock.close()
            exchange.sock = None

    def time_out(self, exchange: Exchange) -> None:
        """Give up a request that has no answer in time: see `drop`."""
        if exchange.busy and exchange.sock is not None:
            self._untaken(exchange, exchange.sock, answer_without_end(exchange.fd))
        self.drop(exchange)

    def add_batch(self, batch: FinishedBatch) -> None:
        """Have what is gathered there handed over before other greenlets get a turn."""
        if batch not in self._batches:
            self._batches.append(batch)

    def hand_over(self) -> None:
        """Hand over what has ended; what that raises ends the loop."""
        try:
            for batch in self._batches:
                batch.hand_over()
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End the loop and call `on_error`, the first time only."""
        if not self._failed:
            self._failed = True
            self._greenlet.kill(block=False)
            self._on_error(error)

    def close(self) -> None:
        """Stop the loop and close every connection. Nothing is recorded."""
        if self._closed:
            return
        self._closed = True
        self._greenlet.kill()
        for entry in list(self._entries.values()):
            if isinstance(entry, Exchange):
                self.drop(entry)
            else:
                entry.close()
        self._poll.close()
        self.timers.close()

    # The loop

    def _run(self) -> None:
        hub = get_hub()
        readable = hub.loop.io(self._poll.fileno(), 1)
        timers = self.timers
        try:
            while True:
                if self._to_connect or self._ungated:
                    gevent.sleep(0)
                else:
                    timers.arm_next()
                    timers.asleep = True
                    hub.wait(readable)
                    timers.asleep = False
                self._slice(time.monotonic_ns() + SLICE_NS)
                self.hand_over()
        except Exception as error:
            self.fail(error)
        finally:
            readable.close()

    def _slice(self, end: int) -> None:
        poll, timers = self._poll.poll, self.timers
        entries = self._entries
        to_connect, ungated = self._to_connect, self._ungated
        while True:
            # The wait sleeps in the kernel. It is short, so that other greenlets
            # wait little; it saves a turn of the hub for nearly every event.
            timers.arm_next()
            may_connect = bool(to_connect) and self._gate.is_open(time.monotonic_ns())
            events = poll(0 if may_connect or ungated else 0.001, _BATCH)
            for fd, mask in events:
                entry = entries.get(fd)
                if entry is None:
                    if fd == timers.fd:
                        timers.run_due()
                elif isinstance(entry, Exchange):
                    self._serve(entry, mask)
                else:
                    self._closing.serve(entry, bool(mask & _ENDED))
                if may_connect and to_connect:
                    # At once, so that the server has work while we go on. This is wrong for
                    # one that has a connection: its end may be among these events.
                    self._start(to_connect.popleft())
            if may_connect or ungated or events:
                self._start_some()
            if not (events or to_connect or ungated) or time.monotonic_ns() >= end:
                return

    def _start_some(self) -> None:
        to_connect, ungated = self._to_connect, self._ungated
        for _ in range(min(len(ungated), _BATCH)):
            self._start(ungated.popleft())
        for _ in range(min(len(to_connect), _BATCH)):
            if not self._gate.is_open(time.monotonic_ns()):
                return
            self._start(to_connect.popleft())

    # A request's life

    def _start(self, exchange: Exchange) -> None:
        if not exchange.queued:
            return
        exchange.queued = False
        exchange.busy = True
        exchange.start = time.monotonic_ns()
        if not exchange.planned:
            exchange.planned = exchange.start
        exchange.response = HttpResponse()
        exchange.unsent = exchange.message
        exchange.untaken = None
        if exchange.sock is None:
            self._connect(exchange)
        else:
            exchange.reused = True
            self._serve(exchange, _OUT)

    def _connect(self, exchange: Exchange) -> None:
        exchange.reused = False
        exchange.client, exchange.port = "", 0
        try:
            plain, exchange.client, exchange.port = connect(
                self._family, self._address, self._sockets
            )
        except OSError as error:
            exchange.busy = False
            exchange.owner.ended(exchange, cause(error))
            return
        sock = plain if self._encrypt is None else self._encrypt(plain)
        fd = sock.fileno()
        self._poll.register(fd, _SOCKET_EVENTS)
        exchange.sock, exchange.fd = sock, fd
        self._entries[fd] = exchange
        now = time.monotonic_ns()
        if self._watch is not None:
            self._watch.opened(exchange.client, exchange.port, now)
        self._gate.enter(exchange, now)
        if exchange.owner.lifetime is not None:
            self._lifetimes.begin(exchange, exchange.owner.lifetime, now)

    def _serve(self, exchange: Exchange, mask: int) -> None:
        sock, response = exchange.sock, exchange.response
        if sock is None:
            return
        if not exchange.busy:
            if mask & (_ENDED | _IN):
                self._idle(exchange, sock, mask & _ENDED)
            return
        error = None
        try:
            if exchange.unsent:
                self._gate.leave(exchange)
                exchange.unsent = exchange.unsent[sock.send(exchange.unsent) :]
                if exchange.unsent or mask == _OUT:
                    return
            while True:
                data = sock.recv(_RECEIVE)
                if not data:
                    mask |= _ENDED
                    error = None if response.end() else "closed"
                    break
                if response.feed(data):
                    break
                if len(data) < _RECEIVE and not mask & _ENDED:
                    return
        except BlockingIOError:
            return
        except MalformedError:
            error = "malformed"
        except OSError as failure:
            error = cause(failure)
        if error and self._retry(exchange, sock, error):
            return
        if error or mask & _ENDED:
            self.drop(exchange, error)
        elif not (response.keep and exchange.owner.reuse):
            self._ended(exchange)
            self._closing.add(exchange, sock)
        elif exchange.owner.lifetime is not None:
            self._lifetimes.carried(exchange, exchange.owner.lifetime)
        exchange.busy = False
        exchange.owner.ended(exchange, error)

    def _ended(self, exchange: Exchange, error: str | None = None) -> None:
        if self._watch is None:
            return
        how = ConnectionEnd.CLOSED
        if error in _RESET:
            how = ConnectionEnd.RESET
        elif not exchange.reused and exchange.unsent == exchange.message:
            how = ConnectionEnd.UNANSWERED
        self._watch.ended(exchange.client, exchange.port, time.monotonic_ns(), how)

    def _idle(self, exchange: Exchange, sock: Connection, ended: int) -> None:
        """Something has come between two requests: the end, or what TLS has to say to itself."""
        try:
            sock.recv(_RECEIVE)
        except BlockingIOError:
            if not ended:
                return
        except OSError:
            pass
        self.drop(exchange)

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
        self._connect(exchange)  # not reused now: it is not sent a third time
        return True

    def _untaken(self, exchange: Exchange, sock: Connection, answer: str) -> Untaken | None:
        """Look whether a kept connection has not taken the request, and note that in it."""
        if not exchange.reused or exchange.response.began:
            return None
        sent = len(exchange.message) - len(exchange.unsent)
        exchange.untaken = untaken(sock.fileno(), sent, exchange.start, answer)
        return exchange.untaken
