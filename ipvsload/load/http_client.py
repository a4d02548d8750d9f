"""The wire: every request of a process, in one epoll loop in one greenlet.

A greenlet and its switches for each request are what makes a Python load
generator slow, not Python. Here one greenlet waits, in gevent's hub, for the
descriptor of an epoll of its own, and then serves whatever is ready, in
slices after which everybody else gets a turn. Who asks next, and when, is
not decided here but by the flows (flow.py).
"""

import fcntl
import struct
import time
from _socket import socket
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import gevent
from gevent.hub import get_hub
from gevent.monkey import get_original

from ipvsload.load.connect_gate import Gate
from ipvsload.load.exchange import Call
from ipvsload.load.http_response import Answer, MalformedError
from ipvsload.load.tcp_connect import Sockets, cause, connect, resolve
from ipvsload.load.timerfd import Timer

SLICE_NS = 2_000_000
"""How long the loop works before the other greenlets get a turn."""
LINGER_NS = 1_000_000_000
"""How long a server that was asked to close may take before we close."""
_SIOCOUTQ = 0x5411
"""Bytes sent and not acknowledged, the unsent among them (tcp.c, tcp_ioctl)."""
_BATCH = 64
_RECEIVE = 16_384
_epoll: Any = get_original("select", "epoll")
_IN, _OUT, _ERR, _HUP, _RDHUP, _EDGE = 0x1, 0x4, 0x8, 0x10, 0x2000, 1 << 31
_SOCKET_EVENTS = _IN | _OUT | _RDHUP | _EDGE
_ENDED = _RDHUP | _HUP | _ERR


class Wire:
    """The loop and its connections to one target.

    Args:
        target: host and port; a name is resolved once, here.
        sockets: where connections come from; without it they are this
            machine's, and its kernel chooses their ports.
        on_error: told once what a flow's own callback raised (a disk that is
            full, say); the loop then ends. Without it gevent prints it.

    Raises:
        TestbedError: the target's name is not known.
    """

    def __init__(
        self,
        target: tuple[str, int],
        sockets: Sockets | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self.target = target
        self._family, self._address = resolve(target)
        self._on_error = on_error
        self._sockets = sockets
        self._gate = Gate()
        self._poll = _epoll()
        self._table: dict[int, Call | socket] = {}
        self._lingering: dict[socket, tuple[int, Call]] = {}
        self._watching = False
        self._ready: deque[Call] = deque()
        self._bound: deque[Call] = deque()
        """Those that have a connection: they pass by the gate."""
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._timer = Timer()
        self._poll.register(self._timer.fd, _IN | _EDGE)
        self._armed = 0
        self._asleep = False
        self._lag = 0
        self._closed = False
        self._failed = False
        self._greenlet = gevent.spawn(self._run)

    # What flows ask for

    def begin(self, call: Call, planned_ns: int = 0) -> None:
        """Send the call's request as soon as the loop turns.

        `planned_ns` is when it should have been; 0 means when it is sent.
        """
        call.queued = True
        call.planned = planned_ns
        call.start = 0
        if call.parting and call.patient:
            return  # until _bury
        (self._ready if call.sock is None else self._bound).append(call)
        if self._asleep:
            self._arm(1)

    def at(self, when_ns: int, action: Callable[[], None]) -> None:
        """Call `action`, which must not block, at that `time.monotonic_ns()`."""
        self._count += 1
        heappush(self._timers, (when_ns, self._count, action))
        if self._asleep and (not self._armed or when_ns < self._armed):
            self._arm(when_ns)

    def drop(self, call: Call) -> None:
        """Give up the call's request, if any, and close its connection."""
        call.queued = call.busy = False
        if call.sock is not None:
            self._gate.leave(call)
            self._table.pop(call.fd, None)
            call.sock.close()
            call.sock = None

    def fail(self, error: Exception) -> None:
        """End the loop, and tell `on_error` why; what fails after that is not told."""
        if self._failed:
            return
        self._failed = True
        self._greenlet.kill(block=False)
        if self._on_error is not None:
            self._on_error(error)
        else:
            get_hub().handle_error(self, type(error), error, error.__traceback__)

    def take_lag(self) -> int:
        """The longest that the loop was kept from its turn since last asked, in ns."""
        lag, self._lag = self._lag, 0
        return lag

    def close(self) -> None:
        """Stop the loop and close every connection. Nothing is recorded."""
        if self._closed:
            return
        self._closed = True
        self._greenlet.kill()
        self._asleep = False
        for entry in self._table.values():
            if isinstance(entry, Call):
                entry.queued = entry.busy = False
                if entry.sock is not None:
                    entry.sock.close()
                    entry.sock = None
            else:
                entry.close()
        self._table.clear()
        self._lingering.clear()
        self._ready.clear()
        self._bound.clear()
        self._timers.clear()
        self._poll.close()
        self._timer.close()

    # The loop

    def _run(self) -> None:
        hub = get_hub()
        readable = hub.loop.io(self._poll.fileno(), 1)
        try:
            while True:
                if self._ready or self._bound:
                    gevent.sleep(0)
                else:
                    self._arm_next()
                    self._asleep = True
                    hub.wait(readable)
                    self._asleep = False
                self._slice(time.monotonic_ns() + SLICE_NS)
        except Exception as error:
            self.fail(error)
        finally:
            readable.stop()
            readable.close()

    def _slice(self, end: int) -> None:
        poll = self._poll.poll
        table = self._table
        ready, bound = self._ready, self._bound
        while True:
            # The wait sleeps in the kernel; it is short, so that others wait
            # little, and it saves a turn of the hub for nearly each event.
            self._arm_next()
            go = bool(ready) and self._gate.is_open(time.monotonic_ns())
            events = poll(0 if go or bound else 0.001, _BATCH)
            for fd, mask in events:
                entry = table.get(fd)
                if entry is None:
                    if fd == self._timer.fd:
                        self._run_due()
                elif isinstance(entry, Call):
                    self._serve(entry, mask)
                else:
                    self._farewell(entry, mask)
                if go and ready:
                    # At once, so that the server has work while we go on. Not so where
                    # there is a connection: its end may be among these events.
                    self._start(ready.popleft())
            if go or bound or events:
                self._start_some()
            if not (events or ready or bound) or time.monotonic_ns() >= end:
                return

    def _start_some(self) -> None:
        ready, bound = self._ready, self._bound
        for _ in range(min(len(bound), _BATCH)):
            self._start(bound.popleft())
        for _ in range(min(len(ready), _BATCH)):
            if not self._gate.is_open(time.monotonic_ns()):
                return
            self._start(ready.popleft())

    def _run_due(self) -> None:
        self._armed = 0
        timers = self._timers
        now = time.monotonic_ns()
        if timers and timers[0][0] <= now:
            self._lag = max(self._lag, now - timers[0][0])
            while timers and timers[0][0] <= now:
                heappop(timers)[2]()

    def _arm_next(self) -> None:
        if self._timers and self._timers[0][0] != self._armed:
            self._arm(self._timers[0][0])

    def _arm(self, when_ns: int) -> None:
        self._armed = when_ns
        self._timer.set(when_ns)

    # A request's life

    def _start(self, call: Call) -> None:
        if not call.queued:
            return
        call.queued = False
        call.busy = True
        call.retried = False
        call.start = time.monotonic_ns()
        if not call.planned:
            call.planned = call.start
        call.answer = Answer()
        call.unsent = call.owner.message
        if call.sock is None:
            self._connect(call)
        else:
            call.reused = True
            self._serve(call, _OUT)

    def _connect(self, call: Call) -> None:
        call.reused = False
        call.client, call.port = "", 0
        try:
            sock, call.client, call.port = connect(self._family, self._address, self._sockets)
        except OSError as error:
            self._done(call, cause(error))
            return
        fd = sock.fileno()
        self._poll.register(fd, _SOCKET_EVENTS)
        call.sock, call.fd = sock, fd
        self._table[fd] = call
        self._gate.enter(call, time.monotonic_ns())

    def _serve(self, call: Call, mask: int) -> None:
        sock, answer = call.sock, call.answer
        if sock is None:
            return
        if not call.busy:
            # Idle: all that can come is the server's good-bye.
            if mask & (_ENDED | _IN):
                self.drop(call)
            return
        try:
            if call.unsent:
                self._gate.leave(call)
                call.unsent = call.unsent[sock.send(call.unsent) :]
                if call.unsent or mask == _OUT:
                    return
            while True:
                data = sock.recv(_RECEIVE)
                if not data:
                    if answer.end():
                        self.drop(call)
                        self._done(call, None)
                    elif not self._retry(call, sock):
                        self.drop(call)
                        self._done(call, "closed")
                    return
                if answer.feed(data):
                    break
                if len(data) < _RECEIVE and not mask & _ENDED:
                    return
        except BlockingIOError:
            return
        except MalformedError:
            self.drop(call)
            self._done(call, "malformed")
            return
        except OSError as error:
            if not self._retry(call, sock):
                self.drop(call)
                self._done(call, cause(error))
            return
        if mask & _ENDED:
            self.drop(call)
        elif not (answer.keep and call.owner.reuse):
            self._linger(call, sock)
        self._done(call, None)

    def _done(self, call: Call, error: str | None) -> None:
        call.busy = False
        call.owner.ended(call, error)

    def _retry(self, call: Call, sock: socket) -> bool:
        """Send again, once, what a server that was closing never took.

        A server may close an idle connection just as we send on it. Its kernel
        then acknowledges nothing of the request, so another connection may
        carry it, and a good client does so. Whatever was acknowledged and not
        answered is an error of the server's.
        """
        if not call.reused or call.retried or call.answer.began:
            return False
        sent = len(call.owner.message) - len(call.unsent)
        unacknowledged = struct.unpack("i", fcntl.ioctl(sock.fileno(), _SIOCOUTQ, bytes(4)))[0]
        if unacknowledged < sent:
            return False
        self.drop(call)
        call.busy = call.retried = True
        call.unsent = call.owner.message
        self._connect(call)
        return True

    # Closing: by the server where it will, so that TIME_WAIT is on its side
    # and not on our ports; and never with an answer unread, which would reset.

    def _linger(self, call: Call, sock: socket) -> None:
        deadline = time.monotonic_ns() + LINGER_NS
        if not self._watching:
            self._watching = True
            self.at(deadline, self._end_lingering)
        self._table[call.fd] = sock
        self._lingering[sock] = deadline, call
        call.sock = None
        call.parting = True

    def _farewell(self, sock: socket, mask: int) -> None:
        try:
            over = bool(mask & _ENDED) or not sock.recv(_RECEIVE)
        except BlockingIOError:
            over = False
        except OSError:
            over = True
        if over:
            self._bury(sock)

    def _end_lingering(self) -> None:
        now = time.monotonic_ns()
        self._watching = False
        while self._lingering:
            sock, (deadline, _) = next(iter(self._lingering.items()))
            if deadline > now:
                self._watching = True
                self.at(deadline, self._end_lingering)
                return
            self._bury(sock)

    def _bury(self, sock: socket) -> None:
        _deadline, call = self._lingering.pop(sock)
        call.parting = False
        if call.queued and call.patient:
            self._ready.append(call)
        del self._table[sock.fileno()]
        sock.close()
