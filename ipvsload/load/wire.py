"""The wire: every request of a process, in one epoll loop in one greenlet.

A greenlet and its switches for each request are what makes a Python load
generator slow, not Python. Here one greenlet waits, in gevent's hub, for the
descriptor of an epoll of its own, and then serves whatever is ready, in
slices after which everybody else gets a turn. Who asks next, and when, is
not decided here but by the flows (flow.py).
"""

import errno
import fcntl
import struct
import time
from _socket import (
    IPPROTO_TCP,
    SO_REUSEADDR,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    gaierror,
    getaddrinfo,
    socket,
)
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, ClassVar, Protocol

import gevent
from gevent.hub import get_hub
from gevent.monkey import get_original

from ipvsload.errors import TestbedError
from ipvsload.load.http import Answer, MalformedError
from ipvsload.load.sources import Sources
from ipvsload.load.timer import Timer

SLICE_NS = 2_000_000
"""How long the loop works before the other greenlets get a turn."""
LINGER_NS = 1_000_000_000
"""How long a server that was asked to close may take before we close."""
_BIND_TRIES = 100
SIOCOUTQ = 0x5411

_BATCH = 64
_RECEIVE = 16_384
_epoll: Any = get_original("select", "epoll")
_IN, _OUT, _ERR, _HUP, _RDHUP, _EDGE = 0x1, 0x4, 0x8, 0x10, 0x2000, 1 << 31
_SOCKET_EVENTS = _IN | _OUT | _RDHUP | _EDGE
_ENDED = _RDHUP | _HUP | _ERR

_CAUSES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EADDRNOTAVAIL: "no port",
    errno.EMFILE: "no descriptor",
    errno.ENFILE: "no descriptor",
    **dict.fromkeys(
        (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EACCES),
        "unreachable",
    ),
}


class Owner(Protocol):
    """Who has requests on the wire: a flow."""

    message: bytes
    """The request, ready to be sent."""
    reuse: bool
    """Whether a connection may carry more than one request."""

    def ended(self, call: "Call", error: str | None) -> None:
        """The call has its answer, or an error. Must not block."""


class Call:
    """A user's (or an arrival's) present or last request, and its connection.

    Times are `time.monotonic_ns()`. `client` and `port` are the local end. A
    `patient` one sends no request before its last connection is closed: ten
    users then are ten connections at most in the balancer's table, too.
    """

    patient: ClassVar[bool] = False

    __slots__ = ("answer", "busy", "client", "fd", "owner", "parting", "planned", "port", "queued",
                 "retried", "reused", "sock", "start", "unsent")  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.sock: socket | None = None
        self.fd = -1
        self.answer = Answer()
        self.unsent = b""
        self.queued = False
        self.busy = False
        self.planned = 0
        self.start = 0
        self.client = ""
        self.port = 0
        self.reused = False
        self.retried = False
        self.parting = False


class Wire:
    """The loop and its connections to one target.

    Args:
        target: host and port; a name is resolved once, here.
        sources: gives each connection its local address and port; without it
            the kernel chooses.
        make_socket: makes a non-blocking, close-on-exec stream socket of
            `_socket`, possibly in another network namespace.
        on_error: told what a flow's own callback raised (a disk that is full,
            say); the loop has then ended.

    Raises:
        TestbedError: the target's name is not known.
    """

    def __init__(
        self,
        target: tuple[str, int],
        sources: Sources | None = None,
        make_socket: Callable[[], socket] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self.target = target
        try:
            found = getaddrinfo(target[0], target[1], 0, SOCK_STREAM)[0]
        except gaierror as error:
            raise TestbedError(f"cannot resolve the target {target[0]!r}: {error}") from None
        self._family: int = found[0]
        self._address: Any = found[4]
        self._make_socket = make_socket or self._plain_socket
        self._on_error = on_error
        self._sources = sources
        self._poll = _epoll()
        self._table: dict[int, Call | socket] = {}
        self._lingering: dict[socket, tuple[int, Call]] = {}
        self._watching = False
        self._ready: deque[Call] = deque()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._timer = Timer()
        self._poll.register(self._timer.fd, _IN | _EDGE)
        self._armed = 0
        self._asleep = False
        self._lag = 0
        self._closed = False
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
        self._ready.append(call)
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
            self._table.pop(call.fd, None)
            call.sock.close()
            call.sock = None

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
        self._timers.clear()
        self._poll.close()
        self._timer.close()

    # The loop

    def _run(self) -> None:
        hub = get_hub()
        readable = hub.loop.io(self._poll.fileno(), 1)
        try:
            while True:
                if self._ready:
                    before = time.monotonic_ns()
                    gevent.sleep(0)
                    self._note_lag(time.monotonic_ns() - before)
                else:
                    self._arm_next()
                    self._asleep = True
                    hub.wait(readable)
                    self._asleep = False
                self._slice(time.monotonic_ns() + SLICE_NS)
        except Exception as error:
            if self._on_error is None:
                raise
            self._on_error(error)
        finally:
            readable.stop()
            readable.close()

    def _slice(self, end: int) -> None:
        poll = self._poll.poll
        table = self._table
        ready = self._ready
        while True:
            # The wait sleeps in the kernel; it is short, so that others wait
            # little, and it saves a turn of the hub for nearly each event.
            self._arm_next()
            events = poll(0 if ready else 0.001, _BATCH)
            for fd, mask in events:
                entry = table.get(fd)
                if entry is None:
                    if fd == self._timer.fd:
                        self._run_due()
                elif isinstance(entry, Call):
                    self._serve(entry, mask)
                else:
                    self._farewell(entry, mask)
                if ready:
                    # At once, so that the server has work while we go on.
                    self._start(ready.popleft())
            for _ in range(min(len(ready), _BATCH)):
                self._start(ready.popleft())
            if not (events or ready) or time.monotonic_ns() >= end:
                return

    def _run_due(self) -> None:
        self._armed = 0
        timers = self._timers
        now = time.monotonic_ns()
        if timers and timers[0][0] <= now:
            self._note_lag(now - timers[0][0])
            while timers and timers[0][0] <= now:
                heappop(timers)[2]()

    def _arm_next(self) -> None:
        if self._timers and self._timers[0][0] != self._armed:
            self._arm(self._timers[0][0])

    def _arm(self, when_ns: int) -> None:
        self._armed = when_ns
        self._timer.set(when_ns)

    def _note_lag(self, lag: int) -> None:
        if lag > self._lag:
            self._lag = lag

    # A request's life

    def _plain_socket(self) -> socket:
        return socket(self._family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

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
        sock = None
        try:
            sock = self._make_socket()
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self._sources is not None:
                _bind(sock, self._sources)
            failed = sock.connect_ex(self._address)
            if failed and failed != errno.EINPROGRESS:
                raise OSError(failed, "")
            call.client, call.port = sock.getsockname()[:2]
            fd = sock.fileno()
            self._poll.register(fd, _SOCKET_EVENTS)
        except OSError as error:
            if sock is not None:
                sock.close()
            self._done(call, _cause(error))
            return
        call.sock, call.fd = sock, fd
        self._table[fd] = call

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
                self._done(call, _cause(error))
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
        unacknowledged = struct.unpack("i", fcntl.ioctl(sock.fileno(), SIOCOUTQ, bytes(4)))[0]
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
        for sock, (deadline, _call) in list(self._lingering.items()):
            if deadline > now:
                self._watching = True
                self.at(deadline, self._end_lingering)
                break
            self._bury(sock)

    def _bury(self, sock: socket) -> None:
        _deadline, call = self._lingering.pop(sock)
        call.parting = False
        if call.queued and call.patient:
            self._ready.append(call)
        del self._table[sock.fileno()]
        sock.close()


def _bind(sock: socket, sources: Sources) -> None:
    """Give the socket the next source that is free. Raises OSError."""
    sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    for _ in range(_BIND_TRIES):
        try:
            return sock.bind(sources.take())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRNOTAVAIL, "")


def _cause(error: OSError) -> str:
    number = error.errno or 0
    return _CAUSES.get(number) or errno.errorcode.get(number, "unknown")
